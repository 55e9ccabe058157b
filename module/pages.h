/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages: one run of user memory, and what of it is pinned.
 *
 * Owns: struct ioas_pages.
 */
#ifndef VFIO_IOAS_PAGES_H
#define VFIO_IOAS_PAGES_H

#include "account.h"
#include "extents.h"

struct ioas_pages {
	struct ioas_account *account;	/* constant once set, as is all but the extents */
	unsigned long uptr;		/* address of page 0 in account->mm */
	unsigned long npages;
	bool writable;
	struct extents extents;		/* whoever owns the area that shows this */
};

void pages_init(struct ioas_pages *pages, unsigned long uptr, unsigned long nbytes,
		bool writable);
int pages_pin(struct ioas_pages *pages);
void pages_unpin(struct ioas_pages *pages, struct account_refund *refund);

/* Forgets a store, with nothing pinned unless its IOMMU never let go of it. */
static inline void pages_exit(struct ioas_pages *pages)
{
	extents_destroy(&pages->extents);
}

#endif
