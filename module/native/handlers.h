/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * handlers: the functions that carry out native ioctls, for the table in ioctl.c.
 *
 * The argument of each has been read into its call. Each may sleep and fault, and returns 0 or the
 * errno for user space. docs/uapi.md lists the errnos of each command, in the order of the checks.
 */
#ifndef VFIO_IOAS_HANDLERS_H
#define VFIO_IOAS_HANDLERS_H

struct native_call;

/* object_ioctl.c */
int handle_destroy(struct native_call *call);
int handle_hwpt_alloc(struct native_call *call);
int handle_get_hw_info(struct native_call *call);

/* ioas_ioctl.c */
int handle_ioas_alloc(struct native_call *call);
int handle_ioas_allow_iovas(struct native_call *call);
int handle_ioas_copy(struct native_call *call);
int handle_ioas_iova_ranges(struct native_call *call);
int handle_ioas_map(struct native_call *call);
int handle_ioas_unmap(struct native_call *call);
int handle_option(struct native_call *call);
int handle_vfio_ioas(struct native_call *call);

#ifdef VFIO_IOAS_SELFTEST
int handle_test(struct native_call *call);
#endif

#endif
