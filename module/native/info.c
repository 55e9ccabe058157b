// SPDX-License-Identifier: GPL-2.0-only
/*
 * info: the answer to VFIO_IOMMU_GET_INFO, and the capability chain that follows it.
 *
 * The order of capabilities is that of stock type1: MIGRATION, DMA_AVAIL, IOVA_RANGE. The chain
 * begins right behind struct vfio_iommu_type1_info. Its offsets count from the start of the struct.
 *
 * Locking: none; the functions only use their arguments.
 */
#include <linux/align.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "info.h"
#include "space/ioas.h"

static size_t migration_nbytes(const struct info_args *args)
{
	return args->dirty_pgsize ? sizeof(struct vfio_iommu_type1_info_cap_migration) : 0;
}

static size_t avail_nbytes(const struct info_args *args)
{
	size_t nbytes = sizeof(struct vfio_iommu_type1_info_dma_avail);

	return args->padded ? ALIGN(nbytes, sizeof(u64)) : nbytes;
}

static size_t ranges_nbytes(const struct info_args *args)
{
	if (!args->nranges)
		return 0;
	return sizeof(struct vfio_iommu_type1_info_cap_iova_range) +
	       args->nranges * sizeof(struct vfio_iova_range);
}

size_t info_chain_nbytes(const struct info_args *args)
{
	return migration_nbytes(args) + avail_nbytes(args) + ranges_nbytes(args);
}

/* The offset of a capability with @nbytes of the chain before it. */
static u32 offset_behind(size_t nbytes)
{
	return sizeof(struct vfio_iommu_type1_info) + nbytes;
}

static void build_migration(void *capability, const struct info_args *args)
{
	struct vfio_iommu_type1_info_cap_migration *migration = capability;

	migration->header.id = VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION;
	migration->header.version = 1;
	migration->header.next = offset_behind(migration_nbytes(args));
	migration->pgsize_bitmap = args->dirty_pgsize;
	migration->max_dirty_bitmap_size = args->max_dirty_nbytes;
}

static void build_ranges(void *capability, const struct info_args *args)
{
	struct vfio_iommu_type1_info_cap_iova_range head = {
		.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
		.header.version = 1,
		.nr_iovas = args->nranges,
	};
	unsigned int i;

	/* In a chain without padding the 64-bit members of this capability are not aligned. */
	memcpy(capability, &head, sizeof(head));
	capability += sizeof(head);
	for (i = 0; i < args->nranges; i++) {
		struct vfio_iova_range range = {
			.start = args->ranges[i].first_iova,
			.end = args->ranges[i].last_iova,
		};

		memcpy(capability, &range, sizeof(range));
		capability += sizeof(range);
	}
}

void info_chain_build(void *chain, const struct info_args *args)
{
	size_t before = migration_nbytes(args);
	struct vfio_iommu_type1_info_dma_avail *avail = chain + before;

	if (before)
		build_migration(chain, args);
	avail->header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
	avail->header.version = 1;
	avail->avail = args->avail;
	if (!args->nranges)
		return;
	before += avail_nbytes(args);
	avail->header.next = offset_behind(before);
	build_ranges(chain + before, args);
}

static void *build_chain(struct ioas *ioas, const struct info_policy *policy, size_t *nbytes)
{
	struct info_args args = { .padded = policy->padded };
	struct ioas_space_info space;
	void *chain;

	if (ioas_get_space_info(ioas, &space))
		return NULL;
	args.avail = policy->tells_room ? min_t(unsigned long, space.room, U32_MAX) : U32_MAX;
	args.ranges = space.ranges;
	args.nranges = policy->no_ranges ? 0 : space.nranges;
	if (policy->max_dirty_nbytes) {
		args.dirty_pgsize = 1UL << __ffs(info_pgsizes(ioas));
		args.max_dirty_nbytes = policy->max_dirty_nbytes;
	}
	*nbytes = info_chain_nbytes(&args);
	chain = kvzalloc(*nbytes, GFP_KERNEL_ACCOUNT);
	if (chain)
		info_chain_build(chain, &args);
	kvfree(space.ranges);
	return chain;
}

/* How many bytes of the fixed part are written for @argsz. */
static size_t info_written(const struct info_policy *policy, u32 argsz)
{
	if (!policy->unpadded_info)
		return min_t(size_t, argsz, sizeof(struct vfio_iommu_type1_info));
	if (argsz < offsetofend(struct vfio_iommu_type1_info, cap_offset))
		return offsetofend(struct vfio_iommu_type1_info, iova_pgsizes);
	return offsetofend(struct vfio_iommu_type1_info, cap_offset);
}

int info_get(struct ioas *ioas, const struct info_policy *policy, u32 argsz,
	     struct info_answer *answer)
{
	struct vfio_iommu_type1_info *info = &answer->info;
	size_t chain_nbytes, whole;

	/* The user also gets the padding between and behind members. */
	memset(answer, 0, sizeof(*answer));
	answer->chain = build_chain(ioas, policy, &chain_nbytes);
	if (!answer->chain)
		return -ENOMEM;

	answer->info_nbytes = info_written(policy, argsz);
	info->argsz = argsz;
	info->flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info->iova_pgsizes = info_pgsizes(ioas);
	whole = sizeof(*info) + chain_nbytes;
	if (argsz >= whole) {
		info->cap_offset = sizeof(*info);
		answer->chain_nbytes = chain_nbytes;
	}
	if (argsz < whole || policy->exact)
		info->argsz = whole;
	return 0;
}

long info_put(struct info_answer *answer, void __user *uinfo)
{
	long ret = 0;

	if (copy_to_user(uinfo + sizeof(answer->info), answer->chain, answer->chain_nbytes) ||
	    copy_to_user(uinfo, &answer->info, answer->info_nbytes))
		ret = -EFAULT;
	kvfree(answer->chain);
	return ret;
}
