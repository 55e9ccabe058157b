// SPDX-License-Identifier: GPL-2.0-only
/*
 * legacy: the container ioctls on /dev/iommu.
 *
 * They are for programs that open it in place of a container, and say what the
 * compatibility layer of iommufd says, which is not always what type1 does: a container is
 * the better choice where there is one. They work on the IOAS that IOMMU_VFIO_IOAS chose.
 *
 * Locking: keeps that IOAS busy; it has its own.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "ioas.h"
#include "legacy.h"
#include "object.h"
#include "type1.h"

static long legacy_get_info(struct ioas *ioas, void __user *uinfo)
{
	static const struct info_style style = {
		.padded = true,
		.exact = true,
	};

	return type1_get_info(ioas, &style, uinfo);
}

static long legacy_map(struct ioas *ioas, void __user *umap)
{
	struct vfio_iommu_type1_dma_map args;
	struct ioas_map map;

	if (copy_from_user(&args, umap, sizeof(args)))
		return -EFAULT;
	map = (struct ioas_map){
		.rule = MAP_FIXED,
		.uptr = args.vaddr,
		.iova = args.iova,
		.nbytes = args.size,
		.account_mode = READ_ONCE(ioas->object.ctx->account_mode),
		.min_granule = 1,
	};
	if (args.flags & VFIO_DMA_MAP_FLAG_READ)
		map.iommu_prot |= IOMMU_READ;
	if (args.flags & VFIO_DMA_MAP_FLAG_WRITE)
		map.iommu_prot |= IOMMU_WRITE;
	return ioas_map_native(ioas, &map);
}

/* Without large pages, as in type1, a range may begin or end inside a mapping. */
static int cut_borders(struct ioas *ioas, unsigned long iova, unsigned long last_iova)
{
	int ret;

	if (!READ_ONCE(ioas->small_pages))
		return 0;
	ret = ioas_cut(ioas, last_iova);
	if (!ret && iova)
		ret = ioas_cut(ioas, iova - 1);
	return ret;
}

/* Sets @nbytes to what was unmapped, unless the borders could not be cut. */
static int legacy_unmap_range(struct ioas *ioas, unsigned long iova, u64 *nbytes)
{
	unsigned long last_iova = iova + *nbytes - 1;
	unsigned long unmapped;
	int ret;

	if (!*nbytes)
		return -EINVAL;
	if (last_iova < iova)
		return -EOVERFLOW;
	ret = cut_borders(ioas, iova, last_iova);
	if (ret)
		return ret;
	ret = ioas_unmap(ioas, iova, last_iova, UNMAP_UPWARD, &unmapped);
	*nbytes = ret ? 0 : unmapped;
	return ret;
}

static long legacy_unmap(struct ioas *ioas, void __user *uunmap)
{
	struct vfio_iommu_type1_dma_unmap args;
	unsigned long unmapped;
	int ret;

	if (copy_from_user(&args, uunmap, sizeof(args)))
		return -EFAULT;
	if (args.flags & VFIO_DMA_UNMAP_FLAG_ALL) {
		if (args.iova || args.size)
			return -EINVAL;
		ret = ioas_unmap(ioas, 0, ULONG_MAX, UNMAP_WHOLE, &unmapped);
		args.size = ret ? 0 : unmapped;
	} else {
		ret = legacy_unmap_range(ioas, args.iova, &args.size);
	}
	if (copy_to_user(uunmap, &args, sizeof(args)))
		return -EFAULT;
	return ret;
}

static long legacy_check_extension(struct ioas_ctx *ctx, unsigned long extension)
{
	struct ioas *ioas;
	long ret;

	switch (extension) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return 1;
	case VFIO_DMA_CC_IOMMU:
		break;
	default:
		return 0;
	}
	ioas = ioas_get_vfio(ctx);
	if (!ioas)
		return -ENODEV;
	ioas_enter(ioas);
	ret = ioas_enforces_coherency(ioas);
	ioas_leave(ioas);
	ioas_put(ioas);
	return ret;
}

static long legacy_set_iommu(struct ioas_ctx *ctx, unsigned long type)
{
	struct ioas *ioas;
	int ret = 0;

	if (type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU)
		return -EINVAL;
	ioas = ioas_get_vfio(ctx);
	if (!ioas)
		return -ENODEV;
	/* What type1 may unmap in parts must not be in one large entry. */
	if (type == VFIO_TYPE1_IOMMU)
		ret = ioas_set_small_pages(ioas, true);
	ioas_put(ioas);
	return ret;
}

/* What a program of any age gives, and which of its flags we know. */
static int check_args(void __user *uarg, u32 min_nbytes, u32 known_flags)
{
	u32 args[2];

	if (copy_from_user(args, uarg, sizeof(args)))
		return -EFAULT;
	if (args[0] < min_nbytes || args[1] & ~known_flags)
		return -EINVAL;
	return 0;
}

typedef long (*legacy_handler)(struct ioas *ioas, void __user *uarg);

static long with_ioas(struct ioas_ctx *ctx, void __user *uarg, legacy_handler handler)
{
	struct ioas *ioas = ioas_get_vfio(ctx);
	long ret;

	if (!ioas)
		return -ENODEV;
	ioas_enter(ioas);
	ret = handler(ioas, uarg);
	ioas_leave(ioas);
	ioas_put(ioas);
	return ret;
}

/**
 * legacy_ioctl() - serve a container ioctl on /dev/iommu
 * @ctx: the context
 * @cmd: the command word
 * @arg: user pointer, or a number
 *
 * Context: the calling process; may sleep.
 * Return: as iommufd; -ENODEV where no IOAS is chosen; -ENOTTY for what iommufd does
 * not have.
 */
long legacy_ioctl(struct ioas_ctx *ctx, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;
	int ret;

	switch (cmd) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return legacy_check_extension(ctx, arg);
	case VFIO_SET_IOMMU:
		return legacy_set_iommu(ctx, arg);
	case VFIO_IOMMU_GET_INFO:
		ret = check_args(uarg, offsetofend(struct vfio_iommu_type1_info,
						   iova_pgsizes), ~0U);
		return ret ?: with_ioas(ctx, uarg, legacy_get_info);
	case VFIO_IOMMU_MAP_DMA:
		ret = check_args(uarg, sizeof(struct vfio_iommu_type1_dma_map),
				 VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
		return ret ?: with_ioas(ctx, uarg, legacy_map);
	case VFIO_IOMMU_UNMAP_DMA:
		ret = check_args(uarg, sizeof(struct vfio_iommu_type1_dma_unmap),
				 VFIO_DMA_UNMAP_FLAG_ALL);
		return ret ?: with_ioas(ctx, uarg, legacy_unmap);
	default:
		return -ENOTTY;
	}
}
