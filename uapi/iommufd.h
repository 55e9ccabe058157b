/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The native iommufd ioctls that vfio_ioas answers, binary compatible with
 * <linux/iommufd.h> of kernels that ship one. They work on /dev/iommu, and on a
 * container after VFIO_SET_IOMMU.
 *
 * Every argument begins with its own size in bytes. A shorter struct than a command
 * needs is EINVAL; a longer one is fine if what the module does not know is zero,
 * otherwise E2BIG. An unknown command is ENOTTY; an unknown flag, operation or
 * option, a reserved field that is not 0, or a command that the kernel or the device
 * cannot serve, EOPNOTSUPP.
 *
 * Objects have ids from 1 upward, in one number space per open file. An id that does
 * not exist, or is of another kind than the command wants, is ENOENT. Addresses and
 * lengths are bytes; "last" is inclusive.
 */
#ifndef VFIO_IOAS_UAPI_IOMMUFD_H
#define VFIO_IOAS_UAPI_IOMMUFD_H

/*
 * <linux/iommu.h> of newer kernels brings the kernel's own text, which has all of this;
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
 * @id: of any kind
 *
 * EBUSY while another object or a kernel driver uses it; a call that is using it at
 * the moment is waited for. What is mapped in an IOAS is unmapped.
 */
struct iommu_destroy {
	__u32 size;
	__u32 id;
};

#define IOMMU_DESTROY		_IO(IOMMUFD_TYPE, IOMMUFD_CMD_DESTROY)

/*
 * IOMMU_IOAS_ALLOC - make an empty I/O address space
 * @flags: 0
 * @out_ioas_id: its id
 */
struct iommu_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#define IOMMU_IOAS_ALLOC	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOC)

/* An interval of IOVA, both ends inclusive. */
struct iommu_iova_range {
	__aligned_u64 start;
	__aligned_u64 last;
};

/*
 * IOMMU_IOAS_IOVA_RANGES - which IOVA can be mapped, whether mapped or not?
 * @ioas_id: the IOAS
 * @num_iovas: in: room in the array; out: number of ranges there are
 * @__reserved: 0
 * @allowed_iovas: pointer to an array of struct iommu_iova_range, filled ascending
 * @out_iova_alignment: what addresses and lengths must be multiples of
 *
 * EMSGSIZE if the array is too small, with as many entries as fit, the number and the
 * alignment written. Attaching a device can take from the ranges and raise the alignment.
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
 * IOMMU_IOAS_ALLOW_IOVAS - keep IOVA from becoming unusable
 * @ioas_id: the IOAS
 * @num_iovas: entries of the array; 0 allows everything again
 * @__reserved: 0
 * @allowed_iovas: pointer to an array of struct iommu_iova_range, in any order
 *
 * Replaces the former list, all or nothing. While it is in place, no device that
 * would reserve a part of it can be attached, and addresses are chosen from it where
 * the caller does not fix them. EINVAL: an entry whose last is not above its start, or
 * two that overlap; EADDRINUSE: something in it is reserved.
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
 * IOMMU_IOAS_MAP - show memory of the calling process to devices
 * @flags: enum iommufd_ioas_map_flags; READABLE or WRITEABLE is needed
 * @ioas_id: the IOAS
 * @__reserved: 0
 * @user_va: address of the memory
 * @length: of the memory
 * @iova: in, with FIXED_IOVA: where; out: where
 *
 * Memory is pinned, and counted against RLIMIT_MEMLOCK, when the first device or in-kernel
 * user needs it. EINVAL: not aligned, or on IOVA that is not usable; EEXIST: on another
 * mapping; ENOSPC: no room; EOVERFLOW: too high; EFAULT: no such memory, or not writable;
 * ENOMEM: no memory, or above the limit.
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
 * IOMMU_IOAS_COPY - map once more what is mapped already
 * @flags: as for MAP
 * @dst_ioas_id: where to map it, may be the same IOAS
 * @src_ioas_id: where it is mapped
 * @length: how much
 * @dst_iova: as @iova of MAP
 * @src_iova: where it is mapped; may begin, and end, inside a mapping
 *
 * Both show the same pages, pinned and counted once. ENOENT: a hole in the source; EPERM:
 * WRITEABLE, but the source was first mapped without; and what MAP says.
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
 * IOMMU_IOAS_UNMAP - take mappings away
 * @ioas_id: the IOAS
 * @iova: where to begin
 * @length: in: how far to go; out: the length of all mappings that were taken away
 *
 * 0 and 2^64 - 1 take away everything. Otherwise a mapping is taken as a whole or not at
 * all: ENOENT if one reaches over a border (those below it are gone then), or there is
 * none. EBUSY: one is just being made or taken away; EDEADLK: an in-kernel user did not
 * let go of one.
 */
struct iommu_ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__aligned_u64 iova;
	__aligned_u64 length;
};

#define IOMMU_IOAS_UNMAP	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_UNMAP)

/*
 * RLIMIT_MODE: who pays for pinned memory of this file, the user (0) or the process
 * (1). Can be set, by CAP_SYS_RESOURCE, while there is no object. @object_id is 0.
 *
 * HUGE_PAGES: may the IOMMU use larger pages than the CPU's smallest for an IOAS (1), or
 * not (0)? Cannot be set to 0 while a device has mappings. @object_id is the IOAS.
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
 * @object_id: what it is a setting of
 * @val64: in or out: the value
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
 * IOMMU_VFIO_IOAS - which IOAS do the container ioctls work on?
 * @ioas_id: out for GET, in for SET
 * @op: enum iommufd_vfio_ioas_op
 * @__reserved: 0
 *
 * GET: ENODEV if there is none. SET and CLEAR change what container ioctls map into
 * from now on and what the next group attaches to, not what groups are attached to. On a
 * container that stock type1 serves this command is ENOTTY: that it works proves who
 * serves.
 */
struct iommu_vfio_ioas {
	__u32 size;
	__u32 ioas_id;
	__u16 op;
	__u16 __reserved;
};

#define IOMMU_VFIO_IOAS		_IO(IOMMUFD_TYPE, IOMMUFD_CMD_VFIO_IOAS)

/* What kind of data comes with HWPT_ALLOC. */
enum iommu_hwpt_data_type {
	IOMMU_HWPT_DATA_NONE = 0,
};

enum iommufd_hwpt_alloc_flags {
	IOMMU_HWPT_ALLOC_NEST_PARENT = 1 << 0,
};

/*
 * IOMMU_HWPT_ALLOC - make an I/O page table that a device can be attached to
 * @flags: 0; what else there is needs an IOMMU driver that our kernels do not have
 * @dev_id: a device; the table is of the kind it needs
 * @pt_id: the IOAS that the table will mirror
 * @out_hwpt_id: its id
 * @__reserved: 0
 * @data_type: IOMMU_HWPT_DATA_NONE
 * @data_len: 0
 * @data_uptr: not looked at
 * @fault_id: not looked at
 * @__reserved2: not looked at
 *
 * It stays until DESTROY, and keeps the IOAS. ENOENT: no such device; EINVAL: no such
 * IOAS.
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
 * IOMMU_GET_HW_INFO - what is known of the IOMMU behind a device
 * @flags: enum iommu_hw_info_flags
 * @dev_id: the device
 * @data_len: in: room at @data_uptr; out: how much there is to tell
 * @data_uptr: where to tell it; what is left of the room is zeroed
 * @in_data_type: with INPUT_TYPE: the type wanted, 0 for whichever there is
 * @out_data_type: its type; NONE where there is nothing to tell
 * @out_max_pasid_log2: how many PASIDs the device may use: none
 * @__reserved: 0
 * @out_capabilities: what it can do beyond translation: nothing
 *
 * EOPNOTSUPP: another type than that of @in_data_type, where there is something to tell.
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
