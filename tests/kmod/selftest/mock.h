/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mock: an IOMMU without hardware.
 */
#ifndef VFIO_IOAS_SELFTEST_MOCK_H
#define VFIO_IOAS_SELFTEST_MOCK_H

#include <linux/types.h>

#define MOCK_IO_PAGE_SIZE	(PAGE_SIZE / 2)

struct ioas_iommu_ops;
struct iommu_domain;

/* The bus of devices with these flags, of test_cmd.h; or NULL. */
const struct ioas_iommu_ops *mock_iommu_ops(unsigned int flags);

bool mock_is_domain(const struct iommu_domain *domain);
/* What the I/O page at an IOVA shows, 0 for nothing; how many there are. */
phys_addr_t mock_peek(struct iommu_domain *domain, unsigned long iova);
unsigned long mock_count(struct iommu_domain *domain);
/* Lets it show something else, or nothing, behind everybody's back. */
int mock_poke(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr);
bool mock_maps_to(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr);

#endif
