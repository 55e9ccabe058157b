// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of devices; lib_group.h and shim/iommu.h declare them.
 */
#include "lib_group.h"
#include "lib_run.h"

unsigned int shim_fail_attach_in;
unsigned int shim_fail_attaches;
bool shim_hotplug;
bool shim_no_msi_cookies;
void (*shim_on_domain_alloc)(void);
bool shim_takes_none_back;

struct unit_domain {
	struct iommu_domain domain;
	struct shim_unit unit;		/* the IOMMU of the device that it was made for */
	struct iommu_group *known[8];	/* groups that were attached to it before */
	unsigned int nknown;
};

static bool enforce_coherency(struct iommu_domain *domain)
{
	struct unit_domain *of = container_of(domain, struct unit_domain, domain);

	/* A domain with mappings cannot begin to enforce it. */
	WARN_ON(domain->mappings);
	domain->enforces_coherency = of->unit.can_enforce;
	return domain->enforces_coherency;
}

const struct iommu_domain_ops shim_unit_ops[2] = {
	{ .enforce_cache_coherency = enforce_coherency },
	{ .enforce_cache_coherency = enforce_coherency },
};

static struct device *create_device(struct iommu_group *group)
{
	struct device *device = calloc(1, sizeof(*device));

	device->group = group;
	device->nrefs = 1;
	return device;
}

struct iommu_group *shim_group_create(void)
{
	struct iommu_group *group = calloc(1, sizeof(*group));
	static int last_id;

	group->id = ++last_id;
	group->unit = (struct shim_unit){
		.aperture_end = ULONG_MAX, .pgsize_bitmap = PAGE_SIZE | 1UL << 21,
		.ops = &shim_unit_ops[0],
	};
	shim_group_add_device(group);
	return group;
}

void shim_group_add_device(struct iommu_group *group)
{
	ck_assert_uint_lt(group->ndevices, GROUP_MAX_DEVICES);
	group->devices[group->ndevices++] = create_device(group);
}

void shim_group_add_region(struct iommu_group *group, unsigned long start, size_t length,
			   enum iommu_resv_type type)
{
	ck_assert_uint_lt(group->nregions, GROUP_MAX_REGIONS);
	group->regions[group->nregions++] = (struct iommu_resv_region){
		.start = start, .length = length, .type = type,
	};
}

void shim_group_destroy(struct iommu_group *group)
{
	unsigned int i;

	ck_assert_ptr_null(group->domain);
	ck_assert_ptr_null(group->owner);
	ck_assert_int_eq(group->nrefs, 0);
	for (i = 0; i < group->ndevices; i++) {
		ck_assert_int_eq(group->devices[i]->nrefs, 1);
		free(group->devices[i]);
	}
	free(group);
}

struct device *get_device(struct device *dev)
{
	if (dev)
		dev->nrefs++;
	return dev;
}

void put_device(struct device *dev)
{
	if (!dev)
		return;
	WARN_ON(dev->nrefs <= 0);
	if (!--dev->nrefs)
		free(dev);
}

const char *dev_name(const struct device *dev)
{
	return dev ? "device" : "none";
}

int iommu_group_for_each_dev(struct iommu_group *group, void *data,
			     int (*step)(struct device *dev, void *data))
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < group->ndevices && !ret; i++)
		ret = step(group->devices[i], data);
	for (i = 0; shim_hotplug && i < group->ndevices; i++) {
		/* A bound device stays: somebody has a reference. */
		if (group->devices[i]->nrefs > 1)
			continue;
		put_device(group->devices[i]);
		group->devices[i] = create_device(group);
	}
	return ret;
}

static void finish(struct unit_domain *of)
{
	of->domain.pgsize_bitmap = of->unit.pgsize_bitmap;
	of->domain.geometry.aperture_start = of->unit.aperture_start;
	of->domain.geometry.aperture_end = of->unit.aperture_end;
}

struct iommu_domain *iommu_paging_domain_alloc(struct device *dev)
{
	struct unit_domain *of;

	if (shim_on_domain_alloc)
		shim_on_domain_alloc();
	if (shim_fail_now())
		return ERR_PTR(-ENOMEM);
	of = calloc(1, sizeof(*of));
	of->unit = dev->group->unit;
	of->domain.ops = of->unit.ops;
	if (of->unit.changes) {
		of->domain.pgsize_bitmap = of->unit.pgsize_bitmap | PAGE_SIZE / 2;
		of->domain.geometry.aperture_end = ULONG_MAX;
	} else if (!of->unit.finishes_late) {
		finish(of);
	}
	return &of->domain;
}

static bool is_known(const struct unit_domain *of, const struct iommu_group *group)
{
	unsigned int i;

	for (i = 0; i < of->nknown; i++)
		if (of->known[i] == group)
			return true;
	return false;
}

/* A driver accepts a group that it had before: the caller could not handle a failure. */
static bool attach_fails(const struct unit_domain *of, const struct iommu_group *group)
{
	if (is_known(of, group) && !shim_takes_none_back)
		return false;
	if (shim_fail_attach_in && --shim_fail_attach_in)
		return false;
	if (!shim_fail_attaches)
		return false;
	shim_fail_attaches--;
	shim_fail_attach_in = 1;
	return true;
}

int iommu_attach_group(struct iommu_domain *domain, struct iommu_group *group)
{
	struct unit_domain *of = container_of(domain, struct unit_domain, domain);

	/* Drivers do not expect maps and unmaps during an attach. */
	WARN_ON(group->domain || domain->nwalkers);
	/* Linux 6.1 does not check this: its driver would take the domain for one of its own. */
	WARN_ON(domain->ops != group->unit.ops);
	if (attach_fails(of, group))
		return -EINVAL;
	/* The IOMMU of the group cannot enforce coherency. */
	if (domain->enforces_coherency && !group->unit.can_enforce)
		return -EINVAL;
	finish(of);
	if (!is_known(of, group) && of->nknown < ARRAY_SIZE(of->known))
		of->known[of->nknown++] = group;
	domain->ngroups++;
	group->domain = domain;
	return 0;
}

void iommu_detach_group(struct iommu_domain *domain, struct iommu_group *group)
{
	WARN_ON(group->domain != domain || !domain->ngroups || domain->nwalkers);
	domain->ngroups--;
	group->domain = NULL;
}

int iommu_get_group_resv_regions(struct iommu_group *group, struct list_head *regions)
{
	struct iommu_resv_region *region;
	unsigned int i;

	for (i = 0; i < group->nregions; i++) {
		region = kzalloc(sizeof(*region), GFP_KERNEL);
		/* The caller frees the regions that are in the list already. */
		if (!region)
			return -ENOMEM;
		*region = group->regions[i];
		list_add_tail(&region->list, regions);
	}
	return 0;
}

int iommu_get_msi_cookie(struct iommu_domain *domain, dma_addr_t base)
{
	WARN_ON(domain->has_msi_cookie);
	if (shim_no_msi_cookies)
		return -ENODEV;
	if (shim_fail_now())
		return -ENOMEM;
	domain->has_msi_cookie = true;
	domain->msi_base = base;
	return 0;
}

bool iommu_group_has_isolated_msi(struct iommu_group *group)
{
	return !group->can_forge_interrupts;
}

int iommu_group_id(struct iommu_group *group)
{
	return group->id;
}

struct iommu_group *iommu_group_get(struct device *dev)
{
	if (dev->group)
		dev->group->nrefs++;
	return dev->group;
}

void iommu_group_put(struct iommu_group *group)
{
	WARN_ON(group->nrefs-- <= 0);
}

int iommu_group_claim_dma_owner(struct iommu_group *group, void *owner)
{
	if (group->owner)
		return -EPERM;
	group->owner = owner;
	return 0;
}

void iommu_group_release_dma_owner(struct iommu_group *group)
{
	WARN_ON(!group->owner || group->domain);
	group->owner = NULL;
}

bool device_iommu_capable(struct device *dev, enum iommu_cap cap)
{
	return !dev->group || !dev->group->is_incoherent;
}
