// SPDX-License-Identifier: GPL-2.0-only
/*
 * unmap: removes areas from an IOAS.
 *
 * A walk goes from the lowest area upward. It takes over as many areas as it can get at once, as
 * their owner (state EMPTYING), empties them, erases them, and continues behind them.
 *
 * The walk claims an area that it cannot take over at once:
 *
 * - While calls keep the area busy, the walk waits, and new calls wait for the walk. So it waits
 *   only for calls that are inside already.
 * - While in-kernel users have pinned the area, the walk tells them to unpin, waits a moment, and
 *   looks again. Meanwhile calls may use the area, since the walk does not wait for them, but not
 *   pin it.
 *
 * If another thread has claimed an area, the walk first waits for that thread. A walk has at most
 * one claim. It drops the claim where it looks at areas again, and where it ends.
 *
 * An area whose pins are not given back stays. A walk that user space asked for then ends. A walk
 * that takes all areas cannot be repeated, so it passes over that area.
 *
 * Locking: the caller has entered the IOAS. iova_lock is held only to claim, to take over and to
 * erase areas. The walk tells in-kernel users, and waits for them, outside of the IOAS. They enter
 * it to unpin; a thread that waited inside would block a writer, which would keep them out. For the
 * same reason, a walk waits outside for another thread that tells them.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "area.h"
#include "base/vfio_ioas_trace.h"
#include "limits.h"
#include "mirror.h"
#include "notifier.h"
#include "unmap.h"

/* This many areas are taken over at once. It bounds how long iova_lock is held. */
#define UNMAP_AT_ONCE	128

/* The reason why a walk took no more areas. */
enum unmap_stop {
	STOP_DONE,	/* there are none, or the rule or an error ends the walk */
	STOP_FULL,	/* enough for one time */
	STOP_TURN,	/* another thread makes, divides or removes the next one */
	STOP_BUSY,	/* calls keep the next one busy, which is claimed */
	STOP_PINNED,	/* in-kernel users have to unpin the next one, which is claimed */
};

/* An unmap on its way through the areas of a range. */
struct unmap_walk {
	enum ioas_unmap_rule rule;
	unsigned long iova;		/* everything below is done */
	unsigned long last_iova;
	struct ioas_area *taken;	/* areas taken over, ascending */
	unsigned long nbytes;		/* taken over in all, also in earlier rounds */
	enum unmap_stop stop;
	struct ioas_area *claimed;	/* the area at @iova, if the walk stopped at it */
	unsigned long told_iova;	/* of the area that users were told of last */
	unsigned int nnotices;		/* for that area */
	bool keeps_ioas;		/* see ioas_keep() */
	bool passed_over;		/* an area that in-kernel users did not unpin */
	struct ioas_unmap_watch *watch;	/* or NULL */
	struct store_sum sum;		/* for tracers only */
	int error;			/* why the walk ended early, or 0 */
};

/* A fatal signal ends the waits of a walk, unless it is to remove everything. */
static unsigned int wait_state(const struct unmap_walk *walk)
{
	return walk->rule == UNMAP_ALL ? TASK_UNINTERRUPTIBLE : TASK_KILLABLE;
}

/*
 * Does an area reach over a border of a range, against the rule? @area is the lowest in the range.
 *
 * - -EINVAL: it does
 * - -ENOENT: it does, and the rule wants that to look like an empty range
 * - -EAGAIN: an area at a border is not live
 */
static inline int check_borders(struct iova_space *space, enum ioas_unmap_rule rule,
				struct ioas_area *area, unsigned long iova,
				unsigned long last_iova)
{
	if (rule == UNMAP_UPWARD)
		return 0;
	if (area->first_iova < iova) {
		if (!area_is_live(area))
			return -EAGAIN;
		return rule == UNMAP_STARTING ? -ENOENT : -EINVAL;
	}
	if (rule == UNMAP_STARTING || area->last_iova == last_iova)
		return 0;
	area = iova_first(space, last_iova, last_iova);
	if (area && area->last_iova != last_iova)
		return area_is_live(area) ? -EINVAL : -EAGAIN;
	return 0;
}

/*
 * Stops at an area that is all in the range, but cannot be taken now. Claims it, unless another
 * thread has it.
 */
static noinline void stop_at(struct iova_space *space, struct unmap_walk *walk,
			     struct ioas_area *area)
{
	if (!area_is_live(area) && walk->rule == UNMAP_UPWARD) {
		walk->error = -EBUSY;
	} else if (READ_ONCE(area->state) != AREA_LIVE) {
		walk->stop = STOP_TURN;
	} else if (area->npins) {
		walk->stop = STOP_PINNED;
		walk->claimed = area;
		area_set_state(space, area, AREA_TELLING);
	} else {
		walk->stop = STOP_BUSY;
		walk->claimed = area;
		area_set_state(space, area, AREA_ALONE);
	}
}

/* Drops the claim of an area, if there is one. The caller goes on to ioas_unlock_and_wake(). */
static void drop_claim(struct ioas *ioas, struct unmap_walk *walk)
{
	lockdep_assert_held(&ioas->iova_space.iova_lock);
	if (walk->claimed)
		area_set_state(&ioas->iova_space, walk->claimed, AREA_LIVE);
	walk->claimed = NULL;
}

/* Can an area that is all in the range be taken over now? Most can. */
static inline bool can_take(const struct ioas_area *area)
{
	/* Pairs with area_set_live(), as in area_is_live(). */
	return likely(smp_load_acquire(&area->state) == AREA_LIVE && !area->nbusy &&
		      !area->npins);
}

/*
 * Takes over the live areas of the range from @area on, up to the first that cannot be taken, or up
 * to a number. The borders were checked when the walk began. An area that reaches over one now came
 * by a later map, and stays.
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
				walk->error = area_is_live(area) ? -ENOENT : -EBUSY;
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
		if (!can_take(area)) {
			stop_at(space, walk, area);
			break;
		}
		area_set_state(space, area, AREA_EMPTYING);
		walk->nbytes += area_nbytes(area);
		*link = area;
		link = &area->next;
		if (area->last_iova >= walk->last_iova)
			break;
	}
	*link = NULL;
}

static __always_inline void empty_taken(struct ioas *ioas, struct unmap_walk *walk)
{
	struct account_refund refund = { };
	struct ioas_area *area;

	lockdep_assert_held_read(&ioas->domains_rwsem);
	if (unlikely(list_empty(&ioas->mirrors)))
		return;
	for (area = walk->taken; area; area = area->next) {
		if (area != walk->taken)
			cond_resched();
		store_lock(area->store);
		if (trace_unmap_enabled())
			area_sum(area, &walk->sum);
		mirrors_unmap_area(ioas, area);
		area_unpin(area, &refund);
		store_unlock(area->store);
	}
	account_pay(&refund);
}

/*
 * Erases and frees areas, up to the first that was the last area of its account. Returns the areas
 * that are left to erase.
 */
static __always_inline struct ioas_area *erase_some(struct ioas *ioas, struct ioas_area *areas)
{
	struct ioas_account *unused = NULL;
	struct ioas_area *area, *next;

	spin_lock(&ioas->iova_space.iova_lock);
	for (area = areas; area && !unused; area = area->next)
		unused = area_erase(ioas, area);
	ioas_unlock_and_wake(ioas);
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
	struct ioas_area *last, *next;
	unsigned int n;

	for (; areas; areas = next) {
		for (last = areas, n = 1; last->next && n < UNMAP_AT_ONCE; n++)
			last = last->next;
		next = last->next;
		last->next = NULL;
		erase_areas(ioas, areas);
	}
}

/* Waits for threads that make or remove the areas on which the borders of a range lie. */
static int wait_for_borders(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
			    unsigned int state)
{
	return area_wait_settled(ioas, iova, state) ?:
	       area_wait_settled(ioas, last_iova, state);
}

/* Waits until the borders of the range can be checked, and takes the first areas over. */
static int begin_unmap(struct ioas *ioas, struct unmap_walk *walk)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;
	int ret;

	for (;;) {
		spin_lock(&space->iova_lock);
		area = iova_first(space, walk->iova, walk->last_iova);
		ret = area ? check_borders(space, walk->rule, area, walk->iova, walk->last_iova) :
			     -ENOENT;
		if (!ret)
			take_areas(space, walk, area);
		spin_unlock(&space->iova_lock);
		if (ret != -EAGAIN)
			return ret;
		ret = wait_for_borders(ioas, walk->iova, walk->last_iova, wait_state(walk));
		if (ret)
			return ret;
	}
}

int ioas_check_borders(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
		       enum ioas_unmap_rule rule)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;
	int ret;

	for (;;) {
		spin_lock(&space->iova_lock);
		area = iova_first(space, iova, last_iova);
		ret = area ? check_borders(space, rule, area, iova, last_iova) : -ENOENT;
		spin_unlock(&space->iova_lock);
		if (ret != -EAGAIN)
			return ret;
		ret = wait_for_borders(ioas, iova, last_iova, TASK_KILLABLE);
		if (ret)
			return ret;
	}
}

/*
 * Leaves the IOAS until step_in(). The walk keeps the IOAS until its own end. Meanwhile the front
 * end may begin to keep something of areas, although it did not when the walk began.
 */
static void step_out(struct ioas *ioas, struct unmap_walk *walk)
{
	if (!walk->keeps_ioas)
		ioas_keep(ioas);
	walk->keeps_ioas = true;
	if (!walk->watch)
		walk->watch = ioas->forgets;
	ioas_leave(ioas);
}

static void step_in(struct ioas *ioas)
{
	ioas_enter(ioas);
}

static bool area_has_pins(struct ioas *ioas, struct ioas_area *area)
{
	bool has;

	spin_lock(&ioas->iova_space.iova_lock);
	has = area->npins;
	spin_unlock(&ioas->iova_space.iova_lock);
	return has;
}

/* Gives a notice time to take effect. The claim keeps the area where it is. */
static int wait_for_unpin(struct ioas *ioas, struct unmap_walk *walk)
{
	struct ioas_area *area = walk->claimed;
	long ret = 0;

	if (wait_state(walk) == TASK_KILLABLE)
		ret = wait_event_killable_timeout(ioas->area_waitq, !area_has_pins(ioas, area),
						  NOTICE_PAUSE);
	else
		wait_event_timeout(ioas->area_waitq, !area_has_pins(ioas, area), NOTICE_PAUSE);
	return ret < 0 ? -EINTR : 0;
}

/* Tells in-kernel users to unpin the claimed area, unless they were told often enough. */
static noinline int tell_users(struct ioas *ioas, struct unmap_walk *walk)
{
	struct ioas_area *area = walk->claimed;
	int ret;

	/* A dead IOAS has no users any more: these pins are lost. */
	if (ioas->dead)
		return -EDEADLK;
	if (walk->told_iova != walk->iova)
		walk->nnotices = 0;
	walk->told_iova = walk->iova;
	/*
	 * After a driver has kept one area, it gets no time for the next ones: there may be any
	 * number.
	 */
	if (walk->passed_over && walk->nnotices)
		return -EDEADLK;
	if (WARN_ON_ONCE(walk->nnotices++ >= MAX_NOTICES))
		return -EDEADLK;
	step_out(ioas, walk);
	ret = ioas_notify_unmap(ioas, area->first_iova, area->last_iova, wait_state(walk));
	if (!ret && !walk->passed_over)
		ret = wait_for_unpin(ioas, walk);
	step_in(ioas);
	return ret;
}

/* Does another thread tell in-kernel users to unpin the next area? */
static bool next_is_told(struct ioas *ioas, const struct unmap_walk *walk)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;
	bool told;

	spin_lock(&space->iova_lock);
	area = iova_first(space, walk->iova, walk->iova);
	told = area && area_is_told(area);
	spin_unlock(&space->iova_lock);
	return told;
}

/* Waits while another thread is alone with the next area, or tells in-kernel users to unpin it. */
static int wait_for_turn(struct ioas *ioas, struct unmap_walk *walk)
{
	int ret;

	ret = area_wait_settled(ioas, walk->iova, wait_state(walk));
	if (ret || !next_is_told(ioas, walk))
		return ret;
	step_out(ioas, walk);
	if (wait_state(walk) == TASK_KILLABLE)
		ret = wait_event_killable(ioas->area_waitq, !next_is_told(ioas, walk));
	else
		wait_event(ioas->area_waitq, !next_is_told(ioas, walk));
	step_in(ioas);
	return ret ? -EINTR : 0;
}

static int wait_for_next(struct ioas *ioas, struct unmap_walk *walk)
{
	switch (walk->stop) {
	case STOP_TURN:
		return wait_for_turn(ioas, walk);
	case STOP_BUSY:
		return area_wait_idle(ioas, walk->claimed, wait_state(walk));
	case STOP_PINNED:
		return tell_users(ioas, walk);
	default:
		return 0;
	}
}

/*
 * Shows the areas taken to the watch. If one has to stay, it and all behind it become live again.
 */
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
	spin_lock(&ioas->iova_space.iova_lock);
	for (; area; area = next) {
		next = area->next;
		walk->nbytes -= area_nbytes(area);
		area_set_state(&ioas->iova_space, area, AREA_LIVE);
	}
	ioas_unlock_and_wake(ioas);
}

/* Removes the areas that were taken over. */
static __always_inline void remove_taken(struct ioas *ioas, struct unmap_walk *walk)
{
	if (walk->watch)
		show_taken(ioas, walk);
	empty_taken(ioas, walk);
	erase_areas(ioas, walk->taken);
}

/* Passes over the claimed area, if it may stay and is not the last one. Returns whether it did. */
static bool pass_over(struct unmap_walk *walk)
{
	if (walk->rule != UNMAP_ALL || walk->error != -EDEADLK ||
	    walk->claimed->last_iova >= walk->last_iova)
		return false;
	walk->iova = walk->claimed->last_iova + 1;
	walk->error = 0;
	walk->passed_over = true;
	return true;
}

/* Continues behind the areas that could be taken at once. However it ends, no claim is left. */
static noinline void go_on(struct ioas *ioas, struct unmap_walk *walk)
{
	struct iova_space *space = &ioas->iova_space;

	while (!walk->error && walk->stop != STOP_DONE) {
		walk->error = wait_for_next(ioas, walk);
		if (walk->error && !pass_over(walk))
			break;
		spin_lock(&space->iova_lock);
		drop_claim(ioas, walk);
		take_areas(space, walk, iova_first(space, walk->iova, walk->last_iova));
		ioas_unlock_and_wake(ioas);
		remove_taken(ioas, walk);
	}
	spin_lock(&space->iova_lock);
	drop_claim(ioas, walk);
	ioas_unlock_and_wake(ioas);
	if (walk->passed_over)
		walk->error = -EDEADLK;
	if (walk->keeps_ioas)
		ioas_unkeep(ioas);
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
	if (!ret) {
		remove_taken(ioas, &walk);
		if (unlikely(walk.stop != STOP_DONE))
			go_on(ioas, &walk);
	}
	*unmapped_nbytes = walk.nbytes;
	ret = ret == -ENOENT ? 0 : ret ?: walk.error;
	if (trace_unmap_enabled())
		trace_unmap(ioas->object.ctx->id, ioas->object.id, iova, last_iova,
			    walk.nbytes, walk.sum.nruns, ret, trace_ns(begin_ns));
	return ret;
}

int ioas_unmap_all(struct ioas *ioas, unsigned long *unmapped_nbytes)
{
	return ioas_unmap(ioas, 0, ULONG_MAX, UNMAP_ALL, unmapped_nbytes);
}

void ioas_empty(struct ioas *ioas)
{
	unsigned long nbytes;

	ioas->emptying = true;
	ioas_refresh(ioas);
	downgrade_write(&ioas->domains_rwsem);
	WARN_ON(ioas_unmap_all(ioas, &nbytes));
	/*
	 * The reach stays 0 until the next ioas_refresh(): by the next group, or the next map,
	 * alone.
	 */
	ioas->emptying = false;
}
