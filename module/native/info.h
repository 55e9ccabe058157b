/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * info: the answer to VFIO_IOMMU_GET_INFO, with the capability chain behind it.
 */
#ifndef VFIO_IOAS_INFO_H
#define VFIO_IOAS_INFO_H

#include <linux/mm.h>
#include <linux/types.h>
#include <linux/vfio.h>

#include "space/ioas_struct.h"

/* What the chain tells. */
struct info_args {
	u64 dirty_pgsize;		/* of dirty tracking, in bytes; 0: no such capability */
	u64 max_dirty_nbytes;		/* largest bitmap of that */
	u32 avail;			/* mappings that may still be made */
	const struct ioas_range *ranges;
	unsigned int nranges;		/* 0: no such capability */
	bool padded;			/* capabilities begin at multiples of 8 */
};

/**
 * info_chain_nbytes() - length of the chain
 * @args: what it tells
 *
 * Return: bytes, all capabilities and the padding between them.
 */
size_t info_chain_nbytes(const struct info_args *args);

/**
 * info_chain_build() - write the chain
 * @chain: info_chain_nbytes() zeroed bytes
 * @args: what it tells
 */
void info_chain_build(void *chain, const struct info_args *args);

/* The part of the argument of GET_INFO that a program of any age gives. */
#define INFO_MIN_NBYTES	offsetofend(struct vfio_iommu_type1_info, iova_pgsizes)

/* What GET_INFO depends on but the IOAS. */
struct info_policy {
	u64 max_dirty_nbytes;		/* largest bitmap of dirty pages; 0: they are not tracked */
	bool tells_room;		/* of DMA_AVAIL; else the largest number, as iommufd */
	bool no_ranges;
	bool padded;			/* capabilities begin at multiples of 8 */
	bool unpadded_info;		/* of the fixed part whole members are written */
	bool exact;			/* tell the length also to who has room for more */
};

/* An answer to GET_INFO, which the user gets when it holds up nobody any more. */
struct info_answer {
	struct vfio_iommu_type1_info info;
	size_t info_nbytes;		/* of @info the user gets so much */
	void *chain;			/* what follows struct vfio_iommu_type1_info */
	size_t chain_nbytes;		/* 0: there is no room for it */
};

/* What all domains can map, a bit a size; the CPU's page is the smallest unit of a container. */
static inline unsigned long info_pgsizes(struct ioas *ioas)
{
	unsigned long pgsizes = ioas_pgsizes(ioas);

	if (pgsizes & ~PAGE_MASK)
		pgsizes = (pgsizes & PAGE_MASK) | PAGE_SIZE;
	return pgsizes;
}

/**
 * info_get() - what VFIO_IOMMU_GET_INFO says
 * @ioas: what it is about, entered by the caller
 * @policy: how to answer
 * @argsz: how much room the user has, in bytes; at least INFO_MIN_NBYTES
 * @answer: for info_put(), which has to be called if this succeeds
 *
 * Return: 0, also without room for the chain; -ENOMEM.
 */
int info_get(struct ioas *ioas, const struct info_policy *policy, u32 argsz,
	     struct info_answer *answer);

/**
 * info_put() - write the answer to VFIO_IOMMU_GET_INFO
 * @answer: which info_get() made; ends here
 * @uinfo: user pointer to struct vfio_iommu_type1_info, with room for the chain
 *
 * Context: may fault: the caller holds nothing that others wait for.
 * Return: 0, -EFAULT.
 */
long info_put(struct info_answer *answer, void __user *uinfo);

#endif
