// SPDX-License-Identifier: GPL-2.0-only
/*
 * device: devices, and groups of them, on the domains of an IOAS.
 *
 * The hardware confines groups, so it is groups that are on a domain. In a container
 * vfio.ko attaches them as such; drivers that use our kernel API bind and attach
 * single devices, and the group follows the first and leaves with the last. Each
 * reserves the IOVA it cannot use, and takes just that away again. Groups share a domain
 * where the IOMMU driver lets them.
 *
 * Locking: groups_mutex of the context guards which groups there are and where they
 * are, and is held from end to end of an attach or detach; objects are made busy
 * after it is taken. domains_rwsem of the IOAS is held for writing while its ranges or
 * domains change, so that nobody maps into them meanwhile.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "device.h"
#include "hwpt.h"
#include "ioas.h"
#include "iommufd.h"
#include "kcompat.h"
#include "vfio_ioas.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts, "Attach groups that can forge interrupts, too");

/* What a group is to be attached to. */
struct attach_target {
	struct ioas *ioas;
	struct ioas_hwpt *hwpt;		/* just this one; NULL: whichever fits, or a new one */
	bool nesting;
	bool single_pages;
};

static int take_device(struct device *dev, void *data)
{
	*(struct device **)data = dev;
	return 1;
}

/* Any device of the group: they share everything we ask about. */
static struct device *group_device(struct iommu_group *group)
{
	struct device *dev = NULL;

	iommu_group_for_each_dev(group, &dev, take_device);
	return dev;
}

static struct iommu_domain *real_alloc_domain(struct ioas_group *igroup, u32 hwpt_flags)
{
	struct device *dev;

	if (hwpt_flags)
		return ERR_PTR(-EOPNOTSUPP);
	dev = group_device(igroup->group);
	return dev ? kcompat_domain_alloc(dev) : ERR_PTR(-ENODEV);
}

static int real_attach(struct ioas_group *igroup, struct iommu_domain *domain)
{
	return iommu_attach_group(domain, igroup->group);
}

static void real_detach(struct ioas_group *igroup, struct iommu_domain *domain)
{
	iommu_detach_group(domain, igroup->group);
}

static int real_get_resv_regions(struct ioas_group *igroup, struct list_head *regions)
{
	return iommu_get_group_resv_regions(igroup->group, regions);
}

static const struct ioas_bus real_bus = {
	.alloc_domain = real_alloc_domain,
	.attach = real_attach,
	.detach = real_detach,
	.get_resv_regions = real_get_resv_regions,
};

static struct ioas_group *igroup_create(struct ioas_ctx *ctx, const struct ioas_bus *bus,
					struct iommu_group *group)
{
	struct ioas_group *igroup = kzalloc(sizeof(*igroup), GFP_KERNEL_ACCOUNT);

	if (!igroup)
		return NULL;
	lockdep_assert_held(&ctx->groups_mutex);
	igroup->ctx = ctx;
	igroup->bus = bus;
	igroup->group = group;
	INIT_LIST_HEAD(&igroup->attachees);
	list_add(&igroup->groups_item, &ctx->groups);
	return igroup;
}

static void igroup_destroy(struct ioas_group *igroup)
{
	lockdep_assert_held(&igroup->ctx->groups_mutex);
	WARN_ON(igroup->hwpt || !list_empty(&igroup->attachees));
	list_del(&igroup->groups_item);
	kfree(igroup);
}

static struct ioas_group *find_group(struct ioas_ctx *ctx, struct iommu_group *group)
{
	struct ioas_group *igroup;

	lockdep_assert_held(&ctx->groups_mutex);
	list_for_each_entry(igroup, &ctx->groups, groups_item)
		if (igroup->group == group)
			return igroup;
	return NULL;
}

static const void *current_tag(struct ioas_attachee *attachee)
{
	return &attachee->tags[attachee->tag];
}

static const void *other_tag(struct ioas_attachee *attachee)
{
	return &attachee->tags[!attachee->tag];
}

/* A window of a real MSI controller makes a software one unnecessary. */
static void note_msi_window(struct ioas_group *igroup, struct iommu_resv_region *region,
			    bool *has_hw_msi)
{
	if (region->type == IOMMU_RESV_MSI)
		*has_hw_msi = true;
	if (region->type == IOMMU_RESV_SW_MSI) {
		igroup->has_sw_msi = true;
		igroup->sw_msi_start = region->start;
	}
	if (*has_hw_msi)
		igroup->has_sw_msi = false;
}

static int reserve_regions(struct iova_space *space, struct ioas_group *igroup,
			   const void *owner)
{
	struct iommu_resv_region *region, *next;
	bool has_hw_msi = false;
	LIST_HEAD(regions);
	int ret;

	ret = igroup->bus->get_resv_regions(igroup, &regions);
	list_for_each_entry(region, &regions, list) {
		if (ret)
			break;
		note_msi_window(igroup, region, &has_hw_msi);
		if (region->type != IOMMU_RESV_DIRECT_RELAXABLE && region->length)
			ret = iova_reserve(space, region->start,
					   region->start + region->length - 1, owner);
	}
	list_for_each_entry_safe(region, next, &regions, list)
		kfree(region);
	return ret;
}

/*
 * Takes what the group cannot use out of the usable IOVA: what lies outside the
 * aperture of @own, also if it will share another domain, and its regions.
 */
static int reserve_iova(struct ioas *ioas, struct ioas_group *igroup,
			struct ioas_hwpt *own, const void *owner)
{
	struct iova_space *space = &ioas->iova_space;
	unsigned long first_iova, last_iova;
	int ret;

	ret = hwpt_reserve_aperture(own, space, owner);
	if (!ret)
		ret = reserve_regions(space, igroup, owner);
	if (!ret) {
		spin_lock(&space->iova_lock);
		if (!iova_usable(space, 0, &first_iova, &last_iova))
			ret = -EINVAL;
		spin_unlock(&space->iova_lock);
	}
	if (ret)
		iova_unreserve(space, owner);
	return ret;
}

static void unreserve_all(struct ioas *ioas, struct ioas_group *igroup, bool other)
{
	struct ioas_attachee *attachee;

	list_for_each_entry(attachee, &igroup->attachees, item)
		iova_unreserve(&ioas->iova_space,
			       other ? other_tag(attachee) : current_tag(attachee));
}

/* For all who attached the group, under their other tag. */
static int reserve_all(struct ioas *ioas, struct ioas_group *igroup, struct ioas_hwpt *own)
{
	struct ioas_attachee *attachee;
	int ret;

	list_for_each_entry(attachee, &igroup->attachees, item) {
		ret = reserve_iova(ioas, igroup, own, other_tag(attachee));
		if (ret) {
			unreserve_all(ioas, igroup, true);
			return ret;
		}
	}
	return 0;
}

/* Could a group that can have @own as its domain be on @hwpt instead? */
static bool may_share(const struct attach_target *target, const struct ioas_hwpt *own,
		      const struct ioas_hwpt *hwpt)
{
	if (hwpt->domain->ops != own->domain->ops)
		return false;
	/* Who can enforce coherency is never where nobody does. */
	if (target->hwpt)
		return target->hwpt == hwpt &&
		       hwpt->enforces_coherency >= own->enforces_coherency;
	return hwpt->automatic && hwpt->enforces_coherency == own->enforces_coherency;
}

/*
 * Looks for a domain of the IOAS that the group can use instead of @own, on which it is.
 * Leaves it on *@hwpt; an error means it is on none.
 */
static int share_hwpt(const struct attach_target *target, struct ioas_group *igroup,
		      struct ioas_hwpt *own, struct ioas_hwpt **hwpt)
{
	struct ioas_hwpt *other;
	int ret;

	*hwpt = own;
	list_for_each_entry(other, &target->ioas->hwpts, hwpts_item) {
		if (!may_share(target, own, other))
			continue;
		igroup->bus->detach(igroup, own->domain);
		if (!igroup->bus->attach(igroup, other->domain)) {
			*hwpt = other;
			return 0;
		}
		ret = igroup->bus->attach(igroup, own->domain);
		if (ret)
			return ret;
	}
	return 0;
}

static int get_msi_cookie(struct ioas_group *igroup, struct ioas_hwpt *hwpt)
{
	int ret;

	if (!igroup->has_sw_msi || hwpt->has_msi_cookie)
		return 0;
	ret = iommu_get_msi_cookie(hwpt->domain, igroup->sw_msi_start);
	if (ret == -ENODEV)
		return 0;
	hwpt->has_msi_cookie = !ret;
	return ret;
}

static int check_interrupts(struct iommu_group *group)
{
	if (READ_ONCE(allow_unsafe_interrupts) || kcompat_group_has_isolated_msi(group))
		return 0;
	pr_warn_ratelimited("group %d: no interrupt remapping; parameter allow_unsafe_interrupts lets it in all the same\n",
			    iommu_group_id(group));
	return -EPERM;
}

static bool enforce_coherency(struct iommu_domain *domain)
{
	return domain->ops->enforce_cache_coherency &&
	       domain->ops->enforce_cache_coherency(domain);
}

/* Finds the domain for a group that is on @own, with everything else prepared. */
static int choose_hwpt(const struct attach_target *target, struct ioas_group *igroup,
		       struct ioas_hwpt *own, struct ioas_hwpt **hwpt)
{
	int ret;

	/* Now or never: a domain with mappings cannot start to enforce it. */
	own->enforces_coherency = enforce_coherency(own->domain);
	ret = share_hwpt(target, igroup, own, hwpt);
	if (ret)
		return ret;
	if (target->hwpt && *hwpt == own)
		return -EINVAL;
	ret = get_msi_cookie(igroup, *hwpt);
	if (!ret && *hwpt == own)
		ret = hwpt_add(own, target->single_pages);
	/* Who cleans up knows only of its own domain. */
	if (ret && *hwpt != own) {
		igroup->bus->detach(igroup, (*hwpt)->domain);
		WARN_ON(igroup->bus->attach(igroup, own->domain));
	}
	return ret;
}

/* Puts a group that is on no domain on one; *@hwpt is @own, or one to use instead. */
static int enter_domain(const struct attach_target *target, struct ioas_group *igroup,
			struct ioas_hwpt *own, struct ioas_hwpt **hwpt)
{
	struct ioas *ioas = target->ioas;
	int ret;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	ret = igroup->bus->attach(igroup, own->domain);
	if (ret)
		return ret;
	ret = reserve_all(ioas, igroup, own);
	if (ret)
		goto detach;
	/* The groups of a container: devices were asked when they were bound. */
	if (!igroup->ndevices)
		ret = check_interrupts(igroup->group);
	if (!ret)
		ret = choose_hwpt(target, igroup, own, hwpt);
	if (ret)
		goto unreserve;
	return 0;

unreserve:
	unreserve_all(ioas, igroup, true);
detach:
	igroup->bus->detach(igroup, own->domain);
	return ret;
}

static struct ioas_hwpt *create_hwpt(struct ioas_group *igroup, struct ioas *ioas,
				     u32 hwpt_flags, bool automatic)
{
	struct iommu_domain *domain = igroup->bus->alloc_domain(igroup, hwpt_flags);
	struct ioas_hwpt *hwpt;

	if (IS_ERR(domain))
		return ERR_CAST(domain);
	hwpt = hwpt_create(ioas, domain, automatic);
	if (IS_ERR(hwpt))
		iommu_domain_free(domain);
	return hwpt;
}

static void discard_hwpt(struct ioas_hwpt *hwpt)
{
	ioas_object_abort(&hwpt->object);
	hwpt_destroy(hwpt);
}

/*
 * Attaches a group that is on no domain, for all of its attachees, whose reservations have
 * their other tag from now on.
 */
static int attach_igroup(struct ioas_group *igroup, const struct attach_target *target)
{
	struct ioas_hwpt *own = create_hwpt(igroup, target->ioas, 0, true);
	struct ioas_attachee *attachee;
	struct ioas_hwpt *hwpt;
	int ret = 0;

	lockdep_assert_held(&igroup->ctx->groups_mutex);
	if (IS_ERR(own))
		return PTR_ERR(own);
	if (target->nesting)
		ret = kcompat_enable_nesting(own->domain);
	if (!ret) {
		down_write(&target->ioas->domains_rwsem);
		ret = enter_domain(target, igroup, own, &hwpt);
		up_write(&target->ioas->domains_rwsem);
	}
	if (ret) {
		discard_hwpt(own);
		return ret;
	}
	list_for_each_entry(attachee, &igroup->attachees, item)
		attachee->tag = !attachee->tag;
	igroup->hwpt = hwpt;
	hwpt->ngroups++;
	ioas_object_use(&hwpt->object);
	if (hwpt == own)
		ioas_object_publish(&own->object);
	else
		discard_hwpt(own);
	return 0;
}

/*
 * A group has left @hwpt. An automatic one goes with its last group. Only then may be mapped
 * what @last, or who moved the group, had reserved: a domain need not be able to take it.
 */
static void release_hwpt(struct ioas_group *igroup, struct ioas_hwpt *hwpt,
			 struct ioas_attachee *last, bool unmap_with_last)
{
	struct ioas *ioas = hwpt->ioas;
	bool ends = !--hwpt->ngroups && hwpt->automatic;
	unsigned long nbytes;

	down_write(&ioas->domains_rwsem);
	if (ends)
		hwpt_remove(hwpt);
	if (last)
		iova_unreserve(&ioas->iova_space, current_tag(last));
	else
		unreserve_all(ioas, igroup, true);
	downgrade_write(&ioas->domains_rwsem);
	if (unmap_with_last && list_empty(&ioas->hwpts))
		WARN_ON(ioas_unmap_all(ioas, &nbytes));
	up_read(&ioas->domains_rwsem);
	if (ends) {
		ioas_object_retire(&hwpt->object);
		hwpt_destroy(hwpt);
	} else {
		ioas_object_unuse(&hwpt->object);
	}
}

/* IOMMU drivers do not expect a domain to lose devices while something is unmapped. */
static void leave_domain(struct ioas_group *igroup)
{
	struct ioas_hwpt *hwpt = igroup->hwpt;

	down_write(&hwpt->ioas->domains_rwsem);
	igroup->bus->detach(igroup, hwpt->domain);
	up_write(&hwpt->ioas->domains_rwsem);
	igroup->hwpt = NULL;
}

/*
 * The group leaves its domain first: whatever is unmapped and unpinned afterwards is out
 * of the reach of its devices.
 */
static void detach_igroup(struct ioas_group *igroup, struct ioas_attachee *last,
			  bool unmap_with_last)
{
	struct ioas_hwpt *hwpt = igroup->hwpt;

	leave_domain(igroup);
	release_hwpt(igroup, hwpt, last, unmap_with_last);
}

int ioas_attach_group(struct ioas *ioas, struct iommu_group *group,
		      const struct ioas_attach *attach)
{
	struct attach_target target = {
		.ioas = ioas,
		.nesting = attach->nesting,
		.single_pages = attach->single_pages,
	};
	struct ioas_ctx *ctx = ioas->object.ctx;
	struct ioas_group *igroup;
	int ret = -EINVAL;

	mutex_lock(&ctx->groups_mutex);
	if (!group_device(group) || find_group(ctx, group))
		goto unlock;
	igroup = igroup_create(ctx, &real_bus, group);
	if (!igroup) {
		ret = -ENOMEM;
		goto unlock;
	}
	list_add(&igroup->container.item, &igroup->attachees);
	ret = attach_igroup(igroup, &target);
	if (ret) {
		list_del(&igroup->container.item);
		igroup_destroy(igroup);
	}
unlock:
	mutex_unlock(&ctx->groups_mutex);
	return ret;
}

void ioas_detach_group(struct ioas_ctx *ctx, struct iommu_group *group)
{
	struct ioas_group *igroup;

	mutex_lock(&ctx->groups_mutex);
	igroup = find_group(ctx, group);
	if (!WARN_ON(!igroup)) {
		list_del(&igroup->container.item);
		detach_igroup(igroup, &igroup->container, true);
		igroup_destroy(igroup);
	}
	mutex_unlock(&ctx->groups_mutex);
}

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

/* The group of a device to be bound. The first one makes its DMA ours. */
static struct ioas_group *join_igroup(struct ioas_ctx *ctx, const struct ioas_bus *bus,
				      struct iommu_group *group)
{
	struct ioas_group *igroup = group ? find_group(ctx, group) : NULL;
	int ret = 0;

	if (igroup)
		return igroup->ndevices ? igroup : ERR_PTR(-EBUSY);
	if (group)
		ret = iommu_group_claim_dma_owner(group, ctx);
	if (ret)
		return ERR_PTR(ret);
	igroup = igroup_create(ctx, bus, group);
	if (igroup)
		return igroup;
	if (group)
		iommu_group_release_dma_owner(group);
	return ERR_PTR(-ENOMEM);
}

struct ioas_device *idev_create(struct ioas_ctx *ctx, const struct ioas_bus *bus,
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
	igroup = join_igroup(ctx, bus, group);
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

struct ioas_device *idev_get(struct ioas_ctx *ctx, u32 id)
{
	struct ioas_object *object = ioas_object_get(ctx, id, &device_object_ops);

	return object ? container_of(object, struct ioas_device, object) : NULL;
}

struct ioas_device *vfio_ioas_device_bind(struct ioas_ctx *ctx, struct device *dev, u32 *id)
{
	struct iommu_group *group;
	struct ioas_device *idev;
	int ret;

	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return ERR_PTR(-EINVAL);
	group = iommu_group_get(dev);
	if (!group)
		return ERR_PTR(-ENODEV);
	ret = check_interrupts(group);
	if (ret)
		goto put_group;
	idev = idev_create(ctx, &real_bus, group, dev);
	if (IS_ERR(idev)) {
		ret = PTR_ERR(idev);
		goto put_group;
	}
	vfio_ioas_ctx_get(ctx);
	*id = idev->object.id;
	ioas_object_publish(&idev->object);
	return idev;

put_group:
	iommu_group_put(group);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(vfio_ioas_device_bind);

void vfio_ioas_device_unbind(struct ioas_device *idev)
{
	struct ioas_ctx *ctx = idev->object.ctx;

	if (WARN_ON(!list_empty(&idev->attachee.item)))
		vfio_ioas_device_detach(idev);
	idev_destroy(idev);
	vfio_ioas_ctx_put(ctx);
}
EXPORT_SYMBOL_GPL(vfio_ioas_device_unbind);

/* Finds out what an id from user space stands for. On success the object is kept busy. */
static int get_target(struct ioas_ctx *ctx, u32 pt_id, struct attach_target *target,
		      struct ioas_object **object)
{
	struct ioas *ioas = ioas_get(ctx, pt_id);

	/* Who waits for the object to become idle may hold the mutex. */
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
	target->ioas = target->hwpt->ioas;
	return 0;
}

/* Is a group already where it is to go? */
static bool is_on_target(struct ioas_group *igroup, const struct attach_target *target)
{
	if (!igroup->hwpt)
		return false;
	if (target->hwpt)
		return igroup->hwpt == target->hwpt;
	return igroup->hwpt->ioas == target->ioas && igroup->hwpt->automatic;
}

static int attach_device(struct ioas_device *idev, const struct attach_target *target)
{
	struct ioas_attachee *attachee = &idev->attachee;
	struct ioas_group *igroup = idev->igroup;
	struct ioas *ioas = target->ioas;
	int ret;

	if (!list_empty(&attachee->item))
		return -EBUSY;
	if (igroup->hwpt && !is_on_target(igroup, target))
		return -EINVAL;
	if (igroup->hwpt) {
		down_write(&ioas->domains_rwsem);
		ret = reserve_iova(ioas, igroup, igroup->hwpt, current_tag(attachee));
		up_write(&ioas->domains_rwsem);
		if (!ret)
			list_add(&attachee->item, &igroup->attachees);
		return ret;
	}
	list_add(&attachee->item, &igroup->attachees);
	ret = attach_igroup(igroup, target);
	if (ret)
		list_del_init(&attachee->item);
	return ret;
}

static int move_igroup(struct ioas_group *igroup, const struct attach_target *target)
{
	struct ioas_hwpt *old = igroup->hwpt;
	int ret;

	leave_domain(igroup);
	ret = attach_igroup(igroup, target);
	if (ret) {
		down_write(&old->ioas->domains_rwsem);
		WARN_ON(igroup->bus->attach(igroup, old->domain));
		up_write(&old->ioas->domains_rwsem);
		igroup->hwpt = old;
		return ret;
	}
	release_hwpt(igroup, old, NULL, false);
	return 0;
}

static int replace_device(struct ioas_device *idev, const struct attach_target *target)
{
	if (list_empty(&idev->attachee.item))
		return -EINVAL;
	if (is_on_target(idev->igroup, target))
		return 0;
	return move_igroup(idev->igroup, target);
}

typedef int (*device_step)(struct ioas_device *idev, const struct attach_target *target);

/* Does @step with the object that *@pt_id stands for, and returns the HWPT's id in it. */
static int with_target(struct ioas_device *idev, u32 *pt_id, device_step step)
{
	struct ioas_ctx *ctx = idev->object.ctx;
	struct attach_target target = { };
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
	if (!WARN_ON(list_empty(&attachee->item))) {
		list_del_init(&attachee->item);
		if (list_empty(&igroup->attachees))
			detach_igroup(igroup, attachee, false);
		else
			iova_unreserve(&igroup->hwpt->ioas->iova_space,
				       current_tag(attachee));
	}
	mutex_unlock(&ctx->groups_mutex);
}
EXPORT_SYMBOL_GPL(vfio_ioas_device_detach);

/* Can the IOMMU enforce coherency for a group? Only a domain that the group is on can tell. */
static bool can_enforce_coherency(struct ioas_group *igroup)
{
	struct iommu_domain *domain;
	bool can = false;

	lockdep_assert_held(&igroup->ctx->groups_mutex);
	if (igroup->hwpt)
		return igroup->hwpt->enforces_coherency;
	domain = igroup->bus->alloc_domain(igroup, 0);
	if (IS_ERR(domain))
		return false;
	if (!igroup->bus->attach(igroup, domain)) {
		can = enforce_coherency(domain);
		igroup->bus->detach(igroup, domain);
	}
	iommu_domain_free(domain);
	return can;
}

static int fill_new_hwpt(struct ioas_hwpt *hwpt)
{
	struct ioas *ioas = hwpt->ioas;
	int ret;

	down_write(&ioas->domains_rwsem);
	ret = hwpt_reserve_aperture(hwpt, &ioas->iova_space, hwpt);
	if (!ret)
		ret = hwpt_add(hwpt, false);
	if (ret)
		iova_unreserve(&ioas->iova_space, hwpt);
	up_write(&ioas->domains_rwsem);
	return ret;
}

struct ioas_hwpt *idev_alloc_hwpt(struct ioas_device *idev, struct ioas *ioas,
				  u32 hwpt_flags)
{
	struct ioas_group *igroup = idev->igroup;
	struct ioas_hwpt *hwpt;
	int ret;

	hwpt = create_hwpt(igroup, ioas, hwpt_flags, false);
	if (IS_ERR(hwpt))
		return hwpt;
	mutex_lock(&igroup->ctx->groups_mutex);
	if (can_enforce_coherency(igroup))
		hwpt->enforces_coherency = enforce_coherency(hwpt->domain);
	mutex_unlock(&igroup->ctx->groups_mutex);
	ret = fill_new_hwpt(hwpt);
	if (ret) {
		discard_hwpt(hwpt);
		return ERR_PTR(ret);
	}
	return hwpt;
}
