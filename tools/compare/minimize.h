/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * minimize.h - leaves out operations as long as the rest still differs
 */
#ifndef COMPARE_MINIMIZE_H
#define COMPARE_MINIMIZE_H

#include "diff.h"
#include "sequence.h"

/* One run of sequences on both backends, as compare_once(). */
typedef bool compare_fn(const char *name, const struct sequence *sequences, size_t nsequences,
			struct comparison *comparisons, struct sequence *rests);

/* Makes a sequence that differs as short as possible. */
void minimize(struct sequence *sequence, compare_fn *compare);

#endif
