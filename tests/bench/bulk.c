// SPDX-License-Identifier: GPL-2.0-only
/*
 * bulk.c - maps much memory in one call: prefaulted, and cold
 */
#define _GNU_SOURCE
#include "bench.h"

#define NTIMES_HUGE	16U

/*
 * huge: huge pages.
 *
 * small: 4 KiB pages, mostly in order, as in a program that has touched its
 * memory from begin to end.
 *
 * near: 4 KiB pages whose neighbours are not adjacent in the machine, but near
 * each other, which is good for caches.
 *
 * scattered: 4 KiB pages all over the machine.
 */
static uint8_t *huge, *small, *near, *scattered;

/* Checks the layout of memory, on which the meaning of the numbers depends. */
static void require_breaks(const char *name, const uint8_t *memory,
			   long long min, long long max)
{
	long long nbreaks = mem_breaks(memory, bulk_nbytes);

	printf("breaks %s %lld of %llu\n", name, nbreaks,
	       (unsigned long long)(bulk_nbytes / PAGE));
	require_true(nbreaks >= min && nbreaks <= max);
}

static uint8_t *alloc_small(uint64_t nbytes)
{
	uint8_t *memory = mem_reserve(nbytes);
	uint64_t at;

	require_eq(or_errno(mprotect(memory, nbytes, PROT_READ | PROT_WRITE)),
		   0);
	madvise(memory, nbytes, MADV_NOHUGEPAGE);
	for (at = 0; at < nbytes; at += PAGE)
		*(volatile uint8_t *)(memory + at) = 0;
	return memory;
}

static void bulk_set_up(void)
{
	long long npages = (long long)(bulk_nbytes / PAGE);

	huge = mem_alloc_huge(bulk_nbytes);
	small = alloc_small(bulk_nbytes);
	near = mem_alloc_interleaved(bulk_nbytes);
	scattered = mem_alloc_scattered(bulk_nbytes);
	require_breaks("huge", huge, 0, npages / 512);
	require_breaks("small", small, 0, npages / 10);
	require_breaks("near", near, npages * 9 / 10, npages);
	require_breaks("scattered", scattered, npages * 99 / 100, npages);
}

static void bulk_tear_down(void)
{
	mem_free(small, bulk_nbytes);
	mem_free(near, bulk_nbytes);
	mem_free(scattered, bulk_nbytes);
	mem_free(huge, bulk_nbytes);
}

static void time_whole(const struct session *session, const uint8_t *memory,
		       uint64_t nbytes, unsigned int ntimes,
		       const char *map_line, const char *unmap_line)
{
	uint64_t map_ns = 0, unmap_ns = 0;
	unsigned int i;

	for (i = 0; i < ntimes; i++) {
		uint64_t start_ns = now_ns();
		uint64_t mapped_ns;

		map(session, IOVA, memory, nbytes);
		mapped_ns = now_ns();
		unmap(session, IOVA, nbytes);
		map_ns += mapped_ns - start_ns;
		unmap_ns += now_ns() - mapped_ns;
	}
	sample_ns(session, map_line, map_ns, ntimes * (nbytes / PAGE));
	if (unmap_line)
		sample_ns(session, unmap_line, unmap_ns,
			  ntimes * (nbytes / PAGE));
}

static void bulk_run(const struct session *session)
{
	/* The others take long enough that once will do. */
	time_whole(session, huge, bulk_nbytes, NTIMES_HUGE, "map_huge",
		   "unmap_huge");
	time_whole(session, small, bulk_nbytes, 1, "map_small", "unmap_small");
	time_whole(session, near, bulk_nbytes, 1, "map_near", "unmap_near");
	time_whole(session, scattered, bulk_nbytes, 1, "map_scattered",
		   "unmap_scattered");
}

const struct suite bulk_suite = {
	.name = "bulk",
	.set_up = bulk_set_up,
	.run = bulk_run,
	.tear_down = bulk_tear_down,
	.warm_up = true,
};

/* Cold memory: map has to allocate and clear it, and clearing takes long. */
static uint8_t *cold_small, *cold_huge;

static uint64_t cold_nbytes(void)
{
	return bulk_nbytes / 4;
}

static void cold_set_up(void)
{
	cold_small = alloc_small(cold_nbytes());
	cold_huge = mem_alloc_huge(cold_nbytes());
}

static void cold_tear_down(void)
{
	mem_free(cold_small, cold_nbytes());
	mem_free(cold_huge, cold_nbytes());
}

static void time_cold(const struct session *session, uint8_t *memory,
		      const char *line)
{
	require_eq(or_errno(madvise(memory, cold_nbytes(), MADV_DONTNEED)), 0);
	time_whole(session, memory, cold_nbytes(), 1, line, NULL);
}

static void cold_run(const struct session *session)
{
	time_cold(session, cold_small, "map_cold_small");
	time_cold(session, cold_huge, "map_cold_huge");
}

const struct suite cold_suite = {
	.name = "cold",
	.set_up = cold_set_up,
	.run = cold_run,
	.tear_down = cold_tear_down,
};
