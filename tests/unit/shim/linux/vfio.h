/* SPDX-License-Identifier: GPL-2.0-only */
/* The uapi header has all that is needed of the kernel's. */
#include "../kernel.h"
#include_next <linux/vfio.h>
