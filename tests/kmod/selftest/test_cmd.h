/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_cmd: IOMMU_TEST_CMD, an ioctl of selftest builds.
 *
 * With it a program makes mock devices, each behind its own IOMMU with pages of MOCK_IO_PAGE bytes,
 * and acts as an in-kernel user (an access). The ABI is that of iommufd's selftests in Linux
 * (drivers/iommu/iommufd/iommufd_test.h), in our own words:
 * Copyright (c) 2021-2022, NVIDIA CORPORATION & AFFILIATES.
 */
#ifndef VFIO_IOAS_TEST_CMD_H
#define VFIO_IOAS_TEST_CMD_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOMMU_TEST_CMD		_IO(';', 0xA0)

enum test_op {
	TEST_OP_ADD_RESERVED = 1,
	TEST_OP_MOCK_DOMAIN,
	TEST_OP_MD_CHECK_MAP,
	TEST_OP_MD_CHECK_REFS,
	TEST_OP_CREATE_ACCESS,
	TEST_OP_DESTROY_ACCESS_PAGES,
	TEST_OP_ACCESS_PAGES,
	TEST_OP_ACCESS_RW,
	TEST_OP_SET_TEMP_MEMORY_LIMIT,
	TEST_OP_MOCK_DOMAIN_REPLACE,
	TEST_OP_ACCESS_REPLACE_IOAS,
	TEST_OP_MOCK_DOMAIN_FLAGS,
	TEST_OP_DIRTY,
	TEST_OP_MD_CHECK_IOTLB,
	TEST_OP_TRIGGER_IOPF,
	TEST_OP_DEV_CHECK_CACHE,
	/* our own: breaks something, looks at the context quietly, and repairs it */
	TEST_OP_CORRUPT = 32,
};

/* The subjects of the checker's rules. Each has a bit in a set of complaints. */
enum rule {
	RULE_AREAS,	/* the addresses, states and counts of areas */
	RULE_STORES,	/* the pinned pages of a store, and their runs */
	RULE_DOMAINS,	/* the mappings of domains */
	RULE_PINS,	/* the kernel's counts of pins */
	RULE_CHARGES,	/* the kernel's counts of charges */
};

/* Ways to break the state of an area in a mock domain. */
enum corruption {
	CORRUPT_NOTHING,
	CORRUPT_STATE,		/* claimed, by no thread */
	CORRUPT_BUSY,		/* busy, without a call */
	CORRUPT_NPINS,		/* one pin too many */
	CORRUPT_MARKS,		/* a wrong flag in area->flags */
	CORRUPT_BORDER,		/* the run of its first page ends behind that page */
	CORRUPT_MAP_MORE,	/* the domain maps a page right above the area */
	CORRUPT_MAP_LESS,	/* the domain does not map the first page of the area ... */
	CORRUPT_MAP_OTHER,	/* ... or maps it to other memory */
	CORRUPT_PIN_MORE,	/* the first page has one pin too many ... */
	CORRUPT_PIN_LESS,	/* ... or one too few */
	CORRUPT_CHARGE_MORE,	/* the account was charged with a page too many ... */
	CORRUPT_CHARGE_LESS,	/* ... or one too few */
	CORRUPT_COUNTER,	/* the mm's counter of pinned pages is one too low */
	NCORRUPTIONS,
};

/* Abilities of the IOMMU of a mock device; "last" is inclusive. */
#define MOCK_APERTURE_START	0x1000000ULL
#define MOCK_APERTURE_LAST	0x7fffffffULL
#define MOCK_IO_PAGE		2048ULL

/* The memory for temporaries, in bytes. */
#define DEFAULT_TEMP_LIMIT	65536U
#define SMALLEST_TEMP_LIMIT	16U

/* create_access.flags */
#define ACCESS_CREATE_NEEDS_PIN	1U
/* access_pages.flags */
#define ACCESS_PAGES_WRITE	1U
/* access_rw.flags */
#define ACCESS_RW_WRITE		1U
#define ACCESS_RW_SLOW_PATH	4U

/* mock_domain.dev_flags: the first one takes an ability away, the others add one */
#define MOCK_NO_DIRTY		1U
#define MOCK_HUGE_IOVA		2U
#define MOCK_PASID		4U
/* our own: the driver completes a domain at attach; half the aperture; coherency is enforced */
#define MOCK_LATE		0x100U
#define MOCK_NARROW		0x200U
#define MOCK_COHERENT		0x400U
#define MOCK_NARROW_LAST	0x3fffffffULL
/* dev_check_cache */
#define MOCK_CACHE_ID_MAX	3U
#define MOCK_CACHE_DEFAULT	0xbaddadU

struct test_cmd {
	__u32 size;
	__u32 op;
	__u32 id;	/* of an object, or the descriptor of an access */
	__u32 reserved;
	union {
		struct {
			__aligned_u64 start;
			__aligned_u64 length;
		} add_reserved;
		struct {
			__u32 out_stdev_id;
			__u32 out_hwpt_id;
			__u32 out_idev_id;
			__u32 dev_flags;	/* of MOCK_DOMAIN_FLAGS */
		} mock_domain;
		struct {
			__u32 pt_id;
		} mock_domain_replace;
		struct {
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
		} check_map;
		struct {
			__aligned_u64 length;
			__aligned_u64 uptr;
			__u32 refs;
		} check_refs;
		struct {
			__s32 out_access_fd;
			__u32 flags;
		} create_access;
		struct {
			__u32 access_pages_id;
		} destroy_access_pages;
		struct {
			__u32 flags;
			__u32 out_access_pages_id;
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
		} access_pages;
		struct {
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
			__u32 flags;
		} access_rw;
		struct {
			__u32 limit;
		} memory_limit;
		struct {
			__u32 ioas_id;
		} access_replace_ioas;
		struct {
			__u32 id;
			__u32 cache;
		} dev_check_cache;
		struct {
			__aligned_u64 iova;	/* of the area */
			__u32 what;		/* enum corruption */
			__u32 out_said;		/* complaints, a bit for each enum rule */
		} corrupt;
		__u8 room[48];
	};
	__u32 last;
};

/* The answer of GET_HW_INFO for a mock device. */
#define TEST_HW_INFO_TYPE	0xfeedbeef
#define TEST_HW_INFO_REG	0xdeadbeef
#define TEST_PASID_WIDTH	20

struct test_hw_info {
	__u32 flags;
	__u32 test_reg;
};

#endif
