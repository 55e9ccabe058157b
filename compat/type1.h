/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * type1: containers, as vfio_iommu_type1 defines them.
 *
 * Owns: struct type1.
 *
 * @handle is always one from type1_open(). When vfio.ko releases it, ioctls can still be under way,
 * but no other call.
 */
#ifndef VFIO_IOAS_TYPE1_H
#define VFIO_IOAS_TYPE1_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "container.h"
#include "dirty.h"
#include "emulated.h"

struct iommu_group;
struct page;
struct vfio_device;

/* A container. */
struct type1 {
	struct container container;
	bool v2;			/* constant; type1v2 */
	bool nesting;			/* constant */
	bool had_domain;		/* a real group was attached; may be read without a lock */
	struct mutex groups_lock;	/* innermost */
	struct list_head groups;	/* groups_lock, or vfio.ko's lock of attach and detach */
	/* Groups with writes_anywhere. groups_lock; may be read without it. */
	unsigned int nwriter_groups;
	struct dirty dirty;
	struct emulated emulated;
};

static inline struct type1 *type1_of(struct container *container)
{
	return container_of(container, struct type1, container);
}

/**
 * type1_open() - make a container with one IOAS
 * @type: as given to VFIO_SET_IOMMU
 *
 * Context: the process that the container is for; may sleep.
 * Return: the handle; or ERR_PTR():
 * * -EINVAL: a type that we do not have
 * * -ENOMEM: no kernel memory
 */
void *type1_open(unsigned long type);

/**
 * type1_release() - undo type1_open()
 * @handle: of a container without groups
 *
 * Context: sleeps until calls on the container are over. Never fails.
 */
void type1_release(void *handle);

/**
 * type1_check_extension() - VFIO_CHECK_EXTENSION
 * @type1: the container, kept by the caller; or NULL if there is none yet
 * @extension: the number, compared in all its bits
 *
 * No answer depends on which IOAS the user of the container has selected.
 *
 * Context: may sleep; takes groups_mutex of the context.
 * Return: 1 if the container has the extension, or with NULL could have it; else 0.
 */
long type1_check_extension(struct type1 *type1, unsigned long extension);

/**
 * type1_ioctl() - serve a container ioctl, or a native one on the container's file
 * @handle: of the container, which may be released at any time
 * @cmd: the command word
 * @arg: user pointer; for VFIO_CHECK_EXTENSION the number of the extension
 *
 * Context: the calling process; may sleep and fault.
 * Return: as stock type1, or:
 * * -EINVAL: there is no such container
 * * -ENODEV: the call needs an IOAS and there is none
 * * -ENOTTY: the ioctl is not ours
 */
long type1_ioctl(void *handle, unsigned int cmd, unsigned long arg);

/**
 * type1_attach_group() - let the devices of a group use a container
 * @handle: of the container
 * @group: vfio.ko owns its DMA
 *
 * Context: may sleep; vfio.ko attaches or detaches no other group meanwhile.
 * Return: 0, or with nothing changed:
 * * -EINVAL: there is no such container; the group is here already, has no device, or leaves no
 *   usable IOVA; a mapping lies where the group cannot have one
 * * STOCK_OUT_OF_REACH instead: the first domain does not reach a mapping, and stock type1 learns
 *   that from its IOMMU driver only
 * * -EPERM: the group has no isolated interrupts
 * * -EBUSY: a mapping waits for its new address
 * * -EFAULT: memory of a mapping cannot be pinned
 * * -ENOMEM: over the memlock limit, or no kernel memory
 * * -EINTR: a fatal signal
 * * an error of the IOMMU driver
 */
int type1_attach_group(void *handle, struct iommu_group *group);

/**
 * type1_attach_emulated_group() - as type1_attach_group(), if the devices have no IOMMU
 * @handle: of the container
 * @group: the group
 *
 * Context: as type1_attach_group().
 * Return: 0, or with nothing changed:
 * * -EINVAL: there is no such container; the group is here already; an area does not consist of
 *   whole pages
 * * -EBUSY: a mapping waits for its new address
 * * -ENOMEM: no kernel memory
 */
int type1_attach_emulated_group(void *handle, struct iommu_group *group);

/**
 * type1_detach_group() - undo type1_attach_group() or type1_attach_emulated_group()
 * @handle: of the container
 * @group: the group; none of its devices is open
 *
 * Context: as type1_attach_group(). Never fails.
 */
void type1_detach_group(void *handle, struct iommu_group *group);

/*
 * Calls of drivers with open devices: see emulated.h. type1_pin() and type1_rw() return -EINVAL
 * also if there is no such container. Without @pages or with @npages below 1 pinning returns
 * -EINVAL, and in a container that is not type1v2 it returns -EACCES.
 */
int type1_pin(void *handle, struct iommu_group *group, unsigned long iova, int npages, int prot,
	      struct page **pages);
void type1_unpin(void *handle, unsigned long iova, int npages);
int type1_rw(void *handle, unsigned long iova, void *data, size_t nbytes, bool write);
void type1_register(void *handle, struct vfio_device *vdev);
void type1_unregister(void *handle, struct vfio_device *vdev);

#endif
