// SPDX-License-Identifier: GPL-2.0-only
/*
 * legacy: the container ioctls on /dev/iommu.
 *
 * They are for programs that open /dev/iommu in place of a container. They answer as the
 * compatibility layer of iommufd does, which differs from type1 in some cases. So a container is
 * the better choice where there is one. They work on the IOAS that IOMMU_VFIO_IOAS chose.
 *
 * Locking: none of their own; a call keeps its IOAS busy.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "domain/hwpt.h"
#include "info.h"
#include "legacy.h"
#include "native_map.h"
#include "space/copy.h"
#include "space/ioas.h"
#include "space/unmap.h"

/* A call. Its argument is read before it enters an IOAS, and written after it has left the IOAS. */
struct legacy_call {
	/* Read once: the part that every program passes. All begin alike. */
	union {
		struct {
			u32 argsz;
			u32 flags;
		} head;
		struct vfio_iommu_type1_info info;
		struct vfio_iommu_type1_dma_map map;
		struct vfio_iommu_type1_dma_unmap unmap;
	} args;
	struct info_answer answer;	/* of GET_INFO */
	bool answers;			/* write a result, even if the call fails */
};

static long legacy_get_info(struct ioas *ioas, struct legacy_call *call)
{
	static const struct info_policy policy = {
		.padded = true,
		.exact = true,
	};
	int ret;

	ret = info_get(ioas, &policy, call->args.info.argsz, &call->answer);

	call->answers = !ret;
	return ret;
}

static long legacy_put_info(struct legacy_call *call, void __user *uinfo)
{
	return info_put(&call->answer, uinfo);
}

static long legacy_map(struct ioas *ioas, struct legacy_call *call)
{
	struct ioas_map map = {
		.rule = MAP_FIXED,
		.uptr = call->args.map.vaddr,
		.iova = call->args.map.iova,
		.nbytes = call->args.map.size,
		.account_mode = native_account_mode(ioas->object.ctx),
		.min_alignment = 1,
	};

	if (call->args.map.flags & VFIO_DMA_MAP_FLAG_READ)
		map.iommu_prot |= IOMMU_READ;
	if (call->args.map.flags & VFIO_DMA_MAP_FLAG_WRITE)
		map.iommu_prot |= IOMMU_WRITE;
	return native_map(ioas, &map);
}

/* If large pages are off, as for type1, a range may begin or end inside a mapping. */
static int cut_mappings(struct ioas *ioas, unsigned long iova, u64 nbytes)
{
	unsigned long last_iova = iova + nbytes - 1;
	int ret;

	/* The unmap that follows refuses an invalid range. */
	if (!READ_ONCE(ioas->small_pages) || !nbytes || last_iova < iova)
		return 0;
	ret = ioas_cut(ioas, last_iova);
	if (!ret && iova)
		ret = ioas_cut(ioas, iova - 1);
	return ret;
}

/* @nbytes: in: length of the range; out: bytes unmapped, on an error, too. */
static int legacy_unmap_range(struct ioas *ioas, unsigned long iova, u64 *nbytes)
{
	unsigned long last_iova = iova + *nbytes - 1;
	unsigned long unmapped;
	int ret;

	if (!*nbytes)
		return -EINVAL;
	if (last_iova < iova) {
		*nbytes = 0;
		return -EOVERFLOW;
	}
	ret = ioas_unmap(ioas, iova, last_iova, UNMAP_UPWARD, &unmapped);
	*nbytes = unmapped;
	return ret;
}

static long legacy_unmap(struct ioas *ioas, struct legacy_call *call)
{
	struct vfio_iommu_type1_dma_unmap *unmap = &call->args.unmap;
	unsigned long unmapped;
	int ret;

	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL) {
		if (unmap->iova || unmap->size)
			return -EINVAL;
		ret = ioas_unmap(ioas, 0, ULONG_MAX, UNMAP_WHOLE, &unmapped);
		unmap->size = unmapped;
	} else {
		ret = cut_mappings(ioas, unmap->iova, unmap->size);
		if (ret)
			return ret;
		ret = legacy_unmap_range(ioas, unmap->iova, &unmap->size);
	}
	call->answers = true;
	return ret;
}

static long legacy_put_unmapped(struct legacy_call *call, void __user *uunmap)
{
	return copy_to_user(uunmap, &call->args.unmap, sizeof(call->args.unmap)) ? -EFAULT : 0;
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
	ioas = ioas_get_default(ctx);
	if (!ioas)
		return -ENODEV;
	ioas_enter(ioas);
	ret = hwpts_enforce_coherency(ioas);
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
	ioas = ioas_get_default(ctx);
	if (!ioas)
		return -ENODEV;
	/* type1 may unmap a part of a mapping: no page table entry may reach over its border. */
	if (type == VFIO_TYPE1_IOMMU)
		ret = ioas_set_small_pages(ioas, true);
	ioas_put(ioas);
	return ret;
}

struct legacy_command {
	long (*handler)(struct ioas *ioas, struct legacy_call *call);
	long (*answer)(struct legacy_call *call, void __user *uargs);
	u32 nbytes;		/* size of the argument that every program passes */
	u32 known_flags;
};

static const struct legacy_command get_info_command = {
	.handler = legacy_get_info,
	.answer = legacy_put_info,
	.nbytes = INFO_MIN_NBYTES,
	.known_flags = ~0U,
};

static const struct legacy_command map_command = {
	.handler = legacy_map,
	.nbytes = sizeof(struct vfio_iommu_type1_dma_map),
	.known_flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
};

static const struct legacy_command unmap_command = {
	.handler = legacy_unmap,
	.answer = legacy_put_unmapped,
	.nbytes = sizeof(struct vfio_iommu_type1_dma_unmap),
	.known_flags = VFIO_DMA_UNMAP_FLAG_ALL,
};

static long with_ioas(struct ioas_ctx *ctx, void __user *uargs,
		      const struct legacy_command *command)
{
	struct legacy_call call;
	struct ioas *ioas;
	long ret, unwritten;

	call.answers = false;
	if (copy_from_user(&call.args, uargs, command->nbytes))
		return -EFAULT;
	if (call.args.head.argsz < command->nbytes || call.args.head.flags & ~command->known_flags)
		return -EINVAL;
	ioas = ioas_get_default(ctx);
	if (!ioas)
		return -ENODEV;
	ioas_enter(ioas);
	ret = command->handler(ioas, &call);
	ioas_leave(ioas);
	ioas_put(ioas);
	unwritten = call.answers ? command->answer(&call, uargs) : 0;
	return unwritten ?: ret;
}

long legacy_ioctl(struct ioas_ctx *ctx, unsigned int cmd, unsigned long arg)
{
	void __user *uargs = (void __user *)arg;

	switch (cmd) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return legacy_check_extension(ctx, arg);
	case VFIO_SET_IOMMU:
		return legacy_set_iommu(ctx, arg);
	case VFIO_IOMMU_GET_INFO:
		return with_ioas(ctx, uargs, &get_info_command);
	case VFIO_IOMMU_MAP_DMA:
		return with_ioas(ctx, uargs, &map_command);
	case VFIO_IOMMU_UNMAP_DMA:
		return with_ioas(ctx, uargs, &unmap_command);
	default:
		return -ENOTTY;
	}
}
