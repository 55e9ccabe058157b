/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status: the file vfio_ioas/status in debugfs.
 */
#ifndef VFIO_IOAS_STATUS_H
#define VFIO_IOAS_STATUS_H

/**
 * status_init() - create the file
 *
 * Without debugfs there is no file, which is no error.
 *
 * Context: loading of the module; may sleep. Never fails.
 */
void status_init(void);

/**
 * status_exit() - undo status_init()
 *
 * When this returns, no thread reads the file.
 *
 * Context: unloading of the module; sleeps. Never fails.
 */
void status_exit(void);

#endif
