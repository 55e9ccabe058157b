// SPDX-License-Identifier: GPL-2.0-only
/*
 * native: the device node whose open files are contexts.
 *
 * The node is /dev/iommu, or /dev/iommu-ioas where the kernel has an iommufd of its own, which owns
 * the other name.
 *
 * Locking: none.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "base/load.h"
#include "base/object.h"
#include "base/selftest.h"
#include "ioctl.h"
#include "kapi/vfio_ioas.h"
#include "legacy.h"
#include "native.h"

/* So many mappings take sixteen gigabytes of page tables, if each needs a page table of its own. */
static unsigned int iommu_entry_limit = 4194304;
module_param(iommu_entry_limit, uint, 0644);
MODULE_PARM_DESC(iommu_entry_limit, "Maximum number of mappings of an open /dev/iommu, read at open (default 4194304)");

static int iommu_open(struct inode *inode, struct file *file)
{
	struct ioas_ctx *ctx;
	int ret;

	ret = load_wait();
	if (ret)
		return ret;
	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return -ENOMEM;
	ioas_ctx_init(ctx, file);
	ioas_ctx_limit_areas(ctx, READ_ONCE(iommu_entry_limit));
	file->private_data = ctx;
	return 0;
}

static int iommu_release(struct inode *inode, struct file *file)
{
	struct ioas_ctx *ctx = file->private_data;

	ioas_ctx_destroy(ctx);
	kfree(ctx);
	return 0;
}

static long native_ioctl(struct ioas_ctx *ctx, unsigned int cmd, unsigned long arg)
{
	struct native_call call;
	int ret;

	ret = ioctl_read_call(&call, cmd, arg);
	return ret ?: ioctl_serve(&call, ctx);
}

static long iommu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct ioas_ctx *ctx = file->private_data;
	long ret;

	if (ioctl_is_native(cmd))
		ret = native_ioctl(ctx, cmd, arg);
	else
		ret = legacy_ioctl(ctx, cmd, arg);
	selftest_look(ctx);
	return ret;
}

static const struct file_operations iommu_fops = {
	.owner = THIS_MODULE,
	.open = iommu_open,
	.release = iommu_release,
	.unlocked_ioctl = iommu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice iommu_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = IS_ENABLED(CONFIG_IOMMUFD) ? "iommu-ioas" : "iommu",
	.fops = &iommu_fops,
	.mode = 0660,
};

struct ioas_ctx *vfio_ioas_ctx_from_file(struct file *file)
{
	struct ioas_ctx *ctx;

	if (file->f_op != &iommu_fops)
		return ERR_PTR(-EBADFD);
	ctx = file->private_data;
	ioas_ctx_get(ctx);
	return ctx;
}
EXPORT_SYMBOL_GPL(vfio_ioas_ctx_from_file);

struct ioas_ctx *vfio_ioas_ctx_from_fd(int fd)
{
	struct file *file = fget(fd);
	struct ioas_ctx *ctx;

	if (!file)
		return ERR_PTR(-EBADF);
	ctx = vfio_ioas_ctx_from_file(file);
	fput(file);
	return ctx;
}
EXPORT_SYMBOL_GPL(vfio_ioas_ctx_from_fd);

void vfio_ioas_ctx_get(struct ioas_ctx *ctx)
{
	ioas_ctx_get(ctx);
}
EXPORT_SYMBOL_GPL(vfio_ioas_ctx_get);

void vfio_ioas_ctx_put(struct ioas_ctx *ctx)
{
	ioas_ctx_put(ctx);
}
EXPORT_SYMBOL_GPL(vfio_ioas_ctx_put);

int native_init(void)
{
	return misc_register(&iommu_misc);
}

void native_exit(void)
{
	misc_deregister(&iommu_misc);
}
