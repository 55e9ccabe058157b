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
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "kcompat.h"
#include "pin.h"

/* The fast walk runs with interrupts off: this also bounds for how long. */
#define PIN_MANY	2048

#ifdef VFIO_IOAS_SELFTEST
/* Tests want small batches. */
unsigned int pin_max_pages = PIN_MANY;
#else
static const unsigned int pin_max_pages = PIN_MANY;
#endif

/**
 * pin_buffer_init() - make room for the pages of an operation
 * @buffer: uninitialised memory
 * @npages: how many pages the operation will pin in all
 *
 * Context: may sleep. Cannot fail: without memory batches are just smaller.
 */
void pin_buffer_init(struct pin_buffer *buffer, unsigned long npages)
{
	npages = min_t(unsigned long, npages, pin_max_pages);
	buffer->pages = buffer->few;
	buffer->max_pages = min_t(unsigned int, PIN_FEW, pin_max_pages);
	if (npages <= PIN_FEW)
		return;

	buffer->pages = kmalloc_array(npages, sizeof(*buffer->pages),
				      GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (buffer->pages)
		buffer->max_pages = npages;
	else
		buffer->pages = buffer->few;
}

/**
 * pin_buffer_destroy() - free the room
 * @buffer: its pages must have been taken over or unpinned
 */
void pin_buffer_destroy(struct pin_buffer *buffer)
{
	if (buffer->pages != buffer->few)
		kfree(buffer->pages);
}

static long pin_remote(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
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

/**
 * pin_user() - pin the next pages for as long as we like
 * @buffer: receives them
 * @mm: whose memory; the caller makes sure that the address space is in use
 * @uaddr: address of the first page, page aligned
 * @npages: how many are wanted, at least 1
 * @gup_flags: what pin_flags() says
 *
 * Context: may sleep and fault; no mmap lock held.
 * Return: how many were pinned, at least one and maybe fewer than wanted; -EFAULT
 * where there is no such memory; -EINTR on a fatal signal; what else the memory
 * management says.
 */
long pin_user(struct pin_buffer *buffer, struct mm_struct *mm, unsigned long uaddr,
	      unsigned long npages, unsigned int gup_flags)
{
	long npinned;

	if (fatal_signal_pending(current))
		return -EINTR;
	npages = min_t(unsigned long, npages, buffer->max_pages);
	if (mm == current->mm)
		npinned = pin_user_pages_fast(uaddr, npages, gup_flags, buffer->pages);
	else
		npinned = pin_remote(mm, uaddr, npages, gup_flags, buffer->pages);
	/* The fast walk's word for a range up to the very last address; no user has it. */
	if (npinned == -EOVERFLOW)
		npinned = -EFAULT;
	return npinned ?: -EFAULT;
}

/**
 * pin_one() - pin a page for the moment
 * @mm: whose memory, which may be gone
 * @uaddr: its address, page aligned
 * @write: it will be written to
 * @page: receives it
 *
 * Context: may sleep and fault; no mmap lock held.
 * Return: 0 or -EFAULT.
 */
int pin_one(struct mm_struct *mm, unsigned long uaddr, bool write, struct page **page)
{
	long npinned;

	if (!mmget_not_zero(mm))
		return -EFAULT;
	npinned = pin_remote(mm, uaddr, 1, write ? FOLL_WRITE : 0, page);
	mmput(mm);
	return npinned == 1 ? 0 : -EFAULT;
}

/**
 * unpin_batch() - give back a part of a batch that no device has seen
 * @buffer: of the batch
 * @from: first page to give back
 * @npinned: number of pages in the batch
 */
void unpin_batch(struct pin_buffer *buffer, long from, long npinned)
{
	unpin_user_pages(buffer->pages + from, npinned - from);
}
