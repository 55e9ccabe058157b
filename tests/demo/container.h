/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Getting at the VFIO container of a running process, whoever wrote that.
 */
#ifndef DEMO_CONTAINER_H
#define DEMO_CONTAINER_H

/* A descriptor of ours for the container of process @pid. Ends the program if it has none. */
int duplicate_container(const char *pid);

#endif
