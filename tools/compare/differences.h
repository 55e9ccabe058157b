/* SPDX-License-Identifier: GPL-2.0-only */
/* differences.h - the intended differences from stock type1 */
#ifndef COMPARE_DIFFERENCES_H
#define COMPARE_DIFFERENCES_H

#include "compare/op/kernel.h"
#include "compare/op/op.h"

/*
 * Whether the two sides have different mappings from this line on, and which calls a sequence
 * leaves out to compare the others.
 */
enum divergence {
	NO_DIVERGENCE,
	DIVERGES_HERE,		/* because of this call */
	DIVERGES_BEFORE,	/* because of the calls in "after" */
};

/* Patterns are those of fnmatch(3). */
struct difference {
	const char *name;
	const char *why;	/* one sentence */
	struct kernel_version first;	/* oldest kernel; 0.0: any */
	struct kernel_version last;	/* newest kernel; 0.0: any */
	const char *cases;	/* "random" and "replay" are names, too */
	const char *stock;	/* the line of stock type1 */
	const char *ours;
	/* Checks a condition on stock's operation that no pattern can express; or NULL. */
	bool (*applies)(const struct op *op);
	/* An earlier line of stock's transcript that is required, and its check; or NULL. */
	const char *after;
	bool (*after_applies)(const struct op *op);
	/* Only for sequences. In a case each line that may differ has its own entry. */
	enum divergence divergence;
	/* A case may pass without this difference. */
	bool sometimes;
};

extern const struct difference differences[];
extern const unsigned int ndifferences;

/* For each difference: how many lines of stock were searched, and whether "after" was found. */
#define MAX_DIFFERENCES	64
struct history {
	size_t nlines[MAX_DIFFERENCES];
	bool came[MAX_DIFFERENCES];
};

/*
 * Returns the first difference that explains line number @at of this case on the running kernel, or
 * NULL. @stock has all lines of stock type1 up to that one. A case has one history, zeroed at
 * first, and asks about its lines in order.
 */
const struct difference *difference_find(const char *name, char *const *stock, size_t at,
					 const char *ours, struct history *history);
/* Does the line match "after" of the difference? */
bool difference_comes_after(const struct difference *difference, const char *line);
/* Must the difference occur in this case on the running kernel? */
bool difference_expected(const struct difference *difference, const char *name);

#endif
