/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * insight.h - the module's file "status" in debugfs, as vfio_ioas(4) describes it
 *
 * A line is an item: its kind, then words key=value. Kinds and keys that are not known are
 * there, and nobody asks for them.
 */
#ifndef TOOLS_INSIGHT_H
#define TOOLS_INSIGHT_H

#include "compare/common.h"

#define INSIGHT_FILE	"/sys/kernel/debug/vfio_ioas/status"
#define MAX_WORDS	16

struct word {
	const char *key;
	const char *value;
};

struct item {
	const char *kind;
	unsigned int nwords;
	struct word words[MAX_WORDS];
};

struct insight {
	char *text;		/* what all of the below points into */
	struct item *items;
	unsigned int nitems;
};

/* from: another file, or NULL. Says on stderr why it cannot be read. */
bool insight_read(struct insight *insight, const char *from);
void insight_free(struct insight *insight);

/* NULL, or 0, if there is no such word. */
const char *item_text(const struct item *item, const char *key);
uint64_t item_number(const struct item *item, const char *key);
bool item_is(const struct item *item, const char *kind);
/* Is it a part of this context? */
bool item_is_in(const struct item *item, const struct item *context);

/* The name of a program as it is, for the way it is written in the file. */
void unescape(const char *escaped, char *name, size_t nbytes);

#endif
