/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * type1: containers, as vfio_iommu_type1 defines them.
 *
 * Owns: struct type1. A handle is that of type1_open(); vfio.ko releases it while nothing but an
 * ioctl can be under way.
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
	bool v2;			/* constant; type1v2: an unmap may not cut a mapping */
	bool nesting;			/* constant */
	bool had_domain;		/* since then there is a list of IOVA ranges */
	struct mutex groups_lock;	/* innermost */
	struct list_head groups;	/* groups_lock; vfio.ko serialises who comes and goes */
	unsigned int nwriter_groups;	/* groups_lock, anybody may peek; that write anywhere */
	struct dirty dirty;
	struct emulated emulated;
};

static inline struct type1 *type1_of(struct container *container)
{
	return container_of(container, struct type1, container);
}

/**
 * type1_open() - begin a container
 * @type: as given to VFIO_SET_IOMMU
 *
 * Return: the handle; or ERR_PTR(): -EINVAL for a type we do not have; -ENOMEM.
 */
void *type1_open(unsigned long type);

/**
 * type1_release() - undo type1_open()
 * @handle: without groups
 *
 * Context: sleeps until calls are over.
 */
void type1_release(void *handle);

/**
 * type1_check_extension() - VFIO_CHECK_EXTENSION
 * @type1: the container, kept by the caller; or NULL, if there is none yet
 * @extension: the number, compared in full
 *
 * No answer depends on which IOAS the user of the container has selected.
 *
 * Context: may sleep; takes groups_mutex.
 * Return: 1 if the container has, or could have, the extension; 0 if not.
 */
long type1_check_extension(struct type1 *type1, unsigned long extension);

/**
 * type1_ioctl() - serve a container ioctl
 * @handle: of the container, which may be released at any time
 * @cmd: the command word
 * @arg: user pointer, or the extension's number
 *
 * Maps, common unmaps and reports of dirty pages are served at once if their argument is in memory.
 *
 * Context: the calling process; may sleep.
 * Return: as stock type1; -EINVAL if there is no such container; -ENODEV if it needs an IOAS and
 * has none; -ENOTTY for what is not a container ioctl we have.
 */
long type1_ioctl(void *handle, unsigned int cmd, unsigned long arg);

/**
 * type1_attach_group() - let the devices of a group use a container
 * @handle: of the container
 * @group: vfio.ko owns its DMA
 *
 * Context: may sleep; vfio.ko lets no other group come or go.
 * Return: 0; -EINVAL if the group is here already, or if a mapping is in its way; as
 * ioas_attach_group().
 */
int type1_attach_group(void *handle, struct iommu_group *group);

/**
 * type1_attach_emulated_group() - the same for a group whose devices have no IOMMU
 * @handle: of the container
 * @group: the group
 *
 * Context: as type1_attach_group().
 * Return: 0; -EINVAL if the group is here already; as emulated_add_group().
 */
int type1_attach_emulated_group(void *handle, struct iommu_group *group);

/**
 * type1_detach_group() - undo either
 * @handle: of the container
 * @group: of a successful attach; none of its devices is open
 *
 * Context: as type1_attach_group(). Never fails.
 */
void type1_detach_group(void *handle, struct iommu_group *group);

/* Calls of drivers with open devices: see emulated.h. -EINVAL also without such a container. */
int type1_pin(void *handle, struct iommu_group *group, unsigned long iova, int npages, int prot,
	      struct page **pages);
void type1_unpin(void *handle, unsigned long iova, int npages);
int type1_rw(void *handle, unsigned long iova, void *data, size_t nbytes, bool write);
void type1_register(void *handle, struct vfio_device *vdev);
void type1_unregister(void *handle, struct vfio_device *vdev);

#endif
