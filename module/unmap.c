// SPDX-License-Identifier: GPL-2.0-only
/*
 * unmap: how areas leave an IOAS.
 *
 * Owns areas in state EMPTYING. A walk takes areas over from the lowest upward, as many
 * as can be had at once; empties them; erases them; and goes on behind them. Where an area
 * is not to be had it waits, or tells the in-kernel users who have pinned it.
 *
 * Locking: the caller has entered the IOAS; iova_lock only to take areas over and to
 * erase them. In-kernel users are told with nothing held.
 */
#include <linux/mm.h>
#include <linux/sched.h>

#include "access.h"
#include "area.h"
#include "hwpt.h"
#include "ioas.h"
#include "vfio_ioas_trace.h"

/* So many areas are taken over at once: bounds how long iova_lock is held. */
#define UNMAP_AT_ONCE	256

/* So often in-kernel users are told to let go of one area. */
#define UNMAP_NOTICES	100

/* Why a walk took no more areas. */
enum unmap_stop {
	STOP_DONE,	/* there are none, or one forbids to go on */
	STOP_FULL,	/* enough for one time */
	STOP_BUSY,	/* somebody is busy with the next one */
	STOP_PINNED,	/* in-kernel users have to let go of the next one */
};

/* An unmap on its way through the areas of a range. */
struct unmap_walk {
	enum ioas_unmap_rule rule;
	unsigned long iova;		/* everything below is done */
	unsigned long last_iova;
	struct ioas_area *taken;	/* areas taken over, ascending */
	unsigned long nbytes;		/* taken over in all, also in earlier rounds */
	enum unmap_stop stop;
	unsigned long stop_last_iova;	/* with STOP_PINNED: of the area at @iova */
	unsigned int nnotices;		/* for that area */
	struct ioas_unmap_watch *watch;	/* or NULL */
	struct pages_sum sum;		/* for tracers only */
	int error;			/* why it did not go on */
};

/*
 * Does an area reach over a border of the range that must not? @area is the lowest in
 * the range. -EINVAL, -ENOENT if the rule wants that to look like an empty range,
 * -EAGAIN if that area is not live.
 */
static int check_borders(struct iova_space *space, const struct unmap_walk *walk,
			 struct ioas_area *area)
{
	if (walk->rule == UNMAP_UPWARD)
		return 0;
	if (area->first_iova < walk->iova) {
		if (!area_is_live(area))
			return -EAGAIN;
		return walk->rule == UNMAP_LEADING ? -ENOENT : -EINVAL;
	}
	if (walk->rule == UNMAP_LEADING || area->last_iova == walk->last_iova)
		return 0;
	area = iova_first(space, walk->last_iova, walk->last_iova);
	if (area && area->last_iova != walk->last_iova)
		return area_is_live(area) ? -EINVAL : -EAGAIN;
	return 0;
}

/* Can an area that is all in the range be taken over now? Sets what stops it. */
static inline bool can_take(struct unmap_walk *walk, struct ioas_area *area)
{
	bool live = area_is_live(area);

	/* Most are as they should be. */
	if (likely(live && !area->nbusy && !area->npins))
		return true;
	if (!live && walk->rule == UNMAP_UPWARD) {
		walk->error = -EBUSY;
	} else if (!live || area->nbusy) {
		walk->stop = STOP_BUSY;
	} else {
		area->noticed = true;
		walk->stop = STOP_PINNED;
		walk->stop_last_iova = area->last_iova;
	}
	return false;
}

/*
 * Takes over the live areas of the range from @area on, up to the first that is not
 * to be had, or a number of them. That none reached over a border was checked when the
 * walk began; if one does by now, a later map put it there, and it stays.
 */
static inline void take_areas(struct iova_space *space, struct unmap_walk *walk,
			      struct ioas_area *area)
{
	struct ioas_area **link = &walk->taken;
	unsigned int room = UNMAP_AT_ONCE;

	lockdep_assert_held(&space->iova_lock);
	walk->stop = STOP_DONE;
	for (; area && area->first_iova <= walk->last_iova; area = iova_next(space, area)) {
		if (area->first_iova < walk->iova || area->last_iova > walk->last_iova) {
			if (walk->rule == UNMAP_UPWARD) {
				walk->error = -ENOENT;
				break;
			}
			if (area->first_iova < walk->iova)
				continue;
			if (walk->rule == UNMAP_WHOLE)
				break;
		}
		walk->iova = area->first_iova;
		if (!room--) {
			walk->stop = STOP_FULL;
			break;
		}
		if (!can_take(walk, area))
			break;
		area->state = AREA_EMPTYING;
		walk->nbytes += area_nbytes(area);
		*link = area;
		link = &area->next;
		if (area->last_iova >= walk->last_iova)
			break;
	}
	*link = NULL;
}

static void empty_taken(struct ioas *ioas, struct unmap_walk *walk)
{
	struct account_refund refund = { };
	struct ioas_area *area;

	lockdep_assert_held_read(&ioas->domains_rwsem);
	if (unlikely(list_empty(&ioas->hwpts)))
		return;
	for (area = walk->taken; area; area = area->next) {
		if (area != walk->taken)
			cond_resched();
		pages_lock(area->pages);
		if (trace_unmap_enabled())
			insight_sum_area(area, &walk->sum);
		hwpt_unmap_from_all(ioas, area);
		area_unpin(area, &refund);
		pages_unlock(area->pages);
	}
	account_pay(&refund);
}

/*
 * Erases and frees areas up to the first that was the last of its account. Returns what
 * is left to erase.
 */
static __always_inline struct ioas_area *erase_some(struct ioas *ioas, struct ioas_area *areas)
{
	struct ioas_account *unused = NULL;
	struct ioas_area *area, *next;
	bool waited_for;

	spin_lock(&ioas->iova_space.iova_lock);
	for (area = areas; area && !unused; area = area->next)
		unused = area_erase(ioas, area);
	/* A waiter queues up before it looks at the tree under the same lock. */
	waited_for = waitqueue_active(&ioas->settled);
	spin_unlock(&ioas->iova_space.iova_lock);
	if (waited_for)
		wake_up_all(&ioas->settled);
	if (unused)
		account_put(unused);

	for (; areas != area; areas = next) {
		next = areas->next;
		area_free(areas);
		if (next)
			cond_resched();
	}
	return area;
}

static __always_inline void erase_areas(struct ioas *ioas, struct ioas_area *areas)
{
	while (areas)
		areas = erase_some(ioas, areas);
}

void ioas_erase_areas(struct ioas *ioas, struct ioas_area *areas)
{
	erase_areas(ioas, areas);
}

/* Waits until it is clear what the range covers, and takes the first areas over. */
static int begin_unmap(struct ioas *ioas, struct unmap_walk *walk)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;
	int ret;

	for (;;) {
		spin_lock(&space->iova_lock);
		area = iova_first(space, walk->iova, walk->last_iova);
		ret = area ? check_borders(space, walk, area) : -ENOENT;
		if (!ret)
			take_areas(space, walk, area);
		spin_unlock(&space->iova_lock);
		if (ret != -EAGAIN)
			return ret;
		ioas_wait_until_settled(ioas, walk->iova, walk->iova);
		ioas_wait_until_settled(ioas, walk->last_iova, walk->last_iova);
	}
}

/* The next area stays, for everybody. Another unmap marks it again if it is not done. */
static void give_up(struct ioas *ioas, struct unmap_walk *walk)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;

	spin_lock(&space->iova_lock);
	area = iova_first(space, walk->iova, walk->iova);
	if (area)
		area->noticed = false;
	spin_unlock(&space->iova_lock);
	walk->error = -EDEADLK;
}

/* Tells in-kernel users about the next area. False when they were told often enough. */
static noinline bool tell_users(struct ioas *ioas, struct unmap_walk *walk)
{
	if (walk->taken)
		walk->nnotices = 0;
	if (WARN_ON_ONCE(walk->nnotices++ >= UNMAP_NOTICES)) {
		give_up(ioas, walk);
		return false;
	}
	access_notify(ioas, walk->iova, walk->stop_last_iova);
	return true;
}

/* Shows the areas taken to who watches. From one that has to stay on, all do. */
static noinline void show_taken(struct ioas *ioas, struct unmap_walk *walk)
{
	struct ioas_area **link = &walk->taken;
	struct ioas_area *area, *next;
	int ret = 0;

	for (; *link; link = &(*link)->next) {
		ret = walk->watch->leaving(walk->watch, *link);
		if (ret)
			break;
	}
	if (!ret)
		return;
	area = *link;
	*link = NULL;
	walk->error = ret;
	walk->stop = STOP_DONE;
	spin_lock(&ioas->iova_space.iova_lock);
	for (; area; area = next) {
		next = area->next;
		walk->nbytes -= area_nbytes(area);
		area->state = AREA_LIVE;
	}
	ioas_wake_waiters(ioas);
	spin_unlock(&ioas->iova_space.iova_lock);
}

static void finish_unmap(struct ioas *ioas, struct unmap_walk *walk)
{
	struct iova_space *space = &ioas->iova_space;

	for (;;) {
		if (walk->watch)
			show_taken(ioas, walk);
		empty_taken(ioas, walk);
		erase_areas(ioas, walk->taken);
		if (walk->stop == STOP_DONE)
			return;
		if (walk->stop == STOP_BUSY)
			ioas_wait_until_settled(ioas, walk->iova, walk->iova);
		if (walk->stop == STOP_PINNED && !tell_users(ioas, walk))
			return;
		spin_lock(&space->iova_lock);
		take_areas(space, walk, iova_first(space, walk->iova, walk->last_iova));
		spin_unlock(&space->iova_lock);
	}
}

int ioas_unmap_watched(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
		       enum ioas_unmap_rule rule, struct ioas_unmap_watch *watch,
		       unsigned long *unmapped_nbytes)
{
	struct unmap_walk walk = {
		.rule = rule,
		.iova = iova,
		.last_iova = last_iova,
		.watch = watch,
	};
	u64 begin_ns = trace_begin(unmap);
	int ret;

	ret = begin_unmap(ioas, &walk);
	if (!ret)
		finish_unmap(ioas, &walk);
	*unmapped_nbytes = walk.nbytes;
	ret = ret == -ENOENT ? 0 : ret ?: walk.error;
	if (trace_unmap_enabled())
		trace_unmap(ioas->object.ctx->insight.id, ioas->object.id, iova, last_iova,
			    walk.nbytes, walk.sum.nruns, ret, trace_ns(begin_ns));
	return ret;
}

int ioas_unmap_all(struct ioas *ioas, unsigned long *unmapped_nbytes)
{
	return ioas_unmap(ioas, 0, ULONG_MAX, UNMAP_WHOLE, unmapped_nbytes);
}
