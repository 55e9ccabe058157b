/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioctl: the table of native ioctls and the rules of their extensible structs.
 */
#ifndef VFIO_IOAS_IOCTL_H
#define VFIO_IOAS_IOCTL_H

#include <linux/types.h>

#include "iommufd.h"
#ifdef VFIO_IOAS_SELFTEST
#include "test_cmd.h"
#endif

struct ioas_ctx;
struct ioas_object;
struct ioctl_command;

/* What a handler works on: @args is zero beyond what user space gave. */
struct ioctl_call {
	const struct ioctl_command *command;
	struct ioas_ctx *ctx;
	void __user *uargs;
	u32 user_nbytes;
	union {
		u32 size;
		struct iommu_destroy destroy;
		struct iommu_ioas_alloc alloc;
		struct iommu_ioas_allow_iovas allow;
		struct iommu_ioas_copy copy;
		struct iommu_ioas_iova_ranges ranges;
		struct iommu_ioas_map map;
		struct iommu_ioas_unmap unmap;
		struct iommu_option option;
		struct iommu_vfio_ioas vfio_ioas;
		struct iommu_hwpt_alloc hwpt_alloc;
		struct iommu_hw_info hw_info;
#ifdef VFIO_IOAS_SELFTEST
		struct test_cmd test;
#endif
		u8 largest[72];
	} args;
};

/* Is it in the range of numbers that container ioctls do not use? */
static inline bool ioctl_is_native(unsigned int cmd)
{
	return _IOC_TYPE(cmd) == IOMMUFD_TYPE && _IOC_NR(cmd) >= IOMMUFD_CMD_BASE;
}

int ioctl_read_call(struct ioctl_call *call, unsigned int cmd, unsigned long arg);
long ioctl_serve(struct ioctl_call *call, struct ioas_ctx *ctx);
int ioctl_respond(struct ioctl_call *call, u32 nbytes);
int ioctl_publish(struct ioctl_call *call, u32 nbytes, struct ioas_object *object);

int handle_ioas_alloc(struct ioctl_call *call);
int handle_ioas_allow_iovas(struct ioctl_call *call);
int handle_ioas_copy(struct ioctl_call *call);
int handle_ioas_iova_ranges(struct ioctl_call *call);
int handle_ioas_map(struct ioctl_call *call);
int handle_ioas_unmap(struct ioctl_call *call);
int handle_option(struct ioctl_call *call);
int handle_vfio_ioas(struct ioctl_call *call);
#ifdef VFIO_IOAS_SELFTEST
int handle_test(struct ioctl_call *call);
#endif

#endif
