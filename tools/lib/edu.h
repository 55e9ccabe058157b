/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * edu.h - a driver for QEMU's edu device on top of VFIO
 *
 * The device has a buffer of its own, and copies up to 2048 bytes between it and an IOVA. A
 * transfer takes about 100 ms, and ends in the same way if the IOMMU blocks it. The guest's tests
 * use this driver, too.
 */
#ifndef TOOLS_EDU_H
#define TOOLS_EDU_H

#include <stdbool.h>
#include <stdint.h>

#define EDU_BYTES	2048U	/* of one transfer; more makes QEMU abort */

struct edu {
	int fd;
	volatile uint8_t *bar;
	uint64_t bar_nbytes;
};

/* Enables DMA and maps the registers: 0 or -errno. The caller keeps the descriptor. */
int edu_map(struct edu *edu, int fd);
int edu_unmap(struct edu *edu);

/* Begin a transfer: load from memory to the device, store to memory. */
void edu_start_load(struct edu *edu, uint64_t iova, uint32_t nbytes);
void edu_start_store(struct edu *edu, uint64_t iova, uint32_t nbytes);
bool edu_is_idle(const struct edu *edu);

#endif
