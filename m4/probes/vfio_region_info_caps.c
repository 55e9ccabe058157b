// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.19 added get_region_info_caps() to the operations of a VFIO device. By then stock type1
 * computed with inclusive ends and told what wraps around from what is wrong otherwise, of
 * which no header says a word.
 */
#include <linux/vfio.h>

static bool __used probe(const struct vfio_device_ops *ops)
{
	return ops->get_region_info_caps;
}
