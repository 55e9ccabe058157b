// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.6 added a named padding at the end of struct vfio_iommu_type1_info. Stock type1 then began to
 * round capabilities up to multiples of eight bytes.
 */
#include <linux/vfio.h>

static __u32 __used probe(const struct vfio_iommu_type1_info *info)
{
	return info->pad;
}
