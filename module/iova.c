// SPDX-License-Identifier: GPL-2.0-only
/*
 * iova: which I/O virtual addresses of an IOAS are in use, and by what.
 *
 * Areas never overlap, so one red-black tree keyed by IOVA finds, inserts and
 * refuses in a single descent; and in none where it is next to where somebody looked before:
 * when a range is mapped or unmapped piece by piece, or one area comes and goes.
 *
 * Reserved ranges come from several owners (the aperture of each domain, the regions of
 * each group) and may overlap: they are an interval tree, and each owner takes away
 * exactly what it brought. Allowed ranges are the promise that nothing in them becomes
 * reserved.
 *
 * Who asks for any free address makes the tree keep the largest gap below each node
 * from then on, which finds the lowest that fits in O(log n). Whoever only maps at fixed
 * addresses, as containers do, does not pay for that.
 *
 * All bounds are inclusive; the last address of the space is ULONG_MAX.
 *
 * Locking: iova_lock guards everything here. It is a spinlock, since all that is done
 * under it is short, and half the price of a rwsem on the way of a 4 KiB map.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/rbtree_augmented.h>
#include <linux/slab.h>

#include "iova.h"

#define NO_RANGE	((struct ioas_range){ .first_iova = ULONG_MAX, .last_iova = 0 })

#define range_first(range)	((range)->first_iova)
#define range_last(range)	((range)->last_iova)
INTERVAL_TREE_DEFINE(struct iova_interval, node, unsigned long, subtree_last,
		     range_first, range_last, static __maybe_unused, reserved)

#define area_gap(area)	((area)->gap)
RB_DECLARE_CALLBACKS_MAX(static, gap_callbacks, struct ioas_area, node,
			 unsigned long, subtree_gap, area_gap)

void iova_space_init(struct iova_space *space)
{
	spin_lock_init(&space->iova_lock);
	space->areas = RB_ROOT;
	space->nareas = 0;
	space->reserved = RB_ROOT_CACHED;
	space->allowed = RB_ROOT_CACHED;
	space->recent = (struct iova_place){ };
	space->unreserved = NO_RANGE;
	space->gaps_known = false;
}

static void free_ranges(struct rb_root_cached *tree)
{
	struct iova_interval *range, *next;

	rbtree_postorder_for_each_entry_safe(range, next, &tree->rb_root, node)
		kfree(range);
	*tree = RB_ROOT_CACHED;
}

void iova_space_destroy(struct iova_space *space)
{
	WARN_ON(!RB_EMPTY_ROOT(&space->areas) || space->nareas);
#ifdef VFIO_IOAS_SELFTEST
	/* What the test command reserved belongs to nobody. */
	iova_unreserve(space, NULL);
#endif
	WARN_ON(!RB_EMPTY_ROOT(&space->reserved.rb_root));
	free_ranges(&space->allowed);
}

struct ioas_area *iova_search(struct iova_space *space, unsigned long iova)
{
	struct rb_node *rb = space->areas.rb_node;
	struct iova_place place = { };

	lockdep_assert_held(&space->iova_lock);
	while (rb) {
		struct ioas_area *area = area_of_node(rb);

		if (area->last_iova < iova) {
			place.below = area;
			rb = rb->rb_right;
		} else {
			place.above = area;
			rb = rb->rb_left;
		}
	}
	space->recent = place;
	return place.above;
}

struct ioas_area *iova_next(struct iova_space *space, struct ioas_area *area)
{
	lockdep_assert_held(&space->iova_lock);
	return area_of_node(rb_next(&area->node));
}

void iova_insert_indexed(struct iova_space *space, struct ioas_area *area)
{
	struct ioas_area *below = space->recent.below;
	struct ioas_area *above = space->recent.above;

	lockdep_assert_held(&space->iova_lock);
	area->gap = area->first_iova - (below ? below->last_iova + 1 : 0);
	area->subtree_gap = area->gap;
	gap_callbacks.propagate(rb_parent(&area->node), NULL);
	if (above) {
		above->gap = above->first_iova - area->last_iova - 1;
		gap_callbacks.propagate(&above->node, NULL);
	}
	rb_insert_augmented(&area->node, &space->areas, &gap_callbacks);
}

void iova_erase_indexed(struct iova_space *space, struct ioas_area *area)
{
	struct ioas_area *above = iova_next(space, area);

	rb_erase_augmented(&area->node, &space->areas, &gap_callbacks);
	if (above) {
		above->gap += area_nbytes(area) + area->gap;
		gap_callbacks.propagate(&above->node, NULL);
	}
}

void iova_index_gaps(struct iova_space *space)
{
	unsigned long first_free = 0;
	struct ioas_area *area, *next;
	struct rb_node *rb;

	for (rb = rb_first(&space->areas); rb; rb = rb_next(rb)) {
		area = area_of_node(rb);
		area->gap = area->first_iova - first_free;
		first_free = area->last_iova + 1;
	}
	/* Children before their parents. */
	rbtree_postorder_for_each_entry_safe(area, next, &space->areas, node)
		gap_callbacks_compute_max(area, false);
	space->gaps_known = true;
}

/* The lowest area of a subtree with a gap of @nbytes below it. */
static struct ioas_area *first_fitting(struct rb_node *rb, unsigned long nbytes)
{
	while (rb && area_of_node(rb)->subtree_gap >= nbytes) {
		struct rb_node *left = rb->rb_left;

		if (left && area_of_node(left)->subtree_gap >= nbytes) {
			rb = left;
			continue;
		}
		if (area_of_node(rb)->gap >= nbytes)
			return area_of_node(rb);
		rb = rb->rb_right;
	}
	return NULL;
}

/* The next area above another one with a gap of @nbytes below it. */
static struct ioas_area *next_fitting(struct ioas_area *area, unsigned long nbytes)
{
	struct ioas_area *found = first_fitting(area->node.rb_right, nbytes);
	struct rb_node *rb = &area->node;
	struct rb_node *parent;

	while (!found && (parent = rb_parent(rb))) {
		if (rb == parent->rb_left) {
			if (area_of_node(parent)->gap >= nbytes)
				return area_of_node(parent);
			found = first_fitting(parent->rb_right, nbytes);
		}
		rb = parent;
	}
	return found;
}

/* Finds a place within a range that has no area. */
static bool place_in_gap(struct iova_space *space, const struct iova_wish *wish,
			 struct ioas_range gap, unsigned long *iova)
{
	struct iova_interval *range;

	while (gap.first_iova <= gap.last_iova) {
		unsigned long first = ALIGN(gap.first_iova, wish->alignment);
		unsigned long missing;

		if (first < gap.first_iova)
			return false;
		/* The next address with these bits, not simply this one with them added. */
		missing = wish->offset & ~first;
		if (missing)
			first = (first & ~((1UL << __fls(missing)) - 1)) | wish->offset;
		if (first > gap.last_iova || gap.last_iova - first < wish->nbytes - 1)
			return false;
		range = reserved_iter_first(&space->reserved, first,
					    first + wish->nbytes - 1);
		if (!range) {
			*iova = first;
			return true;
		}
		if (range->last_iova == ULONG_MAX)
			return false;
		gap.first_iova = range->last_iova + 1;
	}
	return false;
}

/* Finds the lowest place within a range, between the areas in it. */
static bool place_in_range(struct iova_space *space, const struct iova_wish *wish,
			   const struct ioas_range *within, unsigned long *iova)
{
	struct ioas_area *area = iova_first(space, within->first_iova, ULONG_MAX);
	struct rb_node *last = rb_last(&space->areas);
	struct ioas_range gap;

	for (; area; area = next_fitting(area, wish->nbytes)) {
		gap.first_iova = max(area->first_iova - area->gap, within->first_iova);
		if (gap.first_iova > within->last_iova)
			return false;
		/* Without a gap there may be nothing below, not even an address. */
		if (!area->gap)
			continue;
		gap.last_iova = min(area->first_iova - 1, within->last_iova);
		if (place_in_gap(space, wish, gap, iova))
			return true;
	}
	gap = *within;
	if (last) {
		if (area_of_node(last)->last_iova == ULONG_MAX)
			return false;
		gap.first_iova = max(gap.first_iova, area_of_node(last)->last_iova + 1);
	}
	return place_in_gap(space, wish, gap, iova);
}

int iova_find_free(struct iova_space *space, const struct iova_wish *wish,
		   unsigned long *iova)
{
	const struct ioas_range window = { PAGE_SIZE, ULONG_MAX - PAGE_SIZE };
	struct iova_interval *range;
	struct ioas_range within;

	lockdep_assert_held(&space->iova_lock);
	WARN_ON_ONCE(!space->gaps_known);
	range = reserved_iter_first(&space->allowed, 0, ULONG_MAX);
	if (!range)
		return place_in_range(space, wish, &window, iova) ? 0 : -ENOSPC;
	for (; range; range = reserved_iter_next(range, 0, ULONG_MAX)) {
		within.first_iova = max(range->first_iova, window.first_iova);
		within.last_iova = min(range->last_iova, window.last_iova);
		if (within.first_iova <= within.last_iova &&
		    place_in_range(space, wish, &within, iova))
			return 0;
	}
	return -ENOSPC;
}

static int build_allowed(struct rb_root_cached *tree, const struct ioas_range *ranges,
			 unsigned int nranges)
{
	struct iova_interval *range;
	unsigned int i;

	for (i = 0; i < nranges; i++) {
		if (reserved_iter_first(tree, ranges[i].first_iova, ranges[i].last_iova))
			return -EINVAL;
		range = kzalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);
		if (!range)
			return -ENOMEM;
		range->first_iova = ranges[i].first_iova;
		range->last_iova = ranges[i].last_iova;
		reserved_insert(range, tree);
		cond_resched();
	}
	return 0;
}

static bool meets_reserved(struct iova_space *space, struct rb_root_cached *tree)
{
	struct iova_interval *range;

	for (range = reserved_iter_first(&space->reserved, 0, ULONG_MAX); range;
	     range = reserved_iter_next(range, 0, ULONG_MAX))
		if (reserved_iter_first(tree, range->first_iova, range->last_iova))
			return true;
	return false;
}

int iova_allow(struct iova_space *space, const struct ioas_range *ranges,
	       unsigned int nranges)
{
	struct rb_root_cached tree = RB_ROOT_CACHED;
	int ret;

	ret = build_allowed(&tree, ranges, nranges);
	if (!ret) {
		spin_lock(&space->iova_lock);
		if (meets_reserved(space, &tree))
			ret = -EADDRINUSE;
		else
			swap(space->allowed, tree);
		spin_unlock(&space->iova_lock);
	}
	free_ranges(&tree);
	return ret;
}

int iova_reserve(struct iova_space *space, unsigned long first_iova,
		 unsigned long last_iova, const void *owner)
{
	struct iova_interval *range;
	int ret = 0;

	range = kzalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);
	if (!range)
		return -ENOMEM;
	range->first_iova = first_iova;
	range->last_iova = last_iova;
	range->owner = owner;

	spin_lock(&space->iova_lock);
	if (iova_first(space, first_iova, last_iova) ||
	    reserved_iter_first(&space->allowed, first_iova, last_iova))
		ret = -EADDRINUSE;
	else
		reserved_insert(range, &space->reserved);
	space->unreserved = NO_RANGE;
	spin_unlock(&space->iova_lock);
	if (ret)
		kfree(range);
	return ret;
}

void iova_unreserve(struct iova_space *space, const void *owner)
{
	struct iova_interval *range, *next;

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

bool iova_meets_reserved(struct iova_space *space, unsigned long first_iova,
			 unsigned long last_iova)
{
	lockdep_assert_held(&space->iova_lock);
	if (reserved_iter_first(&space->reserved, first_iova, last_iova))
		return true;
	iova_usable(space, first_iova, &space->unreserved.first_iova,
		    &space->unreserved.last_iova);
	return false;
}

bool iova_usable(struct iova_space *space, unsigned long from_iova,
		 unsigned long *first_iova, unsigned long *last_iova)
{
	struct iova_interval *range;

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
