// SPDX-License-Identifier: GPL-2.0-only
/*
 * mock: an IOMMU without hardware.
 *
 * A domain with I/O pages of half a CPU page, which remembers where each page was mapped to
 * and complains when it is used otherwise than an IOMMU driver may be: pages mapped twice,
 * unmapped while not there, or unmapped in other pieces than they were mapped in.
 *
 * Locking: the xarray's own.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "device.h"
#include "iommufd.h"
#include "mock.h"
#include "test_cmd.h"

/* What an I/O page shows, and whether a call of map began or ended with it. */
#define PAGE_FIRST	BIT(60)
#define PAGE_LAST	BIT(61)
#define PAGE_NUMBER	(PAGE_FIRST - 1)

struct mock_domain {
	struct iommu_domain domain;
	struct xarray pages;
};

static struct mock_domain *to_mock(struct iommu_domain *domain)
{
	return container_of(domain, struct mock_domain, domain);
}

static void erase_pages(struct mock_domain *mock, unsigned long first, size_t npages)
{
	size_t i;

	for (i = 0; i < npages; i++)
		xa_erase(&mock->pages, first + i);
}

static int mock_map_pages(struct iommu_domain *domain, unsigned long iova,
			  phys_addr_t paddr, size_t pgsize, size_t npages, int prot,
			  gfp_t gfp, size_t *mapped)
{
	struct mock_domain *mock = to_mock(domain);
	unsigned long first = iova / MOCK_IO_PAGE_SIZE;
	size_t i;

	WARN_ON(pgsize != MOCK_IO_PAGE_SIZE || iova % pgsize || paddr % pgsize);
	for (i = 0; i < npages; i++) {
		unsigned long page = (paddr / MOCK_IO_PAGE_SIZE + i) & PAGE_NUMBER;
		void *old;

		if (!i)
			page |= PAGE_FIRST;
		if (i == npages - 1)
			page |= PAGE_LAST;
		old = xa_store(&mock->pages, first + i, xa_mk_value(page), gfp);
		if (xa_is_err(old)) {
			erase_pages(mock, first, i);
			return xa_err(old);
		}
		WARN_ON(old);
	}
	*mapped += npages * pgsize;
	return 0;
}

static size_t mock_unmap_pages(struct iommu_domain *domain, unsigned long iova,
			       size_t pgsize, size_t npages,
			       struct iommu_iotlb_gather *gather)
{
	struct mock_domain *mock = to_mock(domain);
	unsigned long first = iova / MOCK_IO_PAGE_SIZE;
	size_t i;

	WARN_ON(pgsize != MOCK_IO_PAGE_SIZE || iova % pgsize);
	for (i = 0; i < npages; i++) {
		void *entry = xa_erase(&mock->pages, first + i);

		if (WARN_ON(!entry))
			break;
		WARN_ON(!i && !(xa_to_value(entry) & PAGE_FIRST));
		WARN_ON(i == npages - 1 && !(xa_to_value(entry) & PAGE_LAST));
	}
	return i * pgsize;
}

static phys_addr_t mock_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	void *entry = xa_load(&to_mock(domain)->pages, iova / MOCK_IO_PAGE_SIZE);

	WARN_ON(iova % MOCK_IO_PAGE_SIZE || !entry);
	return entry ? (xa_to_value(entry) & PAGE_NUMBER) * MOCK_IO_PAGE_SIZE : 0;
}

static void mock_free(struct iommu_domain *domain)
{
	struct mock_domain *mock = to_mock(domain);

	WARN_ON(!xa_empty(&mock->pages));
	xa_destroy(&mock->pages);
	kfree(mock);
}

static const struct iommu_domain_ops mock_domain_ops = {
	.map_pages = mock_map_pages,
	.unmap_pages = mock_unmap_pages,
	.iova_to_phys = mock_iova_to_phys,
	.free = mock_free,
};

static struct iommu_domain *mock_alloc_domain(struct ioas_group *igroup, u32 hwpt_flags)
{
	struct mock_domain *mock;

	if (hwpt_flags & ~IOMMU_HWPT_ALLOC_NEST_PARENT)
		return ERR_PTR(-EOPNOTSUPP);
	mock = kzalloc(sizeof(*mock), GFP_KERNEL_ACCOUNT);
	if (!mock)
		return ERR_PTR(-ENOMEM);
	xa_init(&mock->pages);
	mock->domain.type = IOMMU_DOMAIN_UNMANAGED;
	mock->domain.ops = &mock_domain_ops;
	mock->domain.pgsize_bitmap = MOCK_IO_PAGE_SIZE;
	mock->domain.geometry.aperture_start = MOCK_APERTURE_START;
	mock->domain.geometry.aperture_end = MOCK_APERTURE_LAST;
	mock->domain.geometry.force_aperture = true;
	return &mock->domain;
}

static int mock_attach(struct ioas_group *igroup, struct iommu_domain *domain)
{
	return mock_is_domain(domain) ? 0 : -EINVAL;
}

static void mock_detach(struct ioas_group *igroup, struct iommu_domain *domain)
{
}

static int mock_get_resv_regions(struct ioas_group *igroup, struct list_head *regions)
{
	return 0;
}

static void mock_get_hw_info(struct ioas_hw_info *info)
{
	static const struct test_hw_info hw_info = {
		.test_reg = TEST_HW_INFO_REG,
	};

	info->type = TEST_HW_INFO_TYPE;
	info->nbytes = sizeof(hw_info);
	info->data = &hw_info;
}

static void mock_get_hw_info_pasid(struct ioas_hw_info *info)
{
	mock_get_hw_info(info);
	info->max_pasid_log2 = TEST_PASID_WIDTH;
}

#define MOCK_BUS(_get_hw_info)					\
	{							\
		.alloc_domain = mock_alloc_domain,		\
		.attach = mock_attach,				\
		.detach = mock_detach,				\
		.get_resv_regions = mock_get_resv_regions,	\
		.get_hw_info = (_get_hw_info),			\
	}

const struct ioas_bus mock_bus = MOCK_BUS(mock_get_hw_info);
const struct ioas_bus mock_pasid_bus = MOCK_BUS(mock_get_hw_info_pasid);

/* Is @domain one of ours? */
bool mock_is_domain(const struct iommu_domain *domain)
{
	return domain->ops == &mock_domain_ops;
}

/* Does the I/O page at @iova, of a domain of ours, show @paddr? */
bool mock_maps_to(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr)
{
	void *entry = xa_load(&to_mock(domain)->pages, iova / MOCK_IO_PAGE_SIZE);

	return entry &&
	       (xa_to_value(entry) & PAGE_NUMBER) == paddr / MOCK_IO_PAGE_SIZE;
}
