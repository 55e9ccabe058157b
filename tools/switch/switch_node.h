/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * switch_node.h - the file at /dev/vfio/vfio, and how it is exchanged
 *
 * The kernel's node is put aside as /dev/vfio/vfio.stock and comes back from there. It is the same
 * inode, and so keeps its owner, mode and labels. A node exists at /dev/vfio/vfio at every moment,
 * even after a crash.
 *
 * A node of ours at this place is a second name of the inode that the kernel has made as
 * /dev/vfio/ioas. When the module goes, the next driver may get its number. The kernel takes all
 * permissions from the inode before that. A node made by mknod() would keep them.
 */
#ifndef TOOLS_SWITCH_NODE_H
#define TOOLS_SWITCH_NODE_H

#include "lib/common.h"

#include <sys/stat.h>

#include "system/nodes.h"

enum node_kind {
	NODE_NOTHING,
	NODE_STOCK,		/* the kernel's: 10:196 */
	NODE_LINK,		/* a symbolic link to our node */
	NODE_DEVICE,		/* our current number, or a former one */
	NODE_MOUNT,		/* a mount point */
	NODE_UNKNOWN,
};

struct node {
	enum node_kind kind;
	struct stat st;		/* unless NOTHING */
	bool is_our_inode;	/* it is that of /dev/vfio/ioas */
};

/* Opens the directory, but not through a symbolic link; -1 if there is none. */
int node_open_dir(void);

/*
 * Examines a name. ours is our device number, or 0. Our number changes with each load. Where we
 * have put a device node whose number is unknown, ANY_NUMBER accepts any.
 */
#define ANY_NUMBER	((dev_t)-1)
struct node node_look(int dir, const char *name, dev_t ours);

/*
 * Replace the current file by a link to our node, or by our node itself, or put the old node back.
 * Return 0, or -errno after restoring the former state.
 */
int node_put_link(int dir);
int node_put_device(int dir);
int node_put_back(int dir);
/* The same if no node was put aside: makes one like the kernel's. */
int node_put_fresh(int dir);

#endif
