// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the time that is spent on processes, and of their order, whatever a user does to hide
 * others.
 */
#define _GNU_SOURCE
#include "../unit/lib_run.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "system/candidates.h"
#include "system/holders.h"

#define NCHILDREN	200
#define NFILES		240	/* per process: few enough to be examined quickly */
#define LIMIT_MS	300

unsigned long run_seed;

static unsigned long long now_ms(void)
{
	return deadline_in(0) / 1000000;
}

/* Opens files with the name of a container, each of which must be opened to judge it. */
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

/* Compares with /proc. */
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

/* Root's processes, those of owners, all others; the smallest tables of each user first. */
START_TEST(processes_are_looked_at_by_rank_and_by_the_size_of_their_tables)
{
	struct candidate list[] = {
		{ 1, CROWD_USER, 1 << 20, 0 },
		{ 2, OWNER, 65536, 0 },
		{ 3, CROWD_USER, 64, 0 },
		{ 4, 0, 1 << 20, 0 },
		{ 5, OTHER_USER, 64, 0 },
	};
	const uid_t owners[] = { OWNER };

	candidates_order(list, 5, owners, 1);
	ck_assert_uint_eq(place_of(list, 5, 4), 0);
	ck_assert_uint_eq(place_of(list, 5, 2), 1);
	ck_assert_uint_eq(place_of(list, 5, 3), 2);
	ck_assert_uint_eq(place_of(list, 5, 1), 3);
	ck_assert_uint_eq(place_of(list, 5, 5), 4);
	candidates_order(list, 0, NULL, 0);
}
END_TEST

/* Fake costs of examining a process, whose smallest step takes some time. */
struct costs {
	unsigned int of_crowd_ms;	/* each step of the crowd */
	unsigned int nsteps_of_other;
	unsigned int ncrowd;		/* steps spent on the crowd */
	unsigned int nother;
	uid_t *uids;
};

static void spend(unsigned int nms)
{
	deadline_t end = deadline_in(nms);

	while (!deadline_is_over(end))
		;
}

/* The crowd's processes never end. */
static bool step(unsigned int number, deadline_t deadline, void *argument)
{
	struct costs *costs = argument;

	(void)deadline;
	if (costs->uids[number] == CROWD_USER) {
		costs->ncrowd++;
		spend(costs->of_crowd_ms);
		return false;
	}
	return ++costs->nother == costs->nsteps_of_other;
}

/* Returns true if the other process was examined completely. */
static bool visit_beside_crowd(struct costs *costs, unsigned int nms)
{
	static struct candidate list[CROWD + 1];
	static uid_t uids[CROWD + 1];
	unsigned int i;

	for (i = 0; i < CROWD; i++)
		list[i] = (struct candidate){ (pid_t)i + 1, CROWD_USER, 64, 0 };
	list[CROWD] = (struct candidate){ CROWD + 1, OTHER_USER, 1 << 20, 0 };
	candidates_order(list, CROWD + 1, NULL, 0);
	for (i = 0; i <= CROWD; i++)
		uids[i] = list[i].uid;
	costs->uids = uids;
	ck_assert(!candidates_visit(list, CROWD + 1, deadline_in(nms), step, costs));
	return costs->nother >= costs->nsteps_of_other;
}

START_TEST(a_crowd_that_is_slow_to_look_at_delays_its_own_user_alone)
{
	struct costs costs = { .of_crowd_ms = CANDIDATES_TURN_MS, .nsteps_of_other = 1 };

	ck_assert(visit_beside_crowd(&costs, 500));
	costs = (struct costs){ .of_crowd_ms = 10, .nsteps_of_other = 1000 };
	ck_assert(visit_beside_crowd(&costs, 500));
	/* Time that nobody else needs goes to the crowd. */
	ck_assert_uint_gt(costs.ncrowd, 10);
}
END_TEST

/* Steps that take no time fill the crowd's turn, and then the crowd waits. */
START_TEST(a_process_that_is_not_through_goes_on_when_its_turn_comes_again)
{
	struct candidate list[] = { { 1, CROWD_USER, 64, 0 }, { 2, OTHER_USER, 64, 0 } };
	uid_t uids[] = { CROWD_USER, OTHER_USER };
	struct costs costs = { .of_crowd_ms = 1, .nsteps_of_other = UINT_MAX, .uids = uids };

	candidates_order(list, 2, NULL, 0);
	ck_assert(!candidates_visit(list, 2, deadline_in(200), step, &costs));
	ck_assert_uint_gt(costs.ncrowd, CANDIDATES_TURN_MS);
	ck_assert_uint_gt(costs.nother, CANDIDATES_TURN_MS);
}
END_TEST

/* --- files that could block us */

struct trap {
	int epoll;
	int device;
	int fd;		/* alternately the one and the other */
};

static void *wait_for_events(void *argument)
{
	const struct trap *trap = argument;
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { (uintptr_t)page, PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (page == MAP_FAILED || faults < 0 || ioctl(faults, UFFDIO_API, &api) ||
	    ioctl(faults, UFFDIO_REGISTER, &range))
		_exit(1);
	/* It writes there with the epoll file's lock held, and nobody resolves the fault. */
	epoll_wait(trap->epoll, (struct epoll_event *)page, 1, -1);
	return NULL;
}

/* Alternates between a device with the name of a container and the epoll file. */
static void set_trap(const char *path)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct trap trap = { .epoll = epoll_create1(0), .device = open(path, O_RDWR) };
	pthread_t waiter;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	trap.fd = dup(trap.device);
	if (trap.fd < 0 || epoll_ctl(trap.epoll, EPOLL_CTL_ADD, eventfd(1, 0), &event) ||
	    pthread_create(&waiter, NULL, wait_for_events, &trap))
		_exit(1);
	for (;;) {
		dup2(trap.epoll, trap.fd);
		dup2(trap.device, trap.fd);
	}
}

static void find_often(void)
{
	struct holders holders;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < 100; i++) {
		holders_find_within(&holders, 1000);
		holders_free(&holders);
	}
	_exit(0);
}

/* Does the child end within this time? */
static bool ends_within(pid_t child, unsigned int nms)
{
	deadline_t deadline = deadline_in(nms);
	struct timespec pause = { 0, 10000000 };
	int status;

	while (!deadline_is_over(deadline)) {
		if (waitpid(child, &status, WNOHANG) == child)
			return status == 0;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* Needs root, and a file system with device nodes. */
START_TEST(a_file_whose_fdinfo_waits_for_its_process_holds_up_nobody)
{
	char dir[] = "/var/tmp/holders-XXXXXX", path[PATH_MAX];
	pid_t trap, finder;
	bool in_time;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/vfio", dir);
	ck_assert_int_eq(mknod(path, S_IFCHR | 0600, makedev(1, 3)), 0);
	trap = fork();
	ck_assert_int_ge(trap, 0);
	if (trap == 0)
		set_trap(path);
	finder = fork();
	ck_assert_int_ge(finder, 0);
	if (finder == 0)
		find_often();
	in_time = ends_within(finder, 60000);
	kill(trap, SIGKILL);
	waitpid(trap, NULL, 0);
	if (!in_time) {
		kill(finder, SIGKILL);
		waitpid(finder, NULL, 0);
	}
	unlink(path);
	rmdir(dir);
	ck_assert(in_time);
}
END_TEST

#define NMOUNTS		4000

/* A process with many mounts, which opens files with the name of a container below them. */
static void be_slow_to_look_at(int ready)
{
	char dir[] = "/tmp/holders-XXXXXX", path[PATH_MAX];
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNS) || !mkdtemp(dir) || mount("none", "/", NULL, MS_REC | MS_PRIVATE,
							   NULL) ||
	    mount("tmpfs", dir, "tmpfs", 0, NULL))
		_exit(1);
	rmdir(dir);
	/* The more mounts lie above one, the longer it takes to find. Each has its own place. */
	for (i = 0; i < NMOUNTS; i++) {
		snprintf(path, sizeof(path), "%s/%u", dir, i);
		close(open(path, O_RDWR | O_CREAT, 0600));
		if (mount(path, path, NULL, MS_BIND, NULL))
			_exit(1);
	}
	snprintf(path, sizeof(path), "%s/vfio", dir);
	for (i = 0; i < NFILES; i++)
		if (open(path, O_RDWR | O_CREAT, 0600) < 0)
			_exit(1);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

START_TEST(many_mounts_do_not_use_up_the_time)
{
	struct holders holders;
	int ready[2];
	pid_t child;
	char c;

	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	if (child == 0)
		be_slow_to_look_at(ready[1]);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	holders_find_within(&holders, 2000);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ready[0]);
	ck_assert(!holders.late);
	holders_free(&holders);
}
END_TEST

/* --- a child that is given up */

static pid_t only_child(void)
{
	char path[64], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	if (file && !fgets(text, sizeof(text), file))
		text[0] = '\0';
	if (file)
		fclose(file);
	return atoi(text);
}

/* Stops the next child of this process as soon as it exists. */
static void *stop_child(void *unused)
{
	pid_t child;

	(void)unused;
	do
		child = only_child();
	while (!child);
	kill(child, SIGSTOP);
	return NULL;
}

START_TEST(a_search_that_does_not_end_is_given_up)
{
	unsigned long long before = now_ms();
	struct holders holders;
	pthread_t stopper;

	ck_assert_int_eq(pthread_create(&stopper, NULL, stop_child, NULL), 0);
	holders_find_within(&holders, 200);
	pthread_join(stopper, NULL);
	ck_assert(holders.late);
	ck_assert_uint_lt(now_ms() - before, 2000);
	holders_free(&holders);
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
	tcase_add_test(tcase, processes_are_looked_at_by_rank_and_by_the_size_of_their_tables);
	tcase_add_test(tcase, a_crowd_that_is_slow_to_look_at_delays_its_own_user_alone);
	tcase_add_test(tcase, a_process_that_is_not_through_goes_on_when_its_turn_comes_again);
	tcase_add_test(tcase, a_file_whose_fdinfo_waits_for_its_process_holds_up_nobody);
	tcase_add_test(tcase, many_mounts_do_not_use_up_the_time);
	tcase_add_test(tcase, a_search_that_does_not_end_is_given_up);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
