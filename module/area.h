/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * area: making and ending areas and the stores they show.
 *
 * Owns: the memory of areas and stores.
 */
#ifndef VFIO_IOAS_AREA_H
#define VFIO_IOAS_AREA_H

#include "iova.h"
#include "pages.h"

struct ioas;

static inline bool area_is_live(const struct ioas_area *area)
{
	/* Pairs with area_set_live(): what the creator did is visible, too. */
	return smp_load_acquire(&area->state) == AREA_LIVE;
}

/* Where in its store an IOVA of an area lies, in bytes. */
static inline unsigned long area_byte(const struct ioas_area *area, unsigned long iova)
{
	return area->first_byte + (iova - area->first_iova);
}

static inline unsigned long area_last_byte(const struct ioas_area *area)
{
	return area_byte(area, area->last_iova);
}

struct ioas_area *area_create(unsigned long uptr, unsigned long nbytes, int iommu_prot);
struct ioas_area *area_create_copy(struct ioas_pages *pages, unsigned long first_byte,
				   unsigned long nbytes, int iommu_prot);
void area_free(struct ioas_area *area);
void area_free_list(struct ioas_area *area);

int area_pin(struct ioas_area *area);
void area_unpin(struct ioas_area *area, struct account_refund *refund);
int area_divide(struct ioas_area *lower, struct ioas_area *upper, bool pinned);

int area_share(struct ioas *ioas, struct ioas_area *area);
struct ioas_account *area_erase(struct ioas *ioas, struct ioas_area *area);
struct ioas_area *area_hold(struct ioas *ioas, unsigned long iova);
void area_unhold(struct ioas *ioas, struct ioas_area *area);

#endif
