/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * candidates.h - the processes of the system, in the order in which they are looked at
 */
#ifndef TOOLS_CANDIDATES_H
#define TOOLS_CANDIDATES_H

#include "deadline.h"

struct candidate {
	pid_t pid;
	uid_t uid;
	unsigned long ntable;		/* size of its table of descriptors */
	unsigned int rank;		/* lower ones come first */
	unsigned long long turn;	/* of those of a rank */
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
 * Root's come first, then those of users that own something in /dev/vfio, then all others. Of
 * others users take turns: one comes the later, the larger its table is and those of the same
 * user before it are. So a crowd delays nobody but its own user.
 */
void candidates_order(struct candidate *list, unsigned int ncandidates, const uid_t *owners,
		      unsigned int nowners);

/* The begin of a file, with a NUL behind; false if it cannot be read. */
bool read_head(const char *path, char *buffer, size_t nbytes);

#endif
