/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Common parts of the unit tests: seeds, checks in inner loops, and running a suite.
 */
#ifndef LIB_RUN_H
#define LIB_RUN_H

#include <check.h>
#include <stdlib.h>

/* The seed of the random sequence that is running; 0 if none is. */
extern unsigned long run_seed;

/* Set by tests that are no random sequence: describes the case that is running. */
extern const char *(*run_describe)(void);

/* The seed or that description, for messages. */
const char *run_where(void);

/* ck_assert() for inner loops: costs nothing while it holds; a failure tells the seed. */
#define expect(condition)							\
	do {									\
		if (!(condition))						\
			ck_abort_msg("not so: %s (%s)", #condition, run_where());	\
	} while (0)

/* Begins a random sequence, with the seed in environment variable SEED, or @seed. */
static inline unsigned long begin_random(unsigned long seed)
{
	const char *chosen = getenv("SEED");

	run_seed = chosen ? strtoul(chosen, NULL, 0) : seed;
	return run_seed;
}

/* A random number below @limit; a seed gives the same numbers in every run. */
static inline unsigned long random_below(unsigned long *seed, unsigned long limit)
{
	*seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
	return (*seed >> 33) % limit;
}

/* Runs @suite. Returns the exit code for main(): 0 if all passed, else 1. */
static inline int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int nfailed;

	srunner_run_all(runner, CK_ENV);
	nfailed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return nfailed ? 1 : 0;
}

#endif
