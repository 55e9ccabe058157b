/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dirty: which pages of a container may have been written to.
 *
 * Owns: struct dirty, and ->front and ->forgets of each IOAS of a container.
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

/*
 * Looks at the pages from @first_index to @last_index, inclusive, as IOVA in pages. Sets the bit of
 * each page that a device may be writing to; @first_bit is the bit of the first page. The caller
 * has entered the IOAS.
 */
typedef void (*dirty_held_fn)(struct dirty *dirty, const struct ioas *ioas,
			      unsigned long first_index, unsigned long last_index,
			      unsigned long *bits, unsigned long first_bit);

/* Dirty tracking of a container. */
struct dirty {
	struct mutex lock;		/* outside of domains_rwsem */
	bool tracking;			/* lock; between START and STOP */
	struct list_head spaces;	/* lock; struct dirty_space, one for each IOAS */
	dirty_held_fn report_held;	/* constant */
};

/* The front of each IOAS of a container. */
struct dirty_state {
	bool tracking;			/* domains_rwsem; may be read without it */
};

/**
 * dirty_init() - prepare dirty tracking of a container; it is off
 * @dirty: uninitialised memory
 * @report_held: tells which pages are being written to without dirty_note_write()
 *
 * Context: any.
 */
void dirty_init(struct dirty *dirty, dirty_held_fn report_held);

/**
 * dirty_destroy() - undo dirty_init()
 * @dirty: nobody else uses it, and no IOAS is left
 *
 * Context: any. Never fails.
 */
void dirty_destroy(struct dirty *dirty);

/**
 * dirty_add_ioas() - let a container track an IOAS
 * @dirty: of the container
 * @ioas: complete, but nobody can find it yet; its ->front and ->forgets are set here
 *
 * The IOAS is tracked from now on if the others are.
 *
 * Context: may sleep; takes @dirty->lock.
 * Return: 0; -ENOMEM, with nothing changed.
 */
int dirty_add_ioas(struct dirty *dirty, struct ioas *ioas);

/**
 * dirty_remove_ioas() - undo dirty_add_ioas()
 * @dirty: of the container
 * @ioas: nobody is inside, or can find it; no group can write to it
 *
 * Context: may sleep; takes @dirty->lock. Never fails.
 */
void dirty_remove_ioas(struct dirty *dirty, struct ioas *ioas);

/* Needs no lock. For a caller that is inside the IOAS the answer cannot change. */
static inline bool dirty_is_tracking(const struct ioas *ioas)
{
	const struct dirty_state *state = ioas->front;

	return READ_ONCE(state->tracking);
}

/**
 * dirty_note_write() - note that bytes were written, if the IOAS is tracked
 * @ioas: the IOAS, which the caller entered
 * @area: the area of the bytes, kept busy by the caller
 * @iova: of the first byte
 * @nbytes: how many, at least 1, all in @area
 *
 * Context: may sleep. Never fails: without memory all of the area counts as written to.
 */
void dirty_note_write(struct ioas *ioas, struct ioas_area *area, unsigned long iova,
		      unsigned long nbytes);

/**
 * dirty_add_writer() - a group will be able to write to anything in an IOAS
 * @ioas: the IOAS, kept by the caller
 *
 * To be called before the group can write. From now on reports tell all pages.
 *
 * Context: any.
 */
void dirty_add_writer(struct ioas *ioas);

/**
 * dirty_forget_writer() - undo dirty_add_writer(), with no page to be reported for it
 * @ioas: as for dirty_add_writer()
 *
 * For a group that could not be attached, or whose devices turned out to write only to pages that
 * they pin.
 *
 * Context: any.
 */
void dirty_forget_writer(struct ioas *ioas);

/**
 * dirty_remove_writer() - a group that could write to anything has left
 * @ioas: as for dirty_add_writer()
 *
 * To be called when the group cannot write any more. If the IOAS is tracked, the next report still
 * tells all pages that are mapped now.
 *
 * Context: may sleep; takes domains_rwsem for writing. Never fails.
 */
void dirty_remove_writer(struct ioas *ioas);

/**
 * dirty_unmap() - VFIO_IOMMU_UNMAP_DMA with VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP
 * @dirty: of a container that tracks
 * @ioas: its IOAS, which the caller entered
 * @iova: first address of the range, a multiple of the page size
 * @last_iova: last address of the range, inclusive
 * @bitmap: user memory for the dirty pages of the range, a bit a page; checked
 * @unmapped_nbytes: receives the length of the mappings that were removed, also on error
 *
 * A mapping that reaches over a border is never cut, as with UNMAP_WHOLE.
 *
 * Context: as ioas_unmap_watched(); may fault.
 * Return: 0, also where nothing is mapped, or:
 * * -EINVAL: a border of the range lies in a mapping; nothing is removed
 * * -EFAULT: a mapping could not be reported; it is still there, as are those above
 * * -EDEADLK: a driver did not unpin a mapping; it is still there, as are those above
 * * -EINTR: a fatal signal
 */
int dirty_unmap(struct dirty *dirty, struct ioas *ioas, unsigned long iova,
		unsigned long last_iova, const struct vfio_bitmap *bitmap,
		unsigned long *unmapped_nbytes);

/**
 * dirty_report() - VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP
 * @dirty: of a container that tracks
 * @ioas: its IOAS, which the caller entered
 * @range: the range of IOVA, and user memory for its bitmap; checked
 *
 * Pages are clean after they were reported, unless a device can still write to them. Those whose
 * bits did not reach user memory stay dirty.
 *
 * Context: may sleep and fault.
 * Return: 0, or:
 * * -EINVAL: a border of the range lies in a mapping
 * * -EFAULT: a bit could not be written to user memory
 * * -EINTR: a fatal signal
 */
long dirty_report(struct dirty *dirty, struct ioas *ioas,
		  const struct vfio_iommu_type1_dirty_bitmap_get *range);

/**
 * dirty_start() - VFIO_IOMMU_DIRTY_PAGES_FLAG_START
 * @dirty: of the container
 *
 * Context: may sleep; the caller is in no IOAS. Takes @dirty->lock and domains_rwsem of each IOAS
 * for writing.
 * Return: 0, also if it tracks already; -EINVAL, with tracking still off, if a mapping has
 * STOCK_MAX_BITMAP_NPAGES pages or more.
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
