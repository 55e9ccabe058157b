/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * subcommand.h - what "vfio-ioas NAME ..." can do: one entry a subcommand
 */
#ifndef TOOLS_SUBCOMMAND_H
#define TOOLS_SUBCOMMAND_H

struct subcommand {
	const char *name;
	const char *summary;	/* one line, for the list */
	/* argv[0] is the subcommand; returns the exit status */
	int (*run)(int argc, char **argv);
};

int compare_main(int argc, char **argv);
int status_main(int argc, char **argv);
int switch_main(int argc, char **argv);
int top_main(int argc, char **argv);

#endif
