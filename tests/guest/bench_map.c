// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_map.c - how long mapping and unmapping take, in ns
 *
 * usage: [VFIO_NODE=...] bench_map [MIB]
 *
 * One line for each case: the backend that served, the case, the shortest
 * time of several rounds, the unit. Run once with our node and once with the
 * stock one, in one boot, to compare. Memory is touched beforehand; "4 KiB"
 * pages are not contiguous but near each other, "scattered" ones are all
 * over the machine, so that caches do not help.
 */
#define _GNU_SOURCE
#include "lib.h"

#include <pthread.h>

#define DEFAULT_MIB	256ULL
#define NSMALL		16384U
#define NROUNDS		5
#define IOVA		(1ULL << 34)

static struct rig rig;
static uint64_t nbytes;

/* The shortest times so far of a case. */
struct times {
	uint64_t map_ns;
	uint64_t unmap_ns;
};

static void keep_shorter(uint64_t *shortest, uint64_t ns)
{
	if (!*shortest || ns < *shortest)
		*shortest = ns;
}

static void report(const char *what, uint64_t ns, uint64_t count,
		   const char *unit)
{
	printf("%-6s %-34s %10.1f ns/%s\n",
	       served_by_ioas(rig.container) ? "ioas" : "type1", what,
	       (double)ns / (double)count, unit);
}

/* Maps and unmaps all of it in one call each. */
static void time_whole(const uint8_t *memory, struct times *times)
{
	uint64_t start_ns = now_ns();

	require_eq(dma_map(rig.container, IOVA, memory, nbytes, RW), 0);
	keep_shorter(&times->map_ns, now_ns() - start_ns);
	start_ns = now_ns();
	require_eq(dma_unmap(rig.container, IOVA, nbytes), nbytes);
	keep_shorter(&times->unmap_ns, now_ns() - start_ns);
}

static void bench_whole(const char *name, uint8_t *memory)
{
	struct times times = { 0 };
	char what[64];
	int i;

	for (i = 0; i < NROUNDS; i++)
		time_whole(memory, &times);
	snprintf(what, sizeof(what), "map %s pages", name);
	report(what, times.map_ns, nbytes / PAGE, "page");
	snprintf(what, sizeof(what), "unmap %s pages", name);
	report(what, times.unmap_ns, nbytes / PAGE, "page");
}

static void map_small(const uint8_t *memory)
{
	unsigned int i;

	/* Every other page of the IOVAs: neighbours do not help. */
	for (i = 0; i < NSMALL; i++)
		require_eq(dma_map(rig.container, IOVA + 2 * i * PAGE,
				   memory + i * PAGE, PAGE, RW), 0);
}

static void unmap_small(void)
{
	unsigned int i;

	for (i = 0; i < NSMALL; i++)
		require_eq(dma_unmap(rig.container, IOVA + 2 * i * PAGE, PAGE),
			   PAGE);
}

static void bench_small(const uint8_t *memory)
{
	struct times times = { 0 };
	uint64_t all_ns = 0;
	uint64_t start_ns;
	int i;

	for (i = 0; i < NROUNDS; i++) {
		start_ns = now_ns();
		map_small(memory);
		keep_shorter(&times.map_ns, now_ns() - start_ns);
		start_ns = now_ns();
		unmap_small();
		keep_shorter(&times.unmap_ns, now_ns() - start_ns);
		map_small(memory);
		start_ns = now_ns();
		require_eq(dma_unmap_all(rig.container), NSMALL * PAGE);
		keep_shorter(&all_ns, now_ns() - start_ns);
	}
	report("one 4 KiB map", times.map_ns, NSMALL, "call");
	report("one 4 KiB unmap", times.unmap_ns, NSMALL, "call");
	report("unmap all of 16384 4 KiB maps", all_ns, NSMALL, "map");
}

/* One of two threads that share the work: its half of the memory. */
struct half {
	pthread_t thread;
	pthread_barrier_t *start;
	const uint8_t *memory;
	uint64_t iova;
};

static void *map_half(void *arg)
{
	struct half *half = arg;

	pthread_barrier_wait(half->start);
	require_eq(dma_map(rig.container, half->iova, half->memory,
			   nbytes / 2, RW), 0);
	return NULL;
}

static uint64_t time_two_threads(const uint8_t *memory)
{
	struct half halves[2];
	pthread_barrier_t start;
	uint64_t start_ns;
	unsigned int i;

	pthread_barrier_init(&start, NULL, 3);
	for (i = 0; i < 2; i++) {
		halves[i].start = &start;
		halves[i].memory = memory + i * (nbytes / 2);
		halves[i].iova = IOVA + i * nbytes;
		require_eq(pthread_create(&halves[i].thread, NULL, map_half,
					  &halves[i]), 0);
	}
	pthread_barrier_wait(&start);
	start_ns = now_ns();
	for (i = 0; i < 2; i++)
		require_eq(pthread_join(halves[i].thread, NULL), 0);
	start_ns = now_ns() - start_ns;
	pthread_barrier_destroy(&start);
	require_eq(dma_unmap_all(rig.container), nbytes);
	return start_ns;
}

static void bench_two_threads(const uint8_t *memory)
{
	uint64_t shortest_ns = 0;
	int i;

	for (i = 0; i < NROUNDS; i++)
		keep_shorter(&shortest_ns, time_two_threads(memory));
	report("map 4 KiB pages, two threads", shortest_ns, nbytes / PAGE,
	       "page");
}

/* The memory, if it is laid out as it should be. */
static uint8_t *with_breaks(uint8_t *memory, bool scattered)
{
	long long nbreaks = mem_breaks(memory, nbytes);
	long long npages = (long long)(nbytes / PAGE);

	/* Otherwise the numbers would mean something else. */
	if (scattered)
		require_true(nbreaks > npages * 9 / 10);
	else
		require_true(nbreaks >= 0 && nbreaks <= npages / 512);
	return memory;
}

static void bench(void)
{
	uint8_t *interleaved = mem_alloc_interleaved(nbytes);
	uint8_t *scattered = mem_alloc_scattered(nbytes);
	uint8_t *huge = mem_alloc_huge(nbytes);
	uint8_t *small = mem_alloc(NSMALL * PAGE);

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	bench_whole("4 KiB", with_breaks(interleaved, true));
	bench_two_threads(interleaved);
	bench_whole("scattered", with_breaks(scattered, true));
	bench_whole("huge", with_breaks(huge, false));
	bench_small(small);
	rig_close(&rig);
	check_eq(vm_lck_kib(0), 0);
}

int main(int argc, char **argv)
{
	uint64_t mib = argc > 1 ? strtoull(argv[1], NULL, 0) : DEFAULT_MIB;

	if (argc > 2 || !mib || mib % 4) {
		fprintf(stderr, "usage: %s [MIB], a multiple of 4\n", argv[0]);
		return 2;
	}
	nbytes = mib << 20;
	return run_alone(bench);
}
