/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pin: getting user pages for DMA, and giving them back.
 *
 * Owns: struct pin_buffer. Every pin_user_pages_*() and unpin_*() call is in pin.c or
 * in this file.
 */
#ifndef VFIO_IOAS_PIN_H
#define VFIO_IOAS_PIN_H

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "kcompat.h"

#define PIN_FEW	16

/* How many pages may be given back before somebody else should get the CPU. */
#define UNPIN_AT_ONCE	65536UL

/* Room for the result of one batch. Lives on the stack of one operation. */
struct pin_buffer {
	struct page **pages;
	unsigned int max_pages;
	struct page *few[PIN_FEW];	/* small maps need no allocation */
};

/* How to pin for a device; @unshares: break copy-on-write where it only reads, too. */
static inline unsigned int pin_flags(bool writable, bool unshares)
{
	unsigned int flags = FOLL_LONGTERM;

	if (writable)
		flags |= FOLL_WRITE;
	else if (unshares)
		flags |= KCOMPAT_FOLL_UNSHARE;
	return flags;
}

#ifdef VFIO_IOAS_SELFTEST
extern unsigned int pin_max_pages;
#endif

void pin_buffer_init(struct pin_buffer *buffer, unsigned long npages);
void pin_buffer_destroy(struct pin_buffer *buffer);
long pin_user(struct pin_buffer *buffer, struct mm_struct *mm, unsigned long uaddr,
	      unsigned long npages, unsigned int gup_flags);
int pin_one(struct mm_struct *mm, unsigned long uaddr, bool write, struct page **page);
void unpin_batch(struct pin_buffer *buffer, long from, long npinned);

/*
 * Gives back @npages physically consecutive pages from @pfn on; @dirty if a device may
 * have written to them. May sleep. Never fails.
 */
static inline void unpin_run(unsigned long pfn, unsigned long npages, bool dirty)
{
	while (npages > UNPIN_AT_ONCE) {
		unpin_user_page_range_dirty_lock(pfn_to_page(pfn), UNPIN_AT_ONCE, dirty);
		pfn += UNPIN_AT_ONCE;
		npages -= UNPIN_AT_ONCE;
		cond_resched();
	}
	unpin_user_page_range_dirty_lock(pfn_to_page(pfn), npages, dirty);
}

#endif
