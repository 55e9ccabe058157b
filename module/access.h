/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * access: in-kernel users of an IOAS.
 *
 * Owns: struct ioas_access.
 */
#ifndef VFIO_IOAS_ACCESS_H
#define VFIO_IOAS_ACCESS_H

#include "vfio_ioas.h"

struct ioas;

/**
 * access_notify() - ask in-kernel users to let go of a range
 * @ioas: the IOAS, which is left meanwhile
 * @iova: first address of the range
 * @last_iova: last address, inclusive
 *
 * Context: the caller entered the IOAS and holds nothing else.
 */
void access_notify(struct ioas *ioas, unsigned long iova, unsigned long last_iova);

#endif
