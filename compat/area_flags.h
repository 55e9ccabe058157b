/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * area_flags: what area->flags mean in a container.
 */
#ifndef VFIO_IOAS_AREA_FLAGS_H
#define VFIO_IOAS_AREA_FLAGS_H

#define AREA_NO_VADDR	1	/* its user address is void until there is another one */
#define AREA_ALL_DIRTY	2	/* whatever else is known of its pages */

#endif
