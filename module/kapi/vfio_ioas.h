/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio_ioas: what other modules can do with an IOAS.
 *
 * A driver gets a context from a descriptor of /dev/iommu that its user hands it.
 * With it the driver can bind devices, so that their DMA is confined to I/O page tables
 * of the user's choice, and it can access what is mapped with the CPU, if it has no IOMMU
 * of its own. Device and access each are an object with an id in the context; they
 * exist until the driver unbinds or destroys them, and keep the descriptor open.
 *
 * All functions may sleep and need process context. IOVA and lengths are bytes.
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

struct ioas_ctx *vfio_ioas_ctx_from_file(struct file *file);
struct ioas_ctx *vfio_ioas_ctx_from_fd(int fd);
void vfio_ioas_ctx_get(struct ioas_ctx *ctx);
void vfio_ioas_ctx_put(struct ioas_ctx *ctx);

/**
 * vfio_ioas_device_bind() - let a context decide over a device's DMA
 * @ctx: the context
 * @dev: the device; its driver leaves DMA alone until this has succeeded, and says so in
 *	its driver_managed_dma flag
 * @id: receives the id of the device object
 *
 * Until it is attached, no device of its group can do any DMA. All of them that are
 * bound are bound to the same context.
 *
 * Return: the device, to be unbound; or ERR_PTR(): -EINVAL for one without cache
 * coherent DMA; -ENODEV without an IOMMU; -EPERM without isolated interrupts, or if another
 * context, a container or a kernel driver has the group; -EBUSY if somebody has put it on a
 * domain without owning it; -ENOMEM.
 */
struct ioas_device *vfio_ioas_device_bind(struct ioas_ctx *ctx, struct device *dev,
					  u32 *id);

/**
 * vfio_ioas_device_unbind() - undo vfio_ioas_device_bind()
 * @idev: not attached
 *
 * Waits for calls that attach a device of the context or fill a table, which can be pinning memory.
 */
void vfio_ioas_device_unbind(struct ioas_device *idev);

/**
 * vfio_ioas_device_attach() - let a device reach what an IOAS shows
 * @idev: attached to nothing
 * @pt_id: in: an IOAS, or one of its HWPTs, from user space; out: the HWPT
 *
 * The whole group goes there: further devices of it can only follow. For an IOAS an
 * automatic HWPT that fits is used, or made, and goes with the last device.
 *
 * Return: 0; -ENOENT without such an object; -EINVAL for one of another kind, for an
 * HWPT that does not fit the device, or if the group is elsewhere; -EBUSY if it is
 * attached; -EADDRINUSE if a map, or an allowed range, lies where the device cannot have
 * one; -EINTR on a fatal signal; -ENOMEM; what the IOMMU driver or store_pin() says.
 */
int vfio_ioas_device_attach(struct ioas_device *idev, u32 *pt_id);

/**
 * vfio_ioas_device_replace() - move a device, and its group, to another IOAS or HWPT
 * @idev: attached
 * @pt_id: as for vfio_ioas_device_attach()
 *
 * For a moment in between the device reaches nothing: DMA then faults.
 *
 * Return: 0, or with the group where it was: as vfio_ioas_device_attach(); -EINVAL if it
 * is not attached.
 */
int vfio_ioas_device_replace(struct ioas_device *idev, u32 *pt_id);

/**
 * vfio_ioas_device_detach() - undo vfio_ioas_device_attach()
 * @idev: attached
 *
 * With the last device its group leaves. Never fails.
 */
void vfio_ioas_device_detach(struct ioas_device *idev);

/**
 * struct vfio_ioas_access_ops - what a driver that accesses an IOAS has to answer
 * @needs_pin_pages: it will use vfio_ioas_access_pin_pages(); maps are then multiples of
 *	PAGE_SIZE
 * @unmap: the user unmaps the @nbytes from @iova on, maybe more than was pinned, maybe
 *	nothing that was: when it returns, every pin in that range has been given back.
 *	Called with no lock of ours held that pinning and unpinning need, maybe several
 *	at once. Pins whose call has not returned are waited for before. A driver that notes
 *	a pin only some time after that is called again, for about two seconds; also when the
 *	access is detached, replaced or destroyed, which is as an unmap of everything. It must
 *	not wait here for the end, detach or replacement of the access. May be NULL with
 *	@needs_pin_pages clear.
 */
struct vfio_ioas_access_ops {
	bool needs_pin_pages;
	void (*unmap)(void *data, unsigned long iova, unsigned long nbytes);
};

/* Of vfio_ioas_access_pin_pages() and vfio_ioas_access_rw(). */
#define VFIO_IOAS_ACCESS_WRITE		BIT(0)
#define VFIO_IOAS_ACCESS_KTHREAD	BIT(1)	/* the caller has no mm of its own */
#define VFIO_IOAS_ACCESS_SLOW_PATH	BIT(2)	/* as if the memory were another's */

/**
 * vfio_ioas_access_create() - get a way to reach what is mapped in an IOAS
 * @ctx: the context of the IOAS
 * @ops: what the driver answers; stays valid as long as the access exists
 * @data: handed to @ops
 * @id: receives the id of the access
 *
 * Return: the access, attached to nothing, to be destroyed; or ERR_PTR(-ENOMEM).
 */
struct ioas_access *vfio_ioas_access_create(struct ioas_ctx *ctx,
					    const struct vfio_ioas_access_ops *ops,
					    void *data, u32 *id);

/**
 * vfio_ioas_access_destroy() - undo vfio_ioas_access_create()
 * @access: with nothing pinned; detached if it is not yet
 *
 * When this returns no call of @ops is under way or will come. Another thread may still be
 * attaching, replacing or detaching the access, which is waited for; it may be copying, pinning
 * (-ENOENT if that comes too late) or giving back pins, in a call that returns later. But no call
 * may begin, except to give back pins that this waits for: none of these any more once the driver
 * was told in vain, with a warning.
 * Pages that the driver does not give back, though it is told to, stay pinned for good, with a
 * warning: it may still use them.
 *
 * Context: sleeps. Not from the unmap callback, nor with a lock that this takes.
 */
void vfio_ioas_access_destroy(struct ioas_access *access);

/**
 * vfio_ioas_access_attach() - choose the IOAS of an access
 * @access: attached to nothing
 * @ioas_id: the IOAS, from user space
 *
 * Return: 0; -ENOENT without such an IOAS; -EINVAL if it is attached already; -EBUSY while
 * another thread attaches, replaces or detaches it, or while it has pins in an IOAS that it has
 * left; -EADDRINUSE if the access pins, and a map does not consist of whole pages; -ENOMEM.
 */
int vfio_ioas_access_attach(struct ioas_access *access, u32 ioas_id);

/**
 * vfio_ioas_access_replace() - choose another IOAS
 * @access: attached
 * @ioas_id: the IOAS, from user space; the one it is attached to changes nothing
 *
 * The driver is told to let go of everything first, as by vfio_ioas_access_detach(). No new pin
 * is made meanwhile.
 *
 * Context: as vfio_ioas_access_detach().
 * Return: 0, or with the access where it was: -ENOENT without such an IOAS, or if it is
 * attached to none; -EDEADLK, and a warning, if the driver did not let go for seconds; and as
 * vfio_ioas_access_attach().
 */
int vfio_ioas_access_replace(struct ioas_access *access, u32 ioas_id);

/**
 * vfio_ioas_access_detach() - leave the IOAS
 * @access: attached or not
 *
 * The driver is told to let go of everything first, for about two seconds, until it has. If it
 * has not, which is a bug of the driver and warned of, its pins stay, and with them the map and
 * the IOAS, until it unpins them.
 *
 * When this returns, the access is attached to nothing, and no call of @ops is under way or will
 * come until it is attached again; also if another thread was replacing or detaching it, which
 * is waited for.
 *
 * Context: sleeps. Not from the unmap callback, nor with a lock that this takes.
 */
void vfio_ioas_access_detach(struct ioas_access *access);

/**
 * vfio_ioas_access_pin_pages() - get the pages behind a range
 * @access: attached, with @needs_pin_pages
 * @iova: first address of the range
 * @nbytes: its length
 * @pages: receives the pages; has room for all that the range touches
 * @flags: VFIO_IOAS_ACCESS_WRITE if they will be written to
 *
 * The range must begin with a page, and be mapped without a hole. The pages stay
 * what the range shows until they are unpinned. The same range may be pinned
 * again; each pin is given back once.
 *
 * The driver notes the pin when this has returned, for its unmap callback to find. An unmap, or
 * a detach, that comes meanwhile waits for this to return, and then calls that several times.
 *
 * Context: may sleep and fault; maybe with the lock that the unmap callback takes.
 * Return: 0, or with nothing pinned: -EINVAL without length, pages in parts, or where the
 * user is unmapping; -EOVERFLOW for a range that wraps; -ENOENT for a hole, or an
 * access that is not attached; -EPERM where the map does not allow it; -EFAULT where
 * memory is missing; -ENOMEM; -EINTR; -EOPNOTSUPP without @needs_pin_pages.
 */
int vfio_ioas_access_pin_pages(struct ioas_access *access, unsigned long iova,
			       unsigned long nbytes, struct page **pages,
			       unsigned int flags);

/**
 * vfio_ioas_access_unpin_pages() - undo vfio_ioas_access_pin_pages()
 * @access: as for the pin; even if it was detached since
 * @iova: as for the pin
 * @nbytes: as for the pin
 *
 * Parts of the range in different maps are given back one by one. One that no call of this access
 * has pinned stays as it is, with a warning; also if another access has pinned it.
 *
 * Context: also from the unmap callback. Never fails.
 */
void vfio_ioas_access_unpin_pages(struct ioas_access *access, unsigned long iova,
				  unsigned long nbytes);

/**
 * vfio_ioas_access_rw() - copy from or to a range
 * @access: attached
 * @iova: first address of the range, not aligned in any way
 * @data: kernel memory
 * @nbytes: how much
 * @flags: VFIO_IOAS_ACCESS_WRITE to copy to the range, not from it;
 *	VFIO_IOAS_ACCESS_KTHREAD from a kernel thread without an mm
 *
 * Return: 0, or maybe with a part copied: as vfio_ioas_access_pin_pages().
 */
int vfio_ioas_access_rw(struct ioas_access *access, unsigned long iova, void *data,
			size_t nbytes, unsigned int flags);

#endif
