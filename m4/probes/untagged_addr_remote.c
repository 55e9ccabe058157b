// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.4 added untagged_addr_remote(): since then, the tag bits of an address depend on its address
 * space.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>

static unsigned long __used probe(struct mm_struct *mm, unsigned long uaddr)
{
	return untagged_addr_remote(mm, uaddr);
}
