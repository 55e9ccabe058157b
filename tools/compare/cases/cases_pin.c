// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases_pin.c - pages pinned by emulated devices (docs/type1.md, 13.10)
 */
#include "calls.h"
#include "case_groups.h"

static void pin_of_nothing(void)
{
	setup_e();
	pin(E, 0, 1, 3);
	map(0, 1, RW);
	pin(E, PAGE, 1, 3);
	pin(E, 0, 1, 3);
}

static void pin_with_all_permissions(void)
{
	setup_e();
	map(0, 4, R);
	pin(E, 0, 1, 3);
	pin(E, 0, 1, 2);
	pin(E, 0, 1, 1);
	pin(E, PAGE, 1, 0);
	pin(E, 2 * PAGE, 1, 8);
	callbacks(E);
	map(8 * PAGE, 4, W);
	pin(E, 8 * PAGE, 1, 1);
	pin(E, 8 * PAGE, 1, 2);
}

static void pin_across_mappings(void)
{
	setup_e();
	map(0, 2, RW);
	map_at(2 * PAGE, 2 * PAGE, buf + 8 * PAGE, RW);
	pin(E, 0, 4, 3);
	callbacks(E);
	unpin(E, 0, 4);
	callbacks(E);
}

static void pin_of_missing_memory(void)
{
	setup_e();
	part(buf + 2 * PAGE, PAGE, MEMORY_HOLE, 0);
	map(0, 4, RW);
	pin(E, 0, 4, 3);
	pin(E, PAGE, 2, 3);
	pin(E, 2 * PAGE, 1, 3);
	pin(E, 3 * PAGE, 4, 3);
	pin(E, 3 * PAGE, 1, 3);
	callbacks(E);
}

static void pin_of_no_or_too_many_pages(void)
{
	setup_e();
	map_at(0, 1024 * PAGE, buf, RW);
	pin(E, 0, 513, 3);
	pin(E, 0, -1, 3);
	pin(E, 0, 0, 3);
	pin(E, 0, 64, 3);
	callbacks(E);
}

static void pin_around_the_end_of_the_numbers(void)
{
	setup_e();
	pin(E, -PAGE, 2, 3);
	pin(E, -PAGE, 1, 3);
}

static void v1_has_no_pins(void)
{
	setup_groups((enum group[]){ E }, 1, V1);
	map(0, 4, RW);
	pin(E, 0, 1, 3);
	callbacks(E);
}

static void page_is_pinned_twice(void)
{
	setup_e();
	map(0, 4, RW);
	pin(E, 0, 1, 3);
	pin(E, 0, 1, 3);
	unpin(E, 0, 1);
	state();
	unpin(E, 0, 1);
	state();
}

static void unpin_of_what_is_not_pinned(void)
{
	setup_e();
	map(0, 4, RW);
	pin(E, 0, 1, 3);
	unpin(E, PAGE, 1);
	unpin(E, 0, 2);
	state();
}

static void pin_by_a_device_without_callback(void)
{
	setup_groups((enum group[]){ MUTE }, 1, V2);
	map(0, 4, RW);
	pin(MUTE, 0, 1, 3);
	rw(MUTE, 0, 8, RW_WRITE);
	rw(MUTE, 0, 8, 0);
	unmap_all();
}

static void callback_for_each_pinned_mapping(void)
{
	setup_e();
	map(0, 4, RW);
	map(4 * PAGE, 4, RW);
	map(8 * PAGE, 4, RW);
	pin(E, PAGE, 1, 3);
	pin(E, 9 * PAGE, 2, 3);
	unmap(0, 12 * PAGE);
	callbacks(E);
}

static void device_ignores_some_callbacks(void)
{
	setup_e();
	map(0, 4, RW);
	pin(E, 0, 2, 3);
	behave(E, 3, 0);
	unmap(0, 4 * PAGE);
	callbacks(E);
	map(0, 4, RW);
	pin(E, 0, 2, 3);
	behave(E, 10, 0);
	unmap(0, 4 * PAGE);
	callbacks(E);
}

static void all_devices_are_called_back(void)
{
	setup_groups((enum group[]){ E, F }, 2, V2);
	map(0, 4, RW);
	pin(E, 0, 1, 3);
	unmap(0, 4 * PAGE);
	callbacks(E);
	callbacks(F);
	map(0, 4, RW);
	pin(E, 0, 1, 3);
	pin(F, 0, 1, 3);
	pin(F, 2 * PAGE, 1, 3);
	unmap(0, 4 * PAGE);
	callbacks(E);
	callbacks(F);
}

static void no_pin_no_callback(void)
{
	setup_e();
	map(0, 4, RW);
	pin(E, 0, 1, 3);
	unpin(E, 0, 1);
	unmap(0, 4 * PAGE);
	callbacks(E);
}

static void one_of_two_devices_goes(void)
{
	setup_groups((enum group[]){ E, F }, 2, V2);
	map(0, 4, RW);
	pin(E, 0, 1, 3);
	pin(F, PAGE, 1, 3);
	close_device(E);
	leave(E);
	state();
	unmap(0, 4 * PAGE);
	callbacks(F);
}

static void vaddr_calls_nobody_back(void)
{
	setup_e();
	map(0, 4, RW);
	pin(E, 0, 1, 3);
	unmap_flags(0, 4 * PAGE, UNMAP_VADDR);
	callbacks(E);
}

static void real_group_leaves_pinned_pages(void)
{
	setup_m();
	map(0, 8, RW);
	pin(E, 0, 2, 3);
	leave(A);
	callbacks(E);
	unpin(E, 0, 1);
	state();
	join(A);
	unmap_all();
	callbacks(E);
}

static void pin_one(void)
{
	pin(E, 0, 1, 3);
}

static void child_pins_the_parents_memory(void)
{
	setup_e();
	map(0, 4, RW);
	in_child(pin_one);
	state();
	unpin(E, 0, 1);
	state();
}

static void map_and_pin_one(void)
{
	map(0, 4, RW);
	pin(E, 0, 1, 3);
}

static void mapping_of_a_dead_child(void)
{
	setup_e();
	in_child(map_and_pin_one);
	pin(E, 0, 1, 3);
	pin(E, PAGE, 1, 3);
	unpin(E, 0, 1);
	unpin(E, 0, 1);
	pin(E, 0, 1, 3);
	unmap(0, 4 * PAGE);
}

static void device_is_closed_with_pins(void)
{
	setup_e();
	map(0, 4, RW);
	pin(E, 0, 2, 3);
	close_device(E);
	state();
	unmap(0, 4 * PAGE);
}

static const struct test_case cases[] = {
	CASE(pin_of_nothing, "164", NEEDS_E, "a pin without a mapping"),
	CASE(pin_with_all_permissions, "165", NEEDS_E,
	     "permissions that the mapping has or lacks"),
	CASE(pin_across_mappings, "166", NEEDS_E, "pages of two mappings"),
	CASE(pin_of_missing_memory, "167", NEEDS_E,
	     "memory that is not there, and the end of the mapping"),
	CASE(pin_of_no_or_too_many_pages, "168", NEEDS_E,
	     "numbers of pages that are refused"),
	CASE(pin_around_the_end_of_the_numbers, "169", NEEDS_E,
	     "pages around 2^64"),
	CASE(v1_has_no_pins, "170", NEEDS_E, "a pin with type1"),
	CASE(page_is_pinned_twice, "171", NEEDS_E,
	     "the charge of a page that is pinned twice"),
	CASE(unpin_of_what_is_not_pinned, "172", NEEDS_E,
	     "pages that are mapped, and not pinned"),
	CASE(pin_by_a_device_without_callback, "173", NEEDS_MUTE,
	     "a device whose driver has no dma_unmap()"),
	CASE(callback_for_each_pinned_mapping, "174", NEEDS_E,
	     "which callbacks an UNMAP makes, with what range"),
	CASE(device_ignores_some_callbacks, "175", NEEDS_E,
	     "a device that answers the fourth or the eleventh callback"),
	CASE(all_devices_are_called_back, "176", NEEDS_E | NEEDS_F,
	     "callbacks with two devices"),
	CASE(no_pin_no_callback, "177", NEEDS_E,
	     "UNMAP of what is not pinned any more"),
	CASE(one_of_two_devices_goes, "178", NEEDS_E | NEEDS_F,
	     "the group of one of two devices leaves"),
	CASE(vaddr_calls_nobody_back, "179", NEEDS_E, "UNMAP with VADDR"),
	CASE(real_group_leaves_pinned_pages, "180", NEEDS_A | NEEDS_E,
	     "the charge that stays when the PCI group leaves"),
	CASE(child_pins_the_parents_memory, "181", NEEDS_E,
	     "who is charged for a pin"),
	CASE(mapping_of_a_dead_child, "182", NEEDS_E,
	     "pins of memory whose process is gone"),
	CASE(device_is_closed_with_pins, "183", NEEDS_E,
	     "the driver gives back what it holds"),
};

const struct case_group case_group_pin = CASE_GROUP("pin", cases);
