/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The native iommufd ioctls of vfio_ioas, binary compatible with <linux/iommufd.h> of kernels that
 * have one. They work on /dev/iommu, and on a container after VFIO_SET_IOMMU. docs/uapi.md lists
 * the errnos of each command, in the order of the checks.
 *
 * Every argument begins with its own size in bytes:
 *
 * - ENOTTY: an unknown command.
 * - EINVAL: a struct that is shorter than the command needs.
 * - E2BIG: a struct that is longer than the one here, and has a byte behind it that is not zero.
 * - EOPNOTSUPP: an unknown flag, operation or option; a reserved field that is not 0; a command
 *   that the kernel or the device cannot serve.
 * - ENOENT: an id that does not exist, or names another kind of object than the command needs.
 *
 * Ids count from 1, in one sequence for objects of all kinds, for each open file. Addresses and
 * lengths are in bytes; "last" is inclusive.
 *
 * The interface is that of iommufd in Linux (include/uapi/linux/iommufd.h):
 * Copyright (c) 2021-2022, NVIDIA CORPORATION & AFFILIATES.
 */
#ifndef VFIO_IOAS_UAPI_IOMMUFD_H
#define VFIO_IOAS_UAPI_IOMMUFD_H

/*
 * <linux/iommu.h> of newer kernels includes the kernel's own iommufd.h, which has all of this.
 * tests/abi/uapi compares the two.
 */
#ifndef _UAPI_IOMMUFD_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOMMUFD_TYPE		(';')

enum {
	IOMMUFD_CMD_BASE = 0x80,
	IOMMUFD_CMD_DESTROY = IOMMUFD_CMD_BASE,
	IOMMUFD_CMD_IOAS_ALLOC = 0x81,
	IOMMUFD_CMD_IOAS_ALLOW_IOVAS = 0x82,
	IOMMUFD_CMD_IOAS_COPY = 0x83,
	IOMMUFD_CMD_IOAS_IOVA_RANGES = 0x84,
	IOMMUFD_CMD_IOAS_MAP = 0x85,
	IOMMUFD_CMD_IOAS_UNMAP = 0x86,
	IOMMUFD_CMD_OPTION = 0x87,
	IOMMUFD_CMD_VFIO_IOAS = 0x88,
	IOMMUFD_CMD_HWPT_ALLOC = 0x89,
	IOMMUFD_CMD_GET_HW_INFO = 0x8a,
};

/*
 * IOMMU_DESTROY - end an object
 * @id: the object, of any kind
 *
 * Ending an IOAS unmaps everything in it. EBUSY: another object or a kernel driver uses the object.
 * The ioctl waits for calls that work on the object at the moment.
 */
struct iommu_destroy {
	__u32 size;
	__u32 id;
};

#define IOMMU_DESTROY		_IO(IOMMUFD_TYPE, IOMMUFD_CMD_DESTROY)

/*
 * IOMMU_IOAS_ALLOC - make an empty I/O address space (IOAS)
 * @flags: 0
 * @out_ioas_id: receives the id of the IOAS
 */
struct iommu_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#define IOMMU_IOAS_ALLOC	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOC)

/* A range of IOVA, both ends inclusive. */
struct iommu_iova_range {
	__aligned_u64 start;
	__aligned_u64 last;
};

/*
 * IOMMU_IOAS_IOVA_RANGES - list the usable IOVA, mapped or not
 * @ioas_id: the IOAS
 * @num_iovas: in: capacity of the array, in entries; out: number of ranges
 * @__reserved: 0
 * @allowed_iovas: pointer to an array of struct iommu_iova_range, to be filled in ascending order
 * @out_iova_alignment: addresses and lengths of maps must be multiples of this
 *
 * Attaching a device can shrink the ranges and raise the alignment. EMSGSIZE: the array is too
 * small; the ranges that fit, the number of all ranges, and the alignment are written.
 */
struct iommu_ioas_iova_ranges {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
	__aligned_u64 out_iova_alignment;
};

#define IOMMU_IOAS_IOVA_RANGES	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_IOVA_RANGES)

/*
 * IOMMU_IOAS_ALLOW_IOVAS - keep IOVA usable
 * @ioas_id: the IOAS
 * @num_iovas: number of entries in the array; 0 removes the restriction
 * @__reserved: 0
 * @allowed_iovas: pointer to an array of struct iommu_iova_range, in any order
 *
 * Replaces the former list as a whole, or not at all. While the list is in place, a device that
 * would reserve a part of it cannot be attached, and a map without FIXED_IOVA gets its address from
 * the list. EINVAL: the last of an entry is not above its start, or two entries overlap.
 * EADDRINUSE: an entry contains reserved IOVA.
 */
struct iommu_ioas_allow_iovas {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
};

#define IOMMU_IOAS_ALLOW_IOVAS	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOW_IOVAS)

enum iommufd_ioas_map_flags {
	IOMMU_IOAS_MAP_FIXED_IOVA = 1 << 0,
	IOMMU_IOAS_MAP_WRITEABLE = 1 << 1,
	IOMMU_IOAS_MAP_READABLE = 1 << 2,
};

/*
 * IOMMU_IOAS_MAP - map memory of the calling process for devices
 * @flags: enum iommufd_ioas_map_flags; READABLE or WRITEABLE is required
 * @ioas_id: the IOAS
 * @__reserved: 0
 * @user_va: address of the memory
 * @length: length of the memory
 * @iova: in: IOVA, with FIXED_IOVA; out: IOVA of the map
 *
 * The memory is pinned, and charged to RLIMIT_MEMLOCK, when the first device or in-kernel user
 * needs it.
 *
 * - EINVAL: an address or the length is not aligned; the IOVA is not usable.
 * - EEXIST: the range overlaps another map.
 * - ENOSPC: no free range fits; the limit to the number of mappings is reached.
 * - EOVERFLOW: a range wraps, or ends too high.
 * - EFAULT: the memory does not exist, or is not writable.
 * - ENOMEM: no memory; RLIMIT_MEMLOCK is exceeded.
 */
struct iommu_ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 __reserved;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define IOMMU_IOAS_MAP		_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP)

/*
 * IOMMU_IOAS_COPY - map memory a second time that is mapped already
 * @flags: as for MAP
 * @dst_ioas_id: IOAS to map into; may be the source
 * @src_ioas_id: IOAS to copy from
 * @length: length of the source and of the new map
 * @dst_iova: as @iova of MAP
 * @src_iova: start of the source; the source may begin and end inside a map
 *
 * Both maps show the same pages, which are pinned and charged once. ENOENT: the source has a hole.
 * EPERM: WRITEABLE is set, but the memory was first mapped without it. Other errors are as of MAP.
 */
struct iommu_ioas_copy {
	__u32 size;
	__u32 flags;
	__u32 dst_ioas_id;
	__u32 src_ioas_id;
	__aligned_u64 length;
	__aligned_u64 dst_iova;
	__aligned_u64 src_iova;
};

#define IOMMU_IOAS_COPY		_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_COPY)

/*
 * IOMMU_IOAS_UNMAP - unmap a range
 * @ioas_id: the IOAS
 * @iova: start of the range
 * @length: in: length of the range; out: bytes unmapped
 *
 * @iova 0 with @length 2^64 - 1 unmaps everything. Otherwise maps are unmapped from the lowest
 * upward, each as a whole or not at all. After an error, the maps below are gone.
 *
 * - ENOENT: nothing is mapped in the range; the next map reaches over a border of the range.
 * - EBUSY: another thread is making or removing the next map.
 * - EDEADLK: an in-kernel user did not unpin the next map.
 */
struct iommu_ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__aligned_u64 iova;
	__aligned_u64 length;
};

#define IOMMU_IOAS_UNMAP	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_UNMAP)

/*
 * RLIMIT_MODE: to whom pinned memory of this file is charged: the user (0) or the process (1). To
 * set it needs CAP_SYS_RESOURCE, and a file without objects. @object_id is 0.
 *
 * HUGE_PAGES: whether the IOMMU may use pages larger than the CPU's smallest for an IOAS (1) or not
 * (0). It cannot be set to 0 while a device has mappings. @object_id is the IOAS.
 */
enum iommufd_option {
	IOMMU_OPTION_RLIMIT_MODE = 0,
	IOMMU_OPTION_HUGE_PAGES = 1,
};

enum iommufd_option_ops {
	IOMMU_OPTION_OP_SET = 0,
	IOMMU_OPTION_OP_GET = 1,
};

/*
 * IOMMU_OPTION - read or change a setting
 * @option_id: enum iommufd_option
 * @op: enum iommufd_option_ops
 * @__reserved: 0
 * @object_id: the object that has the setting
 * @val64: in for SET, out for GET: the value
 */
struct iommu_option {
	__u32 size;
	__u32 option_id;
	__u16 op;
	__u16 __reserved;
	__u32 object_id;
	__aligned_u64 val64;
};

#define IOMMU_OPTION		_IO(IOMMUFD_TYPE, IOMMUFD_CMD_OPTION)

enum iommufd_vfio_ioas_op {
	IOMMU_VFIO_IOAS_GET = 0,
	IOMMU_VFIO_IOAS_SET = 1,
	IOMMU_VFIO_IOAS_CLEAR = 2,
};

/*
 * IOMMU_VFIO_IOAS - read or select the IOAS that container ioctls work on
 * @ioas_id: in for SET, out for GET: the IOAS
 * @op: enum iommufd_vfio_ioas_op
 * @__reserved: 0
 *
 * SET and CLEAR select the IOAS for later container ioctls and for the next group. Groups that are
 * attached stay where they are. ENODEV: GET, and none is selected.
 *
 * On a container that stock type1 serves, this command is ENOTTY. So a GET that works proves that
 * vfio_ioas serves the container.
 */
struct iommu_vfio_ioas {
	__u32 size;
	__u32 ioas_id;
	__u16 op;
	__u16 __reserved;
};

#define IOMMU_VFIO_IOAS		_IO(IOMMUFD_TYPE, IOMMUFD_CMD_VFIO_IOAS)

/* Kinds of data for the IOMMU driver that come with HWPT_ALLOC. */
enum iommu_hwpt_data_type {
	IOMMU_HWPT_DATA_NONE = 0,
};

enum iommufd_hwpt_alloc_flags {
	IOMMU_HWPT_ALLOC_NEST_PARENT = 1 << 0,
};

/*
 * IOMMU_HWPT_ALLOC - make an HWPT: an I/O page table that devices can be attached to
 * @flags: 0; no IOMMU driver of the supported kernels could serve any other value
 * @dev_id: a device; the table suits its IOMMU
 * @pt_id: the IOAS that the HWPT will mirror
 * @out_hwpt_id: receives the id of the HWPT
 * @__reserved: 0
 * @data_type: IOMMU_HWPT_DATA_NONE
 * @data_len: 0
 * @data_uptr: ignored
 * @fault_id: ignored
 * @__reserved2: ignored
 *
 * The HWPT stays until DESTROY, and keeps its IOAS from being destroyed. ENOENT: no such device.
 * EINVAL: no such IOAS.
 */
struct iommu_hwpt_alloc {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 pt_id;
	__u32 out_hwpt_id;
	__u32 __reserved;
	__u32 data_type;
	__u32 data_len;
	__aligned_u64 data_uptr;
	__u32 fault_id;
	__u32 __reserved2;
};

#define IOMMU_HWPT_ALLOC	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_ALLOC)

enum iommu_hw_info_type {
	IOMMU_HW_INFO_TYPE_NONE = 0,
};

enum iommu_hw_info_flags {
	IOMMU_HW_INFO_FLAG_INPUT_TYPE = 1 << 0,
};

/*
 * IOMMU_GET_HW_INFO - describe the IOMMU behind a device
 * @flags: enum iommu_hw_info_flags
 * @dev_id: the device
 * @data_len: in: size of the buffer; out: bytes of data there are
 * @data_uptr: the buffer; the part behind the data is zeroed
 * @in_data_type: with INPUT_TYPE: the type wanted; 0 for any
 * @out_data_type: type of the data; NONE without data
 * @out_max_pasid_log2: log2 of the number of PASIDs that the device may use; 0: none
 * @__reserved: 0
 * @out_capabilities: what the IOMMU can do beyond translation; 0: nothing
 *
 * EOPNOTSUPP: the IOMMU has data of another type than @in_data_type.
 */
struct iommu_hw_info {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 data_len;
	__aligned_u64 data_uptr;
	union {
		__u32 in_data_type;
		__u32 out_data_type;
	};
	__u8 out_max_pasid_log2;
	__u8 __reserved[3];
	__aligned_u64 out_capabilities;
};

#define IOMMU_GET_HW_INFO	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_GET_HW_INFO)

#endif /* _UAPI_IOMMUFD_H */
#endif
