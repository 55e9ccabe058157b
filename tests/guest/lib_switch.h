/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_switch.h - "vfio-ioas switch" as a user runs it, and the state that it must leave as it was
 */
#ifndef GUEST_LIB_SWITCH_H
#define GUEST_LIB_SWITCH_H

#include <sys/stat.h>

#include "lib_tool.h"

#define ASIDE_NODE	"/dev/vfio/vfio.stock"
#define STATE_FILE	"/run/vfio-ioas/switch"
#define BOOT_FILE	"/etc/vfio-ioas/switch"

/* Exit statuses of "status". */
#define SWITCH_ON	0
#define SWITCH_OFF	1
#define SWITCH_WRONG	3

#define NMODES		3
extern const char *const modes[NMODES];

#define run_switch(format, ...)	run_tool("switch " format, ##__VA_ARGS__)

/* Everything that the switch changes. */
struct untouched {
	struct stat node;
	char serve[32];
};

void untouched_note(struct untouched *untouched);
/* Checks that the node is the very same, with none beside it, and that nothing is remembered. */
void check_untouched(const struct untouched *untouched);

/* A container of the kernel's node, with a device. Only this process has it open. */
struct rig;
void open_in_use(struct rig *rig);

/* Ends a test in any state: switches off and loads the module. */
void switch_clean_up(void);

#endif
