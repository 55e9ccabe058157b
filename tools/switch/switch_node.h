/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * switch_node.h - what is at /dev/vfio/vfio, and how it is exchanged
 *
 * The kernel's node is put aside as /dev/vfio/vfio.stock and comes back from there: the
 * same inode, and so with the owner, mode and labels it had. There is a node at
 * /dev/vfio/vfio at every moment, also after a crash at any moment.
 *
 * A node of ours there is a second name of the very inode that the kernel has made as
 * /dev/vfio/ioas. When the module goes, its number is free for the next driver; before that the
 * kernel takes all permissions from that inode. A node made by mknod() would keep them.
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
	NODE_DEVICE,		/* our number, or one that we once had */
	NODE_MOUNT,		/* something mounted on it */
	NODE_UNKNOWN,
};

struct node {
	enum node_kind kind;
	struct stat st;		/* unless NOTHING */
	bool is_our_inode;	/* the one of /dev/vfio/ioas */
};

/* The directory, not through a symbolic link; -1 if there is none. */
int node_open_dir(void);

/*
 * What is at a name. ours is our device number, or 0. Our number changes with each load: where we
 * have put a device node, ANY_NUMBER takes one whose number nobody knows for it.
 */
#define ANY_NUMBER	((dev_t)-1)
struct node node_look(int dir, const char *name, dev_t ours);

/*
 * Put a link to our node, or that node, in place of what is there, or put back what was there. 0
 * or -errno; then all is as it was.
 */
int node_put_link(int dir);
int node_put_device(int dir);
int node_put_back(int dir);
/* The same where nothing is aside: a node as the kernel makes it. */
int node_put_fresh(int dir);

#endif
