/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * corrupt: shows that the invariant checker notices what it should.
 */
#ifndef VFIO_IOAS_SELFTEST_CORRUPT_H
#define VFIO_IOAS_SELFTEST_CORRUPT_H

struct native_call;

/* TEST_OP_CORRUPT */
int op_corrupt(struct native_call *call);

#endif
