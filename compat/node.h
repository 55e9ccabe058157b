/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * node: /dev/vfio/ioas, and which containers are ours.
 */
#ifndef VFIO_IOAS_NODE_H
#define VFIO_IOAS_NODE_H

#include <linux/types.h>

int node_init(void);
void node_exit(void);
bool node_serves_current(void);
bool node_in_ioctl(unsigned int cmd);

#endif
