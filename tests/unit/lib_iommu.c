// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains; shim/iommu.h declares them.
 */
#include "kernel.h"
#include "lib_run.h"

struct iommu_domain *shim_domain_create(unsigned long pgsize)
{
	struct iommu_domain *domain = calloc(1, sizeof(*domain));

	domain->pgsize_bitmap = pgsize | 1UL << 21 | 1UL << 30;
	domain->geometry.aperture_end = ULONG_MAX;
	return domain;
}

void iommu_domain_free(struct iommu_domain *domain)
{
	ck_assert_ptr_null(domain->mappings);
	free(domain);
}

static bool is_aligned(const struct iommu_domain *domain, unsigned long bits)
{
	return !(bits & ((1UL << __ffs(domain->pgsize_bitmap)) - 1));
}

int iommu_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr,
	      size_t nbytes, int prot, gfp_t gfp)
{
	struct shim_mapping **link = &domain->mappings;
	unsigned long last_iova = iova + nbytes - 1;
	struct shim_mapping *mapping;

	shim_might_sleep();
	WARN_ON(!nbytes || last_iova < iova || !is_aligned(domain, iova | paddr | nbytes));
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
	return 0;
}

size_t iommu_unmap(struct iommu_domain *domain, unsigned long iova, size_t nbytes)
{
	struct shim_mapping **link = &domain->mappings;
	size_t done = 0;

	shim_might_sleep();
	domain->nunmaps++;
	while (*link && (*link)->iova < iova) {
		WARN_ON((*link)->last_iova >= iova);
		link = &(*link)->next;
	}
	while (done < nbytes && *link && (*link)->iova == iova + done) {
		struct shim_mapping *mapping = *link;

		if (domain->keeps_iova && mapping->iova == domain->keeps_iova)
			return done;
		done += mapping->last_iova - mapping->iova + 1;
		*link = mapping->next;
		free(mapping);
	}
	WARN_ON(done != nbytes);
	return done;
}

const struct shim_mapping *shim_domain_find(const struct iommu_domain *domain,
					    unsigned long iova)
{
	const struct shim_mapping *mapping = domain->mappings;

	while (mapping && mapping->last_iova < iova)
		mapping = mapping->next;
	return mapping && mapping->iova <= iova ? mapping : NULL;
}
