// SPDX-License-Identifier: GPL-2.0-only
/*
 * Since 6.5, and 6.1.130, there is is_zero_page(), by which pin_user_pages*() does not pin it.
 */
#include <linux/mm.h>

static int __used probe(struct page *page)
{
	return is_zero_page(page);
}
