/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mock: an IOMMU without hardware.
 */
#ifndef VFIO_IOAS_SELFTEST_MOCK_H
#define VFIO_IOAS_SELFTEST_MOCK_H

#include <linux/types.h>

#define MOCK_IO_PAGE_SIZE	(PAGE_SIZE / 2)

struct ioas_bus;
struct iommu_domain;

/* The bus of devices with these flags, of test_cmd.h; or NULL. */
const struct ioas_bus *mock_bus(unsigned int flags);

bool mock_is_domain(const struct iommu_domain *domain);
bool mock_maps_to(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr);

#endif
