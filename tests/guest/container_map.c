// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_map.c - VFIO_IOMMU_MAP_DMA of memory of all kinds, and by several threads
 */
#define _GNU_SOURCE
#include "lib.h"

#include <pthread.h>

#define NPAGES		64U

static struct rig rig;
static uint8_t *memory;

static void open_rig(void)
{
	memory = mem_alloc(NPAGES * PAGE);
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
}

static void close_rig(void)
{
	rig_close(&rig);
	mem_free(memory, NPAGES * PAGE);
}

static int map(uint64_t iova, uint64_t npages, uint32_t flags)
{
	return dma_map(rig.container, iova, memory, npages * PAGE, flags);
}

/* Checks that nothing is mapped or charged, and that DMA_AVAIL is as before. */
static void check_no_trace(void)
{
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_avail(rig.container), 65535);
	check_eq(dma_unmap_all(rig.container), 0);
}

static void hole_behind_many_pages_leaves_no_trace(void)
{
	uint64_t nbytes = scaled(16, 4) << 20;
	uint8_t *large = mem_alloc_scattered(nbytes);

	open_rig();
	require_eq(or_errno(munmap(large + nbytes - PAGE, PAGE)), 0);
	check_eq(dma_map(rig.container, 0, large, nbytes, RW), -EFAULT);
	check_no_trace();
	check_eq(dma_map(rig.container, 0, large, nbytes - PAGE, RW), 0);
	check_eq(dma_unmap_all(rig.container), nbytes - PAGE);
	close_rig();
	mem_free(large, nbytes);
}

static void memory_that_can_only_be_written_is_not_mapped_for_reading(void)
{
	uint8_t *memory = mmap(NULL, 2 * PAGE, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	require_true(memory != MAP_FAILED);
	*(volatile uint8_t *)memory = 1;
	open_rig();
	check_eq(dma_map(rig.container, 0, memory, PAGE, RO), -EFAULT);
	check_eq(dma_map(rig.container, 0, memory, 2 * PAGE, RO), -EFAULT);
	check_eq(dma_map(rig.container, 0, memory + PAGE, PAGE, RO), -EFAULT);
	check_eq(dma_map(rig.container, 0, memory, 2 * PAGE, RW), 0);
	check_eq(dma_unmap_all(rig.container), 2 * PAGE);
	close_rig();
	mem_free(memory, 2 * PAGE);
}

/* Puts the memory under a protection key that denies this process all access. */
static void disable_by_key(void *memory, uint64_t nbytes)
{
	int key = pkey_alloc(0, PKEY_DISABLE_ACCESS);

	if (key < 0)
		skip("no protection keys on this machine");
	require_eq(or_errno(pkey_mprotect(memory, nbytes, PROT_READ | PROT_WRITE, key)), 0);
}

static void memory_whose_key_is_disabled_is_mapped(void)
{
	uint64_t nbytes = 64 * PAGE;
	uint8_t *memory = mem_alloc(nbytes);

	disable_by_key(memory, nbytes);
	open_rig();
	check_eq(dma_map(rig.container, 0, memory, PAGE, RW), 0);
	check_eq(dma_map(rig.container, nbytes, memory, nbytes, RW), 0);
	check_eq(dma_map(rig.container, 2 * nbytes, memory, nbytes, RO), 0);
	check_eq(dma_unmap_all(rig.container), PAGE + 2 * nbytes);
	close_rig();
	mem_free(memory, nbytes);
}

/* None of the pages exists yet. */
static void untouched_memory_whose_key_is_disabled_is_mapped(void)
{
	uint64_t nbytes = 64 * PAGE;
	void *memory = mmap(NULL, nbytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	require_true(memory != MAP_FAILED);
	disable_by_key(memory, nbytes);
	open_rig();
	check_eq(dma_map(rig.container, 0, memory, nbytes, RW), 0);
	check_eq(dma_unmap_all(rig.container), nbytes);
	close_rig();
	mem_free(memory, nbytes);
}

/* Many read-only maps of memory that was never written have the same page. */
static void zero_page_is_mapped_20000_times(void)
{
	const unsigned int nmaps = scaled(20000, 1000);
	void *untouched = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	open_rig();
	for (i = 0; i < nmaps; i++)
		require_eq(dma_map(rig.container, i * PAGE, untouched, PAGE, RO), 0);
	check_eq(dma_unmap_all(rig.container), nmaps * PAGE);
	close_rig();
	mem_free(untouched, PAGE);
}

/*
 * A block device stands in for any file with write-back. A long-term pin for writing would bypass
 * the dirty tracking of the file system.
 */
static void file_with_write_back_is_pinned_only_if_stock_does(void)
{
	int expected = kernel_at_least(6, 12) ? -EFAULT : 0;
	int fd = open("/dev/ram0", O_RDWR | O_CLOEXEC);
	void *shared;

	if (fd < 0)
		skip("no /dev/ram0");
	shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      0);
	require_true(shared != MAP_FAILED);
	open_rig();
	check_eq(dma_map(rig.container, 0, shared, 4 * PAGE, RW), expected);
	check_eq(dma_map(rig.container, 16 * PAGE, shared, 4 * PAGE, RO), 0);
	check_eq(dma_unmap_all(rig.container), (expected ? 4 : 8) * PAGE);
	close_rig();
	mem_free(shared, 4 * PAGE);
	close(fd);
}

static void check_large(void *large, uint64_t nbytes)
{
	long kib = (long)(nbytes >> 10);

	if (!large)
		skip("the machine has no such memory");
	open_rig();
	check_eq(dma_map(rig.container, HUGE_BYTES, large, nbytes, RW), 0);
	check_eq(vm_lck_kib(0), kib);
	check_eq(dma_unmap(rig.container, HUGE_BYTES, nbytes), nbytes);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
	mem_free(large, nbytes);
}

static void hugetlb_pages_are_charged_by_their_size(void)
{
	check_large(mem_alloc_hugetlb(2 * HUGE_BYTES), 2 * HUGE_BYTES);
}

static void scattered_pages_are_charged_by_their_size(void)
{
	void *large = mem_alloc_scattered(2 * HUGE_BYTES);

	check_true(mem_breaks(large, 2 * HUGE_BYTES) > 512);
	check_large(large, 2 * HUGE_BYTES);
}

static void disable_hugepages_changes_nothing_that_can_be_seen(void)
{
	uint8_t *large = mem_alloc_huge(HUGE_BYTES);

	open_rig();
	param_set(backend_module(), "disable_hugepages", "Y");
	check_eq(map(0, 8, RW), 0);
	check_eq(dma_map(rig.container, HUGE_BYTES, large, HUGE_BYTES, RW), 0);
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB + 2048);
	check_eq(dma_unmap(rig.container, 0, 8 * PAGE), 8 * PAGE);
	param_set(backend_module(), "disable_hugepages", "N");
	check_eq(dma_unmap_all(rig.container), HUGE_BYTES);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
	mem_free(large, HUGE_BYTES);
}

struct mapper {
	pthread_t thread;
	unsigned int index;
	int result;
};

static void *map_many(void *arg)
{
	struct mapper *mapper = arg;
	unsigned int nmaps = scaled(256, 32);
	unsigned int i;

	for (i = 0; i < nmaps && mapper->result == 0; i++)
		mapper->result = map((2 * i + mapper->index) * 2 * PAGE, 2, RW);
	return NULL;
}

static void two_threads_map_at_the_same_time(void)
{
	struct mapper mappers[2] = { { .index = 0 }, { .index = 1 } };
	unsigned int npages = 2 * 2 * scaled(256, 32);
	unsigned int i;

	open_rig();
	for (i = 0; i < 2; i++)
		require_eq(pthread_create(&mappers[i].thread, NULL, map_many,
					  &mappers[i]), 0);
	for (i = 0; i < 2; i++) {
		require_eq(pthread_join(mappers[i].thread, NULL), 0);
		check_eq(mappers[i].result, 0);
	}
	check_eq(vm_lck_kib(0), npages * PAGE_KIB);
	check_eq(dma_avail(rig.container), 65535 - npages / 2);
	check_eq(dma_unmap_all(rig.container), npages * PAGE);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
}

static void *map_one_range(void *arg)
{
	unsigned int nmaps = scaled(200, 40);
	unsigned int *nwins = arg;
	unsigned int i;

	for (i = 0; i < nmaps; i++) {
		int result = map(0, 16, RW);

		if (result == 0) {
			*nwins += 1;
			check_eq(dma_unmap(rig.container, 0, 16 * PAGE),
				 16 * PAGE);
		} else {
			check_eq(result, -EEXIST);
		}
	}
	return NULL;
}

/* The winner owns the range until it unmaps it. Neither thread gets half. */
static void two_threads_fight_for_one_range(void)
{
	unsigned int nwins[2] = { 0 };
	pthread_t threads[2];
	unsigned int i;

	open_rig();
	for (i = 0; i < 2; i++)
		require_eq(pthread_create(&threads[i], NULL, map_one_range,
					  &nwins[i]), 0);
	for (i = 0; i < 2; i++)
		require_eq(pthread_join(threads[i], NULL), 0);
	check_true(nwins[0] + nwins[1] > 0);
	check_no_trace();
	close_rig();
}

static const struct test tests[] = {
	TEST(hole_behind_many_pages_leaves_no_trace, NEEDS_ONE),
	TEST(zero_page_is_mapped_20000_times, NEEDS_ONE),
	TEST(memory_that_can_only_be_written_is_not_mapped_for_reading, NEEDS_ONE),
	TEST(memory_whose_key_is_disabled_is_mapped, NEEDS_ONE),
	TEST(untouched_memory_whose_key_is_disabled_is_mapped, NEEDS_ONE),
	TEST(file_with_write_back_is_pinned_only_if_stock_does, NEEDS_ONE),
	TEST(hugetlb_pages_are_charged_by_their_size, NEEDS_ONE),
	TEST(scattered_pages_are_charged_by_their_size, NEEDS_ONE),
	TEST(disable_hugepages_changes_nothing_that_can_be_seen, NEEDS_ONE),
	TEST(two_threads_map_at_the_same_time, NEEDS_ONE),
	TEST(two_threads_fight_for_one_range, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
