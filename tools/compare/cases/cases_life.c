// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases_life.c - containers and groups, from open to close (docs/type1.md, 13.1)
 */
#include "calls.h"
#include "case_groups.h"
#include "compare/op/memory.h"
#include "compare/op/modules.h"
#include "compare/op/setup.h"
#include "compare/op/transcript.h"
#include "lib/text.h"

#include <sys/wait.h>

#define UNKNOWN_CALL	0x3b99
#define ENABLE_CALL	0x3b73
#define DISABLE_CALL	0x3b74
#define NEVER_MIND	8	/* a pointer to nothing */

static void group_is_set(enum group group)
{
	setup_c();
	open_group(group);
	join(group);
}

static void all_extensions(void)
{
	unsigned int i;

	for (i = 0; i <= 12; i++)
		if (i != VFIO_UPDATE_VADDR || !setup.without_vaddr)
			extension(i);
}

static void api_version_is_asked(void)
{
	setup_c();
	api_version();
}

static void extensions_of_a_fresh_container(void)
{
	setup_c();
	all_extensions();
}

static void extension_numbers_are_compared_in_full(void)
{
	setup_c();
	extension(0x100000001);
	extension(0x100000003);
	extension(UINT64_MAX);
}

static void set_iommu_without_a_group(void)
{
	setup_c();
	set_iommu(V1);
	set_iommu(V2);
	set_iommu(6);
}

static void calls_without_a_backend(void)
{
	setup_c();
	map(0, 1, RW);
	unmap(0, PAGE);
	unmap_all();
	info();
	dirty(DIRTY_START);
	call(UNKNOWN_CALL, 0);
	call(ENABLE_CALL, 0);
}

static void group_is_opened_once(void)
{
	open_group(A);
	open_group(A);
	close_group(A);
	open_group(A);
}

static void group_leaves_what_it_is_not_in(void)
{
	open_group(A);
	leave(A);
}

static void group_joins_what_is_no_container(void)
{
	setup_c();
	open_group(A);
	join_fd(A, FD_CLOSED);
	join_fd(A, FD_POINTER);
	join_fd(A, FD_NULL);
	join(A);
	join_fd(A, FD_CLOSED);
}

static void device_before_the_backend(void)
{
	setup_c();
	open_group(A);
	open_device(A);
	join(A);
	open_device(A);
	set_iommu(V2);
	open_device(A);
}

static void group_joins_twice(void)
{
	setup_c();
	open_container(1);
	use_container(0);
	open_group(A);
	join(A);
	join(A);
	join_fd(A, FD_OTHER);
	set_iommu(V2);
	join(A);
	join_fd(A, FD_OTHER);
}

static void calls_before_set_iommu(void)
{
	group_is_set(A);
	map(0, 1, RW);
	unmap(0, PAGE);
	info();
	all_extensions();
}

static void set_iommu_to_types_of_nobody(void)
{
	group_is_set(A);
	set_iommu(2);
	set_iommu(8);
	set_iommu(4);
	set_iommu(10);
	set_iommu(9);
	set_iommu(0);
	set_iommu(0x100000003);
	set_iommu(V2);
	map(0, 1, RW);
	unmap_all();
}

static void set_iommu_to_nesting(void)
{
	group_is_set(A);
	set_iommu(6);
	state();
	set_iommu(V2);
	map(0, 1, RW);
}

static void set_iommu_twice(void)
{
	setup_p();
	set_iommu(V2);
	set_iommu(V1);
	set_iommu(6);
	set_iommu(99);
	map(0, 1, RW);
}

static void extensions_of_a_container(void)
{
	setup_p();
	all_extensions();
	extension(0x100000001);
	extension(0x100000009);
}

static void unknown_calls(void)
{
	setup_p();
	call(UNKNOWN_CALL, 0);
	call(UNKNOWN_CALL, NEVER_MIND);
	call(ENABLE_CALL, 0);
	call(DISABLE_CALL, 0);
	call(0x3b76, 0);
	call(0x3b77, 0);
	call(0x3b78, 0);
	call(VFIO_EEH_PE_OP, 0);
	call(0x3b67, 0);
	call(0, 0);
	api_version();
}

static void device_of_an_unknown_name(void)
{
	setup_p();
	open_unknown_device(A);
	open_device(A);
}

static void one_group_comes_and_one_goes(void)
{
	setup_p();
	map(0, 1, RW);
	open_group(B);
	join(B);
	info();
	leave(A);
	info();
	unmap(0, PAGE);
	join(A);
}

static void last_group_takes_the_mappings_along(void)
{
	setup_p();
	map(0, 1, RW);
	leave(A);
	map(0, 1, RW);
	info();
	set_iommu(V2);
	join(A);
	set_iommu(V1);
	unmap(0, PAGE);
	info();
	map(0, 1, RW);
	unmap(0, PAGE);
}

static void group_with_an_open_device_does_not_leave(void)
{
	setup_p();
	open_device(A);
	leave(A);
	open_device_again(A);
	close_device(A);
	leave(A);
	close_device_again(A);
	leave(A);
}

static void device_outlives_group_and_container(void)
{
	setup_p();
	open_device(A);
	close_group(A);
	open_group(A);
	map(0, 4, RW);
	close_container(0);
	state();
	close_device(A);
	state();
	open_group(A);
	open_container(0);
	join(A);
	set_iommu(V2);
}

static void status_of_a_group(void)
{
	setup_c();
	open_group(A);
	status(A, 8);
	join(A);
	status(A, 8);
	set_iommu(V2);
	status(A, 8);
	close_container(0);
	status(A, 8);
	leave(A);
	status(A, 8);
	open_container(0);
	join(A);
	close_container(0);
	status(A, 8);
	leave(A);
	status(A, 8);
}

static void status_needs_its_whole_structure(void)
{
	open_group(A);
	status(A, 7);
	status(A, 0);
	status(A, 100);
}

static void emulated_group_moves_to_another_container(void)
{
	setup_m();
	open_container(1);
	use_container(0);
	join_fd(A, FD_OTHER);
	close_device(E);
	leave(E);
	use_container(1);
	join(E);
	set_iommu(V1);
	info();
	use_container(0);
	map(0, 1, RW);
	unmap_all();
}

static void emulated_and_real_group_in_any_order(void)
{
	setup_groups((enum group[]){ E, A }, 2, setup.type);
	info();
	setup_close();
	setup_groups((enum group[]){ A, E }, 2, setup.type);
	info();
}

static void write_sysfs(const char *file, const char *line)
{
	say("%s %s", file, write_line(file, line) ? "failed" : "written");
}

static void driver_is_unbound_under_the_container(void)
{
	char again[128];

	setup_p();
	map(0, 4, RW);
	write_sysfs("/sys/bus/pci/drivers/vfio-pci/unbind", devices[A].name);
	state();
	map(0, 4, RW);
	status(A, 8);
	join(A);
	leave(A);
	close_group(A);
	snprintf(again, sizeof(again), "%s", devices[A].name);
	write_sysfs("/sys/bus/pci/drivers/vfio-pci/bind", again);
	close_container(0);
	open_container(0);
	open_group(A);
	join(A);
	set_iommu(V2);
	map(0, 4, RW);
}

static void setup_and_map_many(void)
{
	setup_p();
	map(0, 64, RW);
}

static void twenty_processes_that_just_end(void)
{
	unsigned int i;

	for (i = 0; i < 20; i++)
		in_child(setup_and_map_many);
	setup_p();
	info();
}

static void group_shared_with_a_host_driver(void)
{
	setup_c();
	open_group(A);
	status(A, 8);
	join(A);
	set_iommu(V2);
}

static void container_without_interrupt_remapping(void)
{
	group_is_set(A);
	set_iommu(V2);
	param_set(setup.backend, "allow_unsafe_interrupts", "1");
	set_iommu(V2);
	map(0, 4, RW);
	leave(A);
	param_set(setup.backend, "allow_unsafe_interrupts", "0");
	join(A);
	set_iommu(V1);
}

static void late_group_without_interrupt_remapping(void)
{
	setup_e();
	map(0, 4, RW);
	open_group(A);
	join(A);
	open_device(A);
	unmap(0, 4 * PAGE);
	map(0, 4, RW);
}

/* Without a group of that kind nothing else can be tested. */
static void noiommu_container(void)
{
	setup_c();
	extension(VFIO_NOIOMMU_IOMMU);
	extension(V2);
}

static void failing_attach_falls_through_to_stock(void)
{
	setup_c();
	open_group(A);
	join(A);
	/* Both backends claim nesting, and refuse it. */
	set_iommu(6);
	set_iommu(V2);
	say("served by %s", who_serves(current_container()) == (int)setup.backend ?
	    "the right one" : "the other");
}

static void attach_of_the_third_group_fails(void)
{
	setup_c();
	map_at(0, PAGE, buf, RW);
	open_group(A);
	join(A);
	open_group(B);
	join(B);
	open_group(E);
	join(E);
	set_iommu(6);
	info();
	set_iommu(V2);
	info();
	map(0, 4, RW);
	unmap_all();
}

/* Our open node counts as a user, so only the difference is printed. */
static void closing_the_container_releases_nothing(void)
{
	long before;

	setup_p();
	map(0, 4, RW);
	before = module_users(setup.backend);
	leave(A);
	say("users less without groups: %ld",
	    before - module_users(setup.backend));
	join(A);
	set_iommu(V2);
	map(0, 4, RW);
	close_container(0);
	state();
	close_group(A);
	state();
}

static void pin_while_the_device_is_opened(void)
{
	setup_c();
	open_group(E);
	join(E);
	set_iommu(V2);
	map(0, 4, RW);
	open_device(E);
	callbacks(E);
}

static const struct test_case cases[] = {
	CASE(api_version_is_asked, "1", 0, "GET_API_VERSION"),
	CASE(extensions_of_a_fresh_container, "2", 0,
	     "CHECK_EXTENSION 0 to 12 before there is a backend"),
	CASE(extension_numbers_are_compared_in_full, "3", 0,
	     "CHECK_EXTENSION of numbers that have high bits"),
	CASE(set_iommu_without_a_group, "4", 0, "SET_IOMMU on an empty container"),
	CASE(calls_without_a_backend, "5", 0,
	     "MAP and others, known and unknown, on an empty container"),
	CASE(group_is_opened_once, "6", NEEDS_A, "a group that is open is opened"),
	CASE(group_leaves_what_it_is_not_in, "7", NEEDS_A,
	     "UNSET_CONTAINER without SET_CONTAINER"),
	CASE(group_joins_what_is_no_container, "8", NEEDS_A,
	     "SET_CONTAINER with bad pointers and descriptors"),
	CASE(device_before_the_backend, "9", NEEDS_A,
	     "GET_DEVICE_FD before SET_CONTAINER and SET_IOMMU"),
	CASE(group_joins_twice, "10", NEEDS_A,
	     "SET_CONTAINER twice, with the same and with another container"),
	CASE(calls_before_set_iommu, "11", NEEDS_A,
	     "MAP and others with a group, but before SET_IOMMU"),
	CASE(set_iommu_to_types_of_nobody, "12", NEEDS_A,
	     "SET_IOMMU with types that are not type1's, then with one that is"),
	CASE(set_iommu_to_nesting, "13", NEEDS_A,
	     "SET_IOMMU with nesting, then without"),
	CASE(set_iommu_twice, "14", NEEDS_A | BOTH_TYPES,
	     "SET_IOMMU on a container that has a backend"),
	CASE(extensions_of_a_container, "15 122", NEEDS_A | BOTH_TYPES,
	     "CHECK_EXTENSION 0 to 12 with a PCI device"),
	CASE(unknown_calls, "16", NEEDS_A | BOTH_TYPES,
	     "ioctls that type1 does not have"),
	CASE(device_of_an_unknown_name, "17", NEEDS_A,
	     "GET_DEVICE_FD with a name that nothing has"),
	CASE(one_group_comes_and_one_goes, "18", NEEDS_A | NEEDS_B | BOTH_TYPES,
	     "mappings stay while groups change"),
	CASE(last_group_takes_the_mappings_along, "19-20", NEEDS_A,
	     "the last group leaves, and comes back with another type"),
	CASE(group_with_an_open_device_does_not_leave, "21", NEEDS_A,
	     "UNSET_CONTAINER while a device is open, also twice"),
	CASE(device_outlives_group_and_container, "22", NEEDS_A,
	     "group and container are closed, then the device"),
	CASE(status_of_a_group, "23", NEEDS_A,
	     "GROUP_GET_STATUS from open to UNSET_CONTAINER"),
	CASE(status_needs_its_whole_structure, "24", NEEDS_A,
	     "GROUP_GET_STATUS with other sizes"),
	CASE(emulated_group_moves_to_another_container, "25", NEEDS_A | NEEDS_E,
	     "an emulated group leaves a mixed container and joins another"),
	CASE(emulated_and_real_group_in_any_order, "26",
	     NEEDS_A | NEEDS_E | BOTH_TYPES,
	     "emulated group first, or PCI group first"),
	CASE(driver_is_unbound_under_the_container, "27", NEEDS_A | INTRUSIVE,
	     "vfio-pci lets go of the device of a container in use"),
	CASE(twenty_processes_that_just_end, "28", NEEDS_A,
	     "processes that end with mappings, one after the other"),
	CASE(group_shared_with_a_host_driver, "29", NEEDS_A | NEEDS_SIBLING,
	     "a group of which another device is in use by the host"),
	CASE(container_without_interrupt_remapping, "30",
	     NEEDS_A | NEEDS_NO_REMAP | NEEDS_ALONE | INTRUSIVE,
	     "SET_IOMMU with and without allow_unsafe_interrupts"),
	CASE(late_group_without_interrupt_remapping, "31",
	     NEEDS_A | NEEDS_E | NEEDS_NO_REMAP,
	     "an unsafe group joins an emulated container"),
	CASE(noiommu_container, "32-33", NEEDS_NOIOMMU,
	     "CHECK_EXTENSION where there is a device without an IOMMU"),
	CASE(failing_attach_falls_through_to_stock, "34", NEEDS_A | NEEDS_BOTH,
	     "SET_IOMMU that one backend refuses is tried on the next"),
	CASE(attach_of_the_third_group_fails, "35",
	     NEEDS_A | NEEDS_B | NEEDS_E | NEEDS_ALONE,
	     "SET_IOMMU with three groups fails, then works"),
	CASE(closing_the_container_releases_nothing, "36", NEEDS_A,
	     "charge and module references when container and group are closed"),
	CASE(pin_while_the_device_is_opened, "37", NEEDS_E,
	     "vfio_pin_pages() inside open_device()"),
};

const struct case_group case_group_life = CASE_GROUP("life", cases);
