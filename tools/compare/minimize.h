/* SPDX-License-Identifier: GPL-2.0-only */
/* minimize.h - removes operations while the rest still differs */
#ifndef COMPARE_MINIMIZE_H
#define COMPARE_MINIMIZE_H

#include "diff.h"
#include "sequence.h"

/* Runs sequences once on both backends, like compare_once(). */
typedef bool compare_fn(const char *name, const struct sequence *sequences, size_t nsequences,
			struct comparison *comparisons, struct sequence *rests);

/* Makes a sequence that differs as short as possible. */
void minimize(struct sequence *sequence, compare_fn *compare);

#endif
