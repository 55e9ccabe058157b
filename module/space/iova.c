// SPDX-License-Identifier: GPL-2.0-only
/*
 * iova: the I/O virtual addresses of an IOAS that are in use, reserved or allowed.
 *
 * Areas never overlap, so one red-black tree keyed by IOVA finds, inserts and refuses areas in a
 * single descent. No descent is needed next to the last search: when a range is mapped or unmapped
 * piece by piece, or one area comes and goes.
 *
 * Reserved ranges have several owners (the aperture of each domain, the regions of each group) and
 * may overlap. They are an interval tree, and each owner removes exactly its own ranges. Allowed
 * ranges are a promise that nothing in them becomes reserved.
 *
 * The first request for any free address makes the tree record the largest gap of each subtree from
 * then on. That finds the lowest gap that is long enough in O(log n). IOASs that only have maps at
 * fixed addresses, as containers do, do not pay for it.
 *
 * A gap that is long enough can still be useless: misaligned, reserved, or not allowed. Cursors
 * record up to where a search found only such gaps. So n searches together look at each of them
 * once, and a search that meets many of them releases iova_lock in between.
 *
 * All bounds are inclusive; the last address of the space is ULONG_MAX.
 *
 * Locking: iova_lock guards the areas. It is a spinlock, since each section under it is short, and
 * it costs a 4 KiB map half as much as a rwsem. Reserved and allowed ranges may be many. They
 * change only with domains_rwsem held for writing, and are read with it held.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/rbtree_augmented.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "iova.h"

/*
 * A search visits this many nodes before it releases iova_lock. A look-up in a tree of ranges
 * counts as LOOKUP_NSTEPS.
 */
#define SEARCH_NSTEPS	400
#define LOOKUP_NSTEPS	20

#define LOWEST_FOUND	PAGE_SIZE
#define HIGHEST_FOUND	(ULONG_MAX - PAGE_SIZE)

#define NO_RANGE	((struct ioas_range){ .first_iova = ULONG_MAX, .last_iova = 0 })

#define range_first(range)	((range)->first_iova)
#define range_last(range)	((range)->last_iova)
INTERVAL_TREE_DEFINE(struct iova_interval, node, unsigned long, subtree_last,
		     range_first, range_last, static __maybe_unused, reserved)

#define area_gap(area)	((area)->gap)
RB_DECLARE_CALLBACKS_MAX(static, gap_callbacks, struct ioas_area, node,
			 unsigned long, subtree_gap, area_gap)

void iova_space_init(struct iova_space *space, struct rw_semaphore *domains_rwsem)
{
	spin_lock_init(&space->iova_lock);
	space->domains_rwsem = domains_rwsem;
	space->areas = RB_ROOT;
	space->nareas = 0;
	space->max_areas = 0;
	space->reserved = RB_ROOT_CACHED;
	space->allowed = RB_ROOT_CACHED;
	space->search_hint = (struct iova_place){ };
	space->reach = ULONG_MAX;
	space->unreserved = NO_RANGE;
	space->gaps_known = false;
	space->next_cursor = 0;
	space->freed_iova = ULONG_MAX;
	memset(space->cursors, 0, sizeof(space->cursors));
}

static void free_ranges(struct rb_root_cached *tree)
{
	struct iova_interval *range, *next;

	rbtree_postorder_for_each_entry_safe(range, next, &tree->rb_root, node) {
		kfree(range);
		cond_resched();
	}
	*tree = RB_ROOT_CACHED;
}

void iova_space_destroy(struct iova_space *space)
{
	WARN_ON(!RB_EMPTY_ROOT(&space->areas) || space->nareas);
#ifdef VFIO_IOAS_SELFTEST
	/* Ranges that the test command reserved have no owner. */
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

		count_step();
		if (area->last_iova < iova) {
			place.below = area;
			rb = rb->rb_right;
		} else {
			place.above = area;
			rb = rb->rb_left;
		}
	}
	space->search_hint = place;
	return place.above;
}

struct ioas_area *iova_next(struct iova_space *space, struct ioas_area *area)
{
	lockdep_assert_held(&space->iova_lock);
	count_step();
	return area_of_node(rb_next(&area->node));
}

void iova_insert_indexed(struct iova_space *space, struct ioas_area *area)
{
	struct ioas_area *below = space->search_hint.below;
	struct ioas_area *above = space->search_hint.above;

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

	space->freed_iova = min(space->freed_iova, area->first_iova - area->gap);
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

	lockdep_assert_held_write(space->domains_rwsem);
	for (rb = rb_first(&space->areas); rb; rb = rb_next(rb)) {
		area = area_of_node(rb);
		area->gap = area->first_iova - first_free;
		first_free = area->last_iova + 1;
		cond_resched();
	}
	/* Children come before their parents. */
	rbtree_postorder_for_each_entry_safe(area, next, &space->areas, node) {
		gap_callbacks_compute_max(area, false);
		cond_resched();
	}
	/* ioas_prepare_search() reads this without a lock; all others hold domains_rwsem. */
	WRITE_ONCE(space->gaps_known, true);
}

static void visit_node(struct iova_request *request)
{
	count_step();
	request->nsteps++;
}

/* Finds the lowest area of a subtree with a gap below it that is long enough. */
static struct ioas_area *first_fitting(struct rb_node *rb, struct iova_request *request)
{
	while (rb && area_of_node(rb)->subtree_gap >= request->nbytes) {
		struct rb_node *left = rb->rb_left;

		visit_node(request);
		if (left && area_of_node(left)->subtree_gap >= request->nbytes) {
			rb = left;
			continue;
		}
		if (area_of_node(rb)->gap >= request->nbytes)
			return area_of_node(rb);
		rb = rb->rb_right;
	}
	return NULL;
}

/* Finds the next area above another one with a gap below it that is long enough. */
static struct ioas_area *next_fitting(struct ioas_area *area, struct iova_request *request)
{
	struct ioas_area *found = first_fitting(area->node.rb_right, request);
	struct rb_node *rb = &area->node;
	struct rb_node *parent;

	while (!found && (parent = rb_parent(rb))) {
		visit_node(request);
		if (rb == parent->rb_left) {
			if (area_of_node(parent)->gap >= request->nbytes)
				return area_of_node(parent);
			found = first_fitting(parent->rb_right, request);
		}
		rb = parent;
	}
	return found;
}

/*
 * Returns the next address from @iova on that is aligned as requested; below @iova if it would
 * wrap.
 */
static unsigned long align_iova(const struct iova_request *request, unsigned long iova)
{
	unsigned long first = ALIGN(iova, request->alignment);
	unsigned long missing = request->offset & ~first;

	/* The next address that has these bits is not simply this one with the bits added. */
	if (first >= iova && missing)
		first = (first & ~((1UL << __fls(missing)) - 1)) | request->offset;
	return first;
}

/*
 * Finds a place in a range without areas. -ENOSPC: there is none. -EINPROGRESS: the search took
 * enough steps, and the request records where it stopped.
 */
static int place_in_gap(struct iova_space *space, struct iova_request *request,
			struct ioas_range gap, unsigned long *iova)
{
	struct iova_interval *range;

	while (gap.first_iova <= gap.last_iova) {
		unsigned long first = align_iova(request, gap.first_iova);

		if (first < gap.first_iova || first > gap.last_iova ||
		    gap.last_iova - first < request->nbytes - 1)
			return -ENOSPC;
		request->nsteps += LOOKUP_NSTEPS;
		range = reserved_iter_first(&space->reserved, first,
					    first + request->nbytes - 1);
		if (!range) {
			request->from_iova = first;
			*iova = first;
			return 0;
		}
		if (range->last_iova == ULONG_MAX)
			return -ENOSPC;
		gap.first_iova = range->last_iova + 1;
		if (request->nsteps >= SEARCH_NSTEPS) {
			request->from_iova = gap.first_iova;
			return -EINPROGRESS;
		}
	}
	return -ENOSPC;
}

/*
 * Returns the part of a range in the gap below an area. Without a gap, there may be no address
 * below.
 */
static bool part_below(const struct ioas_area *area, const struct ioas_range *within,
		       struct ioas_range *part)
{
	if (!area->gap)
		return false;
	part->first_iova = max(area->first_iova - area->gap, within->first_iova);
	part->last_iova = min(area->first_iova - 1, within->last_iova);
	return true;
}

/* Returns the part of a range above all areas. */
static bool part_above_all(struct iova_space *space, const struct ioas_range *within,
			   struct ioas_range *part)
{
	struct rb_node *last = rb_last(&space->areas);

	*part = *within;
	if (!last)
		return true;
	if (area_of_node(last)->last_iova == ULONG_MAX)
		return false;
	part->first_iova = max(part->first_iova, area_of_node(last)->last_iova + 1);
	return true;
}

/* Finds the lowest place in a range, between the areas in it. Returns as place_in_gap(). */
static int place_in_range(struct iova_space *space, struct iova_request *request,
			  const struct ioas_range *within, unsigned long *iova)
{
	struct ioas_area *area = iova_first(space, within->first_iova, ULONG_MAX);
	struct ioas_range part;
	int ret;

	for (; area; area = next_fitting(area, request)) {
		if (area->first_iova - area->gap > within->last_iova)
			return -ENOSPC;
		ret = -ENOSPC;
		if (part_below(area, within, &part))
			ret = place_in_gap(space, request, part, iova);
		if (ret != -ENOSPC)
			return ret;
		if (request->nsteps >= SEARCH_NSTEPS) {
			request->from_iova = max(area->first_iova, within->first_iova);
			return -EINPROGRESS;
		}
	}
	if (!part_above_all(space, within, &part))
		return -ENOSPC;
	return place_in_gap(space, request, part, iova);
}

/* Finds the next range to search. Returns false if there is none. */
static bool next_range(struct iova_space *space, struct iova_request *request,
		       struct ioas_range *within)
{
	unsigned long from_iova = max(request->from_iova, LOWEST_FOUND);
	struct iova_interval *allowed;

	request->nsteps += LOOKUP_NSTEPS;
	within->first_iova = from_iova;
	within->last_iova = HIGHEST_FOUND;
	if (from_iova > HIGHEST_FOUND)
		return false;
	if (RB_EMPTY_ROOT(&space->allowed.rb_root))
		return true;
	allowed = reserved_iter_first(&space->allowed, from_iova, HIGHEST_FOUND);
	if (!allowed)
		return false;
	within->first_iova = max(from_iova, allowed->first_iova);
	within->last_iova = min(allowed->last_iova, HIGHEST_FOUND);
	return true;
}

static int search_on(struct iova_space *space, struct iova_request *request, unsigned long *iova)
{
	struct ioas_range within;
	int ret;

	while (next_range(space, request, &within)) {
		ret = place_in_range(space, request, &within, iova);
		if (ret != -ENOSPC)
			return ret;
		request->from_iova = within.last_iova + 1;
		if (request->nsteps >= SEARCH_NSTEPS)
			return -EINPROGRESS;
	}
	request->from_iova = ULONG_MAX;
	return -ENOSPC;
}

static void forget_cursors(struct iova_space *space)
{
	memset(space->cursors, 0, sizeof(space->cursors));
}

/* Addresses that became free may lie below the cursors. */
static void notice_freed(struct iova_space *space)
{
	unsigned int i;

	for (i = 0; i < IOVA_NCURSORS; i++)
		space->cursors[i].from_iova = min(space->cursors[i].from_iova,
						  space->freed_iova);
	space->freed_iova = ULONG_MAX;
}

static struct iova_cursor *find_cursor(struct iova_space *space, const struct iova_request *request)
{
	struct iova_cursor *cursor;

	for (cursor = space->cursors; cursor < space->cursors + IOVA_NCURSORS; cursor++)
		if (cursor->nbytes == request->nbytes && cursor->alignment == request->alignment)
			return cursor;
	return NULL;
}

/*
 * Sets the start of a search. A cursor for a request that is no longer and no more aligned holds
 * for this one, too: nothing fits below it.
 */
static void begin_search(struct iova_space *space, struct iova_request *request)
{
	const struct iova_cursor *cursor;

	for (cursor = space->cursors; cursor < space->cursors + IOVA_NCURSORS; cursor++)
		if (cursor->nbytes && cursor->nbytes <= request->nbytes &&
		    cursor->alignment <= request->alignment)
			request->from_iova = max(request->from_iova, cursor->from_iova);
	request->begun = true;
}

/*
 * Continues a search where it stopped, or where others of its kind have come to meanwhile. Returns
 * false if addresses may have become free below. The cursor of its kind shows that: any freed
 * address lowers the cursor, whichever search notices it first.
 */
static bool resume_search(struct iova_space *space, struct iova_request *request)
{
	const struct iova_cursor *cursor = find_cursor(space, request);

	if (!cursor || cursor->from_iova < request->from_iova)
		return false;
	request->from_iova = cursor->from_iova;
	return true;
}

static void learn(struct iova_space *space, const struct iova_request *request)
{
	struct iova_cursor *cursor = find_cursor(space, request);

	if (!cursor) {
		cursor = &space->cursors[space->next_cursor++ % IOVA_NCURSORS];
		cursor->nbytes = request->nbytes;
		cursor->alignment = request->alignment;
	}
	cursor->from_iova = request->from_iova;
}

int iova_find_free(struct iova_space *space, struct iova_request *request, unsigned long *iova)
{
	bool knows_all_below = true;
	int ret;

	lockdep_assert_held(&space->iova_lock);
	lockdep_assert_held(space->domains_rwsem);
	WARN_ON_ONCE(!space->gaps_known);
	notice_freed(space);
	if (request->begun)
		knows_all_below = resume_search(space, request);
	else
		begin_search(space, request);
	request->nsteps = 0;
	ret = search_on(space, request, iova);
	/* A place that does not fit because of its offset may fit without one. */
	if (knows_all_below && !request->offset)
		learn(space, request);
	return ret;
}

static int build_allowed(struct rb_root_cached *tree, const struct ioas_range *ranges,
			 unsigned int nranges)
{
	struct iova_interval *range;
	unsigned int i;

	for (i = 0; i < nranges; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
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
		down_write(space->domains_rwsem);
		if (meets_reserved(space, &tree)) {
			ret = -EADDRINUSE;
		} else {
			swap(space->allowed, tree);
			forget_cursors(space);
		}
		up_write(space->domains_rwsem);
	}
	free_ranges(&tree);
	return ret;
}

static bool has_area(struct iova_space *space, unsigned long first_iova,
		     unsigned long last_iova)
{
	bool has;

	spin_lock(&space->iova_lock);
	has = iova_first(space, first_iova, last_iova);
	spin_unlock(&space->iova_lock);
	return has;
}

/* Threads in the IOAS walk over the ranges without a spinlock, so there must be none. */
static void assert_alone(struct iova_space *space)
{
	lockdep_assert_held_write(space->domains_rwsem);
	WARN_ON_ONCE(!rwsem_is_locked(space->domains_rwsem));
}

int iova_reserve(struct iova_space *space, unsigned long first_iova,
		 unsigned long last_iova, const void *owner)
{
	struct iova_interval *range;

	assert_alone(space);
	if (has_area(space, first_iova, last_iova) ||
	    reserved_iter_first(&space->allowed, first_iova, last_iova))
		return -EADDRINUSE;
	range = kzalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);
	if (!range)
		return -ENOMEM;
	range->first_iova = first_iova;
	range->last_iova = last_iova;
	range->owner = owner;
	reserved_insert(range, &space->reserved);
	/* No other thread is in the IOAS, so this needs no iova_lock. */
	space->unreserved = NO_RANGE;
	return 0;
}

void iova_unreserve(struct iova_space *space, const void *owner)
{
	struct iova_interval *range, *next;

	assert_alone(space);
	for (range = reserved_iter_first(&space->reserved, 0, ULONG_MAX); range;
	     range = next) {
		next = reserved_iter_next(range, 0, ULONG_MAX);
		if (range->owner != owner)
			continue;
		reserved_remove(range, &space->reserved);
		kfree(range);
	}
	forget_cursors(space);
}

void iova_set_reach(struct iova_space *space, unsigned long last_iova)
{
	assert_alone(space);
	space->reach = last_iova;
	space->unreserved = NO_RANGE;
}

int iova_check_slowly(struct iova_space *space, unsigned long first_iova,
		      unsigned long last_iova)
{
	struct ioas_range *unreserved = &space->unreserved;

	lockdep_assert_held(&space->iova_lock);
	lockdep_assert_held(space->domains_rwsem);
	count_step();
	if (reserved_iter_first(&space->reserved, first_iova, last_iova))
		return -EINVAL;
	if (last_iova > space->reach)
		return -ERANGE;
	iova_usable(space, first_iova, &unreserved->first_iova, &unreserved->last_iova);
	unreserved->last_iova = min(unreserved->last_iova, space->reach);
	return 0;
}

bool iova_usable(struct iova_space *space, unsigned long from_iova,
		 unsigned long *first_iova, unsigned long *last_iova)
{
	struct iova_interval *range;

	lockdep_assert_held(space->domains_rwsem);
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
