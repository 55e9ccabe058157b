/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nodes.h - the device nodes of VFIO containers: their names and the kernel's number
 */
#ifndef TOOLS_NODES_H
#define TOOLS_NODES_H

#include <sys/sysmacros.h>

#define NODE_DIR	"/dev/vfio"
#define NODE		"vfio"
#define NODE_ASIDE	"vfio.stock"
#define NODE_OURS	"ioas"

/* vfio.ko's own device: VFIO_MINOR of the misc devices. */
#define STOCK_NUMBER	makedev(10, 196)

#endif
