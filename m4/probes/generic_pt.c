// SPDX-License-Identifier: GPL-2.0-only
/*
 * Between 6.12 and 7.2 Intel's and AMD's IOMMU drivers got one code for page tables, with
 * errors of its own.
 */
#include <linux/generic_pt/iommu.h>

static struct pt_iommu *__used probe(struct pt_iommu *table)
{
	return table;
}
