/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * device: attaching a group of devices to an IOAS.
 *
 * Owns: struct ioas_group.
 */
#ifndef VFIO_IOAS_DEVICE_H
#define VFIO_IOAS_DEVICE_H

#include <linux/types.h>

struct ioas;
struct iommu_group;

struct ioas_attach {
	bool nesting;			/* ask the driver for a nesting domain */
	bool unsafe_interrupts;		/* do without isolated MSIs */
	bool single_pages;		/* of mappings that exist: page by page */
};

int ioas_attach_group(struct ioas *ioas, struct iommu_group *group,
		      const struct ioas_attach *attach);
bool ioas_detach_group(struct ioas *ioas, struct iommu_group *group);

#endif
