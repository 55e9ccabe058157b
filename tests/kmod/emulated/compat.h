/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat: differences between the kernels for which the driver is built. Kbuild defines HAVE_...
 * for each of them.
 */
#ifndef EMULATED_COMPAT_H
#define EMULATED_COMPAT_H

#include <linux/vfio.h>

/* Before Linux 6.2 a driver frees the memory of its device itself. */
static inline void compat_release(struct vfio_device *vdev)
{
#ifdef HAVE_VFIO_FREE_DEVICE
	vfio_free_device(vdev);
#endif
}

/*
 * Since Linux 6.2 a driver names functions that bind its devices to iommufd; vfio.ko has them. The
 * macro is a part of the initializer of the operations, with the last comma.
 */
#ifdef HAVE_BIND_IOMMUFD
#define COMPAT_IOMMUFD_OPS						\
	.bind_iommufd = vfio_iommufd_emulated_bind,			\
	.unbind_iommufd = vfio_iommufd_emulated_unbind,			\
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,		\
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
#else
#define COMPAT_IOMMUFD_OPS
#endif

#endif
