/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that says what it is, and a judge that looks at all that an IOAS, its domains and its
 * users have of it.
 *
 * Each page that a process shows carries its *slot*: the number of the address at which it is
 * shown. A test maps at page i of IOVA only slots that differ from i by multiples of PERIOD.
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

/* Pages that a driver has pinned, one if it is a hold. */
struct judge_pin {
	struct ioas *ioas;
	unsigned long index;		/* pages from FIRST_INDEX on */
	unsigned long npages;
	const struct store_hold *hold;	/* of a hold, which it is; else NULL */
};

extern struct shim_process processes[NPROCESSES];

/*
 * Both processes show something at each slot, and have a page of each thread's arguments. From
 * now on all that a domain maps is looked at; of one of @ioass, while none of them is NULL.
 */
void judge_make_memory(unsigned long *seed, struct ioas *const ioass[NIOAS]);

/* Nothing of it is pinned or charged, and nothing is allocated. */
void judge_end_memory(void);

/* Shows something else, or nothing, or protects it, in a few slots of a process. */
void judge_change_memory(unsigned long *seed);

/* Where arguments of a thread are. */
unsigned long judge_arguments(unsigned int thread);

static inline unsigned long slot_address(unsigned long slot)
{
	return SHIM_USER_BASE + slot * PAGE_SIZE;
}

static inline unsigned long index_iova(unsigned long index)
{
	return (FIRST_INDEX + index) * PAGE_SIZE;
}

/* A page that a driver got for a page of IOVA: pinned, and of a slot that may be there. */
void judge_page(const struct page *page, unsigned long index);

/* The first bytes of each page. */
void judge_bytes(u64 bytes, unsigned long index);

/* Nobody is at work: looks at everything. A NULL in @ioass is none. */
void judge_all(struct ioas *const ioass[NIOAS], const struct judge_pin *pins,
	       unsigned int npins);

#endif
