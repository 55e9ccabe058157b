// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains; shim/iommu.h declares them.
 */
#include "kernel.h"
#include "lib_run.h"

void (*shim_on_map)(unsigned long iova, phys_addr_t paddr, size_t nbytes);

struct iommu_domain *shim_domain_create(unsigned long pgsize)
{
	struct iommu_domain *domain = calloc(1, sizeof(*domain));

	domain->pgsize_bitmap = pgsize | 1UL << 21 | 1UL << 30;
	domain->geometry.aperture_end = ULONG_MAX;
	return domain;
}

void iommu_domain_free(struct iommu_domain *domain)
{
	expect(!domain->mappings);
	expect(!domain->unflushed);
	expect(!domain->ngroups);
	free(domain);
}

static bool is_aligned(const struct iommu_domain *domain, unsigned long bits)
{
	return !(bits & ((1UL << __ffs(domain->pgsize_bitmap)) - 1));
}

static size_t mapping_nbytes(const struct shim_mapping *mapping)
{
	return mapping->last_iova - mapping->iova + 1;
}

/* Counts how often page tables and IOTLBs lead to the pages of a mapping. */
static void count_reaching(const struct shim_mapping *mapping, int change)
{
	unsigned long pfn = mapping->paddr / PAGE_SIZE;
	unsigned long last = (mapping->paddr + mapping_nbytes(mapping) - 1) / PAGE_SIZE;

	for (; pfn <= last && pfn_valid(pfn); pfn++) {
		WARN_ON(change < 0 && !pfn_to_page(pfn)->nreaching);
		pfn_to_page(pfn)->nreaching += change;
	}
}

/* Is all of a range pinned, or found as device memory? */
static bool is_mappable(phys_addr_t paddr, size_t nbytes)
{
	unsigned long pfn = paddr / PAGE_SIZE;
	unsigned long end = (paddr + nbytes - 1) / PAGE_SIZE + 1;
	unsigned long n;

	for (; pfn < end; pfn += n) {
		n = shim_count_mappable(pfn, end - pfn);
		if (!n)
			return false;
	}
	return true;
}

/*
 * A call walks the page table, and other threads may run meanwhile. A map adds levels up to
 * @last_iova; an unmap, which has 0 there, needs none.
 */
static void walk_table(struct iommu_domain *domain, unsigned long last_iova)
{
	bool grows;

	if (!domain->table_last)
		domain->table_last = (1UL << 39) - 1;
	grows = last_iova > domain->table_last;
	WARN_ON(domain->grows || (grows && domain->nwalkers));
	domain->nwalkers++;
	domain->grows = grows;
	shim_might_sleep();
	while (last_iova > domain->table_last)
		domain->table_last = domain->table_last << 9 | 511;
	if (grows)
		domain->grows = false;
	domain->nwalkers--;
}

int iommu_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr,
	      size_t nbytes, int prot, gfp_t gfp)
{
	struct shim_mapping **link = &domain->mappings;
	unsigned long last_iova = iova + nbytes - 1;
	struct shim_mapping *mapping;

	walk_table(domain, last_iova);
	WARN_ON(!nbytes || last_iova < iova || !is_aligned(domain, iova | paddr | nbytes));
	WARN_ON(!is_mappable(paddr, nbytes));
	if (shim_on_map)
		shim_on_map(iova, paddr, nbytes);
	if (shim_fail_now())
		return -ENOMEM;
	while (*link && (*link)->last_iova < iova)
		link = &(*link)->next;
	WARN_ON(*link && (*link)->iova <= last_iova);
	mapping = malloc(sizeof(*mapping));
	*mapping = (struct shim_mapping){
		.iova = iova, .last_iova = last_iova, .paddr = paddr, .prot = prot,
		.next = *link,
	};
	*link = mapping;
	count_reaching(mapping, 1);
	return 0;
}

/* The end of the page table entry that has the page before @end; maybe above @end. */
static unsigned long find_entry_end(const struct iommu_domain *domain,
				    const struct shim_mapping *mapping, unsigned long end)
{
	unsigned long sizes = domain->pgsize_bitmap;

	while (sizes) {
		unsigned long size = 1UL << __fls(sizes);
		unsigned long entry = (end - 1) & ~(size - 1);

		if (entry >= mapping->iova && mapping->last_iova - entry >= size - 1 &&
		    !((entry - mapping->iova + mapping->paddr) & (size - 1)))
			return entry + size;
		sizes &= ~size;
	}
	return end;
}

/* Makes two mappings of one that reaches over @end. */
static void split_mapping(struct shim_mapping *mapping, unsigned long end)
{
	struct shim_mapping *upper;

	if (mapping->last_iova <= end - 1 || mapping->iova > end - 1)
		return;
	upper = malloc(sizeof(*upper));
	*upper = *mapping;
	upper->iova = end;
	upper->paddr += end - mapping->iova;
	mapping->last_iova = end - 1;
	mapping->next = upper;
}

static void flush(struct shim_mapping *mapping)
{
	count_reaching(mapping, -1);
	free(mapping);
}

/* Takes out the mapping at *@link, and flushes the part of it that lies below @end. */
static void take_out(struct iommu_domain *domain, struct shim_mapping **link, unsigned long end)
{
	struct shim_mapping *mapping = *link;

	split_mapping(mapping, end);
	*link = mapping->next;
	if (mapping->iova <= end - 1) {
		flush(mapping);
		return;
	}
	mapping->next = domain->unflushed;
	domain->unflushed = mapping;
}

size_t iommu_unmap(struct iommu_domain *domain, unsigned long iova, size_t nbytes)
{
	struct shim_mapping **link = &domain->mappings;
	size_t done = 0;

	WARN_ON(!nbytes);
	walk_table(domain, 0);
	domain->nunmaps++;
	domain->largest_unmap = max(domain->largest_unmap, nbytes);
	while (*link && (*link)->iova < iova) {
		WARN_ON((*link)->last_iova >= iova);
		link = &(*link)->next;
	}
	while (done < nbytes && *link && (*link)->iova == iova + done) {
		struct shim_mapping *mapping = *link;
		unsigned long end = mapping->last_iova + 1;

		if (domain->keeps_iova && mapping->iova == domain->keeps_iova)
			return done;
		if (mapping_nbytes(mapping) > nbytes - done) {
			end = find_entry_end(domain, mapping, iova + nbytes);
			if (end != iova + nbytes && domain->refuses_parts)
				return done;
			split_mapping(mapping, end);
		}
		done = end - iova;
		while (*link && (*link)->iova != end && (*link)->iova - iova < done)
			take_out(domain, link, iova + nbytes);
	}
	WARN_ON(done < nbytes && !domain->refuses_parts);
	return done;
}

void iommu_flush_iotlb_all(struct iommu_domain *domain)
{
	struct shim_mapping *mapping;

	domain->nflushes++;
	while (domain->unflushed) {
		mapping = domain->unflushed;
		domain->unflushed = mapping->next;
		flush(mapping);
	}
}

const struct shim_mapping *shim_domain_find(const struct iommu_domain *domain,
					    unsigned long iova)
{
	const struct shim_mapping *mapping = domain->mappings;

	while (mapping && mapping->last_iova < iova)
		mapping = mapping->next;
	return mapping && mapping->iova <= iova ? mapping : NULL;
}
