/* SPDX-License-Identifier: GPL-2.0-only */
/* switch_change.h - "vfio-ioas switch on", off, restore and refresh */
#ifndef TOOLS_SWITCH_CHANGE_H
#define TOOLS_SWITCH_CHANGE_H

struct request;

/* Each implements a subcommand, and returns the exit status. */
int switch_on(const struct request *request);
int switch_off(const struct request *request);
int switch_restore(const struct request *request);
int switch_refresh(const struct request *request);

#endif
