/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hunt.h - differences in sequences: random ones, and those of a file
 */
#ifndef COMPARE_HUNT_H
#define COMPARE_HUNT_H

#include "diff.h"
#include "sequence.h"

/* Exit statuses. */
int run_random(void);
int run_replay(const char *path);

/* Runs all of them on both backends, and compares; false if a turn was not possible. */
bool compare_sequences(const char *name, const struct sequence *sequences,
		       size_t nsequences, struct comparison *comparisons);
void comparisons_free(struct comparison *comparisons, size_t ncomparisons);

/* Makes a sequence that differs as short as possible. */
void shrink(struct sequence *sequence);

#endif
