// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.18 added num_pages_contiguous(), for vfio_iommu_type1. The same release (in -rc4) made stock
 * type1 compute with inclusive ends, and tell ranges that wrap around from other faults. No header
 * shows that change, so this probe stands for it. No stable kernel before 6.18 has either.
 */
#include <linux/mm.h>
#include <linux/mm_inline.h>

static size_t __used probe(struct page **pages, size_t npages)
{
	return num_pages_contiguous(pages, npages);
}
