// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl: the table of native ioctls and the rules of their extensible structs.
 *
 * What is known of a command but cannot be done on the kernels we run on is in the table
 * with its sizes, so that programs that probe for it get a regular answer.
 *
 * Locking: none here; each command takes what it needs.
 */
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/ioctl.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "base/object.h"
#include "domain/hwpt.h"
#include "ioctl.h"
#include "kapi/device.h"
#include "space/ioas.h"

struct ioctl_command {
	unsigned int cmd;
	u32 nbytes;		/* of the argument as we know it */
	u32 min_nbytes;		/* what the oldest program must give */
	int (*handler)(struct ioctl_call *call);
};

/**
 * ioctl_respond() - give the argument back to user space
 * @call: the call
 * @nbytes: size of the argument as we know it
 *
 * Return: 0 or -EFAULT.
 */
int ioctl_respond(struct ioctl_call *call, u32 nbytes)
{
	if (copy_to_user(call->uargs, &call->args, min(call->user_nbytes, nbytes)))
		return -EFAULT;
	return 0;
}

/**
 * ioctl_publish() - tell user space the id of a new object, and let it be found
 * @call: the call, with the id in its argument
 * @nbytes: size of the argument as we know it
 * @object: reserved and complete; destroyed on error
 *
 * Return: 0 or -EFAULT.
 */
int ioctl_publish(struct ioctl_call *call, u32 nbytes, struct ioas_object *object)
{
	int ret = ioctl_respond(call, nbytes);

	if (ret) {
		ioas_object_abort(object);
		object->ops->destroy(object);
	} else {
		ioas_object_publish(object);
	}
	return ret;
}

static int handle_destroy(struct ioctl_call *call)
{
	return ioas_object_destroy(call->ctx, call->args.destroy.id);
}

/* Lets go of all but what is made: its user's memory may keep an answer waiting. */
static struct ioas_hwpt *alloc_hwpt(struct ioas_ctx *ctx, const struct iommu_hwpt_alloc *args)
{
	struct ioas_hwpt *hwpt = ERR_PTR(-EINVAL);
	struct ioas_device *idev;
	struct ioas *ioas;

	idev = idev_get(ctx, args->dev_id);
	if (!idev)
		return ERR_PTR(-ENOENT);
	ioas = ioas_get(ctx, args->pt_id);
	if (ioas) {
		/* No driver of ours takes data for a table that it walks itself. */
		if (args->flags & ~IOMMU_HWPT_ALLOC_NEST_PARENT || args->data_len)
			hwpt = ERR_PTR(-EOPNOTSUPP);
		else
			hwpt = idev_alloc_hwpt(idev, ioas, args->flags);
		ioas_put(ioas);
	}
	ioas_object_put(&idev->object);
	return hwpt;
}

static int handle_hwpt_alloc(struct ioctl_call *call)
{
	struct iommu_hwpt_alloc *args = &call->args.hwpt_alloc;
	struct ioas_hwpt *hwpt;

	if (args->__reserved)
		return -EOPNOTSUPP;
	if (!args->data_type != !args->data_len)
		return -EINVAL;
	hwpt = alloc_hwpt(call->ctx, args);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	args->out_hwpt_id = hwpt->object.id;
	return ioctl_publish(call, sizeof(*args), &hwpt->object);
}

/* Gives out what there is, as far as there is room, and zeroes behind it. */
static int put_hw_info(struct iommu_hw_info *args, const struct ioas_hw_info *info)
{
	u32 nbytes = min(args->data_len, info->nbytes);

	if (copy_to_user(u64_to_user_ptr(args->data_uptr), info->data, nbytes) ||
	    clear_user(u64_to_user_ptr(args->data_uptr + nbytes), args->data_len - nbytes))
		return -EFAULT;
	args->data_len = info->nbytes;
	args->out_data_type = info->type;
	args->out_max_pasid_log2 = info->max_pasid_log2;
	args->out_capabilities = 0;
	return 0;
}

static int handle_get_hw_info(struct ioctl_call *call)
{
	struct iommu_hw_info *args = &call->args.hw_info;
	struct ioas_hw_info info = { };
	struct ioas_device *idev;
	bool is_asked;
	int ret;

	if (args->flags & ~IOMMU_HW_INFO_FLAG_INPUT_TYPE ||
	    memchr_inv(args->__reserved, 0, sizeof(args->__reserved)))
		return -EOPNOTSUPP;
	idev = idev_get(call->ctx, args->dev_id);
	if (!idev)
		return -ENOENT;
	/* A driver that tells nothing is not asked for a type. */
	is_asked = idev->igroup->bus->get_hw_info;
	if (is_asked)
		idev->igroup->bus->get_hw_info(&info);
	ioas_object_put(&idev->object);
	if (is_asked && args->flags & IOMMU_HW_INFO_FLAG_INPUT_TYPE && args->in_data_type &&
	    args->in_data_type != info.type)
		return -EOPNOTSUPP;
	ret = put_hw_info(args, &info);
	return ret ?: ioctl_respond(call, sizeof(*args));
}

static int handle_unsupported(struct ioctl_call *call)
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

/* Of those we have no use for only the sizes matter. */
#define UNSUPPORTED(_nr, _nbytes, _min_nbytes)				\
	{								\
		.cmd = _IO(IOMMUFD_TYPE, _nr),				\
		.nbytes = (_nbytes),					\
		.min_nbytes = (_min_nbytes),				\
		.handler = handle_unsupported,				\
	}

/* By number, without a hole. */
static const struct ioctl_command commands[] = {
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
static const struct ioctl_command test_command =
	COMMAND(IOMMU_TEST_CMD, handle_test, struct test_cmd, last);
#endif

static const struct ioctl_command *find_command(unsigned int cmd)
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

/**
 * ioctl_read_call() - read a native ioctl
 * @call: for ioctl_serve()
 * @cmd: the whole command word
 * @arg: user pointer to the command's struct
 *
 * Context: may fault: the caller holds nothing that others wait for.
 * Return: 0; -ENOTTY for an unknown command; -EFAULT; -EINVAL if the struct is too
 * short; -E2BIG if it has data we do not know.
 */
int ioctl_read_call(struct ioctl_call *call, unsigned int cmd, unsigned long arg)
{
	const struct ioctl_command *command = find_command(cmd);

	if (!command)
		return -ENOTTY;
	*call = (struct ioctl_call){ .command = command, .uargs = (void __user *)arg };
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

/**
 * ioctl_serve() - serve a native ioctl
 * @call: which ioctl_read_call() has read
 * @ctx: the context it acts on
 *
 * Context: the calling process; may sleep.
 * Return: 0, or what the command says.
 */
long ioctl_serve(struct ioctl_call *call, struct ioas_ctx *ctx)
{
	call->ctx = ctx;
	return call->command->handler(call);
}
