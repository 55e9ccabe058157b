/* SPDX-License-Identifier: GPL-2.0-only */
/* emulated: declarations for all files of vfio_ioas_emulated_test.ko. */
#ifndef EMULATED_H
#define EMULATED_H

#include <linux/mutex.h>
#include <linux/vfio.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "emulated_test.h"

/**
 * struct emulated - a device
 * @vdev: the VFIO device; first, as vfio_alloc_device() demands
 * @pins_lock: protects what follows. As in many drivers, it is held in calls that pin and unpin,
 *	and taken by the callback for unmaps. So the caller of that callback must hold nothing that
 *	pinning needs. Other drivers pin without a lock, see EMULATED_NOTES_LATER
 * @pins: struct pin, by IOVA
 * @behaviour: how the device reacts, see EMULATED_BEHAVE
 * @info: counts since the device was opened, see EMULATED_INFO
 * @called_back: woken after each callback for unmaps
 */
struct emulated {
	struct vfio_device vdev;
	struct mutex pins_lock; /* see above */
	struct xarray pins; /* pins_lock */
	struct emulated_behave behaviour; /* pins_lock */
	struct emulated_info info; /* pins_lock */
	wait_queue_head_t called_back; /* its own lock */
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
