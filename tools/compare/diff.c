// SPDX-License-Identifier: GPL-2.0-only
/*
 * diff.c - compares transcripts
 *
 * Both transcripts come from the same calls, so they are compared line by line. Their lengths
 * differ only if one side ends early. Behind a divergence, which only sequences have, only the
 * calls are compared, not their results: both sides must make the same calls to the end.
 */
#include "diff.h"

#include "compare/op/transcript.h"
#include "lib/allocate.h"

#define MAX_BEFORE	12U	/* lines shown before the first that differs */
#define MAX_SHOWN	4U	/* lines that differ */

struct lines {
	char *copy;
	char **line;
	size_t nlines;
	size_t ncalls;		/* without the line about a bad end */
};

static void split(const struct text *text, struct lines *lines)
{
	char *rest = NULL;
	char *line;

	*lines = (struct lines){ .copy = need(strdup(text_chars(text))) };
	for (line = strtok_r(lines->copy, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		lines->line = grow(lines->line, lines->nlines, sizeof(*lines->line));
		lines->line[lines->nlines++] = line;
	}
	lines->ncalls = lines->nlines;
}

static void free_lines(struct lines *lines)
{
	while (lines->nlines > lines->ncalls)
		free(lines->line[--lines->nlines]);
	free(lines->copy);
	free(lines->line);
}

static void add_end(const struct outcome *outcome, struct lines *lines)
{
	if (outcome->ending == ENDED_WELL)
		return;
	lines->line = grow(lines->line, lines->nlines, sizeof(*lines->line));
	lines->line[lines->nlines++] = need(strdup(outcome_name(outcome)));
}

void comparison_remember(struct comparison *comparison, const struct difference *difference)
{
	unsigned int i;

	for (i = 0; i < comparison->nintended; i++)
		if (comparison->intended[i] == difference)
			return;
	if (i < MAX_INTENDED)
		comparison->intended[comparison->nintended++] = difference;
}

static void show_before(const struct lines *lines, size_t at,
			struct text *excerpt)
{
	size_t i = at > MAX_BEFORE ? at - MAX_BEFORE : 0;

	if (i)
		text_add(excerpt, "  ... %zu calls before\n", i);
	for (; i < at; i++)
		text_add(excerpt, "  %s\n", lines->line[i]);
}

static void show_pair(const char *stock, const char *ours, struct text *excerpt)
{
	if (stock)
		text_add(excerpt, "- %s\n", stock);
	if (ours)
		text_add(excerpt, "+ %s\n", ours);
}

struct walk {
	const char *name;
	const struct lines *stock;
	const struct lines *ours;
	unsigned int ndifferent;
	struct history history;
	struct comparison *comparison;
};

/* The length of a line's call, without its result. */
static size_t call_length(const char *line)
{
	static const char *const ends[] = { " = ", " left out", " hash=" };
	size_t nchars = strlen(line);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		const char *end = strstr(line, ends[i]);

		if (end && (size_t)(end - line) < nchars)
			nchars = (size_t)(end - line);
	}
	return nchars;
}

static bool same_call(const char *stock, const char *ours)
{
	size_t nchars = call_length(stock);

	return nchars == call_length(ours) && strncmp(stock, ours, nchars) == 0;
}

/* Is the difference of these lines intended? One of them may be missing. */
static bool is_intended(struct walk *walk, size_t at, const char *stock, const char *ours)
{
	struct comparison *comparison = walk->comparison;
	const struct difference *difference;

	if (!stock || !ours || at >= walk->stock->ncalls || at >= walk->ours->ncalls)
		return false;
	if (comparison->divergence)
		return same_call(stock, ours);
	difference = difference_find(walk->name, walk->stock->line, at, ours, &walk->history);
	if (!difference)
		return false;
	comparison_remember(comparison, difference);
	if (difference->divergence != NO_DIVERGENCE) {
		comparison->divergence = difference;
		comparison->diverges_at = at;
	}
	return true;
}

static void compare_pair(struct walk *walk, size_t at)
{
	struct comparison *comparison = walk->comparison;
	const char *stock = at < walk->stock->nlines ? walk->stock->line[at] : NULL;
	const char *ours = at < walk->ours->nlines ? walk->ours->line[at] : NULL;

	if (stock && ours && strcmp(stock, ours) == 0) {
		if (walk->ndifferent && walk->ndifferent < MAX_SHOWN)
			text_add(&comparison->excerpt, "  %s\n", stock);
		return;
	}
	if (is_intended(walk, at, stock, ours))
		return;
	if (!walk->ndifferent)
		show_before(walk->stock->nlines > walk->ours->nlines ?
			    walk->stock : walk->ours, at, &comparison->excerpt);
	if (walk->ndifferent++ < MAX_SHOWN)
		show_pair(stock, ours, &comparison->excerpt);
}

static void compare_lines(struct walk *walk)
{
	size_t nlines = walk->stock->nlines > walk->ours->nlines ?
			walk->stock->nlines : walk->ours->nlines;
	size_t at;

	for (at = 0; at < nlines; at++)
		compare_pair(walk, at);
	if (walk->ndifferent > MAX_SHOWN)
		text_add(&walk->comparison->excerpt, "  ... %u more lines differ\n",
			 walk->ndifferent - MAX_SHOWN);
}

/* The last line says why a process stopped. */
static void take_reason(const struct outcome *outcome, struct comparison *comparison)
{
	const char *chars = text_chars(&outcome->transcript);
	size_t nchars = outcome->transcript.nchars;
	size_t start;

	if (!nchars)
		return;
	for (start = nchars - 1; start > 0 && chars[start - 1] != '\n'; start--)
		;
	snprintf(comparison->reason, sizeof(comparison->reason), "%.*s",
		 (int)(nchars - 1 - start), chars + start);
}

void compare_outcomes(const char *name, const struct outcome *stock,
		      const struct outcome *ours, struct comparison *comparison)
{
	struct lines stock_lines, ours_lines;
	struct walk walk = {
		.name = name,
		.stock = &stock_lines,
		.ours = &ours_lines,
		.comparison = comparison,
	};

	split(&stock->transcript, &stock_lines);
	split(&ours->transcript, &ours_lines);
	add_end(stock, &stock_lines);
	add_end(ours, &ours_lines);
	compare_lines(&walk);
	if (walk.ndifferent) {
		comparison->verdict = VERDICT_DIFFERENT;
	} else if (stock->ending == ENDED_SKIPPED) {
		comparison->verdict = VERDICT_SKIPPED;
		take_reason(stock, comparison);
	} else if (stock->ending != ENDED_WELL) {
		comparison->verdict = VERDICT_NOT_RUN;
		take_reason(stock, comparison);
		text_add(&comparison->excerpt, "%s",
			 text_chars(&stock->transcript));
	} else {
		comparison->verdict = comparison->nintended ? VERDICT_INTENDED :
							      VERDICT_SAME;
	}
	free_lines(&stock_lines);
	free_lines(&ours_lines);
}

static bool occurred(const struct difference *difference,
		     const struct comparison *comparison)
{
	unsigned int i;

	for (i = 0; i < comparison->nintended; i++)
		if (comparison->intended[i] == difference)
			return true;
	return false;
}

void find_absent(const char *name, struct comparison *comparison)
{
	unsigned int i;

	if (comparison->verdict != VERDICT_SAME && comparison->verdict != VERDICT_INTENDED)
		return;
	for (i = 0; i < ndifferences; i++)
		if (!differences[i].sometimes &&
		    difference_expected(&differences[i], name) &&
		    !occurred(&differences[i], comparison) &&
		    comparison->nabsent < MAX_INTENDED)
			comparison->absent[comparison->nabsent++] =
				&differences[i];
	if (comparison->nabsent)
		comparison->verdict = VERDICT_DIFFERENT;
}

void find_causes(const struct comparison *comparison, const struct outcome *stock,
		 bool *is_cause, size_t nops)
{
	const struct difference *difference = comparison->divergence;
	struct lines lines;
	size_t i;

	split(&stock->transcript, &lines);
	for (i = 0; i < nops; i++)
		is_cause[i] = difference->divergence == DIVERGES_BEFORE ?
			      i < comparison->diverges_at && i < lines.ncalls &&
			      difference_comes_after(difference, lines.line[i]) :
			      i == comparison->diverges_at;
	free_lines(&lines);
}

void judge_outcome(const struct outcome *ours, struct comparison *comparison)
{
	bool failed = strstr(text_chars(&ours->transcript), EXPECT_FAILED);

	if (ours->ending == ENDED_SKIPPED) {
		comparison->verdict = VERDICT_SKIPPED;
		take_reason(ours, comparison);
		return;
	}
	comparison->verdict = ours->ending == ENDED_WELL && !failed ?
			      VERDICT_SAME : VERDICT_DIFFERENT;
	if (comparison->verdict == VERDICT_DIFFERENT)
		text_add(&comparison->excerpt, "%s  %s\n",
			 text_chars(&ours->transcript), outcome_name(ours));
}

void comparisons_free(struct comparison *comparisons, size_t ncomparisons)
{
	size_t i;

	for (i = 0; i < ncomparisons; i++)
		text_free(&comparisons[i].excerpt);
	free(comparisons);
}
