/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The ioctls of vfio_ioas_edu_test.ko, a driver for QEMU's PCI device "edu". Its purpose is to call
 * the kernel interface of vfio_ioas.
 *
 * Each device has a node, /dev/edu_test-<PCI address>. An open file of it can be bound to one
 * context, and have one access to an IOAS of the same or another context. Closing the file undoes
 * both. All calls return ENODEV after the driver was unbound from the device. Other errors, if none
 * are listed, are those of the function in module/kapi/vfio_ioas.h.
 */
#ifndef EDU_TEST_H
#define EDU_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The largest transfer by DMA, and the largest pin or copy of an access. */
#define EDU_TEST_DMA_BYTES	2048
#define EDU_TEST_ACCESS_BYTES	0x100000

/*
 * EDU_TEST_BIND - bind the device
 * @fd: in: a descriptor of /dev/iommu
 * @device_id: out: the id of the device in that context
 *
 * From now on the device is a bus master. EBUSY: this file is bound already.
 */
struct edu_test_bind {
	__s32 fd;
	__u32 device_id;
};

#define EDU_TEST_BIND		_IOWR('E', 0, struct edu_test_bind)

/* EDU_TEST_UNBIND - undo EDU_TEST_BIND. EINVAL: not bound; EBUSY: attached. */
#define EDU_TEST_UNBIND		_IO('E', 1)

/*
 * EDU_TEST_ATTACH, EDU_TEST_REPLACE - attach the device, or move it to another IOAS or HWPT
 * @pt_id: in: IOAS or HWPT; out: HWPT
 *
 * EINVAL: not bound.
 */
struct edu_test_attach {
	__u32 pt_id;
};

#define EDU_TEST_ATTACH		_IOWR('E', 2, struct edu_test_attach)
#define EDU_TEST_REPLACE	_IOWR('E', 3, struct edu_test_attach)

/* EDU_TEST_DETACH - undo EDU_TEST_ATTACH. EINVAL: not attached. */
#define EDU_TEST_DETACH		_IO('E', 4)

/*
 * EDU_TEST_DMA - let the device copy between memory and its own buffer
 * @iova: address of the memory
 * @nbytes: how much, at most EDU_TEST_DMA_BYTES
 * @flags: EDU_TEST_TO_MEMORY: from the buffer to memory, not from memory to the buffer
 *
 * Waits for the end. If the IOMMU blocks the transfer, the call succeeds, but nothing is copied.
 * EINVAL: not bound, or a wrong length; ETIMEDOUT: the transfer does not end.
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
 * @fd: in: a descriptor of /dev/iommu
 * @ioas_id: in: the IOAS
 * @flags: in: EDU_TEST_ACCESS_PINS: it can pin; EDU_TEST_ACCESS_DEAF: it can pin, and unpins
 *	nothing when it is told of an unmap
 * @access_id: out: the id of the access
 *
 * EBUSY: this file has an access already.
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

/* EDU_TEST_ACCESS_DESTROY - undo it. EINVAL, as for all that follow: this file has no access. */
#define EDU_TEST_ACCESS_DESTROY	_IO('E', 7)

/*
 * EDU_TEST_ACCESS_REPLACE - move the access to another IOAS
 * EDU_TEST_ACCESS_ATTACH - attach the access, which is detached, to an IOAS
 * EDU_TEST_ACCESS_DETACH - detach the access
 */
struct edu_test_access_replace {
	__u32 ioas_id;
};

#define EDU_TEST_ACCESS_REPLACE	_IOW('E', 8, struct edu_test_access_replace)
#define EDU_TEST_ACCESS_ATTACH	_IOW('E', 14, struct edu_test_access_replace)
#define EDU_TEST_ACCESS_DETACH	_IO('E', 15)

/*
 * EDU_TEST_PIN - pin a range
 * @iova: in: first address of the range
 * @nbytes: in: its length, at most EDU_TEST_ACCESS_BYTES
 * @flags: in: EDU_TEST_WRITE: to write to it; EDU_TEST_LATE: the driver notes the pin only after
 *	it was told of an unmap once: until then it does not find the pin by its number either
 * @pin_id: out: the number of the pin
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
 * EDU_TEST_UNPIN - undo EDU_TEST_PIN
 * @pin_id: number of the pin
 *
 * ENOENT: there is no such pin, or no longer.
 */
struct edu_test_unpin {
	__u32 pin_id;
};

#define EDU_TEST_UNPIN		_IOW('E', 10, struct edu_test_unpin)

/*
 * EDU_TEST_PIN_COPY - copy all bytes of a pinned range from, or to, its pages
 * @data: pointer to memory of the caller
 * @pin_id: number of the pin
 * @flags: EDU_TEST_WRITE: to the pages
 *
 * ENOENT: there is no such pin, or no longer.
 */
struct edu_test_pin_copy {
	__aligned_u64 data;
	__u32 pin_id;
	__u32 flags;
};

#define EDU_TEST_PIN_COPY	_IOW('E', 11, struct edu_test_pin_copy)

/*
 * EDU_TEST_RW - copy from, or to, a range that need not be pinned
 * @iova: first address of the range
 * @data: pointer to memory of the caller
 * @nbytes: length of the range, at most EDU_TEST_ACCESS_BYTES
 * @flags: EDU_TEST_WRITE: to the range; EDU_TEST_KTHREAD: a kernel thread copies
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
 * EDU_TEST_ACCESS_INFO - counts of the access
 * @nnotices: how often the access was told of an unmap
 * @npins: how many pins it has
 */
struct edu_test_access_info {
	__u32 nnotices;
	__u32 npins;
};

#define EDU_TEST_ACCESS_INFO	_IOR('E', 13, struct edu_test_access_info)

#endif
