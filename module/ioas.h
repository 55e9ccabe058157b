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
#include <linux/xarray.h>

#include "iova.h"
#include "object.h"

struct ioas_account;

/*
 * Lock order, outer first:
 *
 *   ctx->groups_mutex -> rwsem of an access -> domains_rwsem -> mutex of a shared store
 *   -> mmap lock of the memory's owner
 *
 * iova_lock is innermost: nothing but the lock of a wait queue is taken, and nobody
 * sleeps, under it.
 *
 * Whoever does something with an IOAS holds domains_rwsem for reading from begin to
 * end (ioas_enter() to ioas_leave()), so that whoever holds it for writing sees live
 * areas only, and knows that nobody else is here. The struct is freed by RCU: under
 * rcu_read_lock() it may be entered without waiting by those who then look whether it is
 * dead.
 */
struct ioas {
	struct ioas_object object;
	struct rw_semaphore domains_rwsem;
	struct list_head hwpts;			/* domains_rwsem */
	unsigned long pgsizes;			/* domains_rwsem, anybody may peek */
	unsigned long granule;			/* domains_rwsem; see ioas_refresh() */
	unsigned int npinning;			/* domains_rwsem; in-kernel users that pin */
	bool small_pages;			/* domains_rwsem; HUGE_PAGES is off */
	bool dead;				/* domains_rwsem; is about to be freed */
	struct iova_space iova_space;
	struct ioas_account *account;		/* iova_lock; of whoever mapped last, kept */
	wait_queue_head_t settled;		/* an area became live, idle or went away */
	struct xarray accesses;			/* own lock; struct ioas_access */
	struct rcu_head rcu;
};

enum ioas_map_rule {
	MAP_TYPE1,	/* fixed; overlap, number and reserved are checked in this order */
	MAP_FIXED,	/* as iommufd: reserved comes before overlap, whoever is just there */
	MAP_ANYWHERE,	/* the lowest address that fits */
};

/* A map, as a front end asks for it. */
struct ioas_map {
	enum ioas_map_rule rule;
	unsigned long uptr;		/* user address in current->mm */
	unsigned long iova;		/* in; out for MAP_ANYWHERE */
	unsigned long nbytes;		/* no address may wrap within these */
	int iommu_prot;			/* IOMMU_READ, IOMMU_WRITE or both */
	enum account_mode account_mode;
	unsigned long min_granule;	/* addresses and length are multiples of it */
	unsigned long max_areas;	/* -ENOSPC with that many in the IOAS */
	bool single_pages;		/* no I/O page larger than a CPU page */
};

/* A snapshot of what an IOAS can take. */
struct ioas_space_info {
	unsigned long nareas;
	unsigned long granule;
	unsigned int nranges;
	struct ioas_range *ranges;	/* ascending; kfree() it */
};

/* Which areas an unmap of a range takes, where it does not fit the areas. */
enum ioas_unmap_rule {
	UNMAP_WHOLE,	/* refuse to cut an area, before anything is done (type1v2) */
	UNMAP_LEADING,	/* nothing, if one begins before; else all that begin in it (type1) */
	UNMAP_UPWARD,	/* one after another until one does not fit (iommufd) */
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
 * Something that somebody may wait for has changed. Under iova_lock, or after it: a waiter
 * queues up before he looks under that lock.
 */
static inline void ioas_wake_waiters(struct ioas *ioas)
{
	if (waitqueue_active(&ioas->settled))
		wake_up_all(&ioas->settled);
}

/*
 * Which page sizes all domains can map, a bit a size in bytes: all bits without a
 * domain, never 0. Attaching or detaching may change it at the same moment.
 */
static inline unsigned long ioas_pgsizes(struct ioas *ioas)
{
	return READ_ONCE(ioas->pgsizes);
}

static inline struct ioas *object_ioas(struct ioas_object *object)
{
	return container_of(object, struct ioas, object);
}

struct ioas *ioas_create(struct ioas_ctx *ctx);
struct ioas *ioas_get(struct ioas_ctx *ctx, u32 id);
void ioas_put(struct ioas *ioas);
struct ioas *ioas_get_vfio(struct ioas_ctx *ctx);
void ioas_set_vfio(struct ioas_ctx *ctx, struct ioas *ioas);

void ioas_refresh(struct ioas *ioas);
int ioas_check_granule(struct ioas *ioas, unsigned long granule);
int ioas_set_small_pages(struct ioas *ioas, bool small_pages);
void ioas_wait_until_settled(struct ioas *ioas, unsigned long iova,
			     unsigned long last_iova);
void ioas_prepare_search(struct ioas *ioas);
int ioas_get_space_info(struct ioas *ioas, struct ioas_space_info *info);
bool ioas_enforces_coherency(struct ioas *ioas);

int ioas_map(struct ioas *ioas, struct ioas_map *map);
int ioas_map_native(struct ioas *ioas, struct ioas_map *map);
int ioas_unmap(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
	       enum ioas_unmap_rule rule, unsigned long *unmapped_nbytes);
int ioas_unmap_all(struct ioas *ioas, unsigned long *unmapped_nbytes);
void ioas_erase_areas(struct ioas *ioas, struct ioas_area *areas);

int ioas_capture(struct ioas *ioas, unsigned long iova, unsigned long nbytes,
		 int iommu_prot, struct ioas_area **copies);
int ioas_map_copies(struct ioas *ioas, struct ioas_map *map, struct ioas_area *copies);
int ioas_cut(struct ioas *ioas, unsigned long last_iova);

#endif
