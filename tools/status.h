/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status.h - what "vfio-ioas status" shows
 */
#ifndef TOOLS_STATUS_H
#define TOOLS_STATUS_H

#include "holders.h"
#include "insight.h"
#include "table.h"

struct picture {
	struct insight insight;
	struct holders holders;
	struct filter filter;
	bool live;		/* of this system, as it is: there are processes to ask */
};

/* Is it among what is asked for, and a holder of containers that are not ours? */
bool picture_shows_holder(const struct picture *picture, const struct holder *holder);

void status_print_json(const struct picture *picture);

/* What status and top have in common of their command lines. */
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

/* An option of getopt_long()'s: 0, or the exit status after saying what is wrong with it. */
int view_take_option(struct view *view, int option, const char *subcommand);

#endif
