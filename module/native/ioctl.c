// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl: the table of native ioctls, and the rules of their extensible structs.
 *
 * Commands that the supported kernels cannot serve are in the table with their sizes, so that a
 * program that probes for them gets a regular answer.
 *
 * Locking: none; each command takes the locks that it needs.
 */
#include <linux/build_bug.h>
#include <linux/ioctl.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>

#include "call.h"
#include "handlers.h"
#include "ioctl.h"

struct native_command {
	unsigned int cmd;
	u32 nbytes;		/* size of the argument in uapi/iommufd.h */
	u32 min_nbytes;		/* size of the argument that the oldest programs pass */
	int (*handler)(struct native_call *call);
};

static int handle_unsupported(struct native_call *call)
{
	return -EOPNOTSUPP;
}

#define COMMAND(_cmd, _handler, _struct, _last)				\
	{								\
		.cmd = (_cmd),						\
		.nbytes = sizeof(_struct),				\
		.min_nbytes = offsetofend(_struct, _last),		\
		.handler = (_handler),					\
	}

/* Of a command that is refused only the sizes matter. */
#define UNSUPPORTED(_nr, _nbytes, _min_nbytes)				\
	{								\
		.cmd = _IO(IOMMUFD_TYPE, _nr),				\
		.nbytes = (_nbytes),					\
		.min_nbytes = (_min_nbytes),				\
		.handler = handle_unsupported,				\
	}

/* The index is the number of the command, from IOMMUFD_CMD_BASE on. */
static const struct native_command commands[] = {
	COMMAND(IOMMU_DESTROY, handle_destroy, struct iommu_destroy, id),
	COMMAND(IOMMU_IOAS_ALLOC, handle_ioas_alloc, struct iommu_ioas_alloc,
		out_ioas_id),
	COMMAND(IOMMU_IOAS_ALLOW_IOVAS, handle_ioas_allow_iovas,
		struct iommu_ioas_allow_iovas, allowed_iovas),
	COMMAND(IOMMU_IOAS_COPY, handle_ioas_copy, struct iommu_ioas_copy, src_iova),
	COMMAND(IOMMU_IOAS_IOVA_RANGES, handle_ioas_iova_ranges,
		struct iommu_ioas_iova_ranges, out_iova_alignment),
	COMMAND(IOMMU_IOAS_MAP, handle_ioas_map, struct iommu_ioas_map, iova),
	COMMAND(IOMMU_IOAS_UNMAP, handle_ioas_unmap, struct iommu_ioas_unmap, length),
	COMMAND(IOMMU_OPTION, handle_option, struct iommu_option, val64),
	COMMAND(IOMMU_VFIO_IOAS, handle_vfio_ioas, struct iommu_vfio_ioas, __reserved),
	COMMAND(IOMMU_HWPT_ALLOC, handle_hwpt_alloc, struct iommu_hwpt_alloc, __reserved),
	COMMAND(IOMMU_GET_HW_INFO, handle_get_hw_info, struct iommu_hw_info, __reserved),
	UNSUPPORTED(0x8b, 16, 16),	/* HWPT_SET_DIRTY_TRACKING */
	UNSUPPORTED(0x8c, 48, 48),	/* HWPT_GET_DIRTY_BITMAP */
	UNSUPPORTED(0x8d, 32, 32),	/* HWPT_INVALIDATE */
	UNSUPPORTED(0x8e, 16, 16),	/* FAULT_QUEUE_ALLOC */
	UNSUPPORTED(0x8f, 40, 40),	/* IOAS_MAP_FILE */
	UNSUPPORTED(0x90, 40, 24),	/* VIOMMU_ALLOC */
	UNSUPPORTED(0x91, 24, 24),	/* VDEVICE_ALLOC */
	UNSUPPORTED(0x92, 8, 8),	/* IOAS_CHANGE_PROCESS */
	UNSUPPORTED(0x93, 32, 28),	/* VEVENTQ_ALLOC */
	UNSUPPORTED(0x94, 40, 40),	/* HW_QUEUE_ALLOC */
};

#ifdef VFIO_IOAS_SELFTEST
static const struct native_command test_command =
	COMMAND(IOMMU_TEST_CMD, handle_test, struct test_cmd, last);
#endif

static const struct native_command *find_command(unsigned int cmd)
{
	unsigned int index = _IOC_NR(cmd) - IOMMUFD_CMD_BASE;

#ifdef VFIO_IOAS_SELFTEST
	if (cmd == test_command.cmd)
		return &test_command;
#endif
	if (index >= ARRAY_SIZE(commands))
		return NULL;
	return &commands[index];
}

int ioctl_read_call(struct native_call *call, unsigned int cmd, unsigned long arg)
{
	const struct native_command *command = find_command(cmd);

	if (!command)
		return -ENOTTY;
	*call = (struct native_call){ .command = command, .uargs = (void __user *)arg };
	if (get_user(call->user_nbytes, (u32 __user *)arg))
		return -EFAULT;
	if (command->cmd != cmd)
		return -ENOTTY;
	if (call->user_nbytes < command->min_nbytes)
		return -EINVAL;
	BUILD_BUG_ON(sizeof(call->args) > 72);
	return copy_struct_from_user(&call->args, command->nbytes, call->uargs,
				     call->user_nbytes);
}

long ioctl_serve(struct native_call *call, struct ioas_ctx *ctx)
{
	call->ctx = ctx;
	return call->command->handler(call);
}
