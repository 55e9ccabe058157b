/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * limits: the needs of all users of an IOAS, and the number of areas that it may have.
 */
#ifndef VFIO_IOAS_LIMITS_H
#define VFIO_IOAS_LIMITS_H

#include "ioas_struct.h"

/**
 * ioas_refresh() - recompute alignment, page sizes and reach from all users of an IOAS
 * @ioas: the IOAS
 *
 * Context: domains_rwsem held for writing. Before the alignment grows, the caller checks the areas
 * by ioas_check_alignment().
 */
void ioas_refresh(struct ioas *ioas);

/**
 * ioas_check_alignment() - would all areas fit a coarser alignment?
 * @ioas: the IOAS
 * @alignment: a power of two, in bytes
 *
 * Context: domains_rwsem held for writing, so that no area comes or goes; may sleep.
 * Return: 0; -EADDRINUSE if an area does not fit; -EINVAL if @alignment is larger than a CPU page.
 */
int ioas_check_alignment(struct ioas *ioas, unsigned long alignment);

/**
 * ioas_get_room() - let an IOAS have more areas
 * @ioas: the IOAS
 * @nareas: number of areas, beyond those that it has
 *
 * The limit is that of the context. An IOAS gets a share of the rest in advance, so that a map
 * looks only at the share. When nothing is left, all IOASs give back what they do not use. Another
 * map may use the room before the caller does.
 *
 * Context: domains_rwsem held. May sleep, takes areas_mutex.
 * Return: 0 or -ENOSPC.
 */
int ioas_get_room(struct ioas *ioas, unsigned long nareas);

/**
 * ioas_room() - count the areas that may still be made
 * @ioas: the IOAS
 *
 * Context: may sleep, takes areas_mutex.
 * Return: the number, for all IOASs of the context together.
 */
unsigned long ioas_room(struct ioas *ioas);

#endif
