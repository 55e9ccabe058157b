/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * switch_lock.h - one switch at a time
 */
#ifndef TOOLS_SWITCH_LOCK_H
#define TOOLS_SWITCH_LOCK_H

#include "lib/common.h"

#define LOCK_SECONDS	30	/* how long to wait for another one, by default */

/* A descriptor to hold until done, or -1 after saying why not. */
int switch_lock(unsigned int nseconds);

#endif
