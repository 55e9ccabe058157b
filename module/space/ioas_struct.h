/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioas_struct: what an I/O address space is, and how a thread is in it.
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
 * iova_lock is innermost: nothing but the lock of a wait queue is taken, and nobody
 * sleeps, under it.
 *
 * Whoever does something with an IOAS holds domains_rwsem for reading while it is in
 * there (ioas_enter() to ioas_leave()), so that whoever takes it for writing finds live
 * areas only, and knows that nobody else is here. The struct is freed by RCU: under
 * rcu_read_lock() it may be entered without waiting by those who then look whether it is
 * dead.
 */
struct ioas {
	struct ioas_object object;
	struct rw_semaphore domains_rwsem;
	struct list_head mirrors;		/* domains_rwsem; struct ioas_mirror */
	unsigned long pgsizes;			/* domains_rwsem, anybody may peek */
	unsigned long iova_alignment;		/* domains_rwsem; see ioas_refresh() */
	unsigned int npinning;			/* domains_rwsem; notifiers of users that pin */
	bool small_pages;			/* domains_rwsem; HUGE_PAGES is off */
	bool dead;				/* domains_rwsem; is about to be freed */
	bool emptying;				/* domains_rwsem for writing sets it */
	void *front;				/* constant; belongs to the front end */
	refcount_t keepers;			/* see ioas_keep(), and one until it is dead */
	struct completion unkept;		/* it is dead, and nobody keeps it */
	struct list_head ioass_item;		/* areas_mutex of the context */
	struct iova_space iova_space;
	struct ioas_account *account;		/* iova_lock; of whoever mapped last, kept */
	wait_queue_head_t area_waitq;	/* an area became live, idle or went away */
	struct xarray notifiers;		/* its own lock; struct ioas_notifier */
	struct store_beside beside;		/* pages of holds that no store has */
	struct ioas_unmap_watch *forgets;	/* constant; the front's memory of areas; or NULL */
	struct rcu_head rcu;
};

static inline void ioas_enter(struct ioas *ioas)
{
	down_read(&ioas->domains_rwsem);
}

/* As ioas_enter(). On a fatal signal -EINTR, and the caller is not in there. */
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
 * Lets the caller, who has entered an IOAS, leave and enter it again: it is there until
 * ioas_unkeep(), which comes before the caller leaves for good.
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
 * Something that somebody may wait for has changed under iova_lock, which ends here: there is no
 * limit to the number of waiters. The caller is in the IOAS, which therefore stays.
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
 * Which page sizes all domains can map, a bit a size in bytes: all bits without a
 * domain, never 0. Attaching or detaching may change it at the same moment.
 */
static inline unsigned long ioas_pgsizes(struct ioas *ioas)
{
	return READ_ONCE(ioas->pgsizes);
}

#endif
