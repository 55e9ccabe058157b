/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * copy: more areas over memory that an IOAS shows already.
 */
#ifndef VFIO_IOAS_COPY_H
#define VFIO_IOAS_COPY_H

struct ioas;
struct ioas_area;
struct ioas_map;

/**
 * ioas_capture() - copy the areas of a range
 * @ioas: whose areas
 * @iova: first address of the range
 * @nbytes: its length; it does not wrap
 * @iommu_prot: of the copies
 * @copies: receives a list, ascending, for ioas_map_copies()
 *
 * Not atomic: areas that another thread removes meanwhile are seen or not.
 *
 * Context: the caller entered the IOAS; may sleep.
 * Return: 0; -ENOENT if an address shows nothing; -ENOMEM; -EINTR on a fatal signal.
 */
int ioas_capture(struct ioas *ioas, unsigned long iova, unsigned long nbytes,
		 int iommu_prot, struct ioas_area **copies);

/**
 * ioas_map_copies() - show once more what an IOAS shows already
 * @ioas: where to
 * @map: where; its length is that of all copies, its user address is set here
 * @copies: from ioas_capture(); taken over in any case
 *
 * Context: as ioas_map().
 * Return: as ioas_map(); -EPERM for writing to what was mapped read-only.
 */
int ioas_map_copies(struct ioas *ioas, struct ioas_map *map, struct ioas_area *copies);

/**
 * ioas_cut() - let no area reach over a border
 * @ioas: the IOAS
 * @last_iova: the last address below the border
 *
 * Others see the area whole or divided: those that come meanwhile wait.
 *
 * Context: the caller entered the IOAS; may sleep.
 * Return: 0, also if none does; or with nothing changed -EINVAL where the border is not
 * aligned, a domain may have an entry across it, or an in-kernel user has pinned the
 * area; -EBUSY if another thread makes or removes it; -ENOSPC without room for one more area;
 * -ENOMEM; -EINTR on a fatal signal.
 */
int ioas_cut(struct ioas *ioas, unsigned long last_iova);

#endif
