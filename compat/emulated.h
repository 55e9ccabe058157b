/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * emulated: drivers that reach a container's memory with the CPU.
 *
 * Owns: struct emulated, struct held_page, and the pages that these drivers hold.
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

/* Functions of the container, for its emulated devices. */
struct emulated_ops {
	/*
	 * A driver wrote to @nbytes, all of them in @area. The IOAS is entered, and @area kept
	 * busy; holds_mutex may be held.
	 */
	void (*wrote)(struct ioas *ioas, struct ioas_area *area, unsigned long iova,
		      unsigned long nbytes);
	/* May an emulated group join @ioas? domains_rwsem is held for writing. */
	int (*check)(struct ioas *ioas);	/* 0 or -errno */
};

/*
 * A user is an emulated group, or a device with a callback for unmaps; @ioas stays the same while
 * there is one. An index is an IOVA in pages.
 */
struct emulated {
	const struct emulated_ops *ops;	/* constant, as is ctx */
	struct ioas_ctx *ctx;
	struct mutex devices_mutex;	/* held while devices are called */
	/* Newest first. devices_mutex; whether the list is empty may be read without it. */
	struct list_head devices;
	/* Emulated groups. domains_rwsem of @ioas; may be read without it. */
	unsigned int ngroups;
	struct mutex holds_mutex;	/* which pages are held, and in which IOAS */
	unsigned int nusers;		/* holds_mutex */
	/* The IOAS in use, or NULL. holds_mutex; may be read without it. */
	struct ioas *ioas;
	struct ioas_notifier *notifier;	/* holds_mutex; registered with @ioas */
	/* struct held_page by index. holds_mutex; which exist may be read without it. */
	struct xarray holds;
	unsigned int nattached[BITS_PER_LONG];	/* holds_mutex; groups of any kind, by number */
};

/* A page that drivers hold. It is one pin of its area, however often they pinned it. */
struct held_page {
	struct store_hold pin;		/* of the area */
	unsigned int npins;		/* holds_mutex; how often drivers pinned it */
	unsigned long groups;		/* holds_mutex; whose devices did: a bit a group number */
};

/**
 * emulated_init() - prepare a container for emulated devices; it has none
 * @emulated: uninitialised memory
 * @ctx: the context of the container
 * @ops: functions of the container
 *
 * Context: any.
 */
void emulated_init(struct emulated *emulated, struct ioas_ctx *ctx,
		   const struct emulated_ops *ops);

/**
 * emulated_destroy() - undo emulated_init()
 * @emulated: without groups and devices
 *
 * Context: may sleep. Never fails.
 */
void emulated_destroy(struct emulated *emulated);

/**
 * emulated_note_group() - note that a group has joined: its devices may be opened, and pin
 * @emulated: of the container
 * @group: of any kind
 *
 * Context: may sleep, takes holds_mutex; vfio.ko attaches or detaches no other group meanwhile.
 */
void emulated_note_group(struct emulated *emulated, struct iommu_group *group);

/**
 * emulated_forget_group() - undo emulated_note_group(), before the group leaves
 * @emulated: of the container
 * @group: the group; none of its devices is open
 *
 * Unpins the pages that its devices still hold, but for those that a device of another group has
 * pinned, too. If another group has the same number, that is done when the last of them leaves.
 *
 * Context: may sleep, takes holds_mutex; the caller is in no IOAS. vfio.ko attaches or detaches no
 * other group meanwhile. Never fails.
 */
void emulated_forget_group(struct emulated *emulated, struct iommu_group *group);

/**
 * emulated_add_group() - let an emulated group use a container
 * @emulated: of the container
 * @ioas: the IOAS to use, if emulated devices use none yet; the caller keeps it, or has not
 *	published it
 *
 * From now on the mappings of the IOAS stay when its last domain ends.
 *
 * Context: may sleep, takes holds_mutex and domains_rwsem; the caller is in no IOAS. vfio.ko
 * attaches or detaches no other group meanwhile.
 * Return: 0, or with nothing changed:
 * * -EINVAL: an area does not consist of whole pages
 * * -ENOMEM: no kernel memory
 * * an error of @emulated->ops->check
 */
int emulated_add_group(struct emulated *emulated, struct ioas *ioas);

/**
 * emulated_remove_group() - undo emulated_add_group()
 * @emulated: of the container
 *
 * As in stock type1 the last group of any kind takes all mappings with it.
 *
 * Context: may sleep, takes domains_rwsem and holds_mutex; the caller is in no IOAS. No device of
 * the group is open, and vfio.ko attaches or detaches no other group meanwhile. Never fails.
 */
void emulated_remove_group(struct emulated *emulated);

/**
 * emulated_register() - note that a device was opened; tell it of unmaps from now on
 * @emulated: of the container
 * @vdev: any device; without a callback for unmaps it is ignored
 *
 * Context: may sleep, takes holds_mutex, then devices_mutex.
 */
void emulated_register(struct emulated *emulated, struct vfio_device *vdev);

/**
 * emulated_unregister() - undo emulated_register(): the device is being closed
 * @emulated: of the container
 * @vdev: as for emulated_register()
 *
 * Waits for a call that tells a device of an unmap. If no other registered device is of the same
 * group, pages that only this group holds are unpinned: its driver should have done that. If
 * another group has the same number, they stay for now, see emulated_forget_group().
 *
 * Context: may sleep, takes devices_mutex, then holds_mutex; the caller is in no IOAS. Never fails.
 */
void emulated_unregister(struct emulated *emulated, struct vfio_device *vdev);

/**
 * emulated_pin() - vfio_pin_pages()
 * @emulated: of the container
 * @group: of the device
 * @iova: any address of the first page
 * @npages: how many, at least 1
 * @prot: IOMMU_READ, IOMMU_WRITE: access that the mappings must allow
 * @pages: receives the pages; zeroed on an error
 *
 * A page that is held already is only counted once more.
 *
 * Context: may sleep and fault, takes holds_mutex; the caller is in no IOAS.
 * Return: 0, or with nothing pinned:
 * * -EINVAL: nothing is mapped, or the mapping is being removed; device memory; no device with a
 *   callback for unmaps is open
 * * STOCK_WRAPS: the range wraps
 * * -EPERM: the mapping does not allow the access
 * * -EBUSY: the mapping waits for its new address
 * * -ENODEV: the process of the mapping is gone; container ioctls have no IOAS and none is in use
 * * -EFAULT: memory is missing, or does not allow the access
 * * -ENOMEM: over the memlock limit, or no kernel memory
 * * -EINTR: a fatal signal
 */
int emulated_pin(struct emulated *emulated, struct iommu_group *group, unsigned long iova,
		 unsigned long npages, int prot, struct page **pages);

/**
 * emulated_unpin() - vfio_unpin_pages()
 * @emulated: of the container
 * @iova: any address of the first page
 * @npages: how many
 *
 * Pages that are not held are passed over.
 *
 * Context: may sleep, takes holds_mutex; the caller is in no IOAS, but can be in a device's
 * callback for unmaps. Never fails.
 */
void emulated_unpin(struct emulated *emulated, unsigned long iova, unsigned long npages);

/**
 * emulated_rw() - vfio_dma_rw()
 * @emulated: of the container
 * @iova: of the first byte
 * @data: kernel memory
 * @nbytes: how many, at least 1
 * @write: copy from @data to the IOVA, not from the IOVA to @data
 *
 * Works in the IOAS of container ioctls, not in the one that pins use.
 *
 * Context: may sleep and fault; the caller is in no IOAS. Takes none of the mutexes.
 * Return: 0, or with a part possibly copied:
 * * -EINVAL: nothing is mapped; container ioctls have no IOAS
 * * -EPERM: the mapping does not allow reading (a write needs both), or its process is gone
 * * -EBUSY: the mapping waits for its new address
 * * -EFAULT: memory is missing; the caller has an address space, but not that of the mapping
 * * -EINTR: a fatal signal
 */
int emulated_rw(struct emulated *emulated, unsigned long iova, void *data, size_t nbytes,
		bool write);

/**
 * emulated_report_held() - set a bit for each page of an IOAS that is held
 * @emulated: of the container
 * @ioas: the IOAS, which the caller entered
 * @first_index: first page, as IOVA in pages
 * @last_index: last page, inclusive
 * @bits: bitmap; other bits are left alone
 * @first_bit: the bit of the first page
 *
 * Context: takes no mutex. Pages can be pinned and unpinned meanwhile.
 */
void emulated_report_held(struct emulated *emulated, const struct ioas *ioas,
			  unsigned long first_index, unsigned long last_index,
			  unsigned long *bits, unsigned long first_bit);

#endif
