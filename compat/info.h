/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * info: the capability chain behind VFIO_IOMMU_GET_INFO.
 */
#ifndef VFIO_IOAS_INFO_H
#define VFIO_IOAS_INFO_H

#include <linux/types.h>

struct ioas_range;

/* What the chain tells. */
struct info_facts {
	u64 dirty_pgsize;		/* of dirty tracking, in bytes; 0: no such capability */
	u64 max_dirty_nbytes;		/* largest bitmap of that */
	u32 avail;			/* mappings that may still be made */
	const struct ioas_range *ranges;
	unsigned int nranges;		/* 0: no such capability */
	bool padded;			/* capabilities begin at multiples of 8 */
};

size_t info_chain_nbytes(const struct info_facts *facts);
void info_chain_build(void *chain, const struct info_facts *facts);

#endif
