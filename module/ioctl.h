/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioctl: the table of native ioctls and the rules of their extensible structs.
 */
#ifndef VFIO_IOAS_IOCTL_H
#define VFIO_IOAS_IOCTL_H

struct ioas_ctx;

long ioas_ctx_ioctl(struct ioas_ctx *ctx, unsigned int cmd, unsigned long arg);

#endif
