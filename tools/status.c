// SPDX-License-Identifier: GPL-2.0-only
/*
 * status.c - "vfio-ioas status": who has which containers, as a table
 */
#define _GNU_SOURCE
#include <getopt.h>

#include "compare/common.h"
#include "ours.h"
#include "status.h"
#include "subcommand.h"
#include "table.h"

static const char help[] =
"usage: vfio-ioas status [--json] [--from FILE]\n"
"\n"
"Shows the containers and native contexts that our module serves: whose they are, which groups\n"
"and devices are attached, how much memory is mapped, pinned and charged, in how many runs of\n"
"contiguous pages. Then the processes that have other containers open. Needs root, and debugfs.\n"
"\n"
"  --json        for programs\n"
"  --from FILE   a copy of " INSIGHT_FILE ", instead of that;\n"
"                no processes are looked for\n"
"\n"
"Exit status: 0, or 2 if there is nothing to read.\n";

static void print_groups(const struct row *row, const struct insight *insight)
{
	unsigned int i;

	for (i = 0; row->ioas && i < insight->nitems; i++) {
		const struct item *item = &insight->items[i];
		const char *devices = item_text(item, "devices");

		if (item_is(item, "group") && item_is_in(item, row->context) &&
		    item_number(item, "ioas") == item_number(row->ioas, "id"))
			printf("        group %llu: %s\n",
			       (unsigned long long)item_number(item, "number"),
			       devices ? devices : "");
	}
}

/* Accesses are what emulated devices and kernel drivers hold memory by. */
static void print_users(const struct row *row, const struct insight *insight)
{
	unsigned int naccesses = 0;
	unsigned int i;

	for (i = 0; row->ioas && i < insight->nitems; i++) {
		const struct item *item = &insight->items[i];

		if (item_is(item, "access") && item_is_in(item, row->context) &&
		    item_number(item, "ioas") == item_number(row->ioas, "id"))
			naccesses++;
	}
	if (naccesses)
		printf("        in-kernel users: %u\n", naccesses);
}

static void print_others(const struct picture *picture)
{
	const struct holders *holders = &picture->holders;
	bool any = false;
	unsigned int i;

	for (i = 0; i < holders->nholders; i++) {
		const struct holder *holder = &holders->holder[i];

		if (!holder_nothers(holder, &picture->insight))
			continue;
		if (!any)
			printf("\nOther containers open: the kernel's, or of no backend yet\n\n"
			       "    PID PROGRAM         THROUGH-VFIO THROUGH-IOAS   OURS\n");
		any = true;
		printf("%7d %-15s %12u %12u %6u\n", (int)holder->pid,
		       printable(holder->name), holder->nstock, holder->nours,
		       holder->nstock + holder->nours -
			       holder_nothers(holder, &picture->insight));
	}
}

static void print_table(const struct picture *picture)
{
	struct text line = { 0 };
	struct rows rows;
	unsigned int i;

	rows_make(&rows, &picture->insight);
	table_add_head(&line, false);
	if (rows.nrows)
		puts(text_chars(&line));
	else
		puts("No containers or contexts of ours.");
	for (i = 0; i < rows.nrows; i++) {
		text_clear(&line);
		table_add_row(&line, &rows.row[i], false);
		puts(text_chars(&line));
		print_groups(&rows.row[i], &picture->insight);
		print_users(&rows.row[i], &picture->insight);
	}
	print_others(picture);
	text_free(&line);
	rows_free(&rows);
}

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, 'j' },
	{ "from", required_argument, NULL, 'f' },
	{ NULL, 0, NULL, 0 },
};

static int show(const char *from, bool json)
{
	struct picture picture = { 0 };

	if (!insight_read(&picture.insight, from))
		return EXIT_NOT_RUN;
	if (!from)
		holders_find(&picture.holders, ours_number());
	if (json)
		status_print_json(&picture);
	else
		print_table(&picture);
	holders_free(&picture.holders);
	insight_free(&picture.insight);
	return 0;
}

int status_main(int argc, char **argv)
{
	const char *from = NULL;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (option) {
		case 'h':
			fputs(help, stdout);
			return 0;
		case 'j':
			json = true;
			break;
		case 'f':
			from = optarg;
			break;
		default:
			return EXIT_NOT_RUN;
		}
	}
	if (optind == argc)
		return show(from, json);
	fprintf(stderr, "vfio-ioas: what is that: %s; 'vfio-ioas status --help' tells more\n",
		argv[optind]);
	return EXIT_NOT_RUN;
}
