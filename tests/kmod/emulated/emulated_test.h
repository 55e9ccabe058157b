/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The ioctls of vfio_ioas_emulated_test.ko: emulated VFIO devices, which have no IOMMU of their
 * own and reach a program's memory through the container with the CPU.
 *
 * It knows nothing of vfio_ioas: it calls vfio_pin_pages(), vfio_unpin_pages() and vfio_dma_rw()
 * of vfio.ko, whoever serves the container. Loading it makes the devices "emulated-0" and
 * "emulated-1", each in a group of its own, and "emulated-mute", whose driver has no
 * dma_unmap() callback; /sys/bus/platform/devices/<name>/iommu_group leads to the group's number,
 * and VFIO_GROUP_GET_DEVICE_FD takes the name. All ioctls are on the descriptor of the device.
 *
 * A device remembers its pins, which are single pages, and gives back those that an unmap callback
 * meets, unless it was told not to; and the rest when it is closed.
 */
#ifndef EMULATED_TEST_H
#define EMULATED_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Most that one EMULATED_RW or EMULATED_COPY moves; E2BIG: more. */
#define EMULATED_MAX_BYTES	0x100000

/*
 * EMULATED_PIN - vfio_pin_pages()
 * @iova: of the first page
 * @npages: how many; handed on as it is, if there are no more than 1024: E2BIG
 * @prot: IOMMU_READ 1, IOMMU_WRITE 2; handed on as it is
 *
 * What vfio_pin_pages() returns: the number of pages, or an error.
 */
struct emulated_pin {
	__aligned_u64 iova;
	__s32 npages;
	__u32 prot;
};

#define EMULATED_PIN		_IOW('M', 0, struct emulated_pin)

/*
 * EMULATED_UNPIN - vfio_unpin_pages(), whether or not the device has pinned that, and so maybe a
 *	pin of another device; with EMULATED_UNPINS_OWN only what it has pinned
 * @prot: 0
 *
 * EINVAL: a number of pages of which the kernel would warn, not 1 to 512.
 */
#define EMULATED_UNPIN		_IOW('M', 1, struct emulated_pin)

/*
 * EMULATED_RW - vfio_dma_rw()
 * @iova: where
 * @data: pointer to memory of the caller
 * @nbytes: how much; handed on as it is
 * @flags: EMULATED_WRITE: to the IOVA; EMULATED_KTHREAD: a kernel thread does it
 *
 * What vfio_dma_rw() returns: 0 or an error. In a read the bytes come back also after an error.
 */
#define EMULATED_WRITE		1
#define EMULATED_KTHREAD	2

struct emulated_rw {
	__aligned_u64 iova;
	__aligned_u64 data;
	__u32 nbytes;
	__u32 flags;
};

#define EMULATED_RW		_IOW('M', 2, struct emulated_rw)

/*
 * EMULATED_COPY - copy from, or to, pages that the device has pinned, by the CPU
 * @iova, @data, @nbytes: as in EMULATED_RW
 * @flags: EMULATED_WRITE: to the pages
 *
 * ENOENT: not all of it is pinned.
 */
#define EMULATED_COPY		_IOW('M', 3, struct emulated_rw)

/*
 * EMULATED_BEHAVE - how the device answers from now on
 * @nignored: so many unmap callbacks to come do not give anything back
 * @flags: EMULATED_KEEPS_ON_CLOSE: closing the device does not give its pins back;
 *	EMULATED_REPINS: the callback, having given back a page, tries to pin it again (what comes
 *	of that is in EMULATED_INFO); EMULATED_NOTES_LATER: remembers pages only some time after
 *	they were pinned, and holds no lock meanwhile: when the first callback since then has
 *	found nothing to give back, and 50 ms have passed, as if the thread had waited for a CPU;
 *	EMULATED_UNPINS_OWN: as a driver should, gives back only what it has pinned
 */
#define EMULATED_KEEPS_ON_CLOSE	1
#define EMULATED_REPINS		2
#define EMULATED_NOTES_LATER	4
#define EMULATED_UNPINS_OWN	8

struct emulated_behave {
	__u32 nignored;
	__u32 flags;
};

#define EMULATED_BEHAVE		_IOW('M', 4, struct emulated_behave)

/*
 * EMULATED_INFO - what has happened since the device was opened
 * @ncallbacks: unmap callbacks
 * @npins: pages pinned right now, each as often as it was pinned
 * @nunnoted: pages pinned right now, but not remembered yet: EMULATED_NOTES_LATER
 * @open_pin: what a pin of one page at IOVA 0 inside open_device() returned, if the module was
 *	loaded with pin_in_open=1
 * @repin: what the last pin of EMULATED_REPINS returned
 * @log: the ranges of the last callbacks, the latest first
 */
#define EMULATED_LOG		16

struct emulated_range {
	__aligned_u64 iova;
	__aligned_u64 nbytes;
};

struct emulated_info {
	__u32 ncallbacks;
	__u32 npins;
	__s32 open_pin;
	__s32 repin;
	__u32 nunnoted;
	__u32 reserved;
	struct emulated_range log[EMULATED_LOG];
};

#define EMULATED_INFO		_IOR('M', 5, struct emulated_info)

#endif
