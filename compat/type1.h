/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * type1: the container ioctls, as vfio_iommu_type1 defines them.
 */
#ifndef VFIO_IOAS_TYPE1_H
#define VFIO_IOAS_TYPE1_H

#include <linux/types.h>

#include "dirty.h"
#include "emulated.h"

struct ioas;
struct ioas_ctx;

/* A container. */
struct type1 {
	struct ioas_ctx *ctx;		/* constant, as is all up to ... */
	bool v2;			/* type1v2: an unmap may not cut a mapping */
	bool nesting;			/* ... here */
	bool had_domain;		/* since then there is a list of IOVA ranges */
	struct dirty dirty;
	struct emulated emulated;
};

/* The part of the argument of GET_INFO that a program of any age gives. */
#define INFO_MIN_NBYTES	offsetofend(struct vfio_iommu_type1_info, iova_pgsizes)

/* What GET_INFO depends on but the IOAS. */
struct info_style {
	bool tracks_dirty;
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

int type1_init(struct type1 *type1, struct ioas_ctx *ctx, unsigned long type);
void type1_exit(struct type1 *type1);
unsigned int type1_entry_limit(void);
bool type1_single_pages(void);
const char *type1_name(const struct type1 *type1);
long type1_check_extension(struct type1 *type1, unsigned long extension);
int type1_get_info(struct ioas *ioas, const struct info_style *style, u32 argsz,
		   struct info_answer *answer);
long type1_put_info(struct info_answer *answer, void __user *uinfo);
long type1_ioctl(void *handle, unsigned int cmd, unsigned long arg);

#endif
