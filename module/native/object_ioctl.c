// SPDX-License-Identifier: GPL-2.0-only
/*
 * object_ioctl: the native ioctls about objects of any kind, about HWPTs and about devices.
 *
 * Locking: none; a command keeps the objects that it works on busy.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "call.h"
#include "domain/hwpt.h"
#include "handlers.h"
#include "kapi/device.h"
#include "space/ioas.h"

int handle_destroy(struct native_call *call)
{
	return ioas_object_destroy(call->ctx, call->args.destroy.id);
}

/* Keeps device and IOAS busy only meanwhile: to write the result later may take long. */
static struct ioas_hwpt *alloc_hwpt(struct ioas_ctx *ctx, const struct iommu_hwpt_alloc *args)
{
	struct ioas_hwpt *hwpt = ERR_PTR(-EINVAL);
	struct ioas_device *idev;
	struct ioas *ioas;

	idev = idev_get(ctx, args->dev_id);
	if (!idev)
		return ERR_PTR(-ENOENT);
	ioas = ioas_get(ctx, args->pt_id);
	if (ioas) {
		/* No IOMMU driver of the supported kernels takes data for a page table. */
		if (args->flags & ~IOMMU_HWPT_ALLOC_NEST_PARENT || args->data_len)
			hwpt = ERR_PTR(-EOPNOTSUPP);
		else
			hwpt = idev_alloc_hwpt(idev, ioas, args->flags);
		ioas_put(ioas);
	}
	ioas_object_put(&idev->object);
	return hwpt;
}

int handle_hwpt_alloc(struct native_call *call)
{
	struct iommu_hwpt_alloc *args = &call->args.hwpt_alloc;
	struct ioas_hwpt *hwpt;

	if (args->__reserved)
		return -EOPNOTSUPP;
	if (!args->data_type != !args->data_len)
		return -EINVAL;
	hwpt = alloc_hwpt(call->ctx, args);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	args->out_hwpt_id = hwpt->object.id;
	return call_publish(call, sizeof(*args), &hwpt->object);
}

/* Writes the data that fit into the user's buffer, and zeroes the rest of the buffer. */
static int put_hw_info(struct iommu_hw_info *args, const struct ioas_hw_info *info)
{
	u32 nbytes = min(args->data_len, info->nbytes);

	if (copy_to_user(u64_to_user_ptr(args->data_uptr), info->data, nbytes) ||
	    clear_user(u64_to_user_ptr(args->data_uptr + nbytes), args->data_len - nbytes))
		return -EFAULT;
	args->data_len = info->nbytes;
	args->out_data_type = info->type;
	args->out_max_pasid_log2 = info->max_pasid_log2;
	args->out_capabilities = 0;
	return 0;
}

int handle_get_hw_info(struct native_call *call)
{
	struct iommu_hw_info *args = &call->args.hw_info;
	struct ioas_hw_info info = { };
	struct ioas_device *idev;
	bool is_asked;
	int ret;

	if (args->flags & ~IOMMU_HW_INFO_FLAG_INPUT_TYPE ||
	    memchr_inv(args->__reserved, 0, sizeof(args->__reserved)))
		return -EOPNOTSUPP;
	idev = idev_get(call->ctx, args->dev_id);
	if (!idev)
		return -ENOENT;
	/* Where the driver has no data, any type that the user asks for is accepted. */
	is_asked = idev->igroup->iommu_ops->get_hw_info;
	if (is_asked)
		idev->igroup->iommu_ops->get_hw_info(&info);
	ioas_object_put(&idev->object);
	if (is_asked && args->flags & IOMMU_HW_INFO_FLAG_INPUT_TYPE && args->in_data_type &&
	    args->in_data_type != info.type)
		return -EOPNOTSUPP;
	ret = put_hw_info(args, &info);
	return ret ?: call_respond(call, sizeof(*args));
}
