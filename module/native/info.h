/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * info: the answer to VFIO_IOMMU_GET_INFO, and the capability chain that follows it.
 */
#ifndef VFIO_IOAS_INFO_H
#define VFIO_IOAS_INFO_H

#include <linux/mm.h>
#include <linux/types.h>
#include <linux/vfio.h>

#include "space/ioas_struct.h"

/* The contents of the chain. */
struct info_args {
	u64 dirty_pgsize;		/* of dirty tracking, in bytes; 0: no such capability */
	u64 max_dirty_nbytes;		/* largest bitmap of dirty pages */
	u32 avail;			/* number of mappings that may still be made */
	const struct ioas_range *ranges;	/* usable IOVA, ascending */
	unsigned int nranges;		/* 0: no such capability */
	bool padded;			/* capabilities begin at multiples of 8 */
};

/**
 * info_chain_nbytes() - compute the length of the chain
 * @args: its contents
 *
 * Return: the length in bytes, all capabilities and the padding between them.
 */
size_t info_chain_nbytes(const struct info_args *args);

/**
 * info_chain_build() - write the chain
 * @chain: info_chain_nbytes() bytes, zeroed
 * @args: its contents
 */
void info_chain_build(void *chain, const struct info_args *args);

/* The part of the argument of GET_INFO that every program passes, however old. */
#define INFO_MIN_NBYTES	offsetofend(struct vfio_iommu_type1_info, iova_pgsizes)

/* The choices of a front end in its answer to GET_INFO. */
struct info_policy {
	u64 max_dirty_nbytes;		/* largest bitmap of dirty pages; 0: no dirty tracking */
	bool tells_room;		/* DMA_AVAIL is the room left; else U32_MAX, like iommufd */
	bool no_ranges;			/* no capability IOVA_RANGE */
	bool padded;			/* capabilities begin at multiples of 8 */
	bool unpadded_info;		/* only whole members of the fixed part are written */
	bool exact;			/* argsz becomes the length needed even if it was larger */
};

/* An answer to GET_INFO, kept until the caller holds nothing that other threads wait for. */
struct info_answer {
	struct vfio_iommu_type1_info info;
	size_t info_nbytes;		/* how much of @info is written */
	void *chain;			/* goes behind struct vfio_iommu_type1_info */
	size_t chain_nbytes;		/* 0: the user has no room for the chain */
};

/* Page sizes that all domains can map, as a bitmap. No size is below that of the CPU's page. */
static inline unsigned long info_pgsizes(struct ioas *ioas)
{
	unsigned long pgsizes = ioas_pgsizes(ioas);

	if (pgsizes & ~PAGE_MASK)
		pgsizes = (pgsizes & PAGE_MASK) | PAGE_SIZE;
	return pgsizes;
}

/**
 * info_get() - make the answer to VFIO_IOMMU_GET_INFO
 * @ioas: the IOAS, entered by the caller
 * @policy: how to answer
 * @argsz: size of the user's buffer, in bytes; at least INFO_MIN_NBYTES
 * @answer: receives the answer; info_put() must follow if this succeeds
 *
 * Context: may sleep.
 * Return: 0, even if the user has no room for the chain; -ENOMEM.
 */
int info_get(struct ioas *ioas, const struct info_policy *policy, u32 argsz,
	     struct info_answer *answer);

/**
 * info_put() - write the answer to VFIO_IOMMU_GET_INFO, and free it
 * @answer: of info_get()
 * @uinfo: user pointer to struct vfio_iommu_type1_info, with room for the chain
 *
 * Context: may fault: the caller holds nothing that other threads wait for.
 * Return: 0 or -EFAULT.
 */
long info_put(struct info_answer *answer, void __user *uinfo);

#endif
