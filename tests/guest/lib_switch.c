// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_switch.c - the state that "vfio-ioas switch" changes
 */
#define _GNU_SOURCE
#include "lib.h"
#include "lib_switch.h"

const char *const modes[NMODES] = { "symlink", "node", "serve" };

void untouched_note(struct untouched *untouched)
{
	require_eq(or_errno(lstat(STOCK_NODE, &untouched->node)), 0);
	if (param_get(IOAS_MODULE, "serve", untouched->serve,
		      sizeof(untouched->serve)))
		untouched->serve[0] = '\0';
}

void check_untouched(const struct untouched *untouched)
{
	struct untouched now;

	untouched_note(&now);
	check_eq(now.node.st_ino, untouched->node.st_ino);
	check_eq(now.node.st_mode, untouched->node.st_mode);
	check_eq(now.node.st_rdev, untouched->node.st_rdev);
	check_eq(now.node.st_uid, untouched->node.st_uid);
	check_eq(now.node.st_gid, untouched->node.st_gid);
	check_eq(now.node.st_nlink, untouched->node.st_nlink);
	if (now.serve[0] && untouched->serve[0])
		check_eq(strcmp(now.serve, untouched->serve), 0);
	check_eq(or_errno(access(ASIDE_NODE, F_OK)), -ENOENT);
	check_eq(or_errno(access("/dev/vfio/.vfio.new", F_OK)), -ENOENT);
	check_eq(or_errno(access(STATE_FILE, F_OK)), -ENOENT);
}

/* Programs that the test runs must not inherit these descriptors. */
void open_in_use(struct rig *rig)
{
	require_eq(rig_open_path(rig, STOCK_NODE, 0), 0);
	require_eq(or_errno(fcntl(rig->container, F_SETFD, FD_CLOEXEC)), 0);
	require_eq(or_errno(fcntl(rig->group[0], F_SETFD, FD_CLOEXEC)), 0);
}

void switch_clean_up(void)
{
	int status = system("{ vfio-ioas switch off --persist; modprobe " IOAS_MODULE
			    "; } >/dev/null 2>&1");

	if (status)
		diag("cleaning up failed: %d", status);
}
