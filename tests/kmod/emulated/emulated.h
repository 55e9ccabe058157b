/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the test driver share. */
#ifndef EMULATED_H
#define EMULATED_H

#include <linux/mutex.h>
#include <linux/vfio.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "emulated_test.h"

/**
 * struct emulated - a device
 * @vdev: what vfio.ko knows of it; comes first, as vfio_alloc_device() wants it
 * @pins_lock: protects what follows. Held in calls that pin and unpin, and taken by the unmap
 *	callback, as drivers do: whoever calls that back may hold nothing that pinning needs. Other
 *	drivers pin without a lock, see EMULATED_NOTES_LATER
 * @pins: IOVA -> struct pin
 * @behaviour: how it answers
 * @info: what has happened since it was opened
 * @called_back: an unmap callback has come
 */
struct emulated {
	struct vfio_device vdev;
	struct mutex pins_lock; /* see above */
	struct xarray pins; /* pins_lock */
	struct emulated_behave behaviour; /* pins_lock */
	struct emulated_info info; /* pins_lock */
	wait_queue_head_t called_back; /* its own */
};

/* pins.c */
void pins_init(struct emulated *emulated);
void pins_open(struct emulated *emulated, bool pin_one);
void pins_close(struct emulated *emulated);
int pins_add(struct emulated *emulated, const struct emulated_pin *range);
int pins_remove(struct emulated *emulated, const struct emulated_pin *range);
int pins_copy(struct emulated *emulated, unsigned long iova, void *data, unsigned long nbytes,
	      bool to_pages);
void pins_unmapped(struct emulated *emulated, unsigned long iova, unsigned long last_iova);
void pins_behave(struct emulated *emulated, const struct emulated_behave *behaviour);
void pins_info(struct emulated *emulated, struct emulated_info *info);

/* copy.c */
int copy_rw(struct emulated *emulated, const struct emulated_rw *rw);
int copy_pinned(struct emulated *emulated, const struct emulated_rw *rw);

#endif
