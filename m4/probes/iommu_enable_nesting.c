// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.13 removed iommu_enable_nesting(), and stock type1's support of VFIO_TYPE1_NESTING_IOMMU.
 */
#include <linux/iommu.h>

static int __used probe(struct iommu_domain *domain)
{
	return iommu_enable_nesting(domain);
}
