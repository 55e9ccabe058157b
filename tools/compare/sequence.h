/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sequence.h - operations in a row; a process of its own executes each sequence
 *
 * A file of sequences has one operation a line. The line "sequence" begins the next sequence, and
 * '#' begins a comment.
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
 * Parses all sequences of a file's text, which may be written by anybody. If any part is bad,
 * returns no sequences and false; problem then gets the number of the line and the reason.
 * max_populated limits the memory of a sequence, in bytes; 0: no limit.
 */
bool sequences_parse(struct sequences *sequences, const char *chars, size_t nchars,
		     uint64_t max_populated, struct text *problem);
/* Reads a file, limited to the memory that this system can spare. Prints why it is refused. */
bool sequences_read(struct sequences *sequences, const char *path);
void sequences_free(struct sequences *sequences);

/*
 * Writes a new file: the name, or with .2, .3, ... behind it if it exists already. The comment may
 * have several lines. path gets the actual name.
 */
bool sequence_write(const char *name, const struct sequence *sequence,
		    const char *comment, char *path, size_t nbytes);

/* Executes the operations on a backend that has its turn. Each adds a line to the transcript. */
void sequence_run(const struct sequence *sequence, enum backend backend,
		  struct outcome *outcome);

#endif
