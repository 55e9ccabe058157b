/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unmap: removes areas from an IOAS.
 */
#ifndef VFIO_IOAS_UNMAP_H
#define VFIO_IOAS_UNMAP_H

#include "ioas_struct.h"

struct ioas_area;

/* The areas that an unmap of a range takes, if borders of the range do not fit the areas. */
enum ioas_unmap_rule {
	UNMAP_WHOLE,	/* refuse to cut an area, before anything is done */
	UNMAP_STARTING,	/* nothing if an area begins before; else all that begin in the range */
	UNMAP_UPWARD,	/* one after another, until one does not fit */
	UNMAP_ALL,	/* all that can be taken, even while the caller is being killed */
};

/* A watch sees each area before an unmap removes it. */
struct ioas_unmap_watch {
	/* No other thread uses the area any more. An error keeps the area, and ends the unmap. */
	int (*leaving)(struct ioas_unmap_watch *watch, struct ioas_area *area);
};

/**
 * ioas_unmap_watched() - remove areas
 * @ioas: the IOAS, which the caller entered for reading
 * @iova: first address of the range
 * @last_iova: last address of the range, inclusive
 * @rule: handling of areas that reach over a border of the range
 * @watch: called for each area, from the lowest upward; NULL if the front end keeps nothing of
 *	areas now
 * @unmapped_nbytes: receives the length of all areas removed, in bytes, also on error
 *
 * Holes in the range do not matter. When this returns, no device can reach the memory any more; it
 * is unpinned, and its owner has the charge back.
 *
 * The unmap waits for calls that use an area or are pinning, and new calls wait meanwhile. It tells
 * in-kernel users with pins to unpin, and they get no new pins. For that, it leaves the IOAS and
 * enters it again. If @watch is NULL, areas removed from then on are shown to ioas->forgets.
 *
 * Context: may sleep; needs no memory. If the IOAS has in-kernel users, the caller holds nothing
 * that they need.
 * Return: 0, also if nothing is mapped, or:
 * * -EINVAL: with UNMAP_WHOLE, a border of the range lies inside an area; nothing is removed
 * * -ENOENT: with UNMAP_UPWARD, the next area reaches over a border
 * * -EBUSY: with UNMAP_UPWARD, another thread is making or removing the next area
 * * -EDEADLK: an in-kernel user did not unpin an area for seconds, which is a bug of that user. The
 *   area stays. So do those above, except with UNMAP_ALL
 * * -EINTR: a fatal signal ended a wait
 * * an error of @watch: the area that it was about stays, as do those above
 */
int ioas_unmap_watched(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
		       enum ioas_unmap_rule rule, struct ioas_unmap_watch *watch,
		       unsigned long *unmapped_nbytes);

/* As ioas_unmap_watched(), with the watch by which the front end forgets areas. */
static inline int ioas_unmap(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
			     enum ioas_unmap_rule rule, unsigned long *unmapped_nbytes)
{
	return ioas_unmap_watched(ioas, iova, last_iova, rule, ioas->forgets, unmapped_nbytes);
}

/**
 * ioas_check_borders() - does an area reach over a border of a range?
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last_iova: last address, inclusive
 * @rule: as for ioas_unmap_watched()
 *
 * Waits for threads that make or remove such an area.
 *
 * Context: domains_rwsem held for reading, and may sleep; or held for writing: then all areas are
 * live, and this waits for no thread.
 * Return: 0, or:
 * * -ENOENT: an unmap would take nothing: the range is empty, or with UNMAP_STARTING an area
 *   reaches into it
 * * -EINVAL: with UNMAP_WHOLE, a border lies inside an area
 * * -EINTR: a fatal signal
 */
int ioas_check_borders(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
		       enum ioas_unmap_rule rule);

/**
 * ioas_unmap_all() - remove all areas, on behalf of a caller that cannot be asked again
 * @ioas: the IOAS; if other threads map meanwhile, this may never end, see ioas_empty()
 * @unmapped_nbytes: receives the length of all areas removed, in bytes
 *
 * If in-kernel users do not unpin one area, they are told only once of each further one. A dead
 * IOAS has no in-kernel users any more, and their pins are lost.
 *
 * Context: as ioas_unmap_watched(), but a fatal signal does not end it.
 * Return: 0; -EDEADLK if areas are left that in-kernel users did not unpin.
 */
int ioas_unmap_all(struct ioas *ioas, unsigned long *unmapped_nbytes);

/**
 * ioas_empty() - remove all areas from an IOAS that continues to exist
 * @ioas: the IOAS
 *
 * Maps wait until it is over; otherwise they could keep ahead of it forever. Only while a driver is
 * told to unpin can maps get in, one at a time. If in-kernel users do not unpin areas, these stay,
 * with a warning.
 *
 * Context: domains_rwsem held for writing; held for reading when this returns. May sleep.
 */
void ioas_empty(struct ioas *ioas);

/**
 * ioas_erase_areas() - free the addresses of areas, and the areas
 * @ioas: the IOAS, which the caller entered
 * @areas: owned by the caller, linked by next; in no domain, no page of them pinned
 *
 * Context: may sleep. Never fails.
 */
void ioas_erase_areas(struct ioas *ioas, struct ioas_area *areas);

#endif
