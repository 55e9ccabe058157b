/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioctl: the table of native ioctls and the rules of their extensible structs.
 */
#ifndef VFIO_IOAS_IOCTL_H
#define VFIO_IOAS_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "call.h"

/* Is it in the range of numbers that container ioctls do not use? */
static inline bool ioctl_is_native(unsigned int cmd)
{
	return _IOC_TYPE(cmd) == IOMMUFD_TYPE && _IOC_NR(cmd) >= IOMMUFD_CMD_BASE;
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
int ioctl_read_call(struct native_call *call, unsigned int cmd, unsigned long arg);

/**
 * ioctl_serve() - serve a native ioctl
 * @call: which ioctl_read_call() has read
 * @ctx: the context it acts on
 *
 * Context: the calling process; may sleep.
 * Return: 0, or what the command says.
 */
long ioctl_serve(struct native_call *call, struct ioas_ctx *ctx);

#endif
