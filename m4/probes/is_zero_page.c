// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.5 and 6.1.130 added is_zero_page(); since then, pin_user_pages*() does not pin the zero page.
 */
#include <linux/mm.h>

static int __used probe(struct page *page)
{
	return is_zero_page(page);
}
