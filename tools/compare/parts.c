// SPDX-License-Identifier: GPL-2.0-only
/*
 * parts.c - what cases do after exec()
 *
 * Descriptors are the same as before; the memory is not.
 */
#include "case.h"
#include "steps.h"

static void new_image_unmaps(void)
{
	make_buf();
	state();
	info();
	map(8 * PAGE, 4, RW);
	unmap_all();
	state();
}

static void new_image_takes_over(void)
{
	make_buf();
	state();
	map(0, 4, MAP_VADDR);
	map(8 * PAGE, 4, RW);
	state();
}

const struct part parts[] = {
	{ "new-image-unmaps", new_image_unmaps },
	{ "new-image-takes-over", new_image_takes_over },
	{ NULL, NULL },
};
