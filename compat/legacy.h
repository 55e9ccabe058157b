/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * legacy: the container ioctls on /dev/iommu.
 */
#ifndef VFIO_IOAS_LEGACY_H
#define VFIO_IOAS_LEGACY_H

struct ioas_ctx;

long legacy_ioctl(struct ioas_ctx *ctx, unsigned int cmd, unsigned long arg);

#endif
