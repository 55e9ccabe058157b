// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.10 changed the first argument of follow_pte() from the address space to the VMA.
 */
#include <linux/mm.h>

static int __used probe(struct vm_area_struct *vma, pte_t **pte, spinlock_t **lock)
{
	return follow_pte(vma, 0, pte, lock);
}
