// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl: the table of native ioctls and the rules of their extensible structs.
 *
 * Locking: none here; each command takes what it needs.
 */
#include <linux/build_bug.h>
#include <linux/ioctl.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "iommufd.h"
#include "object.h"

/* What a handler works on: @args is zero beyond what user space gave. */
struct ioctl_call {
	struct ioas_ctx *ctx;
	void __user *uargs;
	u32 user_nbytes;
	union {
		u32 size;
		struct iommu_vfio_ioas vfio_ioas;
	} args;
};

struct ioctl_command {
	unsigned int cmd;
	u32 nbytes;		/* of the argument as we know it */
	u32 min_nbytes;		/* what the oldest program must give */
	int (*handler)(struct ioctl_call *call);
};

static int call_respond(struct ioctl_call *call, u32 nbytes)
{
	if (copy_to_user(call->uargs, &call->args, min(call->user_nbytes, nbytes)))
		return -EFAULT;
	return 0;
}

static int handle_vfio_ioas(struct ioctl_call *call)
{
	struct iommu_vfio_ioas *args = &call->args.vfio_ioas;

	if (args->__reserved || args->op != IOMMU_VFIO_IOAS_GET)
		return -EOPNOTSUPP;
	if (!call->ctx->vfio_ioas_id)
		return -ENODEV;
	args->ioas_id = call->ctx->vfio_ioas_id;
	return call_respond(call, sizeof(*args));
}

#define COMMAND(_cmd, _handler, _struct, _last)				\
	{								\
		.cmd = (_cmd),						\
		.nbytes = sizeof(_struct),				\
		.min_nbytes = offsetofend(_struct, _last),		\
		.handler = (_handler),					\
	}

static const struct ioctl_command commands[] = {
	COMMAND(IOMMU_VFIO_IOAS, handle_vfio_ioas, struct iommu_vfio_ioas, __reserved),
};

static const struct ioctl_command *find_command(unsigned int cmd)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].cmd == cmd)
			return &commands[i];
	return NULL;
}

/**
 * ioas_ctx_ioctl() - serve a native ioctl
 * @ctx: the context it acts on
 * @cmd: the whole command word
 * @arg: user pointer to the command's struct
 *
 * Context: the calling process; may sleep.
 * Return: 0; -ENOTTY for an unknown command; -EFAULT; -EINVAL if the struct is too
 * short; -E2BIG if it has data we do not know; what the command says.
 */
long ioas_ctx_ioctl(struct ioas_ctx *ctx, unsigned int cmd, unsigned long arg)
{
	const struct ioctl_command *command = find_command(cmd);
	struct ioctl_call call = { .ctx = ctx, .uargs = (void __user *)arg };
	int ret;

	if (!command)
		return -ENOTTY;
	if (get_user(call.user_nbytes, (u32 __user *)arg))
		return -EFAULT;
	if (call.user_nbytes < command->min_nbytes)
		return -EINVAL;
	ret = copy_struct_from_user(&call.args, command->nbytes, call.uargs,
				    call.user_nbytes);
	if (ret)
		return ret;
	return command->handler(&call);
}
