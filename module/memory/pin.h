/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pin: pins user pages for DMA, and unpins them.
 *
 * Owns: struct pin_buffer. Every call of pin_user_pages_*() and unpin_user_*() is in pin.c, in this
 * file, or in kcompat.h on behalf of pin.c.
 */
#ifndef VFIO_IOAS_PIN_H
#define VFIO_IOAS_PIN_H

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/types.h>

#include "base/kcompat.h"

#define PIN_FEW		16U

/* The fast walk runs with interrupts off; this bounds how long. */
#define PIN_MANY	2048U

#ifdef VFIO_IOAS_SELFTEST
extern unsigned int pin_max_pages;	/* tests want small batches */
#else
#define pin_max_pages	PIN_MANY
#endif

/* This many pages are unpinned between two calls of cond_resched(). */
#define UNPIN_AT_ONCE	65536UL

/*
 * A walk over runs makes this many steps between two calls of cond_resched() or checks of signals.
 */
#define RUNS_AT_ONCE	64

/* For long walks over short runs: calls cond_resched() every so often, not at each step. */
static inline void runs_cond_resched(unsigned int *nsteps)
{
	if (!(++*nsteps % RUNS_AT_ONCE))
		cond_resched();
}

/* As runs_cond_resched(), in a walk that may fail: returns -EINTR on a fatal signal, else 0. */
static inline int runs_pause(unsigned int *nsteps)
{
	runs_cond_resched(nsteps);
	return !(*nsteps % RUNS_AT_ONCE) && fatal_signal_pending(current) ? -EINTR : 0;
}

/* Room for the pages of one batch. It lives on the stack of one operation. */
struct pin_buffer {
	struct page **pages;
	unsigned int max_pages;
	struct page *few[PIN_FEW];	/* small maps need no allocation */
};

/*
 * The flags to pin for a device. @unshare_cow: break copy-on-write even if the device only reads.
 */
static inline unsigned int pin_flags(bool writable, bool unshare_cow)
{
	unsigned int flags = FOLL_LONGTERM;

	if (writable)
		flags |= FOLL_WRITE;
	else if (unshare_cow)
		flags |= KCOMPAT_FOLL_UNSHARE;
	return flags;
}

/**
 * pin_buffer_grow() - the part of pin_buffer_init() for operations on many pages
 * @buffer: has room for a few pages
 * @npages: number of pages that the operation will pin in all
 *
 * Context: may sleep. Cannot fail: without memory, batches are just smaller.
 */
void pin_buffer_grow(struct pin_buffer *buffer, unsigned long npages);

/* Makes room for an operation that will pin @npages pages in all. */
static inline void pin_buffer_init(struct pin_buffer *buffer, unsigned long npages)
{
	buffer->pages = buffer->few;
	buffer->max_pages = min(PIN_FEW, pin_max_pages);
	if (npages > PIN_FEW)
		pin_buffer_grow(buffer, npages);
}

/* Frees the room. The caller has taken the pages over, or unpinned them. */
static inline void pin_buffer_destroy(struct pin_buffer *buffer)
{
	if (buffer->pages != buffer->few)
		kfree(buffer->pages);
}

/*
 * Kernels before 6.5 pin the zero page like any other, once for each page of a read-only map of
 * untouched memory. A few million such pins overflow its reference count. The zero page never goes
 * away, so its pins are given back at once, as stock type1 does. A run that begins with it is not
 * unpinned.
 */
#ifdef KCOMPAT_PINS_ZERO_PAGES
/**
 * pin_skip_zero_pages() - give back the pins of zero pages in a batch
 * @pages: the batch, which was just pinned
 * @npinned: number of pages in the batch
 * @gup_flags: of the pin; one with FOLL_WRITE has no zero pages
 *
 * Context: process.
 */
void pin_skip_zero_pages(struct page **pages, long npinned, unsigned int gup_flags);

static inline bool pin_is_skipped(unsigned long pfn)
{
	return is_zero_pfn(pfn);
}
#else
static inline void pin_skip_zero_pages(struct page **pages, long npinned, unsigned int gup_flags)
{
}

static inline bool pin_is_skipped(unsigned long pfn)
{
	return false;
}
#endif

/**
 * pin_remote() - pin pages of any address space
 * @mm: the address space; the caller makes sure that it is in use
 * @uaddr: address of the first page, page aligned
 * @npages: number of pages wanted, at least 1
 * @gup_flags: from pin_flags(), or as for pin_one()
 * @pages: receives the pages
 *
 * Context: may sleep and fault; takes the mmap lock of @mm.
 * Return: the number of pages pinned, maybe fewer than wanted, or 0; -EINTR on a fatal signal; what
 * else pin_user_pages_remote() returns.
 */
long pin_remote(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
		unsigned int gup_flags, struct page **pages);

/*
 * Pins up to @npages pages from @uaddr on, long-term. Returns how many it pinned, at least one, or:
 *
 * - -EFAULT: there is no such memory
 * - -EINTR: a fatal signal
 * - what else the memory management returns
 *
 * With @strict, memory that the process itself may not read is refused even if its pages are
 * present; the fast walk looks only at pages, and would not notice. May sleep and fault; takes the
 * mmap lock of @mm. The caller makes sure that the address space is in use.
 */
static inline long pin_user(struct mm_struct *mm, unsigned long uaddr,
			    unsigned long npages, unsigned int gup_flags, bool strict,
			    struct page **pages)
{
	long npinned;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (mm == current->mm && !strict)
		npinned = pin_user_pages_fast(uaddr, npages, gup_flags, pages);
	else
		return pin_remote(mm, uaddr, npages, gup_flags, pages) ?: -EFAULT;
	if (npinned > 0)
		pin_skip_zero_pages(pages, npinned, gup_flags);
	/*
	 * The fast walk returns this for a range up to the very last address, which is not user
	 * memory.
	 */
	if (npinned == -EOVERFLOW)
		npinned = -EFAULT;
	return npinned ?: -EFAULT;
}

/**
 * pin_despite_keys() - as pin_user(), for memory whose protection key the caller has disabled
 * @mm: as for pin_user()
 * @uaddr: as for pin_user()
 * @npages: as for pin_user()
 * @gup_flags: as for pin_user()
 * @pages: as for pin_user()
 *
 * For use after -EFAULT. It pins as if for another process, to which the keys do not apply.
 *
 * Context: may sleep and fault; takes the mmap lock of @mm.
 * Return: as pin_user(); -EFAULT if keys cannot be the reason.
 */
long pin_despite_keys(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
		      unsigned int gup_flags, struct page **pages);

/**
 * pin_find_mmio() - find device memory that a process has mapped
 * @mm: the address space; the caller makes sure that it is in use
 * @uaddr: address of the first page, page aligned
 * @npages: number of pages wanted, at least 1
 * @write: the device will write to them
 * @pfn: receives the first frame
 *
 * Nothing is pinned. The driver that mapped the frames decides how long they stay device memory.
 * Frames of ordinary memory do not count as device memory.
 *
 * Context: may sleep and fault; takes the mmap lock of @mm.
 * Return: the number of consecutive frames, at least one, or:
 * * -EFAULT: no device memory, or it is not writable
 * * -EINTR: a fatal signal
 * * -ENOMEM: from the page fault
 */
long pin_find_mmio(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
		   bool write, unsigned long *pfn);

/**
 * pin_one() - pin one page of any address space
 * @mm: the address space, which may have ended
 * @uaddr: address of the page, page aligned
 * @gup_flags: from pin_flags() for a long-term pin; FOLL_WRITE or 0 for a short one
 * @page: receives the page
 *
 * Context: may sleep and fault; takes the mmap lock of @mm.
 * Return: 0; -EFAULT if there is no such memory; what else pin_remote() returns.
 */
int pin_one(struct mm_struct *mm, unsigned long uaddr, unsigned int gup_flags,
	    struct page **page);

/**
 * unpin_batch() - unpin a part of a batch that no device has seen
 * @buffer: of the batch
 * @from: first page to unpin
 * @npinned: number of pages in the batch
 *
 * Context: process.
 */
void unpin_batch(struct pin_buffer *buffer, long from, long npinned);

/*
 * Unpins @npages physically consecutive pages from @pfn on. @dirty: a device may have written to
 * them. May sleep. Never fails.
 */
static inline void unpin_run(unsigned long pfn, unsigned long npages, bool dirty)
{
	if (pin_is_skipped(pfn))
		return;
	while (npages > UNPIN_AT_ONCE) {
		unpin_user_page_range_dirty_lock(pfn_to_page(pfn), UNPIN_AT_ONCE, dirty);
		pfn += UNPIN_AT_ONCE;
		npages -= UNPIN_AT_ONCE;
		cond_resched();
	}
	unpin_user_page_range_dirty_lock(pfn_to_page(pfn), npages, dirty);
}

#endif
