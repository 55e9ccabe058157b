// SPDX-License-Identifier: GPL-2.0-only
/*
 * vaddr: mappings that get a new user address, maybe in another process.
 *
 * A program that is about to replace itself by exec declares the addresses of its mappings void.
 * The new program, which inherits the container, gives each mapping its new address. Meanwhile
 * devices go on with the pages of the mappings, which stay pinned.
 *
 * Locking: all functions run with domains_rwsem held for writing. These calls are rare, and no
 * other call sees one half done.
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

/* Sets AREA_NO_VADDR for areas that begin in a range. -EINVAL at the first one that has it. */
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

/* Clears AREA_NO_VADDR for areas of @nbytes in all, from @iova upward. */
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
