/* SPDX-License-Identifier: GPL-2.0-only */
/* switch_lock.h - allows only one switch at a time */
#ifndef TOOLS_SWITCH_LOCK_H
#define TOOLS_SWITCH_LOCK_H

#include "lib/common.h"

#define LOCK_SECONDS	30	/* default time to wait for another switch */

/* Returns a descriptor that holds the lock, or -1 after printing why not. */
int switch_lock(unsigned int nseconds);

#endif
