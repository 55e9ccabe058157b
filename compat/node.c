// SPDX-License-Identifier: GPL-2.0-only
/*
 * node: /dev/vfio/ioas, and which containers are ours.
 *
 * Opening our node gives a container of vfio.ko: our open puts vfio.ko's file operations on the
 * file and calls vfio.ko's open. So VFIO_GROUP_SET_CONTAINER, which compares file operations,
 * accepts the file. The file still points to our inode, which later tells that it is ours. While
 * it is open, this module cannot be unloaded.
 *
 * The node is a character device of its own, not a misc device: misc_open() holds a lock during
 * open, under which vfio.ko's misc device could not be opened.
 *
 * Locking: none. All is set up before the first use and torn down after the last, see load.h. The
 * policy is one word, read and written with READ_ONCE() and WRITE_ONCE().
 */
#include <linux/cdev.h>
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/workqueue.h>

#include <asm/syscall.h>

#include "base/kcompat.h"
#include "base/load.h"
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

/* The arguments of a system call, as the calling task made it. */
struct syscall {
	unsigned long args[6];
};

/* False if the calling task is in no system call, or is a kernel thread. */
static bool get_syscall(struct syscall *syscall)
{
	struct pt_regs *regs = current_pt_regs();

	if (current->flags & PF_KTHREAD || syscall_get_nr(current, regs) == -1)
		return false;
	syscall_get_arguments(current, regs, syscall->args);
	return true;
}

bool node_in_ioctl(unsigned int cmd)
{
	struct syscall syscall;

	return get_syscall(&syscall) && (unsigned int)syscall.args[1] == cmd;
}

static bool is_our_container(unsigned int fd)
{
	struct file *file = fget(fd);
	struct inode *inode;
	bool ours;

	if (!file)
		return false;
	inode = file_inode(file);
	ours = file->f_op == container_fops && S_ISCHR(inode->i_mode) &&
	       inode->i_rdev == node_devt;
	fput(file);
	return ours;
}

bool node_serves_current(void)
{
	struct syscall syscall;

	if (!load_has_succeeded())
		return false;
	switch (READ_ONCE(serve)) {
	case SERVE_ALL:
		return true;
	case SERVE_NODE:
		return get_syscall(&syscall) && is_our_container(syscall.args[0]);
	default:
		return false;
	}
}

static int node_open(struct inode *inode, struct file *file)
{
	const struct file_operations *fops;
	int ret;

	ret = load_wait();
	if (ret)
		return ret;
	fops = fops_get(container_fops);
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

/* Opens vfio.ko's container device by its number: its path could have been moved. */
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

struct fops_search {
	struct work_struct work;
	int error;
};

static void find_container_fops(struct work_struct *work)
{
	struct fops_search *search = container_of(work, struct fops_search, work);
	struct vfsmount *mnt;
	struct file *file;

	mnt = kern_mount(&node_fs);
	if (IS_ERR(mnt)) {
		search->error = PTR_ERR(mnt);
		return;
	}
	file = open_vfio(mnt);
	if (IS_ERR(file)) {
		search->error = PTR_ERR(file);
	} else {
		/* They stay: vfio.ko cannot be unloaded while we use its symbols. */
		container_fops = file->f_op;
		__fput_sync(file);
	}
	kern_unmount(mnt);
}

/*
 * Opens and closes the file in a kernel thread, which can close it at once. The task that loads the
 * module would close it only on its way back to user space, maybe long after the module, and the
 * file system in it, has gone.
 */
static int get_container_fops(void)
{
	struct fops_search search = { };

	INIT_WORK_ONSTACK(&search.work, find_container_fops);
	schedule_work(&search.work);
	flush_work(&search.work);
	destroy_work_on_stack(&search.work);
	return search.error;
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

int node_init(void)
{
	int ret;

	ret = get_container_fops();
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

void node_exit(void)
{
	device_destroy(node_class, node_devt);
	cdev_del(&node_cdev);
	class_destroy(node_class);
	unregister_chrdev_region(node_devt, 1);
}
