/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * candidates.h - the processes of the system, in the order in which they are looked at
 */
#ifndef TOOLS_CANDIDATES_H
#define TOOLS_CANDIDATES_H

#include "lib/deadline.h"

struct candidate {
	pid_t pid;
	uid_t uid;
	unsigned long ntable;		/* size of its table of descriptors */
	unsigned int rank;		/* lower ones come first */
};

struct candidates {
	struct candidate *list;
	unsigned int ncandidates;
	bool denied;		/* there is no /proc */
	bool late;		/* not all were found: there was no time */
};

void candidates_find(struct candidates *candidates, deadline_t deadline);
void candidates_free(struct candidates *candidates);

/*
 * By rank, user, and size of the table: root's come first, then those of users that own something
 * in /dev/vfio, then all others.
 */
void candidates_order(struct candidate *list, unsigned int ncandidates, const uid_t *owners,
		      unsigned int nowners);

/*
 * Looks at the candidate of that number until the deadline, or a bit longer. True if that is all
 * of it; else it is asked for again, to go on.
 */
typedef bool (*candidate_fn)(unsigned int number, deadline_t deadline, void *argument);

/* A turn: enough for all that most users have. */
#define CANDIDATES_TURN_MS	4

/*
 * Looks at all that candidates_order() has put in order, before the deadline; true if there was
 * time. Users of a rank take turns, which the clock ends, whatever it was that took the time: so
 * nobody delays others by more than a turn, be it with a crowd or with what is slow to look at.
 */
bool candidates_visit(const struct candidate *list, unsigned int ncandidates, deadline_t deadline,
		      candidate_fn look, void *argument);

/* The begin of a file, with a NUL behind; false if it cannot be read. */
bool read_head(const char *path, char *buffer, size_t nbytes);

#endif
