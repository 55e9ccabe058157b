/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * differences.h - where ours is meant to differ from stock type1
 */
#ifndef COMPARE_DIFFERENCES_H
#define COMPARE_DIFFERENCES_H

#include "compare/op/kernel.h"
#include "compare/op/op.h"

/*
 * Whether the two sides have different mappings from this line on, and which calls a sequence
 * is run without to compare the others.
 */
enum divergence {
	NO_DIVERGENCE,
	DIVERGES_HERE,		/* this one */
	DIVERGES_BEFORE,	/* those of "after" */
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
	/* What a pattern cannot say about stock's operation; or NULL. */
	bool (*applies)(const struct op *op);
	/* A line of stock type1 that came before in the transcript, and as above; or NULL. */
	const char *after;
	bool (*after_applies)(const struct op *op);
	/* Only for sequences; each line of a case that is to differ has an entry. */
	enum divergence divergence;
	/* That it does not occur in a case is no news. */
	bool sometimes;
};

extern const struct difference differences[];
extern const unsigned int ndifferences;

/* Of each difference: how many lines of stock type1 were looked at, and whether one came before. */
#define MAX_DIFFERENCES	64
struct history {
	size_t nlines[MAX_DIFFERENCES];
	bool came[MAX_DIFFERENCES];
};

/*
 * The first that explains line number @at of this case, on the running kernel; or NULL. @stock has
 * all lines up to that one of stock type1. The history is one for all lines of a case, which are
 * asked for in their order; it begins as zeroes.
 */
const struct difference *difference_find(const char *name, char *const *stock, size_t at,
					 const char *ours, struct history *history);
/* Is it such a line that the difference comes after? */
bool difference_comes_after(const struct difference *difference, const char *line);
/* Is it expected in the case on the running kernel? */
bool difference_expected(const struct difference *difference, const char *name);

#endif
