/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mirror: a domain in which the areas of an IOAS are mapped.
 *
 * Owns: what is mapped in the domain. Every iommu_map() and iommu_unmap() call is in mirror.c,
 * in this file, or in kcompat.h on behalf of them.
 */
#ifndef VFIO_IOAS_MIRROR_H
#define VFIO_IOAS_MIRROR_H

#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/types.h>

#include "area.h"
#include "base/kcompat.h"
#include "ioas_struct.h"
#include "memory/store.h"

/* Embedded by its owner, who makes the domain, and decides when it is on the list. */
struct ioas_mirror {
	struct list_head item;		/* domains_rwsem; in ioas->mirrors; empty: not there */
	struct ioas *ioas;		/* constant */
	struct iommu_domain *domain;	/* constant */
	unsigned long reach;		/* domains_rwsem; see mirror_reached() */
};

/* The smallest page of the domain, in bytes. */
static inline unsigned long mirror_alignment(const struct ioas_mirror *mirror)
{
	return 1UL << __ffs(mirror->domain->pgsize_bitmap);
}

/* So much IOVA is taken out of a domain by one call of the IOMMU driver. */
#define UNMAP_PIECE	BIT(30)

/**
 * mirror_map_runs() - fill a domain with an area, run by run
 * @mirror: whose domain
 * @area: an area whose pages are all pinned
 * @single_pages: map page by page, so that the IOMMU uses no larger size
 *
 * Context: domains_rwsem held, for writing if the area ends beyond the reach of the domain, see
 * mirror_reached(); the caller owns the area and holds store_lock().
 * Return: 0, or with nothing mapped: what the IOMMU driver says; -EINTR on a fatal signal; -EFAULT,
 * and a warning, if not all pages are pinned.
 */
int mirror_map_runs(struct ioas_mirror *mirror, struct ioas_area *area, bool single_pages);

/* Fills a domain with an area, as mirror_map_runs() does. */
static inline int mirror_map_area(struct ioas_mirror *mirror, struct ioas_area *area,
				  bool single_pages)
{
	struct extents *extents = &area->store->extents;

	if (area->last_iova > mirror->reach)
		lockdep_assert_held_write(&mirror->ioas->domains_rwsem);
	if (!extents_is_one_run(extents) || (single_pages && extents->npages > 1) ||
	    unlikely(extents_only_kind(extents) == EXTENT_HOLE))
		return mirror_map_runs(mirror, area, single_pages);
	return kcompat_iommu_map(mirror->domain, area->first_iova,
				 PFN_PHYS(extents_only_pfn(extents)) + area->first_byte,
				 area_nbytes(area), area->iommu_prot | IOMMU_CACHE);
}

/**
 * mirror_unmap_pieces() - take IOVA out of a domain piece by piece
 * @mirror: whose domain
 * @iova: the first one
 * @nbytes: how many; mapped as a whole
 *
 * Context: as mirror_unmap_range(). May sleep.
 * Return: @nbytes, or something else if the IOMMU driver did not do as it was told.
 */
unsigned long mirror_unmap_pieces(struct ioas_mirror *mirror, unsigned long iova,
				  unsigned long nbytes);

/*
 * Takes IOVA out of the domain and the IOTLB. If the IOMMU driver leaves a part mapped,
 * which is its bug, a device may still reach the store: then that stays pinned for good.
 */
static inline void mirror_unmap_range(struct ioas_mirror *mirror, struct ioas_store *store,
				      unsigned long iova, unsigned long nbytes)
{
	unsigned long done;

	if (likely(nbytes <= UNMAP_PIECE))
		done = iommu_unmap(mirror->domain, iova, nbytes);
	else
		done = mirror_unmap_pieces(mirror, iova, nbytes);
	if (WARN_ON_ONCE(done != nbytes))
		store->leaked = true;
}

/*
 * Takes an area out of a domain; the IOTLB holds nothing of it either then. domains_rwsem
 * held; the caller owns the area and holds store_lock().
 */
static inline void mirror_unmap_area(struct ioas_mirror *mirror, struct ioas_area *area)
{
	mirror_unmap_range(mirror, area->store, area->first_iova, area_nbytes(area));
}

/* Takes an area out of all domains of an IOAS, as mirror_unmap_area() does. */
static inline void mirrors_unmap_area(struct ioas *ioas, struct ioas_area *area)
{
	struct ioas_mirror *mirror;

	list_for_each_entry(mirror, &ioas->mirrors, item)
		mirror_unmap_area(mirror, area);
}

/**
 * mirror_reached() - note that a domain has had a mapping up to an address
 * @mirror: the mirror
 * @last_iova: the last address of the mapping
 *
 * AMD's IOMMU driver adds a level to a page table when a map first needs it. Without the fix of
 * CVE-2025-39961, as in Debian's 6.1, a map or unmap in another thread can then go to the wrong
 * table. So what may need a level that the domain does not have is mapped with nobody else in the
 * IOAS.
 *
 * Context: domains_rwsem held for writing; ioas_refresh() is to follow.
 */
void mirror_reached(struct ioas_mirror *mirror, unsigned long last_iova);

#endif
