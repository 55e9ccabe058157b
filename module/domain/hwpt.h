/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hwpt: an object with an iommu_domain that mirrors an IOAS.
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
	struct ioas_mirror mirror;	/* the domain, and the IOAS, which it is a user of */
	struct iommu_domain_geometry claimed;	/* domains_rwsem; of the domain ... */
	unsigned long claimed_pgsizes;		/* same lock; ... when the IOVA was reserved */
	bool has_claim;			/* same lock; IOVA outside the aperture is reserved */
	unsigned int ngroups;		/* groups_mutex; the status reads it without */
	bool automatic;			/* set before it is published; goes with its last group */
	bool enforces_coherency;	/* groups_mutex or domains_rwsem; both to change it */
	bool has_msi_cookie;		/* groups_mutex */
};

/**
 * hwpt_create() - make an HWPT of an empty domain
 * @ioas: the IOAS that it will mirror; the HWPT is a user of it
 * @domain: taken over on success
 *
 * Context: may sleep.
 * Return: the HWPT, reserved as an object but not published; ERR_PTR(-ENOMEM), or ERR_PTR(-EBUSY)
 * if all ids are taken.
 */
struct ioas_hwpt *hwpt_create(struct ioas *ioas, struct iommu_domain *domain);

/**
 * hwpt_destroy() - free an HWPT and its empty domain
 * @hwpt: not on a list, with nothing reserved and no group, and its id given back
 *
 * Context: may sleep.
 */
void hwpt_destroy(struct ioas_hwpt *hwpt);

/**
 * hwpt_of_object() - is an object an HWPT?
 * @object: any object
 *
 * Return: the HWPT, or NULL.
 */
struct ioas_hwpt *hwpt_of_object(struct ioas_object *object);

/* Does the domain mirror its IOAS? domains_rwsem held. */
static inline bool hwpt_is_mirror(const struct ioas_hwpt *hwpt)
{
	return !list_empty(&hwpt->mirror.item);
}

/**
 * hwpt_is_finished() - does the driver know the properties of a domain?
 * @hwpt: the HWPT
 *
 * Some drivers finish a domain only when the first device comes. Until then nothing can be mapped.
 */
bool hwpt_is_finished(const struct ioas_hwpt *hwpt);

/**
 * hwpt_reaches() - can a domain translate all IOVA that another domain can?
 * @hwpt: the domain
 * @other: the other domain
 */
bool hwpt_reaches(const struct ioas_hwpt *hwpt, const struct ioas_hwpt *other);

/**
 * hwpt_claim_aperture() - reserve the IOVA that a domain cannot translate
 * @hwpt: finished
 *
 * The HWPT owns this reservation until hwpt_release_aperture(), whichever groups come and go. Does
 * nothing if the HWPT has one already.
 *
 * Context: domains_rwsem held for writing; may sleep.
 * Return: 0, or with nothing reserved:
 * * -EADDRINUSE: an area, or an allowed range, lies outside the aperture
 * * -EINVAL: the domain is not finished, or no usable IOVA would be left
 * * -ENOMEM: without memory
 */
int hwpt_claim_aperture(struct ioas_hwpt *hwpt);

/**
 * hwpt_release_aperture() - undo hwpt_claim_aperture()
 * @hwpt: not on the list of its IOAS
 *
 * Does nothing if nothing is reserved.
 *
 * Context: domains_rwsem held for writing. Never fails.
 */
void hwpt_release_aperture(struct ioas_hwpt *hwpt);

/**
 * hwpt_add() - let a domain mirror its IOAS from now on
 * @hwpt: not on a list
 * @single_pages: map page by page
 *
 * Reserves the IOVA outside the aperture, if that is not done yet.
 *
 * Context: domains_rwsem held for writing. May sleep for as long as it takes to map all areas, and
 * to pin them if this is the first domain.
 * Return: 0, or with the domain as empty as before, and nothing reserved:
 * * -EINVAL: all domains have no page size in common, or the smallest one is larger than the CPU's
 * * -EADDRINUSE: an area is not aligned to its smallest page size
 * * -EINTR: a fatal signal
 * * an error of hwpt_claim_aperture(), store_pin() or the IOMMU driver
 */
int hwpt_add(struct ioas_hwpt *hwpt, bool single_pages);

/**
 * hwpt_settle() - let a domain mirror its IOAS, as the driver describes the domain now
 * @hwpt: a group was just attached to it, and is not counted in ngroups yet
 *
 * Needed after each attach to an existing domain, since the driver may have finished or changed it.
 *
 * Context: domains_rwsem held for writing. May sleep as hwpt_add().
 * Return: 0; -EINVAL, with nothing changed, if the driver changed a domain that has other groups;
 * an error of hwpt_add(), and the domain mirrors nothing.
 */
int hwpt_settle(struct ioas_hwpt *hwpt);

/**
 * hwpts_enforce_coherency() - do all domains of an IOAS make no-snoop DMA impossible?
 * @ioas: the IOAS, which the caller entered
 *
 * Return: false if a domain does not enforce coherency; true also without a domain.
 */
bool hwpts_enforce_coherency(struct ioas *ioas);

/**
 * hwpt_remove() - undo hwpt_add()
 * @hwpt: on the list of its IOAS; no group is on it, or just one that is not counted yet
 *
 * If it was the last domain, all pages that areas needed are unpinned. The areas stay.
 *
 * Context: domains_rwsem held for writing. May sleep. Never fails, needs no memory.
 */
void hwpt_remove(struct ioas_hwpt *hwpt);

#endif
