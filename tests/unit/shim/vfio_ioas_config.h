/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The results of configure, for the kernel that the shims stand for.
 */
#define HAVE_FOLLOW_PFNMAP_START			1
#define HAVE_UNTAGGED_ADDR_REMOTE		1
#define HAVE_IOMMU_GROUP_HAS_ISOLATED_MSI	1
#define HAVE_IOMMU_MAP_GFP			1
#define HAVE_IOMMU_PAGING_DOMAIN_ALLOC		1
