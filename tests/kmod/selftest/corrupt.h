/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * corrupt: breaks invariants on purpose, so that a test sees the checker notice it.
 */
#ifndef VFIO_IOAS_SELFTEST_CORRUPT_H
#define VFIO_IOAS_SELFTEST_CORRUPT_H

struct native_call;

/* Serves TEST_OP_CORRUPT. */
int op_corrupt(struct native_call *call);

#endif
