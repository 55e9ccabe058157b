// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_limits.c - RLIMIT_MEMLOCK and the number of mappings
 */
#define _GNU_SOURCE
#include "lib.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define LIMIT_PAGES	16U
#define NPAGES		128U
#define MSI_START	0xfee00000ULL

static struct rig rig;
static uint8_t *memory;

/* A rig of a process that may lock 16 pages, with or without CAP_IPC_LOCK. */
static void open_rig(bool privileged)
{
	memory = mem_alloc(NPAGES * PAGE);
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	require_true(has_ipc_lock());
	if (!privileged)
		drop_ipc_lock();
	set_memlock_pages(LIMIT_PAGES);
}

static void close_rig(void)
{
	rig_close(&rig);
	mem_free(memory, NPAGES * PAGE);
}

static int map(uint64_t first_page, uint64_t npages)
{
	return dma_map(rig.container, first_page * PAGE, memory,
		       npages * PAGE, RW);
}

static void limit_is_reached_exactly(void)
{
	open_rig(false);
	check_eq(map(0, LIMIT_PAGES), 0);
	check_eq(vm_lck_kib(0), LIMIT_PAGES * PAGE_KIB);
	check_eq(map(LIMIT_PAGES, 1), -ENOMEM);
	check_eq(dma_unmap_all(rig.container), LIMIT_PAGES * PAGE);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
}

static void limit_stops_huge_pages_too(void)
{
	uint8_t *large = mem_alloc_huge(HUGE_BYTES);

	open_rig(false);
	check_eq(dma_map(rig.container, 0, large, HUGE_BYTES, RW), -ENOMEM);
	check_eq(vm_lck_kib(0), 0);
	set_memlock_pages(511);
	check_eq(dma_map(rig.container, 0, large, HUGE_BYTES, RW), -ENOMEM);
	check_eq(vm_lck_kib(0), 0);
	set_memlock_pages(512);
	check_eq(dma_map(rig.container, 0, large, HUGE_BYTES, RW), 0);
	check_eq(vm_lck_kib(0), 2048);
	check_eq(dma_unmap_all(rig.container), HUGE_BYTES);
	close_rig();
	mem_free(large, HUGE_BYTES);
}

/* The map exceeds the limit only after many pages were pinned and charged. */
static void limit_reached_far_inside_a_map_leaves_no_trace(void)
{
	uint64_t npages = scaled(4096, 1200);
	uint8_t *large = mem_alloc_scattered(npages * PAGE);

	open_rig(false);
	set_memlock_pages(npages - 1);
	check_eq(dma_map(rig.container, 0, large, npages * PAGE, RW), -ENOMEM);
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_avail(rig.container), 65535);
	set_memlock_pages(npages);
	check_eq(dma_map(rig.container, 0, large, npages * PAGE, RW), 0);
	check_eq(vm_lck_kib(0), npages * PAGE_KIB);
	check_eq(dma_unmap_all(rig.container), npages * PAGE);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
	mem_free(large, npages * PAGE);
}

static void map_in_child(void *unused)
{
	(void)unused;
	check_eq(vm_lck_kib(0), 0);
	check_eq(map(64, LIMIT_PAGES + 1), -ENOMEM);
	check_eq(map(64, LIMIT_PAGES), 0);
	check_eq(vm_lck_kib(0), LIMIT_PAGES * PAGE_KIB);
	check_eq(dma_unmap(rig.container, 64 * PAGE, LIMIT_PAGES * PAGE),
		 LIMIT_PAGES * PAGE);
	check_eq(vm_lck_kib(0), 0);
}

static void each_process_has_a_limit_of_its_own(void)
{
	open_rig(false);
	check_eq(map(0, LIMIT_PAGES), 0);
	join(spawn(map_in_child, NULL));
	check_eq(vm_lck_kib(0), LIMIT_PAGES * PAGE_KIB);
	check_eq(dma_unmap_all(rig.container), LIMIT_PAGES * PAGE);
	close_rig();
}

struct racer {
	pthread_t thread;
	unsigned int index;
	unsigned int nmapped;
};

static void *race_for_pages(void *arg)
{
	struct racer *racer = arg;
	unsigned int i;

	for (i = 0; i < LIMIT_PAGES; i++) {
		int result = map(racer->index * NPAGES + i, 1);

		racer->nmapped += result == 0;
		if (result)
			check_eq(result, -ENOMEM);
	}
	return NULL;
}

static void two_threads_share_one_limit(void)
{
	struct racer racers[2] = { { .index = 0 }, { .index = 1 } };
	unsigned int i;

	open_rig(false);
	for (i = 0; i < 2; i++)
		require_eq(pthread_create(&racers[i].thread, NULL,
					  race_for_pages, &racers[i]), 0);
	for (i = 0; i < 2; i++)
		require_eq(pthread_join(racers[i].thread, NULL), 0);
	check_eq(racers[0].nmapped + racers[1].nmapped, LIMIT_PAGES);
	check_eq(vm_lck_kib(0), LIMIT_PAGES * PAGE_KIB);
	check_eq(dma_unmap_all(rig.container), LIMIT_PAGES * PAGE);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
}

/* The parameter applies to containers that get their backend while it is set. */
static void open_with_entry_limit(const char *limit)
{
	char usual[32];
	const char *module = backend_module();

	require_eq(param_get(module, "dma_entry_limit", usual, sizeof(usual)),
		   0);
	check_eq(strcmp(usual, "65535"), 0);
	param_set(module, "dma_entry_limit", limit);
	open_rig(true);
	param_set(module, "dma_entry_limit", usual);
}

static void map_beyond_the_entry_limit_is_refused(void)
{
	open_with_entry_limit("2");
	check_eq(dma_avail(rig.container), 2);
	check_eq(map(0, 1), 0);
	check_eq(map(1, 1), 0);
	check_eq(dma_avail(rig.container), 0);
	check_eq(map(2, 1), -ENOSPC);
	/* An overlap is reported before the limit, a forbidden range after it. */
	check_eq(map(1, 1), -EEXIST);
	check_eq(map(MSI_START / PAGE, 1), -ENOSPC);
	check_eq(vm_lck_kib(0), 2 * PAGE_KIB);
	check_eq(dma_unmap(rig.container, 0, PAGE), PAGE);
	check_eq(dma_avail(rig.container), 1);
	check_eq(map(2, 1), 0);
	check_eq(map(3, 1), -ENOSPC);
	check_eq(dma_unmap_all(rig.container), 2 * PAGE);
	check_eq(dma_avail(rig.container), 2);
	close_rig();
}

static void entry_limit_of_zero_allows_no_mapping(void)
{
	open_with_entry_limit("0");
	check_eq(dma_avail(rig.container), 0);
	check_eq(map(0, 1), -ENOSPC);
	check_eq(dma_unmap_all(rig.container), 0);
	close_rig();
	open_rig(true);
	check_eq(dma_avail(rig.container), 65535);
	check_eq(map(0, 1), 0);
	check_eq(dma_unmap_all(rig.container), PAGE);
	close_rig();
}

static void entry_limit_does_not_change_a_live_container(void)
{
	open_rig(true);
	param_set(backend_module(), "dma_entry_limit", "1");
	check_eq(dma_avail(rig.container), 65535);
	check_eq(map(0, 1), 0);
	check_eq(map(1, 1), 0);
	check_eq(dma_avail(rig.container), 65533);
	check_eq(dma_unmap_all(rig.container), 2 * PAGE);
	close_rig();
}

/* A container with all its 65535 mappings, before and after a second group joins. */
static void container_holds_as_many_mappings_as_it_says(void)
{
	unsigned int nmaps = scaled(65535, 4000);
	char limit[16];
	unsigned int i;

	snprintf(limit, sizeof(limit), "%u", nmaps);
	param_set(backend_module(), "dma_entry_limit", limit);
	open_rig(true);
	check_eq(dma_avail(rig.container), nmaps);
	for (i = 0; i < nmaps; i++)
		require_eq(map(i, 1), 0);
	check_eq(map(i, 1), -ENOSPC);
	check_eq(dma_avail(rig.container), 0);
	rig_add_group(&rig);
	check_eq(vm_lck_kib(0), nmaps * PAGE_KIB);
	check_eq(dma_unmap_all(rig.container), nmaps * PAGE);
	check_eq(dma_avail(rig.container), nmaps);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
}

/* In each round one map fails at its last page while another may take the last entry. */
static pthread_barrier_t round_begins;
static atomic_bool is_over;
static int in_vain;

static void *map_in_vain(void *arg)
{
	(void)arg;
	for (;;) {
		pthread_barrier_wait(&round_begins);
		if (atomic_load(&is_over))
			return NULL;
		in_vain = map(1000, NPAGES);
		pthread_barrier_wait(&round_begins);
	}
}

static void failing_map_does_not_use_up_the_last_entry(void)
{
	unsigned int i, nrounds = scaled(200, 20);
	pthread_t thread;

	open_with_entry_limit("1");
	require_eq(or_errno(mprotect(memory + (NPAGES - 1) * PAGE, PAGE, PROT_NONE)), 0);
	require_eq(pthread_barrier_init(&round_begins, NULL, 2), 0);
	require_eq(pthread_create(&thread, NULL, map_in_vain, NULL), 0);
	for (i = 0; i < nrounds; i++) {
		pthread_barrier_wait(&round_begins);
		check_eq(map(0, 1), 0);
		check_eq(dma_unmap(rig.container, 0, PAGE), PAGE);
		pthread_barrier_wait(&round_begins);
		check_true(in_vain == -EFAULT || in_vain == -ENOSPC);
	}
	atomic_store(&is_over, true);
	pthread_barrier_wait(&round_begins);
	pthread_join(thread, NULL);
	close_rig();
}

static const struct test tests[] = {
	TEST(limit_is_reached_exactly, NEEDS_ONE),
	TEST(limit_stops_huge_pages_too, NEEDS_ONE),
	TEST(limit_reached_far_inside_a_map_leaves_no_trace, NEEDS_ONE),
	TEST(each_process_has_a_limit_of_its_own, NEEDS_ONE),
	TEST(two_threads_share_one_limit, NEEDS_ONE),
	TEST(map_beyond_the_entry_limit_is_refused, NEEDS_ONE),
	TEST(entry_limit_of_zero_allows_no_mapping, NEEDS_ONE),
	TEST(entry_limit_does_not_change_a_live_container, NEEDS_ONE),
	TEST(failing_map_does_not_use_up_the_last_entry, NEEDS_ONE),
	TEST(container_holds_as_many_mappings_as_it_says, NEEDS_TWO),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
