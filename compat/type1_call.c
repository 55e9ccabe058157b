// SPDX-License-Identifier: GPL-2.0-only
/*
 * type1_call: a container ioctl; its argument is read and checked once.
 *
 * A second reading could find another argument than the one that was checked.
 *
 * Locking: none. The functions work on their arguments and on user memory.
 */
#include <linux/bug.h>
#include <linux/mm.h>

#include "type1_call.h"

static int read_fixed_part(struct type1_call *call, void *to, size_t nbytes)
{
	if (!call->is_read && copy_from_user(to, type1_uarg(call), nbytes))
		return -EFAULT;
	call->is_read = true;
	return 0;
}

static int read_map(struct type1_call *call)
{
	int ret = read_fixed_part(call, &call->map, sizeof(call->map));

	if (ret)
		return ret;
	call->scope = call->map.flags == VFIO_DMA_MAP_FLAG_VADDR ? CALL_ALONE : CALL_INSIDE;
	return type1_check_map(&call->map);
}

/* Checks the bitmap that a user gives for @nbytes of IOVA. 0 or -EINVAL. */
static int check_bitmap(const struct vfio_bitmap *bitmap, u64 nbytes)
{
	u64 npages;

	if (!bitmap->pgsize)
		return -EINVAL;
	if (!access_ok(bitmap->data, bitmap->size))
		return -EINVAL;
	npages = nbytes >> __ffs64(bitmap->pgsize);
	if (!npages || !bitmap->size || bitmap->size > STOCK_MAX_BITMAP_NBYTES ||
	    bitmap->size < DIV_ROUND_UP_ULL(npages, BITS_PER_LONG) * sizeof(u64))
		return -EINVAL;
	return 0;
}

/* The bitmap follows the fixed part of the argument. */
static int read_bitmap(struct type1_call *call)
{
	const struct vfio_iommu_type1_dma_unmap *unmap = &call->unmap;

	if (unmap->flags != VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP ||
	    unmap->argsz < sizeof(*unmap) + sizeof(call->bitmap))
		return -EINVAL;
	if (copy_from_user(&call->bitmap, type1_uarg(call) + sizeof(*unmap), sizeof(call->bitmap)))
		return -EFAULT;
	return check_bitmap(&call->bitmap, unmap->size);
}

static int read_unmap(struct type1_call *call)
{
	const struct vfio_iommu_type1_dma_unmap *unmap = &call->unmap;
	int ret = read_fixed_part(call, &call->unmap, sizeof(call->unmap));

	if (!ret)
		ret = type1_check_unmap(unmap);
	if (ret)
		return ret;
	call->scope = CALL_INSIDE;
	if (!type1_is_special(unmap))
		return 0;
	if (unmap->flags & ~(VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR))
		return read_bitmap(call);
	call->scope = CALL_ALONE;
	return 0;
}

static int read_info(struct type1_call *call)
{
	call->scope = CALL_INSIDE;
	if (read_fixed_part(call, &call->info.info, INFO_MIN_NBYTES))
		return -EFAULT;
	return call->info.info.argsz < INFO_MIN_NBYTES ? -EINVAL : 0;
}

static int check_dirty_head(const struct vfio_iommu_type1_dirty_bitmap *dirty)
{
	if (dirty->argsz < sizeof(*dirty))
		return -EINVAL;
	switch (dirty->flags) {
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
		return 0;
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP:
		return dirty->argsz < DIRTY_REPORT_NBYTES ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static int check_dirty_range(const struct vfio_iommu_type1_dirty_bitmap_get *range)
{
	int ret;

	if (!range->size)
		return -EINVAL;
	if (type1_wraps(range->iova, range->size))
		return STOCK_WRAPS;
	/* Older kernels refuse a range that ends at the last address. */
	if (!STOCK_IS_INCLUSIVE && range->iova + range->size < range->iova)
		return -EINVAL;
	ret = check_bitmap(&range->bitmap, range->size);
	if (ret)
		return ret;
	if (range->bitmap.pgsize != PAGE_SIZE || (range->iova | range->size) & ~PAGE_MASK)
		return -EINVAL;
	return 0;
}

void type1_check_dirty(struct type1_call *call)
{
	call->error = check_dirty_head(&call->dirty);
	call->scope = CALL_OUTSIDE;
	if (!type1_is_report(call))
		return;
	call->scope = CALL_INSIDE;
	call->error = check_dirty_range(&call->range);
}

static void read_dirty(struct type1_call *call)
{
	BUILD_BUG_ON(offsetof(struct type1_call, range) - offsetof(struct type1_call, dirty) !=
		     sizeof(call->dirty));
	call->error = -EFAULT;
	if (copy_from_user(&call->dirty, type1_uarg(call), sizeof(call->dirty)))
		return;
	if (call->dirty.flags == VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP &&
	    call->dirty.argsz >= DIRTY_REPORT_NBYTES &&
	    copy_from_user(&call->range, type1_uarg(call) + sizeof(call->dirty),
			   sizeof(call->range)))
		return;
	type1_check_dirty(call);
}

int type1_read_call(struct type1_call *call)
{
	switch (call->cmd) {
	case VFIO_IOMMU_MAP_DMA:
		return read_map(call);
	case VFIO_IOMMU_UNMAP_DMA:
		return read_unmap(call);
	case VFIO_IOMMU_GET_INFO:
		return read_info(call);
	case VFIO_IOMMU_DIRTY_PAGES:
		if (!call->is_read)
			read_dirty(call);
		return 0;
	case VFIO_CHECK_EXTENSION:
		call->scope = CALL_OUTSIDE;
		return 0;
	default:
		return -ENOTTY;
	}
}
