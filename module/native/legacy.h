/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * legacy: the container ioctls on /dev/iommu.
 */
#ifndef VFIO_IOAS_LEGACY_H
#define VFIO_IOAS_LEGACY_H

struct ioas_ctx;

/**
 * legacy_ioctl() - serve a container ioctl on /dev/iommu
 * @ctx: the context
 * @cmd: the whole command word
 * @arg: user pointer, or a number
 *
 * Context: the calling process; may sleep and fault.
 * Return: as iommufd: 0 or a number, or:
 * * -ENODEV: no IOAS is chosen
 * * -ENOTTY: iommufd does not know the command
 * * the errno of the command
 */
long legacy_ioctl(struct ioas_ctx *ctx, unsigned int cmd, unsigned long arg);

#endif
