// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_parallel.c - several threads in one container
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>

#include "lib_call.h"
#include "lib_late.h"

#define NTHREADS	4
#define ARENA_PAGES	64

/* State that the threads of a storm share. */
struct storm {
	int container;
	uint8_t *memory;
	unsigned int nrounds;
	atomic_llong mapped_nbytes;
	atomic_llong unmapped_nbytes;
	atomic_uint nstrange;		/* results that must not occur */
	atomic_uint nmapped;
};

struct storm_thread {
	struct storm *storm;
	uint64_t seed;
	pthread_t thread;
};

static void storm_map(struct storm *storm, uint64_t first, uint64_t npages)
{
	int ret = dma_map(storm->container, first * PAGE, storm->memory, npages * PAGE, RW);

	if (!ret) {
		atomic_fetch_add(&storm->mapped_nbytes, npages * PAGE);
		atomic_fetch_add(&storm->nmapped, 1);
	} else if (ret != -EEXIST) {
		atomic_fetch_add(&storm->nstrange, 1);
	}
}

static void storm_unmap(struct storm *storm, uint64_t first, uint64_t npages)
{
	long long ret = dma_unmap(storm->container, first * PAGE, npages * PAGE);

	if (ret >= 0)
		atomic_fetch_add(&storm->unmapped_nbytes, ret);
	else if (ret != -EINVAL)
		atomic_fetch_add(&storm->nstrange, 1);
}

static void *storm_run(void *arg)
{
	struct storm_thread *self = arg;
	struct storm *storm = self->storm;
	unsigned int i;

	for (i = 0; i < storm->nrounds; i++) {
		uint64_t first = random_next(&self->seed) % ARENA_PAGES;
		uint64_t npages = 1 + random_next(&self->seed) % 12;
		struct info info;

		switch (random_next(&self->seed) % 16) {
		case 0:
			atomic_fetch_add(&storm->unmapped_nbytes,
					 dma_unmap_all(storm->container));
			break;
		case 1:
			if (info_get(storm->container, &info))
				atomic_fetch_add(&storm->nstrange, 1);
			break;
		case 2 ... 8:
			storm_unmap(storm, first, npages);
			break;
		default:
			storm_map(storm, first, npages);
		}
	}
	return NULL;
}

/* Starts the threads, calls @meanwhile, and waits for the threads to end. */
static void storm_over(struct rig *rig, void (*meanwhile)(struct rig *rig))
{
	struct storm_thread threads[NTHREADS];
	struct storm storm = {
		.container = rig->container,
		.memory = mem_alloc_scattered(12 * PAGE),
		.nrounds = scaled(3000, 300),
	};
	uint64_t seed = random_seed();
	unsigned int i;

	for (i = 0; i < NTHREADS; i++) {
		threads[i].storm = &storm;
		threads[i].seed = seed + i * 7919;
		require_eq(pthread_create(&threads[i].thread, NULL, storm_run, &threads[i]), 0);
	}
	if (meanwhile)
		meanwhile(rig);
	for (i = 0; i < NTHREADS; i++)
		pthread_join(threads[i].thread, NULL);

	storm.unmapped_nbytes += dma_unmap_all(rig->container);
	check_true(storm.nmapped > 0);
	check_eq(storm.nstrange, 0);
	check_eq(storm.unmapped_nbytes, storm.mapped_nbytes);
	check_eq(dma_avail(rig->container), 65535);
	check_eq(vm_lck_kib(getpid()), 0);
	mem_free(storm.memory, 12 * PAGE);
}

static void every_mapped_byte_is_unmapped_once(void)
{
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	require_backend(rig.container);
	storm_over(&rig, NULL);
	rig_close(&rig);
}

static void every_mapped_byte_is_unmapped_once_on_type1(void)
{
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1_IOMMU, 1);
	require_backend(rig.container);
	storm_over(&rig, NULL);
	rig_close(&rig);
}

static void second_group_in_and_out(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		int group = group_open_wait(1);

		check_eq(group_set_container(group, rig->container), 0);
		check_eq(group_unset_container(group), 0);
		close(group);
	}
}

static void groups_come_and_go_while_threads_map(void)
{
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	storm_over(&rig, second_group_in_and_out);
	rig_close(&rig);
}

/* --- beside a map that waits for its memory */

static struct rig late_rig;
static struct late_memory late;
static uint8_t *memory;

static long long map_late(void)
{
	return dma_map(late_rig.container, 0, late.memory, PAGE, RW);
}

static long long map_memory_there(void)
{
	return dma_map(late_rig.container, 0, memory, PAGE, RW);
}

static void open_late(void)
{
	need_pins_that_wait();
	late_memory_make(&late);
	memory = mem_alloc(PAGE);
	rig_open(&late_rig, VFIO_TYPE1v2_IOMMU, 1);
}

static void close_late(void)
{
	rig_close(&late_rig);
	late_memory_free(&late);
	mem_free(memory, PAGE);
}

static void map_of_absent_memory_holds_up_nobody_else(void)
{
	struct call slow = { .function = map_late };
	struct info info;

	open_late();
	call_start(&slow);
	late_memory_wanted(&late);

	check_eq(dma_map(late_rig.container, PAGE, memory, PAGE, RW), 0);
	check_eq(info_get(late_rig.container, &info), 0);
	check_eq(dma_unmap(late_rig.container, PAGE, PAGE), PAGE);

	late_memory_release(&late);
	call_end(&slow);
	check_eq(slow.result, 0);
	check_eq(dma_unmap(late_rig.container, 0, PAGE), PAGE);
	close_late();
}

static void second_map_of_an_iova_waits_for_the_first(void)
{
	struct call slow = { .function = map_late };
	struct call second = { .function = map_memory_there };

	open_late();
	call_start(&slow);
	late_memory_wanted(&late);
	call_start(&second);
	check_waits(&second);

	late_memory_release(&late);
	call_end(&slow);
	call_end(&second);
	check_eq(slow.result, 0);
	check_eq(second.result, -EEXIST);
	close_late();
}

static const struct test tests[] = {
	TEST(every_mapped_byte_is_unmapped_once, NEEDS_ONE | TAKES_LONG),
	TEST(every_mapped_byte_is_unmapped_once_on_type1, NEEDS_ONE | TAKES_LONG),
	TEST(groups_come_and_go_while_threads_map, NEEDS_TWO | TAKES_LONG),
	TEST(map_of_absent_memory_holds_up_nobody_else, NEEDS_ONE | ONLY_IOAS),
	TEST(second_map_of_an_iova_waits_for_the_first, NEEDS_ONE | ONLY_IOAS),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
