/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every unit test needs around its tests.
 */
#ifndef LIB_RUN_H
#define LIB_RUN_H

#include <check.h>
#include <stdlib.h>

/* Of the random sequence under way; 0: none. */
extern unsigned long run_seed;

/* Of a test that is no random sequence: says what is under way. */
extern const char *(*run_describe)(void);

/* That, or the seed. */
const char *run_where(void);

/* ck_assert() for inner loops: costs nothing where it holds, and says where it does not. */
#define expect(condition)							\
	do {									\
		if (!(condition))						\
			ck_abort_msg("not so: %s (%s)", #condition, run_where());	\
	} while (0)

/* Begins a random sequence: with @seed, or as the environment's SEED says. */
static inline unsigned long begin_random(unsigned long seed)
{
	const char *chosen = getenv("SEED");

	run_seed = chosen ? strtoul(chosen, NULL, 0) : seed;
	return run_seed;
}

/* A random number below @limit, the same in every run of a test. */
static inline unsigned long random_below(unsigned long *seed, unsigned long limit)
{
	*seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
	return (*seed >> 33) % limit;
}

/* Runs @suite. Returns what main() has to: 0 only if everything passed. */
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
