/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare_sequences.h - runs sequences on both backends, and compares what they did
 */
#ifndef COMPARE_SEQUENCES_H
#define COMPARE_SEQUENCES_H

#include "diff.h"
#include "sequence.h"

/*
 * Runs all of them on both backends, and compares. Calls that led to an intended difference are
 * left out, and the sequence runs again, until every other call has been compared. On return each
 * sequence is the version that ran last. False if a backend could not be given its turn.
 */
bool compare_sequences(const char *name, struct sequence *sequences,
		       size_t nsequences, struct comparison *comparisons);
/* One run. rests, unless NULL, gets a shortened sequence for each one that diverges. */
bool compare_once(const char *name, const struct sequence *sequences, size_t nsequences,
		  struct comparison *comparisons, struct sequence *rests);

/* These give a backend its turn and run a sequence on it. Tests put wrong backends here. */
extern bool (*compare_turn_to)(enum backend backend);
extern void (*compare_run)(const struct sequence *sequence, enum backend backend,
			   struct outcome *outcome);

#endif
