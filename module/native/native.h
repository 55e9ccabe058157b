/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * native: the device node whose open files are contexts: /dev/iommu, or /dev/iommu-ioas.
 */
#ifndef VFIO_IOAS_NATIVE_H
#define VFIO_IOAS_NATIVE_H

/**
 * native_init() - create the device node
 *
 * From now on it can be opened, but an open waits until loading is over.
 *
 * Context: loading of the module; may sleep.
 * Return: 0, or the error of misc_register() with nothing created.
 */
int native_init(void);

/**
 * native_exit() - undo native_init()
 *
 * Context: unloading of the module, when no file of ours is open; may sleep. Never fails.
 */
void native_exit(void);

#endif
