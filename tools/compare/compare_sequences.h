/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare_sequences.h - runs sequences on both backends, and compares what they did
 */
#ifndef COMPARE_SEQUENCES_H
#define COMPARE_SEQUENCES_H

#include "diff.h"
#include "sequence.h"

/*
 * Runs all of them on both backends, and compares. What led to an intended difference is left out
 * of a sequence, which is run again, until every other call has been compared to the end; the
 * sequence is what was run last. False if a turn was not possible.
 */
bool compare_sequences(const char *name, struct sequence *sequences,
		       size_t nsequences, struct comparison *comparisons);
/* One run. rests: of each that diverges, what is to be run next; or NULL. */
bool compare_once(const char *name, const struct sequence *sequences, size_t nsequences,
		  struct comparison *comparisons, struct sequence *rests);

/* What gives a backend its turn and runs a sequence on it. Tests put wrong backends here. */
extern bool (*compare_turn_to)(enum backend backend);
extern void (*compare_run)(const struct sequence *sequence, enum backend backend,
			   struct outcome *outcome);

#endif
