/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups of devices behind different IOMMUs; shim/iommu.h declares their kernel interface.
 */
#ifndef LIB_GROUP_H
#define LIB_GROUP_H

#include "kernel.h"

#define GROUP_MAX_DEVICES	3
#define GROUP_MAX_REGIONS	3

/* Abilities of the IOMMU of a group. */
struct shim_unit {
	unsigned long aperture_start;
	unsigned long aperture_end;
	unsigned long pgsize_bitmap;
	bool can_enforce;	/* coherency */
	bool finishes_late;	/* a domain has none of this before its first attach ... */
	bool changes;		/* ... or claims too much until then */
	const struct iommu_domain_ops *ops;	/* only domains with the same ops are accepted */
};

struct iommu_group {
	struct shim_unit unit;
	struct device *devices[GROUP_MAX_DEVICES];
	unsigned int ndevices;
	struct iommu_resv_region regions[GROUP_MAX_REGIONS];
	unsigned int nregions;
	struct iommu_domain *domain;	/* that it is attached to, or NULL */
	void *owner;			/* of its DMA */
	int nrefs;
	int id;				/* each group has the next number */
	bool can_forge_interrupts;
	bool is_incoherent;
};

extern const struct iommu_domain_ops shim_unit_ops[2];	/* of two kinds of units */

/*
 * From the @shim_fail_attach_in-th attach on, @shim_fail_attaches of them fail. Attaches to a
 * domain that the group had before do not count.
 */
extern unsigned int shim_fail_attach_in;
extern unsigned int shim_fail_attaches;
extern bool shim_takes_none_back;	/* they do */

/*
 * Each walk over the devices of a group replaces them by others of the same kind, as if they were
 * pulled out and plugged in again as soon as the group's lock is released. So a caller that keeps
 * a pointer without a reference uses freed memory.
 */
extern bool shim_hotplug;

/* If set, is called while a domain is being made. */
extern void (*shim_on_domain_alloc)(void);

/* The kernel was built without MSI cookies. */
extern bool shim_no_msi_cookies;

/* Has one device, behind an IOMMU with all addresses and pages of PAGE_SIZE and 2 MiB. */
struct iommu_group *shim_group_create(void);
void shim_group_add_device(struct iommu_group *group);
void shim_group_add_region(struct iommu_group *group, unsigned long start, size_t length,
			   enum iommu_resv_type type);

/* The group has to be on no domain, and without references. */
void shim_group_destroy(struct iommu_group *group);

#endif
