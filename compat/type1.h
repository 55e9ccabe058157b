/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * type1: the container ioctls, as vfio_iommu_type1 defines them.
 */
#ifndef VFIO_IOAS_TYPE1_H
#define VFIO_IOAS_TYPE1_H

#include <linux/types.h>

struct ioas;

/* How a container was opened. Constant. */
struct type1 {
	unsigned long max_areas;	/* dma_entry_limit as it was then */
	bool v2;			/* type1v2: an unmap may not cut a mapping */
	bool nesting;
};

/* What GET_INFO depends on but the IOAS. */
struct info_style {
	unsigned long max_areas;	/* what there could be */
	bool padded;			/* capabilities begin at multiples of 8 */
	bool unpadded_info;		/* of the fixed part whole members are written */
	bool exact;			/* tell the length also to who has room for more */
};

int type1_init(struct type1 *type1, unsigned long type);
bool type1_single_pages(void);
long type1_check_extension(struct ioas *ioas, unsigned long extension);
long type1_get_info(struct ioas *ioas, const struct info_style *style, void __user *uinfo);
long type1_ioctl(const struct type1 *type1, struct ioas *ioas, unsigned int cmd,
		 unsigned long arg);

#endif
