/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iova: which I/O virtual addresses of an IOAS are in use, and by what.
 *
 * Owns: struct iova_space (the tree of areas, the reserved and the allowed ranges) and
 * its lock.
 */
#ifndef VFIO_IOAS_IOVA_H
#define VFIO_IOAS_IOVA_H

#include <linux/lockdep.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct ioas_pages;

/*
 * An area that is not live is being set up or torn down by another thread. It
 * occupies its IOVA all the same; nobody else may touch what it shows.
 */
enum area_state {
	AREA_FILLING,
	AREA_LIVE,
	AREA_EMPTYING,
};

/*
 * IOVA [first_iova, last_iova] shows the bytes of @pages from @first_byte on. The place,
 * the store and the protection are constant while the area is live and busy or pinned;
 * only ioas_cut() ever changes them.
 */
struct ioas_area {
	struct rb_node node;		/* iova_lock, as is all but what says otherwise */
	unsigned long first_iova;
	unsigned long last_iova;
	unsigned long gap;		/* free addresses right below, if gaps are known */
	unsigned long subtree_gap;	/* the largest gap of the subtree */
	struct ioas_pages *pages;	/* constant */
	unsigned long first_byte;
	struct ioas_area *next;		/* whoever made it FILLING or EMPTYING */
	u8 iommu_prot;			/* constant */
	u8 state;			/* enum area_state; FILLING to LIVE: its creator */
	bool noticed;			/* an unmap told in-kernel users to let go */
	unsigned int nbusy;		/* calls that work on it: an unmap waits for them */
	unsigned int npins;		/* of in-kernel users: an unmap tells them */
};

/* Addresses that can be used, inclusive. */
struct ioas_range {
	unsigned long first_iova;
	unsigned long last_iova;
};

struct iova_space {
	spinlock_t iova_lock;			/* all of this */
	struct rb_root areas;			/* iova_lock; by IOVA, never overlapping */
	unsigned long nareas;			/* iova_lock */
	struct rb_root_cached reserved;		/* iova_lock; interval tree, may overlap */
	struct rb_root_cached allowed;		/* iova_lock; interval tree, does not overlap */
	bool gaps_known;			/* iova_lock; set once, see iova_index_gaps() */
};

static inline unsigned long area_nbytes(const struct ioas_area *area)
{
	return area->last_iova - area->first_iova + 1;
}

/* What a search for free addresses has to respect. */
struct iova_wish {
	unsigned long nbytes;
	unsigned long alignment;	/* a power of two */
	unsigned long offset;		/* the address has these bits of a page, too */
};

void iova_space_init(struct iova_space *space);
void iova_space_destroy(struct iova_space *space);

struct ioas_area *iova_first(struct iova_space *space, unsigned long first_iova,
			     unsigned long last_iova);
struct ioas_area *iova_next(struct iova_space *space, struct ioas_area *area);
struct ioas_area *iova_insert(struct iova_space *space, struct ioas_area *area);
void iova_erase_indexed(struct iova_space *space, struct ioas_area *area);
void iova_index_gaps(struct iova_space *space);
int iova_find_free(struct iova_space *space, const struct iova_wish *wish,
		   unsigned long *iova);

int iova_allow(struct iova_space *space, const struct ioas_range *ranges,
	       unsigned int nranges);
int iova_reserve(struct iova_space *space, unsigned long first_iova,
		 unsigned long last_iova, const void *owner);
void iova_unreserve(struct iova_space *space, const void *owner);
bool iova_is_reserved(struct iova_space *space, unsigned long first_iova,
		      unsigned long last_iova);
bool iova_usable(struct iova_space *space, unsigned long from_iova,
		 unsigned long *first_iova, unsigned long *last_iova);

/* Gives the addresses of an area back. iova_lock held. Never fails. */
static inline void iova_erase(struct iova_space *space, struct ioas_area *area)
{
	lockdep_assert_held(&space->iova_lock);
	if (space->gaps_known)
		iova_erase_indexed(space, area);
	else
		rb_erase(&area->node, &space->areas);
	space->nareas--;
}

#endif
