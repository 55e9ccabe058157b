// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_vaddr.c - mappings that get a new user address
 */
#define _GNU_SOURCE
#include "lib_family.h"

#define VADDR	VFIO_DMA_UNMAP_FLAG_VADDR
#define ALL	VFIO_DMA_UNMAP_FLAG_ALL

static void map(uint64_t first_page, uint64_t npages)
{
	require_eq(dma_map(family.rig.container, first_page * PAGE,
			   family.memory + first_page * PAGE, npages * PAGE, RW), 0);
}

static int set_address(uint64_t first_page, uint64_t npages, const void *vaddr)
{
	return dma_map(family.rig.container, first_page * PAGE, vaddr, npages * PAGE,
		       VFIO_DMA_MAP_FLAG_VADDR);
}

/* Returns the number of pages whose address became void, or -errno. */
static long long void_address(uint64_t first_page, uint64_t npages)
{
	long long result = dma_unmap_flags(family.rig.container, first_page * PAGE,
					   npages * PAGE, VADDR);

	return result < 0 ? result : result / (long long)PAGE;
}

static long long void_all(void)
{
	long long result = dma_unmap_flags(family.rig.container, 0, 0, ALL | VADDR);

	return result < 0 ? result : result / (long long)PAGE;
}

static void groups_wait_until_every_mapping_has_an_address(void)
{
	int group;

	family_open();
	map(0, 4);
	check_eq(void_address(0, 4), 4);
	group = group_open(1);
	expect_in_log("cannot attach: error -16");
	check_eq(group_set_container(group, family.rig.container), -EBUSY);
	check_eq(set_address(0, 4, family.memory + 8 * PAGE), 0);
	check_eq(group_set_container(group, family.rig.container), 0);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(group_unset_container(group), 0);
	/* Groups are also let in once the mapping is gone. */
	check_eq(void_all(), 4);
	check_eq(group_set_container(group, family.rig.container), -EBUSY);
	check_eq(dma_unmap_all(family.rig.container), 4 * PAGE);
	check_eq(group_set_container(group, family.rig.container), 0);
	require_eq(or_errno(close(group)), 0);
	family_close();
}

static void device_goes_on_without_an_address(void)
{
	uint8_t *other = mem_alloc(FAMILY_BYTES);
	struct edu edu;

	family_open();
	edu_open(&edu, family.rig.group[0], 0);
	require_eq(dma_map(family.rig.container, 0x100000, family.memory, 4 * PAGE, RW), 0);
	check_eq(void_all(), 4);
	check_copy(&edu, family.memory, 0x100000, family.memory + PAGE, 0x101000);
	/* A new address counts for later pins. The device keeps its pages. */
	check_eq(dma_map(family.rig.container, 0x100000, other, 4 * PAGE,
			 VFIO_DMA_MAP_FLAG_VADDR), 0);
	check_copy(&edu, family.memory, 0x100000, family.memory + PAGE, 0x101000);
	edu_close(&edu);
	family_close();
	mem_free(other, FAMILY_BYTES);
}

/* Lets the parent look at mappings that a living child has taken over. */
static void let_parent_look(void)
{
	gate_open(&family.to_parent);
	gate_wait(&family.to_child);
}

static pid_t spawn_to_look(void (*take_over)(void *))
{
	pid_t child = spawn(take_over, NULL);

	gate_wait(&family.to_parent);
	return child;
}

static void end_child(pid_t child)
{
	gate_open(&family.to_child);
	join(child);
}

static void take_over_with_too_small_a_limit(void *unused)
{
	(void)unused;
	drop_ipc_lock();
	set_memlock_pages(3);
	expect_in_log("RLIMIT_MEMLOCK");
	check_eq(set_address(0, 4, family.memory), -ENOMEM);
	check_eq(vm_lck_kib(0), 0);
	check_eq(vm_lck_kib(getppid()), 4 * PAGE_KIB);
	set_memlock_pages(4);
	check_eq(set_address(0, 4, family.memory), 0);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(vm_lck_kib(getppid()), 0);
	let_parent_look();
}

static void child_takes_mapping_and_charge_over(void)
{
	pid_t child;

	family_open();
	map(0, 4);
	map(8, 4);
	check_eq(void_address(0, 4), 4);
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB);
	check_eq(dma_unmap(family.rig.container, 8 * PAGE, 4 * PAGE), 4 * PAGE);
	child = spawn_to_look(take_over_with_too_small_a_limit);
	check_eq(vm_lck_kib(0), 0);
	check_eq(vm_lck_kib(child), 4 * PAGE_KIB);
	/* The parent unmaps a mapping of the child, and the child is uncharged. */
	check_eq(dma_unmap(family.rig.container, 0, 4 * PAGE), 4 * PAGE);
	check_eq(vm_lck_kib(child), 0);
	end_child(child);
	family_close();
}

static void take_two_over(void *unused)
{
	(void)unused;
	check_eq(set_address(0, 4, family.memory), 0);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(set_address(4, 8, family.memory + 4 * PAGE), 0);
	check_eq(vm_lck_kib(0), 12 * PAGE_KIB);
	check_eq(vm_lck_kib(getppid()), 0);
	let_parent_look();
}

static void child_takes_two_mappings_over(void)
{
	pid_t child;

	family_open();
	map(0, 4);
	map(4, 8);
	check_eq(void_all(), 12);
	child = spawn_to_look(take_two_over);
	check_eq(dma_unmap(family.rig.container, 4 * PAGE, 8 * PAGE), 8 * PAGE);
	check_eq(vm_lck_kib(child), 4 * PAGE_KIB);
	check_eq(dma_unmap(family.rig.container, 0, 4 * PAGE), 4 * PAGE);
	check_eq(vm_lck_kib(child), 0);
	end_child(child);
	family_close();
}

static void take_over_and_exit(void *unused)
{
	(void)unused;
	check_eq(set_address(0, 4, family.memory), 0);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
}

static void mapping_taken_over_by_a_dead_child_is_unmapped(void)
{
	family_open();
	map(0, 4);
	map(4, 4);
	check_eq(void_address(0, 4), 4);
	join(spawn(take_over_and_exit, NULL));
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(dma_unmap_all(family.rig.container), 8 * PAGE);
	check_eq(vm_lck_kib(0), 0);
	family_close();
}

/* Runs in the image that exec starts. */
static void check_inherited_mappings(void)
{
	int container = family_inherited();
	void *pages = mem_alloc(8 * PAGE);

	check_eq(served_by_ioas(container), backend_is_ioas());
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_map(container, 0, pages, 4 * PAGE, VFIO_DMA_MAP_FLAG_VADDR), 0);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(dma_map(container, 64 * PAGE, pages, 2 * PAGE, RW), 0);
	check_eq(vm_lck_kib(0), 6 * PAGE_KIB);
	check_eq(dma_unmap_all(container), 6 * PAGE);
	check_eq(vm_lck_kib(0), 0);
}

static void exec_self(void *unused)
{
	(void)unused;
	map(0, 4);
	check_eq(void_all(), 4);
	family_exec();
}

static void mappings_are_handed_over_through_exec(void)
{
	family_open();
	join(spawn(exec_self, NULL));
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_unmap_all(family.rig.container), 0);
	family_close();
}

static const struct test tests[] = {
	TEST(groups_wait_until_every_mapping_has_an_address, NEEDS_TWO),
	TEST(device_goes_on_without_an_address, NEEDS_ONE),
	TEST(child_takes_mapping_and_charge_over, NEEDS_ONE),
	TEST(child_takes_two_mappings_over, NEEDS_ONE),
	TEST(mapping_taken_over_by_a_dead_child_is_unmapped, NEEDS_ONE),
	TEST(mappings_are_handed_over_through_exec, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	if (family_inherited() >= 0)
		return run_alone(check_inherited_mappings);
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
