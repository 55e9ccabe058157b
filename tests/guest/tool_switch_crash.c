// SPDX-License-Identifier: GPL-2.0-only
/*
 * tool_switch_crash.c - "vfio-ioas switch" is killed before each of its system calls that change
 * anything, and runs several times at once
 */
#define _GNU_SOURCE
#include "lib.h"
#include "lib_switch.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#define NRUNS		5

static struct untouched before;

static const unsigned int changing_calls[] = {
	SYS_write, SYS_mkdir, SYS_mkdirat, SYS_mknodat, SYS_symlinkat, SYS_linkat,
	SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_fchownat, SYS_fchmodat, SYS_chmod,
	SYS_lsetxattr, SYS_fsync, SYS_lchown, SYS_fchmod, SYS_lremovexattr,
};

#define NCALLS	ARRAY_SIZE(changing_calls)

/* Stops the process for its tracer at these calls only: it makes thousands of others. */
static int stop_at_changes(void)
{
	struct sock_filter code[NCALLS + 3];
	struct sock_fprog program = { .len = NCALLS + 3, .filter = code };
	size_t i;

	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, nr));
	for (i = 0; i < NCALLS; i++)
		code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   changing_calls[i],
							   NCALLS - i, 0);
	code[NCALLS + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[NCALLS + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void become_switch(const char *action, const char *mode)
{
	int nowhere = open("/dev/null", O_WRONLY);

	dup2(nowhere, STDOUT_FILENO);
	dup2(nowhere, STDERR_FILENO);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	/* The parent sets the options of ptrace meanwhile. */
	raise(SIGSTOP);
	if (stop_at_changes())
		_exit(126);
	if (mode)
		execlp("vfio-ioas", "vfio-ioas", "switch", action, "--mode", mode, NULL);
	else
		execlp("vfio-ioas", "vfio-ioas", "switch", action, NULL);
	_exit(127);
}

static bool is_at_change(int status)
{
	return status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
}

/*
 * Waits until a traced process stops or ends: the switch, or a child of it. A child makes no
 * changes, but without a tracer its filtered system calls would fail.
 */
static pid_t wait_for_stop(pid_t pid, int *status)
{
	pid_t stopped;

	while ((stopped = waitpid(-1, status, __WALL)) > 0 && stopped != pid)
		if (WIFSTOPPED(*status))
			ptrace(PTRACE_CONT, stopped, NULL, NULL);
	return stopped;
}

/* Kills the switch before its nth change. Returns false if it ended before that. */
static bool kill_at_change(unsigned int nth, const char *action, const char *mode)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		become_switch(action, mode);
	require_eq(waitpid(pid, &status, 0), pid);
	require_true(WIFSTOPPED(status));
	require_eq(or_errno(ptrace(PTRACE_SETOPTIONS, pid, NULL,
				   PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK)), 0);
	for (;;) {
		require_eq(or_errno(ptrace(PTRACE_CONT, pid, NULL, NULL)), 0);
		require_eq(wait_for_stop(pid, &status), pid);
		if (!WIFSTOPPED(status)) {
			require_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
			return false;
		}
		if (is_at_change(status) && nth-- == 0)
			break;
	}
	kill(pid, SIGKILL);
	require_eq(wait_for_stop(pid, &status), pid);
	return true;
}

static void need_seccomp(void)
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0))
		skip("this kernel has no seccomp, by which we stop at system calls");
}

/* Gives the node a mode that our node does not have, so that the switch must change that. */
static void restrict_node(void)
{
	require_eq(or_errno(chmod(STOCK_NODE, 0640)), 0);
}

static void unrestrict_node(void)
{
	require_eq(or_errno(chmod(STOCK_NODE, 0666)), 0);
}

static void check_our_mode(mode_t mode)
{
	struct stat ours;

	require_eq(or_errno(lstat(IOAS_NODE, &ours)), 0);
	check_eq(ours.st_mode & 07777, mode);
}

/* Any user can open the node, whichever backend serves. */
static void check_node_opens(void)
{
	int fd = open(STOCK_NODE, O_RDWR | O_CLOEXEC);

	check_true(fd >= 0);
	close(fd);
}

static void on_that_is_killed_can_be_undone_and_repeated(void)
{
	unsigned int nth;
	int i;

	need_seccomp();
	restrict_node();
	for (i = 0; i < NMODES; i++) {
		untouched_note(&before);
		for (nth = 0; kill_at_change(nth, "on", modes[i]); nth++) {
			context("%s, change %u", modes[i], nth);
			check_node_opens();
			require_eq(run_switch("off"), 0);
			check_untouched(&before);
			check_our_mode(0666);
			kill_at_change(nth, "on", modes[i]);
			check_eq(run_switch("on --mode %s", modes[i]), 0);
			check_eq(run_switch("status"), SWITCH_ON);
			require_eq(run_switch("off"), 0);
			check_untouched(&before);
		}
		diag("%s: killed before each of %u changes", modes[i], nth);
		check_true(nth >= 3);
		require_eq(run_switch("off"), 0);
		context("%s", "");
	}
	unrestrict_node();
}

static void off_that_is_killed_can_be_repeated(void)
{
	unsigned int nth;
	int i;

	need_seccomp();
	restrict_node();
	for (i = 0; i < NMODES; i++) {
		untouched_note(&before);
		require_eq(run_switch("on --mode %s", modes[i]), 0);
		for (nth = 0; kill_at_change(nth, "off", NULL); nth++) {
			context("%s, change %u", modes[i], nth);
			check_node_opens();
			check_eq(run_switch("off"), 0);
			check_untouched(&before);
			check_our_mode(0666);
			require_eq(run_switch("on --mode %s", modes[i]), 0);
		}
		diag("%s: killed before each of %u changes", modes[i], nth);
		check_true(nth >= 2);
		context("%s", "");
	}
	unrestrict_node();
}

static void change_of_way_that_is_killed_can_be_undone(void)
{
	unsigned int nth;
	int i;

	need_seccomp();
	restrict_node();
	for (i = 0; i < NMODES; i++) {
		untouched_note(&before);
		require_eq(run_switch("on --mode %s", modes[i]), 0);
		for (nth = 0; kill_at_change(nth, "on", modes[(i + 1) % NMODES]); nth++) {
			context("from %s, change %u", modes[i], nth);
			check_node_opens();
			check_eq(run_switch("off"), 0);
			check_untouched(&before);
			check_our_mode(0666);
			require_eq(run_switch("on --mode %s", modes[i]), 0);
		}
		check_true(nth >= 5);
		require_eq(run_switch("off"), 0);
		context("%s", "");
	}
	unrestrict_node();
}

static _Atomic int *stop;

static void flip(void *mode)
{
	int i;

	for (i = 0; i < NRUNS; i++) {
		check_eq(run_switch("on --force --mode %s", (const char *)mode), 0);
		check_eq(run_switch("off"), 0);
	}
}

static void keep_opening(void *unused)
{
	unsigned int ntimes = 0;

	(void)unused;
	for (; !atomic_load(stop); ntimes++)
		check_node_opens();
	check_true(ntimes > NRUNS);
}

static void several_at_once_leave_a_node_at_every_moment(void)
{
	pid_t flippers[NMODES], opener;
	int i;

	untouched_note(&before);
	stop = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	require_true(stop != MAP_FAILED);
	opener = spawn(keep_opening, NULL);
	for (i = 0; i < NMODES; i++)
		flippers[i] = spawn(flip, (void *)modes[i]);
	for (i = 0; i < NMODES; i++)
		join(flippers[i]);
	atomic_store(stop, 1);
	join(opener);
	check_untouched(&before);
}

static const struct test tests[] = {
	TEST(on_that_is_killed_can_be_undone_and_repeated, ONLY_IOAS | TAKES_LONG),
	TEST(off_that_is_killed_can_be_repeated, ONLY_IOAS | TAKES_LONG),
	TEST(change_of_way_that_is_killed_can_be_undone, ONLY_IOAS | TAKES_LONG),
	TEST(several_at_once_leave_a_node_at_every_moment, ONLY_IOAS | TAKES_LONG),
};

int main(int argc, char **argv)
{
	after_each_test = switch_clean_up;
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
