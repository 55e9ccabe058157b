/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * map: makes areas in an IOAS.
 */
#ifndef VFIO_IOAS_MAP_H
#define VFIO_IOAS_MAP_H

#include <linux/types.h>

#include "memory/account.h"

struct ioas;
struct ioas_area;

enum ioas_map_rule {
	MAP_OVERLAP_FIRST, /* fixed; overlap, number and reserved are checked in this order */
	MAP_FIXED,	/* fixed; reserved before overlap; waits for no other area */
	MAP_ANYWHERE,	/* the lowest address that fits */
};

/* A map request of a front end. */
struct ioas_map {
	enum ioas_map_rule rule;
	unsigned long uptr;		/* user address in current->mm */
	unsigned long iova;		/* in; out for MAP_ANYWHERE */
	unsigned long nbytes;		/* in bytes; no address may wrap */
	int iommu_prot;			/* IOMMU_READ, IOMMU_WRITE or both */
	enum account_mode account_mode;
	u8 pin_rules;			/* STORE_..., for new memory */
	unsigned long min_alignment;	/* in bytes; of addresses and length */
	bool single_pages;		/* no I/O page larger than a CPU page */
	/*
	 * May the map stay, now that all is mapped? Called inside the IOAS: 0 or -errno. Or NULL.
	 */
	int (*check_last)(struct ioas *ioas);
	/* All below belongs to the engine; zero at first. */
	bool alone;			/* no other thread is in the IOAS, see map.c */
	struct ioas_area *areas;	/* existing areas, as of a copy */
};

/**
 * ioas_map() - map memory of the calling process for all devices of an IOAS
 * @ioas: the IOAS, which the caller entered for reading
 * @map: the request; receives the IOVA of MAP_ANYWHERE
 *
 * At the limit of areas, beyond the reach, and while the IOAS is emptied, this leaves the IOAS and
 * enters it again alone. So maps under way count against the limit only if they succeed.
 *
 * Context: a process with an mm; may sleep and fault.
 * Return: 0, or with nothing changed:
 * * -EINVAL: an address or the length is not aligned to the needs of all users of the IOAS, or an
 *   IOVA is reserved
 * * -EEXIST: an area is in the way
 * * -ENOSPC: no room for one more area, or no place
 * * -EOVERFLOW: IOVA would wrap
 * * -ENOMEM: without memory, or over the memlock limit
 * * -EFAULT: user memory is missing, or not permitted
 * * -EINTR: a fatal signal
 * * -ESHUTDOWN: the IOAS died while this had left it
 * * an error of the IOMMU driver or @map->check_last
 */
int ioas_map(struct ioas *ioas, struct ioas_map *map);

#endif
