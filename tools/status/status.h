/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status.h - "vfio-ioas status"
 */
#ifndef TOOLS_STATUS_H
#define TOOLS_STATUS_H

/* The subcommand, with its name in argv[0]; returns the exit status. */
int status_main(int argc, char **argv);

#endif
