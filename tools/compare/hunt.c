// SPDX-License-Identifier: GPL-2.0-only
/*
 * hunt.c - runs sequences on both backends
 *
 * Random sequences are made again from their number whenever they are needed, and of what
 * they did only a hash is kept; those whose hashes differ are run once more for the text.
 */
#include "hunt.h"

#include "modules.h"
#include "options.h"
#include "random.h"
#include "report.h"
#include "run.h"

#define MAX_SHRUNK	5U

bool compare_sequences(const char *name, const struct sequence *sequences,
		       size_t nsequences, struct comparison *comparisons)
{
	struct outcome *outcomes[NBACKENDS];
	enum backend backend;
	bool well = true;
	size_t i;

	if (!nsequences)
		return true;
	for (backend = 0; backend < NBACKENDS; backend++) {
		outcomes[backend] = calloc(nsequences, sizeof(**outcomes));
		well = well && turn_to(backend);
		for (i = 0; well && i < nsequences && !interrupted; i++)
			sequence_run(&sequences[i], backend,
				     &outcomes[backend][i]);
		well = well && !interrupted;
	}
	for (i = 0; i < nsequences; i++) {
		comparisons[i] = (struct comparison){ 0 };
		if (well)
			compare_outcomes(name, &outcomes[STOCK][i],
					 &outcomes[OURS][i], &comparisons[i]);
		outcome_free(&outcomes[STOCK][i]);
		outcome_free(&outcomes[OURS][i]);
	}
	free(outcomes[STOCK]);
	free(outcomes[OURS]);
	return well;
}

void comparisons_free(struct comparison *comparisons, size_t ncomparisons)
{
	size_t i;

	for (i = 0; i < ncomparisons; i++)
		text_free(&comparisons[i].excerpt);
	free(comparisons);
}

/* --- random */

static uint64_t nsequences_wanted(void)
{
	return (options.iterations + options.length - 1) / options.length;
}

static uint64_t hash_of(const struct outcome *outcome)
{
	uint64_t hash = hash_bytes(HASH_START, outcome->transcript.chars,
				   outcome->transcript.nchars);

	return hash_bytes(hash, &outcome->ending, sizeof(outcome->ending));
}

static bool hash_all(enum backend backend, uint64_t *hashes, uint64_t n)
{
	struct sequence sequence = { 0 };
	struct outcome outcome = { 0 };
	uint64_t i;

	if (!turn_to(backend))
		return false;
	for (i = 0; i < n && !interrupted; i++) {
		if (i % 16 == 0)
			progress("%s %llu/%llu sequences",
				 backend_modules[backend],
				 (unsigned long long)i, (unsigned long long)n);
		random_sequence(options.seed, i, options.length,
				options.without, &sequence);
		sequence_run(&sequence, backend, &outcome);
		hashes[i] = hash_of(&outcome);
	}
	outcome_free(&outcome);
	sequence_free(&sequence);
	return !interrupted;
}

/* Sequences whose hashes differ. */
static struct sequence *collect(uint64_t *hashes[NBACKENDS], uint64_t n,
				uint64_t **numbers, size_t *ncollected)
{
	struct sequence *sequences = calloc(n, sizeof(*sequences));
	uint64_t i;

	*numbers = calloc(n, sizeof(**numbers));
	*ncollected = 0;
	for (i = 0; i < n; i++) {
		if (hashes[STOCK][i] == hashes[OURS][i])
			continue;
		random_sequence(options.seed, i, options.length,
				options.without, &sequences[*ncollected]);
		(*numbers)[(*ncollected)++] = i;
	}
	return sequences;
}

/* Writes the shortest sequence found, and tells what it does. */
static void tell_shrunk(struct sequence *sequence, unsigned int ntold,
			struct comparison *comparison)
{
	struct comparison *again = calloc(1, sizeof(*again));
	char path[512];

	shrink(sequence);
	snprintf(path, sizeof(path), ntold ? "%s.%u" : "%s", options.output,
		 ntold + 1);
	if (compare_sequences("random", sequence, 1, again) &&
	    again->verdict == VERDICT_DIFFERENT) {
		text_clear(&comparison->excerpt);
		text_add(&comparison->excerpt, "%s",
			 text_chars(&again->excerpt));
	}
	if (sequence_write(path, sequence, text_chars(&comparison->excerpt)))
		text_add(&comparison->excerpt, "  to see it again: --replay %s\n",
			 path);
	comparisons_free(again, 1);
}

static void report_random(uint64_t number, struct comparison *comparison)
{
	char name[64];

	snprintf(name, sizeof(name), "random_%llu_of_seed_%llu",
		 (unsigned long long)number,
		 (unsigned long long)options.seed);
	/* The hashes did differ. */
	if (comparison->verdict == VERDICT_SAME) {
		comparison->verdict = VERDICT_DIFFERENT;
		text_add(&comparison->excerpt,
			 "  differed once, but not when it was run again\n");
	}
	report(name, "", comparison);
}

static bool look_at_differences(uint64_t *hashes[NBACKENDS], uint64_t n,
				size_t *ndifferent)
{
	struct comparison *comparisons;
	struct sequence *sequences;
	unsigned int nshrunk = 0;
	uint64_t *numbers;
	bool well;
	size_t i;

	sequences = collect(hashes, n, &numbers, ndifferent);
	comparisons = calloc(*ndifferent + 1, sizeof(*comparisons));
	well = compare_sequences("random", sequences, *ndifferent, comparisons);
	for (i = 0; well && i < *ndifferent; i++) {
		if (comparisons[i].verdict == VERDICT_DIFFERENT &&
		    nshrunk < MAX_SHRUNK)
			tell_shrunk(&sequences[i], nshrunk++, &comparisons[i]);
		report_random(numbers[i], &comparisons[i]);
	}
	for (i = 0; i < *ndifferent; i++)
		sequence_free(&sequences[i]);
	comparisons_free(comparisons, *ndifferent);
	free(sequences);
	free(numbers);
	return well;
}

int run_random(void)
{
	uint64_t n = nsequences_wanted();
	uint64_t *hashes[NBACKENDS] = {
		calloc(n, sizeof(uint64_t)), calloc(n, sizeof(uint64_t))
	};
	struct comparison same = { 0 };
	size_t ndifferent;
	char name[96];

	if (!hash_all(STOCK, hashes[STOCK], n) ||
	    !hash_all(OURS, hashes[OURS], n))
		return EXIT_NOT_RUN;
	report_begin();
	report_note("seed %llu: %llu sequences of %u calls",
		    (unsigned long long)options.seed, (unsigned long long)n,
		    options.length);
	if (!look_at_differences(hashes, n, &ndifferent))
		return EXIT_NOT_RUN;
	snprintf(name, sizeof(name), "%llu_random_sequences",
		 (unsigned long long)(n - ndifferent));
	if (ndifferent < n)
		report(name, "", &same);
	free(hashes[STOCK]);
	free(hashes[OURS]);
	return report_end();
}

/* --- replay */

int run_replay(const char *path)
{
	struct comparison *comparisons;
	struct sequence *sequences = NULL;
	size_t nsequences = 0;
	char name[64];
	size_t i;

	if (!sequences_read(path, &sequences, &nsequences) || !nsequences)
		return EXIT_NOT_RUN;
	comparisons = calloc(nsequences, sizeof(*comparisons));
	if (!compare_sequences("replay", sequences, nsequences, comparisons))
		return EXIT_NOT_RUN;
	report_begin();
	for (i = 0; i < nsequences; i++) {
		snprintf(name, sizeof(name), "sequence_%zu", i + 1);
		report(name, path, &comparisons[i]);
		sequence_free(&sequences[i]);
	}
	comparisons_free(comparisons, nsequences);
	free(sequences);
	return report_end();
}
