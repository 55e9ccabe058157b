/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * copy: further areas over memory that an IOAS shows already.
 */
#ifndef VFIO_IOAS_COPY_H
#define VFIO_IOAS_COPY_H

struct ioas;
struct ioas_area;
struct ioas_map;

/**
 * ioas_capture() - make copies of the areas of a range
 * @ioas: the IOAS of these areas, which the caller entered
 * @iova: first address of the range
 * @nbytes: length of the range in bytes, which does not wrap
 * @iommu_prot: of the copies
 * @copies: receives an ascending list for ioas_map_copies()
 *
 * Not atomic: it may see or miss areas that another thread removes meanwhile.
 *
 * Context: may sleep.
 * Return: 0; -ENOENT if an address of the range is not mapped; -ENOMEM; -EINTR on a fatal signal.
 */
int ioas_capture(struct ioas *ioas, unsigned long iova, unsigned long nbytes,
		 int iommu_prot, struct ioas_area **copies);

/**
 * ioas_map_copies() - map copies of areas
 * @ioas: the IOAS to map them in
 * @map: the request; its length is that of all copies, and its user address is set here
 * @copies: from ioas_capture(); taken over in any case
 *
 * Context: as ioas_map().
 * Return: as ioas_map(); -EPERM for write access to memory that was mapped read-only.
 */
int ioas_map_copies(struct ioas *ioas, struct ioas_map *map, struct ioas_area *copies);

/**
 * ioas_cut() - divide the area that reaches over a border, if there is one
 * @ioas: the IOAS, which the caller entered for reading
 * @last_iova: the last address below the border
 *
 * Other threads see the area whole or divided: calls that come meanwhile wait. An area that begins
 * at @last_iova is left whole.
 *
 * Context: may sleep.
 * Return: 0, also if no area was to be divided, or with nothing changed:
 * * -EINVAL: the border is not aligned, a domain may have an entry across it, or an in-kernel user
 *   has pinned the area
 * * -EBUSY: another thread makes or removes the area
 * * -ENOSPC: no room for one more area
 * * -ENOMEM: without memory
 * * -EINTR: a fatal signal
 */
int ioas_cut(struct ioas *ioas, unsigned long last_iova);

#endif
