// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioas: an I/O address space: its life, its settings, and what can be asked of it.
 *
 * A map claims its IOVA with an area in state FILLING, then pins and fills all
 * domains without iova_lock (map.c); an unmap takes its areas over as EMPTYING, empties
 * them without iova_lock, and then gives the IOVA back (unmap.c). So calls for different
 * ranges run in parallel, and an IOVA is never free while a domain still has it.
 * A caller that finds an area that is not live waits until it is live, or gone.
 *
 * Locking: see struct ioas. Waiting for an area happens with domains_rwsem held for
 * reading and nothing else; the owner of that area holds it for reading, too, and
 * needs no other lock that a waiter could have.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "area.h"
#include "domain/hwpt.h"
#include "ioas.h"

/* Nobody finds it as the container's any more, and everybody who did has left for good. */
static void mark_dead(struct ioas *ioas)
{
	struct ioas_ctx *ctx = ioas->object.ctx;

	xa_lock(&ctx->objects);
	if (rcu_access_pointer(ctx->vfio_ioas) == ioas)
		RCU_INIT_POINTER(ctx->vfio_ioas, NULL);
	xa_unlock(&ctx->objects);
	down_write(&ioas->domains_rwsem);
	ioas->dead = true;
	up_write(&ioas->domains_rwsem);
	/* Those who were outside just then come back, and nobody else. */
	if (!refcount_dec_and_test(&ioas->keepers)) {
		wait_for_completion(&ioas->unkept);
		down_write(&ioas->domains_rwsem);
		up_write(&ioas->domains_rwsem);
	}
}

/* From now on others find what the IOAS does not use of its share, even while it ends. */
static void join_limit(struct ioas *ioas)
{
	struct ioas_ctx *ctx = ioas->object.ctx;

	mutex_lock(&ctx->areas_mutex);
	list_add(&ioas->ioass_item, &ctx->ioass);
	mutex_unlock(&ctx->areas_mutex);
}

/* What the IOAS was allowed to have is spare again. */
static void leave_limit(struct ioas *ioas)
{
	struct ioas_ctx *ctx = ioas->object.ctx;

	mutex_lock(&ctx->areas_mutex);
	list_del(&ioas->ioass_item);
	ctx->spare_areas += ioas->iova_space.max_areas;
	mutex_unlock(&ctx->areas_mutex);
}

static void ioas_destroy(struct ioas_object *object)
{
	struct ioas *ioas = object_ioas(object);
	unsigned long nbytes;

	mark_dead(ioas);
	ioas_enter(ioas);
	WARN_ON(ioas_unmap_all(ioas, &nbytes));
	WARN_ON(!list_empty(&ioas->hwpts));
	ioas_leave(ioas);
	down_write(&ioas->domains_rwsem);
	iova_space_destroy(&ioas->iova_space);
	up_write(&ioas->domains_rwsem);
	leave_limit(ioas);
	WARN_ON(!xa_empty(&ioas->accesses));
	if (ioas->account)
		account_put(ioas->account);
	if (ioas->object.ctx->front_ops)
		ioas->object.ctx->front_ops->remove_ioas(ioas);
	selftest_count(&ioas->object.ctx->tally, -1);
	kfree_rcu(ioas, rcu);
}

static const struct ioas_object_ops ioas_object_ops = {
	.destroy = ioas_destroy,
	.show = insight_show_ioas,
};

struct ioas *ioas_create(struct ioas_ctx *ctx)
{
	struct ioas *ioas;
	int ret;

	ioas = kzalloc(sizeof(*ioas), GFP_KERNEL_ACCOUNT);
	if (!ioas)
		return ERR_PTR(-ENOMEM);
	ret = ioas_object_reserve(ctx, &ioas->object, &ioas_object_ops);
	if (ret) {
		kfree(ioas);
		return ERR_PTR(ret);
	}
	init_rwsem(&ioas->domains_rwsem);
	refcount_set(&ioas->keepers, 1);
	init_completion(&ioas->unkept);
	INIT_LIST_HEAD(&ioas->hwpts);
	iova_space_init(&ioas->iova_space, &ioas->domains_rwsem);
	init_waitqueue_head(&ioas->settled);
	xa_init_flags(&ioas->accesses, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	ioas->pgsizes = ULONG_MAX;
	ioas->granule = 1;
	if (ctx->front_ops)
		ret = ctx->front_ops->add_ioas(ioas);
	if (ret) {
		ioas_object_abort(&ioas->object);
		kfree(ioas);
		return ERR_PTR(ret);
	}
	join_limit(ioas);
	selftest_count(&ctx->tally, 1);
	return ioas;
}

void ioas_discard(struct ioas *ioas)
{
	/* A user would be left with freed memory. */
	if (WARN_ON(ioas->object.nusers))
		return;
	ioas_object_abort(&ioas->object);
	ioas_destroy(&ioas->object);
}

struct ioas *ioas_get(struct ioas_ctx *ctx, u32 id)
{
	struct ioas_object *object = ioas_object_get(ctx, id, &ioas_object_ops);

	return object ? object_ioas(object) : NULL;
}

void ioas_put(struct ioas *ioas)
{
	ioas_object_put(&ioas->object);
}

struct ioas *ioas_get_vfio(struct ioas_ctx *ctx)
{
	struct ioas *ioas;

	/* It is cleared before the memory goes, and an IOAS about to go is not kept. */
	rcu_read_lock();
	ioas = rcu_dereference(ctx->vfio_ioas);
	if (ioas && !ioas_object_try_busy(&ioas->object))
		ioas = NULL;
	rcu_read_unlock();
	return ioas;
}

void ioas_set_vfio(struct ioas_ctx *ctx, struct ioas *ioas)
{
	xa_lock(&ctx->objects);
	rcu_assign_pointer(ctx->vfio_ioas, ioas);
	xa_unlock(&ctx->objects);
}

void ioas_offer_vfio(struct ioas_ctx *ctx, struct ioas *ioas)
{
	struct ioas *old;

	xa_lock(&ctx->objects);
	old = rcu_dereference_protected(ctx->vfio_ioas, lockdep_is_held(&ctx->objects.xa_lock));
	/* One that is about to end is not found either, see ioas_get_vfio(). */
	if (!old || old->object.ending)
		rcu_assign_pointer(ctx->vfio_ioas, ioas);
	xa_unlock(&ctx->objects);
}

void ioas_refresh(struct ioas *ioas)
{
	unsigned long granule = ioas->small_pages || ioas->npinning ? PAGE_SIZE : 1;
	unsigned long reach = ioas->emptying ? 0 : ULONG_MAX;
	unsigned long pgsizes = ULONG_MAX;
	struct ioas_hwpt *hwpt;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	list_for_each_entry(hwpt, &ioas->hwpts, hwpts_item) {
		pgsizes &= hwpt->domain->pgsize_bitmap;
		granule = max(granule, hwpt_granule(hwpt));
		reach = min(reach, hwpt->reach);
	}
	iova_set_reach(&ioas->iova_space, reach);
	WRITE_ONCE(ioas->pgsizes, pgsizes);
	ioas->granule = granule;
}

static bool area_fits(const struct ioas_area *area, unsigned long granule)
{
	unsigned long misfit = granule - 1;

	return !((area->first_iova | area_nbytes(area) | area->first_byte) & misfit);
}

int ioas_check_granule(struct ioas *ioas, unsigned long granule)
{
	struct ioas_area *area;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	if (granule > PAGE_SIZE)
		return -EINVAL;
	if (granule <= ioas->granule)
		return 0;
	for (area = area_first(ioas, 0); area; area = area_next(ioas, area)) {
		if (!area_fits(area, granule))
			return -EADDRINUSE;
		cond_resched();
	}
	return 0;
}

int ioas_set_small_pages(struct ioas *ioas, bool small_pages)
{
	int ret = 0;

	down_write(&ioas->domains_rwsem);
	if (small_pages && !ioas->small_pages) {
		if (!list_empty(&ioas->hwpts) && READ_ONCE(ioas->iova_space.nareas))
			ret = -EINVAL;
		else
			ret = ioas_check_granule(ioas, PAGE_SIZE);
	}
	if (!ret) {
		/* HUGE_PAGES and CHECK_EXTENSION peek. */
		WRITE_ONCE(ioas->small_pages, small_pages);
		ioas_refresh(ioas);
	}
	up_write(&ioas->domains_rwsem);
	return ret;
}

void ioas_prepare_search(struct ioas *ioas)
{
	if (READ_ONCE(ioas->iova_space.gaps_known))
		return;
	down_write(&ioas->domains_rwsem);
	if (!ioas->iova_space.gaps_known)
		iova_index_gaps(&ioas->iova_space);
	up_write(&ioas->domains_rwsem);
}

/* How many more areas an IOAS has been allowed than it has. Takes that back if so wanted. */
static unsigned long unused_room(struct ioas *ioas, bool take_back)
{
	struct iova_space *space = &ioas->iova_space;
	unsigned long unused;

	lockdep_assert_held(&ioas->object.ctx->areas_mutex);
	spin_lock(&space->iova_lock);
	unused = space->max_areas - space->nareas;
	if (take_back)
		space->max_areas -= unused;
	spin_unlock(&space->iova_lock);
	return unused;
}

static unsigned long unused_by_all(struct ioas_ctx *ctx, bool take_back)
{
	unsigned long unused = 0;
	struct ioas *ioas;

	lockdep_assert_held(&ctx->areas_mutex);
	list_for_each_entry(ioas, &ctx->ioass, ioass_item) {
		unused += unused_room(ioas, take_back);
		cond_resched();
	}
	return unused;
}

/* Lets an IOAS have so many more areas, or even half of what is spare. False if it cannot. */
static bool give_room(struct ioas *ioas, unsigned long nareas)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_ctx *ctx = ioas->object.ctx;
	unsigned long more = 0;
	bool enough;

	lockdep_assert_held(&ctx->areas_mutex);
	spin_lock(&space->iova_lock);
	if (nareas > space->max_areas - space->nareas)
		more = nareas - (space->max_areas - space->nareas);
	enough = more <= ctx->spare_areas;
	if (more && enough) {
		more = max(more, ctx->spare_areas / 2);
		space->max_areas += more;
		ctx->spare_areas -= more;
	}
	spin_unlock(&space->iova_lock);
	return enough;
}

int ioas_get_room(struct ioas *ioas, unsigned long nareas)
{
	struct ioas_ctx *ctx = ioas->object.ctx;
	bool done;

	lockdep_assert_held(&ioas->domains_rwsem);
	mutex_lock(&ctx->areas_mutex);
	done = give_room(ioas, nareas);
	if (!done) {
		ctx->spare_areas += unused_by_all(ctx, true);
		done = give_room(ioas, nareas);
	}
	mutex_unlock(&ctx->areas_mutex);
	return done ? 0 : -ENOSPC;
}

static unsigned long room_in_context(struct ioas_ctx *ctx)
{
	unsigned long room;

	mutex_lock(&ctx->areas_mutex);
	room = ctx->spare_areas + unused_by_all(ctx, false);
	mutex_unlock(&ctx->areas_mutex);
	return room;
}

/* Finds the usable ranges, and fills them in if there is an array. Returns how many. */
static unsigned int list_ranges(struct iova_space *space, struct ioas_range *ranges)
{
	unsigned long iova = 0, first_iova, last_iova;
	unsigned int nranges = 0;

	while (iova_usable(space, iova, &first_iova, &last_iova)) {
		if (ranges)
			ranges[nranges] = (struct ioas_range){ first_iova, last_iova };
		nranges++;
		if (last_iova == ULONG_MAX)
			break;
		iova = last_iova + 1;
		cond_resched();
	}
	return nranges;
}

int ioas_get_space_info(struct ioas *ioas, struct ioas_space_info *info)
{
	struct iova_space *space = &ioas->iova_space;

	/* Keeps the ranges as they are: both lists are the same. */
	lockdep_assert_held(&ioas->domains_rwsem);
	info->room = room_in_context(ioas->object.ctx);
	info->granule = ioas->granule;
	info->nranges = list_ranges(space, NULL);
	info->ranges = kvcalloc(info->nranges, sizeof(*info->ranges), GFP_KERNEL_ACCOUNT);
	if (!info->ranges)
		return -ENOMEM;
	list_ranges(space, info->ranges);
	return 0;
}

bool ioas_enforces_coherency(struct ioas *ioas)
{
	struct ioas_hwpt *hwpt;
	bool enforces = true;

	lockdep_assert_held(&ioas->domains_rwsem);
	list_for_each_entry(hwpt, &ioas->hwpts, hwpts_item)
		enforces &= hwpt->enforces_coherency;
	return enforces;
}
