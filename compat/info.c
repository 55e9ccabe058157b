// SPDX-License-Identifier: GPL-2.0-only
/*
 * info: the capability chain behind VFIO_IOMMU_GET_INFO.
 *
 * The order is stock type1's: DMA_AVAIL, then IOVA_RANGE. Offsets in the chain count
 * from the start of struct vfio_iommu_type1_info, right behind which it begins.
 *
 * Locking: none; works on its arguments.
 */
#include <linux/align.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/vfio.h>

#include "info.h"
#include "iova.h"

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
	return avail_nbytes(facts) + ranges_nbytes(facts);
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
	struct vfio_iommu_type1_info_dma_avail *avail = chain;

	avail->header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
	avail->header.version = 1;
	avail->avail = facts->avail;
	if (!facts->nranges)
		return;
	avail->header.next = sizeof(struct vfio_iommu_type1_info) + avail_nbytes(facts);
	build_ranges(chain + avail_nbytes(facts), facts);
}
