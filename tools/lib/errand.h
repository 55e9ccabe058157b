/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * errand.h - runs work that may block forever in a child, which can be given up
 *
 * A process that waits in the kernel for something that another user holds cannot always be killed.
 * So nobody may have to wait for the end of such a child. Therefore the child closes all our files:
 * our output, whose reader waits for its end, and our locks.
 */
#ifndef TOOLS_ERRAND_H
#define TOOLS_ERRAND_H

#include "deadline.h"

struct errand {
	pid_t child;
	int input;	/* the read end of its output */
};

/*
 * Runs in the child, and the child ends when it returns. The child's only descriptors are this
 * output, and /dev/null as the usual three.
 */
typedef void (*errand_fn)(const void *argument, int output);

/* False if fork() fails, or if too many children that were given up still exist. */
bool errand_begin(struct errand *errand, errand_fn run, const void *argument);
/* Is there output to read, or its end, before the deadline? */
bool errand_is_ready(const struct errand *errand, deadline_t deadline);
/* Reads nbytes; false if they do not arrive before the deadline. */
bool errand_read(const struct errand *errand, void *data, size_t nbytes, deadline_t deadline);
/* Waits for a child that has written all of its output. */
void errand_end(struct errand *errand);
/* Kills the child, and does not wait. */
void errand_give_up(struct errand *errand);

#endif
