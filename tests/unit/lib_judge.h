/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that carries its slots, and a judge that compares IOASs, domains and pins with it.
 *
 * Each page that a process shows carries its *slot*: the number of the address at which it is
 * shown. At page i of IOVA a test maps only slots that differ from i by a multiple of PERIOD.
 */
#ifndef LIB_JUDGE_H
#define LIB_JUDGE_H

#include "space/area.h"
#include "domain/hwpt.h"
#include "space/copy.h"
#include "space/ioas.h"
#include "space/limits.h"
#include "space/map.h"
#include "space/mirror.h"
#include "space/notifier.h"
#include "space/unmap.h"
#include "kernel.h"

#define NSLOTS		48UL	/* of memory, and pages of IOVA */
#define PERIOD		8UL
#define FIRST_INDEX	0x100UL	/* of the pages of IOVA */
#define NPROCESSES	2
#define NIOAS		3
#define NPINS		64

/* Pages that a driver has pinned. */
struct judge_pin {
	struct ioas *ioas;
	unsigned long index;		/* pages from FIRST_INDEX on */
	unsigned long npages;		/* 1 for a hold */
	const struct store_hold *hold;	/* NULL if it is no hold */
};

extern struct shim_process processes[NPROCESSES];

/*
 * Makes two processes with a page at each slot, and with a page for the arguments of each thread.
 * From now on each page that a domain maps is checked: its slot may be at this address, and one of
 * @ioass shows it there, unless one of @ioass is NULL.
 */
void judge_make_memory(unsigned long *seed, struct ioas *const ioass[NIOAS]);

/* Checks that no memory is pinned, charged or allocated. */
void judge_end_memory(void);

/* In a few slots of a process shows other memory or none, or changes the protection. */
void judge_change_memory(unsigned long *seed);

/* The user address of a thread's arguments. */
unsigned long judge_arguments(unsigned int thread);

static inline unsigned long slot_address(unsigned long slot)
{
	return SHIM_USER_BASE + slot * PAGE_SIZE;
}

static inline unsigned long index_iova(unsigned long index)
{
	return (FIRST_INDEX + index) * PAGE_SIZE;
}

/* Checks a page that a driver got for page @index: pinned, with a slot that may be there. */
void judge_page(const struct page *page, unsigned long index);

/* The same for the first bytes that a driver read from page @index. */
void judge_bytes(u64 bytes, unsigned long index);

/* Checks everything, while no call is under way. @ioass can have NULLs. */
void judge_all(struct ioas *const ioass[NIOAS], const struct judge_pin *pins,
	       unsigned int npins);

#endif
