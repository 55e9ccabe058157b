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
#include "emulated.h"
#include "space/area.h"
#include "type1.h"
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

/*
 * Does a range begin or end inside an area, so that nothing is to be done? -EINVAL if that
 * is an error (v2), -ENOENT if not.
 */
static int check_borders(struct type1 *type1, struct ioas *ioas, unsigned long iova,
			 unsigned long last_iova)
{
	struct ioas_area *area = area_first(ioas, iova);

	if (!area || area->first_iova > last_iova)
		return -ENOENT;
	if (area->first_iova < iova)
		return type1->v2 ? -EINVAL : -ENOENT;
	if (!type1->v2)
		return 0;
	area = area_first(ioas, last_iova);
	return area && area->first_iova <= last_iova && area->last_iova != last_iova ?
	       -EINVAL : 0;
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
		area->flags |= AREA_NO_VADDR;
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
		area->flags &= ~AREA_NO_VADDR;
		nbytes -= area_nbytes(area);
		cond_resched();
	}
}

int vaddr_void(struct type1 *type1, struct ioas *ioas, unsigned long iova,
	       unsigned long last_iova, unsigned long *nbytes)
{
	int ret;

	*nbytes = 0;
	down_write(&ioas->domains_rwsem);
	ret = -EBUSY;
	if (!type1->emulated.ngroups)
		ret = check_borders(type1, ioas, iova, last_iova);
	if (!ret) {
		ret = mark_range(ioas, iova, last_iova, nbytes);
		if (ret)
			unmark(ioas, iova, *nbytes);
	}
	up_write(&ioas->domains_rwsem);
	return ret == -ENOENT ? 0 : ret;
}

static int set_address(struct ioas *ioas, struct ioas_area *area, unsigned long uptr)
{
	int ret;

	ret = area_change_owner(ioas, area, uptr);
	if (!ret)
		area->flags &= ~AREA_NO_VADDR;
	return ret;
}

int vaddr_set(struct ioas *ioas, unsigned long iova, unsigned long nbytes,
	      unsigned long uptr)
{
	struct ioas_area *area;
	int ret;

	down_write(&ioas->domains_rwsem);
	area = area_first(ioas, iova);
	if (!area || area->first_iova > iova + nbytes - 1)
		ret = -ENOENT;
	else if (!(area->flags & AREA_NO_VADDR) || area->first_iova != iova ||
		 area_nbytes(area) != nbytes)
		ret = -EINVAL;
	else
		ret = set_address(ioas, area, uptr);
	up_write(&ioas->domains_rwsem);
	return ret;
}
