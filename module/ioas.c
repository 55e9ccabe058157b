// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioas: an I/O address space: its life, its settings, and what can be asked of it.
 *
 * A map claims its IOVA with an area in state FILLING, then pins and fills all
 * domains without iova_lock (map.c); an unmap takes its areas over as EMPTYING, empties
 * them without iova_lock, and then gives the IOVA back (unmap.c). So calls for different
 * ranges run in parallel, and an IOVA is never free while a domain still has it.
 * Whoever meets an area that is not live waits until it is, or is gone.
 *
 * Locking: see struct ioas. Waiting for an area happens with domains_rwsem held for
 * reading and nothing else; the owner of that area holds it for reading, too, and
 * needs no other lock that a waiter could have.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "area.h"
#include "hwpt.h"
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

static void ioas_destroy(struct ioas_object *object)
{
	struct ioas *ioas = object_ioas(object);
	unsigned long nbytes;

	mark_dead(ioas);
	ioas_enter(ioas);
	WARN_ON(ioas_unmap_all(ioas, &nbytes));
	WARN_ON(!list_empty(&ioas->hwpts));
	ioas_leave(ioas);
	iova_space_destroy(&ioas->iova_space);
	WARN_ON(!xa_empty(&ioas->accesses));
	if (ioas->account)
		account_put(ioas->account);
	if (ioas->object.ctx->front_ops)
		ioas->object.ctx->front_ops->remove_ioas(ioas);
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
	iova_space_init(&ioas->iova_space);
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
	return ioas;
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

void ioas_refresh(struct ioas *ioas)
{
	unsigned long granule = ioas->small_pages || ioas->npinning ? PAGE_SIZE : 1;
	unsigned long pgsizes = ULONG_MAX;
	struct ioas_hwpt *hwpt;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	list_for_each_entry(hwpt, &ioas->hwpts, hwpts_item) {
		pgsizes &= hwpt->domain->pgsize_bitmap;
		granule = max(granule, hwpt_granule(hwpt));
	}
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
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;
	int ret = 0;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	if (granule > PAGE_SIZE)
		return -EINVAL;
	if (granule <= ioas->granule)
		return 0;
	spin_lock(&space->iova_lock);
	for (area = iova_first(space, 0, ULONG_MAX); area && !ret;
	     area = iova_next(space, area)) {
		if (!area_fits(area, granule))
			ret = -EADDRINUSE;
		cond_resched_lock(&space->iova_lock);
	}
	spin_unlock(&space->iova_lock);
	return ret;
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
		ioas->small_pages = small_pages;
		ioas_refresh(ioas);
	}
	up_write(&ioas->domains_rwsem);
	return ret;
}

static bool range_is_settled(struct ioas *ioas, unsigned long iova,
			     unsigned long last_iova)
{
	struct ioas_area *area;
	bool settled = true;

	spin_lock(&ioas->iova_space.iova_lock);
	for (area = iova_first(&ioas->iova_space, iova, last_iova);
	     area && area->first_iova <= last_iova && settled;
	     area = iova_next(&ioas->iova_space, area))
		settled = area_is_live(area) && !area->nbusy;
	spin_unlock(&ioas->iova_space.iova_lock);
	return settled;
}

void ioas_wait_until_settled(struct ioas *ioas, unsigned long iova,
			     unsigned long last_iova)
{
	lockdep_assert_held_read(&ioas->domains_rwsem);
	wait_event(ioas->settled, range_is_settled(ioas, iova, last_iova));
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

static unsigned int count_ranges(struct iova_space *space)
{
	unsigned long iova = 0, first_iova, last_iova;
	unsigned int nranges = 0;

	while (iova_usable(space, iova, &first_iova, &last_iova)) {
		nranges++;
		if (last_iova == ULONG_MAX)
			break;
		iova = last_iova + 1;
	}
	return nranges;
}

int ioas_get_space_info(struct ioas *ioas, struct ioas_space_info *info)
{
	struct iova_space *space = &ioas->iova_space;
	unsigned long iova = 0;
	unsigned int i;

	/* Nobody can reserve anything meanwhile: the number stays right. */
	lockdep_assert_held(&ioas->domains_rwsem);
	spin_lock(&space->iova_lock);
	info->nareas = space->nareas;
	info->nranges = count_ranges(space);
	spin_unlock(&space->iova_lock);
	info->granule = ioas->granule;

	info->ranges = kvcalloc(info->nranges, sizeof(*info->ranges), GFP_KERNEL_ACCOUNT);
	spin_lock(&space->iova_lock);
	for (i = 0; info->ranges && i < info->nranges; i++) {
		struct ioas_range *range = &info->ranges[i];

		iova_usable(space, iova, &range->first_iova, &range->last_iova);
		iova = range->last_iova + 1;
	}
	spin_unlock(&space->iova_lock);
	return info->ranges ? 0 : -ENOMEM;
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
