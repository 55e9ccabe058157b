// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases_vaddr.c - new addresses for mapped memory (docs/type1.md, 13.7)
 */
#include "calls.h"
#include "case_groups.h"

static void map_vaddr_of_what_is_valid(void)
{
	setup_p();
	map(0, 4, MAP_VADDR);
	map(0, 4, RW);
	map(0, 4, MAP_VADDR);
	map(0, 2, MAP_VADDR);
	map(8 * PAGE, 4, MAP_VADDR);
	unmap_all();
}

static void vaddr_is_taken_away_and_given(void)
{
	uint8_t *other;

	setup_p();
	map(0, 4, RW);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
	map(0, 2, MAP_VADDR);
	map(PAGE, 4, MAP_VADDR);
	map(PAGE, 3, MAP_VADDR);
	map(PAGE, 1, MAP_VADDR);
	map(0, 8, MAP_VADDR);
	map(8 * PAGE, 4, MAP_VADDR);
	map_at(0, 0, buf, MAP_VADDR);
	map_at(0, 4 * PAGE, (void *)1, MAP_VADDR);
	map_at(0, 4 * PAGE, (void *)-PAGE, MAP_VADDR);
	map(0, 1, RW);
	map(8 * PAGE, 1, RW);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
	other = memory("other", 4 * PAGE, MEMORY_TOUCHED, PROT_R | PROT_W);
	map_at(0, 4 * PAGE, other, MAP_VADDR);
	map_at(0, 4 * PAGE, other, MAP_VADDR);
	unmap(0, 4 * PAGE);
	unmap_all();
	/* Of these two mappings, the first one goes. */
	map(0, 4, RW);
	map(4 * PAGE, 1, RW);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
	map(2 * PAGE, 2, MAP_VADDR);
	unmap(0, 4 * PAGE);
	map(2 * PAGE, 2, MAP_VADDR);
	unmap_all();
}

static void groups_wait_for_a_valid_vaddr(void)
{
	setup_p();
	map(0, 4, RW);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
	open_group(B);
	join(B);
	map(0, 4, MAP_VADDR);
	join(B);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
	leave(B);
	join(B);
	unmap(0, 4 * PAGE);
	join(B);
}

static void emulated_groups_wait_for_a_valid_vaddr(void)
{
	setup_p();
	map(0, 4, RW);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
	open_group(E);
	join(E);
	map(0, 4, MAP_VADDR);
	join(E);
}

static void all_vaddrs_are_taken_away(void)
{
	setup_p();
	map(0, 4, RW);
	map(8 * PAGE, 4, RW);
	map(16 * PAGE, 4, RW);
	unmap_flags(0, 0, UNMAP_ALL | UNMAP_VADDR);
	unmap_flags(0, 0, UNMAP_ALL | UNMAP_VADDR);
	map(8 * PAGE, 4, MAP_VADDR);
	unmap_flags(0, 0, UNMAP_ALL | UNMAP_VADDR);
	map(8 * PAGE, 4, MAP_VADDR);
	unmap_flags(8 * PAGE, 4 * PAGE, UNMAP_VADDR);
	unmap_all();
	unmap_flags(0, 0, UNMAP_ALL | UNMAP_VADDR);
}

static void some_vaddrs_cannot_be_taken_away(void)
{
	setup_p();
	map(0, 4, RW);
	map(8 * PAGE, 4, RW);
	unmap_flags(8 * PAGE, 4 * PAGE, UNMAP_VADDR);
	unmap_flags(0, 16 * PAGE, UNMAP_VADDR);
	/* Finds out which of the addresses are valid now. */
	map(0, 4, MAP_VADDR);
	map(8 * PAGE, 4, MAP_VADDR);
	unmap_all();
}

static void unmap_without_a_vaddr(void)
{
	setup_p();
	map(0, 4, RW);
	map(8 * PAGE, 4, RW);
	unmap_flags(0, 16 * PAGE, UNMAP_VADDR);
	unmap(0, 4 * PAGE);
	unmap(8 * PAGE, 4 * PAGE);
	extension(VFIO_UPDATE_VADDR);
	map(0, 4, RW);
}

static void vaddr_stays_with_emulated_devices(void)
{
	setup_m();
	map(0, 4, RW);
	extension(VFIO_UPDATE_VADDR);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
	unmap_flags(1, 4 * PAGE, UNMAP_VADDR);
	unmap_flags(0, 0, UNMAP_VADDR);
	unmap_flags(0, 0, UNMAP_VADDR | UNMAP_ALL);
	map(0, 4, MAP_VADDR);
	close_device(E);
	leave(E);
	extension(VFIO_UPDATE_VADDR);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
}

static void dma_goes_on_without_a_vaddr(void)
{
	setup_p();
	open_device(A);
	map(0x100000, 4, RW);
	fill(buf, 2048, 1);
	unmap_flags(0x100000, 4 * PAGE, UNMAP_VADDR);
	load(A, 0x100000, 2048);
	store(A, 0x101000, 2048);
	peek(buf + PAGE, 2048);
}

static void take_over(void)
{
	map(0, 4, MAP_VADDR);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
}

static void take_over_with_too_little(void)
{
	drop_capability();
	limit(3);
	map(0, 4, MAP_VADDR);
}

static void child_takes_over_with_too_small_a_limit(void)
{
	setup_p();
	map(0, 4, RW);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
	in_child(take_over_with_too_little);
	state();
	map(0, 4, MAP_VADDR);
	unmap_all();
}

static void just_take_over(void)
{
	drop_capability();
	limit(4);
	map(0, 4, MAP_VADDR);
	map(8 * PAGE, 1, RW);
}

static void child_takes_over(void)
{
	setup_p();
	map(0, 4, RW);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
	in_child(just_take_over);
	state();
	unmap(0, 4 * PAGE);
}

static void child_takes_over_and_gives_back(void)
{
	setup_p();
	map(0, 4, RW);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
	in_child(take_over);
	state();
	map(0, 4, MAP_VADDR);
	unmap(0, 4 * PAGE);
}

static void become_a_new_image(void)
{
	exec_part("new-image-takes-over");
}

static void new_image_takes_over(void)
{
	setup_p();
	map(0, 4, RW);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
	in_child(become_a_new_image);
	state();
	unmap_all();
}

static const struct test_case cases[] = {
	CASE(map_vaddr_of_what_is_valid, "123", ABOUT_VADDR | NEEDS_A | BOTH_TYPES,
	     "MAP with VADDR where none is missing"),
	CASE(vaddr_is_taken_away_and_given, "124-127", ABOUT_VADDR | NEEDS_A | BOTH_TYPES,
	     "UNMAP and MAP with VADDR"),
	CASE(groups_wait_for_a_valid_vaddr, "126-127",
	     ABOUT_VADDR | NEEDS_A | NEEDS_B | BOTH_TYPES, "SET_CONTAINER meanwhile"),
	CASE(emulated_groups_wait_for_a_valid_vaddr, "126", ABOUT_VADDR | NEEDS_A | NEEDS_E,
	     "SET_CONTAINER of an emulated group meanwhile"),
	CASE(all_vaddrs_are_taken_away, "128", ABOUT_VADDR | NEEDS_A | BOTH_TYPES,
	     "UNMAP with ALL and VADDR"),
	CASE(some_vaddrs_cannot_be_taken_away, "128", ABOUT_VADDR | NEEDS_A | BOTH_TYPES,
	     "a range in which one is missing already"),
	CASE(unmap_without_a_vaddr, "129", ABOUT_VADDR | NEEDS_A | BOTH_TYPES,
	     "plain UNMAP meanwhile"),
	CASE(vaddr_stays_with_emulated_devices, "130", ABOUT_VADDR | NEEDS_A | NEEDS_E,
	     "UNMAP with VADDR while an emulated group is there"),
	CASE(dma_goes_on_without_a_vaddr, "131", ABOUT_VADDR | NEEDS_A | NEEDS_EDU,
	     "DMA meanwhile"),
	CASE(child_takes_over_with_too_small_a_limit, "132", ABOUT_VADDR | NEEDS_A,
	     "another process may not lock that much"),
	CASE(child_takes_over, "133", ABOUT_VADDR | NEEDS_A,
	     "the charge moves to another process"),
	CASE(child_takes_over_and_gives_back, "", ABOUT_VADDR | NEEDS_A,
	     "the charge moves to another process and back"),
	CASE(new_image_takes_over, "134", ABOUT_VADDR | NEEDS_A,
	     "the charge moves to a program after exec()"),
};

const struct case_group case_group_vaddr = CASE_GROUP("vaddr", cases);
