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

/**
 * area_create() - make an area with a store of its own
 * @uptr: user address of the first byte in current->mm
 * @nbytes: length, at least 1; @uptr + @nbytes - 1 must not wrap
 * @iommu_prot: IOMMU_READ, IOMMU_WRITE
 *
 * Return: the area, owned by the caller, without account and at IOVA 0; or NULL without
 * memory.
 */
struct ioas_area *area_create(unsigned long uptr, unsigned long nbytes, int iommu_prot);

/**
 * area_create_copy() - make an area that shows a part of a store that exists
 * @pages: a shared store; the area gets a reference
 * @first_byte: where in the store it begins
 * @nbytes: how much of it, at least 1
 * @iommu_prot: IOMMU_READ, IOMMU_WRITE
 *
 * Return: as area_create(), but the account is that of the store.
 */
struct ioas_area *area_create_copy(struct ioas_pages *pages, unsigned long first_byte,
				   unsigned long nbytes, int iommu_prot);

/**
 * area_free() - free an area, and its store with the last one
 * @area: owned by the caller, in no tree, nothing of it pinned
 */
void area_free(struct ioas_area *area);

/**
 * area_free_list() - free areas linked by their next pointer
 * @area: the first one, or NULL; as for area_free()
 */
void area_free_list(struct ioas_area *area);

/**
 * area_pin() - pin what an area shows
 * @area: owned by the caller, who holds pages_lock() of its store
 *
 * Context: as pages_pin().
 * Return: as pages_pin().
 */
int area_pin(struct ioas_area *area);

/**
 * area_unpin() - undo area_pin()
 * @area: owned by the caller, who holds pages_lock() of its store; in no domain
 * @refund: as for pages_unpin()
 */
void area_unpin(struct ioas_area *area, struct account_refund *refund);

/**
 * area_divide() - let two areas show what one does
 * @lower: an area of a shared store, of which it will show only the lower part
 * @upper: a copy made for the upper part
 * @pinned: @lower is in a domain
 *
 * Context: may sleep, holds pages_lock().
 * Return: 0, or -ENOMEM with nothing changed.
 */
int area_divide(struct ioas_area *lower, struct ioas_area *upper, bool pinned);

/**
 * area_share() - let more than its area use a store
 * @ioas: whose area; the caller entered it
 * @area: live, and kept busy by the caller
 *
 * Context: may sleep.
 * Return: 0, also if it is shared already; -ENOMEM.
 */
int area_share(struct ioas *ioas, struct ioas_area *area);

/**
 * area_erase() - give back the addresses of an area
 * @ioas: whose area
 * @area: owned by the caller, in the tree
 *
 * Context: iova_lock held.
 * Return: an account that the caller has to put when he has released the lock, or NULL.
 */
struct ioas_account *area_erase(struct ioas *ioas, struct ioas_area *area);

/**
 * area_hold() - find an area and keep it busy
 * @ioas: the IOAS, which the caller entered
 * @iova: any address of the area
 *
 * Return: a live area, which stays as it is until area_unhold(), or NULL.
 */
struct ioas_area *area_hold(struct ioas *ioas, unsigned long iova);

/**
 * area_unhold() - undo area_hold()
 * @ioas: the IOAS
 * @area: may be gone afterwards
 */
void area_unhold(struct ioas *ioas, struct ioas_area *area);

#endif
