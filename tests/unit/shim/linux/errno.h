/* SPDX-License-Identifier: GPL-2.0-only */
/* The errno.h of user space needs the real one, too. */
#include_next <linux/errno.h>
#include "../kernel.h"
