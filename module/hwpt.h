/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hwpt: an iommu_domain that mirrors an IOAS.
 *
 * Owns: struct ioas_hwpt and its iommu_domain. Every iommu_map() and
 * iommu_unmap() call is here.
 */
#ifndef VFIO_IOAS_HWPT_H
#define VFIO_IOAS_HWPT_H

#include <linux/list.h>
#include <linux/types.h>

#include "object.h"

struct ioas;
struct ioas_area;
struct iova_space;
struct iommu_domain;

struct ioas_hwpt {
	struct ioas_object object;
	struct ioas *ioas;		/* constant; this is a user of it */
	struct iommu_domain *domain;	/* constant */
	struct list_head hwpts_item;	/* domains_rwsem of the IOAS */
	unsigned int ngroups;		/* groups_mutex of the context */
	bool automatic;			/* constant; goes with its last group */
	bool enforces_coherency;	/* groups_mutex, and domains_rwsem to write */
	bool has_msi_cookie;		/* groups_mutex */
};

struct ioas_hwpt *hwpt_create(struct ioas *ioas, struct iommu_domain *domain,
			      bool automatic);
void hwpt_destroy(struct ioas_hwpt *hwpt);
struct ioas_hwpt *hwpt_of_object(struct ioas_object *object);
unsigned long hwpt_granule(const struct ioas_hwpt *hwpt);
int hwpt_reserve_aperture(struct ioas_hwpt *hwpt, struct iova_space *space,
			  const void *owner);
int hwpt_map_area(struct ioas_hwpt *hwpt, struct ioas_area *area, bool single_pages);
void hwpt_unmap_area(struct ioas_hwpt *hwpt, struct ioas_area *area);
void hwpt_unmap_from_all(struct ioas *ioas, struct ioas_area *area);
int hwpt_add(struct ioas_hwpt *hwpt, bool single_pages);
void hwpt_remove(struct ioas_hwpt *hwpt);

#endif
