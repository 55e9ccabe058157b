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

#include "space/ioas_struct.h"

struct dirty;
struct ioas_area;

/* Sets, from @first_bit on, a bit for each page from @first_index that is being written to. */
typedef void (*dirty_held_fn)(struct dirty *dirty, const struct ioas *ioas,
			      unsigned long first_index, unsigned long last_index,
			      unsigned long *bits, unsigned long first_bit);

/* Dirty tracking of a container. */
struct dirty {
	struct mutex lock;		/* outside of domains_rwsem */
	bool tracking;			/* lock; what START and STOP said last */
	struct list_head spaces;	/* lock; what is known of each IOAS */
	dirty_held_fn report_held;	/* constant */
};

/* What each IOAS of a container has as its front. */
struct dirty_state {
	bool tracking;			/* domains_rwsem to change; anybody may peek */
};

/**
 * dirty_init() - make a container track nothing
 * @dirty: uninitialised memory
 * @report_held: tells of pages that are written to without dirty_note_write()
 */
void dirty_init(struct dirty *dirty, dirty_held_fn report_held);

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
 * dirty_unmap() - VFIO_IOMMU_UNMAP_DMA of a type1v2 container that tracks, with a report
 * @dirty: of the container
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
int dirty_unmap(struct dirty *dirty, struct ioas *ioas, unsigned long iova,
		unsigned long last_iova, const struct vfio_bitmap *bitmap,
		unsigned long *unmapped_nbytes);

/**
 * dirty_report() - VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP
 * @dirty: of a container that tracks
 * @ioas: its IOAS, which the caller entered
 * @range: which pages, and where to; checked
 *
 * Context: may sleep and fault.
 * Return: 0; -EINVAL if a border of the range lies in a mapping; -EFAULT; -EINTR on a fatal signal.
 */
long dirty_report(struct dirty *dirty, struct ioas *ioas,
		  const struct vfio_iommu_type1_dirty_bitmap_get *range);

/**
 * dirty_start() - VFIO_IOMMU_DIRTY_PAGES_FLAG_START
 * @dirty: of the container
 *
 * Context: may sleep; the caller is in no IOAS.
 * Return: 0, also if it tracks already; -EINVAL, and nothing changed, if a mapping has more pages
 * than a bitmap has bits.
 */
long dirty_start(struct dirty *dirty);

/**
 * dirty_stop() - VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP
 * @dirty: of the container
 *
 * Context: as dirty_start(). Never fails.
 */
void dirty_stop(struct dirty *dirty);

#endif
