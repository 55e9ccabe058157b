// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.3 added a last argument to iommu_map(): how to allocate page tables.
 */
#include <linux/iommu.h>

static int __used probe(struct iommu_domain *domain)
{
	return iommu_map(domain, 0, 0, PAGE_SIZE, IOMMU_READ, GFP_KERNEL);
}
