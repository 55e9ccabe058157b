// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.12 added follow_pfnmap_start() and follow_pfnmap_end(), which also handle huge entries.
 * Before, there was only follow_pte().
 */
#include <linux/mm.h>

static int __used probe(struct vm_area_struct *vma)
{
	struct follow_pfnmap_args args = { .vma = vma };

	return follow_pfnmap_start(&args);
}
