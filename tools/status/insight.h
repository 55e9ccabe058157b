/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * insight.h - the module's file "status" in debugfs, as vfio_ioas(4) describes it
 *
 * Each line is an item: its kind, then words key=value. Items of unknown kinds, and unknown keys,
 * are kept and ignored.
 */
#ifndef TOOLS_INSIGHT_H
#define TOOLS_INSIGHT_H

#include "lib/common.h"

#define INSIGHT_FILE	"/sys/kernel/debug/vfio_ioas/status"
#define MAX_WORDS	16

struct word {
	const char *key;
	const char *value;	/* "" if the word has no "=" */
};

struct item {
	const char *kind;
	unsigned int nwords;
	struct word words[MAX_WORDS];
	/* A context's own id, or the context of a part; and the IOAS of a part. */
	uint64_t context;
	uint64_t ioas;
	bool is_repeated;	/* a context with the id of an earlier one */
};

/* A list of items of the insight. */
struct items {
	const struct item *const *item;
	unsigned int nitems;
};

/* Selects contexts, and IOASs if a context has several. */
struct filter {
	bool by_pid;
	uint64_t pid;
	bool by_group;
	uint64_t group;
	const char *device;	/* NULL: any */
};

struct insight {
	char *text;		/* all strings below point into it */
	struct item *items;
	unsigned int nitems;
	/* All items but contexts, by context, kind, IOAS, and order in the file. */
	const struct item **parts;
	unsigned int nparts;
	/* Process ids of containers, one for each container, ascending. */
	uint64_t *pids;
	unsigned int npids;
	/* Number of lines left out because there are too many; and the context that lacks most. */
	uint64_t nmissing;
	uint64_t nmissing_of_context;
	uint64_t context_that_lacks;
	uint64_t nmissing_contexts;	/* number of contexts among them */
};

/*
 * Reads the file; from: another file, or NULL. Contexts that the filter does not match are not
 * kept, so that there is room for the others. If the file cannot be read or is no such file, prints
 * why on stderr and returns false.
 */
bool insight_read(struct insight *insight, const char *from, const struct filter *filter);
void insight_free(struct insight *insight);

/* Return NULL, or 0, if the item has no such key. */
const char *item_text(const struct item *item, const char *key);
uint64_t item_number(const struct item *item, const char *key);
bool item_is(const struct item *item, const char *kind);
/* The module could not examine the object when the file was read. */
bool item_is_busy(const struct item *item);

/* The parts of a context of one kind; and those of one IOAS. */
struct items insight_parts(const struct insight *insight, const struct item *context,
			   const char *kind);
struct items insight_parts_in(const struct insight *insight, const struct item *ioas,
			      const char *kind);
/* Number of containers of ours that a process has made. */
unsigned int insight_ncontainers(const struct insight *insight, pid_t pid);

/* Does the filter ask for this group, or this device of a kernel driver? */
bool filter_has_item(const struct filter *filter, const struct item *item);
/* Is the word in the comma-separated list? */
bool list_has(const char *list, const char *word);

/* Restores a program's name from its escaped form in the file. */
void unescape(const char *escaped, char *name, size_t nbytes);

#endif
