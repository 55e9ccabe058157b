// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases_content.c - which pages are reported dirty (docs/type1.md, 13.9)
 */
#include "calls.h"
#include "case_groups.h"
#include "compare/op/setup.h"

static void pci_pages_are_always_dirty(void)
{
	setup_p();
	dirty(DIRTY_START);
	map(0, 4, RW);
	dirty_get(0, 4 * PAGE);
	dirty_get(0, 4 * PAGE);
	dirty(DIRTY_STOP);
	dirty(DIRTY_START);
	dirty_get(0, 4 * PAGE);
}

static void bitmap_is_written_word_by_word(void)
{
	setup_p();
	dirty(DIRTY_START);
	map(0, 4, RW);
	dirty_get_with(0, 128 * PAGE, (struct bitmap){ .bits = BITS_ONES });
	map(64 * PAGE, 4, RW);
	dirty_get_with(0, 256 * PAGE, (struct bitmap){ .bits = BITS_ONES });
	dirty_get_with(0, 256 * PAGE, (struct bitmap){ .bits = BITS_ODD });
}

static void read_only_mapping_is_dirty_too(void)
{
	setup_p();
	map(0, 4, R);
	dirty(DIRTY_START);
	dirty_get(0, 4 * PAGE);
}

static void unmap_tells_what_is_dirty(void)
{
	setup_p();
	dirty(DIRTY_START);
	map(0, 4, RW);
	map(64 * PAGE, 2, RW);
	unmap_bitmap(0, 4 * PAGE);
	unmap_bitmap(0, 128 * PAGE);
	dirty_get(0, 4 * PAGE);
}

static void emulated_tracking(void)
{
	setup_e();
	map(0, 64, RW);
	dirty(DIRTY_START);
}

static void pinned_pages_are_dirty(void)
{
	setup_e();
	map(0, 64, RW);
	pin(E, 2 * PAGE, 1, 3);
	dirty(DIRTY_START);
	dirty_get(0, 64 * PAGE);
	unpin(E, 2 * PAGE, 1);
	dirty_get(0, 64 * PAGE);
	dirty_get(0, 64 * PAGE);
}

static void pages_pinned_meanwhile_are_dirty(void)
{
	emulated_tracking();
	pin(E, 5 * PAGE, 2, 1);
	unpin(E, 5 * PAGE, 2);
	dirty_get(0, 64 * PAGE);
	dirty_get(0, 64 * PAGE);
}

static void pages_written_are_dirty(void)
{
	emulated_tracking();
	rw(E, 8 * PAGE - 16, 32, RW_WRITE);
	dirty_get(0, 64 * PAGE);
	dirty_get(0, 64 * PAGE);
	rw(E, 8 * PAGE - 16, 32, 0);
	dirty_get(0, 64 * PAGE);
}

/* The sizes are around one and two words of the bitmap. */
static void first_and_last_pages_become_clean(void)
{
	static const uint64_t npages[] = { 1, 2, 3, 4, 5, 63, 64, 65, 127, 128 };
	uint8_t *large;
	unsigned int i;

	setup_e();
	large = memory("large", 128 * PAGE, MEMORY_TOUCHED, PROT_R | PROT_W);
	dirty(DIRTY_START);
	for (i = 0; i < ARRAY_SIZE(npages); i++) {
		uint64_t nbytes = npages[i] * PAGE;

		map_at(0, nbytes, large, RW);
		rw(E, 0, 8, RW_WRITE);
		rw(E, nbytes - 8, 8, RW_WRITE);
		dirty_get(0, nbytes);
		dirty_get(0, nbytes);
		rw(E, 0, (uint32_t)nbytes, RW_WRITE);
		dirty_get(0, nbytes);
		dirty_get(0, nbytes);
		unmap(0, nbytes);
	}
}

static void unmap_tells_what_the_callback_unpins(void)
{
	emulated_tracking();
	pin(E, PAGE, 1, 3);
	unmap_bitmap(0, 64 * PAGE);
	callbacks(E);
}

static void stop_and_start_forgets(void)
{
	emulated_tracking();
	pin(E, 0, 2, 3);
	unpin(E, 0, 1);
	rw(E, 8 * PAGE, 8, RW_WRITE);
	dirty(DIRTY_STOP);
	dirty(DIRTY_START);
	dirty_get(0, 64 * PAGE);
}

static void bits_count_from_the_range(void)
{
	setup_e();
	map_at(64 * PAGE, 128 * PAGE, buf, RW);
	dirty(DIRTY_START);
	rw(E, 130 * PAGE, 8, RW_WRITE);
	dirty_get(64 * PAGE, 128 * PAGE);
	dirty_get(0, 64 * PAGE);
}

static void words_of_gaps_are_not_written(void)
{
	setup_e();
	map(0, 3, RW);
	dirty(DIRTY_START);
	dirty_get_with(0, 128 * PAGE, (struct bitmap){ .bits = BITS_ONES });
	pin(E, PAGE, 1, 3);
	dirty_get_with(0, 3 * PAGE, (struct bitmap){ .bits = BITS_ODD });
}

static void precise_after_the_real_group_left(void)
{
	setup_m();
	map(0, 64, RW);
	dirty(DIRTY_START);
	dirty_get(0, 64 * PAGE);
	pin(E, 3 * PAGE, 1, 3);
	dirty_get(0, 64 * PAGE);
	leave(A);
	dirty_get(0, 64 * PAGE);
	dirty_get(0, 64 * PAGE);
	join(A);
	dirty_get(0, 64 * PAGE);
	dirty_get(0, 64 * PAGE);
}

static void too_large_to_be_tracked(void)
{
	setup_e();
	map_at(0, 8 * TIB, buf, RW);
	dirty(DIRTY_START);
	unmap_all();
	dirty(DIRTY_START);
	map_at(8 * TIB, 8 * TIB, buf, RW);
	info();
}

static void mapping_that_begins_within_a_word(void)
{
	unsigned int i;

	setup_e();
	setup.whole_bitmaps = false;
	map_at(64 * PAGE, 3 * PAGE, buf, RW);
	map_at(67 * PAGE, PAGE, buf, RW);
	map_at(68 * PAGE, 60 * PAGE, buf, RW);
	pin(E, 67 * PAGE, 1, 3);
	dirty(DIRTY_START);
	for (i = 0; i < 4; i++)
		dirty_get(0, 128 * PAGE);
	dirty_get(67 * PAGE, PAGE);
}

static void report_that_fails_forgets_nothing(void)
{
	setup_e();
	map(0, 8, RW);
	dirty(DIRTY_START);
	rw(E, 3 * PAGE, 8, RW_WRITE);
	dirty_get_with(0, 8 * PAGE, (struct bitmap){ .bits = BITS_NO_ACCESS });
	dirty_get(0, 8 * PAGE);
	dirty_get(0, 8 * PAGE);
}

static void new_mapping_is_clean(void)
{
	setup_e();
	dirty(DIRTY_START);
	map(0, 8, RW);
	dirty_get(0, 8 * PAGE);
	pin(E, 0, 1, 3);
	rw(E, 0, 8 * PAGE, RW_WRITE);
	unmap(0, 8 * PAGE);
	map(0, 8, RW);
	dirty_get(0, 8 * PAGE);
}

static const struct test_case cases[] = {
	CASE(pci_pages_are_always_dirty, "147", ABOUT_DIRTY | NEEDS_A,
	     "each report of what a PCI device could write"),
	CASE(bitmap_is_written_word_by_word, "148 156", ABOUT_DIRTY | NEEDS_A,
	     "what becomes of a bitmap full of ones"),
	CASE(read_only_mapping_is_dirty_too, "149", ABOUT_DIRTY | NEEDS_A,
	     "a mapping without WRITE"),
	CASE(unmap_tells_what_is_dirty, "150", ABOUT_DIRTY | NEEDS_A,
	     "the bitmap of UNMAP"),
	CASE(pinned_pages_are_dirty, "151", ABOUT_DIRTY | NEEDS_E,
	     "pages pinned by an emulated device"),
	CASE(pages_pinned_meanwhile_are_dirty, "152", ABOUT_DIRTY | NEEDS_E,
	     "pages pinned and unpinned between reports"),
	CASE(pages_written_are_dirty, "153", ABOUT_DIRTY | NEEDS_E,
	     "vfio_dma_rw() to and from pages"),
	CASE(first_and_last_pages_become_clean, "", ABOUT_DIRTY | NEEDS_E,
	     "the ends of mappings, written and reported"),
	CASE(unmap_tells_what_the_callback_unpins, "154", ABOUT_DIRTY | NEEDS_E,
	     "UNMAP with a bitmap of pages that are pinned"),
	CASE(stop_and_start_forgets, "155", ABOUT_DIRTY | NEEDS_E, "STOP, START"),
	CASE(bits_count_from_the_range, "156", ABOUT_DIRTY | NEEDS_E,
	     "a report that does not begin at 0"),
	CASE(words_of_gaps_are_not_written, "157", ABOUT_DIRTY | NEEDS_E,
	     "ones in the bitmap of an emulated device"),
	CASE(precise_after_the_real_group_left, "158-159", ABOUT_DIRTY | NEEDS_A | NEEDS_E,
	     "reports as the PCI group leaves and comes back"),
	CASE(too_large_to_be_tracked, "160", ABOUT_DIRTY | NEEDS_E,
	     "a mapping of 8 TiB"),
	CASE(mapping_that_begins_within_a_word, "161", ABOUT_DIRTY | NEEDS_E,
	     "the bits of pages 64 to 67, again and again"),
	CASE(report_that_fails_forgets_nothing, "141 162", ABOUT_DIRTY | NEEDS_E,
	     "a report that cannot be written, and the next"),
	CASE(new_mapping_is_clean, "163", ABOUT_DIRTY | NEEDS_E,
	     "a mapping made after START"),
};

const struct case_group case_group_content = CASE_GROUP("content", cases);
