/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * area_struct: the state of an area.
 */
#ifndef VFIO_IOAS_AREA_STRUCT_H
#define VFIO_IOAS_AREA_STRUCT_H

#include <linux/rbtree.h>
#include <linux/types.h>

struct ioas_store;

/*
 * An area that is not live is being set up or torn down by another thread, its owner. Its IOVA is
 * in use meanwhile, and no other thread may touch its pages.
 *
 * A thread claims a live area before it ends or divides the area. One thread at a time has the
 * claim, and no other thread may end or divide the area meanwhile.
 */
enum area_state {
	AREA_FILLING,
	AREA_LIVE,
	AREA_ALONE,	/* live, claimed: new calls wait until the claimer has been alone with it */
	AREA_TELLING,	/* live, claimed: in-kernel users are told to unpin, and cannot pin */
	AREA_EMPTYING,
};

/*
 * IOVA [first_iova, last_iova], inclusive, shows the bytes of @store from @first_byte on. While the
 * area is live, only ioas_cut() changes its range; while the area is also busy or pinned, nothing
 * does.
 */
struct ioas_area {
	struct rb_node node;		/* iova_lock, unless a field names another guard */
	unsigned long first_iova;
	unsigned long last_iova;
	unsigned long gap;		/* free addresses right below, if gaps are known */
	unsigned long subtree_gap;	/* the largest gap of the subtree */
	struct ioas_store *store;	/* constant */
	unsigned long first_byte;
	struct ioas_area *next;		/* the owner's: it made the area FILLING or EMPTYING */
	u8 iommu_prot;			/* constant */
	u8 state;			/* enum area_state; made LIVE without the lock */
	u8 flags;			/* of its front end; any thread inside may read it */
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
