/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_dirty.h - dirty tracking of a container
 *
 * Functions return the result of the ioctl, or -errno. Sizes are in bytes.
 */
#ifndef GUEST_LIB_DIRTY_H
#define GUEST_LIB_DIRTY_H

#include "lib.h"

int dirty_start(int container);
int dirty_stop(int container);
int dirty_get(int container, uint64_t iova, uint64_t nbytes, void *bitmap,
	      uint64_t bitmap_nbytes);
/* Unmaps with a report. Returns the number of bytes unmapped, or -errno. */
long long dirty_unmap(int container, uint64_t iova, uint64_t nbytes,
		      void *bitmap, uint64_t bitmap_nbytes);

#endif
