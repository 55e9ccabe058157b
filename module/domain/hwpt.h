/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hwpt: an iommu_domain that mirrors an IOAS.
 *
 * Owns: struct ioas_hwpt and its iommu_domain. Every iommu_map() and iommu_unmap() call
 * is in hwpt.c or in this file.
 */
#ifndef VFIO_IOAS_HWPT_H
#define VFIO_IOAS_HWPT_H

#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/types.h>

#include "base/kcompat.h"
#include "memory/pages.h"
#include "space/ioas.h"

struct ioas_hwpt {
	struct ioas_object object;
	struct ioas *ioas;		/* constant; this is a user of it */
	struct iommu_domain *domain;	/* constant */
	struct list_head hwpts_item;	/* domains_rwsem of the IOAS; empty: mirrors nothing */
	struct iommu_domain_geometry claimed;	/* same lock; what the domain said ... */
	unsigned long claimed_pgsizes;		/* same lock; ... when its aperture was claimed */
	bool has_claim;			/* same lock; IOVA outside of the aperture are reserved */
	unsigned long reach;		/* same lock; see hwpt_reached() */
	unsigned int ngroups;		/* groups_mutex of the context */
	bool automatic;			/* constant; goes with its last group */
	bool enforces_coherency;	/* groups_mutex, and domains_rwsem to write */
	bool has_msi_cookie;		/* groups_mutex */
};

/**
 * hwpt_create() - make an hwpt of an empty domain
 * @ioas: what it will mirror; kept from ending by it
 * @domain: taken over on success
 * @automatic: made by an attach, for as long as something is attached
 *
 * Context: may sleep.
 * Return: the hwpt, reserved as an object but not published; or ERR_PTR(-ENOMEM).
 */
struct ioas_hwpt *hwpt_create(struct ioas *ioas, struct iommu_domain *domain,
			      bool automatic);

/**
 * hwpt_destroy() - free an hwpt and its empty domain
 * @hwpt: not on a list, no group attached, its id given back
 */
void hwpt_destroy(struct ioas_hwpt *hwpt);

/**
 * hwpt_of_object() - is an object an hwpt?
 * @object: any object
 *
 * Return: the hwpt, or NULL.
 */
struct ioas_hwpt *hwpt_of_object(struct ioas_object *object);

/**
 * hwpt_granule() - the smallest page of a domain
 * @hwpt: the hwpt
 *
 * Return: its size in bytes.
 */
unsigned long hwpt_granule(const struct ioas_hwpt *hwpt);

/* Does the domain mirror its IOAS? domains_rwsem held. */
static inline bool hwpt_is_mirror(const struct ioas_hwpt *hwpt)
{
	return !list_empty(&hwpt->hwpts_item);
}

/**
 * hwpt_is_finished() - does the driver know what a domain can do?
 * @hwpt: the hwpt
 *
 * Some drivers finish a domain only when the first device comes; nothing can be mapped before.
 */
bool hwpt_is_finished(const struct ioas_hwpt *hwpt);

/**
 * hwpt_reaches() - can a domain translate all that another one can?
 * @hwpt: the one
 * @other: the other
 */
bool hwpt_reaches(const struct ioas_hwpt *hwpt, const struct ioas_hwpt *other);

/**
 * hwpt_claim_aperture() - reserve the IOVA that a domain cannot translate
 * @hwpt: finished
 *
 * The domain owns what it reserves: it lasts until hwpt_release_aperture(), whichever groups
 * come and go. Does nothing if it was done.
 *
 * Context: domains_rwsem held for writing.
 * Return: 0, or with nothing reserved: -EADDRINUSE if an area lies outside; -EINVAL for a domain
 * that is not finished, or if no usable IOVA would be left; -ENOMEM.
 */
int hwpt_claim_aperture(struct ioas_hwpt *hwpt);

/**
 * hwpt_release_aperture() - undo hwpt_claim_aperture()
 * @hwpt: not on the list of its IOAS
 *
 * Context: domains_rwsem held for writing. Never fails; does nothing without a claim.
 */
void hwpt_release_aperture(struct ioas_hwpt *hwpt);

/* So much IOVA is taken out of a domain by one call of the IOMMU driver. */
#define UNMAP_PIECE	BIT(30)

/**
 * hwpt_map_runs() - fill a domain with an area, run by run
 * @hwpt: whose domain
 * @area: an area whose pages are all pinned
 * @single_pages: map page by page, so that the IOMMU uses no larger size
 *
 * Context: domains_rwsem held, for writing if the area ends beyond the reach of the domain, see
 * hwpt_reached(); the caller owns the area and holds pages_lock().
 * Return: 0, or with nothing mapped: what the IOMMU driver says; -EINTR on a fatal signal; -EFAULT,
 * and a warning, if not all pages are pinned.
 */
int hwpt_map_runs(struct ioas_hwpt *hwpt, struct ioas_area *area, bool single_pages);

/* Fills a domain with an area, as hwpt_map_runs() does. */
static inline int hwpt_map_area(struct ioas_hwpt *hwpt, struct ioas_area *area,
				bool single_pages)
{
	struct extents *extents = &area->pages->extents;

	if (area->last_iova > hwpt->reach)
		lockdep_assert_held_write(&hwpt->ioas->domains_rwsem);
	if (!extents_is_one_run(extents) || (single_pages && extents->npages > 1) ||
	    unlikely(extents_only_kind(extents) == EXTENT_HOLE))
		return hwpt_map_runs(hwpt, area, single_pages);
	return kcompat_iommu_map(hwpt->domain, area->first_iova,
				 PFN_PHYS(extents_only_pfn(extents)) + area->first_byte,
				 area_nbytes(area), area->iommu_prot | IOMMU_CACHE);
}

/**
 * hwpt_unmap_pieces() - take IOVA out of a domain piece by piece
 * @hwpt: whose domain
 * @iova: the first one
 * @nbytes: how many; mapped as a whole
 *
 * Context: as hwpt_unmap_range(). May sleep.
 * Return: @nbytes, or something else if the IOMMU driver did not do as it was told.
 */
unsigned long hwpt_unmap_pieces(struct ioas_hwpt *hwpt, unsigned long iova,
				unsigned long nbytes);

/*
 * Takes IOVA out of the domain and the IOTLB. If the IOMMU driver leaves a part mapped,
 * which is its bug, a device may still reach the store: then that stays pinned for good.
 */
static inline void hwpt_unmap_range(struct ioas_hwpt *hwpt, struct ioas_pages *pages,
				    unsigned long iova, unsigned long nbytes)
{
	unsigned long done;

	if (likely(nbytes <= UNMAP_PIECE))
		done = iommu_unmap(hwpt->domain, iova, nbytes);
	else
		done = hwpt_unmap_pieces(hwpt, iova, nbytes);
	if (WARN_ON_ONCE(done != nbytes))
		pages->stuck = true;
}

/*
 * Takes an area out of a domain; the IOTLB holds nothing of it either then. domains_rwsem
 * held; the caller owns the area and holds pages_lock().
 */
static inline void hwpt_unmap_area(struct ioas_hwpt *hwpt, struct ioas_area *area)
{
	hwpt_unmap_range(hwpt, area->pages, area->first_iova, area_nbytes(area));
}

/* Takes an area out of all domains of an IOAS, as hwpt_unmap_area() does. */
static inline void hwpt_unmap_from_all(struct ioas *ioas, struct ioas_area *area)
{
	struct ioas_hwpt *hwpt;

	list_for_each_entry(hwpt, &ioas->hwpts, hwpts_item)
		hwpt_unmap_area(hwpt, area);
}

/**
 * hwpt_add() - let a domain mirror its IOAS from now on
 * @hwpt: not on a list
 * @single_pages: map page by page
 *
 * Claims the aperture, unless that was done.
 *
 * Context: domains_rwsem held for writing. May sleep for as long as it takes to map
 * all areas, and to pin them if this is the first domain.
 * Return: 0, or with the domain as empty as before and no aperture claimed: -EINVAL without a
 * page size that all domains can map, or with one larger than the CPU's; -EADDRINUSE where an
 * area is not aligned to its smallest; -EINTR on a fatal signal; as hwpt_claim_aperture(); what
 * pages_pin() or the IOMMU driver says.
 */
int hwpt_add(struct ioas_hwpt *hwpt, bool single_pages);

/**
 * hwpt_settle() - let a domain mirror its IOAS as the driver has it now
 * @hwpt: to which a group was just attached that is not counted yet
 *
 * To be called after each attach to a domain that others made: the driver may have finished, or
 * changed, the domain.
 *
 * Context: domains_rwsem held for writing. May sleep as hwpt_add().
 * Return: 0; as hwpt_add(), and the domain mirrors nothing; -EINVAL, and nothing changed, if the
 * driver changed a domain that has other groups.
 */
int hwpt_settle(struct ioas_hwpt *hwpt);

/**
 * hwpt_reached() - note that a domain has had a mapping up to an address
 * @hwpt: the hwpt
 * @last_iova: the last address of the mapping
 *
 * AMD's IOMMU driver adds a level to a page table when a map first needs it. Without the fix of
 * CVE-2025-39961, as in Debian's 6.1, a map or unmap in another thread can then go to the wrong
 * table. So what may need a level that the domain does not have is mapped with nobody else in the
 * IOAS.
 *
 * Context: domains_rwsem held for writing; ioas_refresh() is to follow.
 */
void hwpt_reached(struct ioas_hwpt *hwpt, unsigned long last_iova);

/**
 * hwpt_remove() - undo hwpt_add()
 * @hwpt: on the list of its IOAS, no group attached, or one that was just attached
 *
 * If it was the last domain, what the areas show is unpinned; the areas stay.
 *
 * Context: domains_rwsem held for writing. May sleep. Never fails, needs no memory.
 */
void hwpt_remove(struct ioas_hwpt *hwpt);

#endif
