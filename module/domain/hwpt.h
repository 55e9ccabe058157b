/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hwpt: the object whose iommu_domain mirrors an IOAS.
 *
 * Owns: struct ioas_hwpt and its iommu_domain.
 */
#ifndef VFIO_IOAS_HWPT_H
#define VFIO_IOAS_HWPT_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/types.h>

#include "base/object.h"
#include "space/mirror.h"

struct ioas_hwpt {
	struct ioas_object object;
	struct ioas_mirror mirror;	/* its domain, and the IOAS, of which this is a user */
	struct iommu_domain_geometry claimed;	/* domains_rwsem; what the domain said ... */
	unsigned long claimed_pgsizes;		/* same lock; ... when its aperture was claimed */
	bool has_claim;			/* same lock; IOVA outside of the aperture are reserved */
	unsigned int ngroups;		/* groups_mutex of the context */
	bool automatic;			/* constant; goes with its last group */
	bool enforces_coherency;	/* groups_mutex, and domains_rwsem to write */
	bool has_msi_cookie;		/* groups_mutex */
};

/**
 * hwpt_create() - make an hwpt of an empty domain
 * @ioas: what it will mirror; kept from ending by it
 * @domain: taken over on success
 * @automatic: made by an attach, for as long as something is attached
 *
 * Context: may sleep.
 * Return: the hwpt, reserved as an object but not published; or ERR_PTR(-ENOMEM).
 */
struct ioas_hwpt *hwpt_create(struct ioas *ioas, struct iommu_domain *domain,
			      bool automatic);

/**
 * hwpt_destroy() - free an hwpt and its empty domain
 * @hwpt: not on a list, no group attached, its id given back
 */
void hwpt_destroy(struct ioas_hwpt *hwpt);

/**
 * hwpt_of_object() - is an object an hwpt?
 * @object: any object
 *
 * Return: the hwpt, or NULL.
 */
struct ioas_hwpt *hwpt_of_object(struct ioas_object *object);

/* Does the domain mirror its IOAS? domains_rwsem held. */
static inline bool hwpt_is_mirror(const struct ioas_hwpt *hwpt)
{
	return !list_empty(&hwpt->mirror.item);
}

/**
 * hwpt_is_finished() - does the driver know what a domain can do?
 * @hwpt: the hwpt
 *
 * Some drivers finish a domain only when the first device comes; nothing can be mapped before.
 */
bool hwpt_is_finished(const struct ioas_hwpt *hwpt);

/**
 * hwpt_reaches() - can a domain translate all that another one can?
 * @hwpt: the one
 * @other: the other
 */
bool hwpt_reaches(const struct ioas_hwpt *hwpt, const struct ioas_hwpt *other);

/**
 * hwpt_claim_aperture() - reserve the IOVA that a domain cannot translate
 * @hwpt: finished
 *
 * The domain owns what it reserves: it lasts until hwpt_release_aperture(), whichever groups
 * come and go. Does nothing if it was done.
 *
 * Context: domains_rwsem held for writing.
 * Return: 0, or with nothing reserved: -EADDRINUSE if an area lies outside; -EINVAL for a domain
 * that is not finished, or if no usable IOVA would be left; -ENOMEM.
 */
int hwpt_claim_aperture(struct ioas_hwpt *hwpt);

/**
 * hwpt_release_aperture() - undo hwpt_claim_aperture()
 * @hwpt: not on the list of its IOAS
 *
 * Context: domains_rwsem held for writing. Never fails; does nothing without a claim.
 */
void hwpt_release_aperture(struct ioas_hwpt *hwpt);

/**
 * hwpt_add() - let a domain mirror its IOAS from now on
 * @hwpt: not on a list
 * @single_pages: map page by page
 *
 * Claims the aperture, unless that was done.
 *
 * Context: domains_rwsem held for writing. May sleep for as long as it takes to map
 * all areas, and to pin them if this is the first domain.
 * Return: 0, or with the domain as empty as before and no aperture claimed: -EINVAL without a
 * page size that all domains can map, or with one larger than the CPU's; -EADDRINUSE where an
 * area is not aligned to its smallest; -EINTR on a fatal signal; as hwpt_claim_aperture(); what
 * store_pin() or the IOMMU driver says.
 */
int hwpt_add(struct ioas_hwpt *hwpt, bool single_pages);

/**
 * hwpt_settle() - let a domain mirror its IOAS as the driver has it now
 * @hwpt: to which a group was just attached that is not counted yet
 *
 * To be called after each attach to a domain that others made: the driver may have finished, or
 * changed, the domain.
 *
 * Context: domains_rwsem held for writing. May sleep as hwpt_add().
 * Return: 0; as hwpt_add(), and the domain mirrors nothing; -EINVAL, and nothing changed, if the
 * driver changed a domain that has other groups.
 */
int hwpt_settle(struct ioas_hwpt *hwpt);

/**
 * hwpts_enforce_coherency() - is no-snoop DMA impossible everywhere in an IOAS?
 * @ioas: the IOAS
 *
 * Context: the caller entered the IOAS; may sleep.
 * Return: false if a domain does not enforce it; true also without a domain.
 */
bool hwpts_enforce_coherency(struct ioas *ioas);

/**
 * hwpt_remove() - undo hwpt_add()
 * @hwpt: on the list of its IOAS, no group attached, or one that was just attached
 *
 * If it was the last domain, what the areas show is unpinned; the areas stay.
 *
 * Context: domains_rwsem held for writing. May sleep. Never fails, needs no memory.
 */
void hwpt_remove(struct ioas_hwpt *hwpt);

#endif
