// SPDX-License-Identifier: GPL-2.0-only
/*
 * vaddr: mappings that get a new user address, maybe of another process.
 *
 * A program that is about to be replaced by exec says that the addresses of its mappings are
 * void; the new one, which inherits the container, gives each its address there. Devices go on
 * with the pages they have, which stay pinned.
 *
 * Locking: all with domains_rwsem held for writing: it is rare, and nobody meets it half done.
 */
#include <linux/mm.h>
#include <linux/sched.h>

#include "area_flags.h"
#include "space/area.h"
#include "vaddr.h"

bool vaddr_any_void(struct ioas *ioas)
{
	struct ioas_area *area;

	for (area = area_first(ioas, 0); area; area = area_next(ioas, area)) {
		if (area->flags & AREA_NO_VADDR)
			return true;
		cond_resched();
	}
	return false;
}

/* Marks areas that begin in a range. Stops at one that is marked: -EINVAL. */
static int mark_range(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
		      unsigned long *nbytes)
{
	struct ioas_area *area;

	for (area = area_first(ioas, iova); area && area->first_iova <= last_iova;
	     area = area_next(ioas, area)) {
		if (area->flags & AREA_NO_VADDR)
			return -EINVAL;
		area_set_flags(ioas, area, AREA_NO_VADDR);
		*nbytes += area_nbytes(area);
		cond_resched();
	}
	return 0;
}

/* Takes back marks of @nbytes of areas. */
static void unmark(struct ioas *ioas, unsigned long iova, unsigned long nbytes)
{
	struct ioas_area *area;

	for (area = area_first(ioas, iova); nbytes; area = area_next(ioas, area)) {
		area_take_flags(ioas, area, AREA_NO_VADDR);
		nbytes -= area_nbytes(area);
		cond_resched();
	}
}

int vaddr_void(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
	       enum ioas_unmap_rule rule, unsigned long *nbytes)
{
	int ret;

	*nbytes = 0;
	lockdep_assert_held_write(&ioas->domains_rwsem);
	ret = ioas_check_borders(ioas, iova, last_iova, rule);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = mark_range(ioas, iova, last_iova, nbytes);
	if (ret)
		unmark(ioas, iova, *nbytes);
	return ret;
}

int vaddr_set(struct ioas *ioas, unsigned long iova, unsigned long nbytes,
	      unsigned long uptr)
{
	struct ioas_area *area = area_first(ioas, iova);
	int ret;

	if (!area || area->first_iova > iova + nbytes - 1)
		return -ENOENT;
	if (!(area->flags & AREA_NO_VADDR) || area->first_iova != iova ||
	    area_nbytes(area) != nbytes)
		return -EINVAL;
	ret = area_change_owner(ioas, area, uptr);
	if (!ret)
		area_take_flags(ioas, area, AREA_NO_VADDR);
	return ret;
}
