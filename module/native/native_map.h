/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * native_map: maps as iommufd makes them.
 */
#ifndef VFIO_IOAS_NATIVE_MAP_H
#define VFIO_IOAS_NATIVE_MAP_H

#include <linux/mm.h>
#include <linux/overflow.h>

#include "base/object.h"
#include "space/map.h"

/* Who pays for them. */
static inline enum account_mode native_account_mode(const struct ioas_ctx *ctx)
{
	return READ_ONCE(ctx->charge_mm) ? ACCOUNT_MM : ACCOUNT_USER;
}

/* What a map says: as of an IOAS that has ended before. */
static inline int native_map_error(int error)
{
	return error == -ESHUTDOWN ? -ENODEV : error;
}

/*
 * As ioas_map(), with a map of which nothing has been checked; ioas_prepare_search() came before
 * MAP_ANYWHERE. -EOVERFLOW for user addresses that wrap, -EINVAL without length or with one that in
 * whole pages would wrap.
 */
static inline int native_map(struct ioas *ioas, struct ioas_map *map)
{
	unsigned long end;

	if (check_add_overflow(map->uptr, map->nbytes, &end))
		return -EOVERFLOW;
	if (!map->nbytes || map->nbytes > SIZE_MAX - PAGE_SIZE)
		return -EINVAL;
	return native_map_error(ioas_map(ioas, map));
}

#endif
