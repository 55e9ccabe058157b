/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pin: getting user pages for DMA, and giving them back.
 *
 * Owns: struct pin_buffer. Every pin_user_pages_*() and unpin_*() call is here.
 */
#ifndef VFIO_IOAS_PIN_H
#define VFIO_IOAS_PIN_H

#include <linux/types.h>

struct mm_struct;
struct page;

#define PIN_FEW	16

/* Room for the result of one batch. Lives on the stack of one operation. */
struct pin_buffer {
	struct page **pages;
	unsigned int max_pages;
	struct page *few[PIN_FEW];	/* small maps need no allocation */
};

void pin_buffer_init(struct pin_buffer *buffer, unsigned long npages);
void pin_buffer_destroy(struct pin_buffer *buffer);
long pin_user(struct pin_buffer *buffer, struct mm_struct *mm, unsigned long uaddr,
	      unsigned long npages, bool writable);
void unpin_batch(struct pin_buffer *buffer, long from, long npinned);
void unpin_run(unsigned long pfn, unsigned long npages, bool dirty);

#endif
