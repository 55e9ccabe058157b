/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * type1: the container ioctls, as vfio_iommu_type1 defines them.
 */
#ifndef VFIO_IOAS_TYPE1_H
#define VFIO_IOAS_TYPE1_H

#include <linux/types.h>

struct ioas;

/* What the ioctls of one container work on. Constant after it was opened. */
struct type1 {
	struct ioas *ioas;
	unsigned long max_areas;	/* dma_entry_limit as it was then */
	bool v2;			/* type1v2: an unmap may not cut a mapping */
	bool nesting;
};

int type1_init(struct type1 *type1, unsigned long type);
bool type1_single_pages(void);
long type1_check_extension(struct type1 *type1, unsigned long extension);
long type1_ioctl(struct type1 *type1, unsigned int cmd, unsigned long arg);

#endif
