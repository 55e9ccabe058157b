/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat: what differs between the kernels that the driver is built for. Kbuild says which
 * kernel has what.
 */
#ifndef EMULATED_COMPAT_H
#define EMULATED_COMPAT_H

#include <linux/vfio.h>

/* Until 6.2 a driver frees the memory of its device itself. */
static inline void compat_release(struct vfio_device *vdev)
{
#ifdef HAVE_VFIO_FREE_DEVICE
	vfio_free_device(vdev);
#endif
}

/*
 * Since 6.2 a driver says how its devices get along with iommufd; vfio.ko has the answers. To
 * stand, with its last comma, in the initializer of the operations.
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
