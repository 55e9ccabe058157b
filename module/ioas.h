/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioas: an I/O address space.
 *
 * Owns: struct ioas, domains_rwsem, and what mapping and unmapping mean.
 */
#ifndef VFIO_IOAS_IOAS_H
#define VFIO_IOAS_IOAS_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/wait.h>

#include "iova.h"
#include "object.h"

struct ioas_account;

/*
 * Lock order, outer first:
 *
 *   domains_rwsem -> mmap lock of the memory's owner
 *
 * iova_lock is innermost: nothing is taken, and nobody sleeps, under it.
 *
 * Whoever does something with an IOAS holds domains_rwsem for reading from begin to
 * end (ioas_enter() to ioas_leave()), so that whoever holds it for writing sees live
 * areas only, and knows that nobody else is here. The struct is freed by RCU: under
 * rcu_read_lock() it may be entered without waiting by those who can tell then whether
 * it still exists.
 */
struct ioas {
	struct ioas_object object;
	struct rw_semaphore domains_rwsem;
	struct list_head hwpts;			/* domains_rwsem */
	unsigned long pgsizes;			/* domains_rwsem, anybody may peek */
	struct iova_space iova_space;
	struct ioas_account *account;		/* iova_lock; of whoever mapped last */
	wait_queue_head_t settled;		/* an area became live or went away */
	struct rcu_head rcu;
};

/* A map at a fixed IOVA, as a front end asks for it. */
struct ioas_map {
	unsigned long uptr;		/* user address in current->mm */
	unsigned long iova;
	unsigned long nbytes;		/* neither address may wrap within these */
	int iommu_prot;			/* IOMMU_READ, IOMMU_WRITE or both */
	unsigned long min_granule;	/* addresses and length are multiples of it */
	unsigned long max_areas;	/* -ENOSPC with that many in the IOAS */
	bool single_pages;		/* no I/O page larger than a CPU page */
};

/* A snapshot of what an IOAS can take. */
struct ioas_space_info {
	unsigned long nareas;
	unsigned int nranges;
	struct ioas_range *ranges;	/* ascending; kfree() it */
};

/* Which areas an unmap of a range takes, where it does not fit the areas. */
enum ioas_unmap_rule {
	UNMAP_WHOLE,	/* refuse to cut an area (type1v2) */
	UNMAP_LEADING,	/* nothing, if one begins before; else all that begin in it (type1) */
};

static inline void ioas_enter(struct ioas *ioas)
{
	down_read(&ioas->domains_rwsem);
}

static inline bool ioas_try_enter(struct ioas *ioas)
{
	return down_read_trylock(&ioas->domains_rwsem);
}

static inline void ioas_leave(struct ioas *ioas)
{
	up_read(&ioas->domains_rwsem);
}

/*
 * Which page sizes all domains can map, a bit a size in bytes: all bits without a
 * domain, never 0. Attaching or detaching may change it at the same moment.
 */
static inline unsigned long ioas_pgsizes(struct ioas *ioas)
{
	return READ_ONCE(ioas->pgsizes);
}

struct ioas *ioas_create(struct ioas_ctx *ctx);
int ioas_map(struct ioas *ioas, const struct ioas_map *map);
int ioas_unmap(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
	       enum ioas_unmap_rule rule, unsigned long *unmapped_nbytes);
void ioas_unmap_all(struct ioas *ioas, unsigned long *unmapped_nbytes);
int ioas_get_space_info(struct ioas *ioas, struct ioas_space_info *info);
bool ioas_enforces_coherency(struct ioas *ioas);

#endif
