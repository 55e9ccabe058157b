/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel.h - which kernel runs
 */
#ifndef COMPARE_KERNEL_H
#define COMPARE_KERNEL_H

#include "lib/common.h"

struct kernel_version {
	unsigned int major;
	unsigned int minor;
};

struct kernel_version running_kernel(void);
/* For tests of the tester. */
void kernel_pretend(unsigned int major, unsigned int minor);
bool kernel_is_older_than(unsigned int major, unsigned int minor);

/*
 * Stock type1 shifts by 64 bits for a bitmap with page size 0. Debian's newer kernels are
 * compiled to complain of that, so it is not asked there.
 */
bool stock_may_see_page_size_0(void);

#endif
