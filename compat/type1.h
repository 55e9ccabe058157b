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

int type1_init(struct type1 *type1, struct ioas_ctx *ctx, unsigned long type);
void type1_exit(struct type1 *type1);
unsigned int type1_entry_limit(void);
bool type1_single_pages(void);
const char *type1_name(const struct type1 *type1);
long type1_check_extension(struct type1 *type1, unsigned long extension);
long type1_ioctl(void *handle, unsigned int cmd, unsigned long arg);

#endif
