/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * errand.h - work that others may keep waiting without end, done by a child that is given up then
 *
 * A process that waits in the kernel for what an ordinary user holds cannot always be killed. So
 * nothing may wait for the end of such a child, and it keeps nothing of ours open: not the output
 * whose reader waits for its end, nor a lock.
 */
#ifndef TOOLS_ERRAND_H
#define TOOLS_ERRAND_H

#include "deadline.h"

struct errand {
	pid_t child;
	int input;	/* what it writes */
};

/*
 * Runs in the child, that has no other descriptors than this output, and /dev/null as the usual
 * three. The child ends when it returns.
 */
typedef void (*errand_fn)(const void *argument, int output);

/* False if there can be no child, or if too many that were given up are still there. */
bool errand_begin(struct errand *errand, errand_fn run, const void *argument);
/* Something to read, or the end, before the deadline? */
bool errand_is_ready(const struct errand *errand, deadline_t deadline);
/* All of that before the deadline? */
bool errand_read(const struct errand *errand, void *data, size_t nbytes, deadline_t deadline);
/* It has written all that it had to, and is about to end: waits for that. */
void errand_end(struct errand *errand);
/* It is killed. */
void errand_give_up(struct errand *errand);

#endif
