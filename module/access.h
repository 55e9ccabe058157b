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

void access_notify(struct ioas *ioas, unsigned long iova, unsigned long last_iova);

#endif
