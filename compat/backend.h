/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend: the registration with vfio.ko.
 */
#ifndef VFIO_IOAS_BACKEND_H
#define VFIO_IOAS_BACKEND_H

/**
 * backend_init() - register with vfio.ko
 *
 * From now on vfio.ko asks us first, also when vfio_iommu_type1 is loaded later. If there is no
 * memory for that then, it is logged.
 *
 * Context: the module is being loaded; may sleep. Takes registrations_mutex.
 * Return: 0; or, with nothing registered, -ENOMEM or another error of
 * register_module_notifier() or vfio_register_iommu_driver().
 */
int backend_init(void);

/**
 * backend_exit() - undo backend_init()
 *
 * Waits until each task that runs in the kernel has slept or returned to user space, which can
 * take long.
 *
 * Context: no container of ours is left, and none can come: the module is being unloaded, or was
 * not loaded with success. Sleeps. Takes registrations_mutex. Never fails.
 */
void backend_exit(void);

#endif
