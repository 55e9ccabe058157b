/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iova: which I/O virtual addresses of an IOAS are in use, and by what.
 *
 * Owns: struct iova_space (the tree of areas, the reserved ranges) and its lock.
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

/* IOVA [first_iova, last_iova] shows the bytes of @pages from @first_byte on. */
struct ioas_area {
	struct rb_node node;		/* iova_lock */
	unsigned long first_iova;	/* constant, as is all up to ... */
	unsigned long last_iova;
	unsigned long first_byte;
	struct ioas_pages *pages;
	int iommu_prot;			/* ... here */
	enum area_state state;		/* iova_lock, but FILLING to LIVE: its creator */
	struct ioas_area *next_emptying;	/* whoever set AREA_EMPTYING */
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
};

static inline unsigned long area_nbytes(const struct ioas_area *area)
{
	return area->last_iova - area->first_iova + 1;
}

/* Gives the addresses of an area back. iova_lock held. Never fails. */
static inline void iova_erase(struct iova_space *space, struct ioas_area *area)
{
	lockdep_assert_held(&space->iova_lock);
	rb_erase(&area->node, &space->areas);
	space->nareas--;
}

void iova_space_init(struct iova_space *space);
void iova_space_destroy(struct iova_space *space);

struct ioas_area *iova_first(struct iova_space *space, unsigned long first_iova,
			     unsigned long last_iova);
struct ioas_area *iova_next(struct iova_space *space, struct ioas_area *area);
struct ioas_area *iova_insert(struct iova_space *space, struct ioas_area *area);

int iova_reserve(struct iova_space *space, unsigned long first_iova,
		 unsigned long last_iova, const void *owner);
void iova_unreserve(struct iova_space *space, const void *owner);
bool iova_is_reserved(struct iova_space *space, unsigned long first_iova,
		      unsigned long last_iova);
bool iova_usable(struct iova_space *space, unsigned long from_iova,
		 unsigned long *first_iova, unsigned long *last_iova);

#endif
