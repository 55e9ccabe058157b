/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_mem.h - memory of the kinds a VFIO program maps, and patterns in it
 */
#ifndef GUEST_LIB_MEM_H
#define GUEST_LIB_MEM_H

/* Anonymous read-write memory, all of it touched. */
void *mem_alloc(uint64_t nbytes);
/* The same in transparent huge pages; the test fails if the machine does not have them. */
void *mem_alloc_huge(uint64_t nbytes);
/* The same from hugetlbfs; NULL if the machine cannot spare the pages. */
void *mem_alloc_hugetlb(uint64_t nbytes);
/* The same in 4 KiB pages faulted in an order that scatters them. */
void *mem_alloc_scattered(uint64_t nbytes);
/*
 * The same in 4 KiB pages. Neighbouring pages of the memory are no neighbours in the machine, but
 * all are near each other, which is good for caches.
 */
void *mem_alloc_interleaved(uint64_t nbytes);
/*
 * mem_alloc_torn(): HUGE_BYTES, aligned to that, in such pages, without the page number @missing.
 * mem_mend(): puts a huge page from hugetlbfs in its place; false if the machine cannot spare one.
 */
void *mem_alloc_torn(unsigned int missing);
bool mem_mend(void *torn);
/* A page that children share. */
void *mem_alloc_shared_page(void);
/* Address space without memory behind it (PROT_NONE). */
void *mem_reserve(uint64_t nbytes);
void mem_free(void *memory, uint64_t nbytes);

/* Fills the memory with bytes that differ from page to page and from seed to seed. */
void fill(void *memory, uint64_t nbytes, uint64_t seed);

/*
 * Returns how many pages of the memory are not followed by their neighbour in the machine, or
 * -errno if /proc/self/pagemap does not tell.
 */
long long mem_breaks(const void *memory, uint64_t nbytes);

#endif
