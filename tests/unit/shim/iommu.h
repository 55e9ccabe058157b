/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domains that note what each call mapped. They warn about calls that an IOMMU driver must not get:
 * maps that overlap, that are misaligned, or of memory that is neither pinned nor a device's;
 * unmaps of a part of a map.
 *
 * A device can reach pages that are mapped, or unmapped and not yet flushed: none of these may be
 * unpinned. Entries of the page table are as large as the page sizes and both addresses allow. An
 * unmap of a part of an entry removes all of it, but flushes only the part, as some drivers do.
 *
 * The table has three levels. A map that needs more adds them, during which no other call may walk
 * the table.
 */
#ifndef SHIM_IOMMU_H
#define SHIM_IOMMU_H

#define IOMMU_READ	1
#define IOMMU_WRITE	2
#define IOMMU_CACHE	4

struct iommu_domain_geometry {
	dma_addr_t aperture_start;
	dma_addr_t aperture_end;
};

struct shim_mapping {
	unsigned long iova;
	unsigned long last_iova;
	phys_addr_t paddr;
	int prot;
	struct shim_mapping *next;
};

struct iommu_domain;

struct iommu_domain_ops {
	bool (*enforce_cache_coherency)(struct iommu_domain *domain);
};

struct iommu_domain {
	const struct iommu_domain_ops *ops;	/* NULL for one that no group has made */
	unsigned long pgsize_bitmap;
	struct iommu_domain_geometry geometry;
	struct shim_mapping *mappings;		/* ascending */
	struct shim_mapping *unflushed;		/* unmapped, but still in the IOTLB */
	unsigned long nunmaps;			/* calls of iommu_unmap() */
	unsigned long nflushes;			/* calls of iommu_flush_iotlb_all() */
	size_t largest_unmap;			/* bytes asked for by one of these calls */
	unsigned long keeps_iova;		/* a bug: unmap stops here; 0: none */
	bool refuses_parts;			/* an unmap of a part of an entry does nothing */
	unsigned long table_last;		/* last IOVA that the levels of the table reach */
	unsigned int nwalkers;			/* calls that walk the table */
	bool grows;				/* one call adds a level: no other may walk */
	unsigned int ngroups;			/* attached groups */
	bool enforces_coherency;
	bool has_msi_cookie;
	dma_addr_t msi_base;			/* of the cookie */
};

/* Can translate all addresses, in pages of @pgsize, 2 MiB and 1 GiB. */
struct iommu_domain *shim_domain_create(unsigned long pgsize);
void iommu_domain_free(struct iommu_domain *domain);
int iommu_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr,
	      size_t nbytes, int prot, gfp_t gfp);
size_t iommu_unmap(struct iommu_domain *domain, unsigned long iova, size_t nbytes);
void iommu_flush_iotlb_all(struct iommu_domain *domain);

/* If set, is called before each map. */
extern void (*shim_on_map)(unsigned long iova, phys_addr_t paddr, size_t nbytes);

/* The mapping at an IOVA, or NULL. */
const struct shim_mapping *shim_domain_find(const struct iommu_domain *domain,
					    unsigned long iova);

/* Only declared, for an inline function of kcompat.h. */
struct class;
struct class *class_create(const char *name);

/* The rest is in lib_group.c: groups of devices behind different IOMMUs. */
enum iommu_resv_type {
	IOMMU_RESV_DIRECT,
	IOMMU_RESV_DIRECT_RELAXABLE,
	IOMMU_RESV_RESERVED,
	IOMMU_RESV_MSI,
	IOMMU_RESV_SW_MSI,
};

struct iommu_resv_region {
	struct list_head list;
	phys_addr_t start;
	size_t length;
	enum iommu_resv_type type;
};

enum iommu_cap {
	IOMMU_CAP_CACHE_COHERENCY,
};

struct device {
	struct iommu_group *group;
	struct iommu_group *iommu_group;	/* the group of a device of vfio.ko */
	int nrefs;
};

struct iommu_domain *iommu_paging_domain_alloc(struct device *dev);
bool iommu_group_has_isolated_msi(struct iommu_group *group);
int iommu_group_for_each_dev(struct iommu_group *group, void *data,
			     int (*step)(struct device *dev, void *data));
int iommu_attach_group(struct iommu_domain *domain, struct iommu_group *group);
void iommu_detach_group(struct iommu_domain *domain, struct iommu_group *group);
int iommu_get_group_resv_regions(struct iommu_group *group, struct list_head *regions);
int iommu_get_msi_cookie(struct iommu_domain *domain, dma_addr_t base);
int iommu_group_id(struct iommu_group *group);
struct iommu_group *iommu_group_get(struct device *dev);
void iommu_group_put(struct iommu_group *group);
int iommu_group_claim_dma_owner(struct iommu_group *group, void *owner);
void iommu_group_release_dma_owner(struct iommu_group *group);
bool device_iommu_capable(struct device *dev, enum iommu_cap cap);
struct device *get_device(struct device *dev);
void put_device(struct device *dev);
const char *dev_name(const struct device *dev);

#endif
