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

struct ioas_device *vfio_ioas_device_bind(struct ioas_ctx *ctx, struct device *dev,
					  u32 *id);
void vfio_ioas_device_unbind(struct ioas_device *idev);
int vfio_ioas_device_attach(struct ioas_device *idev, u32 *pt_id);
int vfio_ioas_device_replace(struct ioas_device *idev, u32 *pt_id);
void vfio_ioas_device_detach(struct ioas_device *idev);

/**
 * struct vfio_ioas_access_ops - what a driver that accesses an IOAS has to answer
 * @needs_pin_pages: it will use vfio_ioas_access_pin_pages(); maps are then multiples of
 *	PAGE_SIZE
 * @unmap: the user unmaps the @nbytes from @iova on, maybe more than was pinned, maybe
 *	nothing that was: when it returns, every pin in that range has been given back.
 *	Called with no lock of ours held, maybe several at once. A driver has a lock of
 *	its own across "pin and note it down" and takes that here, too; it must not wait
 *	here for the end, detach or replacement of the access. May be NULL with
 *	@needs_pin_pages clear.
 */
struct vfio_ioas_access_ops {
	bool needs_pin_pages;
	void (*unmap)(void *data, unsigned long iova, unsigned long nbytes);
};

/* Of vfio_ioas_access_pin_pages() and vfio_ioas_access_rw(). */
#define VFIO_IOAS_ACCESS_WRITE		(1U << 0)
#define VFIO_IOAS_ACCESS_KTHREAD	(1U << 1)	/* the caller has no mm of its own */
#define VFIO_IOAS_ACCESS_SLOW_PATH	(1U << 2)	/* as if the memory were another's */

struct ioas_access *vfio_ioas_access_create(struct ioas_ctx *ctx,
					    const struct vfio_ioas_access_ops *ops,
					    void *data, u32 *id);
void vfio_ioas_access_destroy(struct ioas_access *access);
int vfio_ioas_access_attach(struct ioas_access *access, u32 ioas_id);
int vfio_ioas_access_replace(struct ioas_access *access, u32 ioas_id);
void vfio_ioas_access_detach(struct ioas_access *access);
int vfio_ioas_access_pin_pages(struct ioas_access *access, unsigned long iova,
			       unsigned long nbytes, struct page **pages,
			       unsigned int flags);
void vfio_ioas_access_unpin_pages(struct ioas_access *access, unsigned long iova,
				  unsigned long nbytes);
int vfio_ioas_access_rw(struct ioas_access *access, unsigned long iova, void *data,
			size_t nbytes, unsigned int flags);

#endif
