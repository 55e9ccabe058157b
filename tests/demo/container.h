/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gets the VFIO container of any running process.
 */
#ifndef DEMO_CONTAINER_H
#define DEMO_CONTAINER_H

/* Returns our own descriptor for the container of process @pid. Exits if it has no container. */
int duplicate_container(const char *pid);

#endif
