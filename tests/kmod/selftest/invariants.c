// SPDX-License-Identifier: GPL-2.0-only
/*
 * invariants: rules that hold for an IOAS whenever nobody is inside.
 *
 * A selftest build checks them after each call on a context: ioctls of all kinds, attach and
 * detach, and calls of drivers; also after calls that failed, unless the context may be gone. A
 * rule that does not hold gives a WARN.
 *
 * This file has the rules of areas and stores:
 *
 * - Areas do not overlap, are aligned, and lie outside of reserved ranges. Allowed ranges are not
 *   reserved.
 * - The noted gaps and the search hint are right.
 * - No area is claimed or busy, and no thread waits for one.
 * - A page of a store is pinned if and only if a user needs it. Runs end only where they must.
 *
 * readback.c has the rules of domains, claims.c those of pins and charges.
 *
 * If other threads are inside, a look is partial. Tests that make very many calls, or have very
 * many areas, are looked at only now and then.
 *
 * Locking: domains_rwsem held for writing keeps all others out. It is only tried, as is the mutex
 * of a shared store: the caller may hold locks that threads inside wait for, and these may wait for
 * user space. So the checker waits for another look, and a few milliseconds for a lock, but for
 * nothing else; it adds nothing to the order of locks.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bug.h>
#include <linux/delay.h>
#include <linux/interval_tree_generic.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "base/object.h"
#include "base/selftest.h"
#include "compat/area_flags.h"
#include "compat/container.h"
#include "domain/hwpt.h"
#include "invariants.h"
#include "space/area.h"
#include "space/ioas.h"

/* A lock is tried so often, with 0.1 to 0.2 ms in between. */
#define TRIES		20

/*
 * Looks take at most a quarter of the time. Time that they do not use is saved for later, up to a
 * second. So a look follows each call in most tests, and some calls in tests that make very many.
 */
#define LOOK_SHARE	4
#define MAX_CREDIT_NS	((s64)NSEC_PER_SEC)

/* At most so many complaints are printed. */
#define MAX_WARNINGS	10

#define user_first(user)	((user)->first_index)
#define user_last(user)		((user)->last_index)
INTERVAL_TREE_DEFINE(struct store_user, node, unsigned long, subtree_last,
		     user_first, user_last, static __maybe_unused, needs)

static DEFINE_MUTEX(look_mutex);
static struct look look;		/* look_mutex, as is what follows */
static unsigned int complaints;		/* bits of enum rule, of this look */
static unsigned int nwarnings;
static bool quiet;
static s64 credit_ns;
static u64 credited_ns;			/* time at which credit_ns was last raised */

static atomic_t nctxs = ATOMIC_INIT(0);

/* Tests read these to see whether looks came. */
static unsigned long nlooks;
module_param(nlooks, ulong, 0444);
MODULE_PARM_DESC(nlooks, "Looks at all of a context");
static unsigned long npartial;
module_param(npartial, ulong, 0444);
MODULE_PARM_DESC(npartial, "Looks while somebody was inside");
static unsigned long nomitted;
module_param(nomitted, ulong, 0444);
MODULE_PARM_DESC(nomitted, "Looks that were left out for want of time");

void complain(enum rule rule, const char *what, const char *file, int line)
{
	complaints |= BIT(rule);
	if (quiet || nwarnings >= MAX_WARNINGS)
		return;
	nwarnings++;
	WARN(1, "invariant: %s (%s:%d)\n", what, kbasename(file), line);
}

bool look_has_ioas(const struct look *look, const struct ioas *ioas)
{
	unsigned int i;

	for (i = 0; i < look->nioass; i++)
		if (look->ioass[i] == ioas)
			return true;
	return false;
}

static void check_ranges(struct iova_space *space)
{
	struct rb_node *rb;

	for (rb = rb_first_cached(&space->allowed); rb; rb = rb_next(rb)) {
		struct iova_interval *range = rb_entry(rb, struct iova_interval, node);

		spin_lock(&space->iova_lock);
		must(RULE_AREAS,
		     iova_check(space, range->first_iova, range->last_iova) != -EINVAL);
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

	must(RULE_AREAS, area->gap == area->first_iova - first_free);
	must(RULE_AREAS, area->subtree_gap == largest);
}

/* The search hint must lie between neighbours, or the next search would miss areas. */
static void check_place(struct iova_space *space)
{
	struct iova_place place;
	struct rb_node *above;

	spin_lock(&space->iova_lock);
	place = space->search_hint;
	above = place.below ? rb_next(&place.below->node) : rb_first(&space->areas);
	must(RULE_AREAS, place.above == area_of_node(above));
	spin_unlock(&space->iova_lock);
}

static bool is_needed(struct store_sharing *sharing, unsigned long index)
{
	return needs_iter_first(&sharing->users, index, index);
}

/* Does a run begin with a page? */
static bool has_border(struct ioas_store *store, unsigned long index)
{
	struct extent_cursor cursor;
	struct extent run;

	if (!index || index >= store->extents.npages)
		return true;
	extents_first(&store->extents, &cursor, index - 1, index, &run);
	return run.npages == 1;
}

static bool begins_or_ends_user(struct store_sharing *sharing, unsigned long index)
{
	struct store_user *user;

	for (user = needs_iter_first(&sharing->users, index - 1, index); user;
	     user = needs_iter_next(user, index - 1, index)) {
		if (user->first_index == index || user->last_index == index - 1)
			return true;
		cond_resched();
	}
	return false;
}

static void check_users(struct ioas_store *store)
{
	struct rb_node *rb;

	for (rb = rb_first_cached(&store->sharing->users); rb; rb = rb_next(rb)) {
		struct store_user *user = rb_entry(rb, struct store_user, node);

		must(RULE_STORES, user->first_index <= user->last_index);
		must(RULE_STORES, user->last_index < store->extents.npages);
		must(RULE_STORES, has_border(store, user->first_index));
		must(RULE_STORES, has_border(store, user->last_index + 1));
		cond_resched();
	}
}

/* Checks some pages of a run, which can have any number of them. */
static void check_pinned(const struct extent *run)
{
	unsigned long step = run->npages / 16 + 1;
	unsigned long i;

	for (i = 0; i < run->npages; i += step)
		must(RULE_PINS, count_pins(run->pfn + i) >= 1);
	must(RULE_PINS, count_pins(run->pfn + run->npages - 1) >= 1);
}

/* Checks both ends of a run: users begin and end with runs, so that all its pages are alike. */
static void check_run(struct ioas_store *store, const struct extent *run, bool in_domain)
{
	bool filled = run->kind != EXTENT_HOLE;
	struct store_sharing *sharing = store->sharing;

	if (run->kind == EXTENT_CHARGED)
		check_pinned(run);
	/* A leaked store has more pages pinned than its users need. */
	if (store->leaked)
		return;
	if (sharing) {
		must(RULE_STORES, is_needed(sharing, run->index) == filled);
		must(RULE_STORES,
		     is_needed(sharing, run->index + run->npages - 1) == filled);
	} else {
		must(RULE_STORES, in_domain == filled);
	}
}

/* A run may continue the one before it only where a user's part begins or ends. */
static void check_border(struct ioas_store *store, const struct extent *before,
			 const struct extent *run)
{
	must(RULE_STORES, run->index == before->index + before->npages);
	if (!extent_continues(before, run))
		return;
	must(RULE_STORES, run->kind != EXTENT_HOLE);
	must(RULE_STORES, store->sharing && begins_or_ends_user(store->sharing, run->index));
}

static void check_runs(struct ioas_store *store, bool in_domain)
{
	unsigned long last_index = store->extents.npages - 1;
	struct extent_cursor cursor;
	struct extent run, before;
	bool more;

	more = extents_first(&store->extents, &cursor, 0, last_index, &run);
	must(RULE_STORES, more && !run.index);
	while (more) {
		check_run(store, &run, in_domain);
		if (extent_is_pinned(run.kind))
			look.npinned += run.npages;
		before = run;
		more = extents_next(&store->extents, &cursor, last_index, &run);
		if (more)
			check_border(store, &before, &run);
		cond_resched();
	}
	must(RULE_STORES, before.index + before.npages == store->extents.npages);
}

/* Notes the store of an area. False if the look has met it before. */
static bool meet_store(struct ioas_area *area)
{
	struct selftest_tally *tally = &area->store->tally;
	bool first = tally->look != look.number;

	if (first) {
		tally->look = look.number;
		tally->next = look.stores;
		tally->nseen = 0;
		tally->npins = 0;
		look.stores = area->store;
	}
	tally->nseen++;
	tally->npins += area->npins;
	return first;
}

static void check_store(struct ioas_area *area, bool in_domain)
{
	struct ioas_store *store = area->store;

	if (!meet_store(area))
		return;
	/* A thread that holds it is inside an IOAS that could not be locked. */
	if (store->sharing && !mutex_trylock(&store->sharing->mutex)) {
		must(RULE_STORES, !look.complete);
		return;
	}
	check_runs(store, in_domain);
	if (store->sharing)
		check_users(store);
	store_unlock(store);
}

static void check_area(struct ioas *ioas, struct ioas_area *area)
{
	struct iova_space *space = &ioas->iova_space;
	unsigned long misfit = ioas->iova_alignment - 1;
	struct ioas_hwpt *hwpt;

	must(RULE_AREAS, area_is_live(area));
	/* Nobody is inside: a claim is that of an unmap that has left to tell in-kernel users. */
	must(RULE_AREAS, area->state == AREA_LIVE ||
	     (area_is_told(area) && refcount_read(&ioas->keepers) >= 2));
	must(RULE_AREAS, !area->nbusy);
	must(RULE_AREAS, area->first_iova <= area->last_iova);
	must(RULE_AREAS, !((area->first_iova | area_nbytes(area) | area->first_byte) & misfit));
	must(RULE_AREAS, area_last_byte(area) / PAGE_SIZE < area->store->extents.npages);
	must(RULE_AREAS, !area->npins || area->store->sharing);
	must(RULE_AREAS, area->store->account);
	/* Flags belong to a front end; contexts of /dev/iommu have none. */
	must(RULE_AREAS, ioas->front || !area->flags);
	must(RULE_AREAS, !(area->flags & ~(AREA_NO_VADDR | AREA_ALL_DIRTY)));
	spin_lock(&space->iova_lock);
	must(RULE_AREAS, iova_check(space, area->first_iova, area->last_iova) != -EINVAL);
	spin_unlock(&space->iova_lock);
	list_for_each_entry(hwpt, &ioas->mirrors, mirror.item)
		must(RULE_AREAS, area->last_iova <= hwpt->mirror.reach);
	check_store(area, !list_empty(&ioas->mirrors));
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

		must(RULE_AREAS, area->first_iova >= first_free);
		check_area(ioas, area);
		if (space->gaps_known)
			check_gaps(area, first_free);
		first_free = area->last_iova + 1;
		nareas++;
		cond_resched();
	}
	must(RULE_AREAS, nareas == space->nareas);
	must(RULE_AREAS, nareas <= space->max_areas);
	/* Nobody is inside: a thread that waits is in an unmap that has left for a while. */
	must(RULE_AREAS, !waitqueue_active(&ioas->area_waitq) ||
	     refcount_read(&ioas->keepers) >= 2);
	check_domains(ioas);
}

static bool lock_ioas(struct ioas *ioas, unsigned int tries)
{
	while (!down_write_trylock(&ioas->domains_rwsem)) {
		if (!tries--)
			return false;
		usleep_range(100, 200);
	}
	return true;
}

/* Locks all IOASs that it can. After one that it cannot lock it does not wait for others. */
static void lock_ioass(struct ioas_ctx *ctx)
{
	struct ioas_object *object;
	struct ioas *ioas;
	unsigned long id;

	look.complete = true;
	xa_for_each(&ctx->objects, id, object) {
		if (look.nioass == LOOK_MAX_IOASS) {
			look.complete = false;
			return;
		}
		/* NULL: another kind of object, or one about to end. */
		ioas = ioas_get(ctx, id);
		if (!ioas)
			continue;
		if (lock_ioas(ioas, look.complete ? TRIES : 0)) {
			look.ioass[look.nioass++] = ioas;
		} else {
			look.complete = false;
			ioas_put(ioas);
		}
	}
	/* An IOAS that is about to end is not found, but still counted. */
	if (look.nioass != selftest_counted(&ctx->tally))
		look.complete = false;
}

static void unlock_ioass(void)
{
	while (look.nioass--) {
		up_write(&look.ioass[look.nioass]->domains_rwsem);
		ioas_put(look.ioass[look.nioass]);
	}
}

static void look_at(struct ioas_ctx *ctx)
{
	unsigned int i;

	lockdep_assert_held(&look_mutex);
	complaints = 0;
	look = (struct look){ .ctx = ctx, .number = look.number + 1 };
	lock_ioass(ctx);
	for (i = 0; i < look.nioass; i++)
		check_ioas(look.ioass[i]);
	if (look.complete) {
		nlooks++;
		check_claims(&look);
	} else {
		npartial++;
	}
	unlock_ioass();
}

void selftest_look(struct ioas_ctx *ctx)
{
	u64 begin_ns;

	mutex_lock(&look_mutex);
	begin_ns = ktime_get_ns();
	credit_ns = min_t(s64, credit_ns + (begin_ns - credited_ns) / LOOK_SHARE, MAX_CREDIT_NS);
	credited_ns = begin_ns;
	if (credit_ns > 0) {
		look_at(ctx);
		credit_ns -= ktime_get_ns() - begin_ns;
	} else {
		nomitted++;
	}
	mutex_unlock(&look_mutex);
}

unsigned int look_quietly(struct ioas_ctx *ctx)
{
	unsigned int ret;

	mutex_lock(&look_mutex);
	quiet = true;
	look_at(ctx);
	quiet = false;
	ret = complaints;
	mutex_unlock(&look_mutex);
	return ret;
}

void selftest_look_at_container(void *handle)
{
	struct container *container = container_get(handle);

	if (!container)
		return;
	selftest_look(&container->ctx);
	container_put(container);
}

void selftest_note_ctx(int change)
{
	atomic_add(change, &nctxs);
}

bool selftest_only_ctx(void)
{
	return atomic_read(&nctxs) == 1;
}
