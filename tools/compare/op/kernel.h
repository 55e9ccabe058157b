/* SPDX-License-Identifier: GPL-2.0-only */
/* kernel.h - the version of the running kernel */
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
 * For a bitmap with page size 0, stock type1 shifts by 64 bits. Debian's newer kernels are built to
 * warn about that, so such calls are left out there.
 */
bool stock_may_see_page_size_0(void);

#endif
