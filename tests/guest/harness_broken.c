// SPDX-License-Identifier: GPL-2.0-only
/*
 * harness_broken.c - tests that do what no test may: each has to fail (see tests/vm/selftest)
 *
 * The module in tests/kmod/harness/ does what a program cannot do wrong itself.
 */
#define _GNU_SOURCE
#include "lib.h"

#include <signal.h>
#include <sys/syscall.h>

#define ACTION	"/sys/module/vfio_ioas_harness_test/parameters/action"

static void act(const char *action)
{
	require_eq(write_text(ACTION, action), 0);
}

static void check_that_fails_is_noticed(void)
{
	check_eq(1 + 1, 3);
}

static void failing_check_of_a_child_is_noticed(void)
{
	if (fork() == 0) {
		check_true(false);
		_exit(0);
	}
	wait(NULL);
}

static void crash_is_noticed(void)
{
	abort();
}

static void exit_before_the_end_is_noticed(void)
{
	_exit(1);
}

static void hang_is_noticed(void)
{
	for (;;)
		pause();
}

static void child_that_stays_is_killed(void)
{
	fflush(stdout);
	if (fork() == 0)
		for (;;)
			pause();
	/* Only the exit of the test itself counts, and that succeeds. */
}

static void leaked_pin_is_noticed(void)
{
	act("leak-pin");
}

static void leaked_reference_is_noticed(void)
{
	act("leak-reference");
}

static void leaked_charge_is_noticed(void)
{
	act("leak-charge");
}

static void locked_memory_is_noticed(void)
{
	static uint8_t page[PAGE] __attribute__((aligned(PAGE)));

	require_eq(or_errno(mlock(page, PAGE)), 0);
}

static void warning_is_noticed(void)
{
	act("warn");
}

static void complaint_is_noticed(void)
{
	act("complain");
}

static void complaint_of_another_name_is_noticed(void)
{
	expect_in_log("something else");
	act("complain");
}

static void complaint_that_is_expected_is_none(void)
{
	expect_in_log("something is wrong");
	act("complain");
}

static void warning_elsewhere_than_expected_is_noticed(void)
{
	expect_warning_in("tell_users");
	act("warn");
}

static void second_warning_is_noticed(void)
{
	expect_warning_in("warn");
	act("warn");
	act("warn");
}

static void warning_that_does_not_come_is_noticed(void)
{
	expect_warning_in("warn");
}

static void warning_that_is_expected_is_none(void)
{
	expect_warning_in("warn");
	act("warn");
}

static void fault_without_dma_is_noticed(void)
{
	/* A line like DMAR's: at level 3, from the kernel. */
	act("dma-fault");
}

static void runner_that_dies_is_noticed(void)
{
	kill(getppid(), SIGKILL);
	pause();
}

/* Tests whose names end in "none" or "killed" pass. */
static const struct test tests[] = {
	TEST(check_that_fails_is_noticed, 0),
	TEST(failing_check_of_a_child_is_noticed, 0),
	TEST(crash_is_noticed, 0),
	TEST(exit_before_the_end_is_noticed, 0),
	TEST(hang_is_noticed, 0),
	TEST(child_that_stays_is_killed, 0),
	TEST(leaked_pin_is_noticed, 0),
	TEST(leaked_reference_is_noticed, 0),
	TEST(leaked_charge_is_noticed, 0),
	TEST(locked_memory_is_noticed, 0),
	TEST(warning_is_noticed, 0),
	TEST(complaint_is_noticed, 0),
	TEST(complaint_of_another_name_is_noticed, 0),
	TEST(complaint_that_is_expected_is_none, 0),
	TEST(warning_elsewhere_than_expected_is_noticed, 0),
	TEST(second_warning_is_noticed, 0),
	TEST(warning_that_does_not_come_is_noticed, 0),
	TEST(warning_that_is_expected_is_none, 0),
	TEST(fault_without_dma_is_noticed, 0),
	TEST(runner_that_dies_is_noticed, 0),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
