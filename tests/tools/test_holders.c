// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long processes are looked at, and which come first, whatever a user does to hide others.
 */
#define _GNU_SOURCE
#include "../unit/lib_run.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../tools/candidates.h"
#include "../../tools/holders.h"

#define NCHILDREN	200
#define NFILES		240	/* in each: few enough that none of them is a long look */
#define LIMIT_MS	300

unsigned long run_seed;

static unsigned long long now_ms(void)
{
	return deadline_in(0) / 1000000;
}

/* Of files whose name is that of a container: each has to be opened. */
static void open_files(const char *path)
{
	int i;

	for (i = 0; i < NFILES; i++)
		ck_assert_int_ge(open(path, O_RDWR | O_CREAT, 0600), 0);
}

static void start_children(pid_t children[NCHILDREN])
{
	int i;

	for (i = 0; i < NCHILDREN; i++) {
		children[i] = fork();
		ck_assert_int_ge(children[i], 0);
		if (children[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
}

static void end_children(const pid_t children[NCHILDREN])
{
	int i;

	for (i = 0; i < NCHILDREN; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
}

START_TEST(many_processes_with_few_descriptors_take_no_longer_than_the_limit)
{
	char dir[] = "/tmp/holders-XXXXXX", path[PATH_MAX];
	pid_t children[NCHILDREN];
	unsigned long long before;
	struct holders holders;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/vfio", dir);
	open_files(path);
	start_children(children);
	before = now_ms();
	holders_find_within(&holders, LIMIT_MS);
	before = now_ms() - before;
	end_children(children);
	unlink(path);
	rmdir(dir);
	ck_assert(holders.late);
	ck_assert_uint_lt(before, 3 * LIMIT_MS);
	holders_free(&holders);
}
END_TEST

START_TEST(without_time_no_process_is_looked_at_and_that_is_said)
{
	struct candidates candidates;
	struct holders holders;

	candidates_find(&candidates, deadline_in(0));
	ck_assert(candidates.late);
	ck_assert_uint_eq(candidates.ncandidates, 0);
	candidates_free(&candidates);
	holders_find_within(&holders, 0);
	ck_assert(holders.late);
	ck_assert(!holders_are_all(&holders));
	holders_free(&holders);
}
END_TEST

/* As /proc says it. */
START_TEST(a_process_is_found_with_its_user_and_the_size_of_its_table)
{
	struct candidates candidates;
	unsigned int i;

	candidates_find(&candidates, deadline_in(60000));
	ck_assert(!candidates.late && !candidates.denied);
	for (i = 0; i < candidates.ncandidates; i++)
		if (candidates.list[i].pid == getpid())
			break;
	ck_assert_uint_lt(i, candidates.ncandidates);
	ck_assert_uint_eq(candidates.list[i].uid, getuid());
	ck_assert_uint_ge(candidates.list[i].ntable, 3);
	candidates_free(&candidates);
}
END_TEST

#define CROWD		1000
#define CROWD_USER	1000
#define OTHER_USER	1001
#define OWNER		64055

static unsigned int place_of(const struct candidate *list, unsigned int n, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < n && list[i].pid != pid; i++)
		;
	return i;
}

/* The crowd's processes have smaller tables than all others, and lower numbers. */
START_TEST(a_crowd_of_one_user_comes_behind_all_others)
{
	struct candidate list[CROWD + 3] = { 0 };
	const uid_t owners[] = { OWNER };
	pid_t pid;

	for (pid = 1; pid <= CROWD; pid++)
		list[pid - 1] = (struct candidate){ pid, CROWD_USER, 64, 0, 0 };
	list[CROWD] = (struct candidate){ CROWD + 1, OTHER_USER, 512, 0, 0 };
	list[CROWD + 1] = (struct candidate){ CROWD + 2, OWNER, 65536, 0, 0 };
	list[CROWD + 2] = (struct candidate){ CROWD + 3, 0, 1 << 20, 0, 0 };
	candidates_order(list, CROWD + 3, owners, 1);
	ck_assert_uint_eq(place_of(list, CROWD + 3, CROWD + 3), 0);
	ck_assert_uint_eq(place_of(list, CROWD + 3, CROWD + 2), 1);
	/* By then the crowd has had as many descriptors as it, and no more. */
	ck_assert_uint_lt(place_of(list, CROWD + 3, CROWD + 1), 10);
	candidates_order(list, 0, NULL, 0);
}
END_TEST

START_TEST(a_large_table_delays_its_own_user_alone)
{
	struct candidate list[] = {
		{ 1, CROWD_USER, 1 << 20, 0, 0 },
		{ 2, OTHER_USER, 64, 0, 0 },
		{ 3, OTHER_USER, 1 << 10, 0, 0 },
		{ 4, CROWD_USER, 64, 0, 0 },
	};

	candidates_order(list, 4, NULL, 0);
	ck_assert_uint_eq(place_of(list, 4, 4), 0);
	ck_assert_uint_eq(place_of(list, 4, 2), 1);
	ck_assert_uint_eq(place_of(list, 4, 3), 2);
	ck_assert_uint_eq(place_of(list, 4, 1), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("holders");
	TCase *tcase = tcase_create("holders");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase,
		       many_processes_with_few_descriptors_take_no_longer_than_the_limit);
	tcase_add_test(tcase, without_time_no_process_is_looked_at_and_that_is_said);
	tcase_add_test(tcase, a_process_is_found_with_its_user_and_the_size_of_its_table);
	tcase_add_test(tcase, a_crowd_of_one_user_comes_behind_all_others);
	tcase_add_test(tcase, a_large_table_delays_its_own_user_alone);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
