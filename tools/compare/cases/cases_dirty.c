// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases_dirty.c - arguments of dirty tracking (docs/type1.md, 13.8)
 */
#include "calls.h"
#include "case_groups.h"
#include "compare/op/kernel.h"
#include "compare/op/transcript.h"

#define MAX_BITMAP	(256 * MIB)

static void setup_tracking(void)
{
	setup_p();
	dirty(DIRTY_START);
}

static void dirty_tracking_is_off(void)
{
	setup_p();
	map(0, 4, RW);
	dirty_get(0, 4 * PAGE);
	unmap_bitmap(0, 4 * PAGE);
	dirty(DIRTY_STOP);
	dirty(0);
	dirty(3);
	dirty(8);
	dirty(0x80000001);
	dirty_argsz(DIRTY_START, 7);
	dirty_argsz(DIRTY_START, 0);
	dirty_argsz(DIRTY_STOP, 1000);
	call(VFIO_IOMMU_DIRTY_PAGES, 8);
	call(VFIO_IOMMU_DIRTY_PAGES, 0);
}

static void tracking_is_started_twice(void)
{
	setup_tracking();
	dirty(DIRTY_START);
	dirty_argsz(DIRTY_START, 1000);
	dirty(DIRTY_STOP);
	dirty(DIRTY_STOP);
	dirty_get(0, PAGE);
	dirty(DIRTY_START);
}

static void get_of_no_or_half_pages(void)
{
	setup_tracking();
	dirty_get_with(0, PAGE, (struct bitmap){ .argsz = 47 });
	dirty_get_with(0, PAGE, (struct bitmap){ .argsz = 8 });
	dirty_get_with(0, PAGE, (struct bitmap){ .argsz = 1000 });
	dirty_get_with(0, 0, (struct bitmap){ .nbytes = 8 });
	dirty_get(1, PAGE);
	dirty_get(0, PAGE + 1);
	dirty_get(0, PAGE);
}

static void get_in_other_page_sizes(void)
{
	setup_tracking();
	map(0, 4, RW);
	dirty_get_with(0, 4 * PAGE, (struct bitmap){ .pgsize = 8192 });
	dirty_get_with(0, 4 * PAGE, (struct bitmap){ .pgsize = 2048 });
	dirty_get_with(0, 2 * MIB, (struct bitmap){ .pgsize = 2 * MIB });
	dirty_get_with(0, 4 * PAGE, (struct bitmap){ .pgsize = 4097 });
}

static void get_into_bitmaps_of_all_sizes(void)
{
	setup_tracking();
	dirty_get_with(0, PAGE, (struct bitmap){ .nbytes = NO_BYTES });
	dirty_get_with(0, PAGE, (struct bitmap){ .nbytes = 7 });
	dirty_get_with(0, 65 * PAGE, (struct bitmap){ .nbytes = 8 });
	dirty_get_with(0, 65 * PAGE, (struct bitmap){ .nbytes = 16 });
	dirty_get_with(0, PAGE, (struct bitmap){ .nbytes = MAX_BITMAP + 1 });
	dirty_get_with(0, PAGE, (struct bitmap){ .nbytes = MAX_BITMAP });
	dirty_get_with(0, PAGE, (struct bitmap){ .nbytes = 9 });
}

static void get_around_the_end_of_the_numbers(void)
{
	setup_tracking();
	dirty_get(-PAGE, 2 * PAGE);
	dirty_get(-PAGE, PAGE);
	dirty_get(-2 * PAGE, PAGE);
	dirty_get_with(0, -PAGE, (struct bitmap){ .nbytes = 8 });
}

static void get_into_bad_memory(void)
{
	setup_tracking();
	dirty_get_with(0, PAGE, (struct bitmap){ .bits = BITS_KERNEL });
	dirty_get_with(0, PAGE, (struct bitmap){ .bits = BITS_LOW });
	map(0, 4, RW);
	dirty_get_with(0, 4 * PAGE, (struct bitmap){ .bits = BITS_LOW });
	dirty_get_with(0, 4 * PAGE, (struct bitmap){ .bits = BITS_NO_ACCESS });
	dirty_get(0, 4 * PAGE);
}

static void get_of_terabytes(void)
{
	setup_tracking();
	dirty_get_with(0, 8 * TIB, (struct bitmap){ .nbytes = MAX_BITMAP });
	dirty_get_with(0, 8 * TIB + PAGE, (struct bitmap){ .nbytes = MAX_BITMAP });
	map(0, 4, RW);
	dirty_get_with(0, 8 * TIB, (struct bitmap){ .nbytes = MAX_BITMAP });
}

static void get_of_parts_of_a_mapping(void)
{
	setup_tracking();
	map(0, 4, RW);
	dirty_get(PAGE, 3 * PAGE);
	dirty_get(0, 3 * PAGE);
	dirty_get(PAGE, PAGE);
	dirty_get(0, 128 * PAGE);
	dirty_get(4 * PAGE, 4 * PAGE);
}

static void unmap_with_bad_bitmaps(void)
{
	setup_tracking();
	map(0, 4, RW);
	unmap_bitmap_with(0, 4 * PAGE, (struct bitmap){ .argsz = 47 });
	unmap_bitmap_with(0, 4 * PAGE, (struct bitmap){ .pgsize = 8192 });
	unmap_bitmap_with(0, 4 * PAGE, (struct bitmap){ .nbytes = NO_BYTES });
	unmap_bitmap_with(0, 4 * PAGE, (struct bitmap){ .nbytes = 7 });
	unmap_bitmap_with(0, 4 * PAGE, (struct bitmap){ .bits = BITS_LOW });
	unmap_bitmap_with(0, 4 * PAGE, (struct bitmap){ .bits = BITS_KERNEL });
	unmap_bitmap_with(0, 4 * PAGE, (struct bitmap){ .bits = BITS_NO_ACCESS });
	unmap_bitmap_with(0, 2 * PAGE, (struct bitmap){ 0 });
	unmap_bitmap_with(0, 0, (struct bitmap){ .nbytes = 8 });
	unmap_bitmap_with(1, PAGE, (struct bitmap){ 0 });
	unmap_bitmap_with(-PAGE, 2 * PAGE, (struct bitmap){ 0 });
	unmap_bitmap(0, 4 * PAGE);
	unmap_bitmap(0, 4 * PAGE);
}

static void bitmaps_with_page_size_0(void)
{
	if (!stock_may_see_page_size_0())
		skip("stock type1 of this kernel is caught at shifting by 64 bits");
	setup_tracking();
	map(0, 4, RW);
	dirty_get_with(0, 4 * PAGE, (struct bitmap){ .pgsize = ZERO_PGSIZE });
	unmap_bitmap_with(0, 4 * PAGE, (struct bitmap){ .pgsize = ZERO_PGSIZE });
}

static void unmap_whose_bitmap_ends_too_early(void)
{
	setup_tracking();
	map(0, 4, RW);
	map(8 * PAGE, 4, RW);
	map(64 * PAGE, 4, RW);
	unmap_bitmap_with(0, 128 * PAGE, (struct bitmap){ .bits = BITS_EDGE });
	dirty_get(64 * PAGE, 64 * PAGE);
	unmap_all();
}

static void unmap_with_a_bitmap_after_stop(void)
{
	setup_tracking();
	map(0, 4, RW);
	dirty(DIRTY_STOP);
	unmap_bitmap(0, 4 * PAGE);
	unmap(0, 4 * PAGE);
}

static const struct test_case cases[] = {
	CASE(dirty_tracking_is_off, "135", ABOUT_DIRTY | NEEDS_A,
	     "all calls before START, and with bad flags and sizes"),
	CASE(tracking_is_started_twice, "136", ABOUT_DIRTY | NEEDS_A, "START and STOP twice"),
	CASE(get_of_no_or_half_pages, "137", ABOUT_DIRTY | NEEDS_A,
	     "GET with an iova or size that is no multiple of a page"),
	CASE(get_in_other_page_sizes, "138", ABOUT_DIRTY | NEEDS_A,
	     "GET with a page size that is not the smallest"),
	CASE(get_into_bitmaps_of_all_sizes, "139", ABOUT_DIRTY | NEEDS_A,
	     "GET with bitmaps too small, too large, and just right"),
	CASE(get_around_the_end_of_the_numbers, "140", ABOUT_DIRTY | NEEDS_A,
	     "GET of ranges that wrap around 2^64, or end there"),
	CASE(get_into_bad_memory, "141", ABOUT_DIRTY | NEEDS_A, "GET with bad pointers"),
	CASE(get_of_terabytes, "142", ABOUT_DIRTY | NEEDS_A, "the largest range for GET"),
	CASE(get_of_parts_of_a_mapping, "143", ABOUT_DIRTY | NEEDS_A,
	     "GET of ranges that cut a mapping in two"),
	CASE(unmap_with_bad_bitmaps, "144", ABOUT_DIRTY | NEEDS_A,
	     "UNMAP with bitmaps that are wrong in all ways"),
	CASE(bitmaps_with_page_size_0, "138, 144", ABOUT_DIRTY | NEEDS_A,
	     "GET and UNMAP with a page size of 0"),
	CASE(unmap_whose_bitmap_ends_too_early, "145", ABOUT_DIRTY | NEEDS_A,
	     "UNMAP that cannot write the bits of the third mapping"),
	CASE(unmap_with_a_bitmap_after_stop, "146", ABOUT_DIRTY | NEEDS_A,
	     "UNMAP with a bitmap after STOP"),
};

const struct case_group case_group_dirty = CASE_GROUP("dirty", cases);
