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
#include "compare/op/backend.h"
#include "compare/op/op.h"

struct sequence {
	struct op *ops;
	size_t nops;
};

struct sequences {
	struct sequence *sequence;
	size_t nsequences;
};

void sequence_add(struct sequence *sequence, const struct op *op);
void sequence_copy(struct sequence *to, const struct sequence *from);
void sequence_free(struct sequence *sequence);

/*
 * All sequences of a file's text, which anybody may have written. False if any of it is not as it
 * should be: the reason, with the number of the line, is in problem, and there are none.
 * max_populated: how many bytes of memory a sequence may take; 0: any.
 */
bool sequences_parse(struct sequences *sequences, const char *chars, size_t nchars,
		     uint64_t max_populated, struct text *problem);
/* The same of a file, with what this system can spare; says on stderr why it is refused. */
bool sequences_read(struct sequences *sequences, const char *path);
void sequences_free(struct sequences *sequences);

/*
 * Into a new file: that of the name, or that with .2, .3, ... behind it if there is one already.
 * The comment may have several lines. The name comes back in path.
 */
bool sequence_write(const char *name, const struct sequence *sequence,
		    const char *comment, char *path, size_t nbytes);

/* Executes them on a backend whose turn it is; one line of transcript an operation. */
void sequence_run(const struct sequence *sequence, enum backend backend,
		  struct outcome *outcome);

#endif
