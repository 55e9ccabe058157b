// SPDX-License-Identifier: GPL-2.0-only
/* Tests of reading command lines of other processes, which may do anything to prevent it. */
#define _GNU_SOURCE
#include "../unit/lib_run.h"

#include <sys/wait.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "status/process.h"

#define NTIMES	200

unsigned long run_seed;

/* A process that has ended and was not reaped has no command line. */
START_TEST(an_empty_command_line_leaves_no_child_behind)
{
	struct text command = { 0 };
	unsigned int nchildren = 0;
	pid_t empty = fork();
	siginfo_t info;
	int i;

	ck_assert_int_ge(empty, 0);
	if (empty == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)empty, &info, WEXITED | WNOWAIT), 0);
	for (i = 0; i < NTIMES; i++)
		ck_assert(!process_command(empty, &command));
	while (waitpid(-1, NULL, 0) > 0)
		nchildren++;
	/* This child, and at most one that was late: no more are made after it. */
	ck_assert_uint_le(nchildren, 2);
	text_free(&command);
}
END_TEST

/* A process that delivers its command line slowly is not late, but uses up time all the same. */
START_TEST(what_comes_in_time_uses_up_the_time_too)
{
	struct text command = { 0 };
	uint64_t end = deadline_in(20 * PROCESS_PATIENCE_MS);
	bool given_up = false;

	process_begin();
	ck_assert(process_command(getpid(), &command));
	while (!given_up && !deadline_is_over(end))
		given_up = !process_command(getpid(), &command);
	ck_assert(given_up);
	/* No time was spent in vain, so the next picture has as much again. */
	process_begin();
	ck_assert(process_command(getpid(), &command));
	text_free(&command);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("process");
	TCase *tcase = tcase_create("process");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, an_empty_command_line_leaves_no_child_behind);
	tcase_add_test(tcase, what_comes_in_time_uses_up_the_time_too);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
