/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages: one run of user memory, and what of it is pinned.
 *
 * Owns: struct ioas_pages, struct pages_sharing and its mutex.
 */
#ifndef VFIO_IOAS_PAGES_H
#define VFIO_IOAS_PAGES_H

#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>

#include "account.h"
#include "extents.h"

struct page;

/* Somebody who needs a part of a store pinned. */
struct pages_user {
	struct rb_node node;		/* mutex of the store */
	unsigned long first_index;	/* constant while it is in the tree */
	unsigned long last_index;	/* inclusive */
	unsigned long subtree_last;
	bool is_pin;			/* an in-kernel user's, not an area */
};

/* What a store has once more than the area that it came with needs it. */
struct pages_sharing {
	struct mutex mutex;		/* the extents, and ... */
	struct rb_root_cached users;	/* ... who needs which part of them */
	struct pages_user own_area;	/* the one of the area that the store came with */
	refcount_t refs;		/* areas that show the store, and calls */
};

struct ioas_pages {
	struct ioas_account *account;	/* constant once set, as is what follows */
	unsigned long uptr;		/* address of page 0 in account->mm */
	struct pages_sharing *sharing;	/* set once, see pages_share() */
	bool writable;
	bool unshares;			/* a read-only pin breaks copy-on-write, too */
	bool stuck;			/* an IOMMU driver did not let go: stays pinned */
	struct extents extents;		/* the mutex; without sharing: the area's owner */
};

void pages_init(struct ioas_pages *pages, unsigned long uptr, unsigned long nbytes,
		bool writable);
int pages_pin(struct ioas_pages *pages, struct pages_user *user);
void pages_unpin(struct ioas_pages *pages, struct pages_user *user,
		 struct account_refund *refund);
struct pages_sharing *pages_sharing_create(struct ioas_pages *pages, bool pinned);
void pages_sharing_destroy(struct pages_sharing *sharing);
struct pages_user *pages_find_pin(struct ioas_pages *pages, unsigned long first_index,
				  unsigned long last_index);
int pages_divide(struct ioas_pages *pages, struct pages_user *lower,
		 struct pages_user *upper, unsigned long lower_last_index,
		 unsigned long upper_first_index);
void pages_list(struct ioas_pages *pages, unsigned long first_index,
		unsigned long last_index, struct page **list);
int pages_copy(struct ioas_pages *pages, unsigned long byte, void *data,
	       unsigned long nbytes, bool write);

/*
 * While a store is not shared, who owns the area it came with owns it, too, and needs no
 * lock: an uncontended one costs 6 % of a 4 KiB unmap.
 */
static inline void pages_lock(struct ioas_pages *pages)
{
	if (pages->sharing)
		mutex_lock(&pages->sharing->mutex);
}

static inline void pages_unlock(struct ioas_pages *pages)
{
	if (pages->sharing)
		mutex_unlock(&pages->sharing->mutex);
}

/* Forgets a store, with nothing pinned unless it is stuck. */
static inline void pages_exit(struct ioas_pages *pages)
{
	extents_destroy(&pages->extents);
}

#endif
