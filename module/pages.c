// SPDX-License-Identifier: GPL-2.0-only
/*
 * pages: one run of user memory, and what of it is pinned.
 *
 * The rule everything rests on: a page is pinned if and only if the extents have
 * it, and charged if and only if they have it as EXTENT_CHARGED. Domains are filled
 * from the extents, never from one another, so that a page is pinned and charged
 * once however many domains show it, and taking it out of a domain needs no reading
 * back.
 *
 * Locking: needs no lock of its own. A store is shown by one area and is changed only
 * by who owns that: the thread that made it FILLING or EMPTYING, or whoever holds
 * domains_rwsem for writing. A mutex here would cost a 4 KiB unmap 6 % for nothing.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include "pages.h"
#include "pin.h"

/*
 * Turns pinned pages into runs of the extents. A run ends where the next page is
 * not the physically next one or of another kind. The pages of a folio are of one
 * kind, so that only where a folio ends the kind is looked at again.
 */
struct run_builder {
	struct extents *extents;
	unsigned long index;		/* of the page at @first */
	struct page *first;		/* the run so far: [first, next) */
	struct page *next;
	struct page *recheck;		/* the kind is known up to here */
	enum extent_kind kind;
	unsigned long nreserved;	/* pages seen that are not to be charged */
};

/**
 * pages_init() - describe user memory
 * @pages: to fill, but for the account, which says whose memory it is
 * @uptr: user address of the first byte
 * @nbytes: length, at least 1; @uptr + @nbytes - 1 must not wrap
 * @writable: may a device write to it?
 *
 * Nothing is pinned, charged or even looked at.
 */
void pages_init(struct ioas_pages *pages, unsigned long uptr, unsigned long nbytes,
		bool writable)
{
	pages->account = NULL;
	pages->uptr = uptr & PAGE_MASK;
	pages->npages = ((uptr & ~PAGE_MASK) + nbytes - 1) / PAGE_SIZE + 1;
	pages->writable = writable;
	extents_init(&pages->extents, pages->npages);
}

static int builder_flush(struct run_builder *builder)
{
	struct extent run = {
		.index = builder->index,
		.npages = builder->next - builder->first,
		.kind = builder->kind,
	};
	int ret;

	if (!run.npages)
		return 0;
	run.pfn = page_to_pfn(builder->first);
	ret = extents_set(builder->extents, &run);
	if (ret)
		return ret;
	builder->index += run.npages;
	builder->first = builder->next;
	return 0;
}

/* A page that does not simply continue the run: look at it more closely. */
static int builder_add(struct run_builder *builder, struct page *page)
{
	enum extent_kind kind = EXTENT_CHARGED;
	struct folio *folio = page_folio(page);
	struct page *recheck = folio_page(folio, folio_nr_pages(folio));

	if (PageReserved(page)) {
		kind = EXTENT_RESERVED;
		recheck = page + 1;
		builder->nreserved++;
	}
	if (page != builder->next || kind != builder->kind) {
		int ret = builder_flush(builder);

		if (ret)
			return ret;
		builder->first = page;
		builder->next = page;
		builder->kind = kind;
	}
	builder->next++;
	builder->recheck = recheck;
	return 0;
}

/* On failure the pages that did not make it into the builder are unpinned. */
static int builder_add_batch(struct run_builder *builder, struct pin_buffer *buffer,
			     long npinned)
{
	long i;

	for (i = 0; i < npinned; i++) {
		struct page *page = buffer->pages[i];

		if (page == builder->next && page != builder->recheck) {
			builder->next++;
		} else if (builder_add(builder, page)) {
			unpin_batch(buffer, i, npinned);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Unpins a range. Returns how many of its pages were charged. */
static inline unsigned long unpin_range(struct ioas_pages *pages,
					unsigned long first_index,
					unsigned long last_index, bool dirty)
{
	struct extent_cursor cursor;
	unsigned long ncharged = 0;
	struct extent run;
	bool more;

	more = extents_first(&pages->extents, &cursor, first_index, last_index, &run);
	while (more) {
		if (run.kind != EXTENT_HOLE)
			unpin_run(run.pfn, run.npages, dirty);
		if (run.kind == EXTENT_CHARGED)
			ncharged += run.npages;
		more = extents_next(&pages->extents, &cursor, last_index, &run);
		if (more)
			cond_resched();
	}
	return ncharged;
}

/* Pins and charges page by page as type1 does, in batches. Leaves what it did in
 * @builder and @ncharged, also when it fails.
 */
static int fill_from_user(struct ioas_pages *pages, struct run_builder *builder,
			  unsigned long npages, unsigned long *ncharged)
{
	unsigned long uaddr = pages->uptr + builder->index * PAGE_SIZE;
	struct pin_buffer buffer;
	int ret = 0;

	pin_buffer_init(&buffer, npages);
	while (npages && !ret) {
		unsigned long nreserved = builder->nreserved;
		long npinned;

		npinned = pin_user(&buffer, pages->account->mm, uaddr, npages,
				   pages->writable);
		if (npinned < 0) {
			ret = npinned;
			break;
		}
		ret = builder_add_batch(builder, &buffer, npinned);
		if (ret)
			break;
		nreserved = builder->nreserved - nreserved;
		ret = account_charge(pages->account, npinned - nreserved);
		if (!ret)
			*ncharged += npinned - nreserved;
		uaddr += npinned * PAGE_SIZE;
		npages -= npinned;
		if (npages)
			cond_resched();
	}
	pin_buffer_destroy(&buffer);
	return ret ?: builder_flush(builder);
}

/* Pins [first_index, last_index], a hole so far. All of it or nothing. */
static int fill_hole(struct ioas_pages *pages, unsigned long first_index,
		     unsigned long last_index)
{
	struct run_builder builder = {
		.extents = &pages->extents,
		.index = first_index,
	};
	struct account_refund refund = { };
	unsigned long ncharged = 0;
	int ret;

	ret = fill_from_user(pages, &builder, last_index - first_index + 1, &ncharged);
	if (!ret)
		return 0;

	if (builder.next != builder.first)
		unpin_run(page_to_pfn(builder.first), builder.next - builder.first, false);
	if (builder.index > first_index) {
		unpin_range(pages, first_index, builder.index - 1, false);
		extents_clear(&pages->extents, first_index, builder.index - 1);
	}
	account_refund(&refund, pages->account, ncharged);
	account_pay(&refund);
	return ret;
}

/**
 * pages_pin() - pin and charge the whole store
 * @pages: with nothing pinned
 *
 * Memory comes from the process that created the store, also when another one
 * asks.
 *
 * Context: may sleep and fault; the caller owns the area.
 * Return: 0, or with nothing pinned or charged: -EFAULT where memory is missing,
 * not permitted, or its process is gone; -ENOMEM over the memlock limit or without
 * memory; -EINTR on a fatal signal.
 */
int pages_pin(struct ioas_pages *pages)
{
	struct mm_struct *mm = pages->account->mm;
	int ret;

	if (mm != current->mm && !mmget_not_zero(mm))
		return -EFAULT;
	ret = fill_hole(pages, 0, pages->npages - 1);
	if (mm != current->mm)
		mmput(mm);
	return ret;
}

/**
 * pages_unpin() - unpin the whole store
 * @pages: no domain may show any of it any more
 * @refund: collects what the owner gets back; to be paid by the caller
 *
 * Context: may sleep; the caller owns the area. Never fails, needs no memory.
 */
void pages_unpin(struct ioas_pages *pages, struct account_refund *refund)
{
	account_refund(refund, pages->account,
		       unpin_range(pages, 0, pages->npages - 1, pages->writable));
	extents_reset(&pages->extents);
}
