/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * top.h - "vfio-ioas top"
 */
#ifndef TOOLS_TOP_H
#define TOOLS_TOP_H

/* The subcommand, with its name in argv[0]; returns the exit status. */
int top_main(int argc, char **argv);

#endif
