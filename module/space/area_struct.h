/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * area_struct: what an area is.
 */
#ifndef VFIO_IOAS_AREA_STRUCT_H
#define VFIO_IOAS_AREA_STRUCT_H

#include <linux/rbtree.h>
#include <linux/types.h>

struct ioas_store;

/*
 * An area that is not live is being set up or torn down by another thread. It
 * occupies its IOVA all the same; nobody else may touch what it shows.
 *
 * A thread that is about to end or divide a live area claims it. One thread at a time has the
 * claim, and nobody else may end or divide the area meanwhile.
 */
enum area_state {
	AREA_FILLING,
	AREA_LIVE,
	AREA_ALONE,	/* live, claimed: new users wait until the thread has been alone with it */
	AREA_TELLING,	/* live, claimed: in-kernel users are told to let go; no new pin gets in */
	AREA_EMPTYING,
};

/*
 * IOVA [first_iova, last_iova] shows the bytes of @store from @first_byte on. The place,
 * the store and the protection are constant while the area is live and busy or pinned;
 * only ioas_cut() ever changes them.
 */
struct ioas_area {
	struct rb_node node;		/* iova_lock, as is all but what says otherwise */
	unsigned long first_iova;
	unsigned long last_iova;
	unsigned long gap;		/* free addresses right below, if gaps are known */
	unsigned long subtree_gap;	/* the largest gap of the subtree */
	struct ioas_store *store;	/* constant */
	unsigned long first_byte;
	struct ioas_area *next;		/* whoever made it FILLING or EMPTYING */
	u8 iommu_prot;			/* constant */
	u8 state;			/* enum area_state; FILLING to LIVE: its creator */
	u8 flags;			/* of its front end: iova_lock, or domains_rwsem to write */
	unsigned int nbusy;		/* calls that work on it: an unmap waits for them */
	unsigned int npins;		/* of in-kernel users: an unmap tells them */
};

static inline struct ioas_area *area_of_node(struct rb_node *node)
{
	return rb_entry_safe(node, struct ioas_area, node);
}

static inline unsigned long area_nbytes(const struct ioas_area *area)
{
	return area->last_iova - area->first_iova + 1;
}

#endif
