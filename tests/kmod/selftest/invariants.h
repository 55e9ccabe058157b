/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * invariants: what is true of an IOAS whenever nobody is in it.
 */
#ifndef VFIO_IOAS_SELFTEST_INVARIANTS_H
#define VFIO_IOAS_SELFTEST_INVARIANTS_H

struct ioas_ctx;

void check_invariants(struct ioas_ctx *ctx);

#endif
