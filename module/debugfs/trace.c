// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace: makes the tracepoints that vfio_ioas_trace.h declares, and finds out what they tell
 * where that is more than the engine knows anyway.
 *
 * Locking: that of the caller, who asks only while the event is on.
 */
#include <linux/iommu.h>

#include "domain/group.h"
#include "domain/hwpt.h"
#include "insight.h"
#include "space/area.h"
#include "space/ioas.h"

/* The others include it, too: this comes last. */
#define CREATE_TRACE_POINTS
#include "base/vfio_ioas_trace.h"

void insight_sum_area(struct ioas_area *area, struct pages_sum *sum)
{
	pages_sum_all(area->pages, area->first_byte / PAGE_SIZE,
		      area_last_byte(area) / PAGE_SIZE, sum);
}

void insight_map_over(struct ioas *ioas, const struct ioas_map *map, struct ioas_area *areas,
		      int error, u64 begin_ns)
{
	struct pages_sum sum = { };
	struct ioas_area *area;

	for (area = error ? NULL : areas; area; area = area->next) {
		pages_lock(area->pages);
		insight_sum_area(area, &sum);
		pages_unlock(area->pages);
	}
	trace_map(ioas->object.ctx->insight.id, ioas->object.id, map->iova, map->nbytes,
		  map->uptr, map->iommu_prot, sum.nruns, error, trace_ns(begin_ns));
}

void insight_pin_over(struct ioas_pages *pages, const struct pages_user *user, int error,
		      u64 begin_ns)
{
	unsigned long first_index = user ? user->first_index : 0;
	unsigned long last_index = user ? user->last_index : pages->extents.npages - 1;
	struct pages_sum sum = { };

	if (!error)
		pages_sum_all(pages, first_index, last_index, &sum);
	trace_pin(pages->uptr + first_index * PAGE_SIZE, last_index - first_index + 1,
		  sum.nruns, error, trace_ns(begin_ns));
}

/* A test's group is none of the IOMMU's. */
static int group_number(const struct ioas_group *igroup)
{
	return igroup->group ? iommu_group_id(igroup->group) : -1;
}

void insight_attach_over(const struct ioas_group *igroup, const struct ioas *ioas, int error,
			 u64 begin_ns)
{
	trace_attach(igroup->ctx->insight.id, ioas->object.id,
		     error ? 0 : igroup->hwpt->object.id, group_number(igroup), error,
		     trace_ns(begin_ns));
}

void insight_detach_over(const struct ioas_group *igroup, u32 ioas_id, u32 hwpt_id, u64 begin_ns)
{
	trace_detach(igroup->ctx->insight.id, ioas_id, hwpt_id, group_number(igroup),
		     trace_ns(begin_ns));
}
