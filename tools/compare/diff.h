/* SPDX-License-Identifier: GPL-2.0-only */
/* diff.h - compares two transcripts, line by line, to the last one */
#ifndef COMPARE_DIFF_H
#define COMPARE_DIFF_H

#include "child.h"
#include "differences.h"

#define MAX_INTENDED	24

enum verdict {
	VERDICT_SAME,
	VERDICT_INTENDED,	/* all differences are in the table */
	VERDICT_DIFFERENT,
	VERDICT_SKIPPED,
	VERDICT_NOT_RUN,
};

struct comparison {
	enum verdict verdict;
	const struct difference *intended[MAX_INTENDED];	/* that occurred */
	unsigned int nintended;
	const struct difference *absent[MAX_INTENDED];	/* missing, though expected */
	unsigned int nabsent;
	/*
	 * From this line on the two sides have different mappings, as intended, so later results
	 * are not compared. The next run leaves out the operations that led here, and compares the
	 * others.
	 */
	const struct difference *divergence;	/* NULL: all lines were compared */
	size_t diverges_at;
	/* Number of maps that succeeded in the recording, and failed on both sides. */
	size_t nlost;
	struct op first_lost;		/* valid if nlost is not 0 */
	char reason[256];		/* why it was skipped or did not run */
	struct text excerpt;		/* lines that differ, with those before */
};

/* Compares the outcomes. The name decides which differences are intended. */
void compare_outcomes(const char *name, const struct outcome *stock,
		      const struct outcome *ours, struct comparison *comparison);
/* A difference of the table for this name that did not occur makes the verdict "different". */
void find_absent(const char *name, struct comparison *comparison);
/* Notes that an intended difference occurred. */
void comparison_remember(struct comparison *comparison, const struct difference *difference);
/* Judges a case that checks its own results and runs only on ours. */
void judge_outcome(const struct outcome *ours, struct comparison *comparison);

/*
 * Marks the operations that led to the comparison's divergence, at least one. Each operation of the
 * sequence has one line in stock's transcript.
 */
void find_causes(const struct comparison *comparison, const struct outcome *stock,
		 bool *is_cause, size_t nops);

/* Frees the comparisons and their texts. */
void comparisons_free(struct comparison *comparisons, size_t ncomparisons);

#endif
