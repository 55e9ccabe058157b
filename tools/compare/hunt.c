// SPDX-License-Identifier: GPL-2.0-only
/*
 * hunt.c - runs sequences on both backends
 *
 * Random sequences are made again from their number whenever they are needed, and of what
 * they did only a hash is kept; those whose hashes differ, or that did not end well, are run
 * once more for the text.
 *
 * After an intended difference the two sides can have different mappings. The sequence is then
 * run once more without the calls that led to it, as often as it takes to compare all others.
 */
#define _GNU_SOURCE
#include "hunt.h"

#include "compare/op/devices.h"
#include "compare/op/modules.h"
#include "compare/op/op_table.h"
#include "lib/text.h"
#include "minimize.h"
#include "options.h"
#include "random.h"
#include "report.h"
#include "run.h"

#define MAX_MINIMIZED	5U
#define MAX_ROUNDS	64U	/* of leaving out what led to intended differences */

/* Where a sequence runs, to be replaced in tests of the tester. */
bool (*hunt_turn_to)(enum backend backend) = turn_to;
void (*hunt_run)(const struct sequence *sequence, enum backend backend,
		 struct outcome *outcome) = sequence_run;

/* A sequence without the calls that led to an intended difference. */
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

/* An operation has one line of either transcript. */
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
		well = well && hunt_turn_to(backend);
		for (i = 0; well && i < nsequences && !interrupted; i++)
			hunt_run(&sequences[i], backend, &outcomes[backend][i]);
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

/* What the run of a rest says, besides what is known of the whole. */
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

/* True if the next round has to look at it. */
static bool is_pending(const struct comparison *comparison)
{
	return comparison->verdict == VERDICT_INTENDED && comparison->divergence;
}

/* One round: those that are pending, without what led to their difference. */
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
			 "  after leaving out what led to %u intended differences there are more\n",
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

/* --- random */

static uint64_t nsequences_wanted(void)
{
	return (options.iterations + options.length - 1) / options.length;
}

/* What is kept of one side of a sequence. */
struct digest {
	uint64_t hash;
	bool well;		/* it ran to its end */
};

static struct digest digest_of(const struct outcome *outcome)
{
	return (struct digest){
		.hash = hash_bytes(HASH_START, text_chars(&outcome->transcript),
				   outcome->transcript.nchars),
		.well = outcome->ending == ENDED_WELL,
	};
}

static bool digest_all(enum backend backend, struct digest *digests, uint64_t n)
{
	struct sequence sequence = { 0 };
	struct outcome outcome = { 0 };
	uint64_t i;

	if (!hunt_turn_to(backend))
		return false;
	for (i = 0; i < n && !interrupted; i++) {
		if (i % 16 == 0)
			progress("%s %llu/%llu sequences",
				 backend_modules[backend],
				 (unsigned long long)i, (unsigned long long)n);
		random_sequence(options.seed, i, options.length,
				options.without, &sequence);
		hunt_run(&sequence, backend, &outcome);
		digests[i] = digest_of(&outcome);
	}
	outcome_free(&outcome);
	sequence_free(&sequence);
	return !interrupted;
}

/* Two that failed are no agreement. */
static bool agree(const struct digest *stock, const struct digest *ours)
{
	return stock->well && ours->well && stock->hash == ours->hash;
}

/* Sequences of which the two sides say different things, or that one did not finish. */
static struct sequence *collect(struct digest *digests[NBACKENDS], uint64_t n,
				uint64_t **numbers, size_t *ncollected)
{
	struct sequence *sequences = allocate(n, sizeof(*sequences));
	uint64_t i;

	*numbers = allocate(n, sizeof(**numbers));
	*ncollected = 0;
	for (i = 0; i < n; i++) {
		if (agree(&digests[STOCK][i], &digests[OURS][i]))
			continue;
		random_sequence(options.seed, i, options.length,
				options.without, &sequences[*ncollected]);
		(*numbers)[(*ncollected)++] = i;
	}
	return sequences;
}

/* Writes the shortest sequence found, and tells what it does. */
static void tell_minimized(struct sequence *sequence, struct comparison *comparison)
{
	struct comparison *again = allocate(1, sizeof(*again));
	char path[512];

	minimize(sequence, compare_once);
	if (compare_once("random", sequence, 1, again, NULL) &&
	    again->verdict == VERDICT_DIFFERENT) {
		text_clear(&comparison->excerpt);
		text_add(&comparison->excerpt, "%s",
			 text_chars(&again->excerpt));
	}
	if (sequence_write(options.output, sequence, text_chars(&comparison->excerpt),
			   path, sizeof(path)))
		text_add(&comparison->excerpt, "  to see it again: --replay %s\n",
			 path);
	comparisons_free(again, 1);
}

/* The name is the same for each seed; the seed is told once, and with what failed. */
static void report_random(uint64_t number, struct comparison *comparison)
{
	char name[64];

	snprintf(name, sizeof(name), "random_sequence_%llu", (unsigned long long)number + 1);
	if (comparison->verdict == VERDICT_DIFFERENT || comparison->verdict == VERDICT_NOT_RUN)
		text_add(&comparison->excerpt,
			 "  number %llu of --seed %llu --length %u\n",
			 (unsigned long long)number + 1,
			 (unsigned long long)options.seed, options.length);
	report(name, "", comparison);
}

/* What it said, or that it did not end, counts also when the second run is all right. */
static void check_first_run(const struct digest *stock, const struct digest *ours,
			    struct comparison *comparison)
{
	if (comparison->verdict != VERDICT_SAME &&
	    (comparison->verdict != VERDICT_INTENDED || (stock->well && ours->well)))
		return;
	comparison->verdict = VERDICT_DIFFERENT;
	text_add(&comparison->excerpt, "  differed once, but not when it was run again\n");
}

static bool look_at_differences(struct digest *digests[NBACKENDS], uint64_t n)
{
	struct comparison same = { 0 };
	struct comparison *comparisons;
	struct sequence *sequences;
	unsigned int nshrunk = 0;
	uint64_t *numbers, number;
	size_t ncollected, i = 0;
	bool well;

	sequences = collect(digests, n, &numbers, &ncollected);
	comparisons = allocate(ncollected + 1, sizeof(*comparisons));
	well = compare_sequences("random", sequences, ncollected, comparisons);
	for (number = 0; well && number < n; number++) {
		struct comparison *comparison = &comparisons[i];

		if (i == ncollected || numbers[i] != number) {
			report_random(number, &same);
			continue;
		}
		if (comparison->verdict == VERDICT_DIFFERENT && nshrunk++ < MAX_MINIMIZED)
			tell_minimized(&sequences[i], comparison);
		check_first_run(&digests[STOCK][number], &digests[OURS][number], comparison);
		report_random(number, comparison);
		i++;
	}
	for (i = 0; i < ncollected; i++)
		sequence_free(&sequences[i]);
	comparisons_free(comparisons, ncollected);
	free(sequences);
	free(numbers);
	return well;
}

int run_random(void)
{
	uint64_t n = nsequences_wanted();
	struct digest *digests[NBACKENDS] = {
		allocate(n, sizeof(struct digest)), allocate(n, sizeof(struct digest))
	};
	bool well;

	report_begin();
	report_note("--seed %llu: %llu sequences of %u calls each",
		    (unsigned long long)options.seed, (unsigned long long)n,
		    options.length);
	well = digest_all(STOCK, digests[STOCK], n) && digest_all(OURS, digests[OURS], n) &&
	       look_at_differences(digests, n);
	free(digests[STOCK]);
	free(digests[OURS]);
	return well ? report_end() : EXIT_NOT_RUN;
}

/* --- replay */

/* Groups are those of the devices that were found, and not of any others. */
static bool have_devices(const struct sequence *sequence)
{
	size_t i;

	for (i = 0; i < sequence->nops; i++) {
		const struct op *op = &sequence->ops[i];

		if (!op_has_group(op) || device_present((enum group)op->arg[0]))
			continue;
		fprintf(stderr, "vfio-ioas: %s: there is no device of group %s here\n",
			options.replay, group_names[op->arg[0]]);
		return false;
	}
	return true;
}

static int replay(struct sequences *sequences)
{
	struct comparison *comparisons = allocate(sequences->nsequences, sizeof(*comparisons));
	char name[64];
	size_t i;

	if (!compare_sequences("replay", sequences->sequence, sequences->nsequences, comparisons)) {
		comparisons_free(comparisons, sequences->nsequences);
		return EXIT_NOT_RUN;
	}
	report_begin();
	for (i = 0; i < sequences->nsequences; i++) {
		snprintf(name, sizeof(name), "sequence_%zu", i + 1);
		report(name, options.replay, &comparisons[i]);
	}
	comparisons_free(comparisons, sequences->nsequences);
	return report_end();
}

int run_replay(struct sequences *sequences)
{
	size_t i;

	for (i = 0; i < sequences->nsequences; i++)
		if (!have_devices(&sequences->sequence[i]))
			return EXIT_NOT_RUN;
	return replay(sequences);
}
