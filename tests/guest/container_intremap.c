// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_intremap.c - containers on a machine without interrupt remapping (booted with
 * intremap=off)
 */
#define _GNU_SOURCE
#include "lib.h"
#include "lib_log.h"

#define FALLBACK	"SET_IOMMU may have fallen back to another backend"

static struct rig rig;

/* A container with one group, before VFIO_SET_IOMMU. */
static void open_rig(void)
{
	expect_in_log("cannot attach");
	rig.ngroups = 0;
	rig.container = container_open();
	rig_add_group(&rig);
}

static void group_without_interrupt_remapping_is_refused(void)
{
	require_unsafe_machine();
	open_rig();
	check_eq(set_iommu(rig.container, VFIO_TYPE1v2_IOMMU), -EPERM);
	check_eq(set_iommu(rig.container, VFIO_TYPE1_IOMMU), -EPERM);
	rig_close(&rig);
}

static void parameter_allows_it_at_run_time(void)
{
	require_unsafe_machine();
	open_rig();
	check_eq(set_iommu(rig.container, VFIO_TYPE1v2_IOMMU), -EPERM);
	param_set(backend_module(), UNSAFE, "1");
	check_eq(set_iommu(rig.container, VFIO_TYPE1v2_IOMMU), 0);
	require_backend(rig.container);
	check_eq(group_unset_container(rig.group[0]), 0);
	param_set(backend_module(), UNSAFE, "0");
	check_eq(group_set_container(rig.group[0], rig.container), 0);
	check_eq(set_iommu(rig.container, VFIO_TYPE1_IOMMU), -EPERM);
	rig_close(&rig);
}

static void late_group_is_refused_and_the_container_lives(void)
{
	void *memory = mem_alloc(PAGE);

	require_unsafe_machine();
	open_rig();
	param_set(backend_module(), UNSAFE, "Y");
	check_eq(set_iommu(rig.container, VFIO_TYPE1v2_IOMMU), 0);
	require_backend(rig.container);
	check_eq(dma_map(rig.container, 0, memory, PAGE, RW), 0);
	param_set(backend_module(), UNSAFE, "N");
	rig.group[1] = group_open_wait(1);
	require_true(rig.group[1] >= 0);
	check_eq(group_set_container(rig.group[1], rig.container), -EPERM);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	check_eq(dma_unmap(rig.container, 0, PAGE), PAGE);
	param_set(backend_module(), UNSAFE, "Y");
	check_eq(group_set_container(rig.group[1], rig.container), 0);
	rig.ngroups = 2;
	rig_close(&rig);
	mem_free(memory, PAGE);
}

static void dma_works_without_interrupt_remapping(void)
{
	uint8_t *memory = mem_alloc(2 * PAGE);
	struct edu edu;

	require_unsafe_machine();
	open_rig();
	param_set(backend_module(), UNSAFE, "Y");
	check_eq(set_iommu(rig.container, VFIO_TYPE1v2_IOMMU), 0);
	require_backend(rig.container);
	check_eq(dma_map(rig.container, 0, memory, 2 * PAGE, RW), 0);
	edu_open(&edu, rig.group[0], 0);
	check_copy(&edu, memory, 0, memory + PAGE, PAGE);
	edu_close(&edu);
	check_eq(dma_unmap_all(rig.container), 2 * PAGE);
	rig_close(&rig);
	mem_free(memory, 2 * PAGE);
}

/* vfio.ko tries the next backend during VFIO_SET_IOMMU, and never afterwards. */
static void log_tells_of_a_fallback_only_where_there_is_one(void)
{
	int log = kmsg_open();
	int late;

	require_unsafe_machine();
	open_rig();
	check_eq(set_iommu(rig.container, VFIO_TYPE1v2_IOMMU), -EPERM);
	check_true(log_has(log, FALLBACK));
	param_set(backend_module(), UNSAFE, "Y");
	check_eq(set_iommu(rig.container, VFIO_TYPE1v2_IOMMU), 0);
	param_set(backend_module(), UNSAFE, "N");
	rig.group[1] = group_open_wait(1);
	require_true(rig.group[1] >= 0);
	late = kmsg_open();
	log_has(log, FALLBACK);
	check_eq(group_set_container(rig.group[1], rig.container), -EPERM);
	check_true(log_has(late, "cannot attach: error -1"));
	check_true(!log_has(log, FALLBACK));
	close(late);
	close(log);
	close(rig.group[1]);
	rig_close(&rig);
}

static const struct test tests[] = {
	TEST(group_without_interrupt_remapping_is_refused, NEEDS_ONE),
	TEST(parameter_allows_it_at_run_time, NEEDS_ONE),
	TEST(late_group_is_refused_and_the_container_lives, NEEDS_TWO),
	TEST(dma_works_without_interrupt_remapping, NEEDS_ONE),
	TEST(log_tells_of_a_fallback_only_where_there_is_one, ONLY_IOAS | NEEDS_TWO),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
