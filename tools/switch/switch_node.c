// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch_node.c - exchanges the file at /dev/vfio/vfio
 *
 * All calls use names in the directory, which is opened once. The new file is made under a
 * temporary name and then renamed. If a crash leaves the temporary name behind, the next run
 * removes it.
 */
#define _GNU_SOURCE
#include "switch_node.h"

#include <fcntl.h>

#define NODE_NEW	".vfio.new"
#define STOCK_PERMISSIONS	0666

int node_open_dir(void)
{
	return open(NODE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool leads_to_ours(int dir, const char *name)
{
	char target[64];
	ssize_t nread = readlinkat(dir, name, target, sizeof(target) - 1);

	if (nread < 0)
		return false;
	target[nread] = '\0';
	return strcmp(target, NODE_OURS) == 0 ||
	       strcmp(target, NODE_DIR "/" NODE_OURS) == 0;
}

static bool is_our_inode(int dir, const struct stat *st)
{
	struct stat ours;

	return fstatat(dir, NODE_OURS, &ours, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == st->st_dev && ours.st_ino == st->st_ino;
}

struct node node_look(int dir, const char *name, dev_t ours)
{
	struct node node = { .kind = NODE_UNKNOWN };
	struct stat dir_st;

	if (fstat(dir, &dir_st) ||
	    fstatat(dir, name, &node.st, AT_SYMLINK_NOFOLLOW))
		node.kind = NODE_NOTHING;
	else if (node.st.st_dev != dir_st.st_dev)
		node.kind = NODE_MOUNT;
	else if (S_ISLNK(node.st.st_mode) && leads_to_ours(dir, name))
		node.kind = NODE_LINK;
	else if (S_ISCHR(node.st.st_mode) && node.st.st_rdev == STOCK_NUMBER)
		node.kind = NODE_STOCK;
	else if (S_ISCHR(node.st.st_mode) &&
		 (ours == ANY_NUMBER || (ours && node.st.st_rdev == ours)))
		node.kind = NODE_DEVICE;
	node.is_our_inode = node.kind == NODE_DEVICE && is_our_inode(dir, &node.st);
	return node;
}

static int remove_if_there(int dir, const char *name)
{
	return unlinkat(dir, name, 0) && errno != ENOENT ? -errno : 0;
}

static bool is_stock(int dir, const char *name)
{
	return node_look(dir, name, 0).kind == NODE_STOCK;
}

/*
 * Gives the current node a second name, so that it survives when the first name is taken over. An
 * older node with the second name is removed before.
 */
static int put_aside(int dir)
{
	int result = remove_if_there(dir, NODE_ASIDE);

	if (!result && linkat(dir, NODE, dir, NODE_ASIDE, 0))
		result = -errno;
	return result;
}

static int take_over(int dir)
{
	int result = is_stock(dir, NODE) ? put_aside(dir) : 0;

	if (!result && renameat(dir, NODE_NEW, dir, NODE))
		result = -errno;
	if (result) {
		remove_if_there(dir, NODE_NEW);
		if (is_stock(dir, NODE))
			remove_if_there(dir, NODE_ASIDE);
		return result;
	}
	/* If both names belong to one inode, rename() does nothing and the name stays. */
	return remove_if_there(dir, NODE_NEW);
}

int node_put_link(int dir)
{
	int result = remove_if_there(dir, NODE_NEW);

	if (!result && symlinkat(NODE_OURS, dir, NODE_NEW))
		result = -errno;
	return result ? result : take_over(dir);
}

int node_put_device(int dir)
{
	int result = remove_if_there(dir, NODE_NEW);

	if (!result && linkat(dir, NODE_OURS, dir, NODE_NEW, 0))
		result = -errno;
	return result ? result : take_over(dir);
}

int node_put_back(int dir)
{
	int result = remove_if_there(dir, NODE_NEW);

	if (result)
		return result;
	/* Both names belong to one node, or somebody has put a new one there. */
	if (is_stock(dir, NODE))
		return is_stock(dir, NODE_ASIDE) ? remove_if_there(dir, NODE_ASIDE) : 0;
	return renameat(dir, NODE_ASIDE, dir, NODE) ? -errno : 0;
}

int node_put_fresh(int dir)
{
	int result = remove_if_there(dir, NODE_NEW);

	if (result)
		return result;
	if (mknodat(dir, NODE_NEW, S_IFCHR, STOCK_NUMBER) ||
	    fchmodat(dir, NODE_NEW, STOCK_PERMISSIONS, 0) ||
	    renameat(dir, NODE_NEW, dir, NODE))
		return -errno;
	return 0;
}
