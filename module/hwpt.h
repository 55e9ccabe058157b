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

struct device;
struct ioas;
struct ioas_area;
struct iova_space;
struct iommu_domain;

struct ioas_hwpt {
	struct list_head hwpts_item;	/* domains_rwsem */
	struct iommu_domain *domain;	/* constant */
	struct list_head groups;	/* domains_rwsem */
	bool enforces_coherency;	/* domains_rwsem */
};

struct ioas_hwpt *hwpt_create(struct device *dev, bool nesting);
void hwpt_destroy(struct ioas_hwpt *hwpt);
int hwpt_reserve_aperture(struct ioas_hwpt *hwpt, struct iova_space *space,
			  const void *owner);
int hwpt_map_area(struct ioas_hwpt *hwpt, struct ioas_area *area, bool single_pages);
bool hwpt_unmap_area(struct ioas_hwpt *hwpt, struct ioas_area *area);
int hwpt_add(struct ioas *ioas, struct ioas_hwpt *hwpt, bool single_pages);
void hwpt_remove(struct ioas *ioas, struct ioas_hwpt *hwpt);

#endif
