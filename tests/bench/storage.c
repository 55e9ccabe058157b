// SPDX-License-Identifier: GPL-2.0-only
/*
 * storage.c - kernel memory that a backend uses for a mapping
 *
 * First, the kernel frees its empty slabs. Then two mappings are made, and only
 * the second one is weighed, since the first one has used up the free places in
 * half-empty slabs. The second one is so large that a slab more or less does
 * not matter. IOMMU page tables, which all backends need alike, are no slabs,
 * and do not count. The loss of free memory is measured, too, so that nothing
 * can hide.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <glob.h>

#define SMALL_FIRST	(256ULL << 20)
#define SMALL_SECOND	(1024ULL << 20)

/*
 * There is no memory for so many huge pages, so a few are mapped repeatedly, at
 * consecutive addresses. Neighbours there are not adjacent in the machine.
 */
#define HUGE_PAGES	64U
#define FILE_BYTES	(HUGE_PAGES * HUGE_BYTES)
#define HUGE_FIRST	(256 * FILE_BYTES)
#define HUGE_SECOND	(512 * FILE_BYTES)
#define HUGETLB_COUNT	"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"

static uint8_t *small, *huge;

/* Pages are allocated in the order of touching: every other one first. */
static void touch_interleaved(uint8_t *file)
{
	unsigned int lane, i;

	for (lane = 0; lane < 2; lane++)
		for (i = lane; i < HUGE_PAGES; i += 2)
			*(volatile uint8_t *)(file + i * HUGE_BYTES) = 0;
}

static uint8_t *alloc_huge(uint64_t nbytes)
{
	int flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE;
	int fd = memfd_create("bench", MFD_CLOEXEC | MFD_HUGETLB);
	uint8_t *memory = mem_reserve(nbytes + HUGE_BYTES);
	uint8_t *at;

	require_true(fd >= 0);
	require_eq(or_errno(ftruncate(fd, FILE_BYTES)), 0);
	memory += -(uintptr_t)memory % HUGE_BYTES;
	for (at = memory; at < memory + nbytes; at += FILE_BYTES) {
		require_true(mmap(at, FILE_BYTES, PROT_READ | PROT_WRITE,
				  at == memory ? flags & ~MAP_POPULATE : flags,
				  fd, 0) == at);
		if (at == memory)
			touch_interleaved(memory);
	}
	close(fd);
	/* There must be a break between all huge pages, and none inside one. */
	require_eq(mem_breaks(memory, FILE_BYTES), HUGE_PAGES - 1);
	return memory;
}

static void set_up(void)
{
	char count[16];

	snprintf(count, sizeof(count), "%u", HUGE_PAGES);
	require_eq(write_text(HUGETLB_COUNT, count), 0);
	huge = alloc_huge(HUGE_FIRST + HUGE_SECOND);
	small = mem_alloc_scattered(SMALL_FIRST + SMALL_SECOND);
	require_true(mem_breaks(small, SMALL_FIRST + SMALL_SECOND) >
		     (long long)((SMALL_FIRST + SMALL_SECOND) / PAGE * 99 / 100));
}

static void tear_down(void)
{
	mem_free(small, SMALL_FIRST + SMALL_SECOND);
	mem_free(huge, HUGE_FIRST + HUGE_SECOND);
	require_eq(write_text(HUGETLB_COUNT, "0"), 0);
}

static void shrink_slabs(void)
{
	glob_t caches;
	size_t i;

	require_eq(glob("/sys/kernel/slab/*/shrink", 0, NULL, &caches), 0);
	for (i = 0; i < caches.gl_pathc; i++)
		write_text(caches.gl_pathv[i], "1");
	globfree(&caches);
}

/* Unused memory of the machine: free pages, and those in the lists of CPUs. */
uint64_t free_memory(void)
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	unsigned long long npages, total = 0;
	char line[128];

	require_true(file);
	refresh_counts_of_memory();
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " pages free %llu", &npages) == 1 ||
		    sscanf(line, " count: %llu", &npages) == 1)
			total += npages;
	fclose(file);
	return total * PAGE;
}

static void weigh(const struct session *session, const uint8_t *memory,
		  uint64_t first_nbytes, uint64_t second_nbytes,
		  uint64_t page_nbytes, const char *kind)
{
	double npages = (double)(second_nbytes / page_nbytes);
	uint64_t before, free_before;
	char line[64];

	shrink_slabs();
	map(session, IOVA, memory, first_nbytes);
	free_before = free_memory();
	before = kernel_memory();
	map(session, IOVA + first_nbytes, memory + first_nbytes,
	    second_nbytes);
	snprintf(line, sizeof(line), "storage_%s", kind);
	sample(session, line, (double)(int64_t)(kernel_memory() - before) /
	       npages);
	snprintf(line, sizeof(line), "all_memory_%s", kind);
	sample(session, line, (double)(int64_t)(free_before - free_memory()) /
	       npages);
	unmap_all(session, first_nbytes + second_nbytes);
}

static void run(const struct session *session)
{
	weigh(session, small, SMALL_FIRST, SMALL_SECOND, PAGE, "scattered");
	weigh(session, huge, HUGE_FIRST, HUGE_SECOND, HUGE_BYTES, "huge");
}

const struct suite storage_suite = {
	.name = "storage",
	.set_up = set_up,
	.run = run,
	.tear_down = tear_down,
	.takes_long = true,
};
