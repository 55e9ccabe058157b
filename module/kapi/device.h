/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * device: devices that kernel drivers bind to a context and attach to an IOAS.
 *
 * Owns: struct ioas_device. What drivers call is in vfio_ioas.h.
 */
#ifndef VFIO_IOAS_DEVICE_H
#define VFIO_IOAS_DEVICE_H

#include "base/object.h"
#include "domain/group.h"

struct device;

struct ioas_device {
	struct ioas_object object;	/* its driver is a user of it */
	struct device *dev;		/* constant; kept, or NULL without one */
	struct ioas_group *igroup;	/* constant */
	struct ioas_attachee attachee;
};

/**
 * idev_create() - make a device object
 * @ctx: the context it will belong to
 * @iommu_ops: how its IOMMU is driven
 * @group: its group, or NULL without an IOMMU of the kernel's; on success the reference is taken
 *	over
 * @dev: the device, or NULL without an IOMMU of the kernel's
 *
 * Return: the device with its driver as a user, reserved as an object but not published;
 * or ERR_PTR(): -ENOMEM; -EPERM, -EBUSY if the DMA of the group is somebody else's.
 */
struct ioas_device *idev_create(struct ioas_ctx *ctx, const struct ioas_iommu_ops *iommu_ops,
				struct iommu_group *group, struct device *dev);

/**
 * idev_destroy() - undo idev_create() and the publishing that followed
 * @idev: not attached
 *
 * Context: sleeps; takes groups_mutex.
 */
void idev_destroy(struct ioas_device *idev);

/**
 * idev_of_object() - is an object a device?
 * @object: any object
 *
 * Return: the device, or NULL.
 */
struct ioas_device *idev_of_object(struct ioas_object *object);

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
 * for flags that the IOMMU cannot serve; as vfio_ioas_device_attach().
 */
struct ioas_hwpt *idev_alloc_hwpt(struct ioas_device *idev, struct ioas *ioas,
				  u32 hwpt_flags);

#endif
