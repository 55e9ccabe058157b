// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases_unmap.c - VFIO_IOMMU_UNMAP_DMA with type1v2 (docs/type1.md, 13.5)
 */
#include "calls.h"
#include "case_groups.h"
#include "compare/op/setup.h"
#include "compare/op/transcript.h"

static void unmap_needs_its_whole_structure(void)
{
	setup_p();
	map(0, 1, RW);
	unmap_argsz(0, PAGE, 0, 23);
	unmap_argsz(0, PAGE, 0, 0);
	call(VFIO_IOMMU_UNMAP_DMA, 8);
	call(VFIO_IOMMU_UNMAP_DMA, 0);
	unmap_flags(0, PAGE, 8);
	unmap_flags(0, PAGE, 0x80000000);
	unmap_argsz(0, PAGE, 0, 1000);
}

static void unmap_of_no_or_half_pages(void)
{
	setup_p();
	map(0, 4, RW);
	unmap(0, 0);
	unmap(1, 4 * PAGE);
	unmap(0, 1);
	unmap(0, 4 * PAGE + 1);
	unmap(PAGE, 0);
	unmap(64 * PAGE, 0);
	unmap(0, 4 * PAGE);
}

static void unmap_around_the_end_of_the_numbers(void)
{
	setup_p();
	map(0, 1, RW);
	unmap(-PAGE, 2 * PAGE);
	unmap(PAGE, UINT64_MAX & ~(PAGE - 1));
	unmap(2 * PAGE, UINT64_MAX & ~(PAGE - 1));
	unmap(-PAGE, PAGE);
	unmap_all();
}

static void unmap_of_nothing(void)
{
	setup_p();
	unmap(0, PAGE);
	unmap(GIB, GIB);
	unmap_all();
	map(4 * PAGE, 4, RW);
	unmap(0, 4 * PAGE);
	unmap(8 * PAGE, 4 * PAGE);
	unmap(4 * PAGE, 4 * PAGE);
	unmap(4 * PAGE, 4 * PAGE);
	unmap_all();
}

static void unmap_all_with_a_range(void)
{
	setup_p();
	map(0, 1, RW);
	unmap_flags(0, PAGE, UNMAP_ALL);
	unmap_flags(PAGE, 0, UNMAP_ALL);
	unmap_flags(1, 1, UNMAP_ALL);
	unmap_all();
	unmap_all();
}

static void unmap_with_flags_that_exclude_each_other(void)
{
	setup_p();
	map(0, 1, RW);
	unmap_bitmap_with(0, 0, (struct bitmap){ .flags = UNMAP_ALL, .nbytes = 8 });
	unmap_bitmap_with(0, PAGE, (struct bitmap){ .flags = UNMAP_VADDR });
	unmap_bitmap_with(0, PAGE, (struct bitmap){ .flags = 8 });
	unmap_bitmap_with(0, PAGE, (struct bitmap){ .argsz = 24 });
	unmap_bitmap_with(0, PAGE, (struct bitmap){ .argsz = 23 });
	unmap_flags(0, PAGE, 7);
	unmap_all();
}

static void three_mappings(void)
{
	map(4 * PAGE, 4, RW);
	map(8 * PAGE, 4, RW);
	map(16 * PAGE, 4, RW);
}

static void unmap_of_parts_of_a_mapping(void)
{
	setup_p();
	three_mappings();
	unmap(5 * PAGE, 3 * PAGE);
	unmap(4 * PAGE, 3 * PAGE);
	unmap(4 * PAGE, 5 * PAGE);
	unmap(0, 5 * PAGE);
	unmap(5 * PAGE, PAGE);
	unmap(7 * PAGE, PAGE);
	unmap(11 * PAGE, 6 * PAGE);
	unmap(0, 17 * PAGE);
	unmap(5 * PAGE, 7 * PAGE);
	unmap(4 * PAGE, 6 * PAGE);
	unmap(0, 18 * PAGE);
	unmap(18 * PAGE, 10 * PAGE);
	unmap(6 * PAGE, 11 * PAGE);
	unmap_all();
}

static void unmap_vaddr_of_a_part_of_a_mapping(void)
{
	setup_p();
	three_mappings();
	unmap_flags(5 * PAGE, PAGE, UNMAP_VADDR);
	unmap_flags(4 * PAGE, 5 * PAGE, UNMAP_VADDR);
	unmap_flags(0, 5 * PAGE, UNMAP_VADDR);
	unmap_all();
}

static void unmap_of_several_mappings(void)
{
	setup_p();
	three_mappings();
	unmap(0, 12 * PAGE);
	unmap(0, 1ULL << 38);
	three_mappings();
	unmap(4 * PAGE, 16 * PAGE);
	three_mappings();
	unmap(12 * PAGE, 8 * PAGE);
	unmap(8 * PAGE, 4 * PAGE);
	unmap(3 * PAGE, 6 * PAGE);
}

static void unmap_of_a_range_that_ends_with_the_numbers(void)
{
	setup_p();
	map(PAGE, 1, RW);
	unmap(PAGE, -PAGE);
	unmap_all();
}

static void unmap_vaddr_of_a_range_that_ends_with_the_numbers(void)
{
	setup_p();
	map(PAGE, 1, RW);
	unmap_flags(PAGE, -PAGE, UNMAP_VADDR);
	unmap_flags(PAGE, -PAGE, UNMAP_VADDR);
	unmap_all();
}

static void unmap_of_almost_all_numbers(void)
{
	setup_p();
	map(PAGE, 1, RW);
	unmap(0, -PAGE);
	map(PAGE, 1, RW);
	unmap(0, 1ULL << 63);
	unmap(1ULL << 63, 1ULL << 63);
}

static void unmap_with_an_answer_that_cannot_be_written(void)
{
	struct vfio_iommu_type1_dma_unmap *call_memory;

	setup_p();
	map(0, 4, RW);
	call_memory = (void *)memory("call", PAGE, MEMORY_TOUCHED,
				     PROT_R | PROT_W);
	call_memory->argsz = sizeof(*call_memory);
	call_memory->size = 4 * PAGE;
	protect(call_memory, PAGE, PROT_R);
	say("unmap = %d", vfio_call(current_container(), VFIO_IOMMU_UNMAP_DMA,
				    (unsigned long)call_memory));
	state();
	unmap(0, 4 * PAGE);
}

static void unmap_after_the_memory_is_gone(void)
{
	setup_p();
	map(0, 4, RW);
	part(buf, 4 * PAGE, MEMORY_HOLE, 0);
	state();
	unmap(0, 4 * PAGE);
}

static void unmap_vaddr_of_nothing(void)
{
	setup_p();
	unmap_argsz(0, PAGE, UNMAP_VADDR, 23);
	unmap_flags(0, 0, UNMAP_VADDR);
	unmap_flags(0, PAGE, UNMAP_VADDR);
	unmap_flags(1, PAGE, UNMAP_VADDR);
	unmap_flags(0, 0, UNMAP_VADDR | UNMAP_ALL);
}

static void mapping_is_made_again_and_again(void)
{
	unsigned int i;

	setup_p();
	for (i = 0; i < 32; i++) {
		map(i * 3 * PAGE, 1 + i % 3, i % 2 ? RW : R);
		if (i % 4 == 3)
			unmap((i - 2) * 3 * PAGE, 6 * PAGE);
	}
	unmap_all();
}

static const struct test_case cases[] = {
	CASE(unmap_needs_its_whole_structure, "100", NEEDS_A | BOTH_TYPES,
	     "argsz too small and too large, bad pointers, unknown flags"),
	CASE(unmap_of_no_or_half_pages, "101 111", NEEDS_A | BOTH_TYPES,
	     "iova or size that is no multiple of a page"),
	CASE(unmap_around_the_end_of_the_numbers, "102", NEEDS_A | BOTH_TYPES,
	     "ranges that wrap around 2^64, or end there"),
	CASE(unmap_of_nothing, "103", NEEDS_A | BOTH_TYPES,
	     "ranges without a mapping"),
	CASE(unmap_all_with_a_range, "104", NEEDS_A | BOTH_TYPES,
	     "UNMAP_ALL with iova or size, and of nothing"),
	CASE(unmap_with_flags_that_exclude_each_other, "105",
	     NEEDS_A | BOTH_TYPES, "the bitmap's flag with the others"),
	CASE(unmap_of_parts_of_a_mapping, "106", NEEDS_A,
	     "ranges that cut a mapping in two"),
	CASE(unmap_vaddr_of_a_part_of_a_mapping, "106", ABOUT_VADDR | NEEDS_A,
	     "the same with VADDR"),
	CASE(unmap_of_several_mappings, "107", NEEDS_A | BOTH_TYPES,
	     "ranges with gaps, and with borders in gaps"),
	CASE(unmap_of_a_range_that_ends_with_the_numbers, "108",
	     NEEDS_A | BOTH_TYPES, "from a mapping to 2^64"),
	CASE(unmap_vaddr_of_a_range_that_ends_with_the_numbers, "108",
	     ABOUT_VADDR | NEEDS_A | BOTH_TYPES, "the same with VADDR, twice"),
	CASE(unmap_of_almost_all_numbers, "109", NEEDS_A | BOTH_TYPES,
	     "from 0 to a page below 2^64, and in two halves as QEMU does"),
	CASE(unmap_with_an_answer_that_cannot_be_written, "110",
	     NEEDS_A | BOTH_TYPES, "the struct is read-only"),
	CASE(unmap_after_the_memory_is_gone, "112", NEEDS_A | BOTH_TYPES,
	     "memory that the process has unmapped"),
	CASE(unmap_vaddr_of_nothing, "113", ABOUT_VADDR | NEEDS_A | BOTH_TYPES,
	     "VADDR without a mapping"),
	CASE(mapping_is_made_again_and_again, "", NEEDS_A | BOTH_TYPES,
	     "small maps and unmaps in turns"),
};

const struct case_group case_group_unmap = CASE_GROUP("unmap", cases);
