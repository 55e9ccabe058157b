// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.5 removed the last argument but one of pin_user_pages_remote(), an array for the VMAs of the
 * pages.
 */
#include <linux/mm.h>

static long __used probe(struct mm_struct *mm, struct page **pages,
			 struct vm_area_struct **vmas, int *locked)
{
	return pin_user_pages_remote(mm, 0, 1, FOLL_WRITE, pages, vmas, locked);
}
