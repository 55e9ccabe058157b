/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * native: the device whose open files are contexts.
 */
#ifndef VFIO_IOAS_NATIVE_H
#define VFIO_IOAS_NATIVE_H

int native_init(void);
void native_exit(void);

#endif
