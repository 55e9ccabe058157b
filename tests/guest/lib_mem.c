// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_mem.c - memory of the kinds a VFIO program maps, and patterns in it
 */
#define _GNU_SOURCE
#include "lib.h"

#define HUGETLB_COUNT	"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#define NLANES		8U
#define FRAME_MASK	((1ULL << 55) - 1)
#define PRESENT		(1ULL << 63)

static void *reserve(uint64_t nbytes, int prot, int flags)
{
	void *memory = mmap(NULL, nbytes, prot,
			    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	require_true(memory != MAP_FAILED);
	return memory;
}

static void touch(uint8_t *memory, uint64_t nbytes)
{
	uint64_t at;

	for (at = 0; at < nbytes; at += PAGE)
		*(volatile uint8_t *)(memory + at) = 0;
}

void *mem_alloc(uint64_t nbytes)
{
	void *memory = reserve(nbytes, PROT_READ | PROT_WRITE, 0);

	touch(memory, nbytes);
	return memory;
}

/* Is all of the memory in huge pages? */
static bool is_huge(const uint8_t *memory, uint64_t nbytes)
{
	uint64_t at;

	for (at = 0; at < nbytes; at += HUGE_BYTES)
		if (mem_breaks(memory + at, HUGE_BYTES))
			return false;
	return true;
}

/* The kernel may have no huge pages ready, but makes some on request. */
static void make_huge(uint8_t *memory, uint64_t nbytes)
{
	unsigned int tries;

	for (tries = 0; !is_huge(memory, nbytes) && tries < 10; tries++) {
		write_text("/proc/sys/vm/compact_memory", "1");
		madvise(memory, nbytes, MADV_COLLAPSE);
	}
	require_true(is_huge(memory, nbytes));
}

/* Reserves address space that begins at a multiple of HUGE_BYTES. */
static uint8_t *reserve_aligned(uint64_t nbytes)
{
	uint8_t *memory = reserve(nbytes + HUGE_BYTES, PROT_NONE, 0);
	uint8_t *aligned = memory;
	uint64_t excess;

	excess = (uintptr_t)memory % HUGE_BYTES;
	if (excess)
		aligned += HUGE_BYTES - excess;
	/* Give back the space around the aligned part. */
	if (aligned > memory)
		munmap(memory, (size_t)(aligned - memory));
	munmap(aligned + nbytes, HUGE_BYTES - (uint64_t)(aligned - memory));
	require_eq(or_errno(mprotect(aligned, nbytes, PROT_READ | PROT_WRITE)), 0);
	return aligned;
}

void *mem_alloc_huge(uint64_t nbytes)
{
	uint8_t *aligned = reserve_aligned(nbytes);

	madvise(aligned, nbytes, MADV_HUGEPAGE);
	touch(aligned, nbytes);
	make_huge(aligned, nbytes);
	return aligned;
}

void *mem_alloc_hugetlb(uint64_t nbytes)
{
	char count[32];
	void *memory;

	snprintf(count, sizeof(count), "%llu",
		 (unsigned long long)(nbytes / HUGE_BYTES));
	if (write_text(HUGETLB_COUNT, count))
		return NULL;
	memory = mmap(NULL, nbytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	touch(memory, nbytes);
	return memory;
}

void *mem_alloc_scattered(uint64_t nbytes)
{
	uint64_t npages = nbytes / PAGE;
	uint8_t *memory = reserve(nbytes, PROT_READ | PROT_WRITE, 0);
	uint32_t *order = malloc(npages * sizeof(*order));
	uint64_t state = 1;
	uint64_t i;

	require_true(order);
	madvise(memory, nbytes, MADV_NOHUGEPAGE);
	for (i = 0; i < npages; i++) {
		uint64_t j = random_next(&state) % (i + 1);

		order[i] = order[j];
		order[j] = (uint32_t)i;
	}
	for (i = 0; i < npages; i++)
		touch(memory + order[i] * PAGE, PAGE);
	free(order);
	return memory;
}

static void touch_interleaved(uint8_t *memory, uint64_t nbytes)
{
	unsigned int lane;
	uint64_t at;

	madvise(memory, nbytes, MADV_NOHUGEPAGE);
	for (lane = 0; lane < NLANES; lane++)
		for (at = lane * PAGE; at < nbytes; at += NLANES * PAGE)
			touch(memory + at, PAGE);
}

void *mem_alloc_interleaved(uint64_t nbytes)
{
	uint8_t *memory = reserve(nbytes, PROT_READ | PROT_WRITE, 0);

	touch_interleaved(memory, nbytes);
	return memory;
}

void *mem_alloc_torn(unsigned int missing)
{
	uint8_t *memory = reserve_aligned(HUGE_BYTES);

	touch_interleaved(memory, HUGE_BYTES);
	mem_free(memory + missing * PAGE, PAGE);
	return memory;
}

bool mem_mend(void *torn)
{
	void *memory;

	if (write_text(HUGETLB_COUNT, "1"))
		return false;
	memory = mmap(torn, HUGE_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	touch(memory, HUGE_BYTES);
	return true;
}

void *mem_alloc_shared_page(void)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	require_true(page != MAP_FAILED);
	return page;
}

void *mem_reserve(uint64_t nbytes)
{
	return reserve(nbytes, PROT_NONE, MAP_NORESERVE);
}

void mem_free(void *memory, uint64_t nbytes)
{
	require_eq(or_errno(munmap(memory, nbytes)), 0);
}

void fill(void *memory, uint64_t nbytes, uint64_t seed)
{
	uint8_t *bytes = memory;
	uint64_t i;

	for (i = 0; i < nbytes; i += 8) {
		uint64_t word = random_next(&seed);

		memcpy(bytes + i, &word, nbytes - i < 8 ? nbytes - i : 8);
	}
}

static uint64_t frame_of(int pagemap, const void *page)
{
	uint64_t entry = 0;
	off_t at = (off_t)((uintptr_t)page / PAGE * sizeof(entry));

	if (pread(pagemap, &entry, sizeof(entry), at) != sizeof(entry))
		return 0;
	return entry & PRESENT ? entry & FRAME_MASK : 0;
}

long long mem_breaks(const void *memory, uint64_t nbytes)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	const uint8_t *bytes = memory;
	uint64_t previous;
	long long nbreaks = 0;
	uint64_t at;

	if (pagemap < 0)
		return -errno;
	previous = frame_of(pagemap, bytes);
	for (at = PAGE; at < nbytes; at += PAGE) {
		uint64_t frame = frame_of(pagemap, bytes + at);

		nbreaks += frame != previous + 1;
		previous = frame;
	}
	close(pagemap);
	return previous ? nbreaks : -EPERM;
}
