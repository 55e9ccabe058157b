/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * call: a native ioctl under way, and how it gives its result to user space.
 *
 * Owns: struct native_call.
 */
#ifndef VFIO_IOAS_CALL_H
#define VFIO_IOAS_CALL_H

/* First: on some kernels it includes their own iommufd.h, which does not know of ours. */
#include <linux/iommu.h>
#include <linux/types.h>

#include "base/object.h"
#include "iommufd.h"
#ifdef VFIO_IOAS_SELFTEST
#include "test_cmd.h"
#endif

struct native_command;

/* The input of a handler. Bytes of @args that user space did not pass are zero. */
struct native_call {
	const struct native_command *command;
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

/**
 * call_respond() - copy the argument of a call back to user space
 * @call: the call, with the result in its argument
 * @nbytes: size of the whole argument; no more is written than user space passed
 *
 * Context: may fault: the caller holds nothing that other threads wait for.
 * Return: 0 or -EFAULT.
 */
int call_respond(struct native_call *call, u32 nbytes);

/**
 * call_publish() - give user space the id of a new object, and publish the object
 * @call: the call, with the id in its argument
 * @nbytes: as for call_respond()
 * @object: reserved, and complete; it is destroyed on an error
 *
 * Context: as call_respond().
 * Return: 0 or -EFAULT.
 */
int call_publish(struct native_call *call, u32 nbytes, struct ioas_object *object);

#endif
