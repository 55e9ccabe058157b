// SPDX-License-Identifier: GPL-2.0-only
/*
 * emul_rw.c - emulated devices that read and write memory without pinning it
 */
#define _GNU_SOURCE
#include "lib_emulated.h"

static uint8_t bytes[8 * PAGE];

static int rw_read(uint64_t iova, uint32_t nbytes)
{
	memset(bytes, 0xee, sizeof(bytes));
	return emulated_rw(emul.device, iova, bytes, nbytes, 0);
}

static int rw_write(uint64_t iova, uint32_t nbytes)
{
	static uint64_t seed = 1000;

	fill(bytes, sizeof(bytes), ++seed);
	return emulated_rw(emul.device, iova, bytes, nbytes, EMULATED_WRITE);
}

static void open_with(uint64_t npages, uint32_t flags)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, npages, flags), 0);
}

static void copy_goes_on_in_the_next_mapping(void)
{
	open_with(2, RW);
	require_eq(emul_map(2, 2, RW), 0);
	check_eq(rw_read(100, 3 * PAGE), 0);
	check_mem(bytes, emul.memory + 100, 3 * PAGE);
	check_eq(rw_write(200, 3 * PAGE), 0);
	check_mem(emul.memory + 200, bytes, 3 * PAGE);
	/* Nothing is pinned and nothing charged. */
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 4), 4);
	check_eq(ncallbacks_of(emul.device), 0);
	emul_close();
}

static void copy_of_a_few_bytes_touches_no_others(void)
{
	static uint8_t before[2 * PAGE];

	open_with(2, RW);
	memcpy(before, emul.memory, sizeof(before));
	check_eq(rw_write(PAGE - 5, 11), 0);
	memcpy(before + PAGE - 5, bytes, 11);
	check_mem(emul.memory, before, sizeof(before));
	check_eq(rw_read(PAGE - 1, 2), 0);
	check_mem(bytes, before + PAGE - 1, 2);
	check_eq(bytes[2], 0xee);
	emul_close();
}

static void write_needs_a_writable_mapping(void)
{
	open_with(2, RO);
	require_eq(emul_map(2, 2, RW), 0);
	check_eq(rw_write(PAGE, 2 * PAGE), -EPERM);
	check_eq(rw_write(0, 1), -EPERM);
	check_eq(rw_read(0, 4 * PAGE), 0);
	check_mem(bytes, emul.memory, 4 * PAGE);
	emul_close();
}

/* Odd, but programs may rely on it. */
static void write_needs_a_readable_mapping_too(void)
{
	open_with(2, WO);
	check_eq(rw_write(0, 1), -EPERM);
	check_eq(rw_read(0, 1), -EPERM);
	emul_close();
}

static void copy_needs_mapping_and_memory(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	check_eq(rw_read(0, PAGE), -EINVAL);
	check_eq(rw_write(0, PAGE), -EINVAL);
	require_eq(dma_map(emul.container, 0, (void *)0x10000, PAGE, RW), 0);
	check_eq(rw_read(0, PAGE), -EFAULT);
	check_eq(rw_write(0, PAGE), -EFAULT);
	check_eq(rw_read(0, 0), -EINVAL);
	check_eq(rw_write(0, 0), -EINVAL);
	emul_close();
}

static void copy_that_runs_out_of_the_last_mapping_fails(void)
{
	open_with(2, RW);
	check_eq(rw_read(PAGE, 2 * PAGE), -EINVAL);
	check_eq(rw_write(PAGE, 2 * PAGE), -EINVAL);
	/* The part before the end of the mapping is written. */
	check_mem(emul.memory + PAGE, bytes, PAGE);
	emul_close();
}

static void write_is_done_until_memory_is_missing(void)
{
	open_with(2, RW);
	require_eq(dma_map(emul.container, 2 * PAGE, (void *)0x10000, PAGE, RW),
		   0);
	check_eq(rw_write(PAGE, 2 * PAGE), -EFAULT);
	check_mem(emul.memory + PAGE, bytes, PAGE);
	emul_close();
}

static void kernel_thread_copies_for_the_process_that_mapped(void)
{
	open_with(4, RW);
	memset(bytes, 0, sizeof(bytes));
	check_eq(emulated_rw(emul.device, 50, bytes, 3 * PAGE, EMULATED_KTHREAD), 0);
	check_mem(bytes, emul.memory + 50, 3 * PAGE);
	fill(bytes, sizeof(bytes), 55);
	check_eq(emulated_rw(emul.device, 60, bytes, 3 * PAGE,
			     EMULATED_KTHREAD | EMULATED_WRITE), 0);
	check_mem(emul.memory + 60, bytes, 3 * PAGE);
	emul_close();
}

static void copy_for_the_parent(void *unused)
{
	(void)unused;
	check_eq(rw_read(0, PAGE), -EFAULT);
	check_eq(rw_write(0, PAGE), -EFAULT);
	check_eq(emulated_rw(emul.device, 0, bytes, PAGE, EMULATED_KTHREAD), 0);
	check_mem(bytes, emul.memory, PAGE);
}

static void other_process_does_not_copy(void)
{
	open_with(4, RW);
	join(spawn(copy_for_the_parent, NULL));
	check_eq(rw_read(0, PAGE), 0);
	emul_close();
}

static void map_and_exit(void *unused)
{
	(void)unused;
	require_eq(emul_map(0, 4, RW), 0);
	check_eq(rw_read(0, PAGE), 0);
}

static void memory_of_a_dead_process_is_not_copied(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	join(spawn(map_and_exit, NULL));
	check_eq(rw_read(0, PAGE), -EPERM);
	check_eq(rw_write(0, PAGE), -EPERM);
	check_eq(emulated_rw(emul.device, 0, bytes, PAGE, EMULATED_KTHREAD), -EPERM);
	check_eq(emul_unmap(0, 4), 4);
	emul_close();
}

static void type1_copies_too(void)
{
	emul_open(VFIO_TYPE1_IOMMU);
	require_eq(emul_map(0, 4, RW), 0);
	check_eq(rw_read(100, PAGE), 0);
	check_mem(bytes, emul.memory + 100, PAGE);
	check_eq(rw_write(200, PAGE), 0);
	check_mem(emul.memory + 200, bytes, PAGE);
	emul_close();
}

static void copy_does_not_mind_an_iommu(void)
{
	emul_open_mixed();
	require_eq(emul_map(0, 4, RW), 0);
	check_eq(rw_read(100, PAGE), 0);
	check_mem(bytes, emul.memory + 100, PAGE);
	check_eq(rw_write(200, PAGE), 0);
	check_mem(emul.memory + 200, bytes, PAGE);
	emul_close();
}

static const struct test tests[] = {
	TEST(copy_goes_on_in_the_next_mapping, 0),
	TEST(copy_of_a_few_bytes_touches_no_others, 0),
	TEST(write_needs_a_writable_mapping, 0),
	TEST(write_needs_a_readable_mapping_too, 0),
	TEST(copy_needs_mapping_and_memory, 0),
	TEST(copy_that_runs_out_of_the_last_mapping_fails, 0),
	TEST(write_is_done_until_memory_is_missing, 0),
	TEST(kernel_thread_copies_for_the_process_that_mapped, 0),
	TEST(other_process_does_not_copy, 0),
	TEST(memory_of_a_dead_process_is_not_copied, 0),
	TEST(type1_copies_too, 0),
	TEST(copy_does_not_mind_an_iommu, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
