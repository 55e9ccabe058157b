// SPDX-License-Identifier: GPL-2.0-only
/*
 * diff.c - compares transcripts
 *
 * Both come from the same calls, so line belongs to line; only when one of them ends early do
 * they have different lengths.
 */
#include "diff.h"

#include "case.h"

#define MAX_BEFORE	12U	/* lines shown before the first that differs */
#define MAX_SHOWN	4U	/* lines that differ */

struct lines {
	char *copy;
	char **line;
	size_t nlines;
};

static void split(const struct text *text, struct lines *lines)
{
	size_t room = 0;
	char *rest = NULL;
	char *line;

	*lines = (struct lines){ .copy = strdup(text_chars(text)) };
	for (line = strtok_r(lines->copy, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (lines->nlines == room) {
			room = room ? 2 * room : 64;
			lines->line = realloc(lines->line,
					      room * sizeof(*lines->line));
		}
		lines->line[lines->nlines++] = line;
	}
}

static void free_lines(struct lines *lines)
{
	free(lines->copy);
	free(lines->line);
}

static void add_end(const struct outcome *outcome, struct lines *lines)
{
	if (outcome->ending == ENDED_WELL)
		return;
	lines->line = realloc(lines->line,
			      (lines->nlines + 1) * sizeof(*lines->line));
	lines->line[lines->nlines++] = strdup(outcome_name(outcome));
}

static void remember(struct comparison *comparison,
		     const struct difference *difference)
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
	struct comparison *comparison;
};

/* One pair of lines; false: nothing behind them is compared. */
static bool compare_pair(struct walk *walk, size_t at)
{
	struct comparison *comparison = walk->comparison;
	const struct difference *difference;
	const char *stock = at < walk->stock->nlines ? walk->stock->line[at] : NULL;
	const char *ours = at < walk->ours->nlines ? walk->ours->line[at] : NULL;

	if ((stock && *stock == '~') || (ours && *ours == '~')) {
		comparison->nincomparable++;
		return true;
	}
	if (stock && ours && strcmp(stock, ours) == 0) {
		if (walk->ndifferent && walk->ndifferent < MAX_SHOWN)
			text_add(&comparison->excerpt, "  %s\n", stock);
		return true;
	}
	difference = NULL;
	if (stock && ours)
		difference = difference_find(walk->name, walk->stock->line, at, ours);
	if (difference) {
		remember(comparison, difference);
		return !difference->to_the_end;
	}
	if (!walk->ndifferent)
		show_before(walk->stock->nlines > walk->ours->nlines ?
			    walk->stock : walk->ours, at, &comparison->excerpt);
	walk->ndifferent++;
	show_pair(stock, ours, &comparison->excerpt);
	return walk->ndifferent < MAX_SHOWN;
}

static void compare_lines(struct walk *walk)
{
	size_t nlines = walk->stock->nlines > walk->ours->nlines ?
			walk->stock->nlines : walk->ours->nlines;
	size_t at;

	for (at = 0; at < nlines; at++)
		if (!compare_pair(walk, at))
			break;
	if (walk->ndifferent == MAX_SHOWN && at + 1 < nlines)
		text_add(&walk->comparison->excerpt, "  ...\n");
}

/* The last line says why a process did not go on. */
static const char *last_line(const struct outcome *outcome)
{
	static char line[256];
	const char *chars = text_chars(&outcome->transcript);
	size_t nchars = outcome->transcript.nchars;
	size_t start;

	if (!nchars)
		return "";
	for (start = nchars - 1; start > 0 && chars[start - 1] != '\n'; start--)
		;
	snprintf(line, sizeof(line), "%.*s", (int)(nchars - 1 - start),
		 chars + start);
	return line;
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
		comparison->reason = strdup(last_line(stock));
	} else if (stock->ending != ENDED_WELL) {
		comparison->verdict = VERDICT_NOT_RUN;
		comparison->reason = strdup(last_line(stock));
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

	for (i = 0; i < ndifferences; i++)
		if (!differences[i].sometimes &&
		    difference_expected(&differences[i], name) &&
		    !occurred(&differences[i], comparison) &&
		    comparison->nabsent < MAX_INTENDED)
			comparison->absent[comparison->nabsent++] =
				&differences[i];
}

void judge_outcome(const struct outcome *ours, struct comparison *comparison)
{
	bool failed = strstr(text_chars(&ours->transcript), EXPECT_FAILED);

	if (ours->ending == ENDED_SKIPPED) {
		comparison->verdict = VERDICT_SKIPPED;
		comparison->reason = strdup(last_line(ours));
		return;
	}
	comparison->verdict = ours->ending == ENDED_WELL && !failed ?
			      VERDICT_SAME : VERDICT_DIFFERENT;
	if (comparison->verdict == VERDICT_DIFFERENT)
		text_add(&comparison->excerpt, "%s  %s\n",
			 text_chars(&ours->transcript), outcome_name(ours));
}
