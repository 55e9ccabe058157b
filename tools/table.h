/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.h - what status and top show: a row for each IOAS, in columns
 */
#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include "compare/common.h"
#include "compare/text.h"
#include "holders.h"
#include "insight.h"

enum column {
	COLUMN_PID,
	COLUMN_PROGRAM,
	COLUMN_TYPE,
	COLUMN_IOAS,
	COLUMN_GROUPS,
	COLUMN_MAPPED,
	COLUMN_CHANGE,		/* of mapped bytes, a second: top only */
	COLUMN_PINNED,
	COLUMN_CHARGED,
	COLUMN_AREAS,
	COLUMN_RUNS,
	COLUMN_AVERAGE,		/* bytes a run */
	COLUMN_PINS,		/* of in-kernel users */
	NCOLUMNS,
};

struct row {
	const struct item *context;
	const struct item *ioas;	/* NULL: the context has none */
	unsigned int ngroups;		/* attached to it */
	double change;			/* mapped bytes a second */
};

struct rows {
	struct row *row;
	unsigned int nrows;
	unsigned int room;
};

void rows_make(struct rows *rows, const struct insight *insight);
void rows_free(struct rows *rows);
/* By a column, the largest or, of words, the first on top; reverse: the other way round. */
void rows_sort(struct rows *rows, enum column column, bool reverse);

/* NCOLUMNS if there is none of that name. */
enum column column_find(const char *name);
const char *column_name(enum column column);

/* A line without its end. */
void table_add_head(struct text *line, bool with_change);
void table_add_row(struct text *line, const struct row *row, bool with_change);

/* "1.5M"; what one run has on average, 0 without any. */
const char *size_text(double nbytes);
uint64_t average_run(const struct item *ioas);

/*
 * Containers that a process has open beyond its contexts of ours: the kernel's, or of no
 * backend yet. Only the number of descriptors is known, of which several may be one's.
 */
unsigned int holder_nothers(const struct holder *holder, const struct insight *insight);

#endif
