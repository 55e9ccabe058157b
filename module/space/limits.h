/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * limits: what all users of an IOAS can take, and how many areas it may have.
 */
#ifndef VFIO_IOAS_LIMITS_H
#define VFIO_IOAS_LIMITS_H

#include "ioas_struct.h"

/**
 * ioas_refresh() - find out again what all users of an IOAS can take
 * @ioas: the IOAS
 *
 * Context: domains_rwsem held for writing. The alignment grows only after
 * ioas_check_alignment().
 */
void ioas_refresh(struct ioas *ioas);

/**
 * ioas_check_alignment() - would all areas fit a coarser alignment?
 * @ioas: the IOAS
 * @alignment: a power of two, in bytes
 *
 * Context: domains_rwsem held for writing, so that no area comes or goes.
 * Return: 0; -EADDRINUSE; -EINVAL for one larger than a CPU page.
 */
int ioas_check_alignment(struct ioas *ioas, unsigned long alignment);

/**
 * ioas_get_room() - let an IOAS have more areas
 * @ioas: the IOAS
 * @nareas: how many more than it has
 *
 * The limit is that of the context. An IOAS is given a share of what is left of it in advance,
 * so that a map only looks at the share; when nothing is left, all give back what they do not
 * use. Another map may be faster than the caller in using the room.
 *
 * Context: domains_rwsem held. May sleep.
 * Return: 0 or -ENOSPC.
 */
int ioas_get_room(struct ioas *ioas, unsigned long nareas);

/**
 * ioas_room() - how many areas may still be made?
 * @ioas: the IOAS
 *
 * Context: may sleep.
 * Return: how many, in all IOASs of the context together.
 */
unsigned long ioas_room(struct ioas *ioas);

#endif
