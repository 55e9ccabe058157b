/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * diff.h - two transcripts, line by line, to the last one
 */
#ifndef COMPARE_DIFF_H
#define COMPARE_DIFF_H

#include "child.h"
#include "differences.h"

#define MAX_INTENDED	24

enum verdict {
	VERDICT_SAME,
	VERDICT_INTENDED,	/* only differences of the table */
	VERDICT_DIFFERENT,
	VERDICT_SKIPPED,
	VERDICT_NOT_RUN,
};

struct comparison {
	enum verdict verdict;
	const struct difference *intended[MAX_INTENDED];	/* that occurred */
	unsigned int nintended;
	const struct difference *absent[MAX_INTENDED];	/* that should have */
	unsigned int nabsent;
	/*
	 * From this line on the two sides have different mappings, as intended: results behind it
	 * are not compared. The operations that led to it are left out in the next run, which
	 * compares the others.
	 */
	const struct difference *divergence;	/* NULL: all lines were compared */
	size_t diverges_at;
	/* Maps that succeeded in the recording, and failed on both sides. */
	size_t nlost;
	struct op first_lost;		/* if there is one */
	char reason[256];		/* of skipping, or what did not run; or "" */
	struct text excerpt;		/* what differs, with what led to it */
};

/* The name decides which differences are intended. */
void compare_outcomes(const char *name, const struct outcome *stock,
		      const struct outcome *ours, struct comparison *comparison);
/* A difference of the table for this name that did not occur makes the verdict "different". */
void find_absent(const char *name, struct comparison *comparison);
/* Notes that an intended difference occurred. */
void comparison_remember(struct comparison *comparison, const struct difference *difference);
/* For a case that judges for itself on ours. */
void judge_outcome(const struct outcome *ours, struct comparison *comparison);

/*
 * Marks the operations of a sequence, one for each line of stock's transcript, that led to the
 * comparison's divergence. At least one.
 */
void find_causes(const struct comparison *comparison, const struct outcome *stock,
		 bool *is_cause, size_t nops);

/* Frees them, and what they tell. */
void comparisons_free(struct comparison *comparisons, size_t ncomparisons);

#endif
