// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.3 added iommu_group_has_isolated_msi(). Before, a caller asked
 * irq_domain_check_msi_remap() and the IOMMU's capability to remap interrupts.
 */
#include <linux/iommu.h>

static bool __used probe(struct iommu_group *group)
{
	return iommu_group_has_isolated_msi(group);
}
