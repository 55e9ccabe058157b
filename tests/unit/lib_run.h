/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every unit test needs around its tests.
 */
#ifndef LIB_RUN_H
#define LIB_RUN_H

#include <check.h>

/* ck_assert() for inner loops: costs nothing where it holds. */
#define expect(condition)						\
	do {								\
		if (!(condition))					\
			ck_abort_msg("not so: %s", #condition);		\
	} while (0)

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

/* A random number below @limit, the same in every run of a test. */
static inline unsigned long random_below(unsigned long *seed, unsigned long limit)
{
	*seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
	return (*seed >> 33) % limit;
}

#endif
