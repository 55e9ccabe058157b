// SPDX-License-Identifier: GPL-2.0-only
/* errand.c - runs work that may block forever in a child, which can be given up */
#define _GNU_SOURCE
#include "errand.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define OUTPUT		3	/* in a child */
#define MAX_GIVEN_UP	8	/* children; limits those of a long-running program */

/* Children that were killed, but may not be dead yet. */
static pid_t given_up[MAX_GIVEN_UP];

/* Returns a free place for a child, or NULL. */
static pid_t *find_room(void)
{
	pid_t *room = NULL;
	unsigned int i;

	for (i = 0; i < MAX_GIVEN_UP; i++) {
		if (given_up[i] && waitpid(given_up[i], NULL, WNOHANG))
			given_up[i] = 0;
		if (!given_up[i])
			room = &given_up[i];
	}
	return room;
}

/* Closes the parent's files: the parent may give this child up before any exec(). */
static bool keep_output_only(int output)
{
	int null, fd;

	if (output != OUTPUT && dup2(output, OUTPUT) < 0)
		return false;
	if (close_range(OUTPUT + 1, ~0U, 0))
		return false;
	null = open("/dev/null", O_RDWR);
	for (fd = 0; fd < OUTPUT; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	if (null > OUTPUT)
		close(null);
	return true;
}

/* An errand may run one of its own and be given up meanwhile. Then both must end. */
static bool end_with(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

bool errand_begin(struct errand *errand, errand_fn run, const void *argument)
{
	pid_t self = getpid();
	int ends[2];

	errno = EAGAIN;
	if (!find_room() || pipe2(ends, O_CLOEXEC))
		return false;
	errand->child = fork();
	if (errand->child == 0) {
		if (end_with(self) && keep_output_only(ends[1]))
			run(argument, OUTPUT);
		_exit(0);
	}
	close(ends[1]);
	errand->input = ends[0];
	if (errand->child > 0)
		return true;
	close(ends[0]);
	return false;
}

bool errand_is_ready(const struct errand *errand, deadline_t deadline)
{
	struct pollfd input = { .fd = errand->input, .events = POLLIN };
	deadline_t now = deadline_in(0);
	uint64_t left = deadline > now ? deadline - now : 0;
	struct timespec timeout = { (time_t)(left / 1000000000), (long)(left % 1000000000) };

	return ppoll(&input, 1, &timeout, NULL) > 0;
}

bool errand_read(const struct errand *errand, void *data, size_t nbytes, deadline_t deadline)
{
	char *next = data;
	ssize_t nread;

	for (; nbytes; next += nread, nbytes -= (size_t)nread) {
		if (!errand_is_ready(errand, deadline))
			return false;
		nread = read(errand->input, next, nbytes);
		if (nread <= 0)
			return false;
	}
	return true;
}

void errand_end(struct errand *errand)
{
	close(errand->input);
	kill(errand->child, SIGKILL);
	waitpid(errand->child, NULL, 0);
}

/* A child that does not even die is not waited for. */
void errand_give_up(struct errand *errand)
{
	pid_t *room = find_room();

	close(errand->input);
	kill(errand->child, SIGKILL);
	if (!waitpid(errand->child, NULL, WNOHANG) && room)
		*room = errand->child;
}
