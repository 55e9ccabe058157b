/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store: one run of user memory, and what of it is pinned.
 *
 * Owns: struct ioas_store, struct store_sharing and its mutex.
 */
#ifndef VFIO_IOAS_STORE_H
#define VFIO_IOAS_STORE_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>

#include "account.h"
#include "base/vfio_ioas_trace.h"
#include "extents.h"
#include "pin.h"

struct page;

/* Whose a struct store_user is. */
enum store_user_kind {
	USER_AREA,		/* an area in a domain */
	USER_ACCESS_PIN,	/* an in-kernel user's pin, one of several alike of its owner */
	USER_HOLD,		/* a struct store_hold */
};

/* Somebody who needs a part of a store pinned. */
struct store_user {
	struct rb_node node;		/* mutex of the store, as for the next one */
	struct rb_node last_node;
	unsigned long first_index;	/* constant while it is in the trees */
	unsigned long last_index;	/* inclusive */
	unsigned long subtree_last;
	enum store_user_kind kind;	/* constant, as is what follows */
	unsigned long owner;		/* of an access' pin: its number, see access.c ... */
	unsigned long iova;		/* ... and where it begins: areas can show the same pages */
};

/* Pages that holds have beside stores. Counted for the status. */
struct store_beside {
	atomic_long_t npinned;
	atomic_long_t ncharged;		/* of these, those that the holds were charged for */
};

/*
 * A driver's pin of one page. It needs the page of the store, or it is *beside* the store, with a
 * page of its own, and needs none of the store. When it comes, such a page is *covered* if the
 * store has a charged page there that covers no other one: its charge is for both. Otherwise, and
 * when the store's page goes, the page beside is charged for itself, unless it is reserved.
 */
struct store_hold {
	struct store_user user;		/* while it is beside, for sharing->covered */
	struct page *page;		/* constant once pinned */
	struct store_beside *beside;	/* constant once pinned; NULL: not beside */
	bool covered;			/* mutex of the store, as for the next one */
	struct ioas_account *payer;	/* who was charged for a page beside; or NULL */
};

/* More state of a store, once it has users besides the area that it came with. */
struct store_sharing {
	struct mutex mutex;		/* the extents, and ... */
	struct rb_root_cached users;	/* ... who needs which part of them, as intervals ... */
	struct rb_root lasts;		/* ... and in the order of compare_lasts(); ... */
	struct rb_root_cached covered;	/* ... and holds that are, of struct store_hold */
	struct store_user own_area;	/* the one of the area that the store came with */
	refcount_t refs;		/* areas that show the store */
};

/* How a store may be pinned other than by GUP, with FOLL_LONGTERM, in the process that maps it. */
#define STORE_MAY_BE_MMIO	BIT(0)	/* device memory will do (VM_PFNMAP) */
#define STORE_IGNORE_KEYS	BIT(1)	/* protection keys of the process do not count */
#define STORE_STRICT_READ	BIT(2)	/* what the process may not read is refused */
#define STORE_SHARE_COW		BIT(3)	/* a pin for reading does not break copy-on-write */

struct ioas_store {
	struct ioas_account *account;	/* constant once set, as is what follows */
	unsigned long uptr;		/* address of page 0 in account->mm */
	struct store_sharing *sharing;	/* set once, see area_share() */
	bool writable;
	u8 pin_rules;			/* STORE_... */
	bool leaked;			/* an IOMMU driver did not let go: stays pinned */
	struct extents extents;		/* the mutex; without sharing: the area's owner */
	struct selftest_tally tally;
};

/**
 * store_pin() - pin and charge what a user needs
 * @store: the store
 * @user: its range; NULL for a store that is not shared: all of it
 *
 * Memory comes from the process that created the store, also when another one
 * asks.
 *
 * Context: may sleep and fault; the caller owns the area and holds store_lock().
 * Return: 0, or with nothing pinned or charged: -EFAULT where memory is missing,
 * not permitted, or its process is gone; -ENOMEM over the memlock limit or without
 * memory; -EINTR on a fatal signal; -EINVAL, and a warning, for a part of a store that is not
 * shared, or for all of one that is.
 */
int store_pin(struct ioas_store *store, struct store_user *user);

/**
 * __store_unpin() - the part of store_unpin() for what is not one run
 * @store: the store
 * @user: as given to store_pin()
 * @refund: as for store_unpin()
 *
 * Context: as store_unpin().
 */
void __store_unpin(struct ioas_store *store, struct store_user *user,
		   struct account_refund *refund);

/**
 * store_hold() - pin a page for a driver that gets what the memory's owner has there by now
 * @store: a shared store
 * @hold: zeroed but for its user; receives the page
 * @beside: counts it if that is not the page that the store has there
 *
 * Context: may sleep and fault, holds store_lock().
 * Return: 0, or with nothing changed as store_pin(); -EINVAL where the owner has device memory.
 */
int store_hold(struct ioas_store *store, struct store_hold *hold, struct store_beside *beside);

/**
 * store_drop_beside() - end a hold that is beside a store
 * @store: the store
 * @hold: made so by store_hold()
 *
 * Context: may sleep, holds store_lock(). Never fails, needs no memory.
 */
void store_drop_beside(struct ioas_store *store, struct store_hold *hold);

/**
 * store_sharing_create() - prepare what a store needs for several users
 * @store: the store
 * @pinned: its area is in a domain, and so all of it is pinned
 *
 * Context: may sleep. To become the sharing of the store unless somebody else was faster.
 * Return: the sharing, or NULL without memory.
 */
struct store_sharing *store_sharing_create(struct ioas_store *store, bool pinned);

/**
 * store_sharing_destroy() - undo store_sharing_create()
 * @sharing: without users but, if it was never used, the first one
 */
void store_sharing_destroy(struct store_sharing *sharing);

/**
 * store_find_user() - find somebody who needs a part of a store
 * @store: a shared store
 * @wanted: its kind, owner and IOVA, and the pages of exactly this part
 *
 * Context: holds store_lock().
 * Return: the user that was given to store_pin(), one of them if there are several; or
 * NULL.
 */
struct store_user *store_find_user(struct ioas_store *store, const struct store_user *wanted);

/**
 * store_divide() - make two users of one
 * @store: a shared store
 * @lower: a user with all of it pinned; keeps the lower part
 * @upper: gets the upper part
 * @lower_last_index: last page of the lower part
 * @upper_first_index: first page of the upper part: the next one, or the same page
 *
 * Context: may sleep, holds store_lock().
 * Return: 0 or -ENOMEM with nothing changed.
 */
int store_divide(struct ioas_store *store, struct store_user *lower,
		 struct store_user *upper, unsigned long lower_last_index,
		 unsigned long upper_first_index);

/**
 * store_list() - tell which pages are pinned
 * @store: the store
 * @first_index: first page, pinned by the caller
 * @last_index: last page, inclusive
 * @list: receives a pointer for each
 *
 * Context: holds store_lock().
 * Return: 0; -EINVAL for device memory, which has no struct page to use; -EFAULT, and a
 * warning, for what is not pinned.
 */
int store_list(struct ioas_store *store, unsigned long first_index,
	       unsigned long last_index, struct page **list);

/**
 * store_copy() - copy from or to a store as a device would see it
 * @store: a shared store
 * @byte: where to begin
 * @data: kernel memory
 * @nbytes: how much; all of it lies in the store
 * @write: to the store
 *
 * What is pinned is reached whether or not its process still lives.
 *
 * Context: may sleep and fault, holds store_lock().
 * Return: 0; maybe with a part copied, -EFAULT where there is no memory, or what pin_one() says.
 */
int store_copy(struct ioas_store *store, unsigned long byte, void *data,
	       unsigned long nbytes, bool write);

/**
 * store_copy_direct() - copy from or to a store by way of its process' addresses
 * @store: the store
 * @byte: where to begin
 * @data: kernel memory
 * @nbytes: how much; all of it lies in the store
 * @write: to the store
 * @may_borrow: a kernel thread without an address space takes that of the process
 *
 * Context: may sleep and fault; the caller keeps the area busy.
 * Return: 0; -EFAULT, maybe with a part copied; -EXDEV if the caller is neither the process
 * nor such a thread, or the process is gone.
 */
int store_copy_direct(struct ioas_store *store, unsigned long byte, void *data,
		      unsigned long nbytes, bool write, bool may_borrow);

/* What stands behind pages of a store. */
struct store_sum {
	unsigned long npinned;
	unsigned long ncharged;		/* of these */
	unsigned long nruns;		/* of device memory, too */
};

/* So many runs, or areas, are looked at without a pause: bounds how long a lock is held. */
#define SUM_AT_ONCE	512

/**
 * store_sum() - add up what stands behind the first of some pages
 * @store: the store
 * @first_index: first page
 * @last_index: last page, inclusive
 * @max_runs: stop after so many runs, at least 1
 * @sum: is added to
 *
 * Context: the extents do not change meanwhile: the caller owns the area and holds
 * store_lock(), or see sum_store().
 * Return: the first page not looked at.
 */
unsigned long store_sum(struct ioas_store *store, unsigned long first_index,
			unsigned long last_index, unsigned long max_runs,
			struct store_sum *sum);

/**
 * store_sum_all() - add up what stands behind pages
 * @store: the store
 * @first_index: first page
 * @last_index: last page, inclusive
 * @sum: is added to
 *
 * Context: process, may sleep: takes a pause every so often. Else as store_sum().
 */
void store_sum_all(struct ioas_store *store, unsigned long first_index,
		   unsigned long last_index, struct store_sum *sum);

/*
 * While a store is not shared, the owner of the area it came with owns it, too, and needs no
 * lock: an uncontended one costs 6 % of a 4 KiB unmap.
 */
static inline void store_lock(struct ioas_store *store)
{
	if (unlikely(store->sharing))
		mutex_lock(&store->sharing->mutex);
}

static inline void store_unlock(struct ioas_store *store)
{
	if (unlikely(store->sharing))
		mutex_unlock(&store->sharing->mutex);
}

/*
 * A user, as given to store_pin(), does not need its part any more; no domain may show what
 * only this user needed. @refund collects what the owner gets back, to be paid by the
 * caller. May sleep; the caller owns the area and holds store_lock(). Never fails, needs no
 * memory.
 */
static inline void store_unpin(struct ioas_store *store, struct store_user *user,
			       struct account_refund *refund)
{
	struct extents *extents = &store->extents;

	if (unlikely(user || trace_unpin_enabled() || store->leaked ||
		     !extents_is_one_run(extents) ||
		     extents_only_kind(extents) != EXTENT_CHARGED)) {
		__store_unpin(store, user, refund);
		return;
	}
	unpin_run(extents_only_pfn(extents), extents->npages, store->writable);
	account_refund(refund, store->account, extents->npages);
	extents_set_only(extents, EXTENT_HOLE, 0);
}

/*
 * Describes user memory at @uptr, of @nbytes, at least 1, that do not wrap; nothing is pinned,
 * charged or even looked at. The account, which says whose memory it is, comes later.
 */
static inline void store_init(struct ioas_store *store, unsigned long uptr,
			      unsigned long nbytes, bool writable)
{
	store->account = NULL;
	store->uptr = uptr & PAGE_MASK;
	store->sharing = NULL;
	store->writable = writable;
	store->pin_rules = 0;
	store->leaked = false;
	selftest_tally_init(&store->tally);
	extents_init(&store->extents, ((uptr & ~PAGE_MASK) + nbytes - 1) / PAGE_SIZE + 1);
}

/* Forgets a store, with nothing pinned unless it is leaked. */
static inline void store_exit(struct ioas_store *store)
{
	extents_destroy(&store->extents);
}

#endif
