/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * device: devices, and groups of them, on the domains of an IOAS.
 *
 * Owns: struct ioas_device, struct ioas_group.
 */
#ifndef VFIO_IOAS_DEVICE_H
#define VFIO_IOAS_DEVICE_H

#include <linux/list.h>
#include <linux/types.h>

#include "object.h"

struct device;
struct iommu_domain;
struct iommu_group;
struct ioas;
struct ioas_group;

/* What can be told of an IOMMU; all zero where there is nothing. */
struct ioas_hw_info {
	u32 type;			/* enum iommu_hw_info_type */
	u32 nbytes;
	const void *data;
	u8 max_pasid_log2;
};

/* What there is to ask an IOMMU about a group. A test build has a second one. */
struct ioas_bus {
	struct iommu_domain *(*alloc_domain)(struct ioas_group *igroup, u32 hwpt_flags);
	int (*attach)(struct ioas_group *igroup, struct iommu_domain *domain);
	void (*detach)(struct ioas_group *igroup, struct iommu_domain *domain);
	int (*get_resv_regions)(struct ioas_group *igroup, struct list_head *regions);
	void (*get_hw_info)(struct ioas_hw_info *info);		/* or NULL */
};

/*
 * Whoever attached a group: one of its devices, or a container. It owns the ranges that it
 * reserves, under one of its tags; while it moves to another domain it has both.
 */
struct ioas_attachee {
	struct list_head item;		/* groups_mutex; igroup->attachees, if attached */
	u8 tag;				/* groups_mutex; the one in use */
	u8 tags[2];			/* only their addresses matter */
};

/* An iommu_group as a context sees it: the unit that is on a domain. */
struct ioas_group {
	struct list_head groups_item;	/* groups_mutex of the context */
	struct ioas_ctx *ctx;		/* constant, as is all up to ... */
	const struct ioas_bus *bus;
	struct iommu_group *group;	/* ... here; kept by its devices, or vfio.ko; or NULL */
	struct ioas_hwpt *hwpt;		/* groups_mutex; NULL: not attached */
	struct list_head attachees;	/* groups_mutex */
	unsigned int ndevices;		/* groups_mutex; bound ones, 0 in a container */
	bool has_sw_msi;		/* groups_mutex; needs a window for MSIs ... */
	phys_addr_t sw_msi_start;	/* ... here */
	struct ioas_attachee container;	/* for a group of a container */
};

struct ioas_device {
	struct ioas_object object;	/* its driver is a user of it */
	struct device *dev;		/* constant; kept, or NULL for another bus */
	struct ioas_group *igroup;	/* constant */
	struct ioas_attachee attachee;
};

/* How a container attaches its groups. */
struct ioas_attach {
	bool nesting;			/* ask the driver for a nesting domain */
	bool single_pages;		/* of mappings that exist: page by page */
};

int ioas_attach_group(struct ioas *ioas, struct iommu_group *group,
		      const struct ioas_attach *attach);
void ioas_detach_group(struct ioas_ctx *ctx, struct iommu_group *group);

struct ioas_device *idev_create(struct ioas_ctx *ctx, const struct ioas_bus *bus,
				struct iommu_group *group, struct device *dev);
void idev_destroy(struct ioas_device *idev);
struct ioas_device *idev_get(struct ioas_ctx *ctx, u32 id);
struct ioas_hwpt *idev_alloc_hwpt(struct ioas_device *idev, struct ioas *ioas,
				  u32 hwpt_flags);

#endif
