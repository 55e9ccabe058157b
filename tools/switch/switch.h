/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * switch.h - "vfio-ioas switch"
 */
#ifndef TOOLS_SWITCH_H
#define TOOLS_SWITCH_H

/* The subcommand, with its name in argv[0]; returns the exit status. */
int switch_main(int argc, char **argv);

#endif
