// SPDX-License-Identifier: GPL-2.0-only
/* status.c - "vfio-ioas status": containers and their processes, as a table */
#define _GNU_SOURCE
#include "status.h"

#include <getopt.h>

#include "lib/common.h"
#include "lib/say.h"
#include "picture.h"
#include "status_json.h"
#include "view.h"

#define WIDTH	79	/* of broken lines */

static const char help[] =
"usage: vfio-ioas status [OPTION]...\n"
"\n"
"Shows the containers and native contexts that our module serves: their processes, groups and\n"
"devices, and the memory that is mapped, pinned and charged. Then lists the processes that have\n"
"other containers open. Needs root and debugfs.\n"
"\n"
"  --pid PID             show only those of this process\n"
"  --group NUMBER        show only those with this IOMMU group\n"
"  --device ADDRESS      show only those with this device, such as 0000:3b:00.0\n"
"  -o, --columns COLUMN[,COLUMN]...\n"
"                        show these columns, or all: pid, program, type, ioas, groups, mapped,\n"
"                        pinned, charged, areas, runs (of contiguous pages), avg-run, pins,\n"
"                        context, vm (its name), devices, command (line)\n"
"  -H, --no-header       for scripts: only rows, no headings, one tab between columns\n"
"  -p, --exact           show bytes instead of 1.5M\n"
"  --json                for programs: print JSON\n"
"  --from FILE           read a copy of " INSIGHT_FILE ",\n"
"                        and search no processes\n"
"\n"
"Exit status: 0; 2 if the command line is wrong, the file cannot be read, no context matches\n"
"while some objects are left out, or the output cannot be written.\n";

/* Breaks a line that would be too long, between two devices. */
static void print_devices(const char *devices)
{
	size_t nprinted = 16, nchars;	/* characters before the devices, about */

	for (; *devices; devices += nchars) {
		nchars = strcspn(devices, ",");
		nchars += devices[nchars] == ',';
		if (nprinted + nchars > WIDTH) {
			printf("\n                ");
			nprinted = 16;
		}
		printf("%.*s", (int)nchars, devices);
		nprinted += nchars;
	}
	putchar('\n');
}

static void print_groups(const struct row *row, const struct insight *insight)
{
	struct items groups = insight_parts_in(insight, row->ioas, "group");
	const char *devices;
	unsigned int i;

	for (i = 0; i < groups.nitems; i++) {
		devices = item_text(groups.item[i], "devices");
		printf("        group %llu: ",
		       (unsigned long long)item_number(groups.item[i], "number"));
		print_devices(devices ? devices : "");
	}
}

static void print_details(const struct row *row, const struct insight *insight)
{
	uint64_t nusers;

	if (row->vm)
		printf("        VM: %s\n", printable(row->vm));
	if (item_is_busy(row->context) || (row->ioas && item_is_busy(row->ioas)))
		printf("        busy: could not be looked at\n");
	if (!row->ioas)
		return;
	print_groups(row, insight);
	/* Older modules list only accesses, by which drivers hold memory. */
	nusers = item_number(row->ioas, "users");
	if (!item_text(row->ioas, "users"))
		nusers = insight_parts_in(insight, row->ioas, "access").nitems;
	if (nusers)
		printf("        in-kernel users: %llu\n", (unsigned long long)nusers);
}

static void print_others(const struct picture *picture)
{
	const struct holders *holders = &picture->holders;
	bool any = false;
	unsigned int i;

	for (i = 0; i < holders->nholders; i++) {
		const struct holder *holder = &holders->holder[i];

		if (!picture_shows_holder(picture, holder))
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
	if (holders->late)
		puts("\nNot all processes were looked at: too many have too much open.");
}

static void print_rows(const struct picture *picture, const struct rows *rows,
		       const struct layout *layout)
{
	struct text line = { 0 };
	unsigned int i;

	if (rows->nrows && !layout->for_scripts) {
		table_add_head(&line, layout);
		puts(text_chars(&line));
	}
	for (i = 0; i < rows->nrows; i++) {
		text_clear(&line);
		table_add_row(&line, &picture->insight, &rows->row[i], layout);
		puts(text_chars(&line));
		if (!layout->for_scripts)
			print_details(&rows->row[i], &picture->insight);
	}
	text_free(&line);
}

static void print_table(const struct picture *picture, const struct layout *layout)
{
	struct rows rows;

	rows_make(&rows, &picture->insight, &picture->filter);
	if (picture->live)
		rows_find_commands(&rows);
	if (!rows.nrows && !layout->for_scripts)
		puts("No containers or contexts of ours.");
	print_rows(picture, &rows, layout);
	if (!layout->for_scripts)
		print_others(picture);
	rows_free(&rows);
}

static void warn_of_missing(const struct insight *insight)
{
	if (insight->nmissing_contexts)
		say_warning("too many contexts: %llu are left out, with all that is in them",
			    (unsigned long long)insight->nmissing_contexts);
	if (insight->nmissing)
		say_warning("too many objects: %llu are left out, %llu of them in context %llu",
			    (unsigned long long)insight->nmissing,
			    (unsigned long long)insight->nmissing_of_context,
			    (unsigned long long)insight->context_that_lacks);
}

/* If items are missing, an empty result does not answer the user's question. */
static bool is_answer(const struct picture *picture)
{
	if (!picture->insight.nmissing || filter_finds(&picture->filter, &picture->insight))
		return true;
	say_error("no context matches, but some objects were left out");
	return false;
}

static int show(const struct view *view, bool json)
{
	struct picture picture = { .filter = view->filter, .live = !view->from };

	if (!insight_read(&picture.insight, view->from, &view->filter))
		return EXIT_NOT_RUN;
	if (!is_answer(&picture)) {
		insight_free(&picture.insight);
		return EXIT_NOT_RUN;
	}
	if (picture.live)
		holders_find(&picture.holders);
	warn_of_missing(&picture.insight);
	if (json)
		status_print_json(&picture);
	else
		print_table(&picture, &view->layout);
	holders_free(&picture.holders);
	insight_free(&picture.insight);
	return 0;
}

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, 'j' },
	VIEW_OPTIONS,
	{ NULL, 0, NULL, 0 },
};

int status_main(int argc, char **argv)
{
	struct view view = { .layout = layout_of_status() };
	bool json = false;
	int option, error;

	while ((option = getopt_long(argc, argv, "ho:Hp", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (option == 'j') {
			json = true;
			continue;
		}
		error = view_take_option(&view, option, "status");
		if (error)
			return error;
	}
	if (optind == argc)
		return show(&view, json);
	return usage_error("status", "unknown argument \"%s\"", printable(argv[optind]));
}
