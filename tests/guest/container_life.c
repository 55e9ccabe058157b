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

static void container_with_type1v2_offers_the_extensions(void)
{
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	check_common_extensions(rig.container);
	/* QEMU's VT-d does not enforce coherency unless told to. */
	if (access("/sys/class/iommu/dmar0", F_OK) == 0)
		check_eq(extension(rig.container, VFIO_DMA_CC_IOMMU), 0);
	check_eq(extension(rig.container, VFIO_UPDATE_VADDR), 1);
	check_eq(extension(rig.container, 0x100000001UL), 0);
	rig_close(&rig);
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
	TEST(container_without_a_backend_refuses_other_calls, 0),
	TEST(nesting_is_refused, NEEDS_ONE),
	TEST(container_with_type1v2_offers_the_extensions, NEEDS_ONE),
	TEST(backend_tells_who_it_is, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
