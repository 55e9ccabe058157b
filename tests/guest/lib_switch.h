/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_switch.h - "vfio-ioas switch" as a user runs it, and what it is to leave as it was
 */
#ifndef GUEST_LIB_SWITCH_H
#define GUEST_LIB_SWITCH_H

#include <sys/stat.h>

#define ASIDE_NODE	"/dev/vfio/vfio.stock"
#define STATE_FILE	"/run/vfio-ioas/switch"
#define BOOT_FILE	"/etc/vfio-ioas/switch"

/* Exit statuses of "status". */
#define SWITCH_ON	0
#define SWITCH_OFF	1
#define SWITCH_WRONG	2

#define NWAYS		3
extern const char *const ways[NWAYS];

/* Runs "vfio-ioas switch" with these words; its exit status. */
int run_switch(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What it printed: was the text among it? Shows all if not. */
bool check_said_at(const char *file, int line, const char *text);
#define check_said(text)	check_said_at(__FILE__, __LINE__, text)

/* All that the switch changes. */
struct untouched {
	struct stat node;
	char serve[32];
};

void untouched_note(struct untouched *untouched);
/* Is it the very same node, with nothing beside it, and nothing remembered? */
void check_untouched(const struct untouched *untouched);

/* Ends a test, however that went: off, and the module is loaded. */
void switch_clean_up(void);

#endif
