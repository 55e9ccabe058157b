/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * map: how areas come into an IOAS.
 */
#ifndef VFIO_IOAS_MAP_H
#define VFIO_IOAS_MAP_H

#include <linux/types.h>

#include "memory/account.h"

struct ioas;
struct ioas_area;

enum ioas_map_rule {
	MAP_OVERLAP_FIRST, /* fixed; overlap, number and reserved are checked in this order */
	MAP_FIXED,	/* reserved comes before overlap, whoever is just there */
	MAP_ANYWHERE,	/* the lowest address that fits */
};

/* A map, as a front end asks for it. */
struct ioas_map {
	enum ioas_map_rule rule;
	unsigned long uptr;		/* user address in current->mm */
	unsigned long iova;		/* in; out for MAP_ANYWHERE */
	unsigned long nbytes;		/* no address may wrap within these */
	int iommu_prot;			/* IOMMU_READ, IOMMU_WRITE or both */
	enum account_mode account_mode;
	u8 pin_rules;			/* STORE_..., for new memory */
	unsigned long min_alignment;	/* addresses and length are multiples of it */
	bool single_pages;		/* no I/O page larger than a CPU page */
	/* May it stay, now that all is mapped? Asked inside the IOAS: 0 or -errno. Or NULL. */
	int (*check_last)(struct ioas *ioas);
	/* All below is the engine's own; begin with zeroes. */
	bool alone;			/* nobody else is in the IOAS, see map.c */
	struct ioas_area *areas;	/* are there already, as of a copy */
};

/**
 * ioas_map() - show memory of the calling process to all devices of an IOAS
 * @ioas: the IOAS
 * @map: what and where; tells afterwards where MAP_ANYWHERE found a place
 *
 * At the limit, beyond the reach and while the IOAS is emptied it is left and entered again, with
 * nobody else in it: maps under way count only if they succeed.
 *
 * Context: a process with an mm, which entered the IOAS; may sleep and fault.
 * Return: 0, or with nothing changed: -EINVAL where an address or the length is not aligned to what
 * all users of the IOAS need, or a reserved IOVA is touched; -EEXIST on top of another area;
 * -ENOSPC without room for one more area, or without a place; -EOVERFLOW where IOVA would wrap;
 * -ENOMEM without memory or over the memlock limit; -EFAULT where user memory is missing or not
 * permitted; -EINTR on a fatal signal; -ESHUTDOWN if the IOAS died while it was left; what the
 * IOMMU driver or @map->check_last says.
 */
int ioas_map(struct ioas *ioas, struct ioas_map *map);

#endif
