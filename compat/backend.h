/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend: what vfio.ko calls.
 */
#ifndef VFIO_IOAS_BACKEND_H
#define VFIO_IOAS_BACKEND_H

int backend_init(void);
void backend_exit(void);

#endif
