// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.11 added iommu_paging_domain_alloc(), which allocates for a device and returns an
 * error pointer. Before, iommu_domain_alloc() allocated for a bus and returned NULL.
 */
#include <linux/iommu.h>

static struct iommu_domain *__used probe(struct device *dev)
{
	return iommu_paging_domain_alloc(dev);
}
