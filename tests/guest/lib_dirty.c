// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_dirty.c - dirty tracking of a container
 */
#define _GNU_SOURCE
#include "lib_dirty.h"

/* Some ioctls have a second struct behind their argument. */
struct dirty_request {
	struct vfio_iommu_type1_dirty_bitmap head;
	struct vfio_iommu_type1_dirty_bitmap_get get;
};

struct unmap_request {
	struct vfio_iommu_type1_dma_unmap head;
	struct vfio_bitmap bitmap;
};

static int dirty_flag(int container, uint32_t flag)
{
	struct vfio_iommu_type1_dirty_bitmap request = {
		.argsz = sizeof(request),
		.flags = flag,
	};

	return vfio_call(container, VFIO_IOMMU_DIRTY_PAGES,
			 (unsigned long)&request);
}

int dirty_start(int container)
{
	return dirty_flag(container, VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
}

int dirty_stop(int container)
{
	return dirty_flag(container, VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP);
}

int dirty_get(int container, uint64_t iova, uint64_t nbytes, void *bitmap,
	      uint64_t bitmap_nbytes)
{
	struct dirty_request request = {
		.head.argsz = sizeof(request),
		.head.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
		.get.iova = iova,
		.get.size = nbytes,
		.get.bitmap.pgsize = PAGE,
		.get.bitmap.size = bitmap_nbytes,
		.get.bitmap.data = bitmap,
	};

	return vfio_call(container, VFIO_IOMMU_DIRTY_PAGES,
			 (unsigned long)&request);
}

long long dirty_unmap(int container, uint64_t iova, uint64_t nbytes,
		      void *bitmap, uint64_t bitmap_nbytes)
{
	struct unmap_request request = {
		.head.argsz = sizeof(request),
		.head.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
		.head.iova = iova,
		.head.size = nbytes,
		.bitmap.pgsize = PAGE,
		.bitmap.size = bitmap_nbytes,
		.bitmap.data = bitmap,
	};
	int result = vfio_call(container, VFIO_IOMMU_UNMAP_DMA,
			       (unsigned long)&request);

	return result ? result : (long long)request.head.size;
}
