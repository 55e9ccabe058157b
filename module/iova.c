// SPDX-License-Identifier: GPL-2.0-only
/*
 * iova: which I/O virtual addresses of an IOAS are in use, and by what.
 *
 * Areas never overlap, so one red-black tree keyed by IOVA finds, inserts and
 * refuses in a single descent. Reserved ranges come from several owners (the
 * aperture of each domain, the regions of each group) and may overlap: they are an
 * interval tree, and each owner takes away exactly what it brought.
 *
 * All bounds are inclusive; the last address of the space is ULONG_MAX.
 *
 * Locking: iova_lock guards everything here. It is a spinlock, since all that is done
 * under it is short, and half the price of a rwsem on the way of a 4 KiB map.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/interval_tree_generic.h>
#include <linux/slab.h>

#include "iova.h"

struct reserved_range {
	struct rb_node node;
	unsigned long first_iova;
	unsigned long last_iova;
	unsigned long subtree_last;
	const void *owner;
};

#define range_first(range)	((range)->first_iova)
#define range_last(range)	((range)->last_iova)
INTERVAL_TREE_DEFINE(struct reserved_range, node, unsigned long, subtree_last,
		     range_first, range_last, static __maybe_unused, reserved)

#define node_area(rb)	rb_entry(rb, struct ioas_area, node)

/**
 * iova_space_init() - make an IOVA space in which everything is free
 * @space: uninitialised memory
 */
void iova_space_init(struct iova_space *space)
{
	spin_lock_init(&space->iova_lock);
	space->areas = RB_ROOT;
	space->nareas = 0;
	space->reserved = RB_ROOT_CACHED;
}

/**
 * iova_space_destroy() - the space ends; areas and reserved ranges must be gone
 * @space: the space
 */
void iova_space_destroy(struct iova_space *space)
{
	WARN_ON(!RB_EMPTY_ROOT(&space->areas) || space->nareas);
	WARN_ON(!RB_EMPTY_ROOT(&space->reserved.rb_root));
}

/**
 * iova_first() - find the lowest area that has an address in a range
 * @space: the space
 * @first_iova: first address of the range
 * @last_iova: last address of the range, inclusive
 *
 * Context: iova_lock held.
 * Return: the area, in whatever state, or NULL.
 */
struct ioas_area *iova_first(struct iova_space *space, unsigned long first_iova,
			     unsigned long last_iova)
{
	struct rb_node *rb = space->areas.rb_node;
	struct ioas_area *lowest = NULL;

	lockdep_assert_held(&space->iova_lock);
	while (rb) {
		struct ioas_area *area = node_area(rb);

		if (area->last_iova < first_iova) {
			rb = rb->rb_right;
		} else {
			lowest = area;
			rb = rb->rb_left;
		}
	}
	if (lowest && lowest->first_iova > last_iova)
		return NULL;
	return lowest;
}

/**
 * iova_next() - the area behind another one
 * @space: the space
 * @area: an area of it
 *
 * Context: iova_lock held.
 * Return: the area with the next higher addresses, or NULL.
 */
struct ioas_area *iova_next(struct iova_space *space, struct ioas_area *area)
{
	struct rb_node *rb = rb_next(&area->node);

	lockdep_assert_held(&space->iova_lock);
	return rb ? node_area(rb) : NULL;
}

/**
 * iova_insert() - claim the addresses of an area
 * @space: the space
 * @area: with its first and last IOVA set
 *
 * Context: iova_lock held.
 * Return: NULL when the area is in, or an area that stands in its way (not
 * necessarily the lowest).
 */
struct ioas_area *iova_insert(struct iova_space *space, struct ioas_area *area)
{
	struct rb_node **link = &space->areas.rb_node;
	struct rb_node *parent = NULL;

	lockdep_assert_held(&space->iova_lock);
	while (*link) {
		struct ioas_area *other = node_area(*link);

		parent = *link;
		if (area->last_iova < other->first_iova)
			link = &parent->rb_left;
		else if (area->first_iova > other->last_iova)
			link = &parent->rb_right;
		else
			return other;
	}
	rb_link_node(&area->node, parent, link);
	rb_insert_color(&area->node, &space->areas);
	space->nareas++;
	return NULL;
}

/**
 * iova_reserve() - forbid a range for areas
 * @space: the space
 * @first_iova: first address of the range
 * @last_iova: last address of the range, inclusive
 * @owner: on whose behalf; the same owner may reserve several ranges
 *
 * Context: may sleep, takes iova_lock.
 * Return: 0; -EADDRINUSE if an area has an address in the range; -ENOMEM.
 */
int iova_reserve(struct iova_space *space, unsigned long first_iova,
		 unsigned long last_iova, const void *owner)
{
	struct reserved_range *range;
	int ret = 0;

	range = kzalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);
	if (!range)
		return -ENOMEM;
	range->first_iova = first_iova;
	range->last_iova = last_iova;
	range->owner = owner;

	spin_lock(&space->iova_lock);
	if (iova_first(space, first_iova, last_iova))
		ret = -EADDRINUSE;
	else
		reserved_insert(range, &space->reserved);
	spin_unlock(&space->iova_lock);
	if (ret)
		kfree(range);
	return ret;
}

/**
 * iova_unreserve() - take away all ranges an owner brought
 * @space: the space
 * @owner: as given to iova_reserve()
 *
 * Context: takes iova_lock. Never fails.
 */
void iova_unreserve(struct iova_space *space, const void *owner)
{
	struct reserved_range *range, *next;

	spin_lock(&space->iova_lock);
	for (range = reserved_iter_first(&space->reserved, 0, ULONG_MAX); range;
	     range = next) {
		next = reserved_iter_next(range, 0, ULONG_MAX);
		if (range->owner != owner)
			continue;
		reserved_remove(range, &space->reserved);
		kfree(range);
	}
	spin_unlock(&space->iova_lock);
}

/**
 * iova_is_reserved() - is any address of a range forbidden?
 * @space: the space
 * @first_iova: first address of the range
 * @last_iova: last address of the range, inclusive
 *
 * Context: iova_lock held.
 */
bool iova_is_reserved(struct iova_space *space, unsigned long first_iova,
		      unsigned long last_iova)
{
	lockdep_assert_held(&space->iova_lock);
	return reserved_iter_first(&space->reserved, first_iova, last_iova);
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
 * Context: iova_lock held.
 * Return: false if everything from @from_iova on is reserved.
 */
bool iova_usable(struct iova_space *space, unsigned long from_iova,
		 unsigned long *first_iova, unsigned long *last_iova)
{
	struct reserved_range *range;

	lockdep_assert_held(&space->iova_lock);
	while ((range = reserved_iter_first(&space->reserved, from_iova, from_iova))) {
		if (range->last_iova == ULONG_MAX)
			return false;
		from_iova = range->last_iova + 1;
	}
	range = reserved_iter_first(&space->reserved, from_iova, ULONG_MAX);
	*first_iova = from_iova;
	*last_iova = range ? range->first_iova - 1 : ULONG_MAX;
	return true;
}
