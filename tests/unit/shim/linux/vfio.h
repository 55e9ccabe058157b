/* SPDX-License-Identifier: GPL-2.0-only */
/* What user space has of it is what the kernel has. */
#include "../kernel.h"
#include_next <linux/vfio.h>
