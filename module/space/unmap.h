/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unmap: how areas leave an IOAS.
 */
#ifndef VFIO_IOAS_UNMAP_H
#define VFIO_IOAS_UNMAP_H

#include "ioas_struct.h"

struct ioas_area;

/* Which areas an unmap of a range takes, where it does not fit the areas. */
enum ioas_unmap_rule {
	UNMAP_WHOLE,	/* refuse to cut an area, before anything is done */
	UNMAP_STARTING,	/* nothing, if one begins before; else all that begin in it */
	UNMAP_UPWARD,	/* one after another until one does not fit */
	UNMAP_ALL,	/* all that can be had, also while the caller is being killed */
};

/* Somebody who sees each area before an unmap takes it away. */
struct ioas_unmap_watch {
	/* Nobody else uses the area any more. An error lets it stay, and ends the unmap. */
	int (*leaving)(struct ioas_unmap_watch *watch, struct ioas_area *area);
};

/**
 * ioas_unmap_watched() - take areas away
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last_iova: last address of the range, inclusive
 * @rule: what to do with areas that reach over a border of the range
 * @watch: is called for each area, from the lowest upward; or NULL, if the front end keeps nothing
 *	of areas now
 * @unmapped_nbytes: receives the length of all areas removed, also on error
 *
 * Holes in the range do not matter. When this returns no device can reach the
 * memory any more, it is unpinned, and its owner has got the charge back. In-kernel users
 * that pinned some of it have been told; to that end the IOAS is left and entered again. If @watch
 * is NULL, the front end forgets areas that go from then on.
 * Calls that use an area, or are pinning, are waited for; no new ones get in meanwhile.
 *
 * Context: the caller entered the IOAS and, if it has in-kernel users, holds nothing
 * that they need; may sleep. Needs no memory.
 * Return: 0, also where nothing is mapped; -EINVAL with UNMAP_WHOLE and nothing
 * removed if a border of the range lies inside an area; with UNMAP_UPWARD -ENOENT if
 * the next area reaches over a border, -EBUSY if another thread is making or removing it;
 * -EDEADLK if an in-kernel user did not let go of one for seconds (a bug of that user): it stays,
 * as do those above unless it is UNMAP_ALL;
 * -EINTR on a fatal signal while it waited; an error of @watch, and the area it was about,
 * and those above, are still there.
 */
int ioas_unmap_watched(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
		       enum ioas_unmap_rule rule, struct ioas_unmap_watch *watch,
		       unsigned long *unmapped_nbytes);

/* As ioas_unmap_watched(). The front end forgets what it keeps of the areas. */
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
 * Context: domains_rwsem held, for writing (then all areas are live, and nobody is waited for) or
 * for reading; may sleep.
 * Return: 0; -ENOENT if nothing would be taken: nothing is mapped in the range, or with
 * UNMAP_STARTING an area reaches into it; -EINVAL with UNMAP_WHOLE if a border lies inside an area;
 * -EINTR on a fatal signal.
 */
int ioas_check_borders(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
		       enum ioas_unmap_rule rule);

/**
 * ioas_unmap_all() - take all areas away, when nobody asked for it who could ask again
 * @ioas: the IOAS; if somebody maps meanwhile it may never end, see ioas_empty()
 * @unmapped_nbytes: receives their length
 *
 * In-kernel users that do not let go of one area are told of each further one once. Those of an
 * IOAS that is dead are gone, and what they have pinned is lost.
 *
 * Context: as ioas_unmap_watched(), but a fatal signal does not end it.
 * Return: 0; -EDEADLK if only those areas are left that in-kernel users did not let go of.
 */
int ioas_unmap_all(struct ioas *ioas, unsigned long *unmapped_nbytes);

/**
 * ioas_empty() - take all areas away from an IOAS that goes on
 * @ioas: the IOAS
 *
 * Maps wait until it is over; only while a driver is told one at a time gets in. Otherwise maps
 * could keep ahead of it for ever. Warns of areas that in-kernel users do not let go of: they stay.
 *
 * Context: domains_rwsem held for writing, for reading when it returns. May sleep.
 */
void ioas_empty(struct ioas *ioas);

/**
 * ioas_erase_areas() - give back the addresses of areas, and free them
 * @ioas: the IOAS, which the caller entered
 * @areas: owned by the caller, in no domain, nothing of them pinned
 *
 * Context: may sleep. Never fails.
 */
void ioas_erase_areas(struct ioas *ioas, struct ioas_area *areas);

#endif
