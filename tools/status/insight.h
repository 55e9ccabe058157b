/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * insight.h - the module's file "status" in debugfs, as vfio_ioas(4) describes it
 *
 * A line is an item: its kind, then words key=value. Kinds and keys that are not known are
 * there, and nobody asks for them.
 */
#ifndef TOOLS_INSIGHT_H
#define TOOLS_INSIGHT_H

#include "lib/common.h"

#define INSIGHT_FILE	"/sys/kernel/debug/vfio_ioas/status"
#define MAX_WORDS	16

struct word {
	const char *key;
	const char *value;	/* "" of a word without "=" */
};

struct item {
	const char *kind;
	unsigned int nwords;
	struct word words[MAX_WORDS];
	/* Of a context its id, else the context that it is a part of; and which IOAS it is in. */
	uint64_t context;
	uint64_t ioas;
	bool is_repeated;	/* a context whose id another one before has, too */
};

/* Items; they are in a list of the insight. */
struct items {
	const struct item *const *item;
	unsigned int nitems;
};

/* Which contexts, or of those with several IOASs which ones. */
struct filter {
	bool by_pid;
	uint64_t pid;
	bool by_group;
	uint64_t group;
	const char *device;	/* NULL: any */
};

struct insight {
	char *text;		/* what all of the below points into */
	struct item *items;
	unsigned int nitems;
	/* All of them but contexts, by context, kind, IOAS, and then as they come. */
	const struct item **parts;
	unsigned int nparts;
	/* Processes that have containers: one for each of those, ascending. */
	uint64_t *pids;
	unsigned int npids;
	/* Lines of the file that are left out, as there are too many; and of which context most. */
	uint64_t nmissing;
	uint64_t nmissing_of_context;
	uint64_t context_that_lacks;
	uint64_t nmissing_contexts;	/* of the lines, those of contexts */
};

/*
 * from: another file, or NULL. Of contexts that the filter does not have, nothing is kept, so that
 * others are complete. False, after saying on stderr why, if it cannot be read, or is no such file.
 */
bool insight_read(struct insight *insight, const char *from, const struct filter *filter);
void insight_free(struct insight *insight);

/* NULL, or 0, if there is no such word. */
const char *item_text(const struct item *item, const char *key);
uint64_t item_number(const struct item *item, const char *key);
bool item_is(const struct item *item, const char *kind);
/* The module could not look at it when the file was read. */
bool item_is_busy(const struct item *item);

/* The parts of a context of one kind; and those of them that are in one IOAS. */
struct items insight_parts(const struct insight *insight, const struct item *context,
			   const char *kind);
struct items insight_parts_in(const struct insight *insight, const struct item *ioas,
			      const char *kind);
/* How many containers of ours a process has made. */
unsigned int insight_ncontainers(const struct insight *insight, pid_t pid);

/* A group, or a kernel driver's device: is it what a filter by such asks for? */
bool filter_has_item(const struct filter *filter, const struct item *item);
/* Is a word one of a list with commas between? */
bool list_has(const char *list, const char *word);

/* The name of a program as it is, for the way it is written in the file. */
void unescape(const char *escaped, char *name, size_t nbytes);

#endif
