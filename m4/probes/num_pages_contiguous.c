// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux 6.18 brought num_pages_contiguous(), for vfio_iommu_type1. Its fourth release candidate
 * made stock type1 compute with inclusive ends, and tell what wraps around from what is wrong
 * otherwise, of which no header says a word. No stable kernel before 6.18 has either.
 */
#include <linux/mm.h>
#include <linux/mm_inline.h>

static size_t __used probe(struct page **pages, size_t npages)
{
	return num_pages_contiguous(pages, npages);
}
