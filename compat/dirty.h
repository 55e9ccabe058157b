/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dirty: which pages of a container may have been written to.
 *
 * Owns: struct dirty.
 */
#ifndef VFIO_IOAS_DIRTY_H
#define VFIO_IOAS_DIRTY_H

#include <linux/bits.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

struct ioas;
struct ioas_area;
struct type1;

/* Largest bitmap of one call, in bytes, and so the largest range, in pages. */
#define DIRTY_MAX_NBYTES	BIT(28)
#define DIRTY_MAX_NPAGES	(DIRTY_MAX_NBYTES * BITS_PER_BYTE)

struct dirty {
	struct mutex lock;		/* innermost but for the locks of the xarrays */
	bool tracking;			/* lock, and domains_rwsem to change; anybody may peek */
	struct xarray chunks;		/* lock; struct dirty_chunk by its number */
	atomic_t nwriters;		/* groups whose devices may write to anything */
};

/**
 * dirty_init() - make a container track nothing
 * @dirty: uninitialised memory
 */
void dirty_init(struct dirty *dirty);

/**
 * dirty_destroy() - undo dirty_init()
 * @dirty: nobody else uses it
 */
void dirty_destroy(struct dirty *dirty);

/* Peeks: whoever needs to be sure holds the IOAS, in which case it cannot change. */
static inline bool dirty_is_tracking(const struct dirty *dirty)
{
	return READ_ONCE(dirty->tracking);
}

/**
 * dirty_note_write() - pages were written to
 * @dirty: of the container
 * @ioas: its IOAS, which the caller entered
 * @area: where, kept busy by the caller
 * @iova: of the first byte
 * @nbytes: how many, at least 1, all in @area
 *
 * Context: may sleep. Without memory all of the area counts as written to.
 */
void dirty_note_write(struct dirty *dirty, struct ioas *ioas, struct ioas_area *area,
		      unsigned long iova, unsigned long nbytes);

/**
 * dirty_all() - anything in an IOAS may have been written to
 * @dirty: of the container; nothing happens if it does not track
 * @ioas: the IOAS
 *
 * Context: takes domains_rwsem for writing. Never fails.
 */
void dirty_all(struct dirty *dirty, struct ioas *ioas);

/**
 * dirty_check_bitmap() - is what user space says of a bitmap right?
 * @bitmap: what it says
 * @nbytes: length of the range, in bytes
 *
 * Return: 0; -EINVAL: no page, a bitmap that is too small or larger than
 * DIRTY_MAX_NBYTES, or not in user space.
 */
int dirty_check_bitmap(const struct vfio_bitmap *bitmap, u64 nbytes);

/**
 * dirty_unmap() - VFIO_IOMMU_UNMAP_DMA of a type1v2 container that tracks
 * @type1: the container
 * @ioas: its IOAS, which the caller entered
 * @iova: first address of the range, a multiple of the page size
 * @last_iova: last address, inclusive
 * @bitmap: where to report what of the range is dirty, checked; or NULL
 * @unmapped_nbytes: receives what was unmapped, also on error
 *
 * Context: as ioas_unmap_watched(); and faults, if there is a bitmap.
 * Return: as ioas_unmap_watched(); -EFAULT, and the mapping that could not be reported, and those
 * above, still there.
 */
int dirty_unmap(struct type1 *type1, struct ioas *ioas, unsigned long iova,
		unsigned long last_iova, const struct vfio_bitmap *bitmap,
		unsigned long *unmapped_nbytes);

/**
 * dirty_ioctl() - VFIO_IOMMU_DIRTY_PAGES
 * @type1: the container
 * @ioas: its IOAS, which the caller entered
 * @udirty: user pointer
 *
 * Return: as stock type1; TYPE1_ALONE to start and to stop.
 */
long dirty_ioctl(struct type1 *type1, struct ioas *ioas, void __user *udirty);

/**
 * dirty_ioctl_alone() - the part of VFIO_IOMMU_DIRTY_PAGES that lets nobody else in
 * @type1: the container
 * @ioas: its IOAS, which the caller neither entered nor lets end
 * @udirty: user pointer
 *
 * Return: as stock type1.
 */
long dirty_ioctl_alone(struct type1 *type1, struct ioas *ioas, void __user *udirty);

#endif
