/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio_ioas: the interface for other modules; see docs/kapi.md.
 *
 * A driver gets a context from a descriptor of /dev/iommu that its user passes to it. With the
 * context it can bind devices, whose DMA is then confined to I/O page tables of the user's choice.
 * A driver without an IOMMU of its own can access mapped memory with the CPU. Devices and accesses
 * are objects with an id in the context. They exist until the driver unbinds or destroys them, and
 * keep the descriptor open.
 *
 * Where nothing else is said, a function needs process context, may sleep, and may fault in user
 * memory: the caller holds no mmap lock. IOVA and lengths are in bytes. No function returns with a
 * lock of this module held.
 *
 * Device and access follow the interface for drivers of iommufd in Linux (include/linux/iommufd.h):
 * Copyright (C) 2021 Intel Corporation
 * Copyright (c) 2021-2022, NVIDIA CORPORATION & AFFILIATES
 */
#ifndef VFIO_IOAS_H
#define VFIO_IOAS_H

#include <linux/bits.h>
#include <linux/types.h>

struct device;
struct file;
struct ioas_access;
struct ioas_ctx;
struct ioas_device;
struct page;

/**
 * vfio_ioas_ctx_from_file() - get the context of an open file
 * @file: any open file
 *
 * Return: the context, which keeps the file open until vfio_ioas_ctx_put(); ERR_PTR(-EBADFD) if
 * the file is not one of /dev/iommu.
 */
struct ioas_ctx *vfio_ioas_ctx_from_file(struct file *file);

/**
 * vfio_ioas_ctx_from_fd() - get the context of a descriptor of the calling process
 * @fd: the descriptor
 *
 * Return: as vfio_ioas_ctx_from_file(); ERR_PTR(-EBADF) if there is no such descriptor.
 */
struct ioas_ctx *vfio_ioas_ctx_from_fd(int fd);

/**
 * vfio_ioas_ctx_get() - take another reference to a context
 * @ctx: the context, of which the caller has a reference
 *
 * Context: any, also atomic.
 */
void vfio_ioas_ctx_get(struct ioas_ctx *ctx);

/**
 * vfio_ioas_ctx_put() - drop a reference to a context
 * @ctx: the context; may be gone afterwards
 *
 * Devices and accesses have references of their own.
 */
void vfio_ioas_ctx_put(struct ioas_ctx *ctx);

/**
 * vfio_ioas_device_bind() - give a context control over a device's DMA
 * @ctx: the context
 * @dev: the device; its driver has the flag driver_managed_dma, and starts no DMA before this call
 *	has succeeded
 * @id: receives the id of the device object
 *
 * No device of the group can do DMA until one of them is attached. All devices of a group that are
 * bound are bound to the same context.
 *
 * Context: takes groups_mutex.
 * Return: the device object, to be unbound; or ERR_PTR():
 * * -EINVAL: the device's DMA is not cache coherent
 * * -ENODEV: the device has no IOMMU
 * * -EPERM: the group has no isolated interrupts, which is logged; or another context, a container
 *   or a kernel driver owns it
 * * -ENOMEM: no kernel memory
 * * -EBUSY: the group is on a domain, although nobody owns it
 */
struct ioas_device *vfio_ioas_device_bind(struct ioas_ctx *ctx, struct device *dev,
					  u32 *id);

/**
 * vfio_ioas_device_unbind() - undo vfio_ioas_device_bind()
 * @idev: the device, not attached; otherwise it is detached, with a WARN
 *
 * Waits for calls that attach a device of the context or that fill a table for one. These may be
 * pinning memory.
 *
 * Context: takes groups_mutex. Never fails.
 */
void vfio_ioas_device_unbind(struct ioas_device *idev);

/**
 * vfio_ioas_device_attach() - let a device reach the memory that an IOAS maps
 * @idev: the device, attached to nothing
 * @pt_id: in: id of an IOAS or of one of its HWPTs, from user space; out: id of the HWPT
 *
 * The whole group is attached: further devices of it can only be attached to the same target. For
 * an IOAS, an automatic HWPT that fits is used, or made. It ends when its last device is detached.
 *
 * Context: takes groups_mutex, and domains_rwsem of the IOAS for writing, for as long as it takes
 * to map everything into a new domain.
 * Return: 0, or with nothing changed:
 * * -ENOENT: no such object
 * * -EINVAL: the object is neither an IOAS nor an HWPT; the group is attached to something else;
 *   no IOVA would be left to map; the HWPT or its page sizes do not suit the device
 * * -EBUSY: the device is attached
 * * -EADDRINUSE: a map, or an allowed range, lies where the device cannot have one; a map is not
 *   aligned to the domain's smallest page
 * * -ENOMEM, -EFAULT: maps had to be pinned, as by store_pin()
 * * -EINTR: a fatal signal
 * * the IOMMU driver's error
 */
int vfio_ioas_device_attach(struct ioas_device *idev, u32 *pt_id);

/**
 * vfio_ioas_device_replace() - move a device, and its group, to another IOAS or HWPT
 * @idev: the device, attached
 * @pt_id: as for vfio_ioas_device_attach()
 *
 * For a moment during the move the device reaches nothing, and its DMA faults.
 *
 * Context: as vfio_ioas_device_attach().
 * Return: 0, or with the group still attached where it was: -EINVAL if the device is not attached;
 * else as vfio_ioas_device_attach().
 */
int vfio_ioas_device_replace(struct ioas_device *idev, u32 *pt_id);

/**
 * vfio_ioas_device_detach() - undo vfio_ioas_device_attach()
 * @idev: the device, attached; otherwise there is a WARN, and nothing changes
 *
 * When the last device of a group is detached, the group leaves its HWPT.
 *
 * Context: takes groups_mutex, and domains_rwsem of the IOAS for writing. Never fails.
 */
void vfio_ioas_device_detach(struct ioas_device *idev);

/**
 * struct vfio_ioas_access_ops - the part of a driver that an access calls
 * @needs_pin_pages: the driver will call vfio_ioas_access_pin_pages(); maps of the IOAS must then
 *	be multiples of PAGE_SIZE
 * @unmap: asks the driver to unpin what it has pinned of the @nbytes from @iova on: all of them, a
 *	part, or nothing. When it returns, every pin in that range that the driver knows of has been
 *	unpinned. May be NULL if @needs_pin_pages is false.
 *
 *	Context: process; no lock is held that pinning or unpinning takes. May run several times at
 *	once. It must not wait for a destroy, detach or replacement of the access.
 *
 *	The module waits for pin calls under way before it calls @unmap. A driver may note a pin
 *	only some time after its call. So the module repeats @unmap while pins are left, for about
 *	two seconds. Detach, replace and destroy of the access do the same, for all of the IOAS.
 */
struct vfio_ioas_access_ops {
	bool needs_pin_pages;
	void (*unmap)(void *data, unsigned long iova, unsigned long nbytes);
};

/* Flags of vfio_ioas_access_pin_pages() (WRITE only) and vfio_ioas_access_rw(). */
#define VFIO_IOAS_ACCESS_WRITE		BIT(0)
#define VFIO_IOAS_ACCESS_KTHREAD	BIT(1)	/* the caller has no mm of its own */
#define VFIO_IOAS_ACCESS_SLOW_PATH	BIT(2)	/* as if another process owned the memory */

/**
 * vfio_ioas_access_create() - make an access
 * @ctx: the context whose IOASs the access will use
 * @ops: the driver's part; must stay valid as long as the access exists
 * @data: passed to @ops
 * @id: receives the id of the access
 *
 * Return: the access, attached to nothing, to be destroyed; or ERR_PTR(-ENOMEM).
 */
struct ioas_access *vfio_ioas_access_create(struct ioas_ctx *ctx,
					    const struct vfio_ioas_access_ops *ops,
					    void *data, u32 *id);

/**
 * vfio_ioas_access_destroy() - undo vfio_ioas_access_create()
 * @access: the access, without pins; is detached if it is attached
 *
 * When this returns, no call of @ops is running or will run. The call waits for a thread that is
 * attaching, replacing or detaching the access. A thread that is pinning, unpinning or copying may
 * return later; it gets -ENOENT if it came too late. No call may begin meanwhile, except that
 * other threads may unpin until the driver was told in vain.
 *
 * Pages that the driver does not unpin although it is told to stay pinned for good, with a WARN:
 * the driver may still use them.
 *
 * Context: not from the unmap callback, nor with a lock held that the callback takes, unless the
 * access was never attached. Never fails.
 */
void vfio_ioas_access_destroy(struct ioas_access *access);

/**
 * vfio_ioas_access_attach() - attach an access to an IOAS
 * @access: the access, attached to nothing
 * @ioas_id: id of the IOAS, from user space
 *
 * Context: takes domains_rwsem of the IOAS for writing if the access needs to pin.
 * Return: 0, or with nothing changed:
 * * -EBUSY: another thread attaches, replaces, detaches or destroys the access; or the access still
 *   has pins in an IOAS that it has left
 * * -ENOENT: no such IOAS
 * * -EINVAL: the access is attached
 * * -EADDRINUSE: the access needs to pin, and a map does not consist of whole pages
 * * -ENOMEM: no kernel memory
 */
int vfio_ioas_access_attach(struct ioas_access *access, u32 ioas_id);

/**
 * vfio_ioas_access_replace() - move an access to another IOAS
 * @access: the access, attached
 * @ioas_id: id of the IOAS, from user space; if it is the current one, nothing changes
 *
 * First the driver is told to unpin everything, as by vfio_ioas_access_detach(). Meanwhile the
 * access can neither pin nor copy.
 *
 * Context: as vfio_ioas_access_detach().
 * Return: 0, or with the access still attached where it was:
 * * -ENOENT: no such IOAS; or the access is attached to nothing
 * * -EDEADLK: the driver kept pins for about two seconds; with a WARN, once
 * * else as vfio_ioas_access_attach()
 */
int vfio_ioas_access_replace(struct ioas_access *access, u32 ioas_id);

/**
 * vfio_ioas_access_detach() - detach an access from its IOAS
 * @access: the access, attached or not
 *
 * First the driver is told to unpin everything, until it has, for about two seconds. A driver that
 * keeps pins has a bug, which gives a WARN, once. Its pins then stay, and with them the map and the
 * IOAS, until the driver unpins them.
 *
 * When this returns, the access is attached to nothing. No call of @ops is running, and none will
 * run until the access is attached again. The call waits for a thread that is replacing or
 * detaching the access.
 *
 * Context: not from the unmap callback, nor with a lock held that the callback takes. Never fails.
 */
void vfio_ioas_access_detach(struct ioas_access *access);

/**
 * vfio_ioas_access_pin_pages() - pin the pages behind a range
 * @access: the access, attached, with @needs_pin_pages
 * @iova: first address of the range, at the start of a page
 * @nbytes: length of the range, in bytes
 * @pages: receives a pointer for each page that the range touches
 * @flags: VFIO_IOAS_ACCESS_WRITE if the driver will write to the pages; else 0
 *
 * The range must be mapped without a hole. Until they are unpinned, the pages are what the range
 * shows. A range may be pinned several times; each pin is unpinned once.
 *
 * The driver notes the pin when this has returned, so that its unmap callback finds it. An unmap or
 * a detach that comes meanwhile waits for this call, and then calls the callback until the pin is
 * gone.
 *
 * Context: the caller may hold a lock that the unmap callback takes.
 * Return: 0, or with nothing pinned:
 * * -EOPNOTSUPP: the access lacks @needs_pin_pages; an unknown flag
 * * -EINVAL: @nbytes is 0; the range begins, or two maps in it meet, inside a page; device memory;
 *   the user is unmapping the range
 * * -EOVERFLOW: the range wraps
 * * -ENOENT: the range has a hole; the access is not attached
 * * -EPERM: the map does not allow the access
 * * -EFAULT: memory is missing, or its process is gone
 * * -ENOMEM: no kernel memory, or over the memlock limit of the map's owner
 * * -EINTR: a fatal signal
 */
int vfio_ioas_access_pin_pages(struct ioas_access *access, unsigned long iova,
			       unsigned long nbytes, struct page **pages,
			       unsigned int flags);

/**
 * vfio_ioas_access_unpin_pages() - undo vfio_ioas_access_pin_pages()
 * @access: as for the pin, even if it was detached since
 * @iova: as for the pin
 * @nbytes: as for the pin
 *
 * The parts of the range in different maps are unpinned one by one. A part that this access has not
 * pinned stays as it is, with a WARN, even if another access has pinned it.
 *
 * Context: also from the unmap callback. Never fails.
 */
void vfio_ioas_access_unpin_pages(struct ioas_access *access, unsigned long iova,
				  unsigned long nbytes);

/**
 * vfio_ioas_access_rw() - copy from or to a range
 * @access: the access, attached
 * @iova: first address of the range, which need not be aligned
 * @data: kernel memory
 * @nbytes: how many bytes to copy
 * @flags: VFIO_IOAS_ACCESS_WRITE: copy to the range, not from it; VFIO_IOAS_ACCESS_KTHREAD: the
 *	caller is a kernel thread without an mm, and may use that of the map's owner;
 *	VFIO_IOAS_ACCESS_SLOW_PATH: for tests
 *
 * Return: 0; or with a part possibly copied:
 * * -EINVAL: @nbytes is 0; the user is unmapping the range
 * * -EOVERFLOW: the range wraps
 * * -ENOENT: the range has a hole; the access is not attached
 * * -EPERM: the map does not allow the access
 * * -EFAULT: memory is missing, or its process is gone; device memory of another process
 * * -ENOMEM: no kernel memory
 * * -EINTR: a fatal signal
 */
int vfio_ioas_access_rw(struct ioas_access *access, unsigned long iova, void *data,
			size_t nbytes, unsigned int flags);

#endif
