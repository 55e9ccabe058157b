/* SPDX-License-Identifier: GPL-2.0-only */
/* Headers of user space need the real one, too. */
#include_next <linux/types.h>
#include "../kernel.h"
