// SPDX-License-Identifier: GPL-2.0-only
/*
 * hwpt: an iommu_domain that mirrors an IOAS.
 *
 * While an hwpt is on the list of its IOAS, every live area is mapped in its
 * domain, from the extents of the area's pages: one iommu_map() a run to fill, one
 * iommu_unmap() an area to empty.
 *
 * Locking: the list and what is in a domain are guarded by domains_rwsem; whoever
 * holds it only for reading may map and unmap just the areas it claimed.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "hwpt.h"
#include "ioas.h"
#include "kcompat.h"
#include "pages.h"

/**
 * hwpt_create() - make an empty domain
 * @dev: a device that will use it
 * @nesting: ask the IOMMU driver for a domain that others can be nested on
 *
 * Context: may sleep.
 * Return: the hwpt, or ERR_PTR(): -ENOMEM; what the IOMMU driver says.
 */
struct ioas_hwpt *hwpt_create(struct device *dev, bool nesting)
{
	struct ioas_hwpt *hwpt;
	int ret;

	hwpt = kzalloc(sizeof(*hwpt), GFP_KERNEL_ACCOUNT);
	if (!hwpt)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&hwpt->groups);
	hwpt->domain = kcompat_domain_alloc(dev);
	if (IS_ERR(hwpt->domain)) {
		ret = PTR_ERR(hwpt->domain);
		goto free_hwpt;
	}
	if (nesting) {
		ret = kcompat_enable_nesting(hwpt->domain);
		if (ret)
			goto free_domain;
	}
	return hwpt;

free_domain:
	iommu_domain_free(hwpt->domain);
free_hwpt:
	kfree(hwpt);
	return ERR_PTR(ret);
}

/**
 * hwpt_destroy() - free an empty domain
 * @hwpt: not on a list, no group attached
 */
void hwpt_destroy(struct ioas_hwpt *hwpt)
{
	WARN_ON(!list_empty(&hwpt->groups));
	iommu_domain_free(hwpt->domain);
	kfree(hwpt);
}

/**
 * hwpt_reserve_aperture() - forbid the IOVA that a domain cannot translate
 * @hwpt: with a group attached, which is when drivers know their aperture
 * @space: where to forbid it
 * @owner: on whose behalf, as for iova_reserve()
 *
 * Context: may sleep, takes iova_lock.
 * Return: 0; -EADDRINUSE if an area lies outside; -ENOMEM. On error a part may be
 * reserved.
 */
int hwpt_reserve_aperture(struct ioas_hwpt *hwpt, struct iova_space *space,
			  const void *owner)
{
	const struct iommu_domain_geometry *geometry = &hwpt->domain->geometry;
	int ret = 0;

	if (geometry->aperture_start)
		ret = iova_reserve(space, 0, geometry->aperture_start - 1, owner);
	if (!ret && geometry->aperture_end != ULONG_MAX)
		ret = iova_reserve(space, geometry->aperture_end + 1, ULONG_MAX, owner);
	return ret;
}

/*
 * Takes IOVA out of the domain and the IOTLB. False if the IOMMU driver left a part
 * mapped, which is its bug.
 */
static bool unmap_range(struct ioas_hwpt *hwpt, unsigned long iova, unsigned long nbytes)
{
	return !WARN_ON_ONCE(iommu_unmap(hwpt->domain, iova, nbytes) != nbytes);
}

static int map_run(struct ioas_hwpt *hwpt, unsigned long iova, phys_addr_t paddr,
		   unsigned long nbytes, int iommu_prot, bool single_pages)
{
	unsigned long done = 0;

	while (done < nbytes) {
		unsigned long step = nbytes - done;
		int ret;

		if (single_pages)
			step = min(step, PAGE_SIZE - offset_in_page(paddr + done));
		ret = kcompat_iommu_map(hwpt->domain, iova + done, paddr + done, step,
					iommu_prot | IOMMU_CACHE);
		if (ret) {
			if (done)
				unmap_range(hwpt, iova, done);
			return ret;
		}
		done += step;
	}
	return 0;
}

/**
 * hwpt_map_area() - fill a domain with an area
 * @hwpt: whose domain
 * @area: an area whose pages are all pinned
 * @single_pages: map page by page, so that the IOMMU uses no larger size
 *
 * Context: domains_rwsem held; the caller owns the area.
 * Return: 0, or what the IOMMU driver says with nothing mapped.
 */
int hwpt_map_area(struct ioas_hwpt *hwpt, struct ioas_area *area, bool single_pages)
{
	struct ioas_pages *pages = area->pages;
	unsigned long last_byte = area->first_byte + area_nbytes(area) - 1;
	unsigned long last_index = last_byte / PAGE_SIZE;
	unsigned long byte = area->first_byte;
	struct extent_cursor cursor;
	struct extent run;
	bool more;
	int ret;

	more = extents_first(&pages->extents, &cursor, byte / PAGE_SIZE, last_index, &run);
	while (more) {
		/* The first and the last page may be shown in part. */
		unsigned long run_last = min((run.index + run.npages) * PAGE_SIZE - 1,
					     last_byte);

		ret = map_run(hwpt, area->first_iova + (byte - area->first_byte),
			      PFN_PHYS(run.pfn) + byte - run.index * PAGE_SIZE,
			      run_last - byte + 1, area->iommu_prot, single_pages);
		if (ret)
			goto unmap;
		byte = run_last + 1;
		more = extents_next(&pages->extents, &cursor, last_index, &run);
		if (more)
			cond_resched();
	}
	return 0;

unmap:
	if (byte > area->first_byte)
		unmap_range(hwpt, area->first_iova, byte - area->first_byte);
	return ret;
}

/**
 * hwpt_unmap_area() - take an area out of a domain
 * @hwpt: whose domain
 * @area: an area that is mapped in it
 *
 * When this returns the IOTLB holds nothing of the area either.
 *
 * Context: domains_rwsem held; the caller owns the area.
 * Return: true; false if the IOMMU driver left a part mapped, which is its bug: then
 * a device may still reach the memory, which must never be unpinned.
 */
bool hwpt_unmap_area(struct ioas_hwpt *hwpt, struct ioas_area *area)
{
	return unmap_range(hwpt, area->first_iova, area_nbytes(area));
}

/* What every domain of the IOAS can map; all sizes if there is none. */
static void refresh_pgsizes(struct ioas *ioas)
{
	unsigned long pgsizes = ULONG_MAX;
	struct ioas_hwpt *hwpt;

	list_for_each_entry(hwpt, &ioas->hwpts, hwpts_item)
		pgsizes &= hwpt->domain->pgsize_bitmap;
	WRITE_ONCE(ioas->pgsizes, pgsizes);
}

static int fill_area(struct ioas *ioas, struct ioas_hwpt *hwpt, struct ioas_area *area,
		     bool single_pages)
{
	struct ioas_pages *pages = area->pages;
	struct account_refund refund = { };
	bool first = list_empty(&ioas->hwpts);
	int ret = 0;

	if (first)
		ret = pages_pin(pages);
	if (!ret) {
		ret = hwpt_map_area(hwpt, area, single_pages);
		if (ret && first)
			pages_unpin(pages, &refund);
	}
	account_pay(&refund);
	return ret;
}

/* Takes @area out of @hwpt; its pages stay pinned if another hwpt shows them. */
static void empty_area(struct ioas *ioas, struct ioas_hwpt *hwpt, struct ioas_area *area,
		       struct account_refund *refund)
{
	if (hwpt_unmap_area(hwpt, area) && list_empty(&ioas->hwpts))
		pages_unpin(area->pages, refund);
}

/* The areas one after another; they stay while domains_rwsem is held for writing. */
static struct ioas_area *first_area(struct ioas *ioas)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;

	spin_lock(&space->iova_lock);
	area = iova_first(space, 0, ULONG_MAX);
	spin_unlock(&space->iova_lock);
	return area;
}

static struct ioas_area *next_area(struct ioas *ioas, struct ioas_area *area)
{
	struct iova_space *space = &ioas->iova_space;

	spin_lock(&space->iova_lock);
	area = iova_next(space, area);
	spin_unlock(&space->iova_lock);
	return area;
}

/* Empties all areas below @end, or all there are if that is NULL. */
static void empty_areas(struct ioas *ioas, struct ioas_hwpt *hwpt, struct ioas_area *end)
{
	struct account_refund refund = { };
	struct ioas_area *area;

	for (area = first_area(ioas); area != end; area = next_area(ioas, area)) {
		empty_area(ioas, hwpt, area, &refund);
		cond_resched();
	}
	account_pay(&refund);
}

/**
 * hwpt_add() - let a domain mirror an IOAS from now on
 * @ioas: the IOAS
 * @hwpt: not on a list
 * @single_pages: map page by page
 *
 * Context: domains_rwsem held for writing. May sleep for as long as it takes to map
 * all areas, and to pin them if this is the first domain.
 * Return: 0, or with the domain as empty as before: -EINVAL without a page size that
 * all domains can map; what pages_pin() or the IOMMU driver says.
 */
int hwpt_add(struct ioas *ioas, struct ioas_hwpt *hwpt, bool single_pages)
{
	struct ioas_area *area;
	int ret = 0;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	if (!(ioas->pgsizes & hwpt->domain->pgsize_bitmap))
		return -EINVAL;
	for (area = first_area(ioas); area; area = next_area(ioas, area)) {
		ret = fill_area(ioas, hwpt, area, single_pages);
		if (ret) {
			empty_areas(ioas, hwpt, area);
			return ret;
		}
		cond_resched();
	}
	list_add(&hwpt->hwpts_item, &ioas->hwpts);
	refresh_pgsizes(ioas);
	return 0;
}

/**
 * hwpt_remove() - undo hwpt_add()
 * @ioas: the IOAS
 * @hwpt: one of its list, no group attached
 *
 * If it was the last domain, what the areas show is unpinned; the areas stay.
 *
 * Context: domains_rwsem held for writing. May sleep. Never fails, needs no memory.
 */
void hwpt_remove(struct ioas *ioas, struct ioas_hwpt *hwpt)
{
	lockdep_assert_held_write(&ioas->domains_rwsem);
	list_del(&hwpt->hwpts_item);
	refresh_pgsizes(ioas);
	empty_areas(ioas, hwpt, NULL);
}
