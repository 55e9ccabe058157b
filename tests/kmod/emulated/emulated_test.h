/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The ioctls of vfio_ioas_emulated_test.ko: emulated VFIO devices. They have no IOMMU, and reach a
 * program's memory with the CPU, by way of the container.
 *
 * The module knows nothing of vfio_ioas: it calls vfio_pin_pages(), vfio_unpin_pages() and
 * vfio_dma_rw() of vfio.ko, whichever backend serves the container. When it is loaded, it makes the
 * devices "emulated-0", "emulated-1" and "emulated-mute", each in its own group. The driver of the
 * last one has no dma_unmap() callback. /sys/bus/platform/devices/<name>/iommu_group leads to the
 * number of the group. VFIO_GROUP_GET_DEVICE_FD takes the name, and returns the descriptor for all
 * ioctls.
 *
 * A device notes its pins, each of one page. An unmap callback unpins those in its range, unless
 * the device was told not to. The rest are unpinned when the device is closed.
 */
#ifndef EMULATED_TEST_H
#define EMULATED_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The largest EMULATED_RW or EMULATED_COPY; E2BIG: more. */
#define EMULATED_MAX_BYTES	0x100000

/*
 * EMULATED_PIN - vfio_pin_pages()
 * @iova: address of the first page
 * @npages: how many; passed on unchecked. E2BIG: more than 1024
 * @prot: IOMMU_READ 1, IOMMU_WRITE 2; passed on unchecked
 *
 * Returns what vfio_pin_pages() returns: the number of pages, or an error.
 */
struct emulated_pin {
	__aligned_u64 iova;
	__s32 npages;
	__u32 prot;
};

#define EMULATED_PIN		_IOW('M', 0, struct emulated_pin)

/*
 * EMULATED_UNPIN - vfio_unpin_pages()
 * @prot: 0
 *
 * Unpins even pages that the device has not pinned, and so maybe those of another device. With
 * EMULATED_UNPINS_OWN it unpins only pages that the device has pinned. EINVAL: not 1 to 512 pages,
 * for which the kernel would warn.
 */
#define EMULATED_UNPIN		_IOW('M', 1, struct emulated_pin)

/*
 * EMULATED_RW - vfio_dma_rw()
 * @iova: address of the first byte
 * @data: pointer to memory of the caller
 * @nbytes: how many; passed on unchecked up to EMULATED_MAX_BYTES
 * @flags: EMULATED_WRITE: to the IOVA; EMULATED_KTHREAD: a kernel thread copies
 *
 * Returns what vfio_dma_rw() returns: 0 or an error. A read copies its buffer to @data also after
 * an error.
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
 * EMULATED_COPY - copy with the CPU from, or to, pages that the device has pinned
 * @iova, @data, @nbytes: as for EMULATED_RW
 * @flags: EMULATED_WRITE: to the pages
 *
 * ENOENT: the device has not pinned all of the range.
 */
#define EMULATED_COPY		_IOW('M', 3, struct emulated_rw)

/*
 * EMULATED_BEHAVE - choose how the device behaves from now on
 * @nignored: the next so many unmap callbacks unpin nothing
 * @flags: a set of the following:
 *
 * EMULATED_KEEPS_ON_CLOSE: closing the device does not unpin.
 * EMULATED_REPINS: the callback unpins each page and then tries to pin it again; the result is in
 * EMULATED_INFO.
 * EMULATED_NOTES_LATER: the device notes a pin 50 ms after the next callback, or after 10 seconds
 * without one, and holds no lock meanwhile: as if its thread had waited for a CPU.
 * EMULATED_UNPINS_OWN: EMULATED_UNPIN unpins only pages that the device has pinned, as a driver
 * should.
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
 * EMULATED_INFO - counts and results since the device was opened
 * @ncallbacks: unmap callbacks
 * @npins: pages that are pinned now, each counted as often as it was pinned
 * @nunnoted: pages that are pinned now, but not noted yet, see EMULATED_NOTES_LATER
 * @open_pin: the result of a pin of one page at IOVA 0 inside open_device(), with parameter
 *	pin_in_open
 * @repin: the result of the last pin of EMULATED_REPINS
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
