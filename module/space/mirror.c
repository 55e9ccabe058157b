// SPDX-License-Identifier: GPL-2.0-only
/*
 * mirror: a domain in which the areas of an IOAS are mapped.
 *
 * While a mirror is on the list of its IOAS, every live area is mapped in its domain, from the
 * extents of the area's store. Mapping takes one iommu_map() a run. Unmapping takes one
 * iommu_unmap() an area, or a piece of a large area. A hole of the extents is never mapped, even if
 * a caller is wrong.
 *
 * Locking: domains_rwsem guards the list, and the mappings of a domain. A thread that holds it only
 * for reading may map and unmap only areas that it owns.
 */
#include <linux/iommu.h>
#include <linux/mm.h>

#include "base/steps.h"
#include "memory/pin.h"
#include "mirror.h"

/*
 * An entry of the IOMMU's page table is as large as it is aligned, so no entry of up to UNMAP_PIECE
 * reaches over a border between pieces. If a larger one does (AMD's can have any size), most
 * drivers unmap all of it and return its size, but may not have flushed the IOTLB beyond the range
 * that we named. A driver that unmaps nothing instead gets the whole rest in one call.
 */
unsigned long mirror_unmap_pieces(struct ioas_mirror *mirror, unsigned long iova,
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
		n = iommu_unmap(mirror->domain, iova + done, step);
		done += n;
		if (n > step)
			iommu_flush_iotlb_all(mirror->domain);
		if (n < step) {
			if (step == left)
				break;
			in_pieces = false;
		}
		cond_resched();
	}
	return done;
}

static inline int map_run(struct ioas_mirror *mirror, struct ioas_area *area,
			  unsigned long iova, phys_addr_t paddr, unsigned long nbytes,
			  bool single_pages, unsigned int *nsteps)
{
	unsigned long done = 0;

	while (done < nbytes) {
		unsigned long step = nbytes - done;
		int ret;

		if (single_pages)
			step = min(step, PAGE_SIZE - offset_in_page(paddr + done));
		ret = kcompat_iommu_map(mirror->domain, iova + done, paddr + done, step,
					area->iommu_prot | IOMMU_CACHE);
		if (!ret) {
			done += step;
			ret = runs_pause(nsteps);
		}
		if (ret) {
			if (done)
				mirror_unmap_range(mirror, area->store, iova, done);
			return ret;
		}
	}
	return 0;
}

__aligned(WALK_NBYTES)
int mirror_map_runs(struct ioas_mirror *mirror, struct ioas_area *area, bool single_pages)
{
	struct ioas_store *store = area->store;
	unsigned long last_byte = area_last_byte(area);
	unsigned long last_index = last_byte / PAGE_SIZE;
	unsigned long byte = area->first_byte;
	struct extent_cursor cursor;
	struct extent run, next;
	unsigned int nsteps = 0;
	bool more;
	int ret;

	more = extents_first(&store->extents, &cursor, byte / PAGE_SIZE, last_index, &next);
	while (more) {
		unsigned long run_last;

		more = extents_next_whole(&store->extents, &cursor, last_index, &next, &run);
		ret = -EFAULT;
		if (WARN_ON_ONCE(run.kind == EXTENT_HOLE))
			goto unmap;
		/* The area may show only a part of its first and last page. */
		run_last = min((run.index + run.npages) * PAGE_SIZE - 1, last_byte);
		ret = map_run(mirror, area, area->first_iova + (byte - area->first_byte),
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
		mirror_unmap_range(mirror, store, area->first_iova, byte - area->first_byte);
	return ret;
}

/* A table that grows begins with three levels of nine bits. No level is ever removed. */
#define SMALLEST_TABLE_BITS	39
#define LEVEL_BITS		9

void mirror_reached(struct ioas_mirror *mirror, unsigned long last_iova)
{
	unsigned int nbits = SMALLEST_TABLE_BITS;

	lockdep_assert_held_write(&mirror->ioas->domains_rwsem);
	while (nbits < BITS_PER_LONG && last_iova >> nbits)
		nbits += LEVEL_BITS;
	mirror->reach = max(mirror->reach, nbits < BITS_PER_LONG ? BIT(nbits) - 1 : ULONG_MAX);
}
