/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * native_map: maps of native ioctls, and of container ioctls on /dev/iommu, with iommufd's checks.
 */
#ifndef VFIO_IOAS_NATIVE_MAP_H
#define VFIO_IOAS_NATIVE_MAP_H

#include <linux/mm.h>
#include <linux/overflow.h>

#include "base/object.h"
#include "space/map.h"

/* To whom native maps are charged: the process, or its user. */
static inline enum account_mode native_account_mode(const struct ioas_ctx *ctx)
{
	return READ_ONCE(ctx->charge_mm) ? ACCOUNT_MM : ACCOUNT_USER;
}

/* If the IOAS ends during a map, the map fails as if the IOAS had ended before. */
static inline int native_map_error(int error)
{
	return error == -ESHUTDOWN ? -ENODEV : error;
}

/**
 * native_map() - check a map, and make it with ioas_map()
 * @ioas: the IOAS; before MAP_ANYWHERE the caller called ioas_prepare_search()
 * @map: the map, of which nothing has been checked
 *
 * Context: as ioas_map().
 * Return: 0, or with nothing changed:
 * * -EOVERFLOW: the user addresses wrap
 * * -EINVAL: the length is 0, or wraps when it is rounded up to pages
 * * -ENODEV: the IOAS ended meanwhile
 * * else as ioas_map()
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
