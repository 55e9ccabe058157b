/* SPDX-License-Identifier: GPL-2.0-only */
/* nodes.h - the names of VFIO container nodes, and the number of the kernel's */
#ifndef TOOLS_NODES_H
#define TOOLS_NODES_H

#include <sys/sysmacros.h>

#define NODE_DIR	"/dev/vfio"
#define NODE		"vfio"
#define NODE_ASIDE	"vfio.stock"
#define NODE_OURS	"ioas"

/* The number of vfio.ko's own device: misc device VFIO_MINOR. */
#define STOCK_NUMBER	makedev(10, 196)

#endif
