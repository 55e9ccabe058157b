// SPDX-License-Identifier: GPL-2.0-only
/*
 * info: the capability chain behind VFIO_IOMMU_GET_INFO.
 *
 * The order is stock type1's: MIGRATION, DMA_AVAIL, then IOVA_RANGE. Offsets in the chain count
 * from the start of struct vfio_iommu_type1_info, right behind which it begins.
 *
 * Locking: none; works on its arguments.
 */
#include <linux/align.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/vfio.h>

#include "info.h"
#include "space/iova.h"

static size_t migration_nbytes(const struct info_facts *facts)
{
	return facts->dirty_pgsize ? sizeof(struct vfio_iommu_type1_info_cap_migration) : 0;
}

static size_t avail_nbytes(const struct info_facts *facts)
{
	size_t nbytes = sizeof(struct vfio_iommu_type1_info_dma_avail);

	return facts->padded ? ALIGN(nbytes, sizeof(u64)) : nbytes;
}

static size_t ranges_nbytes(const struct info_facts *facts)
{
	if (!facts->nranges)
		return 0;
	return sizeof(struct vfio_iommu_type1_info_cap_iova_range) +
	       facts->nranges * sizeof(struct vfio_iova_range);
}

/**
 * info_chain_nbytes() - length of the chain
 * @facts: what it tells
 *
 * Return: bytes, all capabilities and the padding between them.
 */
size_t info_chain_nbytes(const struct info_facts *facts)
{
	return migration_nbytes(facts) + avail_nbytes(facts) + ranges_nbytes(facts);
}

/* Where a capability is that has so much of the chain before it. */
static u32 offset_behind(size_t nbytes)
{
	return sizeof(struct vfio_iommu_type1_info) + nbytes;
}

static void build_migration(void *capability, const struct info_facts *facts)
{
	struct vfio_iommu_type1_info_cap_migration *migration = capability;

	migration->header.id = VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION;
	migration->header.version = 1;
	migration->header.next = offset_behind(migration_nbytes(facts));
	migration->pgsize_bitmap = facts->dirty_pgsize;
	migration->max_dirty_bitmap_size = facts->max_dirty_nbytes;
}

static void build_ranges(void *capability, const struct info_facts *facts)
{
	struct vfio_iommu_type1_info_cap_iova_range head = {
		.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
		.header.version = 1,
		.nr_iovas = facts->nranges,
	};
	unsigned int i;

	/* Unpadded chains put this where its 64-bit members are not aligned. */
	memcpy(capability, &head, sizeof(head));
	capability += sizeof(head);
	for (i = 0; i < facts->nranges; i++) {
		struct vfio_iova_range range = {
			.start = facts->ranges[i].first_iova,
			.end = facts->ranges[i].last_iova,
		};

		memcpy(capability, &range, sizeof(range));
		capability += sizeof(range);
	}
}

/**
 * info_chain_build() - write the chain
 * @chain: info_chain_nbytes() zeroed bytes
 * @facts: what it tells
 */
void info_chain_build(void *chain, const struct info_facts *facts)
{
	size_t before = migration_nbytes(facts);
	struct vfio_iommu_type1_info_dma_avail *avail = chain + before;

	if (before)
		build_migration(chain, facts);
	avail->header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
	avail->header.version = 1;
	avail->avail = facts->avail;
	if (!facts->nranges)
		return;
	before += avail_nbytes(facts);
	avail->header.next = offset_behind(before);
	build_ranges(chain + before, facts);
}
