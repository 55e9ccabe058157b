// SPDX-License-Identifier: GPL-2.0-only
/*
 * copy: further areas over memory that an IOAS shows already.
 *
 * Capturing a range makes a copy of each area in it, or of a part of an area. A copy is in no tree
 * yet, and keeps the store. Cutting an area makes two areas of it over the same store.
 *
 * Locking: the caller has entered the IOAS. An area is kept busy while it is copied, and claimed
 * while it is divided.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/mm.h>

#include "area.h"
#include "copy.h"
#include "limits.h"
#include "map.h"

static struct ioas_area *capture_piece(struct ioas *ioas, unsigned long iova,
				       unsigned long last_iova, int iommu_prot)
{
	struct ioas_area *area = area_get(ioas, iova);
	struct ioas_area *copy = NULL;
	unsigned long nbytes;

	if (IS_ERR(area))
		return area;
	nbytes = min(area->last_iova, last_iova) - iova + 1;
	if (!area_share(ioas, area))
		copy = area_create_copy(area->store, area_byte(area, iova), nbytes,
					iommu_prot);
	area_put(ioas, area);
	return copy ?: ERR_PTR(-ENOMEM);
}

int ioas_capture(struct ioas *ioas, unsigned long iova, unsigned long nbytes,
		 int iommu_prot, struct ioas_area **copies)
{
	unsigned long last_iova = iova + nbytes - 1;
	struct ioas_area **link = copies;
	struct ioas_area *copy;

	*copies = NULL;
	for (;;) {
		copy = capture_piece(ioas, iova, last_iova, iommu_prot);
		if (IS_ERR(copy))
			break;
		*link = copy;
		link = &copy->next;
		if (last_iova - iova < area_nbytes(copy))
			return 0;
		iova += area_nbytes(copy);
		cond_resched();
	}
	area_free_list(*copies);
	return PTR_ERR(copy);
}

int ioas_map_copies(struct ioas *ioas, struct ioas_map *map, struct ioas_area *copies)
{
	map->areas = copies;
	map->uptr = copies->store->uptr + copies->first_byte;
	return ioas_map(ioas, map);
}

/* Counts the new area of a cut. -EDQUOT: the IOAS needs room for it first. */
static int count_upper(struct iova_space *space)
{
	int ret = 0;

	spin_lock(&space->iova_lock);
	if (space->nareas == space->max_areas)
		ret = -EDQUOT;
	else
		space->nareas++;
	spin_unlock(&space->iova_lock);
	return ret;
}

/*
 * Inserts @upper behind @area, which loses the bytes that @upper shows. The caller is alone with
 * @area.
 */
static int insert_upper(struct ioas *ioas, struct ioas_area *area, struct ioas_area *upper)
{
	struct iova_space *space = &ioas->iova_space;
	bool pinned = !list_empty(&ioas->mirrors);
	int ret;

	upper->first_iova = area->first_iova + (upper->first_byte - area->first_byte);
	upper->last_iova = area->last_iova;
	store_lock(area->store);
	ret = area_divide(area, upper, pinned);
	spin_lock(&space->iova_lock);
	space->nareas--;
	if (!ret) {
		area->last_iova = upper->first_iova - 1;
		upper->flags = area->flags;
		area_set_state(space, upper, AREA_LIVE);
		WARN_ON(iova_insert(space, upper));
	}
	spin_unlock(&space->iova_lock);
	store_unlock(area->store);
	return ret;
}

/*
 * A thread that was in a claimed area may have pinned it, and may enter it again to unpin. Once the
 * area is neither pinned nor busy, no other thread comes any more.
 */
static bool is_in_use(struct ioas *ioas, const struct ioas_area *area)
{
	bool in_use;

	spin_lock(&ioas->iova_space.iova_lock);
	in_use = area->npins || area->nbusy;
	spin_unlock(&ioas->iova_space.iova_lock);
	return in_use;
}

/* The caller is alone with the area, except for threads that unpin it. */
static int cut_area(struct ioas *ioas, struct ioas_area *area, unsigned long last_iova)
{
	struct ioas_area *upper;
	int ret;

	if (is_in_use(ioas, area))
		return -EINVAL;
	ret = area_share(ioas, area);
	if (ret)
		return ret;
	upper = area_create_copy(area->store, area_byte(area, last_iova) + 1,
				 area->last_iova - last_iova, area->iommu_prot);
	if (!upper)
		return -ENOMEM;
	while ((ret = count_upper(&ioas->iova_space)) == -EDQUOT) {
		ret = ioas_get_room(ioas, 1);
		if (ret)
			break;
	}
	if (!ret)
		ret = insert_upper(ioas, area, upper);
	if (ret)
		area_free(upper);
	return ret;
}

/* May an area be cut behind @last_iova? */
static int check_cut(struct ioas *ioas, struct ioas_area *area, unsigned long last_iova)
{
	unsigned long align_mask = ioas->iova_alignment - 1;

	if (!area_is_live(area) || area_is_told(area))
		return -EBUSY;
	if ((last_iova + 1) & align_mask || (area_byte(area, last_iova) + 1) & align_mask ||
	    area->npins)
		return -EINVAL;
	/* An entry of the page table may reach over the border. */
	if (!list_empty(&ioas->mirrors) && !ioas->small_pages)
		return -EINVAL;
	return area_is_settled(area) ? 0 : -EAGAIN;
}

/*
 * Claims the area that reaches over a border. *@claimed is NULL if there is none. -EAGAIN: another
 * thread is alone with the area; to be tried again after that.
 */
static int claim_area(struct ioas *ioas, unsigned long last_iova, struct ioas_area **claimed)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;
	int ret = 0;

	spin_lock(&space->iova_lock);
	area = iova_first(space, last_iova, last_iova);
	if (area && (area->last_iova == last_iova || area->first_iova == last_iova))
		area = NULL;
	if (area)
		ret = check_cut(ioas, area, last_iova);
	if (area && !ret)
		area_set_state(space, area, AREA_ALONE);
	spin_unlock(&space->iova_lock);
	*claimed = ret ? NULL : area;
	return ret;
}

static void unclaim_area(struct ioas *ioas, struct ioas_area *area)
{
	spin_lock(&ioas->iova_space.iova_lock);
	area_set_state(&ioas->iova_space, area, AREA_LIVE);
	ioas_unlock_and_wake(ioas);
}

int ioas_cut(struct ioas *ioas, unsigned long last_iova)
{
	struct ioas_area *area;
	int ret;

	while ((ret = claim_area(ioas, last_iova, &area)) == -EAGAIN) {
		ret = area_wait_settled(ioas, last_iova, TASK_KILLABLE);
		if (ret)
			return ret;
	}
	if (!area)
		return ret;
	ret = area_wait_idle(ioas, area, TASK_KILLABLE);
	if (!ret)
		ret = cut_area(ioas, area, last_iova);
	unclaim_area(ioas, area);
	return ret;
}
