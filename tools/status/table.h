/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.h - what status and top show: a row for each IOAS, in columns
 */
#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include "insight.h"
#include "lib/common.h"
#include "lib/text.h"
#include "system/holders.h"

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
	COLUMN_CONTEXT,
	COLUMN_VM,
	COLUMN_DEVICES,
	COLUMN_COMMAND,
	NCOLUMNS,
};

/* What is shown of a row, and how. */
struct layout {
	enum column column[NCOLUMNS];
	unsigned int ncolumns;
	bool with_change;	/* that column can be had */
	bool for_scripts;	/* no headings, one tab between cells */
	bool exact;		/* sizes in bytes */
};

struct row {
	const struct item *context;
	const struct item *ioas;	/* NULL: the context has none */
	unsigned int ngroups;		/* attached to it */
	double change;			/* mapped bytes a second */
	char *vm;			/* the name of the VM, or NULL */
	char *command;			/* the command line, or NULL */
};

struct rows {
	struct row *row;
	unsigned int nrows;
};

void rows_make(struct rows *rows, const struct insight *insight, const struct filter *filter);
/* For the columns VM and COMMAND; without it they are empty. */
void rows_find_commands(struct rows *rows);
void rows_free(struct rows *rows);
/* By a column, the largest or, of words, the first on top; reverse: the other way round. */
void rows_sort(struct rows *rows, const struct insight *insight, enum column column,
	       bool reverse);
/* Is there any such context? Where nothing is asked for, as if there were. */
bool filter_finds(const struct filter *filter, const struct insight *insight);
bool filter_has_context(const struct filter *filter, const struct insight *insight,
			const struct item *context);

/* The usual columns: not wider than 80 characters. */
struct layout layout_of_status(void);
struct layout layout_of_top(void);
/* "pid,mapped" or "all": 0, or the exit status after saying what is wrong. */
int layout_parse(struct layout *layout, const char *names, const char *subcommand);
bool layout_has(const struct layout *layout, enum column column);
/* One that --sort names; NCOLUMNS after saying that there is none of that name. */
enum column column_of_option(const struct layout *layout, const char *name,
			     const char *subcommand);
const char *column_name(enum column column);

/* A line without its end. */
void table_add_head(struct text *line, const struct layout *layout);
void table_add_row(struct text *line, const struct insight *insight, const struct row *row,
		   const struct layout *layout);

/* "1.5M"; what one run has on average, 0 without any. */
const char *size_text(double nbytes);
uint64_t average_run(const struct item *ioas);

/* The name of the VM that a process runs, to be freed; NULL if it runs none. */
char *vm_name_of(pid_t pid, char **command);

/*
 * Containers that a process has open beyond its contexts of ours: the kernel's, or of no
 * backend yet. Only the number of descriptors is known, of which several may be one's.
 */
unsigned int holder_nothers(const struct holder *holder, const struct insight *insight);

#endif
