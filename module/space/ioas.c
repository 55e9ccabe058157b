// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioas: an I/O address space: its life, its settings, and its properties.
 *
 * A map claims its IOVA with an area in state FILLING. Without iova_lock, it then pins the memory
 * and fills all domains (map.c). An unmap takes its areas over as EMPTYING, empties them without
 * iova_lock, and then frees their IOVA (unmap.c). So calls for different ranges run in parallel,
 * and an IOVA is never free while a domain still maps it. Most callers that find an area that is
 * not live wait until the area is live, or gone.
 *
 * Locking: see struct ioas. A thread waits for an area with domains_rwsem held for reading. The
 * owner of the area holds domains_rwsem for reading, too, and needs no other lock that a waiter may
 * hold.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "ioas.h"
#include "limits.h"
#include "memory/account.h"
#include "unmap.h"

/*
 * When it returns, the IOAS cannot be found as the default, and all threads have left it for good.
 */
static void mark_dead(struct ioas *ioas)
{
	struct ioas_ctx *ctx = ioas->object.ctx;

	xa_lock(&ctx->objects);
	if (rcu_access_pointer(ctx->default_ioas) == ioas)
		RCU_INIT_POINTER(ctx->default_ioas, NULL);
	xa_unlock(&ctx->objects);
	down_write(&ioas->domains_rwsem);
	ioas->dead = true;
	up_write(&ioas->domains_rwsem);
	/* Only threads that keep the IOAS, and were outside just then, still come back. */
	if (!refcount_dec_and_test(&ioas->keepers)) {
		wait_for_completion(&ioas->unkept);
		down_write(&ioas->domains_rwsem);
		up_write(&ioas->domains_rwsem);
	}
}

/* From now on other IOASs can take what this one does not use of its share, even while it ends. */
static void join_limit(struct ioas *ioas)
{
	struct ioas_ctx *ctx = ioas->object.ctx;

	mutex_lock(&ctx->areas_mutex);
	list_add(&ioas->ioass_item, &ctx->ioass);
	mutex_unlock(&ctx->areas_mutex);
}

/* The share of the IOAS is spare again. */
static void leave_limit(struct ioas *ioas)
{
	struct ioas_ctx *ctx = ioas->object.ctx;

	mutex_lock(&ctx->areas_mutex);
	list_del(&ioas->ioass_item);
	ctx->spare_areas += ioas->iova_space.max_areas;
	mutex_unlock(&ctx->areas_mutex);
}

static struct ioas *to_ioas(struct ioas_object *object)
{
	return container_of(object, struct ioas, object);
}

static void ioas_destroy(struct ioas_object *object)
{
	struct ioas *ioas = to_ioas(object);
	unsigned long nbytes;

	mark_dead(ioas);
	ioas_enter(ioas);
	WARN_ON(ioas_unmap_all(ioas, &nbytes));
	WARN_ON(!list_empty(&ioas->mirrors));
	ioas_leave(ioas);
	down_write(&ioas->domains_rwsem);
	iova_space_destroy(&ioas->iova_space);
	up_write(&ioas->domains_rwsem);
	leave_limit(ioas);
	WARN_ON(!xa_empty(&ioas->notifiers));
	if (ioas->account)
		account_put(ioas->account);
	if (ioas->object.ctx->front_ops)
		ioas->object.ctx->front_ops->remove_ioas(ioas);
	selftest_count(&ioas->object.ctx->tally, -1);
	kfree_rcu(ioas, rcu);
}

static const struct ioas_object_ops ioas_object_ops = {
	.destroy = ioas_destroy,
};

struct ioas *ioas_of_object(struct ioas_object *object)
{
	return object->ops == &ioas_object_ops ? to_ioas(object) : NULL;
}

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
	INIT_LIST_HEAD(&ioas->mirrors);
	iova_space_init(&ioas->iova_space, &ioas->domains_rwsem);
	init_waitqueue_head(&ioas->area_waitq);
	xa_init_flags(&ioas->notifiers, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	ioas->pgsizes = ULONG_MAX;
	ioas->iova_alignment = 1;
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

	return object ? to_ioas(object) : NULL;
}

void ioas_put(struct ioas *ioas)
{
	ioas_object_put(&ioas->object);
}

struct ioas *ioas_get_default(struct ioas_ctx *ctx)
{
	struct ioas *ioas;

	/*
	 * The pointer is cleared before the memory goes, and an IOAS that is ending cannot be kept
	 * busy.
	 */
	rcu_read_lock();
	ioas = rcu_dereference(ctx->default_ioas);
	if (ioas && !ioas_object_try_busy(&ioas->object))
		ioas = NULL;
	rcu_read_unlock();
	return ioas;
}

void ioas_set_default(struct ioas_ctx *ctx, struct ioas *ioas)
{
	xa_lock(&ctx->objects);
	rcu_assign_pointer(ctx->default_ioas, ioas);
	xa_unlock(&ctx->objects);
}

void ioas_offer_default(struct ioas_ctx *ctx, struct ioas *ioas)
{
	struct ioas *old;

	xa_lock(&ctx->objects);
	old = rcu_dereference_protected(ctx->default_ioas, lockdep_is_held(&ctx->objects.xa_lock));
	/* An IOAS that is ending does not count: ioas_get_default() does not find it. */
	if (!old || old->object.ending)
		rcu_assign_pointer(ctx->default_ioas, ioas);
	xa_unlock(&ctx->objects);
}

int ioas_set_small_pages(struct ioas *ioas, bool small_pages)
{
	int ret = 0;

	down_write(&ioas->domains_rwsem);
	if (small_pages && !ioas->small_pages) {
		if (!list_empty(&ioas->mirrors) && READ_ONCE(ioas->iova_space.nareas))
			ret = -EINVAL;
		else
			ret = ioas_check_alignment(ioas, PAGE_SIZE);
	}
	if (!ret) {
		/* The HUGE_PAGES option and maps of front ends read this without the lock. */
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

/* Lists the usable ranges in @ranges, unless that is NULL. Returns how many there are. */
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

	/* The lock keeps the ranges unchanged, so both walks find the same ones. */
	lockdep_assert_held(&ioas->domains_rwsem);
	info->room = ioas_room(ioas);
	info->iova_alignment = ioas->iova_alignment;
	info->nranges = list_ranges(space, NULL);
	info->ranges = kvcalloc(info->nranges, sizeof(*info->ranges), GFP_KERNEL_ACCOUNT);
	if (!info->ranges)
		return -ENOMEM;
	list_ranges(space, info->ranges);
	return 0;
}
