// SPDX-License-Identifier: GPL-2.0-only
/*
 * device: attaching a group of devices to an IOAS.
 *
 * Owns struct ioas_group: a group on the domain of an hwpt, and the IOVA ranges it
 * may not use. Groups share a domain where the IOMMU driver lets them.
 *
 * Locking: attach and detach hold domains_rwsem for writing from end to end, so that
 * nobody maps into ranges or domains that are about to change.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/slab.h>

#include "device.h"
#include "hwpt.h"
#include "ioas.h"
#include "kcompat.h"

struct ioas_group {
	struct list_head groups_item;	/* domains_rwsem */
	struct iommu_group *group;	/* constant; vfio keeps it while attached */
	struct ioas_hwpt *hwpt;		/* domains_rwsem */
	bool has_sw_msi;		/* needs a window for translated MSIs ... */
	phys_addr_t sw_msi_start;	/* ... here */
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

static struct ioas_group *find_group(struct ioas *ioas, struct iommu_group *group)
{
	struct ioas_hwpt *hwpt;
	struct ioas_group *igroup;

	list_for_each_entry(hwpt, &ioas->hwpts, hwpts_item)
		list_for_each_entry(igroup, &hwpt->groups, groups_item)
			if (igroup->group == group)
				return igroup;
	return NULL;
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

static int reserve_regions(struct ioas *ioas, struct ioas_group *igroup)
{
	struct iommu_resv_region *region, *next;
	bool has_hw_msi = false;
	LIST_HEAD(regions);
	int ret;

	ret = iommu_get_group_resv_regions(igroup->group, &regions);
	list_for_each_entry(region, &regions, list) {
		if (ret)
			break;
		note_msi_window(igroup, region, &has_hw_msi);
		if (region->type != IOMMU_RESV_DIRECT_RELAXABLE && region->length)
			ret = iova_reserve(&ioas->iova_space, region->start,
					   region->start + region->length - 1, igroup);
	}
	list_for_each_entry_safe(region, next, &regions, list)
		kfree(region);
	return ret;
}

/*
 * Takes what the group cannot use out of the usable IOVA: what lies outside the
 * aperture of its own domain, also if it will share another one, and its regions.
 */
static int reserve_iova(struct ioas *ioas, struct ioas_group *igroup)
{
	struct iova_space *space = &ioas->iova_space;
	unsigned long first_iova, last_iova;
	int ret;

	ret = hwpt_reserve_aperture(igroup->hwpt, space, igroup);
	if (!ret)
		ret = reserve_regions(ioas, igroup);
	if (!ret) {
		spin_lock(&space->iova_lock);
		if (!iova_usable(space, 0, &first_iova, &last_iova))
			ret = -EINVAL;
		spin_unlock(&space->iova_lock);
	}
	if (ret)
		iova_unreserve(space, igroup);
	return ret;
}

/*
 * Looks for a domain of other groups that the group can use instead of its own.
 * Leaves it on the one that igroup->hwpt says; an error means it is on none.
 */
static int share_hwpt(struct ioas *ioas, struct ioas_group *igroup)
{
	struct ioas_hwpt *own = igroup->hwpt;
	struct ioas_hwpt *hwpt;
	int ret;

	list_for_each_entry(hwpt, &ioas->hwpts, hwpts_item) {
		if (hwpt->domain->ops != own->domain->ops ||
		    hwpt->enforces_coherency != own->enforces_coherency)
			continue;
		iommu_detach_group(own->domain, igroup->group);
		if (!iommu_attach_group(hwpt->domain, igroup->group)) {
			igroup->hwpt = hwpt;
			return 0;
		}
		ret = iommu_attach_group(own->domain, igroup->group);
		if (ret)
			return ret;
	}
	return 0;
}

/* Lets the domain that the group is alone on mirror the IOAS. */
static int add_own_hwpt(struct ioas *ioas, struct ioas_group *igroup,
			const struct ioas_attach *attach)
{
	struct ioas_hwpt *hwpt = igroup->hwpt;
	int ret;

	if (igroup->has_sw_msi) {
		ret = iommu_get_msi_cookie(hwpt->domain, igroup->sw_msi_start);
		if (ret && ret != -ENODEV)
			return ret;
	}
	return hwpt_add(ioas, hwpt, attach->single_pages);
}

static int check_interrupts(struct ioas_group *igroup, const struct ioas_attach *attach)
{
	if (attach->unsafe_interrupts || kcompat_group_has_isolated_msi(igroup->group))
		return 0;
	pr_warn_ratelimited("group %d: no interrupt remapping; parameter allow_unsafe_interrupts lets it in all the same\n",
			    iommu_group_id(igroup->group));
	return -EPERM;
}

static int enter_domain(struct ioas *ioas, struct ioas_group *igroup,
			const struct ioas_attach *attach)
{
	struct ioas_hwpt *own = igroup->hwpt;
	const struct iommu_domain_ops *ops = own->domain->ops;
	int ret;

	ret = iommu_attach_group(own->domain, igroup->group);
	if (ret)
		return ret;
	ret = reserve_iova(ioas, igroup);
	if (ret)
		goto detach;
	ret = check_interrupts(igroup, attach);
	if (ret)
		goto unreserve;
	/* Now or never: a domain with mappings cannot start to enforce it. */
	if (ops->enforce_cache_coherency)
		own->enforces_coherency = ops->enforce_cache_coherency(own->domain);
	ret = share_hwpt(ioas, igroup);
	if (ret)
		goto unreserve;
	if (igroup->hwpt == own)
		ret = add_own_hwpt(ioas, igroup, attach);
	else
		hwpt_destroy(own);
	if (ret)
		goto unreserve;
	return 0;

unreserve:
	iova_unreserve(&ioas->iova_space, igroup);
detach:
	iommu_detach_group(own->domain, igroup->group);
	return ret;
}

/**
 * ioas_attach_group() - let the devices of a group use an IOAS
 * @ioas: the IOAS
 * @group: the caller owns its DMA and keeps it until ioas_detach_group()
 * @attach: how
 *
 * Context: may sleep for as long as it takes to map everything into a new domain.
 * Return: 0, or with nothing changed: -EINVAL if the group is here already, has no
 * device, or leaves no usable IOVA; -EADDRINUSE if an area lies where the group
 * cannot have one; -EPERM without isolated interrupts; -ENOMEM; what the IOMMU driver
 * or pages_pin() says.
 */
int ioas_attach_group(struct ioas *ioas, struct iommu_group *group,
		      const struct ioas_attach *attach)
{
	struct device *dev = group_device(group);
	struct ioas_group *igroup;
	struct ioas_hwpt *hwpt;
	int ret;

	if (!dev)
		return -EINVAL;
	igroup = kzalloc(sizeof(*igroup), GFP_KERNEL_ACCOUNT);
	if (!igroup)
		return -ENOMEM;
	igroup->group = group;

	down_write(&ioas->domains_rwsem);
	if (find_group(ioas, group)) {
		ret = -EINVAL;
		goto unlock;
	}
	hwpt = hwpt_create(dev, attach->nesting);
	if (IS_ERR(hwpt)) {
		ret = PTR_ERR(hwpt);
		goto unlock;
	}
	igroup->hwpt = hwpt;
	ret = enter_domain(ioas, igroup, attach);
	if (ret)
		hwpt_destroy(hwpt);
	else
		list_add(&igroup->groups_item, &igroup->hwpt->groups);
unlock:
	up_write(&ioas->domains_rwsem);
	if (ret)
		kfree(igroup);
	return ret;
}

/**
 * ioas_detach_group() - undo ioas_attach_group()
 * @ioas: the IOAS
 * @group: of a successful attach
 *
 * The group leaves its domain first: whatever is unmapped and unpinned afterwards is
 * out of the reach of its devices.
 *
 * Context: may sleep. Never fails, needs no memory.
 * Return: true if no domain is left.
 */
bool ioas_detach_group(struct ioas *ioas, struct iommu_group *group)
{
	struct ioas_group *igroup;
	struct ioas_hwpt *hwpt;
	bool last;

	down_write(&ioas->domains_rwsem);
	igroup = find_group(ioas, group);
	if (!WARN_ON(!igroup)) {
		hwpt = igroup->hwpt;
		iommu_detach_group(hwpt->domain, group);
		list_del(&igroup->groups_item);
		iova_unreserve(&ioas->iova_space, igroup);
		kfree(igroup);
		if (list_empty(&hwpt->groups)) {
			hwpt_remove(ioas, hwpt);
			hwpt_destroy(hwpt);
		}
	}
	last = list_empty(&ioas->hwpts);
	up_write(&ioas->domains_rwsem);
	return last;
}
