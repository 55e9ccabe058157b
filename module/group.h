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

/**
 * ioas_attach_group() - let the devices of a container's group use an IOAS
 * @ioas: the IOAS, kept by the caller
 * @group: the caller owns its DMA and keeps it until ioas_detach_group()
 * @attach: how
 *
 * Context: may sleep for as long as it takes to map everything into a new domain.
 * Return: 0, or with nothing changed: -EINVAL if the group is here already, has no
 * device, or leaves no usable IOVA; -EADDRINUSE if an area lies where the group
 * cannot have one; -EPERM without isolated interrupts; -ENOMEM; what the IOMMU driver
 * or pages_pin() says.
 */
int ioas_attach_group(struct ioas *ioas, struct iommu_group *group,
		      const struct ioas_attach *attach);

/**
 * ioas_detach_group() - undo ioas_attach_group()
 * @ctx: the context of the IOAS
 * @group: of a successful attach
 *
 * As in stock type1 mappings do not outlive the last domain.
 *
 * Context: may sleep. Never fails, needs no memory.
 */
void ioas_detach_group(struct ioas_ctx *ctx, struct iommu_group *group);

/**
 * idev_create() - make a device object
 * @ctx: the context it will belong to
 * @bus: how its IOMMU is driven
 * @group: its group, or NULL on a bus without; the reference is taken over on success
 * @dev: the device, or NULL on a bus without
 *
 * Return: the device with its driver as a user, reserved as an object but not published;
 * or ERR_PTR(): -ENOMEM; -EPERM, -EBUSY if the DMA of the group is somebody else's.
 */
struct ioas_device *idev_create(struct ioas_ctx *ctx, const struct ioas_bus *bus,
				struct iommu_group *group, struct device *dev);

/**
 * idev_destroy() - undo idev_create() and the publishing that followed
 * @idev: not attached
 *
 * Context: sleeps; takes groups_mutex.
 */
void idev_destroy(struct ioas_device *idev);

/**
 * idev_get() - find a device and keep it for the length of a call
 * @ctx: the context
 * @id: its id, from user space
 *
 * Context: groups_mutex held, if at all, before.
 * Return: the device, or NULL.
 */
struct ioas_device *idev_get(struct ioas_ctx *ctx, u32 id);

/**
 * idev_alloc_hwpt() - make an HWPT that stays until it is destroyed
 * @idev: for which device, which it need not be attached to
 * @ioas: what it mirrors
 * @hwpt_flags: of IOMMU_HWPT_ALLOC
 *
 * Context: may sleep, takes groups_mutex. The caller keeps both busy.
 * Return: the HWPT, reserved as an object but not published; or ERR_PTR(): -EOPNOTSUPP
 * for flags that the bus cannot serve; as vfio_ioas_device_attach().
 */
struct ioas_hwpt *idev_alloc_hwpt(struct ioas_device *idev, struct ioas *ioas,
				  u32 hwpt_flags);

#endif
