// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.6 gave struct vfio_iommu_type1_info a named padding at its end, and with it stock
 * type1 began to round capabilities up to multiples of eight bytes.
 */
#include <linux/vfio.h>

static __u32 __used probe(const struct vfio_iommu_type1_info *info)
{
	return info->pad;
}
