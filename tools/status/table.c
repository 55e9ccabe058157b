// SPDX-License-Identifier: GPL-2.0-only
/*
 * table.c - rows and columns
 */
#define _GNU_SOURCE
#include "table.h"

#include <strings.h>

#include "lib/allocate.h"
#include "lib/say.h"
#include "process.h"

struct heading {
	const char *name;
	int nchars;		/* negative: aligned to the left */
	const char *key;	/* of the IOAS's item, if the column is its number */
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
	[COLUMN_CONTEXT] = { "CONTEXT", 7, NULL, false },
	[COLUMN_VM] = { "VM", -15, NULL, false },
	[COLUMN_DEVICES] = { "DEVICES", -25, NULL, false },
	[COLUMN_COMMAND] = { "COMMAND", -30, NULL, false },
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
	/* A value that would be rounded to 1024.0 is shown as 1.0 of the next unit. */
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

/* --- filters */

static bool has_any(const struct filter *filter, struct items items)
{
	unsigned int i;

	for (i = 0; i < items.nitems; i++)
		if (filter_has_item(filter, items.item[i]))
			return true;
	return false;
}

/* ioas: NULL for the whole context. Devices of kernel drivers belong to the context. */
static bool filter_has(const struct filter *filter, const struct insight *insight,
		       const struct item *context, const struct item *ioas)
{
	if (filter->by_pid && item_number(context, "pid") != filter->pid)
		return false;
	if (!filter->by_group && !filter->device)
		return true;
	return has_any(filter, ioas ? insight_parts_in(insight, ioas, "group") :
				      insight_parts(insight, context, "group")) ||
	       has_any(filter, insight_parts(insight, context, "device"));
}

bool filter_has_context(const struct filter *filter, const struct insight *insight,
			const struct item *context)
{
	return filter_has(filter, insight, context, NULL);
}

bool filter_finds(const struct filter *filter, const struct insight *insight)
{
	bool finds = !filter->by_pid && !filter->by_group && !filter->device;
	unsigned int i;

	for (i = 0; i < insight->nitems && !finds; i++)
		finds = item_is(&insight->items[i], "context") &&
			filter_has_context(filter, insight, &insight->items[i]);
	return finds;
}

/* --- rows */

static void add_row(struct rows *rows, const struct insight *insight,
		    const struct item *context, const struct item *ioas)
{
	rows->row[rows->nrows++] = (struct row){
		.context = context,
		.ioas = ioas,
		.ngroups = ioas ? insight_parts_in(insight, ioas, "group").nitems : 0,
	};
}

/* A context without an IOAS, or whose IOAS is left out, still has a row. */
static void add_context(struct rows *rows, const struct insight *insight,
			const struct item *context, const struct filter *filter)
{
	struct items ioases = insight_parts(insight, context, "ioas");
	unsigned int nbefore = rows->nrows, i;

	for (i = 0; i < ioases.nitems; i++)
		if (filter_has(filter, insight, context, ioases.item[i]))
			add_row(rows, insight, context, ioases.item[i]);
	if (rows->nrows == nbefore && filter_has(filter, insight, context, NULL))
		add_row(rows, insight, context, NULL);
}

void rows_make(struct rows *rows, const struct insight *insight, const struct filter *filter)
{
	unsigned int i;

	/* There are at most as many rows as items; one more, because none would be no size. */
	*rows = (struct rows){ .row = allocate(insight->nitems + 1, sizeof(*rows->row)) };
	for (i = 0; i < insight->nitems; i++)
		if (item_is(&insight->items[i], "context") &&
		    !insight->items[i].is_repeated)
			add_context(rows, insight, &insight->items[i], filter);
}

char *vm_name_of(pid_t pid, char **command)
{
	struct text words = { 0 }, name = { 0 }, line = { 0 };
	char *vm = NULL;

	if (command)
		*command = NULL;
	if (process_command(pid, &words)) {
		if (command_vm_name(&words, &name))
			vm = need(strdup(text_chars(&name)));
		if (command) {
			command_print(&words, &line);
			*command = need(strdup(text_chars(&line)));
		}
	}
	text_free(&words);
	text_free(&name);
	text_free(&line);
	return vm;
}

void rows_find_commands(struct rows *rows)
{
	unsigned int i;

	process_begin();
	for (i = 0; i < rows->nrows; i++) {
		struct row *row = &rows->row[i];

		if (i && rows->row[i - 1].context == row->context) {
			row->vm = rows->row[i - 1].vm;
			row->command = rows->row[i - 1].command;
			continue;
		}
		row->vm = vm_name_of((pid_t)item_number(row->context, "pid"), &row->command);
	}
}

static int compare_contexts(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	return left->context < right->context ? -1 : left->context > right->context;
}

/* Rows of one context share their strings. */
void rows_free(struct rows *rows)
{
	unsigned int i;

	if (rows->row)
		qsort(rows->row, rows->nrows, sizeof(*rows->row), compare_contexts);
	for (i = 0; i < rows->nrows; i++) {
		if (i && rows->row[i - 1].context == rows->row[i].context)
			continue;
		free(rows->row[i].vm);
		free(rows->row[i].command);
	}
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

static void add_devices(struct text *list, const struct insight *insight, const struct row *row)
{
	struct items groups = { 0 };
	const char *devices;
	unsigned int i;

	if (row->ioas)
		groups = insight_parts_in(insight, row->ioas, "group");
	for (i = 0; i < groups.nitems; i++) {
		devices = item_text(groups.item[i], "devices");
		if (devices && *devices)
			text_add(list, "%s%s", list->nchars ? "," : "", devices);
	}
}

/* Text of a cell in a column of words; valid until the next call. */
static const char *word(const struct insight *insight, const struct row *row,
			enum column column)
{
	static struct text list;
	const char *found = NULL;

	switch (column) {
	case COLUMN_PROGRAM:
		found = item_text(row->context, "comm");
		break;
	case COLUMN_TYPE:
		return type(row);
	case COLUMN_VM:
		return row->vm ? printable(row->vm) : "-";
	case COLUMN_COMMAND:
		return row->command ? row->command : "-";
	case COLUMN_DEVICES:
		text_clear(&list);
		add_devices(&list, insight, row);
		return list.nchars ? list.chars : "-";
	default:
		break;
	}
	return found ? found : "";
}

static bool is_word(enum column column)
{
	return headings[column].nchars < 0;
}

static double value(const struct row *row, enum column column)
{
	switch (column) {
	case COLUMN_PID:
		return (double)item_number(row->context, "pid");
	case COLUMN_CONTEXT:
		return (double)row->context->context;
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

/* Is the number present? It is not if the IOAS was busy, for example. */
static bool has_value(const struct row *row, enum column column)
{
	const char *key = column == COLUMN_AVERAGE || column == COLUMN_CHANGE ?
				  "mapped" : headings[column].key;

	if (column == COLUMN_PID || column == COLUMN_CONTEXT)
		return true;
	return row->ioas && (!key || item_text(row->ioas, key));
}

struct order {
	const struct insight *insight;
	enum column column;
	bool reverse;
};

static int compare_words(const struct order *order, const struct row *left,
			 const struct row *right)
{
	char *copy = need(strdup(word(order->insight, left, order->column)));
	int result = strcmp(copy, word(order->insight, right, order->column));

	free(copy);
	return result;
}

static int compare_rows(const void *a, const void *b, void *argument)
{
	const struct row *left = a, *right = b;
	const struct order *order = argument;
	double x, y;
	int result;

	if (is_word(order->column)) {
		result = compare_words(order, left, right);
	} else {
		x = value(left, order->column);
		y = value(right, order->column);
		result = x > y ? -1 : x < y;
	}
	if (order->reverse)
		result = -result;
	/* Equal rows keep their order. */
	if (!result && left->context != right->context)
		result = left->context < right->context ? -1 : 1;
	if (!result)
		result = left->ioas < right->ioas ? -1 : 1;
	return result;
}

void rows_sort(struct rows *rows, const struct insight *insight, enum column column,
	       bool reverse)
{
	struct order order = { insight, column, reverse };

	if (rows->nrows)
		qsort_r(rows->row, rows->nrows, sizeof(*rows->row), compare_rows, &order);
}

/* --- layouts */

struct layout layout_of_status(void)
{
	return (struct layout){
		.column = {
			COLUMN_PID, COLUMN_PROGRAM, COLUMN_TYPE, COLUMN_IOAS, COLUMN_GROUPS,
			COLUMN_MAPPED, COLUMN_PINNED, COLUMN_CHARGED, COLUMN_AREAS,
		},
		.ncolumns = 9,
	};
}

struct layout layout_of_top(void)
{
	return (struct layout){
		.column = {
			COLUMN_PID, COLUMN_PROGRAM, COLUMN_TYPE, COLUMN_IOAS, COLUMN_GROUPS,
			COLUMN_MAPPED, COLUMN_CHANGE, COLUMN_PINNED, COLUMN_CHARGED,
		},
		.ncolumns = 9,
		.with_change = true,
	};
}

static bool can_have(const struct layout *layout, enum column column)
{
	return column != COLUMN_CHANGE || layout->with_change;
}

static enum column find_column(const struct layout *layout, const char *name, size_t nchars)
{
	enum column column;

	for (column = 0; column < NCOLUMNS; column++)
		if (strlen(headings[column].name) == nchars &&
		    strncasecmp(headings[column].name, name, nchars) == 0 &&
		    can_have(layout, column))
			break;
	return column;
}

static void no_column(const struct layout *layout, const char *subcommand, const char *option,
		      const char *name, size_t nchars)
{
	struct text known = { 0 };
	enum column column;
	size_t i;

	for (column = 0; column < NCOLUMNS; column++)
		if (can_have(layout, column))
			text_add(&known, "%s%s", column ? ", " : "", headings[column].name);
	for (i = 0; i < known.nchars; i++)
		if (known.chars[i] >= 'A' && known.chars[i] <= 'Z')
			known.chars[i] += 'a' - 'A';
	usage_error(subcommand, "%s: unknown column \"%.*s\"; the columns are %s", option,
		    (int)(nchars < 40 ? nchars : 40), printable(name), text_chars(&known));
	text_free(&known);
}

enum column column_of_option(const struct layout *layout, const char *name,
			     const char *subcommand)
{
	enum column column = find_column(layout, name, strlen(name));

	if (column == NCOLUMNS)
		no_column(layout, subcommand, "--sort", name, strlen(name));
	return column;
}

bool layout_has(const struct layout *layout, enum column column)
{
	unsigned int i;

	for (i = 0; i < layout->ncolumns; i++)
		if (layout->column[i] == column)
			return true;
	return false;
}

static void choose_all(struct layout *layout)
{
	enum column column;

	layout->ncolumns = 0;
	for (column = 0; column < NCOLUMNS; column++)
		if (can_have(layout, column))
			layout->column[layout->ncolumns++] = column;
}

int layout_parse(struct layout *layout, const char *names, const char *subcommand)
{
	enum column column;
	size_t nchars;

	if (strcasecmp(names, "all") == 0) {
		choose_all(layout);
		return 0;
	}
	layout->ncolumns = 0;
	do {
		nchars = strcspn(names, ",");
		column = find_column(layout, names, nchars);
		if (column == NCOLUMNS) {
			no_column(layout, subcommand, "-o", names, nchars);
			return EXIT_NOT_RUN;
		}
		if (layout_has(layout, column))
			return usage_error(subcommand, "-o: column %s is given twice",
					   headings[column].name);
		layout->column[layout->ncolumns++] = column;
		names += nchars;
	} while (*names++);
	return 0;
}

const char *column_name(enum column column)
{
	return headings[column].name;
}

/* --- lines */

/* The last cell may be longer than its column. */
static void add_cell(struct text *line, const struct layout *layout, unsigned int nth,
		     const char *cell)
{
	int nchars = headings[layout->column[nth]].nchars;

	if (nth)
		text_add(line, layout->for_scripts ? "\t" : " ");
	if (layout->for_scripts || (nchars < 0 && nth == layout->ncolumns - 1))
		text_add(line, "%s", cell);
	else if (nchars < 0)
		text_add(line, "%-*.*s", -nchars, -nchars, cell);
	else
		text_add(line, "%*s", nchars, cell);
}

void table_add_head(struct text *line, const struct layout *layout)
{
	unsigned int i;

	for (i = 0; i < layout->ncolumns; i++)
		add_cell(line, layout, i, headings[layout->column[i]].name);
}

static const char *number_text(const struct row *row, enum column column, bool exact)
{
	double number = value(row, column);
	static char cell[40];

	if (!has_value(row, column))
		return "-";
	if (column == COLUMN_CHANGE && !exact)
		snprintf(cell, sizeof(cell), "%s%s", number < 0 ? "-" : number > 0 ? "+" : "",
			 size_text(number < 0 ? -number : number));
	else if (headings[column].is_size && !exact)
		return size_text(number);
	else if (headings[column].key)
		snprintf(cell, sizeof(cell), "%llu",
			 (unsigned long long)item_number(row->ioas, headings[column].key));
	else
		snprintf(cell, sizeof(cell), "%.0f", number);
	return cell;
}

void table_add_row(struct text *line, const struct insight *insight, const struct row *row,
		   const struct layout *layout)
{
	enum column column;
	unsigned int i;

	for (i = 0; i < layout->ncolumns; i++) {
		column = layout->column[i];
		add_cell(line, layout, i, is_word(column) ? word(insight, row, column) :
					  number_text(row, column, layout->exact));
	}
}

/* --- containers that are not ours */

unsigned int holder_nothers(const struct holder *holder, const struct insight *insight)
{
	unsigned int nopen = holder->nstock + holder->nours;
	unsigned int nknown = insight_ncontainers(insight, holder->pid);

	return nopen > nknown ? nopen - nknown : 0;
}
