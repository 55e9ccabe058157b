// SPDX-License-Identifier: GPL-2.0-only
/*
 * random_run.c - runs random sequences on both backends
 *
 * A sequence is generated again from its number when it is needed, and only a hash of its
 * transcript is kept. Sequences whose hashes differ, or that did not end well, run once more, this
 * time with their text.
 */
#define _GNU_SOURCE
#include "random_run.h"

#include "compare/op/modules.h"
#include "compare_sequences.h"
#include "lib/allocate.h"
#include "lib/text.h"
#include "minimize.h"
#include "options.h"
#include "random.h"
#include "report.h"

#define MAX_MINIMIZED	5U

static uint64_t nsequences_wanted(void)
{
	return (options.iterations + options.length - 1) / options.length;
}

/* The result of a sequence on one side. */
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

	if (!compare_turn_to(backend))
		return false;
	for (i = 0; i < n && !interrupted; i++) {
		if (i % 16 == 0)
			progress("%s %llu/%llu sequences",
				 backend_modules[backend],
				 (unsigned long long)i, (unsigned long long)n);
		random_sequence(options.seed, i, options.length,
				options.without, &sequence);
		compare_run(&sequence, backend, &outcome);
		digests[i] = digest_of(&outcome);
	}
	outcome_free(&outcome);
	sequence_free(&sequence);
	return !interrupted;
}

/* Two failures are no agreement. */
static bool agree(const struct digest *stock, const struct digest *ours)
{
	return stock->well && ours->well && stock->hash == ours->hash;
}

/* Collects the sequences whose two sides differ, or that did not end on one side. */
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

/* Writes the shortest sequence that differs, and describes it. */
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

/* The name does not depend on the seed. The seed is printed at the start, and with failures. */
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

/* A difference or a bad end in the first run counts even if the second run is fine. */
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
	unsigned int nminimized = 0;
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
		if (comparison->verdict == VERDICT_DIFFERENT && nminimized++ < MAX_MINIMIZED)
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
