// SPDX-License-Identifier: GPL-2.0-only
/*
 * child.c - runs each case in a process group of its own
 *
 * The whole group is killed and reaped at the end, so that its groups and containers are closed
 * when the next run opens them.
 */
#define _GNU_SOURCE
#include "child.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "compare/op/transcript.h"

volatile int interrupted;

static void note_interrupt(int signal)
{
	interrupted = signal;
}

void catch_interrupts(void)
{
	struct sigaction action = { .sa_handler = note_interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	/* Orphans of a case become our children, so that we see them end. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void become_child(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	setpgid(0, 0);
	/* If the run takes too much memory, the OOM killer picks it first. */
	write_line("/proc/self/oom_score_adj", "1000");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* False if time is over, or the user has interrupted the program. */
static bool wait_for(pid_t pid, unsigned int nseconds)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poll_for = { .fd = pidfd, .events = POLLIN };
	int nready = poll(&poll_for, 1, (int)nseconds * 1000);

	close(pidfd);
	return nready > 0;
}

static enum ending ending_of(int status)
{
	if (!WIFEXITED(status))
		return ENDED_BADLY;
	switch (WEXITSTATUS(status)) {
	case 0:
		return ENDED_WELL;
	case EXIT_SKIPPED:
		return ENDED_SKIPPED;
	case EXIT_NOT_RUN:
		return ENDED_GIVING_UP;
	default:
		return ENDED_BADLY;
	}
}

void child_run(void (*function)(void *argument), void *argument,
	       unsigned int nseconds, struct outcome *outcome)
{
	const char *lines;
	bool in_time;
	size_t nbytes;
	pid_t pid;

	transcript_clear();
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(EXIT_NOT_RUN);
	}
	if (pid == 0) {
		become_child();
		function(argument);
		_exit(0);
	}
	/* Parent and child both do this, since either may run first. */
	setpgid(pid, pid);
	in_time = wait_for(pid, nseconds);
	kill(-pid, SIGKILL);
	waitpid(pid, &outcome->status, 0);
	while (waitpid(-pid, NULL, 0) > 0)
		;
	outcome->ending = in_time ? ending_of(outcome->status) : ENDED_LATE;
	lines = transcript_lines(&nbytes);
	text_clear(&outcome->transcript);
	text_add_chars(&outcome->transcript, lines, nbytes);
	if (transcript_is_full()) {
		outcome->ending = ENDED_GIVING_UP;
		text_add(&outcome->transcript, "gave up: the transcript is too long\n");
	}
}

void outcome_free(struct outcome *outcome)
{
	text_free(&outcome->transcript);
}

const char *outcome_name(const struct outcome *outcome)
{
	static char name[48];

	switch (outcome->ending) {
	case ENDED_WELL:
		return "ended";
	case ENDED_SKIPPED:
		return "skipped";
	case ENDED_GIVING_UP:
		return "gave up";
	case ENDED_LATE:
		return "did not end in time";
	case ENDED_BADLY:
		break;
	}
	if (WIFSIGNALED(outcome->status))
		snprintf(name, sizeof(name), "killed by signal %d",
			 WTERMSIG(outcome->status));
	else
		snprintf(name, sizeof(name), "exit status %d",
			 WEXITSTATUS(outcome->status));
	return name;
}
