/* SPDX-License-Identifier: GPL-2.0-only */
/* child.h - runs a function in a process of its own, under a time limit */
#ifndef COMPARE_CHILD_H
#define COMPARE_CHILD_H

#include "lib/text.h"

enum ending {
	ENDED_WELL,
	ENDED_SKIPPED,
	ENDED_GIVING_UP,
	ENDED_BADLY,		/* other exit status, signal */
	ENDED_LATE,		/* killed when its time was over */
};

struct outcome {
	enum ending ending;
	int status;		/* as waitpid() tells it */
	struct text transcript;
};

/* All processes that the function made are gone when this returns. */
void child_run(void (*function)(void *argument), void *argument,
	       unsigned int nseconds, struct outcome *outcome);
void outcome_free(struct outcome *outcome);
/* "ended", "killed by signal 11", ... Valid until the next call. */
const char *outcome_name(const struct outcome *outcome);

/* True once the user wants the program to end. */
extern volatile int interrupted;
void catch_interrupts(void);

#endif
