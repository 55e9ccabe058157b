// SPDX-License-Identifier: GPL-2.0-only
/* view.c - the common options of "vfio-ioas status" and "vfio-ioas top" */
#define _GNU_SOURCE
#include "view.h"

#include <getopt.h>
#include <limits.h>

#include "lib/number.h"
#include "lib/say.h"

int view_take_option(struct view *view, int option, const char *subcommand)
{
	struct filter *filter = &view->filter;

	switch (option) {
	case 'f':
		view->from = optarg;
		return 0;
	case 'P':
		filter->by_pid = true;
		filter->pid = number_of_option(subcommand, "--pid", optarg, 0, INT_MAX);
		return 0;
	case 'G':
		filter->by_group = true;
		filter->group = number_of_option(subcommand, "--group", optarg, 0, INT_MAX);
		return 0;
	case 'D':
		filter->device = optarg;
		return 0;
	case 'o':
		return layout_parse(&view->layout, optarg, subcommand);
	case 'H':
		view->layout.for_scripts = true;
		return 0;
	case 'p':
		view->layout.exact = true;
		return 0;
	default:
		/* getopt_long() has printed the reason. */
		return usage_hint(subcommand);
	}
}
