// SPDX-License-Identifier: GPL-2.0-only
/*
 * hwpt: an iommu_domain that mirrors an IOAS.
 *
 * While an hwpt is on the list of its IOAS, every live area is mapped in its
 * domain, from the extents of the area's pages: one iommu_map() a run to fill, one
 * iommu_unmap() an area, or a piece of a large one, to empty. Where the extents have no
 * memory nothing is mapped, whoever is mistaken.
 *
 * Locking: the list and what is in a domain are guarded by domains_rwsem; whoever
 * holds it only for reading may map and unmap just the areas it owns.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "base/kcompat.h"
#include "base/steps.h"
#include "hwpt.h"
#include "memory/pin.h"
#include "space/area.h"
#include "space/ioas.h"

static void hwpt_object_destroy(struct ioas_object *object)
{
	struct ioas_hwpt *hwpt = container_of(object, struct ioas_hwpt, object);
	struct ioas *ioas = hwpt->ioas;

	down_write(&ioas->domains_rwsem);
	if (hwpt_is_mirror(hwpt))
		hwpt_remove(hwpt);
	up_write(&ioas->domains_rwsem);
	hwpt_destroy(hwpt);
}

static const struct ioas_object_ops hwpt_object_ops = {
	.destroy = hwpt_object_destroy,
	.show = insight_show_hwpt,
};

struct ioas_hwpt *hwpt_of_object(struct ioas_object *object)
{
	if (object->ops != &hwpt_object_ops)
		return NULL;
	return container_of(object, struct ioas_hwpt, object);
}

struct ioas_hwpt *hwpt_create(struct ioas *ioas, struct iommu_domain *domain,
			      bool automatic)
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
	hwpt->ioas = ioas;
	hwpt->domain = domain;
	hwpt->automatic = automatic;
	INIT_LIST_HEAD(&hwpt->hwpts_item);
	ioas_object_use(&ioas->object);
	return hwpt;
}

void hwpt_destroy(struct ioas_hwpt *hwpt)
{
	WARN_ON(hwpt->ngroups || hwpt_is_mirror(hwpt) || hwpt->has_claim);
	iommu_domain_free(hwpt->domain);
	ioas_object_unuse(&hwpt->ioas->object);
	kfree(hwpt);
}

unsigned long hwpt_granule(const struct ioas_hwpt *hwpt)
{
	return 1UL << __ffs(hwpt->domain->pgsize_bitmap);
}

bool hwpt_is_finished(const struct ioas_hwpt *hwpt)
{
	return hwpt->domain->geometry.aperture_end && hwpt->domain->pgsize_bitmap;
}

bool hwpt_reaches(const struct ioas_hwpt *hwpt, const struct ioas_hwpt *other)
{
	const struct iommu_domain_geometry *wide = &hwpt->domain->geometry;
	const struct iommu_domain_geometry *narrow = &other->domain->geometry;

	return wide->aperture_start <= narrow->aperture_start &&
	       wide->aperture_end >= narrow->aperture_end;
}

static int reserve_outside(struct ioas_hwpt *hwpt, struct iova_space *space)
{
	const struct iommu_domain_geometry *geometry = &hwpt->domain->geometry;
	int ret = 0;

	if (geometry->aperture_start)
		ret = iova_reserve(space, 0, geometry->aperture_start - 1, hwpt);
	if (!ret && geometry->aperture_end < ULONG_MAX)
		ret = iova_reserve(space, geometry->aperture_end + 1, ULONG_MAX, hwpt);
	return ret;
}

/*
 * An entry of the IOMMU's page table is as large as it is aligned, so that none of up to
 * UNMAP_PIECE reaches over a border between pieces. Where a larger one does (AMD's can be of any
 * size), drivers take out all of it and say so; they need not have flushed what we did not
 * name. One that takes out nothing instead is asked for all that is left.
 */
unsigned long hwpt_unmap_pieces(struct ioas_hwpt *hwpt, unsigned long iova,
				unsigned long nbytes)
{
	bool in_pieces = true;
	unsigned long done = 0;

	while (done < nbytes) {
		unsigned long left = nbytes - done;
		unsigned long step = left;
		unsigned long n;

		if (in_pieces)
			step = min(left, UNMAP_PIECE - ((iova + done) & (UNMAP_PIECE - 1)));
		n = iommu_unmap(hwpt->domain, iova + done, step);
		done += n;
		if (n > step)
			iommu_flush_iotlb_all(hwpt->domain);
		if (n < step) {
			if (step == left)
				break;
			in_pieces = false;
		}
		cond_resched();
	}
	return done;
}

int hwpt_claim_aperture(struct ioas_hwpt *hwpt)
{
	struct ioas *ioas = hwpt->ioas;
	int ret;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	if (hwpt->has_claim)
		return 0;
	if (!hwpt_is_finished(hwpt))
		return -EINVAL;
	ret = reserve_outside(hwpt, &ioas->iova_space);
	if (!ret && !ioas_has_usable_iova(ioas))
		ret = -EINVAL;
	if (ret) {
		iova_unreserve(&ioas->iova_space, hwpt);
		return ret;
	}
	hwpt->has_claim = true;
	hwpt->claimed = hwpt->domain->geometry;
	hwpt->claimed_pgsizes = hwpt->domain->pgsize_bitmap;
	return 0;
}

void hwpt_release_aperture(struct ioas_hwpt *hwpt)
{
	lockdep_assert_held_write(&hwpt->ioas->domains_rwsem);
	iova_unreserve(&hwpt->ioas->iova_space, hwpt);
	hwpt->has_claim = false;
}

static inline int map_run(struct ioas_hwpt *hwpt, struct ioas_area *area,
			  unsigned long iova, phys_addr_t paddr, unsigned long nbytes,
			  bool single_pages, unsigned int *nsteps)
{
	unsigned long done = 0;

	while (done < nbytes) {
		unsigned long step = nbytes - done;
		int ret;

		if (single_pages)
			step = min(step, PAGE_SIZE - offset_in_page(paddr + done));
		ret = kcompat_iommu_map(hwpt->domain, iova + done, paddr + done, step,
					area->iommu_prot | IOMMU_CACHE);
		if (!ret) {
			done += step;
			ret = runs_pause(nsteps);
		}
		if (ret) {
			if (done)
				hwpt_unmap_range(hwpt, area->pages, iova, done);
			return ret;
		}
	}
	return 0;
}

__aligned(WALK_NBYTES)
int hwpt_map_runs(struct ioas_hwpt *hwpt, struct ioas_area *area, bool single_pages)
{
	struct ioas_pages *pages = area->pages;
	unsigned long last_byte = area_last_byte(area);
	unsigned long last_index = last_byte / PAGE_SIZE;
	unsigned long byte = area->first_byte;
	struct extent_cursor cursor;
	struct extent run, next;
	unsigned int nsteps = 0;
	bool more;
	int ret;

	more = extents_first(&pages->extents, &cursor, byte / PAGE_SIZE, last_index, &next);
	while (more) {
		unsigned long run_last;

		more = extents_next_whole(&pages->extents, &cursor, last_index, &next, &run);
		ret = -EFAULT;
		if (WARN_ON_ONCE(run.kind == EXTENT_HOLE))
			goto unmap;
		/* The first and the last page may be shown in part. */
		run_last = min((run.index + run.npages) * PAGE_SIZE - 1, last_byte);
		ret = map_run(hwpt, area, area->first_iova + (byte - area->first_byte),
			      PFN_PHYS(run.pfn) + byte - run.index * PAGE_SIZE,
			      run_last - byte + 1, single_pages, &nsteps);
		if (ret)
			goto unmap;
		byte = run_last + 1;
	}
	/* An area beyond its store would have no runs. */
	ret = WARN_ON_ONCE(byte != last_byte + 1) ? -EFAULT : 0;
	if (!ret)
		return 0;

unmap:
	if (byte > area->first_byte)
		hwpt_unmap_range(hwpt, pages, area->first_iova, byte - area->first_byte);
	return ret;
}

static int fill_area(struct ioas *ioas, struct ioas_hwpt *hwpt, struct ioas_area *area,
		     bool single_pages)
{
	struct account_refund refund = { };
	bool first = list_empty(&ioas->hwpts);
	int ret = 0;

	pages_lock(area->pages);
	if (first)
		ret = area_pin(area);
	if (!ret) {
		ret = hwpt_map_area(hwpt, area, single_pages);
		if (ret && first)
			area_unpin(area, &refund);
	}
	pages_unlock(area->pages);
	account_pay(&refund);
	return ret;
}

/* Takes @area out of @hwpt; its pages stay pinned if another hwpt shows them. */
static void empty_area(struct ioas *ioas, struct ioas_hwpt *hwpt, struct ioas_area *area,
		       struct account_refund *refund)
{
	pages_lock(area->pages);
	hwpt_unmap_area(hwpt, area);
	if (list_empty(&ioas->hwpts))
		area_unpin(area, refund);
	pages_unlock(area->pages);
}

/* Empties all areas below @end, or all there are if that is NULL. */
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

/* A table that grows begins with three levels of nine bits. No level is ever taken away. */
#define SMALLEST_TABLE_BITS	39
#define LEVEL_BITS		9

void hwpt_reached(struct ioas_hwpt *hwpt, unsigned long last_iova)
{
	unsigned int nbits = SMALLEST_TABLE_BITS;

	lockdep_assert_held_write(&hwpt->ioas->domains_rwsem);
	while (nbits < BITS_PER_LONG && last_iova >> nbits)
		nbits += LEVEL_BITS;
	hwpt->reach = max(hwpt->reach, nbits < BITS_PER_LONG ? BIT(nbits) - 1 : ULONG_MAX);
}

static int fill_all(struct ioas *ioas, struct ioas_hwpt *hwpt, bool single_pages)
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
	hwpt_reached(hwpt, last_iova);
	return 0;
}

int hwpt_add(struct ioas_hwpt *hwpt, bool single_pages)
{
	struct ioas *ioas = hwpt->ioas;
	int ret;

	ret = hwpt_claim_aperture(hwpt);
	if (ret)
		return ret;
	if (!(ioas->pgsizes & hwpt->domain->pgsize_bitmap))
		ret = -EINVAL;
	if (!ret)
		ret = ioas_check_granule(ioas, hwpt_granule(hwpt));
	if (!ret)
		ret = fill_all(ioas, hwpt, single_pages || ioas->small_pages);
	if (ret) {
		hwpt_release_aperture(hwpt);
		return ret;
	}
	list_add(&hwpt->hwpts_item, &ioas->hwpts);
	ioas_refresh(ioas);
	return 0;
}

void hwpt_remove(struct ioas_hwpt *hwpt)
{
	struct ioas *ioas = hwpt->ioas;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	list_del_init(&hwpt->hwpts_item);
	ioas_refresh(ioas);
	empty_areas(ioas, hwpt, NULL);
	hwpt_release_aperture(hwpt);
}

static bool is_as_claimed(const struct ioas_hwpt *hwpt)
{
	const struct iommu_domain *domain = hwpt->domain;

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
