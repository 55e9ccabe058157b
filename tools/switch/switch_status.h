/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * switch_status.h - "vfio-ioas switch status"
 */
#ifndef TOOLS_SWITCH_STATUS_H
#define TOOLS_SWITCH_STATUS_H

#include <stdbool.h>

/* Returns the exit status. */
int switch_status(bool json);

#endif
