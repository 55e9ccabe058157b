// SPDX-License-Identifier: GPL-2.0-only
/* cases_unmap_v1.c - where VFIO_TYPE1_IOMMU differs from type1v2 (docs/type1.md, 13.6) */
#include "calls.h"
#include "case_groups.h"

static void map_three(void)
{
	map(4 * PAGE, 4, RW);
	map(8 * PAGE, 4, RW);
	map(16 * PAGE, 4, RW);
}

static void setup_three(void)
{
	setup_groups((enum group[]){ A }, 1, V1);
	map_three();
}

static void v1_unmap_that_begins_inside_a_mapping(void)
{
	setup_three();
	unmap(5 * PAGE, PAGE);
	unmap(5 * PAGE, 20 * PAGE);
	unmap(7 * PAGE, 5 * PAGE);
	unmap(7 * PAGE, 9 * PAGE);
	unmap_all();
}

static void v1_unmap_of_the_first_page_takes_all(void)
{
	setup_three();
	unmap(4 * PAGE, PAGE);
	unmap(0, 17 * PAGE);
	unmap_all();
	map_three();
	unmap(0, 4 * PAGE);
	unmap(3 * PAGE, 2 * PAGE);
	unmap_all();
}

static void v1_unmap_that_ends_inside_a_mapping(void)
{
	setup_three();
	unmap(0, 9 * PAGE);
	unmap(12 * PAGE, 4 * PAGE);
	unmap(12 * PAGE, 5 * PAGE);
}

static void v1_vaddr_follows_the_same_rule(void)
{
	setup_groups((enum group[]){ A }, 1, V1);
	map(4 * PAGE, 4, RW);
	unmap_flags(4 * PAGE, PAGE, UNMAP_VADDR);
	map(4 * PAGE, 4, MAP_VADDR);
	unmap_flags(5 * PAGE, PAGE, UNMAP_VADDR);
	unmap_all();
}

static void v1_has_no_dirty_tracking(void)
{
	setup_three();
	unmap_bitmap(4 * PAGE, 4 * PAGE);
	dirty(DIRTY_START);
	dirty(DIRTY_STOP);
	dirty(0);
	dirty_argsz(0, 0);
	dirty_argsz(DIRTY_START, 7);
	dirty_get(4 * PAGE, 4 * PAGE);
	call(VFIO_IOMMU_DIRTY_PAGES, 8);
	unmap_all();
}

static const struct test_case cases[] = {
	CASE(v1_unmap_that_begins_inside_a_mapping, "114-115", NEEDS_A,
	     "success, and nothing is unmapped"),
	CASE(v1_unmap_of_the_first_page_takes_all, "116-118", NEEDS_A,
	     "whole mappings go, also beyond the range"),
	CASE(v1_unmap_that_ends_inside_a_mapping, "117", NEEDS_A,
	     "the last mapping sticks out"),
	CASE(v1_vaddr_follows_the_same_rule, "119", ABOUT_VADDR | NEEDS_A,
	     "VADDR with type1"),
	CASE(v1_has_no_dirty_tracking, "120-121", ABOUT_DIRTY | NEEDS_A,
	     "bitmaps and DIRTY_PAGES with type1"),
};

const struct case_group case_group_unmap_v1 = CASE_GROUP("unmap_v1", cases);
