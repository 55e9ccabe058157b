/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * random.h - random sequences, the same for the same seed and number
 */
#ifndef COMPARE_RANDOM_H
#define COMPARE_RANDOM_H

#include "sequence.h"

/* Makes sequence number n of a run: some operations to set up, then ncalls more. */
void random_sequence(uint64_t seed, uint64_t n, unsigned int ncalls,
		     unsigned int without, struct sequence *sequence);

#endif
