// SPDX-License-Identifier: GPL-2.0-only
/*
 * mock: an IOMMU without hardware.
 *
 * A domain has I/O pages of half a CPU page, and notes where each one is mapped to. It warns if it
 * is used in a way that IOMMU drivers do not allow:
 *
 * - a page is mapped twice, or unmapped while it is not mapped;
 * - pages are unmapped in other pieces than they were mapped in;
 * - a domain is used before its driver has completed it;
 * - memory is unpinned before the IOTLB is flushed;
 * - a device is detached from a domain that has none.
 *
 * Devices differ in aperture, and in whether they enforce coherency.
 *
 * Locking: that of the xarray.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "iommufd.h"
#include "kapi/device.h"
#include "mock.h"
#include "test_cmd.h"

/* Flags of an entry: a call of map began, or ended, with this I/O page. */
#define PAGE_FIRST	BIT(60)
#define PAGE_LAST	BIT(61)
/* The page is unmapped, but the IOTLB may still have it. */
#define PAGE_UNFLUSHED	BIT(59)
#define PAGE_NUMBER	(PAGE_UNFLUSHED - 1)

struct mock_iommu_ops {
	struct ioas_iommu_ops bus;
	unsigned int flags;	/* MOCK_... of test_cmd.h */
};

struct mock_domain {
	struct iommu_domain domain;
	struct xarray pages;
	unsigned int flags;	/* of the device that it was made for */
	unsigned int ndevices;	/* groups_mutex */
	bool enforces;		/* groups_mutex; coherency */
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

	WARN_ON(!domain->geometry.aperture_end);
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
	unsigned long page;
	size_t i;

	WARN_ON(pgsize != MOCK_IO_PAGE_SIZE || iova % pgsize);
	for (i = 0; i < npages; i++) {
		void *entry = xa_load(&mock->pages, first + i);

		page = entry ? xa_to_value(entry) : PAGE_UNFLUSHED;
		if (WARN_ON(page & PAGE_UNFLUSHED))
			break;
		WARN_ON(!i && !(page & PAGE_FIRST));
		WARN_ON(i == npages - 1 && !(page & PAGE_LAST));
		/* Replaces an entry, which needs no memory. */
		xa_store(&mock->pages, first + i, xa_mk_value(page | PAGE_UNFLUSHED),
			 GFP_KERNEL);
	}
	if (i)
		iommu_iotlb_gather_add_range(gather, iova, i * pgsize);
	return i * pgsize;
}

/*
 * Checks that a page that the IOTLB may have is still pinned. Device memory and reserved pages are
 * never pinned. The pages of a large folio share their count.
 */
static void check_pinned(unsigned long number)
{
	unsigned long pfn = PHYS_PFN(number * MOCK_IO_PAGE_SIZE);
	struct page *page;

	if (!pfn_valid(pfn) || PageReserved(pfn_to_page(pfn)))
		return;
	page = compound_head(pfn_to_page(pfn));
	WARN_ON(page_ref_count(page) < (PageCompound(page) ? 1 : GUP_PIN_COUNTING_BIAS));
}

static void mock_flush(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	struct mock_domain *mock = to_mock(domain);
	unsigned long index;
	void *entry;

	xa_for_each_range(&mock->pages, index, entry, gather->start / MOCK_IO_PAGE_SIZE,
			  gather->end / MOCK_IO_PAGE_SIZE) {
		if (!(xa_to_value(entry) & PAGE_UNFLUSHED))
			continue;
		check_pinned(xa_to_value(entry) & PAGE_NUMBER);
		xa_erase(&mock->pages, index);
	}
}

/* The entry of the I/O page at @iova; NULL if it is not mapped. */
static void *find_entry(struct iommu_domain *domain, unsigned long iova)
{
	void *entry = xa_load(&to_mock(domain)->pages, iova / MOCK_IO_PAGE_SIZE);

	return entry && !(xa_to_value(entry) & PAGE_UNFLUSHED) ? entry : NULL;
}

static phys_addr_t mock_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	void *entry = find_entry(domain, iova);

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

static bool mock_enforce_coherency(struct iommu_domain *domain)
{
	struct mock_domain *mock = to_mock(domain);

	WARN_ON(!xa_empty(&mock->pages));
	mock->enforces = mock->flags & MOCK_COHERENT;
	return mock->enforces;
}

static const struct iommu_domain_ops mock_domain_ops = {
	.map_pages = mock_map_pages,
	.unmap_pages = mock_unmap_pages,
	.iotlb_sync = mock_flush,
	.iova_to_phys = mock_iova_to_phys,
	.enforce_cache_coherency = mock_enforce_coherency,
	.free = mock_free,
};

static unsigned int bus_flags(struct ioas_group *igroup)
{
	return container_of(igroup->iommu_ops, struct mock_iommu_ops, bus)->flags;
}

static void mock_finish(struct mock_domain *mock)
{
	struct iommu_domain_geometry *geometry = &mock->domain.geometry;

	mock->domain.pgsize_bitmap = MOCK_IO_PAGE_SIZE;
	geometry->aperture_start = MOCK_APERTURE_START;
	geometry->aperture_end = mock->flags & MOCK_NARROW ? MOCK_NARROW_LAST :
							     MOCK_APERTURE_LAST;
	geometry->force_aperture = true;
}

static struct iommu_domain *mock_alloc_domain(struct ioas_group *igroup, u32 hwpt_flags)
{
	struct mock_domain *mock;

	if (hwpt_flags & ~IOMMU_HWPT_ALLOC_NEST_PARENT)
		return ERR_PTR(-EOPNOTSUPP);
	mock = kzalloc(sizeof(*mock), GFP_KERNEL_ACCOUNT);
	if (!mock)
		return ERR_PTR(-ENOMEM);
	xa_init(&mock->pages);
	mock->flags = bus_flags(igroup);
	mock->domain.type = IOMMU_DOMAIN_UNMANAGED;
	mock->domain.ops = &mock_domain_ops;
	if (!(mock->flags & MOCK_LATE))
		mock_finish(mock);
	return &mock->domain;
}

static int mock_attach(struct ioas_group *igroup, struct iommu_domain *domain)
{
	struct mock_domain *mock;

	if (!mock_is_domain(domain))
		return -EINVAL;
	mock = to_mock(domain);
	if (mock->enforces && !(bus_flags(igroup) & MOCK_COHERENT))
		return -EINVAL;
	/* A device that goes back to its domain must be accepted: only a first attach can fail. */
	if (!mock->ndevices && fail_now())
		return -ENOMEM;
	mock_finish(mock);
	mock->ndevices++;
	return 0;
}

static void mock_detach(struct ioas_group *igroup, struct iommu_domain *domain)
{
	WARN_ON(!to_mock(domain)->ndevices--);
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

#define MOCK_BUS(_flags, _get_hw_info)						\
	{									\
		.bus = {							\
			.alloc_domain = mock_alloc_domain,			\
			.attach = mock_attach,					\
			.detach = mock_detach,					\
			.get_resv_regions = mock_get_resv_regions,		\
			.get_hw_info = (_get_hw_info),				\
		},								\
		.flags = (_flags),						\
	}

static const struct mock_iommu_ops pasid_bus = MOCK_BUS(0, mock_get_hw_info_pasid);

/* In the order of the flags. */
static const struct mock_iommu_ops buses[] = {
	MOCK_BUS(0, mock_get_hw_info),
	MOCK_BUS(MOCK_LATE, mock_get_hw_info),
	MOCK_BUS(MOCK_NARROW, mock_get_hw_info),
	MOCK_BUS(MOCK_NARROW | MOCK_LATE, mock_get_hw_info),
	MOCK_BUS(MOCK_COHERENT, mock_get_hw_info),
	MOCK_BUS(MOCK_COHERENT | MOCK_LATE, mock_get_hw_info),
	MOCK_BUS(MOCK_COHERENT | MOCK_NARROW, mock_get_hw_info),
	MOCK_BUS(MOCK_COHERENT | MOCK_NARROW | MOCK_LATE, mock_get_hw_info),
};

const struct ioas_iommu_ops *mock_iommu_ops(unsigned int flags)
{
	flags &= ~(MOCK_NO_DIRTY | MOCK_HUGE_IOVA);
	if (flags == MOCK_PASID)
		return &pasid_bus.bus;
	if (flags & 0xff || flags >> 8 >= ARRAY_SIZE(buses))
		return NULL;
	return &buses[flags >> 8].bus;
}

bool mock_is_domain(const struct iommu_domain *domain)
{
	return domain->ops == &mock_domain_ops;
}

bool mock_maps_to(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr)
{
	void *entry = find_entry(domain, iova);

	return entry &&
	       (xa_to_value(entry) & PAGE_NUMBER) == paddr / MOCK_IO_PAGE_SIZE;
}

phys_addr_t mock_peek(struct iommu_domain *domain, unsigned long iova)
{
	void *entry = find_entry(domain, iova);

	return entry ? (xa_to_value(entry) & PAGE_NUMBER) * MOCK_IO_PAGE_SIZE : 0;
}

unsigned long mock_count(struct iommu_domain *domain)
{
	unsigned long index, n = 0;
	void *entry;

	xa_for_each(&to_mock(domain)->pages, index, entry) {
		n++;
		cond_resched();
	}
	return n;
}

int mock_poke(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr)
{
	struct xarray *pages = &to_mock(domain)->pages;
	unsigned long index = iova / MOCK_IO_PAGE_SIZE;
	unsigned long page = paddr / MOCK_IO_PAGE_SIZE | PAGE_FIRST | PAGE_LAST;

	if (paddr)
		return xa_err(xa_store(pages, index, xa_mk_value(page), GFP_KERNEL));
	xa_erase(pages, index);
	return 0;
}
