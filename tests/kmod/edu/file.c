// SPDX-License-Identifier: GPL-2.0-only
/*
 * file: open files of a device's node, and the table of its ioctls.
 *
 * A file ends with its last descriptor, or with the driver. Its access ends before its binding, as
 * a driver stops using memory before it gives up its device.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "edu.h"

struct edu_command {
	unsigned int cmd;
	bool changes_state;
	int (*handler)(struct edu_file *file, union edu_args *args);
};

static const struct edu_command commands[] = {
	{ EDU_TEST_BIND, true, edu_bind },
	{ EDU_TEST_UNBIND, true, edu_unbind },
	{ EDU_TEST_ATTACH, true, edu_attach },
	{ EDU_TEST_REPLACE, true, edu_replace },
	{ EDU_TEST_DETACH, true, edu_detach },
	{ EDU_TEST_DMA, false, edu_dma },
	{ EDU_TEST_ACCESS_CREATE, true, edu_access_create },
	{ EDU_TEST_ACCESS_DESTROY, true, edu_access_destroy },
	{ EDU_TEST_ACCESS_REPLACE, true, edu_access_replace },
	{ EDU_TEST_ACCESS_ATTACH, true, edu_access_attach },
	{ EDU_TEST_ACCESS_DETACH, true, edu_access_detach },
	{ EDU_TEST_PIN, false, edu_pin },
	{ EDU_TEST_UNPIN, false, edu_unpin },
	{ EDU_TEST_PIN_COPY, false, edu_pin_copy },
	{ EDU_TEST_RW, false, edu_rw },
	{ EDU_TEST_ACCESS_INFO, false, edu_access_info },
};

static const struct edu_command *find_command(unsigned int cmd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].cmd == cmd)
			return &commands[i];
	return NULL;
}

static int run_command(struct edu_file *file, const struct edu_command *command,
		       union edu_args *args)
{
	int ret = -ENODEV;

	if (command->changes_state)
		down_write(&file->state_rwsem);
	else
		down_read(&file->state_rwsem);
	if (!file->gone)
		ret = command->handler(file, args);
	if (command->changes_state)
		up_write(&file->state_rwsem);
	else
		up_read(&file->state_rwsem);
	return ret;
}

static long edu_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	const struct edu_command *command = find_command(cmd);
	void __user *uargs = (void __user *)arg;
	union edu_args args = { };
	int ret;

	if (!command)
		return -ENOTTY;
	if (_IOC_DIR(cmd) & _IOC_WRITE && copy_from_user(&args, uargs, _IOC_SIZE(cmd)))
		return -EFAULT;
	ret = run_command(filp->private_data, command, &args);
	if (!ret && _IOC_DIR(cmd) & _IOC_READ && copy_to_user(uargs, &args, _IOC_SIZE(cmd)))
		ret = -EFAULT;
	return ret;
}

static int edu_open(struct inode *inode, struct file *filp)
{
	struct edu *edu = container_of(filp->private_data, struct edu, misc);
	struct edu_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return -ENOMEM;
	/* The device is there: its node is not removed while it is being opened. */
	kref_get(&edu->kref);
	file->edu = edu;
	init_rwsem(&file->state_rwsem);
	edu_access_init(file);
	filp->private_data = file;
	mutex_lock(&edu->files_lock);
	file->gone = edu->gone;
	list_add(&file->item, &edu->files);
	mutex_unlock(&edu->files_lock);
	return 0;
}

/* Undoes all that ioctls of a file did. From now on they return ENODEV. */
static void close_file(struct edu_file *file)
{
	lockdep_assert_held(&file->edu->files_lock);
	down_write(&file->state_rwsem);
	file->gone = true;
	edu_access_close(file);
	edu_device_close(file);
	up_write(&file->state_rwsem);
}

static int edu_close(struct inode *inode, struct file *filp)
{
	struct edu_file *file = filp->private_data;
	struct edu *edu = file->edu;

	mutex_lock(&edu->files_lock);
	close_file(file);
	list_del(&file->item);
	mutex_unlock(&edu->files_lock);
	kfree(file);
	edu_put(edu);
	return 0;
}

/* Closes all files of a device, when the driver is unbound from it. */
void edu_close_all(struct edu *edu)
{
	struct edu_file *file;

	mutex_lock(&edu->files_lock);
	edu->gone = true;
	list_for_each_entry(file, &edu->files, item)
		close_file(file);
	mutex_unlock(&edu->files_lock);
}

const struct file_operations edu_fops = {
	.owner = THIS_MODULE,
	.open = edu_open,
	.release = edu_close,
	.unlocked_ioctl = edu_ioctl,
	.llseek = noop_llseek,
};
