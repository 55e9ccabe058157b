// SPDX-License-Identifier: GPL-2.0-only
/*
 * compare_sequences.c - runs sequences on both backends
 *
 * After an intended difference the two sides may have different mappings. The sequence then runs
 * again without the calls that led to the difference, until all other calls are compared.
 */
#define _GNU_SOURCE
#include "compare_sequences.h"

#include "lib/allocate.h"
#include "lib/text.h"
#include "run.h"

#define MAX_ROUNDS	64U	/* each leaves out the causes of differences */

/* Tests of the tester replace these. */
bool (*compare_turn_to)(enum backend backend) = turn_to;
void (*compare_run)(const struct sequence *sequence, enum backend backend,
		    struct outcome *outcome) = sequence_run;

/* Copies a sequence without the calls that led to its intended difference. */
static void leave_out_causes(const struct comparison *comparison, const struct outcome *stock,
			     const struct sequence *sequence, struct sequence *rest)
{
	bool *is_cause = allocate(sequence->nops + 1, sizeof(*is_cause));
	size_t i;

	find_causes(comparison, stock, is_cause, sequence->nops);
	rest->nops = 0;
	for (i = 0; i < sequence->nops; i++)
		if (!is_cause[i])
			sequence_add(rest, &sequence->ops[i]);
	free(is_cause);
}

static size_t line_length(const char *line)
{
	return strcspn(line, "\n");
}

static bool says_failure(const char *line)
{
	static const char word[] = " = -";

	return memmem(line, line_length(line), word, sizeof(word) - 1);
}

static const char *next_line(const char *line)
{
	line += line_length(line);
	return *line ? line + 1 : line;
}

/* Each operation has one line in either transcript. */
static void count_lost(const struct sequence *sequence, const struct outcome *stock,
		       const struct outcome *ours, struct comparison *comparison)
{
	const char *stock_line = text_chars(&stock->transcript);
	const char *our_line = text_chars(&ours->transcript);
	size_t i;

	for (i = 0; i < sequence->nops; i++) {
		const struct op *op = &sequence->ops[i];

		if (op->kind == OP_MAP && op->succeeded && says_failure(stock_line) &&
		    says_failure(our_line) && !comparison->nlost++)
			comparison->first_lost = *op;
		stock_line = next_line(stock_line);
		our_line = next_line(our_line);
	}
}

bool compare_once(const char *name, const struct sequence *sequences, size_t nsequences,
		  struct comparison *comparisons, struct sequence *rests)
{
	struct outcome *outcomes[NBACKENDS];
	enum backend backend;
	bool well = true;
	size_t i;

	for (backend = 0; backend < NBACKENDS; backend++) {
		outcomes[backend] = allocate(nsequences, sizeof(**outcomes));
		well = well && compare_turn_to(backend);
		for (i = 0; well && i < nsequences && !interrupted; i++)
			compare_run(&sequences[i], backend, &outcomes[backend][i]);
		well = well && !interrupted;
	}
	for (i = 0; i < nsequences; i++) {
		comparisons[i] = (struct comparison){ 0 };
		if (well)
			compare_outcomes(name, &outcomes[STOCK][i],
					 &outcomes[OURS][i], &comparisons[i]);
		if (well)
			count_lost(&sequences[i], &outcomes[STOCK][i], &outcomes[OURS][i],
				   &comparisons[i]);
		if (well && rests && comparisons[i].divergence)
			leave_out_causes(&comparisons[i], &outcomes[STOCK][i],
					 &sequences[i], &rests[i]);
		outcome_free(&outcomes[STOCK][i]);
		outcome_free(&outcomes[OURS][i]);
	}
	free(outcomes[STOCK]);
	free(outcomes[OURS]);
	return well;
}

/* Merges the result of a shortened sequence into that of the whole. */
static void add_comparison(struct comparison *whole, struct comparison *rest)
{
	unsigned int i;

	for (i = 0; i < whole->nintended; i++)
		comparison_remember(rest, whole->intended[i]);
	if (rest->verdict == VERDICT_SAME)
		rest->verdict = VERDICT_INTENDED;
	rest->nlost = whole->nlost;
	rest->first_lost = whole->first_lost;
	text_free(&whole->excerpt);
	*whole = *rest;
}

/* True if the next round has to run it again. */
static bool is_pending(const struct comparison *comparison)
{
	return comparison->verdict == VERDICT_INTENDED && comparison->divergence;
}

/* One round: runs the pending sequences without the calls that led to their differences. */
static bool compare_rests(const char *name, struct sequence *sequences, size_t nsequences,
			  struct comparison *comparisons, struct sequence *rests,
			  size_t *npending)
{
	struct sequence *todo = allocate(nsequences, sizeof(*todo));
	struct sequence *left = allocate(nsequences, sizeof(*left));
	struct comparison *results = allocate(nsequences, sizeof(*results));
	size_t *index = allocate(nsequences, sizeof(*index));
	size_t ntodo = 0, i;
	bool well;

	for (i = 0; i < nsequences; i++) {
		if (!is_pending(&comparisons[i]))
			continue;
		sequence_copy(&sequences[i], &rests[i]);
		index[ntodo] = i;
		todo[ntodo++] = sequences[i];
	}
	well = compare_once(name, todo, ntodo, results, left);
	*npending = 0;
	for (i = 0; i < ntodo; i++) {
		add_comparison(&comparisons[index[i]], &results[i]);
		sequence_copy(&rests[index[i]], &left[i]);
		sequence_free(&left[i]);
		*npending += is_pending(&results[i]);
	}
	free(todo);
	free(left);
	free(results);
	free(index);
	return well;
}

static void refuse_pending(struct comparison *comparisons, size_t nsequences)
{
	size_t i;

	for (i = 0; i < nsequences; i++) {
		if (!is_pending(&comparisons[i]))
			continue;
		comparisons[i].verdict = VERDICT_DIFFERENT;
		text_add(&comparisons[i].excerpt,
			 "  more intended differences than %u runs can leave out\n",
			 MAX_ROUNDS);
	}
}

bool compare_sequences(const char *name, struct sequence *sequences,
		       size_t nsequences, struct comparison *comparisons)
{
	struct sequence *rests;
	unsigned int nrounds = 0;
	size_t npending = 0, i;
	bool well;

	if (!nsequences)
		return true;
	rests = allocate(nsequences, sizeof(*rests));
	well = compare_once(name, sequences, nsequences, comparisons, rests);
	for (i = 0; well && i < nsequences; i++)
		npending += is_pending(&comparisons[i]);
	while (well && npending && nrounds++ < MAX_ROUNDS)
		well = compare_rests(name, sequences, nsequences, comparisons, rests, &npending);
	refuse_pending(comparisons, nsequences);
	for (i = 0; i < nsequences; i++)
		sequence_free(&rests[i]);
	free(rests);
	return well;
}
