// SPDX-License-Identifier: GPL-2.0-only
/* Tests of children that are given up, some of which cannot be killed. */
#define _GNU_SOURCE
#include "../unit/lib_run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/errand.h"

unsigned long run_seed;

/* Imitates a child that cannot be killed: it keeps the child's files, and stays. */
static void stay(const void *unused, int output)
{
	pid_t other = fork();

	(void)unused;
	if (write(output, &other, sizeof(other)) != sizeof(other))
		_exit(1);
	for (;;)
		pause();
}

static pid_t run_and_give_up(void)
{
	struct errand errand;
	pid_t other = 0;

	ck_assert(errand_begin(&errand, stay, NULL));
	do {
		ck_assert(errand_is_ready(&errand, deadline_in(10000)));
		ck_assert_int_eq(read(errand.input, &other, sizeof(other)), sizeof(other));
	} while (!other);
	errand_give_up(&errand);
	return other;
}

START_TEST(a_child_that_is_given_up_keeps_nothing_of_ours_open)
{
	struct pollfd end;
	int ends[2][2], i;
	pid_t other, parent;

	for (i = 0; i < 2; i++)
		ck_assert_int_eq(pipe(ends[i]), 0);
	parent = fork();
	if (parent == 0) {
		dup2(ends[0][1], STDOUT_FILENO);
		dup2(ends[0][1], STDIN_FILENO);
		dup2(ends[0][1], STDERR_FILENO);
		other = run_and_give_up();
		_exit(write(ends[1][1], &other, sizeof(other)) != sizeof(other));
	}
	close(ends[0][1]);
	close(ends[1][1]);
	ck_assert_int_eq(read(ends[1][0], &other, sizeof(other)), sizeof(other));
	ck_assert_int_eq(waitpid(parent, NULL, 0), parent);
	ck_assert_int_eq(kill(other, 0), 0);
	for (i = 0; i < 2; i++) {
		end = (struct pollfd){ .fd = ends[i][0], .events = POLLIN };
		ck_assert_int_eq(poll(&end, 1, 10000), 1);
		ck_assert_int_eq(end.revents, POLLHUP);
	}
	kill(other, SIGKILL);
}
END_TEST

static void tell(const void *argument, int output)
{
	const int *number = argument;

	if (write(output, number, sizeof(*number)) != sizeof(*number))
		_exit(1);
}

START_TEST(a_child_tells_and_ends_and_none_is_left_behind)
{
	int number, i, told = 0;
	struct errand errand;

	for (number = 1; number < 100; number++) {
		ck_assert(errand_begin(&errand, tell, &number));
		ck_assert(errand_is_ready(&errand, deadline_in(10000)));
		ck_assert_int_eq(read(errand.input, &told, sizeof(told)), sizeof(told));
		ck_assert_int_eq(told, number);
		ck_assert_int_eq(read(errand.input, &told, sizeof(told)), 0);
		errand_end(&errand);
	}
	for (i = 0; waitpid(-1, NULL, 0) > 0; i++)
		;
	ck_assert_int_eq(i, 0);
}
END_TEST

static void linger(const void *unused, int output)
{
	(void)unused;
	(void)output;
	pause();
}

/* All but the last few are reaped later, when they have ended. */
START_TEST(a_program_that_runs_for_long_does_not_gather_children)
{
	unsigned int nbegun = 0, nleft = 0, i;
	struct errand errand;

	for (i = 0; i < 1000; i++) {
		if (!errand_begin(&errand, linger, NULL))
			continue;
		nbegun++;
		errand_give_up(&errand);
	}
	while (waitpid(-1, NULL, 0) > 0)
		nleft++;
	ck_assert_uint_gt(nbegun, 0);
	ck_assert_uint_le(nleft, 8);
}
END_TEST

/* An errand that waits for an errand of its own. */
static void linger_with_another(const void *unused, int output)
{
	struct errand inner;

	if (!errand_begin(&inner, linger, unused) ||
	    write(output, &inner.child, sizeof(inner.child)) != sizeof(inner.child))
		_exit(1);
	pause();
}

START_TEST(an_errand_of_one_that_is_given_up_ends_with_it)
{
	struct errand outer;
	pid_t inner;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert(errand_begin(&outer, linger_with_another, NULL));
	ck_assert(errand_read(&outer, &inner, sizeof(inner), deadline_in(10000)));
	errand_give_up(&outer);
	/* It may have been reaped already. Then the inner one is our child. */
	waitpid(outer.child, NULL, 0);
	ck_assert_int_eq(waitpid(inner, NULL, 0), inner);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("errand");
	TCase *tcase = tcase_create("errand");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_child_that_is_given_up_keeps_nothing_of_ours_open);
	tcase_add_test(tcase, a_child_tells_and_ends_and_none_is_left_behind);
	tcase_add_test(tcase, an_errand_of_one_that_is_given_up_ends_with_it);
	tcase_add_test(tcase, a_program_that_runs_for_long_does_not_gather_children);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
