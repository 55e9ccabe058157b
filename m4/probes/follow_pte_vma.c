// SPDX-License-Identifier: GPL-2.0-only
/*
 * Since 6.10 follow_pte() asks for the area (VMA), not for its address space.
 */
#include <linux/mm.h>

static int __used probe(struct vm_area_struct *vma, pte_t **pte, spinlock_t **lock)
{
	return follow_pte(vma, 0, pte, lock);
}
