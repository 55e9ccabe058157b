// SPDX-License-Identifier: GPL-2.0-only
/*
 * table.c - rows and columns
 */
#define _GNU_SOURCE
#include "table.h"

struct heading {
	const char *name;
	int nchars;		/* negative: from the left */
	const char *key;	/* of the IOAS's item, for what is just a number in it */
	bool is_size;
};

static const struct heading headings[NCOLUMNS] = {
	[COLUMN_PID] = { "PID", 7, NULL, false },
	[COLUMN_PROGRAM] = { "PROGRAM", -15, NULL, false },
	[COLUMN_TYPE] = { "TYPE", -9, NULL, false },
	[COLUMN_IOAS] = { "IOAS", 4, "id", false },
	[COLUMN_GROUPS] = { "GROUPS", 6, NULL, false },
	[COLUMN_MAPPED] = { "MAPPED", 7, "mapped", true },
	[COLUMN_CHANGE] = { "CHANGE", 8, NULL, false },
	[COLUMN_PINNED] = { "PINNED", 7, "pinned", true },
	[COLUMN_CHARGED] = { "CHARGED", 7, "charged", true },
	[COLUMN_AREAS] = { "AREAS", 7, "areas", false },
	[COLUMN_RUNS] = { "RUNS", 7, "runs", false },
	[COLUMN_AVERAGE] = { "AVG-RUN", 7, NULL, true },
	[COLUMN_PINS] = { "PINS", 5, "pins", false },
};

const char *size_text(double nbytes)
{
	static const char units[] = "KMGTPE";
	static char text[32];
	int unit = -1;

	if (nbytes < 1024) {
		snprintf(text, sizeof(text), "%.0f", nbytes);
		return text;
	}
	/* What would be rounded to 1024.0 is 1.0 of the next. */
	while ((nbytes >= 1023.95 || unit < 0) && unit < (int)sizeof(units) - 2) {
		nbytes /= 1024;
		unit++;
	}
	snprintf(text, sizeof(text), "%.1f%c", nbytes, units[unit]);
	return text;
}

uint64_t average_run(const struct item *ioas)
{
	uint64_t nruns = item_number(ioas, "runs");

	return nruns ? item_number(ioas, "pinned") / nruns : 0;
}

/* --- rows */

static struct row *new_row(struct rows *rows)
{
	/* Of contexts with one id, which a file can have, each gets all IOASs. */
	if (rows->nrows == rows->room) {
		rows->room = rows->room ? 2 * rows->room : 64;
		rows->row = realloc(rows->row, rows->room * sizeof(*rows->row));
		if (!rows->row) {
			perror("vfio-ioas: realloc");
			exit(EXIT_NOT_RUN);
		}
	}
	return &rows->row[rows->nrows++];
}

static void add_row(struct rows *rows, const struct insight *insight,
		    const struct item *context, const struct item *ioas)
{
	struct row *row = new_row(rows);
	unsigned int i;

	*row = (struct row){ .context = context, .ioas = ioas };
	for (i = 0; ioas && i < insight->nitems; i++) {
		const struct item *item = &insight->items[i];

		if (item_is(item, "group") && item_is_in(item, context) &&
		    item_number(item, "ioas") == item_number(ioas, "id"))
			row->ngroups++;
	}
}

static void add_context(struct rows *rows, const struct insight *insight,
			const struct item *context)
{
	unsigned int nbefore = rows->nrows;
	unsigned int i;

	for (i = 0; i < insight->nitems; i++)
		if (item_is(&insight->items[i], "ioas") &&
		    item_is_in(&insight->items[i], context))
			add_row(rows, insight, context, &insight->items[i]);
	if (rows->nrows == nbefore)
		add_row(rows, insight, context, NULL);
}

void rows_make(struct rows *rows, const struct insight *insight)
{
	unsigned int i;

	*rows = (struct rows){ 0 };
	for (i = 0; i < insight->nitems; i++)
		if (item_is(&insight->items[i], "context"))
			add_context(rows, insight, &insight->items[i]);
}

void rows_free(struct rows *rows)
{
	free(rows->row);
	*rows = (struct rows){ 0 };
}

/* --- columns */

static const char *type(const struct row *row)
{
	const char *type = item_text(row->context, "type");
	const char *kind = item_text(row->context, "kind");

	return type ? type : kind ? kind : "";
}

static const char *program(const struct row *row)
{
	const char *name = item_text(row->context, "comm");

	return name ? name : "";
}

static double value(const struct row *row, enum column column)
{
	switch (column) {
	case COLUMN_PID:
		return (double)item_number(row->context, "pid");
	case COLUMN_GROUPS:
		return row->ngroups;
	case COLUMN_CHANGE:
		return row->change;
	case COLUMN_AVERAGE:
		return row->ioas ? (double)average_run(row->ioas) : 0;
	default:
		return row->ioas ? (double)item_number(row->ioas, headings[column].key) : 0;
	}
}

static int compare_text(const struct row *a, const struct row *b, enum column column)
{
	if (column == COLUMN_TYPE)
		return strcmp(type(a), type(b));
	return strcmp(program(a), program(b));
}

struct order {
	enum column column;
	bool reverse;
};

static int compare_rows(const void *left, const void *right, void *context)
{
	const struct order *order = context;
	const struct row *a = left, *b = right;
	double value_a, value_b;
	int result;

	if (order->column == COLUMN_PROGRAM || order->column == COLUMN_TYPE) {
		result = compare_text(a, b, order->column);
	} else {
		value_a = value(a, order->column);
		value_b = value(b, order->column);
		result = value_a < value_b ? 1 : value_a > value_b ? -1 : 0;
	}
	if (order->reverse)
		result = -result;
	/* Equal ones do not jump about: as they are in the file. */
	return result ? result : a->context < b->context ? -1 :
	       a->context > b->context ? 1 : a->ioas < b->ioas ? -1 : 1;
}

void rows_sort(struct rows *rows, enum column column, bool reverse)
{
	struct order order = { column, reverse };

	if (rows->nrows)
		qsort_r(rows->row, rows->nrows, sizeof(*rows->row), compare_rows, &order);
}

enum column column_find(const char *name)
{
	enum column column;

	for (column = 0; column < NCOLUMNS; column++)
		if (strcasecmp(headings[column].name, name) == 0)
			break;
	return column;
}

const char *column_name(enum column column)
{
	return headings[column].name;
}

/* --- lines */

static void add_cell(struct text *line, enum column column, const char *cell)
{
	int nchars = headings[column].nchars;

	if (column)
		text_add(line, " ");
	if (nchars < 0)
		text_add(line, "%-*.*s", -nchars, -nchars, cell);
	else
		text_add(line, "%*s", nchars, cell);
}

void table_add_head(struct text *line, bool with_change)
{
	enum column column;

	for (column = 0; column < NCOLUMNS; column++)
		if (column != COLUMN_CHANGE || with_change)
			add_cell(line, column, headings[column].name);
}

static void add_number(struct text *line, const struct row *row, enum column column)
{
	double number = value(row, column);
	char cell[40];

	if (column == COLUMN_CHANGE)
		snprintf(cell, sizeof(cell), "%s%s", number < 0 ? "-" : number > 0 ? "+" : "",
			 size_text(number < 0 ? -number : number));
	else if (!row->ioas && column != COLUMN_PID)
		snprintf(cell, sizeof(cell), "-");
	else if (headings[column].is_size)
		snprintf(cell, sizeof(cell), "%s", size_text(number));
	else
		snprintf(cell, sizeof(cell), "%.0f", number);
	add_cell(line, column, cell);
}

void table_add_row(struct text *line, const struct row *row, bool with_change)
{
	enum column column;

	for (column = 0; column < NCOLUMNS; column++) {
		if (column == COLUMN_CHANGE && !with_change)
			continue;
		if (column == COLUMN_PROGRAM)
			add_cell(line, column, program(row));
		else if (column == COLUMN_TYPE)
			add_cell(line, column, type(row));
		else
			add_number(line, row, column);
	}
}

/* --- what is not ours */

unsigned int holder_nothers(const struct holder *holder, const struct insight *insight)
{
	unsigned int nopen = holder->nstock + holder->nours;
	unsigned int nknown = 0;
	unsigned int i;

	for (i = 0; i < insight->nitems; i++) {
		const struct item *item = &insight->items[i];
		const char *kind = item_text(item, "kind");

		if (item_is(item, "context") && kind && strcmp(kind, "container") == 0 &&
		    item_number(item, "pid") == (uint64_t)holder->pid)
			nknown++;
	}
	return nopen > nknown ? nopen - nknown : 0;
}
