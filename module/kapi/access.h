/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * access: in-kernel users of an IOAS.
 *
 * Owns: struct ioas_access.
 */
#ifndef VFIO_IOAS_ACCESS_H
#define VFIO_IOAS_ACCESS_H

#include <linux/jiffies.h>

#include "vfio_ioas.h"

struct ioas;

/*
 * So often an in-kernel user is told to let go before that ends in vain, and so long, in jiffies,
 * each notice has to take effect. A driver may note a pin only after the call that made it has
 * returned, so that the first notice finds nothing to let go of.
 */
#define ACCESS_NOTICES	100
#define ACCESS_PAUSE	(HZ / 50)

/**
 * access_attach() - vfio_ioas_access_attach() to an IOAS that nobody else need find
 * @access: as there
 * @ioas: of the same context; the caller keeps it, or has not published it
 *
 * Context: as there.
 * Return: as there, but for -ENOENT.
 */
int access_attach(struct ioas_access *access, struct ioas *ioas);

/**
 * access_notify() - ask in-kernel users to let go of a range
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last_iova: last address, inclusive
 * @killable: give up on a fatal signal
 *
 * Calls of these users that are pinning are waited for first.
 *
 * Context: may sleep. The caller keeps the IOAS, but is not in it, and holds nothing.
 * Return: 0; -EINTR on a fatal signal, with some of them not told.
 */
int access_notify(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
		  bool killable);

/**
 * access_begin_pinning() - a call is about to pin areas
 * @access: on whose behalf; attached until the end of the call
 *
 * Until access_end_pinning() an unmap that finds such a pin waits instead of telling the driver,
 * which does not know of it yet.
 *
 * Context: may sleep; before the IOAS is entered.
 */
void access_begin_pinning(struct ioas_access *access);

/**
 * access_end_pinning() - undo access_begin_pinning()
 * @access: as there
 */
void access_end_pinning(struct ioas_access *access);

#endif
