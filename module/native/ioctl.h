/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioctl: the table of native ioctls, and the rules of their extensible structs.
 */
#ifndef VFIO_IOAS_IOCTL_H
#define VFIO_IOAS_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "call.h"

/* Is @cmd in the range of numbers for native ioctls, where no container ioctl is? */
static inline bool ioctl_is_native(unsigned int cmd)
{
	return _IOC_TYPE(cmd) == IOMMUFD_TYPE && _IOC_NR(cmd) >= IOMMUFD_CMD_BASE;
}

/**
 * ioctl_read_call() - read a native ioctl
 * @call: receives the command and its argument, for ioctl_serve()
 * @cmd: the whole command word
 * @arg: user pointer to the command's struct
 *
 * Context: may fault: the caller holds nothing that other threads wait for.
 * Return: 0, or:
 * * -ENOTTY: the command is unknown, or has a direction or a size in its word
 * * -EFAULT: the struct cannot be read
 * * -EINVAL: the struct is too short
 * * -E2BIG: a byte behind the known part of the struct is not zero
 */
int ioctl_read_call(struct native_call *call, unsigned int cmd, unsigned long arg);

/**
 * ioctl_serve() - carry out a native ioctl
 * @call: from ioctl_read_call()
 * @ctx: the context that the command works on
 *
 * Context: the calling process; may sleep and fault.
 * Return: 0, or the errno of the command.
 */
long ioctl_serve(struct native_call *call, struct ioas_ctx *ctx);

#endif
