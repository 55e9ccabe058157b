/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status: the file "vfio_ioas/status" in debugfs.
 */
#ifndef VFIO_IOAS_STATUS_H
#define VFIO_IOAS_STATUS_H

/**
 * status_init() - create the file
 *
 * Without debugfs there is none, and nobody minds.
 */
void status_init(void);

/**
 * status_exit() - undo status_init()
 */
void status_exit(void);

#endif
