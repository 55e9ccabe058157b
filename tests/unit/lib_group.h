/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups of devices behind IOMMUs that differ; shim/iommu.h declares what the kernel has of them.
 */
#ifndef LIB_GROUP_H
#define LIB_GROUP_H

#include "kernel.h"

#define GROUP_MAX_DEVICES	3
#define GROUP_MAX_REGIONS	3

/* What the IOMMU of a group can do. */
struct shim_unit {
	unsigned long aperture_start;
	unsigned long aperture_end;
	unsigned long pgsize_bitmap;
	bool can_enforce;	/* coherency */
	bool finishes_late;	/* a domain says nothing of all that before its first attach */
	bool changes;		/* ... or says too much, until then */
	const struct iommu_domain_ops *ops;	/* domains of units with others are refused */
};

struct iommu_group {
	struct shim_unit unit;
	struct device *devices[GROUP_MAX_DEVICES];
	unsigned int ndevices;
	struct iommu_resv_region regions[GROUP_MAX_REGIONS];
	unsigned int nregions;
	struct iommu_domain *domain;	/* it is on; NULL: none */
	void *owner;			/* of its DMA */
	int nrefs;
	int id;				/* one more than that of the group made before */
	bool can_forge_interrupts;
	bool is_incoherent;
};

extern const struct iommu_domain_ops shim_unit_ops[2];	/* of two kinds of units */

/*
 * Attaches from the @shim_fail_attach_in-th on fail, @shim_fail_attaches of them; those to a
 * domain that the group was on before do not.
 */
extern unsigned int shim_fail_attach_in;
extern unsigned int shim_fail_attaches;
extern bool shim_takes_none_back;	/* those do, too */

/*
 * Each walk over a group replaces its devices by others of the same kind, as if they were pulled
 * out and plugged in again as soon as the group's lock is released: whoever keeps a pointer
 * without a reference uses freed memory.
 */
extern bool shim_hotplug;

/* What happens, if anything, while a domain is being made. */
extern void (*shim_on_domain_alloc)(void);

/* This kernel was built without them. */
extern bool shim_no_msi_cookies;

/* With one device, behind an IOMMU that can translate all in pages of PAGE_SIZE and up. */
struct iommu_group *shim_group_create(void);
void shim_group_add_device(struct iommu_group *group);
void shim_group_add_region(struct iommu_group *group, unsigned long start, size_t length,
			   enum iommu_resv_type type);

/* It is on no domain, and nobody has a reference. */
void shim_group_destroy(struct iommu_group *group);

#endif
