/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * diff.h - two transcripts, line by line
 */
#ifndef COMPARE_DIFF_H
#define COMPARE_DIFF_H

#include "child.h"
#include "differences.h"

#define MAX_INTENDED	8

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
	unsigned int nincomparable;	/* lines */
	const char *reason;		/* of skipping, or what did not run; or NULL */
	struct text excerpt;		/* what differs, with what led to it */
};

/* The name decides which differences are intended. */
void compare_outcomes(const char *name, const struct outcome *stock,
		      const struct outcome *ours, struct comparison *comparison);
/* Which differences are in the table for this name, but did not occur. */
void find_absent(const char *name, struct comparison *comparison);
/* For a case that judges for itself on ours. */
void judge_outcome(const struct outcome *ours, struct comparison *comparison);

#endif
