/* SPDX-License-Identifier: GPL-2.0-only */
/* view.h - the common options of "vfio-ioas status" and "vfio-ioas top" */
#ifndef TOOLS_VIEW_H
#define TOOLS_VIEW_H

#include "insight.h"
#include "table.h"

#define VIEW_OPTIONS \
	{ "from", required_argument, NULL, 'f' }, \
	{ "pid", required_argument, NULL, 'P' }, \
	{ "group", required_argument, NULL, 'G' }, \
	{ "device", required_argument, NULL, 'D' }, \
	{ "columns", required_argument, NULL, 'o' }, \
	{ "no-header", no_argument, NULL, 'H' }, \
	{ "exact", no_argument, NULL, 'p' }

struct view {
	const char *from;
	struct filter filter;
	struct layout layout;
};

/*
 * Takes an option from getopt_long(). Returns 0, or prints the error and returns the exit status.
 */
int view_take_option(struct view *view, int option, const char *subcommand);

#endif
