/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * device: devices that kernel drivers bind to a context and attach to an IOAS.
 *
 * Owns: struct ioas_device. vfio_ioas.h declares the functions for drivers.
 */
#ifndef VFIO_IOAS_DEVICE_H
#define VFIO_IOAS_DEVICE_H

#include "base/object.h"
#include "domain/group.h"

struct device;

struct ioas_device {
	struct ioas_object object;	/* its driver is a user of it */
	struct device *dev;		/* constant; has a reference; NULL in tests */
	struct ioas_group *igroup;	/* constant */
	struct ioas_attachee attachee;
};

/**
 * idev_create() - make a device object
 * @ctx: the context it will belong to
 * @iommu_ops: how its IOMMU is driven
 * @group: its group, whose reference is taken over on success; NULL if the kernel has no IOMMU for
 *	the device
 * @dev: the device; NULL like @group
 *
 * Context: takes groups_mutex; may sleep.
 * Return: the device, with its driver as a user, reserved as an object but not published; or
 * ERR_PTR():
 * * -ENOMEM: no kernel memory
 * * -EPERM: another context, a container or a kernel driver owns the DMA of the group
 * * -EBUSY: the group is on a domain, although nobody owns it
 */
struct ioas_device *idev_create(struct ioas_ctx *ctx, const struct ioas_iommu_ops *iommu_ops,
				struct iommu_group *group, struct device *dev);

/**
 * idev_destroy() - undo idev_create() and ioas_object_publish()
 * @idev: published, not attached
 *
 * Waits for calls that use the device.
 *
 * Context: takes groups_mutex; sleeps. Never fails.
 */
void idev_destroy(struct ioas_device *idev);

/**
 * idev_of_object() - get the device of which an object is a part
 * @object: any object
 *
 * Context: any.
 * Return: the device, or NULL if the object is not a device.
 */
struct ioas_device *idev_of_object(struct ioas_object *object);

/**
 * idev_get() - find a device, and keep it busy for a call
 * @ctx: the context
 * @id: id of the device, from user space
 *
 * Ends with ioas_object_put().
 *
 * Context: process; does not sleep. The caller may take groups_mutex afterwards: no thread that
 * holds it waits for a device.
 * Return: the device; NULL if there is none with that id.
 */
struct ioas_device *idev_get(struct ioas_ctx *ctx, u32 id);

/**
 * idev_alloc_hwpt() - make an HWPT that stays until it is destroyed
 * @idev: the device that the HWPT has to suit, attached or not
 * @ioas: the IOAS that the HWPT will mirror
 * @hwpt_flags: flags of IOMMU_HWPT_ALLOC
 *
 * Context: takes groups_mutex, and domains_rwsem of @ioas for writing; may sleep and fault. The
 * caller keeps @idev and @ioas busy.
 * Return: the HWPT, reserved as an object but not published; or ERR_PTR(): -EOPNOTSUPP if the IOMMU
 * driver cannot serve the flags; else as igroup_alloc_hwpt().
 */
struct ioas_hwpt *idev_alloc_hwpt(struct ioas_device *idev, struct ioas *ioas,
				  u32 hwpt_flags);

#endif
