// SPDX-License-Identifier: GPL-2.0-only
/*
 * device: devices that kernel drivers bind to a context and attach to an IOAS.
 *
 * A device is an object with an id. The context owns the DMA of a group as long as any device of
 * the group is bound. To attach a device is to add it to the attachees of its group.
 *
 * Locking: groups_mutex of the context, from begin to end of each change. An HWPT is made busy only
 * after the mutex is taken.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/slab.h>

#include "base/selftest.h"
#include "device.h"
#include "domain/group.h"
#include "domain/hwpt.h"
#include "space/ioas.h"
#include "vfio_ioas.h"

static void device_object_destroy(struct ioas_object *object)
{
	struct ioas_device *idev = container_of(object, struct ioas_device, object);
	struct ioas_group *igroup = idev->igroup;
	struct iommu_group *group = igroup->group;
	struct ioas_ctx *ctx = object->ctx;

	mutex_lock(&ctx->groups_mutex);
	if (!--igroup->ndevices) {
		if (group)
			iommu_group_release_dma_owner(group);
		igroup_destroy(igroup);
	}
	mutex_unlock(&ctx->groups_mutex);
	if (group)
		iommu_group_put(group);
	put_device(idev->dev);
	kfree(idev);
}

static const struct ioas_object_ops device_object_ops = {
	.destroy = device_object_destroy,
};

/* Finds the group of a device that is being bound. For its first device, claims its DMA. */
static struct ioas_group *join_igroup(struct ioas_ctx *ctx, const struct ioas_iommu_ops *iommu_ops,
				      struct iommu_group *group)
{
	struct ioas_group *igroup = group ? igroup_find(ctx, group) : NULL;
	int ret = 0;

	if (igroup)
		return igroup->ndevices ? igroup : ERR_PTR(-EBUSY);
	if (group)
		ret = iommu_group_claim_dma_owner(group, ctx);
	if (ret)
		return ERR_PTR(ret);
	igroup = igroup_create(ctx, iommu_ops, group);
	if (igroup)
		return igroup;
	if (group)
		iommu_group_release_dma_owner(group);
	return ERR_PTR(-ENOMEM);
}

struct ioas_device *idev_create(struct ioas_ctx *ctx, const struct ioas_iommu_ops *iommu_ops,
				struct iommu_group *group, struct device *dev)
{
	struct ioas_group *igroup;
	struct ioas_device *idev;
	int ret;

	idev = kzalloc(sizeof(*idev), GFP_KERNEL_ACCOUNT);
	if (!idev)
		return ERR_PTR(-ENOMEM);
	ret = ioas_object_reserve(ctx, &idev->object, &device_object_ops);
	if (ret)
		goto free_idev;
	mutex_lock(&ctx->groups_mutex);
	igroup = join_igroup(ctx, iommu_ops, group);
	if (IS_ERR(igroup))
		ret = PTR_ERR(igroup);
	else
		igroup->ndevices++;
	mutex_unlock(&ctx->groups_mutex);
	if (ret)
		goto abort;
	idev->dev = get_device(dev);
	idev->igroup = igroup;
	INIT_LIST_HEAD(&idev->attachee.item);
	ioas_object_use(&idev->object);
	return idev;

abort:
	ioas_object_abort(&idev->object);
free_idev:
	kfree(idev);
	return ERR_PTR(ret);
}

void idev_destroy(struct ioas_device *idev)
{
	ioas_object_retire(&idev->object);
	device_object_destroy(&idev->object);
}

struct ioas_device *idev_of_object(struct ioas_object *object)
{
	if (object->ops != &device_object_ops)
		return NULL;
	return container_of(object, struct ioas_device, object);
}

struct ioas_device *idev_get(struct ioas_ctx *ctx, u32 id)
{
	struct ioas_object *object = ioas_object_get(ctx, id, &device_object_ops);

	return object ? idev_of_object(object) : NULL;
}

static struct ioas_device *bind(struct ioas_ctx *ctx, struct device *dev, u32 *id)
{
	struct iommu_group *group;
	struct ioas_device *idev;
	int ret;

	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return ERR_PTR(-EINVAL);
	group = iommu_group_get(dev);
	if (!group)
		return ERR_PTR(-ENODEV);
	ret = igroup_check_interrupts(group);
	if (ret)
		goto put_group;
	idev = idev_create(ctx, &real_iommu_ops, group, dev);
	if (IS_ERR(idev)) {
		ret = PTR_ERR(idev);
		goto put_group;
	}
	ioas_ctx_get(ctx);
	*id = idev->object.id;
	ioas_object_publish(&idev->object);
	return idev;

put_group:
	iommu_group_put(group);
	return ERR_PTR(ret);
}

struct ioas_device *vfio_ioas_device_bind(struct ioas_ctx *ctx, struct device *dev, u32 *id)
{
	struct ioas_device *idev = bind(ctx, dev, id);

	selftest_look(ctx);
	return idev;
}
EXPORT_SYMBOL_GPL(vfio_ioas_device_bind);

void vfio_ioas_device_unbind(struct ioas_device *idev)
{
	struct ioas_ctx *ctx = idev->object.ctx;

	if (WARN_ON(!list_empty(&idev->attachee.item)))
		vfio_ioas_device_detach(idev);
	idev_destroy(idev);
	selftest_look(ctx);
	ioas_ctx_put(ctx);
}
EXPORT_SYMBOL_GPL(vfio_ioas_device_unbind);

/* Finds the IOAS or HWPT that an id from user space names. On success the object is busy. */
static int get_target(struct ioas_ctx *ctx, u32 pt_id, struct igroup_target *target,
		      struct ioas_object **object)
{
	struct ioas *ioas = ioas_get(ctx, pt_id);

	/* The mutex comes first: a thread that holds it may wait until an object is not busy. */
	lockdep_assert_held(&ctx->groups_mutex);
	if (ioas) {
		*object = &ioas->object;
		target->ioas = ioas;
		return 0;
	}
	*object = ioas_object_get(ctx, pt_id, NULL);
	if (!*object)
		return -ENOENT;
	target->hwpt = hwpt_of_object(*object);
	if (!target->hwpt) {
		ioas_object_put(*object);
		return -EINVAL;
	}
	target->ioas = target->hwpt->mirror.ioas;
	return 0;
}

/* Is the group attached to the target already? */
static bool is_on_target(struct ioas_group *igroup, const struct igroup_target *target)
{
	if (!igroup->hwpt)
		return false;
	if (target->hwpt)
		return igroup->hwpt == target->hwpt;
	return igroup->hwpt->mirror.ioas == target->ioas && igroup->hwpt->automatic;
}

static int attach_device(struct ioas_device *idev, const struct igroup_target *target)
{
	struct ioas_attachee *attachee = &idev->attachee;
	struct ioas_group *igroup = idev->igroup;

	if (!list_empty(&attachee->item))
		return -EBUSY;
	if (igroup->hwpt && !is_on_target(igroup, target))
		return -EINVAL;
	return igroup_add(igroup, attachee, target);
}

static int replace_device(struct ioas_device *idev, const struct igroup_target *target)
{
	if (list_empty(&idev->attachee.item))
		return -EINVAL;
	if (is_on_target(idev->igroup, target))
		return 0;
	return igroup_move(idev->igroup, target);
}

typedef int (*device_step)(struct ioas_device *idev, const struct igroup_target *target);

/* Runs @step with the object that *@pt_id names, and stores the HWPT's id there. */
static int with_target(struct ioas_device *idev, u32 *pt_id, device_step step)
{
	struct ioas_ctx *ctx = idev->object.ctx;
	struct igroup_target target = { };
	struct ioas_object *object;
	int ret;

	mutex_lock(&ctx->groups_mutex);
	ret = get_target(ctx, *pt_id, &target, &object);
	if (!ret) {
		ret = step(idev, &target);
		if (!ret)
			*pt_id = idev->igroup->hwpt->object.id;
		ioas_object_put(object);
	}
	mutex_unlock(&ctx->groups_mutex);
	selftest_look(ctx);
	return ret;
}

int vfio_ioas_device_attach(struct ioas_device *idev, u32 *pt_id)
{
	return with_target(idev, pt_id, attach_device);
}
EXPORT_SYMBOL_GPL(vfio_ioas_device_attach);

int vfio_ioas_device_replace(struct ioas_device *idev, u32 *pt_id)
{
	return with_target(idev, pt_id, replace_device);
}
EXPORT_SYMBOL_GPL(vfio_ioas_device_replace);

void vfio_ioas_device_detach(struct ioas_device *idev)
{
	struct ioas_attachee *attachee = &idev->attachee;
	struct ioas_group *igroup = idev->igroup;
	struct ioas_ctx *ctx = idev->object.ctx;

	mutex_lock(&ctx->groups_mutex);
	if (!WARN_ON(list_empty(&attachee->item)))
		igroup_remove(igroup, attachee, LEAVE_AREAS);
	mutex_unlock(&ctx->groups_mutex);
	selftest_look(ctx);
}
EXPORT_SYMBOL_GPL(vfio_ioas_device_detach);

struct ioas_hwpt *idev_alloc_hwpt(struct ioas_device *idev, struct ioas *ioas,
				  u32 hwpt_flags)
{
	struct ioas_group *igroup = idev->igroup;
	struct ioas_hwpt *hwpt;

	mutex_lock(&igroup->ctx->groups_mutex);
	hwpt = igroup_alloc_hwpt(igroup, ioas, hwpt_flags);
	mutex_unlock(&igroup->ctx->groups_mutex);
	return hwpt;
}
