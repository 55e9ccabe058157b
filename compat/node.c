// SPDX-License-Identifier: GPL-2.0-only
/*
 * node: /dev/vfio/ioas, and which containers are ours.
 *
 * Opening our node gives a container of vfio.ko: open puts vfio.ko's file operations
 * on the file and hands it over, so that VFIO_GROUP_SET_CONTAINER, which compares
 * file operations, accepts it. The file keeps pointing at our inode, by which
 * it is known as ours later, and keeps this module in place until it is closed.
 *
 * It is a character device of its own, not a misc device: misc_open() holds a lock
 * across open, under which vfio.ko's misc device could not be opened.
 *
 * Locking: set up before and torn down after any use; the policy is one word.
 */
#include <linux/cdev.h>
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "kcompat.h"
#include "node.h"

#define NODE_FS_MAGIC	0x696f6173	/* "ioas" */

enum serve {
	SERVE_NODE,
	SERVE_ALL,
	SERVE_NONE,
};

static const char * const serve_names[] = {
	[SERVE_NODE] = "node",
	[SERVE_ALL] = "all",
	[SERVE_NONE] = "none",
};

static enum serve serve = SERVE_NODE;

static const struct file_operations *container_fops;
static struct class *node_class;
static struct cdev node_cdev;
static dev_t node_devt;

static int serve_set(const char *value, const struct kernel_param *param)
{
	int choice = sysfs_match_string(serve_names, value);

	if (choice < 0)
		return choice;
	WRITE_ONCE(serve, choice);
	return 0;
}

static int serve_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%s\n", serve_names[READ_ONCE(serve)]);
}

static const struct kernel_param_ops serve_ops = {
	.set = serve_set,
	.get = serve_get,
};
module_param_cb(serve, &serve_ops, NULL, 0644);
MODULE_PARM_DESC(serve, "Containers to serve: node (those opened through /dev/vfio/ioas), all, or none");

static int is_our_container(const void *unused, struct file *file, unsigned int fd)
{
	struct inode *inode = file_inode(file);

	return file->f_op == container_fops && S_ISCHR(inode->i_mode) &&
	       inode->i_rdev == node_devt;
}

/**
 * node_serves_current() - should we serve a container of the calling process?
 *
 * vfio.ko does not say for which container it asks. With serve=node a process that
 * has one of our node open is served for all containers it sets up.
 *
 * Context: process context. Takes the spinlock of its file table.
 */
bool node_serves_current(void)
{
	switch (READ_ONCE(serve)) {
	case SERVE_ALL:
		return true;
	case SERVE_NODE:
		return current->files &&
		       iterate_fd(current->files, 0, is_our_container, NULL);
	default:
		return false;
	}
}

static int node_open(struct inode *inode, struct file *file)
{
	const struct file_operations *fops = fops_get(container_fops);

	if (!fops)
		return -ENODEV;
	replace_fops(file, fops);
	return fops->open ? fops->open(inode, file) : 0;
}

static const struct file_operations node_fops = {
	.owner = THIS_MODULE,
	.open = node_open,
	.llseek = noop_llseek,
};

static int node_fs_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, NODE_FS_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type node_fs = {
	.name = "vfio_ioas",
	.owner = THIS_MODULE,
	.init_fs_context = node_fs_init_context,
	.kill_sb = kill_anon_super,
};

/* Opens vfio.ko's container device without a path, which anybody could have moved. */
static struct file *open_vfio(struct vfsmount *mnt)
{
	struct path path = { .mnt = mnt };
	struct inode *inode;
	struct file *file;

	inode = alloc_anon_inode(mnt->mnt_sb);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	init_special_inode(inode, S_IFCHR | 0600, MKDEV(MISC_MAJOR, VFIO_MINOR));
	path.dentry = d_obtain_alias(inode);
	if (IS_ERR(path.dentry))
		return ERR_CAST(path.dentry);
	file = dentry_open(&path, O_RDWR, current_cred());
	dput(path.dentry);
	return file;
}

static int find_container_fops(void)
{
	struct vfsmount *mnt;
	struct file *file;
	int ret = 0;

	mnt = kern_mount(&node_fs);
	if (IS_ERR(mnt))
		return PTR_ERR(mnt);
	file = open_vfio(mnt);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
	} else {
		/* We use symbols of vfio.ko: it stays, and so do these. */
		container_fops = file->f_op;
		fput(file);
	}
	kern_unmount(mnt);
	return ret;
}

static char *node_devnode(KCOMPAT_DEVNODE_DEVICE *dev, umode_t *mode)
{
	if (mode)
		*mode = 0666;
	return kasprintf(GFP_KERNEL, "vfio/%s", dev_name(dev));
}

static int node_add_device(void)
{
	struct device *dev;
	int ret;

	cdev_init(&node_cdev, &node_fops);
	node_cdev.owner = THIS_MODULE;
	ret = cdev_add(&node_cdev, node_devt, 1);
	if (ret)
		return ret;
	dev = device_create(node_class, NULL, node_devt, NULL, "ioas");
	if (IS_ERR(dev)) {
		cdev_del(&node_cdev);
		return PTR_ERR(dev);
	}
	return 0;
}

/**
 * node_init() - create /dev/vfio/ioas
 *
 * Return: 0, or an error with nothing created.
 */
int node_init(void)
{
	int ret;

	ret = find_container_fops();
	if (ret)
		return ret;
	ret = alloc_chrdev_region(&node_devt, 0, 1, "vfio_ioas");
	if (ret)
		return ret;
	node_class = kcompat_class_create("vfio_ioas");
	if (IS_ERR(node_class)) {
		ret = PTR_ERR(node_class);
		goto unregister_region;
	}
	node_class->devnode = node_devnode;
	ret = node_add_device();
	if (ret)
		goto destroy_class;
	return 0;

destroy_class:
	class_destroy(node_class);
unregister_region:
	unregister_chrdev_region(node_devt, 1);
	return ret;
}

/**
 * node_exit() - undo node_init()
 */
void node_exit(void)
{
	device_destroy(node_class, node_devt);
	cdev_del(&node_cdev);
	class_destroy(node_class);
	unregister_chrdev_region(node_devt, 1);
}
