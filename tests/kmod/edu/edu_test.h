/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The ioctls of vfio_ioas_edu_test.ko, a driver for QEMU's PCI device "edu" that is there to
 * call the kernel interface of vfio_ioas.
 *
 * Each device has a node, /dev/edu_test-<PCI address>. Each open file of it can be bound
 * to a context once, and have one access to an IOAS, of the same context or another;
 * closing it undoes both. All calls give ENODEV when the driver was taken off the device.
 * Where nothing else is said errors are those of the function in module/vfio_ioas.h.
 */
#ifndef EDU_TEST_H
#define EDU_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Most that one transfer moves, and that one pin or one copy is for. */
#define EDU_TEST_DMA_BYTES	2048
#define EDU_TEST_ACCESS_BYTES	0x100000

/*
 * EDU_TEST_BIND - bind the device
 * @fd: in: of /dev/iommu
 * @device_id: out: its id there
 *
 * From now on the device is a bus master. EBUSY: this file is bound.
 */
struct edu_test_bind {
	__s32 fd;
	__u32 device_id;
};

#define EDU_TEST_BIND		_IOWR('E', 0, struct edu_test_bind)

/* EDU_TEST_UNBIND - undo it. EINVAL: not bound; EBUSY: attached. */
#define EDU_TEST_UNBIND		_IO('E', 1)

/*
 * EDU_TEST_ATTACH, EDU_TEST_REPLACE - choose what the device reaches
 * @pt_id: in: IOAS or HWPT; out: HWPT
 *
 * EINVAL: not bound.
 */
struct edu_test_attach {
	__u32 pt_id;
};

#define EDU_TEST_ATTACH		_IOWR('E', 2, struct edu_test_attach)
#define EDU_TEST_REPLACE	_IOWR('E', 3, struct edu_test_attach)

/* EDU_TEST_DETACH - undo it. EINVAL: not attached. */
#define EDU_TEST_DETACH		_IO('E', 4)

/*
 * EDU_TEST_DMA - let the device copy between memory and its own buffer
 * @iova: where the memory is
 * @nbytes: how much
 * @flags: EDU_TEST_TO_MEMORY: from the buffer to memory, not from memory to the buffer
 *
 * Waits for the end. That the IOMMU blocked it shows only in what was not copied.
 * EINVAL: not bound; ETIMEDOUT: it does not end.
 */
#define EDU_TEST_TO_MEMORY	1

struct edu_test_dma {
	__aligned_u64 iova;
	__u32 nbytes;
	__u32 flags;
};

#define EDU_TEST_DMA		_IOW('E', 5, struct edu_test_dma)

/*
 * EDU_TEST_ACCESS_CREATE - make an access, and attach it
 * @fd: in: of /dev/iommu
 * @ioas_id: in: the IOAS
 * @flags: in: EDU_TEST_ACCESS_PINS: it can pin; EDU_TEST_ACCESS_DEAF: it lets go of nothing
 *	when told that memory is unmapped
 * @access_id: out: its id
 *
 * EBUSY: this file has one.
 */
#define EDU_TEST_ACCESS_PINS	1
#define EDU_TEST_ACCESS_DEAF	2

struct edu_test_access_create {
	__s32 fd;
	__u32 ioas_id;
	__u32 flags;
	__u32 access_id;
};

#define EDU_TEST_ACCESS_CREATE	_IOWR('E', 6, struct edu_test_access_create)

/* EDU_TEST_ACCESS_DESTROY - undo it. This and all that follow, EINVAL: there is none. */
#define EDU_TEST_ACCESS_DESTROY	_IO('E', 7)

/*
 * EDU_TEST_ACCESS_REPLACE - attach the access to another IOAS
 * EDU_TEST_ACCESS_ATTACH - attach it, detached, to an IOAS
 * EDU_TEST_ACCESS_DETACH - detach it
 */
struct edu_test_access_replace {
	__u32 ioas_id;
};

#define EDU_TEST_ACCESS_REPLACE	_IOW('E', 8, struct edu_test_access_replace)
#define EDU_TEST_ACCESS_ATTACH	_IOW('E', 14, struct edu_test_access_replace)
#define EDU_TEST_ACCESS_DETACH	_IO('E', 15)

/*
 * EDU_TEST_PIN - pin a range
 * @iova: in: its first address
 * @nbytes: in: its length
 * @flags: in: EDU_TEST_WRITE: to write to it; EDU_TEST_LATE: the driver finds the pin, also by
 *	its number, only when it was told of an unmap once
 * @pin_id: out: a number for it
 */
#define EDU_TEST_WRITE		1
#define EDU_TEST_LATE		4

struct edu_test_pin {
	__aligned_u64 iova;
	__aligned_u64 nbytes;
	__u32 flags;
	__u32 pin_id;
};

#define EDU_TEST_PIN		_IOWR('E', 9, struct edu_test_pin)

/*
 * EDU_TEST_UNPIN - undo it
 * @pin_id: number of the pin
 *
 * ENOENT: there is no such pin, any more.
 */
struct edu_test_unpin {
	__u32 pin_id;
};

#define EDU_TEST_UNPIN		_IOW('E', 10, struct edu_test_unpin)

/*
 * EDU_TEST_PIN_COPY - copy all bytes of a pinned range from, or to, its pages
 * @data: pointer to memory of the caller
 * @pin_id: number of the pin; ENOENT: there is no such pin, any more
 * @flags: EDU_TEST_WRITE: to the pages
 */
struct edu_test_pin_copy {
	__aligned_u64 data;
	__u32 pin_id;
	__u32 flags;
};

#define EDU_TEST_PIN_COPY	_IOW('E', 11, struct edu_test_pin_copy)

/*
 * EDU_TEST_RW - copy from, or to, a range that need not be pinned
 * @iova: its first address
 * @data: pointer to memory of the caller
 * @nbytes: its length
 * @flags: EDU_TEST_WRITE: to the range; EDU_TEST_KTHREAD: a kernel thread does it
 */
#define EDU_TEST_KTHREAD	2

struct edu_test_rw {
	__aligned_u64 iova;
	__aligned_u64 data;
	__u32 nbytes;
	__u32 flags;
};

#define EDU_TEST_RW		_IOW('E', 12, struct edu_test_rw)

/*
 * EDU_TEST_ACCESS_INFO - what has become of the access
 * @nnotices: how often it was told of an unmap
 * @npins: how many pins it has
 */
struct edu_test_access_info {
	__u32 nnotices;
	__u32 npins;
};

#define EDU_TEST_ACCESS_INFO	_IOR('E', 13, struct edu_test_access_info)

#endif
