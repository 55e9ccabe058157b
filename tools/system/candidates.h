/* SPDX-License-Identifier: GPL-2.0-only */
/* candidates.h - the processes of the system, in the order of examination */
#ifndef TOOLS_CANDIDATES_H
#define TOOLS_CANDIDATES_H

#include "lib/deadline.h"

struct candidate {
	pid_t pid;
	uid_t uid;
	unsigned long ntable;		/* size of its table of descriptors */
	unsigned int rank;		/* lower ranks come first */
};

struct candidates {
	struct candidate *list;
	unsigned int ncandidates;
	bool denied;		/* /proc cannot be read */
	bool late;		/* time was over before all were found */
};

void candidates_find(struct candidates *candidates, deadline_t deadline);
void candidates_free(struct candidates *candidates);

/*
 * Sorts by rank, user, and size of the table of descriptors. Root's processes come first, then
 * those of users that own a node in /dev/vfio, then all others.
 */
void candidates_order(struct candidate *list, unsigned int ncandidates, const uid_t *owners,
		      unsigned int nowners);

/*
 * Examines candidate number @number until the deadline, or a bit longer. Returns true when it is
 * done. Otherwise it is called again later, to continue.
 */
typedef bool (*candidate_fn)(unsigned int number, deadline_t deadline, void *argument);

/* One turn; most users need no more. */
#define CANDIDATES_TURN_MS	4

/*
 * Examines all candidates, in the order of candidates_order(). Returns false if the deadline comes
 * first. Users of a rank take turns of limited time. So no user delays others by more than a turn,
 * neither by many processes nor by processes that are slow to examine.
 */
bool candidates_visit(const struct candidate *list, unsigned int ncandidates, deadline_t deadline,
		      candidate_fn look, void *argument);

/* Reads the start of a file, and adds a NUL; false if that fails. */
bool read_head(const char *path, char *buffer, size_t nbytes);

#endif
