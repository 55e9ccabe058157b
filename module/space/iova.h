/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iova: the I/O virtual addresses of an IOAS that are in use, reserved or allowed.
 *
 * Owns: struct iova_space (the tree of areas, the reserved and the allowed ranges) and its lock.
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

/* A range of addresses, both inclusive. */
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
	const void *owner;		/* of a reserved range */
};

/* The place between two neighbouring areas. NULL: there is no area below, or above. */
struct iova_place {
	struct ioas_area *below;
	struct ioas_area *above;
};

/* A search for free addresses: its conditions, and how far it has come. */
struct iova_request {
	unsigned long nbytes;
	unsigned long alignment;	/* a power of two, in bytes */
	unsigned long offset;		/* bits of the offset in a page that the address has */
	/* All below belongs to the search; zero at first. */
	unsigned long from_iova;	/* no place that begins below fits */
	unsigned int nsteps;		/* nodes visited since the lock was taken */
	bool begun;
};

/*
 * A result of earlier searches: no place of that length and alignment that begins below @from_iova
 * is free. @nbytes is 0 if the cursor is not in use.
 */
struct iova_cursor {
	unsigned long nbytes;
	unsigned long alignment;
	unsigned long from_iova;
};

#define IOVA_NCURSORS	8

/*
 * Reserved and allowed ranges change only while domains_rwsem is held for writing. So they stay the
 * same for all threads in the IOAS, and long walks over them need no spinlock.
 */
struct iova_space {
	spinlock_t iova_lock;			/* guards areas, and the fields that name it */
	struct rw_semaphore *domains_rwsem;	/* constant; of the IOAS */
	struct rb_root areas;			/* iova_lock; by IOVA, never overlapping */
	unsigned long nareas;			/* iova_lock; includes those about to be inserted */
	unsigned long max_areas;		/* iova_lock; more need ioas_get_room() */
	struct iova_place search_hint;		/* iova_lock; the place of the last search */
	struct rb_root_cached reserved;		/* domains_rwsem; interval tree, may overlap */
	struct rb_root_cached allowed;		/* domains_rwsem; interval tree, does not overlap */
	unsigned long reach;			/* domains_rwsem; see iova_set_reach() */
	struct ioas_range unreserved;		/* iova_lock; a range in reach, not reserved */
	bool gaps_known;			/* domains_rwsem; set once, see iova_index_gaps() */
	unsigned int next_cursor;		/* iova_lock; the next to be replaced */
	unsigned long freed_iova;		/* iova_lock; lowest freed and not yet ... */
	struct iova_cursor cursors[IOVA_NCURSORS];	/* ... noticed by the cursors; iova_lock */
};

/**
 * iova_space_init() - make an IOVA space in which all addresses are free
 * @space: uninitialised memory
 * @domains_rwsem: of its IOAS
 *
 * It may have no areas until max_areas is set.
 */
void iova_space_init(struct iova_space *space, struct rw_semaphore *domains_rwsem);

/**
 * iova_space_destroy() - end a space without areas and reserved ranges
 * @space: the space
 *
 * Context: domains_rwsem held for writing. May sleep.
 */
void iova_space_destroy(struct iova_space *space);

/**
 * iova_search() - the part of iova_first() that has to search
 * @space: the space; the search hint becomes the place right below the area found
 * @iova: an address
 *
 * Context: iova_lock held.
 * Return: the lowest area that does not end below @iova, or NULL.
 */
struct ioas_area *iova_search(struct iova_space *space, unsigned long iova);

/**
 * iova_next() - find the area above another one
 * @space: the space
 * @area: an area of it
 *
 * Context: iova_lock held.
 * Return: the next higher area, or NULL.
 */
struct ioas_area *iova_next(struct iova_space *space, struct ioas_area *area);

/**
 * iova_insert_indexed() - the part of iova_insert() that updates gaps
 * @space: the space, whose gaps are known
 * @area: linked into the tree at the search hint
 *
 * Context: iova_lock held.
 */
void iova_insert_indexed(struct iova_space *space, struct ioas_area *area);

/**
 * iova_erase_indexed() - the part of iova_erase() that updates gaps
 * @space: the space, whose gaps are known
 * @area: an area of it
 *
 * Context: iova_lock held.
 */
void iova_erase_indexed(struct iova_space *space, struct ioas_area *area);

/**
 * iova_index_gaps() - prepare for iova_find_free(), once
 * @space: the space
 *
 * Context: domains_rwsem held for writing instead of iova_lock, since this looks at every area. May
 * sleep.
 */
void iova_index_gaps(struct iova_space *space);

/**
 * iova_find_free() - find the lowest free addresses, in several steps
 * @space: the space, whose gaps are known
 * @request: the conditions; the same request for all steps of a search
 * @iova: receives the first address; the first and the last page of the space are never returned
 *
 * No area and no reserved range lies in the addresses found. If there are allowed ranges, one of
 * them contains all these addresses.
 *
 * A search continues where the last one of its kind ended, so that n searches visit each gap once,
 * not n times. It may miss addresses that become free below while it is under way; a later search
 * finds them.
 *
 * Context: iova_lock and domains_rwsem held.
 * Return: 0; -ENOSPC; -EINPROGRESS: release iova_lock, take it again, and continue.
 */
int iova_find_free(struct iova_space *space, struct iova_request *request, unsigned long *iova);

/**
 * iova_allow() - replace the allowed ranges, in which nothing may become reserved
 * @space: the space, not entered by the caller
 * @ranges: the new ranges
 * @nranges: number of ranges; if 0, all addresses are allowed, and may become reserved
 *
 * Context: may sleep, takes domains_rwsem for writing.
 * Return: 0, or with the former ranges in place:
 * * -EINVAL: two of the new ranges overlap
 * * -EADDRINUSE: a reserved range meets one of them
 * * -ENOMEM: without memory
 * * -EINTR: a fatal signal
 */
int iova_allow(struct iova_space *space, const struct ioas_range *ranges,
	       unsigned int nranges);

/**
 * iova_reserve() - reserve a range, so that it has no areas
 * @space: the space
 * @first_iova: first address of the range
 * @last_iova: last address of the range, inclusive
 * @owner: the owner of the reservation, which may have several
 *
 * Context: domains_rwsem held for writing; may sleep, takes iova_lock.
 * Return: 0; -EADDRINUSE if an area or an allowed range meets the range; -ENOMEM.
 */
int iova_reserve(struct iova_space *space, unsigned long first_iova,
		 unsigned long last_iova, const void *owner);

/**
 * iova_unreserve() - remove all reserved ranges of an owner
 * @space: the space
 * @owner: as given to iova_reserve()
 *
 * Context: domains_rwsem held for writing. Never fails.
 */
void iova_unreserve(struct iova_space *space, const void *owner);

/**
 * iova_set_reach() - set the last address at which areas can be made while other threads are inside
 * @space: the space
 * @last_iova: that address, inclusive; ULONG_MAX in a new space
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
 * Finds the lowest area, in any state, that has an address in a range, both bounds inclusive. If it
 * returns NULL, the search hint is the place where an area could be inserted. iova_lock held.
 */
static inline struct ioas_area *iova_first(struct iova_space *space,
					   unsigned long first_iova,
					   unsigned long last_iova)
{
	struct ioas_area *below = space->search_hint.below;
	struct ioas_area *area = space->search_hint.above;

	lockdep_assert_held(&space->iova_lock);
	count_step();
	/* Mostly the area is the last one inserted, or next to the last search. */
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
 * Claims the addresses of an area, whose first and last IOVA are set. Returns NULL if the area was
 * inserted, or the lowest area in its way. iova_lock held.
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

/* Frees the addresses of an area. iova_lock held. Never fails. */
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
 * May an area be made in a range, other areas aside? Both bounds are inclusive. Returns 0; -EINVAL
 * if an address is reserved; -ERANGE if an address is beyond the reach. iova_lock and domains_rwsem
 * held.
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
 * iova_usable() - find the next range without reserved addresses
 * @space: the space
 * @from_iova: where to look from
 * @first_iova: receives the first address of the range
 * @last_iova: receives the last address, inclusive
 *
 * Areas in the range do not matter. To list all ranges, begin with 0, and continue behind the last
 * address of each range until that is ULONG_MAX.
 *
 * Context: domains_rwsem held.
 * Return: false if all addresses from @from_iova on are reserved.
 */
bool iova_usable(struct iova_space *space, unsigned long from_iova,
		 unsigned long *first_iova, unsigned long *last_iova);

/* Is any address not reserved? domains_rwsem held. */
static inline bool iova_any_usable(struct iova_space *space)
{
	unsigned long first_iova, last_iova;

	return iova_usable(space, 0, &first_iova, &last_iova);
}

#endif
