/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domains that remember what was mapped by each call, and warn about calls that an IOMMU
 * driver may not get: overlapping, misaligned, of memory that nobody pinned and that is no
 * device's, unmapped in part.
 *
 * A device can reach what is mapped, and what is not flushed since: no page of that may be
 * unpinned. Entries of the page table are as large as the page sizes and both addresses allow;
 * where only a part of one is to be unmapped, all of it goes, but only what was asked for is
 * flushed, as by some drivers. The table has three levels, and gets more when a map needs them,
 * which holds only if nobody else is at work on it.
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
	struct shim_mapping *unflushed;		/* taken out, but still in the IOTLB */
	unsigned long nunmaps;			/* calls of iommu_unmap() */
	unsigned long nflushes;			/* calls of iommu_flush_iotlb_all() */
	size_t largest_unmap;			/* bytes asked for by one of them */
	unsigned long keeps_iova;		/* unmap stops here, as a driver must not; 0: none */
	bool refuses_parts;			/* a part of an entry is not unmapped at all */
	unsigned long table_last;		/* up to there no map needs another level */
	unsigned int nwalkers;			/* calls that are at work on the table */
	bool grows;				/* one of them adds a level: the only one */
	unsigned int ngroups;			/* on it */
	bool enforces_coherency;
	bool has_msi_cookie;
	dma_addr_t msi_base;			/* of the cookie */
};

/* Can translate everything, in pages of @pgsize and its multiples up to 1 GiB. */
struct iommu_domain *shim_domain_create(unsigned long pgsize);
void iommu_domain_free(struct iommu_domain *domain);
int iommu_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr,
	      size_t nbytes, int prot, gfp_t gfp);
size_t iommu_unmap(struct iommu_domain *domain, unsigned long iova, size_t nbytes);
void iommu_flush_iotlb_all(struct iommu_domain *domain);

/* If not NULL, is told of each map before it is done. */
extern void (*shim_on_map)(unsigned long iova, phys_addr_t paddr, size_t nbytes);

/* Where an IOVA leads to, and with which protection; NULL: nowhere. */
const struct shim_mapping *shim_domain_find(const struct iommu_domain *domain,
					    unsigned long iova);

/* For kcompat.h, which has an inline function for each. */
struct class;
struct class *class_create(const char *name);

/* What lib_group.c has: groups of devices behind IOMMUs that differ. */
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
	struct iommu_group *iommu_group;	/* of a device of vfio.ko, the same */
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
