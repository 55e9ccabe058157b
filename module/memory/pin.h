/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pin: getting user pages for DMA, and giving them back.
 *
 * Owns: struct pin_buffer. Every pin_user_pages_*() and unpin_user_*() call is in pin.c,
 * in this file, or in kcompat.h on behalf of pin.c.
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

/* The fast walk runs with interrupts off: this also bounds for how long. */
#define PIN_MANY	2048U

#ifdef VFIO_IOAS_SELFTEST
extern unsigned int pin_max_pages;	/* tests want small batches */
#else
#define pin_max_pages	PIN_MANY
#endif

/* How many pages may be given back before somebody else should get the CPU. */
#define UNPIN_AT_ONCE	65536UL

/* A walk over runs makes so many steps between two calls of cond_resched() or looks at signals. */
#define RUNS_AT_ONCE	64

/* Long walks over runs of one page let others run every so often: not each time. */
static inline void runs_cond_resched(unsigned int *nsteps)
{
	if (!(++*nsteps % RUNS_AT_ONCE))
		cond_resched();
}

/* As runs_cond_resched(), in a walk that can be given up: -EINTR on a fatal signal, else 0. */
static inline int runs_pause(unsigned int *nsteps)
{
	runs_cond_resched(nsteps);
	return !(*nsteps % RUNS_AT_ONCE) && fatal_signal_pending(current) ? -EINTR : 0;
}

/* Room for the result of one batch. Lives on the stack of one operation. */
struct pin_buffer {
	struct page **pages;
	unsigned int max_pages;
	struct page *few[PIN_FEW];	/* small maps need no allocation */
};

/* How to pin for a device; @unshare_cow: break copy-on-write where it only reads, too. */
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
 * @buffer: which has room for a few
 * @npages: how many the operation will pin in all
 *
 * Context: may sleep. Cannot fail: without memory batches are just smaller.
 */
void pin_buffer_grow(struct pin_buffer *buffer, unsigned long npages);

/* Makes room for the pages of an operation that will pin @npages in all. */
static inline void pin_buffer_init(struct pin_buffer *buffer, unsigned long npages)
{
	buffer->pages = buffer->few;
	buffer->max_pages = min(PIN_FEW, pin_max_pages);
	if (npages > PIN_FEW)
		pin_buffer_grow(buffer, npages);
}

/* Frees the room. Its pages must have been taken over or unpinned. */
static inline void pin_buffer_destroy(struct pin_buffer *buffer)
{
	if (buffer->pages != buffer->few)
		kfree(buffer->pages);
}

/*
 * Kernels before 6.5 pin the zero page like any other, once for each read-only map of untouched
 * memory: a few million of these overflow its reference count. It never goes away, so its pins are
 * given back at once, as stock type1 does, and a run that begins with it is not unpinned.
 */
#ifdef KCOMPAT_PINS_ZERO_PAGES
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
 * pin_remote() - pin pages of an address space that need not be the caller's
 * @mm: whose memory; the caller makes sure that the address space is in use
 * @uaddr: address of the first page, page aligned
 * @npages: how many are wanted, at least 1
 * @gup_flags: what pin_flags() says
 * @pages: receives them
 *
 * Context: may sleep and fault; no mmap lock held.
 * Return: how many were pinned, -EINTR on a fatal signal, or what the memory management says.
 */
long pin_remote(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
		unsigned int gup_flags, struct page **pages);

/*
 * Pins @npages pages from @uaddr on for as long as we like: at least one and maybe fewer,
 * which it returns. -EFAULT where there is no such memory, -EINTR on a fatal signal, what
 * else the memory management says. May sleep and fault; no mmap lock held. The caller makes
 * sure that the address space is in use. Only if @strict memory that the process itself may not
 * read is refused also where it has been written: the fast walk looks at nothing but pages.
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
	/* The fast walk's error for a range up to the very last address; no user has it. */
	if (npinned == -EOVERFLOW)
		npinned = -EFAULT;
	return npinned ?: -EFAULT;
}

/**
 * pin_despite_keys() - what pin_user() does, for memory whose protection key the caller disabled
 * @mm: as for pin_user(), as are the others
 * @uaddr: ...
 * @npages: ...
 * @gup_flags: ...
 * @pages: ...
 *
 * To be tried after -EFAULT: it pins as if for another process, whose keys do not count.
 *
 * Context: may sleep and fault; no mmap lock held.
 * Return: as pin_user(); -EFAULT where no keys can be the reason.
 */
long pin_despite_keys(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
		      unsigned int gup_flags, struct page **pages);

/**
 * pin_find_mmio() - find device memory that a process has mapped
 * @mm: of the process; the caller makes sure that the address space is in use
 * @uaddr: address of the first page, page aligned
 * @npages: how many are wanted, at least 1
 * @write: the device will write there
 * @pfn: receives the first frame
 *
 * Nothing is pinned: that the frames stay device memory is up to the driver that mapped them.
 * Frames of ordinary memory are none.
 *
 * Context: may sleep and fault; no mmap lock held.
 * Return: how many consecutive frames there are, at least one; -EFAULT if it is no device
 * memory or cannot be written to; -EINTR on a fatal signal; what the fault says.
 */
long pin_find_mmio(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
		   bool write, unsigned long *pfn);

/**
 * pin_one() - pin a page, whoever the caller is
 * @mm: whose memory, which may be gone
 * @uaddr: its address, page aligned
 * @gup_flags: for long what pin_flags() says; for the moment FOLL_WRITE or 0
 * @page: receives it
 *
 * Context: may sleep and fault; no mmap lock held.
 * Return: 0; -EFAULT where there is no such memory, or what pin_remote() says.
 */
int pin_one(struct mm_struct *mm, unsigned long uaddr, unsigned int gup_flags,
	    struct page **page);

/**
 * unpin_batch() - give back a part of a batch that no device has seen
 * @buffer: of the batch
 * @from: first page to give back
 * @npinned: number of pages in the batch
 */
void unpin_batch(struct pin_buffer *buffer, long from, long npinned);

/*
 * Gives back @npages physically consecutive pages from @pfn on; @dirty if a device may
 * have written to them. May sleep. Never fails.
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
