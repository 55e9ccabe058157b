/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages: one run of user memory, and what of it is pinned.
 *
 * Owns: struct ioas_pages, struct pages_sharing and its mutex.
 */
#ifndef VFIO_IOAS_PAGES_H
#define VFIO_IOAS_PAGES_H

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

/* Whose a struct pages_user is, and so which struct it is a part of. */
enum pages_user_kind {
	USER_AREA,		/* an area in a domain */
	USER_ACCESS_PIN,	/* a pin of access.c, one of several alike of its owner */
	USER_HOLD,		/* a page that a container's emulated devices hold */
};

/* Somebody who needs a part of a store pinned. */
struct pages_user {
	struct rb_node node;		/* mutex of the store, as for the next one */
	struct rb_node last_node;
	unsigned long first_index;	/* constant while it is in the trees */
	unsigned long last_index;	/* inclusive */
	unsigned long subtree_last;
	enum pages_user_kind kind;	/* constant, as is what follows */
	unsigned long owner;		/* of an access' pin: its number, see access.c ... */
	unsigned long iova;		/* ... and where it begins: areas can show the same pages */
};

/* Pages that holds have beside stores. Counted for the status. */
struct pages_beside {
	atomic_long_t npinned;
	atomic_long_t ncharged;		/* of these, those that the holds were charged for */
};

/*
 * A driver's pin of one page. It needs the page of the store, or it is *beside* the store, with a
 * page of its own, and needs none of the store. When it comes, such a page is *covered* if the
 * store has a charged page there that covers no other one: its charge is for both. Otherwise, and
 * when the store's page goes, the page beside is charged for itself, unless it is reserved.
 */
struct pages_hold {
	struct pages_user user;		/* while it is beside, for sharing->covered */
	struct page *page;		/* constant once pinned */
	struct pages_beside *beside;	/* constant once pinned; NULL: not beside */
	bool covered;			/* mutex of the store, as for the next one */
	struct ioas_account *payer;	/* who was charged for a page beside; or NULL */
};

/* More state of a store, once it has users besides the area that it came with. */
struct pages_sharing {
	struct mutex mutex;		/* the extents, and ... */
	struct rb_root_cached users;	/* ... who needs which part of them, as intervals ... */
	struct rb_root lasts;		/* ... and in the order of compare_lasts(); ... */
	struct rb_root_cached covered;	/* ... and holds that are, of struct pages_hold */
	struct pages_user own_area;	/* the one of the area that the store came with */
	refcount_t refs;		/* areas that show the store, and calls */
};

/* How a store may be pinned other than by GUP, with FOLL_LONGTERM, in the process that maps it. */
#define PAGES_MAY_BE_MMIO	BIT(0)	/* device memory will do (VM_PFNMAP) */
#define PAGES_IGNORE_KEYS	BIT(1)	/* protection keys of the process do not count */
#define PAGES_STRICT_READ	BIT(2)	/* what the process may not read is refused, written or not */
#define PAGES_SHARE_COW		BIT(3)	/* a pin for reading does not break copy-on-write */

struct ioas_pages {
	struct ioas_account *account;	/* constant once set, as is what follows */
	unsigned long uptr;		/* address of page 0 in account->mm */
	struct pages_sharing *sharing;	/* set once, see area_share() */
	bool writable;
	u8 pin_rules;			/* PAGES_... */
	bool stuck;			/* an IOMMU driver did not let go: stays pinned */
	struct extents extents;		/* the mutex; without sharing: the area's owner */
	struct selftest_tally tally;
};

/**
 * pages_pin() - pin and charge what a user needs
 * @pages: the store
 * @user: its range; NULL for a store that is not shared: all of it
 *
 * Memory comes from the process that created the store, also when another one
 * asks.
 *
 * Context: may sleep and fault; the caller owns the area and holds pages_lock().
 * Return: 0, or with nothing pinned or charged: -EFAULT where memory is missing,
 * not permitted, or its process is gone; -ENOMEM over the memlock limit or without
 * memory; -EINTR on a fatal signal; -EINVAL, and a warning, for a part of a store that is not
 * shared, or for all of one that is.
 */
int pages_pin(struct ioas_pages *pages, struct pages_user *user);

/**
 * pages_unpin_slowly() - the part of pages_unpin() for what is not one run
 * @pages: the store
 * @user: as given to pages_pin()
 * @refund: as for pages_unpin()
 *
 * Context: as pages_unpin().
 */
void pages_unpin_slowly(struct ioas_pages *pages, struct pages_user *user,
			struct account_refund *refund);

/**
 * pages_hold() - pin a page for a driver that gets what the memory's owner has there by now
 * @pages: a shared store
 * @hold: zeroed but for its user; receives the page
 * @beside: counts it if that is not the page that the store has there
 *
 * Context: may sleep and fault, holds pages_lock().
 * Return: 0, or with nothing changed as pages_pin(); -EINVAL where the owner has device memory.
 */
int pages_hold(struct ioas_pages *pages, struct pages_hold *hold, struct pages_beside *beside);

/**
 * pages_drop_beside() - end a hold that is beside a store
 * @pages: the store
 * @hold: made so by pages_hold()
 *
 * Context: may sleep, holds pages_lock(). Never fails, needs no memory.
 */
void pages_drop_beside(struct ioas_pages *pages, struct pages_hold *hold);

/**
 * pages_sharing_create() - prepare what a store needs for several users
 * @pages: the store
 * @pinned: its area is in a domain, and so all of it is pinned
 *
 * Context: may sleep. To become the sharing of the store unless somebody else was faster.
 * Return: the sharing, or NULL without memory.
 */
struct pages_sharing *pages_sharing_create(struct ioas_pages *pages, bool pinned);

/**
 * pages_sharing_destroy() - undo pages_sharing_create()
 * @sharing: without users but, if it was never used, the first one
 */
void pages_sharing_destroy(struct pages_sharing *sharing);

/**
 * pages_find_user() - find somebody who needs a part of a store
 * @pages: a shared store
 * @wanted: its kind, owner and IOVA, and the pages of exactly this part
 *
 * Context: holds pages_lock().
 * Return: the user that was given to pages_pin(), one of them if there are several; or
 * NULL.
 */
struct pages_user *pages_find_user(struct ioas_pages *pages, const struct pages_user *wanted);

/**
 * pages_divide() - make two users of one
 * @pages: a shared store
 * @lower: a user with all of it pinned; keeps the lower part
 * @upper: gets the upper part
 * @lower_last_index: last page of the lower part
 * @upper_first_index: first page of the upper part: the next one, or the same page
 *
 * Context: may sleep, holds pages_lock().
 * Return: 0 or -ENOMEM with nothing changed.
 */
int pages_divide(struct ioas_pages *pages, struct pages_user *lower,
		 struct pages_user *upper, unsigned long lower_last_index,
		 unsigned long upper_first_index);

/**
 * pages_list() - tell which pages are pinned
 * @pages: the store
 * @first_index: first page, pinned by the caller
 * @last_index: last page, inclusive
 * @list: receives a pointer for each
 *
 * Context: holds pages_lock().
 * Return: 0; -EINVAL for device memory, which has no struct page to use; -EFAULT, and a
 * warning, for what is not pinned.
 */
int pages_list(struct ioas_pages *pages, unsigned long first_index,
	       unsigned long last_index, struct page **list);

/**
 * pages_copy() - copy from or to a store as a device would see it
 * @pages: a shared store
 * @byte: where to begin
 * @data: kernel memory
 * @nbytes: how much; all of it lies in the store
 * @write: to the store
 *
 * What is pinned is reached whether or not its process still lives.
 *
 * Context: may sleep and fault, holds pages_lock().
 * Return: 0; maybe with a part copied, -EFAULT where there is no memory, or what pin_one() says.
 */
int pages_copy(struct ioas_pages *pages, unsigned long byte, void *data,
	       unsigned long nbytes, bool write);

/**
 * pages_copy_direct() - copy from or to a store by way of its process' addresses
 * @pages: the store
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
int pages_copy_direct(struct ioas_pages *pages, unsigned long byte, void *data,
		      unsigned long nbytes, bool write, bool may_borrow);

/* What stands behind pages of a store. */
struct pages_sum {
	unsigned long npinned;
	unsigned long ncharged;		/* of these */
	unsigned long nruns;		/* of device memory, too */
};

/* So many runs, or areas, are looked at without a pause: bounds how long a lock is held. */
#define SUM_AT_ONCE	512

/**
 * pages_sum() - add up what stands behind the first of some pages
 * @pages: the store
 * @first_index: first page
 * @last_index: last page, inclusive
 * @max_runs: stop after so many runs, at least 1
 * @sum: is added to
 *
 * Context: the extents do not change meanwhile: the caller owns the area and holds
 * pages_lock(), or see sum_store().
 * Return: the first page not looked at.
 */
unsigned long pages_sum(struct ioas_pages *pages, unsigned long first_index,
			unsigned long last_index, unsigned long max_runs,
			struct pages_sum *sum);

/**
 * pages_sum_all() - add up what stands behind pages
 * @pages: the store
 * @first_index: first page
 * @last_index: last page, inclusive
 * @sum: is added to
 *
 * Context: process, may sleep: takes a pause every so often. Else as pages_sum().
 */
void pages_sum_all(struct ioas_pages *pages, unsigned long first_index,
		   unsigned long last_index, struct pages_sum *sum);

/*
 * While a store is not shared, the owner of the area it came with owns it, too, and needs no
 * lock: an uncontended one costs 6 % of a 4 KiB unmap.
 */
static inline void pages_lock(struct ioas_pages *pages)
{
	if (unlikely(pages->sharing))
		mutex_lock(&pages->sharing->mutex);
}

static inline void pages_unlock(struct ioas_pages *pages)
{
	if (unlikely(pages->sharing))
		mutex_unlock(&pages->sharing->mutex);
}

/*
 * A user, as given to pages_pin(), does not need its part any more; no domain may show what
 * only this user needed. @refund collects what the owner gets back, to be paid by the
 * caller. May sleep; the caller owns the area and holds pages_lock(). Never fails, needs no
 * memory.
 */
static inline void pages_unpin(struct ioas_pages *pages, struct pages_user *user,
			       struct account_refund *refund)
{
	struct extents *extents = &pages->extents;

	if (unlikely(user || trace_unpin_enabled() || pages->stuck ||
		     !extents_is_one_run(extents) ||
		     extents_only_kind(extents) != EXTENT_CHARGED)) {
		pages_unpin_slowly(pages, user, refund);
		return;
	}
	unpin_run(extents_only_pfn(extents), extents->npages, pages->writable);
	account_refund(refund, pages->account, extents->npages);
	extents_set_only(extents, EXTENT_HOLE, 0);
}

/*
 * Describes user memory at @uptr, of @nbytes, at least 1, that do not wrap; nothing is pinned,
 * charged or even looked at. The account, which says whose memory it is, comes later.
 */
static inline void pages_init(struct ioas_pages *pages, unsigned long uptr,
			      unsigned long nbytes, bool writable)
{
	pages->account = NULL;
	pages->uptr = uptr & PAGE_MASK;
	pages->sharing = NULL;
	pages->writable = writable;
	pages->pin_rules = 0;
	pages->stuck = false;
	selftest_tally_init(&pages->tally);
	extents_init(&pages->extents, ((uptr & ~PAGE_MASK) + nbytes - 1) / PAGE_SIZE + 1);
}

/* Forgets a store, with nothing pinned unless it is stuck. */
static inline void pages_exit(struct ioas_pages *pages)
{
	extents_destroy(&pages->extents);
}

#endif
