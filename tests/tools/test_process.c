// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command lines of other processes, which may do anything to keep us from reading them.
 */
#define _GNU_SOURCE
#include "../unit/lib_run.h"

#include <sys/wait.h>
#include <unistd.h>

#include "../../tools/process.h"

#define NTIMES	200

unsigned long run_seed;

/* As one that has ended, and that nobody waits for: it has no command line. */
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
	/* That one, and at most one that was late: after it there are no more. */
	ck_assert_uint_le(nchildren, 2);
	text_free(&command);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("process");
	TCase *tcase = tcase_create("process");

	tcase_add_test(tcase, an_empty_command_line_leaves_no_child_behind);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
