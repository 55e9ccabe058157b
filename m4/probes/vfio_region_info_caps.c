// SPDX-License-Identifier: GPL-2.0-only
/*
 * Between 6.12 and 7.2 came get_region_info_caps(), an operation of a VFIO device. 7.2's stock
 * type1 computes with inclusive ends and tells what wraps around from what is wrong otherwise,
 * of which no header says a word. Kernels in between were not looked at.
 */
#include <linux/vfio.h>

static bool __used probe(const struct vfio_device_ops *ops)
{
	return ops->get_region_info_caps;
}
