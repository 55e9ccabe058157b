/* SPDX-License-Identifier: GPL-2.0-only */
/* switch_access.h - the access rights of a device node: owner, mode, access list and labels */
#ifndef TOOLS_SWITCH_ACCESS_H
#define TOOLS_SWITCH_ACCESS_H

#include "lib/common.h"

#define ACCESS_NBYTES	8192

struct access {
	bool known;
	uid_t uid;
	gid_t gid;
	mode_t mode;
	/* Access list and labels, as lines "NAME=HEX" in the order of names. */
	char attributes[ACCESS_NBYTES];
};

/*
 * Get and set the rights of a path. A symbolic link at its end is not followed. Return 0 or -errno.
 */
int access_get(struct access *access, const char *path);
int access_set(const struct access *access, const char *path);

bool access_is_same(const struct access *left, const struct access *right);
/* "owner 0:104, mode 0660, an access list"; valid until the next call but one. */
const char *access_says(const struct access *access);

#endif
