/* SPDX-License-Identifier: GPL-2.0-only */
/* User space headers want the real one, too. */
#include_next <linux/types.h>
#include "../kernel.h"
