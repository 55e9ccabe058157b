// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases_memlock.c - RLIMIT_MEMLOCK and CAP_IPC_LOCK (docs/type1.md, 13.4)
 */
#include "calls.h"
#include "case_groups.h"

static void be_limited(uint64_t npages)
{
	drop_capability();
	limit(npages);
}

static void map_up_to_the_limit(void)
{
	setup_p();
	be_limited(16);
	map(0, 16, RW);
	map(16 * PAGE, 1, RW);
	unmap_all();
	map(0, 17, RW);
	map(0, 17, R);
	map(0, 64, RW);
	map(0, 16, RW);
	unmap_all();
}

static void limit_is_shared_with_mlock(void)
{
	setup_p();
	be_limited(16);
	lock_memory(buf, 8 * PAGE);
	map(0, 9, RW);
	map(0, 8, RW);
	lock_memory(buf + 8 * PAGE, PAGE);
	unmap_all();
	lock_memory(buf + 8 * PAGE, PAGE);
	lock_memory(buf + 9 * PAGE, 7 * PAGE);
	map(0, 1, RW);
}

static void limit_is_lowered(void)
{
	setup_p();
	be_limited(16);
	map(0, 8, RW);
	limit(4);
	map(8 * PAGE, 1, RW);
	unmap(0, 8 * PAGE);
	map(0, 5, RW);
	map(0, 4, RW);
	unmap_all();
}

static void registers_are_not_limited(void)
{
	uint8_t *bar;

	setup_p();
	open_device(A);
	decode_memory(A);
	bar = memory("bar", MIB, MEMORY_BAR, PROT_R | PROT_W);
	be_limited(16);
	map_at(0, MIB, bar, RW);
	map(MIB, 16, RW);
	unmap_all();
}

static void capability_lifts_the_limit(void)
{
	setup_p();
	limit(0);
	map(0, 64, RW);
	unmap_all();
	map(0, 64, RW);
	drop_capability();
	map(64 * PAGE, 1, RW);
	unmap_all();
	map(0, 1, RW);
	limit(16);
	map(0, 16, RW);
	unmap_all();
}

static void limit_in_bytes_is_rounded_down(void)
{
	setup_p();
	be_limited(2);
	map(0, 1, RW);
	map(PAGE, 1, R);
	map(2 * PAGE, 1, R);
	unmap(0, PAGE);
	map(2 * PAGE, 1, R);
	map(0, 1, RW);
	unmap_all();
}

static void emulated_and_limited(void)
{
	setup_e();
	be_limited(4);
	map(0, 64, RW);
}

static void pin_up_to_the_limit(void)
{
	emulated_and_limited();
	pin(E, 0, 4, 3);
	pin(E, 4 * PAGE, 1, 3);
	pin(E, 0, 2, 3);
	callbacks(E);
	unpin(E, 0, 4);
	unpin(E, 0, 2);
	callbacks(E);
}

static void pin_that_fails_gives_back(void)
{
	emulated_and_limited();
	pin(E, 0, 4, 3);
	pin(E, 3 * PAGE, 2, 3);
	callbacks(E);
	unpin(E, 0, 4);
	callbacks(E);
}

static void late_attach_above_the_limit(void)
{
	emulated_and_limited();
	pin(E, 0, 4, 3);
	open_group(A);
	join(A);
	info();
	unpin(E, 0, 1);
	pin(E, 0, 1, 3);
	unmap_all();
	callbacks(E);
}

static void late_attach_charges_held_pages_once(void)
{
	setup_e();
	be_limited(4);
	map(0, 4, RW);
	open_group(A);
	join(A);
	pin(E, 0, 4, 3);
	leave(A);
	unpin(E, 0, 4);
	unmap_all();
}

static void pins_of_a_mixed_container_are_free(void)
{
	setup_m();
	map(0, 4, RW);
	pin(E, 0, 2, 3);
	unmap(0, 4 * PAGE);
	callbacks(E);
}

static void capability_is_remembered(void)
{
	setup_e();
	map(0, 8, RW);
	be_limited(0);
	pin(E, 0, 4, 3);
	map_at(8 * PAGE, 8 * PAGE, buf + 8 * PAGE, RW);
	pin(E, 8 * PAGE, 1, 3);
	open_group(A);
	join(A);
	unmap(8 * PAGE, 8 * PAGE);
	join(A);
	unmap_all();
	callbacks(E);
}

static const struct test_case cases[] = {
	CASE(map_up_to_the_limit, "86", NEEDS_A | BOTH_TYPES,
	     "exactly the limit, and a page more"),
	CASE(limit_is_shared_with_mlock, "87", NEEDS_A | BOTH_TYPES,
	     "mlock() and MAP count together"),
	CASE(limit_is_lowered, "88", NEEDS_A | BOTH_TYPES,
	     "a limit below what is mapped"),
	CASE(registers_are_not_limited, "89", ABOUT_MMIO | NEEDS_A | NEEDS_EDU,
	     "1 MiB of registers under a limit of 64 KiB"),
	CASE(capability_lifts_the_limit, "90", NEEDS_A | BOTH_TYPES,
	     "CAP_IPC_LOCK with a limit of 0, and without it"),
	CASE(limit_in_bytes_is_rounded_down, "", NEEDS_A,
	     "the last page of the limit"),
	CASE(pin_up_to_the_limit, "91", NEEDS_E,
	     "pins of an emulated device count once a page"),
	CASE(pin_that_fails_gives_back, "92", NEEDS_E,
	     "a pin that meets the limit half way"),
	CASE(late_attach_above_the_limit, "93-94", NEEDS_A | NEEDS_E,
	     "a PCI group joins, and the mappings are above the limit"),
	CASE(late_attach_charges_held_pages_once, "95-96", NEEDS_A | NEEDS_E,
	     "a PCI group joins and leaves while pages are pinned"),
	CASE(pins_of_a_mixed_container_are_free, "97", NEEDS_A | NEEDS_E,
	     "pins where mappings are charged already"),
	CASE(capability_is_remembered, "98-99", NEEDS_A | NEEDS_E,
	     "CAP_IPC_LOCK is judged when memory is mapped"),
};

const struct case_group case_group_memlock = CASE_GROUP("memlock", cases);
