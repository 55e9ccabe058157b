/* SPDX-License-Identifier: GPL-2.0-only */
/* table.h - the table of status and top: a row for each IOAS, in columns */
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
	COLUMN_CHANGE,		/* of mapped memory, bytes/s: top only */
	COLUMN_PINNED,
	COLUMN_CHARGED,
	COLUMN_AREAS,
	COLUMN_RUNS,
	COLUMN_AVERAGE,		/* bytes in a run */
	COLUMN_PINS,		/* by in-kernel users */
	COLUMN_CONTEXT,
	COLUMN_VM,
	COLUMN_DEVICES,
	COLUMN_COMMAND,
	NCOLUMNS,
};

/* The columns, and the form of their cells. */
struct layout {
	enum column column[NCOLUMNS];
	unsigned int ncolumns;
	bool with_change;	/* COLUMN_CHANGE is available */
	bool for_scripts;	/* no headings, a tab between cells */
	bool exact;		/* sizes in bytes */
};

struct row {
	const struct item *context;
	const struct item *ioas;	/* NULL: the context has none */
	unsigned int ngroups;		/* attached to the IOAS */
	double change;			/* of mapped memory, in bytes/s */
	char *vm;			/* name of the VM, or NULL */
	char *command;			/* command line, or NULL */
};

struct rows {
	struct row *row;
	unsigned int nrows;
};

void rows_make(struct rows *rows, const struct insight *insight, const struct filter *filter);
/* Fills the columns VM and COMMAND, which are empty otherwise. */
void rows_find_commands(struct rows *rows);
void rows_free(struct rows *rows);
/* Sorts by a column: the largest number, or the first word, on top. reverse: the opposite order. */
void rows_sort(struct rows *rows, const struct insight *insight, enum column column,
	       bool reverse);
/* Does any context match? True if the filter asks for nothing. */
bool filter_finds(const struct filter *filter, const struct insight *insight);
bool filter_has_context(const struct filter *filter, const struct insight *insight,
			const struct item *context);

/* The default columns, at most 80 characters wide. */
struct layout layout_of_status(void);
struct layout layout_of_top(void);
/* Parses "pid,mapped" or "all". Returns 0, or prints the error and returns the exit status. */
int layout_parse(struct layout *layout, const char *names, const char *subcommand);
bool layout_has(const struct layout *layout, enum column column);
/* The column that --sort names; NCOLUMNS, after an error message, if there is none. */
enum column column_of_option(const struct layout *layout, const char *name,
			     const char *subcommand);
const char *column_name(enum column column);

/* Add a line without its newline. */
void table_add_head(struct text *line, const struct layout *layout);
void table_add_row(struct text *line, const struct insight *insight, const struct row *row,
		   const struct layout *layout);

/* "1.5M"; and the average size of a run, 0 if there is no run. */
const char *size_text(double nbytes);
uint64_t average_run(const struct item *ioas);

/* The name of the VM that a process runs, to be freed; NULL if it runs none. */
char *vm_name_of(pid_t pid, char **command);

/*
 * Number of containers that a process has open beyond its contexts of ours: the kernel's, or those
 * without a backend yet. Only descriptors can be counted, and several may belong to one container.
 */
unsigned int holder_nothers(const struct holder *holder, const struct insight *insight);

#endif
