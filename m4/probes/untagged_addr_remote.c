// SPDX-License-Identifier: GPL-2.0-only
/*
 * Since 6.4 tags are those of an address space: untagged_addr_remote() asks for it.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>

static unsigned long __used probe(struct mm_struct *mm, unsigned long uaddr)
{
	return untagged_addr_remote(mm, uaddr);
}
