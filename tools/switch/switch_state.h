/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * switch_state.h - what the switch remembers: until the next boot what it did, and for
 * the next boot what to do
 *
 * Both are files of lines "key=value"; lines that begin with # are for people. The key of the mode
 * is "way", its old name. They can be read by everybody, and written by root alone, whatever the
 * umask is.
 */
#ifndef TOOLS_SWITCH_STATE_H
#define TOOLS_SWITCH_STATE_H

#include "lib/common.h"
#include "switch_access.h"
#include "system/ours.h"

#define STATE_DIR	"/run/vfio-ioas"	/* volatile, as /dev is */
#define BOOT_DIR	"/etc/vfio-ioas"
#define STATE_NAME	"switch"		/* in both */

enum mode {
	MODE_NONE,		/* off */
	MODE_SYMLINK,
	MODE_NODE,
	MODE_SERVE,
	NMODES,
};

extern const char *const mode_names[NMODES];

/* NMODES if there is none of that name. */
enum mode mode_find(const char *name);

struct state {
	enum mode mode;			/* NMODES: the file says nothing we know */
	int error;			/* why it cannot be read: an errno, or 0 */
	char serve[SERVE_NBYTES];	/* MODE_SERVE: the former value */
	struct access former;		/* of our node, unless MODE_SERVE */
};

/* MODE_NONE if there is no such file; NMODES if it cannot be read. */
struct state state_read(const char *dir);
/*
 * Both return 0, or -errno after saying why not. After a crash there is the old file or the new
 * one.
 */
int state_write(const char *dir, const struct state *state);
int state_remove(const char *dir);

/*
 * A directory of ours, made if need be, that only root can write to: a descriptor, or -errno
 * after saying why not.
 */
int state_make_dir(const char *path);

#endif
