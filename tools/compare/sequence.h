/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sequence.h - operations in a row, each sequence executed by a process of its own
 *
 * A file of sequences has an operation a line; the line "sequence" begins the next one, and
 * '#' a comment.
 */
#ifndef COMPARE_SEQUENCE_H
#define COMPARE_SEQUENCE_H

#include "child.h"
#include "op.h"

struct sequence {
	struct op *ops;
	size_t nops;
	size_t room;
};

void sequence_add(struct sequence *sequence, const struct op *op);
void sequence_copy(struct sequence *to, const struct sequence *from);
void sequence_free(struct sequence *sequence);

/* Adds the sequences of a file to the list; false, having said why, if that fails. */
bool sequences_read(const char *path, struct sequence **sequences,
		    size_t *nsequences);
/* The comment may have several lines. */
bool sequence_write(const char *path, const struct sequence *sequence,
		    const char *comment);

/* Executes them on a backend whose turn it is; one line of transcript an operation. */
void sequence_run(const struct sequence *sequence, enum backend backend,
		  struct outcome *outcome);

#endif
