/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store: one run of user memory, and which of its pages are pinned.
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

/* The owner of a struct store_user. */
enum store_user_kind {
	USER_AREA,		/* an area in a domain */
	USER_ACCESS_PIN,	/* a pin of an access, which may have several alike */
	USER_HOLD,		/* a struct store_hold */
};

/* A user of a store: it needs a part of the store pinned. */
struct store_user {
	struct rb_node node;		/* mutex of the store, as for the next one */
	struct rb_node last_node;
	unsigned long first_index;	/* constant while it is in the trees */
	unsigned long last_index;	/* inclusive */
	unsigned long subtree_last;
	enum store_user_kind kind;	/* constant, as is all that follows */
	unsigned long owner;		/* of a pin of an access: the number of the access ... */
	unsigned long iova;		/* ... and its first IOVA: areas can show the same pages */
};

/* Pages that holds have beside stores, counted for the status. */
struct store_beside {
	atomic_long_t npinned;
	atomic_long_t ncharged;		/* of these, pages that holds were charged for */
};

/*
 * A driver's pin of one page. Either it uses the page of the store, or it is *beside* the store: it
 * has a page of its own, and does not need that of the store.
 *
 * When a hold gets a page beside the store, the hold is *covered* if the store has a charged page
 * there that covers no other hold: that charge is then for both pages. Otherwise the page is
 * charged for itself, unless it is reserved. When the page of the store goes, a covered hold takes
 * over its charge.
 */
struct store_hold {
	struct store_user user;		/* of the store; if beside, for sharing->covered */
	struct page *page;		/* constant once pinned */
	struct store_beside *beside;	/* constant once pinned; NULL: not beside */
	bool covered;			/* mutex of the store, as for the next one */
	struct ioas_account *payer;	/* account charged for a page beside; or NULL */
};

/* State of a store that has users besides its original area. */
struct store_sharing {
	struct mutex mutex;		/* guards the extents, and ... */
	struct rb_root_cached users;	/* ... the users, as an interval tree ... */
	struct rb_root lasts;		/* ... and in the order of compare_lasts(), and ... */
	struct rb_root_cached covered;	/* ... covered holds: the users of struct store_hold */
	struct store_user own_area;	/* the user of the original area */
	refcount_t refs;		/* areas that show the store */
};

/*
 * Pin rules: exceptions from pinning by GUP, with FOLL_LONGTERM, in the process that maps the
 * store.
 */
#define STORE_MAY_BE_MMIO	BIT(0)	/* device memory (VM_PFNMAP) is accepted */
#define STORE_IGNORE_KEYS	BIT(1)	/* protection keys of the process are ignored */
#define STORE_STRICT_READ	BIT(2)	/* memory that the process may not read is refused */
#define STORE_SHARE_COW		BIT(3)	/* a pin for reading does not break copy-on-write */

struct ioas_store {
	struct ioas_account *account;	/* as uptr, set once, and by area_change_owner() */
	unsigned long uptr;		/* address of page 0 in account->mm */
	struct store_sharing *sharing;	/* set once, see area_share(); NULL: not shared */
	bool writable;
	u8 pin_rules;			/* STORE_... */
	bool leaked;			/* an IOMMU driver left a part mapped: stays pinned */
	struct extents extents;		/* mutex; if not shared: owner of the area */
	struct selftest_tally tally;
};

/**
 * store_pin() - pin and charge the pages that a user needs
 * @store: the store
 * @user: its range, if the store is shared; NULL for a store that is not shared: all of it
 *
 * The memory is that of the process that mapped it, even if another process calls.
 *
 * Context: may sleep and fault; the caller holds store_lock(). It owns the area, or keeps it busy
 * and the store is shared.
 * Return: 0, or with nothing pinned or charged:
 * * -EFAULT: memory is missing or not permitted, or the address space has ended
 * * -ENOMEM: over the memlock limit, or without memory
 * * -EINTR: a fatal signal
 * * -EINVAL and a warning: @user does not match the store
 * * what else pin_user() returns
 */
int store_pin(struct ioas_store *store, struct store_user *user);

/**
 * __store_unpin() - the part of store_unpin() for more than one charged run
 * @store: the store
 * @user: as given to store_pin()
 * @refund: as for store_unpin()
 *
 * Context: as store_unpin().
 */
void __store_unpin(struct ioas_store *store, struct store_user *user,
		   struct account_refund *refund);

/**
 * store_hold() - pin the page that the owner of the memory has by now, for a driver
 * @store: a shared store
 * @hold: zeroed but for its user; receives the page
 * @beside: counts the page if it is beside the store
 *
 * Context: may sleep and fault; the caller holds store_lock().
 * Return: 0, or with nothing pinned or charged: as store_pin(); -EINVAL if the owner has device
 * memory there.
 */
int store_hold(struct ioas_store *store, struct store_hold *hold, struct store_beside *beside);

/**
 * store_drop_beside() - end a hold that is beside a store
 * @store: the store
 * @hold: a hold that store_hold() has put beside the store
 *
 * Context: may sleep; the caller holds store_lock(). Never fails, needs no memory.
 */
void store_drop_beside(struct ioas_store *store, struct store_hold *hold);

/**
 * store_sharing_create() - prepare the state that a store needs to be shared
 * @store: the store
 * @pinned: its area is in a domain, so all of the store is pinned
 *
 * The caller makes it the sharing of the store, unless another thread was faster.
 *
 * Context: may sleep.
 * Return: the sharing, or NULL without memory.
 */
struct store_sharing *store_sharing_create(struct ioas_store *store, bool pinned);

/**
 * store_sharing_destroy() - undo store_sharing_create()
 * @sharing: has no users, except the original area if it never became that of a store
 */
void store_sharing_destroy(struct store_sharing *sharing);

/**
 * store_find_user() - find a user of a store
 * @store: a shared store
 * @wanted: its kind, owner and IOVA, and exactly its first and last page
 *
 * Context: the caller holds store_lock().
 * Return: the user that was given to store_pin(), or one of several alike; NULL if there is none.
 */
struct store_user *store_find_user(struct ioas_store *store, const struct store_user *wanted);

/**
 * store_divide() - make two users of one
 * @store: a shared store
 * @lower: a user whose part is pinned; keeps the lower part
 * @upper: gets the upper part
 * @lower_last_index: last page of the lower part, inclusive
 * @upper_first_index: first page of the upper part: the next page, or the same one
 *
 * Context: may sleep; the caller holds store_lock().
 * Return: 0, or -ENOMEM with nothing changed.
 */
int store_divide(struct ioas_store *store, struct store_user *lower,
		 struct store_user *upper, unsigned long lower_last_index,
		 unsigned long upper_first_index);

/**
 * store_list() - list pinned pages
 * @store: the store
 * @first_index: first page, pinned by the caller
 * @last_index: last page, inclusive
 * @list: receives a pointer for each page
 *
 * Context: the caller holds store_lock().
 * Return: 0; -EINVAL for device memory, which has no usable struct page; -EFAULT and a warning for
 * pages that are not pinned.
 */
int store_list(struct ioas_store *store, unsigned long first_index,
	       unsigned long last_index, struct page **list);

/**
 * store_copy() - copy from or to a store as a device sees it
 * @store: a shared store
 * @byte: first byte, counted from the start of page 0
 * @data: kernel memory
 * @nbytes: number of bytes, all in the store
 * @write: copy to the store
 *
 * Pinned pages can be reached even after the owner's address space has ended.
 *
 * Context: may sleep and fault; the caller holds store_lock().
 * Return: 0, or, maybe with a part copied: -EFAULT if there is no memory, or only device memory;
 * what pin_one() returns.
 */
int store_copy(struct ioas_store *store, unsigned long byte, void *data,
	       unsigned long nbytes, bool write);

/**
 * store_copy_direct() - copy from or to a store through the addresses of its process
 * @store: the store
 * @byte: first byte, counted from the start of page 0
 * @data: kernel memory
 * @nbytes: number of bytes, all in the store
 * @write: copy to the store
 * @may_borrow: a kernel thread without an address space uses that of the process
 *
 * Context: may sleep and fault; the caller keeps the area busy.
 * Return: 0; -EFAULT, maybe with a part copied; -EXDEV if the caller is neither the process nor
 * such a thread, or the address space has ended.
 */
int store_copy_direct(struct ioas_store *store, unsigned long byte, void *data,
		      unsigned long nbytes, bool write, bool may_borrow);

/* Sums over the pages of a store. */
struct store_sum {
	unsigned long npinned;
	unsigned long ncharged;		/* of these */
	unsigned long nruns;		/* includes those of device memory */
};

/* This many runs, or areas, are looked at without a pause. It bounds how long a lock is held. */
#define SUM_AT_ONCE	512

/**
 * store_sum() - add up runs and pages of a part of a store, up to a number of runs
 * @store: the store
 * @first_index: first page
 * @last_index: last page, inclusive
 * @max_runs: stop after this many runs, at least 1
 * @sum: is added to
 *
 * Context: the extents must not change meanwhile. Usually the caller owns the area and holds
 * store_lock(). The mutex of a shared store is enough, too; and so is iova_lock for a live area
 * whose store is not shared.
 * Return: the first page not looked at.
 */
unsigned long store_sum(struct ioas_store *store, unsigned long first_index,
			unsigned long last_index, unsigned long max_runs,
			struct store_sum *sum);

/**
 * store_sum_all() - add up runs and pages of a part of a store
 * @store: the store
 * @first_index: first page
 * @last_index: last page, inclusive
 * @sum: is added to
 *
 * Context: may sleep. Else as store_sum(), but without spinlocks.
 */
void store_sum_all(struct ioas_store *store, unsigned long first_index,
		   unsigned long last_index, struct store_sum *sum);

/*
 * While a store is not shared, the owner of its area owns the store, too, and needs no lock. Even
 * an uncontended lock costs 6 % of a 4 KiB unmap.
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
 * Undoes store_pin() for @user. No domain may show pages that only this user needed. The charges to
 * give back are added to @refund, which the caller pays. Context as for store_pin(), but does not
 * fault. Never fails, needs no memory.
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
 * Describes @nbytes of user memory from @uptr on, at least 1, that do not wrap. Nothing is pinned,
 * charged or even looked at. The account, with the owner's mm, is set later.
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

/* Frees the memory of a store. Nothing of it is pinned, unless it is leaked. */
static inline void store_exit(struct ioas_store *store)
{
	extents_destroy(&store->extents);
}

#endif
