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

/* The IOMMU of devices with these flags (MOCK_... of test_cmd.h); NULL if there is none. */
const struct ioas_iommu_ops *mock_iommu_ops(unsigned int flags);

/* Is a domain a mock one? The other functions need one. */
bool mock_is_domain(const struct iommu_domain *domain);
/* The address that the I/O page at an IOVA is mapped to; 0 if it is not mapped. */
phys_addr_t mock_peek(struct iommu_domain *domain, unsigned long iova);
/* The number of I/O pages that the domain, or its IOTLB, has. */
unsigned long mock_count(struct iommu_domain *domain);
/* Maps one I/O page to @paddr, or to nothing if that is 0, without any check. 0 or -errno. */
int mock_poke(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr);
/* Is the I/O page at an IOVA mapped to @paddr? */
bool mock_maps_to(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr);

#endif
