/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dirty: which pages of a container may have been written to.
 *
 * Owns: struct dirty, and the front of each IOAS of a container.
 */
#ifndef VFIO_IOAS_DIRTY_H
#define VFIO_IOAS_DIRTY_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/vfio.h>

#include "space/ioas.h"

struct ioas_area;
struct type1;

/* Largest bitmap of one call, in bytes, and so the largest range, in pages. */
#define DIRTY_MAX_NBYTES	BIT(28)
#define DIRTY_MAX_NPAGES	(DIRTY_MAX_NBYTES * BITS_PER_BYTE)

/* A container. */
struct dirty {
	struct mutex lock;		/* outside of domains_rwsem */
	bool tracking;			/* lock; what START and STOP said last */
	struct list_head spaces;	/* lock; what is known of each IOAS */
};

/* What each IOAS of a container has as its front. */
struct dirty_state {
	bool tracking;			/* domains_rwsem to change; anybody may peek */
};

/**
 * dirty_init() - make a container track nothing
 * @dirty: uninitialised memory
 */
void dirty_init(struct dirty *dirty);

/**
 * dirty_destroy() - undo dirty_init()
 * @dirty: nobody else uses it, and no IOAS is left
 */
void dirty_destroy(struct dirty *dirty);

/**
 * dirty_add_ioas() - begin to know of an IOAS
 * @dirty: of the container
 * @ioas: complete, but nobody can find it yet; gets its front, and what forgets areas
 *
 * It is tracked if the others are.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int dirty_add_ioas(struct dirty *dirty, struct ioas *ioas);

/**
 * dirty_remove_ioas() - undo dirty_add_ioas()
 * @dirty: of the container
 * @ioas: nobody is inside, or can find it
 *
 * Context: may sleep. Never fails.
 */
void dirty_remove_ioas(struct dirty *dirty, struct ioas *ioas);

/* Peeks: it cannot change for a caller that is inside the IOAS. */
static inline bool dirty_is_tracking(const struct ioas *ioas)
{
	const struct dirty_state *state = ioas->front;

	return READ_ONCE(state->tracking);
}

/**
 * dirty_note_write() - pages were written to
 * @ioas: the IOAS, which the caller entered
 * @area: where, kept busy by the caller
 * @iova: of the first byte
 * @nbytes: how many, at least 1, all in @area
 *
 * Context: may sleep. Without memory all of the area counts as written to.
 */
void dirty_note_write(struct ioas *ioas, struct ioas_area *area, unsigned long iova,
		      unsigned long nbytes);

/**
 * dirty_add_writer() - a group will be able to write to anything in an IOAS
 * @ioas: the IOAS, kept by the caller
 *
 * To be called before the group can: from now on all is dirty.
 */
void dirty_add_writer(struct ioas *ioas);

/**
 * dirty_forget_writer() - a group did not join, or turned out to write to what it pins
 * @ioas: of dirty_add_writer()
 */
void dirty_forget_writer(struct ioas *ioas);

/**
 * dirty_remove_writer() - a group that could write to anything has left
 * @ioas: of dirty_add_writer(), kept by the caller
 *
 * To be called when the group cannot write any more. Until then all is dirty, always; and what is
 * mapped now is reported once more.
 *
 * Context: takes domains_rwsem for writing. Never fails.
 */
void dirty_remove_writer(struct ioas *ioas);

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
 * dirty_unmap() - VFIO_IOMMU_UNMAP_DMA of a type1v2 container that tracks, with a report
 * @type1: the container
 * @ioas: its IOAS, which the caller entered
 * @iova: first address of the range, a multiple of the page size
 * @last_iova: last address, inclusive
 * @bitmap: where to report what of the range is dirty, checked
 * @unmapped_nbytes: receives what was unmapped, also on error
 *
 * Context: as ioas_unmap_watched(); and faults.
 * Return: as ioas_unmap_watched(); -EFAULT, and the mapping that could not be reported, and those
 * above, still there.
 */
int dirty_unmap(struct type1 *type1, struct ioas *ioas, unsigned long iova,
		unsigned long last_iova, const struct vfio_bitmap *bitmap,
		unsigned long *unmapped_nbytes);

/* A call of VFIO_IOMMU_DIRTY_PAGES that was read. */
struct dirty_call {
	struct vfio_iommu_type1_dirty_bitmap head;
	struct vfio_iommu_type1_dirty_bitmap_get range;	/* of a report, behind the head as here */
	int ret;			/* what is wrong with it; or 0 */
};

/**
 * dirty_read_call() - read a call of VFIO_IOMMU_DIRTY_PAGES
 * @call: for dirty_serve(), which says what is wrong with it
 * @udirty: user pointer
 *
 * Context: may fault: the caller keeps no container.
 */
void dirty_read_call(struct dirty_call *call, void __user *udirty);

/**
 * dirty_check_call() - the part of dirty_read_call() that reads nothing
 * @call: all of it but @ret, as user space has it
 */
void dirty_check_call(struct dirty_call *call);

/* Is it a report, with which nothing is wrong so far? */
static inline bool dirty_is_report(const struct dirty_call *call)
{
	return !call->ret && call->head.flags == VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
}

/**
 * dirty_report() - VFIO_IOMMU_DIRTY_PAGES that asks for a bitmap
 * @type1: the container
 * @ioas: its IOAS, which the caller entered
 * @call: of dirty_is_report()
 *
 * Context: may sleep and fault.
 * Return: as stock type1; -EINTR on a fatal signal.
 */
long dirty_report(struct type1 *type1, struct ioas *ioas, const struct dirty_call *call);

/**
 * dirty_serve() - VFIO_IOMMU_DIRTY_PAGES but for reports of a container that has an IOAS
 * @type1: the container, kept by the caller
 * @call: which dirty_read_call() has read
 *
 * Context: may sleep; the caller is in no IOAS.
 * Return: as stock type1; -ENODEV for a report.
 */
long dirty_serve(struct type1 *type1, const struct dirty_call *call);

#endif
