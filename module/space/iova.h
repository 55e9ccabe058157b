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
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "area_struct.h"
#include "base/steps.h"

/* Addresses that can be used, inclusive. */
struct ioas_range {
	unsigned long first_iova;
	unsigned long last_iova;
};

/* A reserved or an allowed range, in an interval tree. */
struct iova_interval {
	struct rb_node node;
	unsigned long first_iova;
	unsigned long last_iova;
	unsigned long subtree_last;
	const void *owner;		/* of a reserved one */
};

/* Between two areas that are neighbours; NULL is beyond the lowest and the highest. */
struct iova_place {
	struct ioas_area *below;
	struct ioas_area *above;
};

/* What a search for free addresses has to respect, and how far it has come. */
struct iova_request {
	unsigned long nbytes;
	unsigned long alignment;	/* a power of two */
	unsigned long offset;		/* the address has these bits of a page, too */
	/* All below is the search's own; begin with zeroes. */
	unsigned long from_iova;	/* nothing that begins below fitted */
	unsigned int nsteps;		/* nodes visited since the lock was taken */
	bool begun;
};

/*
 * What earlier searches found out: nothing of that length and alignment that begins below
 * @from_iova fits. Not used: @nbytes is 0.
 */
struct iova_cursor {
	unsigned long nbytes;
	unsigned long alignment;
	unsigned long from_iova;
};

#define IOVA_NCURSORS	8

/*
 * Reserved and allowed ranges change only while domains_rwsem is held for writing, and so
 * stand still for everybody who entered the IOAS: long walks over them need no spinlock.
 */
struct iova_space {
	spinlock_t iova_lock;			/* what does not say otherwise */
	struct rw_semaphore *domains_rwsem;	/* constant; of the IOAS */
	struct rb_root areas;			/* iova_lock; by IOVA, never overlapping */
	unsigned long nareas;			/* iova_lock; and those about to be inserted */
	unsigned long max_areas;		/* iova_lock; more need ioas_get_room() */
	struct iova_place search_hint;		/* iova_lock; where somebody looked last */
	struct rb_root_cached reserved;		/* domains_rwsem; interval tree, may overlap */
	struct rb_root_cached allowed;		/* domains_rwsem; interval tree, does not overlap */
	unsigned long reach;			/* domains_rwsem; see iova_set_reach() */
	struct ioas_range unreserved;		/* iova_lock; in reach, not reserved */
	bool gaps_known;			/* domains_rwsem; set once, see iova_index_gaps() */
	unsigned int next_cursor;		/* iova_lock; the one to be replaced */
	unsigned long freed_iova;		/* iova_lock; lowest freed since the ... */
	struct iova_cursor cursors[IOVA_NCURSORS];	/* ... cursors learned; iova_lock */
};

/**
 * iova_space_init() - make an IOVA space in which everything is free
 * @space: uninitialised memory
 * @domains_rwsem: of its IOAS
 *
 * It may have no areas until somebody sets max_areas.
 */
void iova_space_init(struct iova_space *space, struct rw_semaphore *domains_rwsem);

/**
 * iova_space_destroy() - the space ends; areas and reserved ranges must be gone
 * @space: the space
 *
 * Context: domains_rwsem held for writing. May sleep.
 */
void iova_space_destroy(struct iova_space *space);

/**
 * iova_search() - the part of iova_first() that has to search
 * @space: the space; the search hint becomes the place below the area found
 * @iova: an address
 *
 * Context: iova_lock held.
 * Return: the lowest area that does not end below @iova, or NULL.
 */
struct ioas_area *iova_search(struct iova_space *space, unsigned long iova);

/**
 * iova_next() - the area behind another one
 * @space: the space
 * @area: an area of it
 *
 * Context: iova_lock held.
 * Return: the area with the next higher addresses, or NULL.
 */
struct ioas_area *iova_next(struct iova_space *space, struct ioas_area *area);

/**
 * iova_insert_indexed() - the part of iova_insert() that keeps account of gaps
 * @space: the space, in which gaps are known
 * @area: linked into the tree at the search hint
 *
 * Context: iova_lock held.
 */
void iova_insert_indexed(struct iova_space *space, struct ioas_area *area);

/**
 * iova_erase_indexed() - the part of iova_erase() that keeps account of gaps
 * @space: the space, in which gaps are known
 * @area: an area of it
 *
 * Context: iova_lock held.
 */
void iova_erase_indexed(struct iova_space *space, struct ioas_area *area);

/**
 * iova_index_gaps() - prepare for iova_find_free(), once
 * @space: the space, which nobody else can use meanwhile
 *
 * Context: domains_rwsem of the IOAS held for writing instead of iova_lock, since it
 * looks at every area. May sleep.
 */
void iova_index_gaps(struct iova_space *space);

/**
 * iova_find_free() - find the lowest free addresses, piece by piece
 * @space: the space, in which gaps are known
 * @request: how many, and how aligned; the same one for all pieces of a search
 * @iova: receives the first one; never 0, nor in the last page
 *
 * Neither an area nor a reserved range is there, and if there are allowed ranges, all
 * of it lies in one of them.
 *
 * A search goes on where the last one of its kind ended, so that n of them visit each
 * gap once, not n times. It may not find what becomes free below while it is under way; a search
 * that begins later does.
 *
 * Context: iova_lock and domains_rwsem held.
 * Return: 0; -ENOSPC; -EINPROGRESS: let go of iova_lock, take it again, and go on.
 */
int iova_find_free(struct iova_space *space, struct iova_request *request, unsigned long *iova);

/**
 * iova_allow() - replace the ranges that must not become reserved
 * @space: the space
 * @ranges: the new ones
 * @nranges: how many; without any everything is allowed
 *
 * Context: may sleep, takes domains_rwsem for writing.
 * Return: 0, or with the former ranges in place: -EINVAL if two of them overlap;
 * -EADDRINUSE if something in them is reserved; -ENOMEM; -EINTR on a fatal signal.
 */
int iova_allow(struct iova_space *space, const struct ioas_range *ranges,
	       unsigned int nranges);

/**
 * iova_reserve() - forbid a range for areas
 * @space: the space
 * @first_iova: first address of the range
 * @last_iova: last address of the range, inclusive
 * @owner: on whose behalf; the same owner may reserve several ranges
 *
 * Context: domains_rwsem held for writing; may sleep, takes iova_lock.
 * Return: 0; -EADDRINUSE if an area has an address in the range, or it meets an allowed
 * range; -ENOMEM.
 */
int iova_reserve(struct iova_space *space, unsigned long first_iova,
		 unsigned long last_iova, const void *owner);

/**
 * iova_unreserve() - take away all ranges an owner brought
 * @space: the space
 * @owner: as given to iova_reserve()
 *
 * Context: domains_rwsem held for writing. Never fails.
 */
void iova_unreserve(struct iova_space *space, const void *owner);

/**
 * iova_set_reach() - say up to where areas may be made while others are in the IOAS
 * @space: the space
 * @last_iova: the last such address, inclusive; ULONG_MAX in a new space
 *
 * Context: domains_rwsem held for writing.
 */
void iova_set_reach(struct iova_space *space, unsigned long last_iova);

/**
 * iova_check_slowly() - the part of iova_check() that has to search
 * @space: the space
 * @first_iova: first address of the range
 * @last_iova: last address of the range, inclusive
 *
 * Context: iova_lock and domains_rwsem held.
 * Return: as iova_check().
 */
int iova_check_slowly(struct iova_space *space, unsigned long first_iova,
		      unsigned long last_iova);

/*
 * Finds the lowest area, in whatever state, that has an address in a range; NULL if there
 * is none. Then the search hint is where one could be inserted. iova_lock held.
 */
static inline struct ioas_area *iova_first(struct iova_space *space,
					   unsigned long first_iova,
					   unsigned long last_iova)
{
	struct ioas_area *below = space->search_hint.below;
	struct ioas_area *area = space->search_hint.above;

	lockdep_assert_held(&space->iova_lock);
	count_step();
	/* Mostly it is the area that came last, or next to the last search. */
	if (below && first_iova <= below->last_iova) {
		area = below;
		if (first_iova < below->first_iova)
			area = iova_search(space, first_iova);
	} else if (area && first_iova > area->last_iova) {
		area = iova_search(space, first_iova);
	}
	return area && area->first_iova <= last_iova ? area : NULL;
}

/*
 * Claims the addresses of an area, which has its first and last IOVA set. NULL when it is
 * in, or the lowest area that stands in its way. iova_lock held.
 */
static inline struct ioas_area *iova_insert(struct iova_space *space,
					    struct ioas_area *area)
{
	struct iova_place *place = &space->search_hint;
	struct ioas_area *other;

	other = iova_first(space, area->first_iova, area->last_iova);
	if (unlikely(other))
		return other;
	/* Of two neighbours, one has no child on the side of the other. */
	if (place->below && !place->below->node.rb_right)
		rb_link_node(&area->node, &place->below->node, &place->below->node.rb_right);
	else if (place->above)
		rb_link_node(&area->node, &place->above->node, &place->above->node.rb_left);
	else
		rb_link_node(&area->node, NULL, &space->areas.rb_node);
	if (unlikely(space->gaps_known))
		iova_insert_indexed(space, area);
	else
		rb_insert_color(&area->node, &space->areas);
	place->below = area;
	space->nareas++;
	return NULL;
}

/* Gives the addresses of an area back. iova_lock held. Never fails. */
static inline void iova_erase(struct iova_space *space, struct ioas_area *area)
{
	lockdep_assert_held(&space->iova_lock);
	count_step();
	if (area == space->search_hint.above)
		space->search_hint.above = area_of_node(rb_next(&area->node));
	else if (area == space->search_hint.below)
		space->search_hint.below = area_of_node(rb_prev(&area->node));
	if (space->gaps_known)
		iova_erase_indexed(space, area);
	else
		rb_erase(&area->node, &space->areas);
	space->nareas--;
}

/*
 * May an area be made in a range, as far as other areas let it? 0; -EINVAL if any address is
 * reserved; -ERANGE if it lies beyond the reach. iova_lock held.
 */
static inline int iova_check(struct iova_space *space, unsigned long first_iova,
			     unsigned long last_iova)
{
	lockdep_assert_held(&space->iova_lock);
	/* Most maps are where others were. */
	if (first_iova >= space->unreserved.first_iova &&
	    last_iova <= space->unreserved.last_iova)
		return 0;
	return iova_check_slowly(space, first_iova, last_iova);
}

/**
 * iova_usable() - find the next range in which nothing is reserved
 * @space: the space
 * @from_iova: where to look from
 * @first_iova: receives the first address of the range
 * @last_iova: receives the last one, inclusive
 *
 * Whether areas lie in the range does not matter. To list all ranges begin with 0
 * and go on behind the last address of each, unless that is ULONG_MAX.
 *
 * Context: domains_rwsem held.
 * Return: false if everything from @from_iova on is reserved.
 */
bool iova_usable(struct iova_space *space, unsigned long from_iova,
		 unsigned long *first_iova, unsigned long *last_iova);

/* Is anything left that no reservation covers? domains_rwsem held. */
static inline bool iova_any_usable(struct iova_space *space)
{
	unsigned long first_iova, last_iova;

	return iova_usable(space, 0, &first_iova, &last_iova);
}

#endif
