/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The native iommufd ioctls that vfio_ioas answers, binary compatible with
 * <linux/iommufd.h> of kernels that ship one.
 *
 * Every argument begins with its own size in bytes. A shorter struct than a command
 * needs is EINVAL; a longer one is fine if what the module does not know is zero,
 * otherwise E2BIG. An unknown command is ENOTTY, an unknown flag, operation or set
 * reserved field EOPNOTSUPP.
 */
#ifndef VFIO_IOAS_UAPI_IOMMUFD_H
#define VFIO_IOAS_UAPI_IOMMUFD_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOMMUFD_TYPE		(';')

enum {
	IOMMUFD_CMD_BASE = 0x80,
	IOMMUFD_CMD_VFIO_IOAS = 0x88,
};

enum iommufd_vfio_ioas_op {
	IOMMU_VFIO_IOAS_GET = 0,
	IOMMU_VFIO_IOAS_SET = 1,
	IOMMU_VFIO_IOAS_CLEAR = 2,
};

/*
 * IOMMU_VFIO_IOAS - which IOAS do the container ioctls work on?
 *
 * GET writes its id, never 0, to @ioas_id; ENODEV if there is none. On a container
 * that stock type1 serves this command is ENOTTY: that it works proves who serves.
 * SET and CLEAR are not offered yet: EOPNOTSUPP.
 */
struct iommu_vfio_ioas {
	__u32 size;
	__u32 ioas_id;
	__u16 op;		/* enum iommufd_vfio_ioas_op */
	__u16 __reserved;	/* 0 */
};

#define IOMMU_VFIO_IOAS		_IO(IOMMUFD_TYPE, IOMMUFD_CMD_VFIO_IOAS)

#endif
