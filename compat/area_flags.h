/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * area_flags: the flags that a container keeps in area->flags.
 */
#ifndef VFIO_IOAS_AREA_FLAGS_H
#define VFIO_IOAS_AREA_FLAGS_H

#define AREA_NO_VADDR	1	/* the user address is void until another one is set */
#define AREA_ALL_DIRTY	2	/* all pages are dirty in the next report */

#endif
