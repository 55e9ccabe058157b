// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_life.c - life of containers and groups, as vfio.ko and the backend handle it
 */
#define _GNU_SOURCE
#include "lib.h"

#define UNKNOWN_CALL	_IO(';', 0x99)
#define NESTING		VFIO_TYPE1_NESTING_IOMMU

static int extension(int container, unsigned long number)
{
	return vfio_call(container, VFIO_CHECK_EXTENSION, number);
}

static void fresh_container_reports_api_version_0(void)
{
	int container = container_open();

	check_eq(vfio_call(container, VFIO_GET_API_VERSION, 0), 0);
	close(container);
}

static void check_common_extensions(int container)
{
	static const unsigned long never[] = { 0, 2, 5, 7, 8, 11 };
	int nesting = !kernel_at_least(6, 13);
	size_t i;

	check_eq(extension(container, VFIO_TYPE1_IOMMU), 1);
	check_eq(extension(container, VFIO_TYPE1v2_IOMMU), 1);
	check_eq(extension(container, VFIO_UNMAP_ALL), 1);
	check_eq(extension(container, NESTING), nesting);
	for (i = 0; i < ARRAY_SIZE(never); i++) {
		context("extension %lu", never[i]);
		check_eq(extension(container, never[i]), 0);
	}
	context("%s", "");
}

static void fresh_container_offers_type1_and_type1v2(void)
{
	int container = container_open();

	check_common_extensions(container);
	check_eq(extension(container, VFIO_DMA_CC_IOMMU), 0);
	check_eq(extension(container, VFIO_UPDATE_VADDR), 0);
	close(container);
}

static void extension_number_counts_in_all_its_64_bits(void)
{
	int container = container_open();

	check_eq(extension(container, 0x100000001UL), 0);
	check_eq(extension(container, 0x100000003UL), 0);
	close(container);
}

static void container_without_a_group_cannot_set_an_iommu(void)
{
	int container = container_open();

	check_eq(set_iommu(container, VFIO_TYPE1_IOMMU), -EINVAL);
	check_eq(set_iommu(container, VFIO_TYPE1v2_IOMMU), -EINVAL);
	close(container);
}

static void container_without_a_backend_refuses_other_calls(void)
{
	void *memory = mem_alloc(PAGE);
	int container = container_open();
	struct info info;

	check_eq(dma_map(container, 0, memory, PAGE, RW), -EINVAL);
	check_eq(dma_unmap(container, 0, PAGE), -EINVAL);
	check_eq(info_get(container, &info), -EINVAL);
	check_eq(vfio_call(container, UNKNOWN_CALL, 0), -EINVAL);
	check_eq(served_by_ioas(container), -EINVAL);
	close(container);
	mem_free(memory, PAGE);
}

static void group_opens_only_once(void)
{
	int group = group_open(0);

	require_true(group >= 0);
	check_eq(group_open(0), -EBUSY);
	close(group);
	group = group_open_wait(0);
	check_true(group >= 0);
	close(group);
}

static void group_in_no_container_cannot_leave_one(void)
{
	int group = group_open(0);

	check_eq(group_unset_container(group), -EINVAL);
	close(group);
}

static void group_joins_nothing_but_a_container(void)
{
	int group = group_open(0);
	int nothing = open_fd("/dev/null");
	int expected = kernel_at_least(6, 2) ? -EBADFD : -EINVAL;

	check_eq(group_set_container(group, 999), -EBADF);
	check_eq(vfio_call(group, VFIO_GROUP_SET_CONTAINER, 8), -EFAULT);
	check_eq(group_set_container(group, nothing), expected);
	close(nothing);
	close(group);
}

static void device_needs_a_container_with_an_iommu(void)
{
	int container = container_open();
	int group = group_open(0);
	const char *address = device_nr(0)->address;

	check_eq(group_get_device(group, address), -EINVAL);
	check_eq(group_set_container(group, container), 0);
	check_eq(group_get_device(group, address), -EINVAL);
	close(group);
	close(container);
}

static void group_joins_only_one_container(void)
{
	int container = container_open();
	int other = container_open();
	int group = group_open(0);

	check_eq(group_set_container(group, container), 0);
	check_eq(group_set_container(group, container), -EINVAL);
	check_eq(group_set_container(group, other), -EINVAL);
	close(group);
	close(other);
	close(container);
}

static void group_alone_does_not_make_mapping_possible(void)
{
	void *memory = mem_alloc(PAGE);
	int container = container_open();
	int group = group_open(0);

	check_eq(group_set_container(group, container), 0);
	check_eq(dma_map(container, 0, memory, PAGE, RW), -EINVAL);
	close(group);
	close(container);
	mem_free(memory, PAGE);
}

static void iommu_types_nobody_offers_are_refused_without_harm(void)
{
	static const unsigned long unknown[] = { 2, 8, 4, 10 };
	struct rig rig = { .container = container_open() };
	size_t i;

	rig_add_group(&rig);
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		context("type %lu", unknown[i]);
		check_eq(set_iommu(rig.container, unknown[i]), -ENODEV);
	}
	context("%s", "");
	check_eq(set_iommu(rig.container, VFIO_UNMAP_ALL), -EINVAL);
	check_eq(set_iommu(rig.container, VFIO_TYPE1v2_IOMMU), 0);
	require_backend(rig.container);
	rig_close(&rig);
}

static void nesting_is_refused(void)
{
	struct rig rig = { .container = container_open() };
	int expected = kernel_at_least(6, 13) ? -ENODEV : -EINVAL;

	expect_in_log("cannot attach");
	rig_add_group(&rig);
	check_eq(set_iommu(rig.container, NESTING), expected);
	check_eq(set_iommu(rig.container, VFIO_TYPE1_IOMMU), 0);
	require_backend(rig.container);
	rig_close(&rig);
}

static void iommu_is_set_only_once(void)
{
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	check_eq(set_iommu(rig.container, VFIO_TYPE1v2_IOMMU), -EINVAL);
	check_eq(set_iommu(rig.container, VFIO_TYPE1_IOMMU), -EINVAL);
	rig_close(&rig);
}

static void extensions_of_a(unsigned long type)
{
	struct rig rig;

	rig_open(&rig, type, 1);
	check_common_extensions(rig.container);
	/* QEMU's VT-d does not enforce coherency unless told to. */
	if (access("/sys/class/iommu/dmar0", F_OK) == 0)
		check_eq(extension(rig.container, VFIO_DMA_CC_IOMMU), 0);
	check_eq(extension(rig.container, VFIO_UPDATE_VADDR), 1);
	check_eq(extension(rig.container, 0x100000001UL), 0);
	rig_close(&rig);
}

static void container_with_type1v2_offers_the_extensions(void)
{
	extensions_of_a(VFIO_TYPE1v2_IOMMU);
}

static void container_with_type1_offers_the_extensions(void)
{
	extensions_of_a(VFIO_TYPE1_IOMMU);
}

static void unknown_and_spapr_calls_are_refused(void)
{
	static const unsigned long unknown[] = {
		UNKNOWN_CALL, VFIO_IOMMU_ENABLE, VFIO_IOMMU_DISABLE,
		VFIO_EEH_PE_OP
	};
	struct rig rig;
	size_t i;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		context("call 0x%lx", unknown[i]);
		check_eq(vfio_call(rig.container, unknown[i], 0), -ENOTTY);
	}
	context("%s", "");
	rig_close(&rig);
}

static void device_of_another_name_is_not_found(void)
{
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	check_eq(group_get_device(rig.group[0], "nope"), -ENODEV);
	rig_close(&rig);
}

static void group_comes_and_goes_while_a_mapping_lives(void)
{
	void *memory = mem_alloc(PAGE);
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	check_eq(dma_map(rig.container, 0, memory, PAGE, RW), 0);
	rig_add_group(&rig);
	check_eq(group_unset_container(rig.group[0]), 0);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	check_eq(dma_unmap(rig.container, 0, PAGE), PAGE);
	check_eq(group_set_container(rig.group[0], rig.container), 0);
	rig_close(&rig);
	mem_free(memory, PAGE);
}

static void last_group_takes_mappings_and_backend_along(void)
{
	void *memory = mem_alloc(PAGE);
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	check_eq(dma_map(rig.container, 0, memory, PAGE, RW), 0);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	check_eq(group_unset_container(rig.group[0]), 0);
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_map(rig.container, 0, memory, PAGE, RW), -EINVAL);
	check_eq(set_iommu(rig.container, VFIO_TYPE1v2_IOMMU), -EINVAL);
	/* The container starts anew, here with another type. */
	check_eq(group_set_container(rig.group[0], rig.container), 0);
	check_eq(set_iommu(rig.container, VFIO_TYPE1_IOMMU), 0);
	require_backend(rig.container);
	check_eq(dma_unmap(rig.container, 0, PAGE), 0);
	rig_close(&rig);
	mem_free(memory, PAGE);
}

static void group_with_an_open_device_stays_in_its_container(void)
{
	const char *address = device_nr(0)->address;
	struct rig rig;
	int first;
	int second;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	first = group_get_device(rig.group[0], address);
	check_true(first >= 0);
	check_eq(group_unset_container(rig.group[0]), -EBUSY);
	second = group_get_device(rig.group[0], address);
	check_true(second >= 0);
	close(first);
	check_eq(group_unset_container(rig.group[0]), -EBUSY);
	close(second);
	rig_close(&rig);
}

static void open_device_keeps_everything_alive(void)
{
	void *memory = mem_alloc(PAGE);
	struct rig rig;
	int device;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	device = group_get_device(rig.group[0], device_nr(0)->address);
	check_true(device >= 0);
	close(rig.group[0]);
	check_eq(group_open(0), -EBUSY);
	check_eq(dma_map(rig.container, 0, memory, PAGE, RW), 0);
	close(rig.container);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	close(device);
	check_eq(vm_lck_kib(0), 0);
	rig.group[0] = group_open_wait(0);
	check_true(rig.group[0] >= 0);
	close(rig.group[0]);
	mem_free(memory, PAGE);
}

static void group_status_tells_viable_and_container(void)
{
	int viable = VFIO_GROUP_FLAGS_VIABLE;
	int in_container = viable | VFIO_GROUP_FLAGS_CONTAINER_SET;
	int container = container_open();
	int group = group_open(0);

	check_eq(group_status(group), viable);
	check_eq(group_set_container(group, container), 0);
	check_eq(group_status(group), in_container);
	close(container);
	check_eq(group_status(group), in_container);
	check_eq(group_unset_container(group), 0);
	check_eq(group_status(group), viable);
	close(group);
}

static void group_status_needs_room(void)
{
	struct vfio_group_status status = { .argsz = 7 };
	int group = group_open(0);

	check_eq(vfio_call(group, VFIO_GROUP_GET_STATUS,
			   (unsigned long)&status), -EINVAL);
	close(group);
}

static void map_and_die(void *unused)
{
	void *memory = mem_alloc(64 * PAGE);
	struct rig rig;

	(void)unused;
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	check_eq(dma_map(rig.container, 0, memory, 64 * PAGE, RW), 0);
}

static void twenty_processes_exit_without_closing_anything(void)
{
	int nprocesses = scaled(20, 5);
	int group;
	int i;

	for (i = 0; i < nprocesses; i++) {
		context("process %d", i);
		join(spawn(map_and_die, NULL));
	}
	group = group_open_wait(0);
	check_true(group >= 0);
	close(group);
}

static void backend_tells_who_it_is(void)
{
	struct rig rig;
	struct rig again;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	check_eq(served_by_ioas(rig.container), backend_is_ioas());
	check_true(module_refcnt(backend_module()) > 0);
	rig_close(&rig);
	rig_open(&again, VFIO_TYPE1_IOMMU, 1);
	check_eq(served_by_ioas(again.container), backend_is_ioas());
	rig_close(&again);
}

static const struct test tests[] = {
	TEST(fresh_container_reports_api_version_0, 0),
	TEST(fresh_container_offers_type1_and_type1v2, 0),
	TEST(extension_number_counts_in_all_its_64_bits, 0),
	TEST(container_without_a_group_cannot_set_an_iommu, 0),
	TEST(container_without_a_backend_refuses_other_calls, 0),
	TEST(group_opens_only_once, NEEDS_ONE),
	TEST(group_in_no_container_cannot_leave_one, NEEDS_ONE),
	TEST(group_joins_nothing_but_a_container, NEEDS_ONE),
	TEST(device_needs_a_container_with_an_iommu, NEEDS_ONE),
	TEST(group_joins_only_one_container, NEEDS_ONE),
	TEST(group_alone_does_not_make_mapping_possible, NEEDS_ONE),
	TEST(iommu_types_nobody_offers_are_refused_without_harm, NEEDS_ONE),
	TEST(nesting_is_refused, NEEDS_ONE),
	TEST(iommu_is_set_only_once, NEEDS_ONE),
	TEST(container_with_type1v2_offers_the_extensions, NEEDS_ONE),
	TEST(container_with_type1_offers_the_extensions, NEEDS_ONE),
	TEST(unknown_and_spapr_calls_are_refused, NEEDS_ONE),
	TEST(device_of_another_name_is_not_found, NEEDS_ONE),
	TEST(group_comes_and_goes_while_a_mapping_lives, NEEDS_TWO),
	TEST(last_group_takes_mappings_and_backend_along, NEEDS_ONE),
	TEST(group_with_an_open_device_stays_in_its_container, NEEDS_ONE),
	TEST(open_device_keeps_everything_alive, NEEDS_ONE),
	TEST(group_status_tells_viable_and_container, NEEDS_ONE),
	TEST(group_status_needs_room, NEEDS_ONE),
	TEST(twenty_processes_exit_without_closing_anything, NEEDS_ONE),
	TEST(backend_tells_who_it_is, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
