// SPDX-License-Identifier: GPL-2.0-only
/*
 * minimize.c - removes operations while the rest still differs
 *
 * A change of backend may reload a module. So all attempts of a round run on one backend, then all
 * on the other.
 */
#include "minimize.h"

#include "lib/allocate.h"
#include "lib/text.h"
#include "report.h"

/* Copies a sequence without the marked chunks. */
static void without_chunks(const struct sequence *from, size_t chunk,
			   const bool *left_out, struct sequence *to)
{
	size_t i;

	to->nops = 0;
	for (i = 0; i < from->nops; i++)
		if (!left_out[i / chunk])
			sequence_add(to, &from->ops[i]);
}

/* Tells which attempts still differ. */
static bool try_all(compare_fn *compare, const struct sequence *attempts, size_t nattempts,
		    bool *differs)
{
	struct comparison *comparisons = allocate(nattempts, sizeof(*comparisons));
	bool well = compare("random", attempts, nattempts, comparisons, NULL);
	size_t i;

	for (i = 0; i < nattempts; i++)
		differs[i] = well &&
			     comparisons[i].verdict == VERDICT_DIFFERENT;
	comparisons_free(comparisons, nattempts);
	return well;
}

static void free_attempts(struct sequence *attempts, size_t nattempts)
{
	size_t i;

	for (i = 0; i < nattempts; i++)
		sequence_free(&attempts[i]);
	free(attempts);
}

/* First, leaves out each chunk alone ... */
static void find_removable(compare_fn *compare, const struct sequence *sequence, size_t chunk,
			   size_t nchunks, bool *removable)
{
	struct sequence *attempts = allocate(nchunks, sizeof(*attempts));
	bool *left_out = allocate(nchunks, sizeof(*left_out));
	size_t i;

	for (i = 0; i < nchunks; i++) {
		left_out[i] = true;
		without_chunks(sequence, chunk, left_out, &attempts[i]);
		left_out[i] = false;
	}
	try_all(compare, attempts, nchunks, removable);
	free_attempts(attempts, nchunks);
	free(left_out);
}

/* ... then as many of the removable ones as possible, from the end. */
static bool leave_out(compare_fn *compare, struct sequence *sequence, size_t chunk, size_t nchunks,
		      const bool *removable)
{
	struct sequence *attempts = allocate(nchunks, sizeof(*attempts));
	bool *left_out = allocate(nchunks, sizeof(*left_out));
	bool *differs = allocate(nchunks, sizeof(*differs));
	size_t nattempts = 0;
	size_t i;

	for (i = nchunks; i-- > 0;) {
		if (!removable[i])
			continue;
		left_out[i] = true;
		without_chunks(sequence, chunk, left_out, &attempts[nattempts++]);
	}
	try_all(compare, attempts, nattempts, differs);
	for (i = nattempts; i-- > 0;) {
		if (!differs[i])
			continue;
		sequence_copy(sequence, &attempts[i]);
		break;
	}
	free_attempts(attempts, nchunks);
	free(left_out);
	free(differs);
	return i != SIZE_MAX && nattempts;
}

static bool round_of(compare_fn *compare, struct sequence *sequence, size_t chunk)
{
	size_t nchunks = (sequence->nops + chunk - 1) / chunk;
	bool *removable = allocate(nchunks, sizeof(*removable));
	bool shorter;

	find_removable(compare, sequence, chunk, nchunks, removable);
	shorter = leave_out(compare, sequence, chunk, nchunks, removable);
	free(removable);
	return shorter;
}

void minimize(struct sequence *sequence, compare_fn *compare)
{
	size_t chunk = sequence->nops / 2;

	while (chunk && sequence->nops > 1 && !interrupted) {
		progress("minimizing: %zu operations", sequence->nops);
		if (!round_of(compare, sequence, chunk) || chunk > sequence->nops)
			chunk /= 2;
	}
}
