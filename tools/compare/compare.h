/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare.h - "vfio-ioas compare"
 */
#ifndef TOOLS_COMPARE_H
#define TOOLS_COMPARE_H

/* The subcommand, with its name in argv[0]; returns the exit status. */
int compare_main(int argc, char **argv);

#endif
