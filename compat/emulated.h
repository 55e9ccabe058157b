/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * emulated: drivers that reach a container's memory with the CPU.
 *
 * Owns: struct emulated, and what these drivers hold.
 */
#ifndef VFIO_IOAS_EMULATED_H
#define VFIO_IOAS_EMULATED_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "memory/store.h"

struct ioas;
struct iommu_group;
struct page;
struct ioas_area;
struct ioas_ctx;
struct ioas_notifier;
struct vfio_device;

/* What their container does for them. */
struct emulated_ops {
	/* @nbytes, all in @area, which is kept busy in @ioas, were written to. */
	void (*wrote)(struct ioas *ioas, struct ioas_area *area, unsigned long iova,
		      unsigned long nbytes);
	/* May they use the addresses of all mappings? domains_rwsem is held for writing. */
	int (*check)(struct ioas *ioas);	/* 0 or -errno */
};

struct emulated {
	const struct emulated_ops *ops;	/* constant, as is ctx */
	struct ioas_ctx *ctx;
	struct mutex devices_mutex;	/* held while they are called */
	struct list_head devices;	/* devices_mutex; to be told of unmaps, newest first */
	unsigned int ngroups;		/* domains_rwsem, anybody may peek; emulated ones */
	struct mutex holds_mutex;	/* what is held, and in which IOAS */
	unsigned int nusers;		/* holds_mutex; emulated groups and devices to be told */
	struct ioas *ioas;		/* holds_mutex, anybody may peek; in use, or NULL */
	struct ioas_notifier *notifier;	/* holds_mutex; registered with @ioas */
	struct xarray holds;		/* holds_mutex; struct held_page, by IOVA in pages */
	unsigned int nattached[BITS_PER_LONG];	/* holds_mutex; groups of any kind, by number */
};

/* A page that drivers hold. */
struct held_page {
	struct store_hold pin;		/* of the area */
	unsigned int npins;		/* holds_mutex */
	unsigned long groups;		/* holds_mutex; whose devices pinned it: bits by number */
};

/**
 * emulated_init() - make a container without such devices
 * @emulated: uninitialised memory
 * @ctx: of the container
 * @ops: what the container does
 */
void emulated_init(struct emulated *emulated, struct ioas_ctx *ctx,
		   const struct emulated_ops *ops);

/**
 * emulated_destroy() - undo emulated_init()
 * @emulated: without groups and devices
 */
void emulated_destroy(struct emulated *emulated);

/**
 * emulated_note_group() - a group has joined a container: its devices may be opened, and pin
 * @emulated: of the container
 * @group: of any kind
 *
 * Context: may sleep; vfio.ko lets no other group come or go.
 */
void emulated_note_group(struct emulated *emulated, struct iommu_group *group);

/**
 * emulated_forget_group() - undo emulated_note_group(), before the group leaves
 * @emulated: of the container
 * @group: the group
 *
 * Takes away the pages that its devices still hold, but for those that a device of another group
 * has pinned, too.
 *
 * Context: may sleep; none of its devices is open.
 */
void emulated_forget_group(struct emulated *emulated, struct iommu_group *group);

/**
 * emulated_add_group() - let an emulated group use a container
 * @emulated: of the container
 * @ioas: what its devices use if the container has none for them yet; the caller keeps it, or has
 *	not published it
 *
 * From now on its mappings outlive its domains.
 *
 * Context: may sleep; vfio.ko lets no other group come or go.
 * Return: 0; what @emulated->ops->check says; -EINVAL if a native map does not consist of whole
 * pages; -ENOMEM.
 */
int emulated_add_group(struct emulated *emulated, struct ioas *ioas);

/**
 * emulated_remove_group() - undo emulated_add_group()
 * @emulated: of the container
 *
 * As in stock type1 mappings do not outlive the last group of any kind.
 *
 * Context: may sleep; none of its devices is open.
 */
void emulated_remove_group(struct emulated *emulated);

/**
 * emulated_register() - a device was opened
 * @emulated: of the container
 * @vdev: any device; without a callback for unmaps it is ignored
 *
 * Context: may sleep.
 */
void emulated_register(struct emulated *emulated, struct vfio_device *vdev);

/**
 * emulated_unregister() - a device was closed
 * @emulated: of the container
 * @vdev: of emulated_register()
 *
 * Waits while it is being told of an unmap. If it was the last one of its group, what that group
 * alone has pinned is taken away: its driver should have given it back.
 *
 * Context: may sleep. Never fails.
 */
void emulated_unregister(struct emulated *emulated, struct vfio_device *vdev);

/**
 * emulated_pin() - vfio_pin_pages()
 * @emulated: of the container
 * @group: of the device
 * @iova: of the first page; any address within it will do
 * @npages: how many, at least 1
 * @prot: IOMMU_READ, IOMMU_WRITE: what the mappings must allow
 * @pages: receives them
 *
 * A page that is held already is just counted once more.
 *
 * Context: may sleep and fault.
 * Return: 0; or, with nothing changed, -EINVAL where nothing is
 * mapped, for device memory, while the mapping is being removed, for a range that wraps, or
 * without an open device; -EPERM where the mapping does not allow it; -EBUSY while it waits for
 * its new address; -ENODEV where its process is gone; as store_pin(); -EINTR on a fatal signal.
 */
int emulated_pin(struct emulated *emulated, struct iommu_group *group, unsigned long iova,
		 unsigned long npages, int prot, struct page **pages);

/**
 * emulated_unpin() - vfio_unpin_pages()
 * @emulated: of the container
 * @iova: of the first page
 * @npages: how many
 *
 * Pages that are not held are passed over.
 *
 * Context: may sleep; also from a device's callback for unmaps. Never fails.
 */
void emulated_unpin(struct emulated *emulated, unsigned long iova, unsigned long npages);

/**
 * emulated_rw() - vfio_dma_rw()
 * @emulated: of the container
 * @iova: where
 * @data: kernel memory
 * @nbytes: how much, at least 1
 * @write: to the IOVA
 *
 * Context: may sleep and fault.
 * Return: 0; or, maybe with a part copied, -EINVAL where nothing is mapped; -EPERM where the
 * mapping does not allow reading and, to write, writing, or where its process is gone; -EBUSY
 * while it waits for its new address; -EFAULT where memory is missing, or if the caller has
 * another address space than the process; -EINTR on a fatal signal.
 */
int emulated_rw(struct emulated *emulated, unsigned long iova, void *data, size_t nbytes,
		bool write);

/**
 * emulated_report_held() - set a bit for each page of an IOAS that is held
 * @emulated: of the container
 * @ioas: the IOAS, which the caller entered
 * @first_index: first page, as IOVA in pages
 * @last_index: last page, inclusive
 * @bits: bitmap
 * @first_bit: the bit of the first page
 */
void emulated_report_held(struct emulated *emulated, const struct ioas *ioas,
			  unsigned long first_index, unsigned long last_index,
			  unsigned long *bits, unsigned long first_bit);

#endif
