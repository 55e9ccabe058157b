/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioas_struct: the state of an I/O address space, and how a thread enters it.
 */
#ifndef VFIO_IOAS_IOAS_STRUCT_H
#define VFIO_IOAS_IOAS_STRUCT_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "base/object.h"
#include "iova.h"
#include "memory/store.h"

struct ioas_account;
struct ioas_unmap_watch;

/*
 * Lock order, outer first:
 *
 *   ctx->groups_mutex -> ioas_rwsem of an access -> pins_rwsem of a notifier ->
 *   domains_rwsem
 *   -> mutex of a shared store -> mmap lock of the memory's owner;
 *   domains_rwsem -> ctx->areas_mutex
 *
 * iova_lock is innermost: under it, no lock is taken and no thread sleeps.
 *
 * A thread that uses an IOAS holds domains_rwsem for reading while it is inside (ioas_enter() to
 * ioas_leave()). So a thread that holds domains_rwsem for writing finds only live areas, and is
 * alone inside.
 *
 * The struct is freed by RCU. Under rcu_read_lock() a thread may enter without waiting by
 * ioas_try_enter(), if it then checks that the IOAS is not dead.
 */
struct ioas {
	struct ioas_object object;
	struct rw_semaphore domains_rwsem;
	struct list_head mirrors;		/* domains_rwsem; struct ioas_mirror */
	unsigned long pgsizes;			/* domains_rwsem; may be read without it */
	unsigned long iova_alignment;		/* domains_rwsem; see ioas_refresh() */
	unsigned int npinning;			/* domains_rwsem; notifiers of users that pin */
	bool small_pages;			/* domains_rwsem; HUGE_PAGES is off */
	bool dead;				/* domains_rwsem; is about to be freed */
	bool emptying;				/* set with domains_rwsem held for writing */
	void *front;				/* constant; the front end's own */
	refcount_t keepers;			/* of ioas_keep(), and one until it is dead */
	struct completion unkept;		/* it is dead, and not kept */
	struct list_head ioass_item;		/* areas_mutex of the context */
	struct iova_space iova_space;
	struct ioas_account *account;		/* iova_lock; of the last mapper; a reference */
	wait_queue_head_t area_waitq;	/* an area became live, settled or idle, or went away */
	struct xarray notifiers;		/* its own lock; struct ioas_notifier */
	struct store_beside beside;		/* pages of holds beside stores */
	struct ioas_unmap_watch *forgets;	/* constant; the front's watch of unmaps; or NULL */
	struct rcu_head rcu;
};

static inline void ioas_enter(struct ioas *ioas)
{
	down_read(&ioas->domains_rwsem);
}

/* As ioas_enter(). On a fatal signal returns -EINTR, and the caller is not inside. */
static inline int ioas_enter_killable(struct ioas *ioas)
{
	return down_read_killable(&ioas->domains_rwsem);
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
 * Lets a caller that has entered an IOAS leave and enter it again. The IOAS exists until
 * ioas_unkeep(), which the caller calls before it leaves for good.
 */
static inline void ioas_keep(struct ioas *ioas)
{
	refcount_inc(&ioas->keepers);
}

static inline void ioas_unkeep(struct ioas *ioas)
{
	lockdep_assert_held_read(&ioas->domains_rwsem);
	if (refcount_dec_and_test(&ioas->keepers))
		complete(&ioas->unkept);
}

/*
 * Ends a section under iova_lock that changed something that threads may wait for. It wakes them
 * after the unlock, since their number has no limit. The caller is inside the IOAS, so the IOAS
 * stays.
 */
static inline void ioas_unlock_and_wake(struct ioas *ioas)
	__releases(&ioas->iova_space.iova_lock)
{
	bool waited_for;

	lockdep_assert_held(&ioas->domains_rwsem);
	/* A waiter queues up before it looks under the same lock. */
	waited_for = waitqueue_active(&ioas->area_waitq);
	spin_unlock(&ioas->iova_space.iova_lock);
	if (unlikely(waited_for))
		wake_up_all(&ioas->area_waitq);
}

/*
 * The page sizes that all domains can map, one bit for each size in bytes. All bits without a
 * domain, never 0. An attach or detach may change it at the same moment.
 */
static inline unsigned long ioas_pgsizes(struct ioas *ioas)
{
	return READ_ONCE(ioas->pgsizes);
}

#endif
