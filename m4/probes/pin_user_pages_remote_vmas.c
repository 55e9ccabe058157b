// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.5 took from pin_user_pages_remote() the argument before the last, an array for the
 * areas (VMAs) that the pages belong to.
 */
#include <linux/mm.h>

static long __used probe(struct mm_struct *mm, struct page **pages,
			 struct vm_area_struct **vmas, int *locked)
{
	return pin_user_pages_remote(mm, 0, 1, FOLL_WRITE, pages, vmas, locked);
}
