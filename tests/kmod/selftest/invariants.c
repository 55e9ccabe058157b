// SPDX-License-Identifier: GPL-2.0-only
/*
 * invariants: what is true of an IOAS whenever nobody is in it.
 *
 * Checked after each native ioctl of a selftest build, with a WARN for each that does not
 * hold: areas lie apart, aligned, outside of what is reserved, and what is allowed is not
 * reserved; the index of gaps and the recent place are right; a page of a store is pinned
 * exactly if somebody needs it. An IOAS with many areas is looked at only now and then.
 *
 * Locking: domains_rwsem for writing keeps everybody out; the mutex of a shared store those
 * who come from another IOAS.
 */
#include <linux/bug.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "area.h"
#include "hwpt.h"
#include "invariants.h"
#include "ioas.h"
#include "object.h"

#define MANY_AREAS	100

static void check_ranges(struct iova_space *space)
{
	struct rb_node *rb;

	for (rb = rb_first_cached(&space->allowed); rb; rb = rb_next(rb)) {
		struct iova_interval *range = rb_entry(rb, struct iova_interval, node);

		spin_lock(&space->iova_lock);
		WARN_ON(iova_is_reserved(space, range->first_iova, range->last_iova));
		spin_unlock(&space->iova_lock);
	}
}

static unsigned long subtree_gap(struct rb_node *rb)
{
	return rb ? rb_entry(rb, struct ioas_area, node)->subtree_gap : 0;
}

static void check_gaps(struct ioas_area *area, unsigned long first_free)
{
	unsigned long largest = max3(area->gap, subtree_gap(area->node.rb_left),
				     subtree_gap(area->node.rb_right));

	WARN_ON(area->gap != area->first_iova - first_free);
	WARN_ON(area->subtree_gap != largest);
}

/* Where somebody looked last must be between neighbours: nobody else looks for it. */
static void check_place(struct iova_space *space)
{
	struct iova_place place;
	struct rb_node *above;

	spin_lock(&space->iova_lock);
	place = space->recent;
	above = place.below ? rb_next(&place.below->node) : rb_first(&space->areas);
	WARN_ON(place.above != area_of_node(above));
	spin_unlock(&space->iova_lock);
}

static bool is_needed(struct pages_sharing *sharing, unsigned long index)
{
	struct rb_node *rb;

	for (rb = rb_first_cached(&sharing->users); rb; rb = rb_next(rb)) {
		struct pages_user *user = rb_entry(rb, struct pages_user, node);

		if (index >= user->first_index && index <= user->last_index)
			return true;
	}
	return false;
}

/* All pages of a run are alike: both ends tell, since users begin and end with runs. */
static void check_run(struct ioas_pages *pages, const struct extent *run, bool in_domain)
{
	bool pinned = run->kind != EXTENT_HOLE;
	struct pages_sharing *sharing = pages->sharing;

	if (sharing) {
		WARN_ON(is_needed(sharing, run->index) != pinned);
		WARN_ON(is_needed(sharing, run->index + run->npages - 1) != pinned);
	} else {
		WARN_ON(in_domain != pinned);
	}
}

static void check_store(struct ioas_pages *pages, bool in_domain)
{
	struct extent_cursor cursor;
	struct extent run;
	bool more;

	pages_lock(pages);
	more = extents_first(&pages->extents, &cursor, 0, pages->extents.npages - 1, &run);
	while (more) {
		check_run(pages, &run, in_domain);
		more = extents_next(&pages->extents, &cursor, pages->extents.npages - 1,
				    &run);
	}
	pages_unlock(pages);
}

static void check_area(struct ioas *ioas, struct ioas_area *area)
{
	struct iova_space *space = &ioas->iova_space;
	unsigned long misfit = ioas->granule - 1;

	WARN_ON(!area_is_live(area));
	/* Nobody is inside, and only an unmap that tells in-kernel users stepped out. */
	WARN_ON(area->state != AREA_LIVE &&
		(!area_is_told(area) || refcount_read(&ioas->keepers) < 2));
	WARN_ON(area->nbusy);
	WARN_ON(area->first_iova > area->last_iova);
	WARN_ON((area->first_iova | area_nbytes(area) | area->first_byte) & misfit);
	WARN_ON(area_last_byte(area) / PAGE_SIZE >= area->pages->extents.npages);
	WARN_ON(area->npins && !area->pages->sharing);
	WARN_ON(!area->pages->account);
	spin_lock(&space->iova_lock);
	WARN_ON(iova_is_reserved(space, area->first_iova, area->last_iova));
	spin_unlock(&space->iova_lock);
	check_store(area->pages, !list_empty(&ioas->hwpts));
}

static void check_ioas(struct ioas *ioas)
{
	struct iova_space *space = &ioas->iova_space;
	unsigned long first_free = 0;
	unsigned long nareas = 0;
	struct rb_node *rb;

	check_ranges(space);
	check_place(space);
	for (rb = rb_first(&space->areas); rb; rb = rb_next(rb)) {
		struct ioas_area *area = rb_entry(rb, struct ioas_area, node);

		WARN_ON(area->first_iova < first_free);
		check_area(ioas, area);
		if (space->gaps_known)
			check_gaps(area, first_free);
		first_free = area->last_iova + 1;
		nareas++;
		cond_resched();
	}
	WARN_ON(nareas != space->nareas);
}

static bool is_due(struct ioas *ioas)
{
	static atomic_t calls;

	/* Only says whether a check is cheap: maps that come and go meanwhile do not matter. */
	return data_race(ioas->iova_space.nareas) < MANY_AREAS ||
	       atomic_inc_return(&calls) % MANY_AREAS == 0;
}

/* Looks at all IOASs of a context. */
void check_invariants(struct ioas_ctx *ctx)
{
	struct ioas_object *object;
	struct ioas *ioas;
	unsigned long id;

	xa_for_each(&ctx->objects, id, object) {
		ioas = ioas_get(ctx, id);
		if (!ioas)
			continue;
		if (is_due(ioas)) {
			down_write(&ioas->domains_rwsem);
			check_ioas(ioas);
			up_write(&ioas->domains_rwsem);
		}
		ioas_put(ioas);
	}
}
