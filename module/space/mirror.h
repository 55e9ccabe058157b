/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mirror: a domain in which the areas of an IOAS are mapped.
 *
 * Owns: the mappings of the domain. Every iommu_map() and iommu_unmap() call is in mirror.c, in
 * this file, or in kcompat.h on behalf of them.
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

/* Embedded by its owner, which makes the domain, and decides when it is on the list. */
struct ioas_mirror {
	struct list_head item;		/* domains_rwsem; in ioas->mirrors; empty: not there */
	struct ioas *ioas;		/* constant */
	struct iommu_domain *domain;	/* constant */
	unsigned long reach;		/* domains_rwsem; see mirror_reached() */
};

/* The smallest page size of the domain, in bytes. */
static inline unsigned long mirror_alignment(const struct ioas_mirror *mirror)
{
	return 1UL << __ffs(mirror->domain->pgsize_bitmap);
}

/* IOVA is unmapped in pieces of this many bytes. */
#define UNMAP_PIECE	BIT(30)

/**
 * mirror_map_runs() - map an area in a domain, run by run
 * @mirror: the mirror of the domain
 * @area: an area whose pages are all pinned
 * @single_pages: map page by page, so that the IOMMU uses no larger page size
 *
 * Context: may sleep. domains_rwsem held, for writing if the area ends beyond the reach of the
 * domain, see mirror_reached(). The caller owns the area and holds store_lock().
 * Return: 0, or with nothing mapped: -EINTR on a fatal signal; -EFAULT and a warning if not all
 * pages are pinned; an error of the IOMMU driver.
 */
int mirror_map_runs(struct ioas_mirror *mirror, struct ioas_area *area, bool single_pages);

/* Maps an area in a domain, as mirror_map_runs(). */
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
 * mirror_unmap_pieces() - unmap IOVA from a domain piece by piece
 * @mirror: the mirror of the domain
 * @iova: first address
 * @nbytes: number of bytes, all mapped
 *
 * Context: as mirror_unmap_range(). May sleep.
 * Return: @nbytes, or another number if the IOMMU driver did not do as it was told.
 */
unsigned long mirror_unmap_pieces(struct ioas_mirror *mirror, unsigned long iova,
				  unsigned long nbytes);

/*
 * Unmaps IOVA from the domain and the IOTLB. If the IOMMU driver leaves a part mapped, which is its
 * bug, a device may still reach the store: then the store stays pinned for good. Context as for
 * mirror_unmap_area().
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
 * Unmaps an area from a domain and the IOTLB. domains_rwsem held; the caller owns the area and
 * holds store_lock().
 */
static inline void mirror_unmap_area(struct ioas_mirror *mirror, struct ioas_area *area)
{
	mirror_unmap_range(mirror, area->store, area->first_iova, area_nbytes(area));
}

/* Unmaps an area from all domains of an IOAS, as mirror_unmap_area(). */
static inline void mirrors_unmap_area(struct ioas *ioas, struct ioas_area *area)
{
	struct ioas_mirror *mirror;

	list_for_each_entry(mirror, &ioas->mirrors, item)
		mirror_unmap_area(mirror, area);
}

/**
 * mirror_reached() - note that a domain has had a mapping up to an address
 * @mirror: the mirror
 * @last_iova: last address of the mapping, inclusive
 *
 * AMD's IOMMU driver adds a level to a page table when a map first needs it. Without the fix of
 * CVE-2025-39961, as in Debian's 6.1, a map or unmap in another thread can then use the wrong
 * table. So a map that may need a new level runs with no other thread in the IOAS.
 *
 * Context: domains_rwsem held for writing; the caller calls ioas_refresh() afterwards.
 */
void mirror_reached(struct ioas_mirror *mirror, unsigned long last_iova);

#endif
