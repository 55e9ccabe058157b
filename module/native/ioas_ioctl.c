// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioas_ioctl: the native ioctls about an IOAS.
 *
 * They answer as iommufd does; uapi/iommufd.h and docs/uapi.md describe the answers.
 *
 * Locking: a command keeps its IOAS busy, and enters the IOAS only after it has read its argument
 * from user space.
 */
#include <linux/capability.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "call.h"
#include "handlers.h"
#include "native_map.h"
#include "space/area.h"
#include "space/copy.h"
#include "space/ioas.h"
#include "space/map.h"
#include "space/unmap.h"

#define MAP_FLAGS	(IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE | \
			 IOMMU_IOAS_MAP_READABLE)

/* Ranges that are copied and checked before other tasks may run. */
#define RANGES_AT_ONCE	1024U

int handle_ioas_alloc(struct native_call *call)
{
	struct iommu_ioas_alloc *args = &call->args.alloc;
	struct ioas *ioas;

	if (args->flags)
		return -EOPNOTSUPP;
	ioas = ioas_create(call->ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	args->out_ioas_id = ioas->object.id;
	return call_publish(call, sizeof(*args), &ioas->object);
}

static int get_space_info(struct ioas *ioas, struct ioas_space_info *info)
{
	int ret;

	ioas_enter(ioas);
	ret = ioas_get_space_info(ioas, info);
	ioas_leave(ioas);
	return ret;
}

static int put_ranges(u64 __user *uranges, const struct ioas_space_info *info,
		      unsigned int max_ranges)
{
	unsigned int nranges = min(info->nranges, max_ranges);
	unsigned int i;

	for (i = 0; i < nranges; i++) {
		struct iommu_iova_range range = {
			.start = info->ranges[i].first_iova,
			.last = info->ranges[i].last_iova,
		};

		if (copy_to_user(uranges + 2 * i, &range, sizeof(range)))
			return -EFAULT;
	}
	return 0;
}

int handle_ioas_iova_ranges(struct native_call *call)
{
	struct iommu_ioas_iova_ranges *args = &call->args.ranges;
	struct ioas_space_info info;
	struct ioas *ioas;
	u32 max_ranges;
	int ret;

	if (args->__reserved)
		return -EOPNOTSUPP;
	ioas = ioas_get(call->ctx, args->ioas_id);
	if (!ioas)
		return -ENOENT;
	ret = get_space_info(ioas, &info);
	ioas_put(ioas);
	if (ret)
		return ret;
	max_ranges = args->num_iovas;
	args->num_iovas = info.nranges;
	args->out_iova_alignment = info.iova_alignment;
	ret = put_ranges(u64_to_user_ptr(args->allowed_iovas), &info, max_ranges);
	kvfree(info.ranges);
	if (!ret)
		ret = call_respond(call, sizeof(*args));
	if (!ret && args->num_iovas > max_ranges)
		ret = -EMSGSIZE;
	return ret;
}

/*
 * Copies ranges in portions, since there may be a hundred million. As in iommufd, a bad range is
 * reported before a later one that cannot be read.
 */
static int copy_ranges(struct ioas_range *ranges,
		       const struct iommu_iova_range __user *uranges, u32 nranges)
{
	unsigned long unread;
	u32 i, j, n, nread;

	for (i = 0; i < nranges; i += n) {
		n = min(nranges - i, RANGES_AT_ONCE);
		if (fatal_signal_pending(current))
			return -EINTR;
		unread = copy_from_user(ranges + i, uranges + i, n * sizeof(*ranges));
		nread = n - DIV_ROUND_UP(unread, sizeof(*ranges));
		for (j = i; j < i + nread; j++)
			if (ranges[j].first_iova >= ranges[j].last_iova)
				return -EINVAL;
		if (unread)
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

/* Copies the array of ALLOW_IOVAS. The caller frees it with kvfree(). */
static struct ioas_range *read_ranges(const struct iommu_iova_range __user *uranges,
				      u32 nranges)
{
	struct ioas_range *ranges;
	int ret;

	BUILD_BUG_ON(sizeof(struct ioas_range) != sizeof(struct iommu_iova_range));
	ranges = kvmalloc_array(nranges, sizeof(*ranges),
				GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!ranges)
		return ERR_PTR(-ENOMEM);
	ret = copy_ranges(ranges, uranges, nranges);
	if (ret) {
		kvfree(ranges);
		return ERR_PTR(ret);
	}
	return ranges;
}

int handle_ioas_allow_iovas(struct native_call *call)
{
	struct iommu_ioas_allow_iovas *args = &call->args.allow;
	struct ioas_range *ranges;
	struct ioas *ioas;
	int ret;

	if (args->__reserved)
		return -EOPNOTSUPP;
	ioas = ioas_get(call->ctx, args->ioas_id);
	if (!ioas)
		return -ENOENT;
	ranges = read_ranges(u64_to_user_ptr(args->allowed_iovas), args->num_iovas);
	if (IS_ERR(ranges)) {
		ret = PTR_ERR(ranges);
	} else {
		ret = iova_allow(&ioas->iova_space, ranges, args->num_iovas);
		kvfree(ranges);
	}
	ioas_put(ioas);
	return ret;
}

/* Reads the flags of MAP and COPY. */
static int read_map_flags(u32 flags, struct ioas_map *map)
{
	if (!(flags & (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)))
		return -EINVAL;
	if (flags & IOMMU_IOAS_MAP_READABLE)
		map->iommu_prot |= IOMMU_READ;
	if (flags & IOMMU_IOAS_MAP_WRITEABLE)
		map->iommu_prot |= IOMMU_WRITE;
	map->rule = flags & IOMMU_IOAS_MAP_FIXED_IOVA ? MAP_FIXED : MAP_ANYWHERE;
	map->min_alignment = 1;
	return 0;
}

static void enter_to_map(struct ioas *ioas, const struct ioas_map *map)
{
	if (map->rule == MAP_ANYWHERE)
		ioas_prepare_search(ioas);
	ioas_enter(ioas);
}

int handle_ioas_map(struct native_call *call)
{
	struct iommu_ioas_map *args = &call->args.map;
	struct ioas_map map = {
		.uptr = args->user_va,
		.iova = args->iova,
		.nbytes = args->length,
		.account_mode = native_account_mode(call->ctx),
	};
	struct ioas *ioas;
	int ret;

	if (args->flags & ~MAP_FLAGS || args->__reserved)
		return -EOPNOTSUPP;
	if (args->iova >= ULONG_MAX || args->length >= ULONG_MAX)
		return -EOVERFLOW;
	ret = read_map_flags(args->flags, &map);
	if (ret)
		return ret;
	ioas = ioas_get(call->ctx, args->ioas_id);
	if (!ioas)
		return -ENOENT;
	enter_to_map(ioas, &map);
	ret = native_map(ioas, &map);
	ioas_leave(ioas);
	ioas_put(ioas);
	if (ret)
		return ret;
	args->iova = map.iova;
	return call_respond(call, sizeof(*args));
}

static int check_source(const struct iommu_ioas_copy *args)
{
	if (!args->length)
		return -EINVAL;
	return args->src_iova + args->length - 1 < args->src_iova ? -EOVERFLOW : 0;
}

static int capture(struct ioas_ctx *ctx, const struct iommu_ioas_copy *args,
		   int iommu_prot, struct ioas_area **copies)
{
	struct ioas *ioas = ioas_get(ctx, args->src_ioas_id);
	int ret;

	if (!ioas)
		return -ENOENT;
	ret = check_source(args);
	if (!ret) {
		ioas_enter(ioas);
		ret = ioas_capture(ioas, args->src_iova, args->length, iommu_prot, copies);
		ioas_leave(ioas);
	}
	ioas_put(ioas);
	return ret;
}

static int map_copies(struct ioas_ctx *ctx, u32 ioas_id, struct ioas_map *map,
		      struct ioas_area *copies)
{
	struct ioas *ioas = ioas_get(ctx, ioas_id);
	int ret;

	if (!ioas) {
		area_free_list(copies);
		return -ENOENT;
	}
	enter_to_map(ioas, map);
	ret = native_map_error(ioas_map_copies(ioas, map, copies));
	ioas_leave(ioas);
	ioas_put(ioas);
	return ret;
}

int handle_ioas_copy(struct native_call *call)
{
	struct iommu_ioas_copy *args = &call->args.copy;
	struct ioas_map map = { .iova = args->dst_iova, .nbytes = args->length };
	struct ioas_area *copies;
	int ret;

	if (args->flags & ~MAP_FLAGS)
		return -EOPNOTSUPP;
	if (args->length >= ULONG_MAX || args->src_iova >= ULONG_MAX ||
	    args->dst_iova >= ULONG_MAX)
		return -EOVERFLOW;
	ret = read_map_flags(args->flags, &map);
	if (ret)
		return ret;
	ret = capture(call->ctx, args, map.iommu_prot, &copies);
	if (!ret)
		ret = map_copies(call->ctx, args->dst_ioas_id, &map, copies);
	if (ret)
		return ret;
	args->dst_iova = map.iova;
	return call_respond(call, sizeof(*args));
}

static int unmap_iova(struct ioas *ioas, u64 iova, u64 nbytes, unsigned long *unmapped)
{
	int ret;

	if (iova >= ULONG_MAX || nbytes >= ULONG_MAX)
		return -EOVERFLOW;
	if (!nbytes)
		return -EINVAL;
	if (iova + nbytes - 1 < iova)
		return -EOVERFLOW;
	ioas_enter(ioas);
	ret = ioas_unmap(ioas, iova, iova + nbytes - 1, UNMAP_UPWARD, unmapped);
	ioas_leave(ioas);
	if (!ret && !*unmapped)
		ret = -ENOENT;
	return ret;
}

int handle_ioas_unmap(struct native_call *call)
{
	struct iommu_ioas_unmap *args = &call->args.unmap;
	unsigned long unmapped = 0;
	struct ioas *ioas;
	int ret;

	ioas = ioas_get(call->ctx, args->ioas_id);
	if (!ioas)
		return -ENOENT;
	if (!args->iova && args->length == U64_MAX) {
		ioas_enter(ioas);
		ret = ioas_unmap(ioas, 0, ULONG_MAX, UNMAP_WHOLE, &unmapped);
		ioas_leave(ioas);
	} else {
		ret = unmap_iova(ioas, args->iova, args->length, &unmapped);
	}
	ioas_put(ioas);
	if (ret)
		return ret;
	args->length = unmapped;
	return call_respond(call, sizeof(*args));
}

static int option_rlimit_mode(struct native_call *call)
{
	struct iommu_option *args = &call->args.option;

	if (args->object_id)
		return -EOPNOTSUPP;
	if (args->op == IOMMU_OPTION_OP_GET) {
		args->val64 = READ_ONCE(call->ctx->charge_mm);
		return 0;
	}
	if (args->op != IOMMU_OPTION_OP_SET)
		return -EOPNOTSUPP;
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (args->val64 > 1)
		return ioas_ctx_is_empty(call->ctx) ? -EINVAL : -EBUSY;
	return ioas_ctx_set_charge_mm(call->ctx, args->val64);
}

static int option_huge_pages(struct native_call *call)
{
	struct iommu_option *args = &call->args.option;
	struct ioas *ioas = ioas_get(call->ctx, args->object_id);
	int ret = 0;

	if (!ioas)
		return -ENOENT;
	if (args->op == IOMMU_OPTION_OP_GET)
		args->val64 = !READ_ONCE(ioas->small_pages);
	else if (args->op != IOMMU_OPTION_OP_SET)
		ret = -EOPNOTSUPP;
	else if (args->val64 > 1)
		ret = -EINVAL;
	else
		ret = ioas_set_small_pages(ioas, !args->val64);
	ioas_put(ioas);
	return ret;
}

int handle_option(struct native_call *call)
{
	struct iommu_option *args = &call->args.option;
	u64 __user *uval = call->uargs + offsetof(struct iommu_option, val64);
	int ret;

	if (args->__reserved)
		return -EOPNOTSUPP;
	switch (args->option_id) {
	case IOMMU_OPTION_RLIMIT_MODE:
		ret = option_rlimit_mode(call);
		break;
	case IOMMU_OPTION_HUGE_PAGES:
		ret = option_huge_pages(call);
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (ret)
		return ret;
	return put_user(args->val64, uval);
}

static int get_default_ioas(struct native_call *call)
{
	struct iommu_vfio_ioas *args = &call->args.vfio_ioas;
	struct ioas *ioas = ioas_get_default(call->ctx);

	if (!ioas)
		return -ENODEV;
	args->ioas_id = ioas->object.id;
	ioas_put(ioas);
	return call_respond(call, sizeof(*args));
}

int handle_vfio_ioas(struct native_call *call)
{
	struct iommu_vfio_ioas *args = &call->args.vfio_ioas;
	struct ioas *ioas;

	if (args->__reserved)
		return -EOPNOTSUPP;
	switch (args->op) {
	case IOMMU_VFIO_IOAS_GET:
		return get_default_ioas(call);
	case IOMMU_VFIO_IOAS_SET:
		ioas = ioas_get(call->ctx, args->ioas_id);
		if (!ioas)
			return -ENOENT;
		ioas_set_default(call->ctx, ioas);
		ioas_put(ioas);
		return 0;
	case IOMMU_VFIO_IOAS_CLEAR:
		ioas_set_default(call->ctx, NULL);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}
