/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * switch_state.h - the state files of the switch
 *
 * One file lasts until the next boot, and describes what the switch has changed. The other
 * describes what the next boot will change. Both have lines "key=value"; lines that begin with #
 * are comments. The key of the mode is "way", its old name. Everybody can read the files, and only
 * root can write them, whatever the umask is.
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

/* Returns NMODES if there is no mode of that name. */
enum mode mode_find(const char *name);

struct state {
	enum mode mode;			/* NMODES: the file has no known mode */
	int error;			/* an errno if it cannot be read, or 0 */
	char serve[SERVE_NBYTES];	/* MODE_SERVE: the former value */
	struct access former;		/* of our node, unless MODE_SERVE */
};

/* Returns MODE_NONE if there is no such file, NMODES if it cannot be read. */
struct state state_read(const char *dir);
/*
 * Both return 0, or -errno after printing the reason. After a crash there is either the old file or
 * the new one.
 */
int state_write(const char *dir, const struct state *state);
int state_remove(const char *dir);

/*
 * Opens a directory of ours that only root can write to, and creates it if needed. Returns a
 * descriptor, or -errno after printing the reason.
 */
int state_make_dir(const char *path);

#endif
