// SPDX-License-Identifier: GPL-2.0-only
/*
 * hwpt: an object with an iommu_domain that mirrors an IOAS.
 *
 * A domain that joins an IOAS is filled with all areas; for the first domain their pages are
 * pinned. A domain that leaves is emptied; after the last one the pages are unpinned.
 *
 * Locking: domains_rwsem is held for writing while a domain joins or leaves.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "hwpt.h"
#include "space/area.h"
#include "space/limits.h"

static void hwpt_object_destroy(struct ioas_object *object)
{
	struct ioas_hwpt *hwpt = container_of(object, struct ioas_hwpt, object);
	struct ioas *ioas = hwpt->mirror.ioas;

	down_write(&ioas->domains_rwsem);
	if (hwpt_is_mirror(hwpt))
		hwpt_remove(hwpt);
	up_write(&ioas->domains_rwsem);
	hwpt_destroy(hwpt);
}

static const struct ioas_object_ops hwpt_object_ops = {
	.destroy = hwpt_object_destroy,
};

struct ioas_hwpt *hwpt_of_object(struct ioas_object *object)
{
	if (object->ops != &hwpt_object_ops)
		return NULL;
	return container_of(object, struct ioas_hwpt, object);
}

struct ioas_hwpt *hwpt_create(struct ioas *ioas, struct iommu_domain *domain)
{
	struct ioas_hwpt *hwpt;
	int ret;

	hwpt = kzalloc(sizeof(*hwpt), GFP_KERNEL_ACCOUNT);
	if (!hwpt)
		return ERR_PTR(-ENOMEM);
	ret = ioas_object_reserve(ioas->object.ctx, &hwpt->object, &hwpt_object_ops);
	if (ret) {
		kfree(hwpt);
		return ERR_PTR(ret);
	}
	hwpt->mirror.ioas = ioas;
	hwpt->mirror.domain = domain;
	INIT_LIST_HEAD(&hwpt->mirror.item);
	ioas_object_use(&ioas->object);
	return hwpt;
}

void hwpt_destroy(struct ioas_hwpt *hwpt)
{
	WARN_ON(hwpt->ngroups || hwpt_is_mirror(hwpt) || hwpt->has_claim);
	iommu_domain_free(hwpt->mirror.domain);
	ioas_object_unuse(&hwpt->mirror.ioas->object);
	kfree(hwpt);
}

bool hwpt_is_finished(const struct ioas_hwpt *hwpt)
{
	return hwpt->mirror.domain->geometry.aperture_end && hwpt->mirror.domain->pgsize_bitmap;
}

bool hwpt_reaches(const struct ioas_hwpt *hwpt, const struct ioas_hwpt *other)
{
	const struct iommu_domain_geometry *wide = &hwpt->mirror.domain->geometry;
	const struct iommu_domain_geometry *narrow = &other->mirror.domain->geometry;

	return wide->aperture_start <= narrow->aperture_start &&
	       wide->aperture_end >= narrow->aperture_end;
}

static int reserve_outside(struct ioas_hwpt *hwpt, struct iova_space *space)
{
	const struct iommu_domain_geometry *geometry = &hwpt->mirror.domain->geometry;
	int ret = 0;

	if (geometry->aperture_start)
		ret = iova_reserve(space, 0, geometry->aperture_start - 1, hwpt);
	if (!ret && geometry->aperture_end < ULONG_MAX)
		ret = iova_reserve(space, geometry->aperture_end + 1, ULONG_MAX, hwpt);
	return ret;
}

int hwpt_claim_aperture(struct ioas_hwpt *hwpt)
{
	struct ioas *ioas = hwpt->mirror.ioas;
	int ret;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	if (hwpt->has_claim)
		return 0;
	if (!hwpt_is_finished(hwpt))
		return -EINVAL;
	ret = reserve_outside(hwpt, &ioas->iova_space);
	if (!ret && !iova_any_usable(&ioas->iova_space))
		ret = -EINVAL;
	if (ret) {
		iova_unreserve(&ioas->iova_space, hwpt);
		return ret;
	}
	hwpt->has_claim = true;
	hwpt->claimed = hwpt->mirror.domain->geometry;
	hwpt->claimed_pgsizes = hwpt->mirror.domain->pgsize_bitmap;
	return 0;
}

void hwpt_release_aperture(struct ioas_hwpt *hwpt)
{
	lockdep_assert_held_write(&hwpt->mirror.ioas->domains_rwsem);
	iova_unreserve(&hwpt->mirror.ioas->iova_space, hwpt);
	hwpt->has_claim = false;
}

static int fill_area(struct ioas *ioas, struct ioas_hwpt *hwpt, struct ioas_area *area,
		     bool single_pages)
{
	struct account_refund refund = { };
	bool first = list_empty(&ioas->mirrors);
	int ret = 0;

	store_lock(area->store);
	if (first)
		ret = area_pin(area);
	if (!ret) {
		ret = mirror_map_area(&hwpt->mirror, area, single_pages);
		if (ret && first)
			area_unpin(area, &refund);
	}
	store_unlock(area->store);
	account_pay(&refund);
	return ret;
}

/* Takes @area out of @hwpt, and unpins its pages if no other HWPT shows them. */
static void empty_area(struct ioas *ioas, struct ioas_hwpt *hwpt, struct ioas_area *area,
		       struct account_refund *refund)
{
	store_lock(area->store);
	mirror_unmap_area(&hwpt->mirror, area);
	if (list_empty(&ioas->mirrors))
		area_unpin(area, refund);
	store_unlock(area->store);
}

/* Takes all areas below @end out of @hwpt; all areas of the IOAS if @end is NULL. */
static void empty_areas(struct ioas *ioas, struct ioas_hwpt *hwpt, struct ioas_area *end)
{
	struct account_refund refund = { };
	struct ioas_area *area;

	for (area = area_first(ioas, 0); area != end; area = area_next(ioas, area)) {
		empty_area(ioas, hwpt, area, &refund);
		cond_resched();
	}
	account_pay(&refund);
}

static int fill_domain(struct ioas *ioas, struct ioas_hwpt *hwpt, bool single_pages)
{
	unsigned long last_iova = 0;
	struct ioas_area *area;
	int ret;

	for (area = area_first(ioas, 0); area; area = area_next(ioas, area)) {
		ret = fatal_signal_pending(current) ? -EINTR :
		      fill_area(ioas, hwpt, area, single_pages);
		if (ret) {
			empty_areas(ioas, hwpt, area);
			return ret;
		}
		last_iova = area->last_iova;
		cond_resched();
	}
	mirror_reached(&hwpt->mirror, last_iova);
	return 0;
}

int hwpt_add(struct ioas_hwpt *hwpt, bool single_pages)
{
	struct ioas *ioas = hwpt->mirror.ioas;
	int ret;

	ret = hwpt_claim_aperture(hwpt);
	if (ret)
		return ret;
	if (!(ioas->pgsizes & hwpt->mirror.domain->pgsize_bitmap))
		ret = -EINVAL;
	if (!ret)
		ret = ioas_check_alignment(ioas, mirror_alignment(&hwpt->mirror));
	if (!ret)
		ret = fill_domain(ioas, hwpt, single_pages || ioas->small_pages);
	if (ret) {
		hwpt_release_aperture(hwpt);
		return ret;
	}
	list_add(&hwpt->mirror.item, &ioas->mirrors);
	ioas_refresh(ioas);
	return 0;
}

bool hwpts_enforce_coherency(struct ioas *ioas)
{
	struct ioas_hwpt *hwpt;
	bool enforce = true;

	lockdep_assert_held(&ioas->domains_rwsem);
	list_for_each_entry(hwpt, &ioas->mirrors, mirror.item)
		enforce &= hwpt->enforces_coherency;
	return enforce;
}

void hwpt_remove(struct ioas_hwpt *hwpt)
{
	struct ioas *ioas = hwpt->mirror.ioas;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	list_del_init(&hwpt->mirror.item);
	ioas_refresh(ioas);
	empty_areas(ioas, hwpt, NULL);
	hwpt_release_aperture(hwpt);
}

static bool is_as_claimed(const struct ioas_hwpt *hwpt)
{
	const struct iommu_domain *domain = hwpt->mirror.domain;

	return domain->geometry.aperture_start == hwpt->claimed.aperture_start &&
	       domain->geometry.aperture_end == hwpt->claimed.aperture_end &&
	       domain->pgsize_bitmap == hwpt->claimed_pgsizes;
}

int hwpt_settle(struct ioas_hwpt *hwpt)
{
	if (hwpt_is_mirror(hwpt)) {
		if (is_as_claimed(hwpt))
			return 0;
		if (hwpt->ngroups)
			return -EINVAL;
		hwpt_remove(hwpt);
	}
	return hwpt_add(hwpt, false);
}
