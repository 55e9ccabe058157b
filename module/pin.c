// SPDX-License-Identifier: GPL-2.0-only
/*
 * pin: getting user pages for DMA, and giving them back.
 *
 * Locking: needs none; takes the mmap lock of another process' mm for reading.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "kcompat.h"
#include "pin.h"

#ifdef VFIO_IOAS_SELFTEST
unsigned int pin_max_pages = PIN_MANY;
#endif

void pin_buffer_grow(struct pin_buffer *buffer, unsigned long npages)
{
	struct page **pages;

	npages = min_t(unsigned long, npages, pin_max_pages);
	pages = kmalloc_array(npages, sizeof(*pages),
			      GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (!pages)
		return;
	buffer->pages = pages;
	buffer->max_pages = npages;
}

long pin_remote(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
		unsigned int gup_flags, struct page **pages)
{
	int locked = 1;
	long npinned;

	mmap_read_lock(mm);
	npinned = kcompat_pin_user_pages_remote(mm, uaddr, npages, gup_flags,
						pages, &locked);
	if (locked)
		mmap_read_unlock(mm);
	return npinned;
}

int pin_one(struct mm_struct *mm, unsigned long uaddr, bool write, struct page **page)
{
	long npinned;

	if (!mmget_not_zero(mm))
		return -EFAULT;
	npinned = pin_remote(mm, uaddr, 1, write ? FOLL_WRITE : 0, page);
	mmput(mm);
	return npinned == 1 ? 0 : -EFAULT;
}

void unpin_batch(struct pin_buffer *buffer, long from, long npinned)
{
	unpin_user_pages(buffer->pages + from, npinned - from);
}
