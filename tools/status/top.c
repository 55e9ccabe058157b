// SPDX-License-Identifier: GPL-2.0-only
/*
 * top.c - "vfio-ioas top": the table of "status", again and again
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <time.h>

#include "insight.h"
#include "lib/allocate.h"
#include "lib/number.h"
#include "lib/say.h"
#include "screen.h"
#include "system/holders.h"
#include "table.h"
#include "view.h"

#define LOOK_MS		1000	/* time to examine processes, in each frame */

static const char help[] =
"usage: vfio-ioas top [OPTION]...\n"
"\n"
"Shows the table of 'vfio-ioas status' live, and the rate at which the mapped memory changes\n"
"(CHANGE, in bytes a second). The key h lists the keys. Needs root and debugfs.\n"
"\n"
"  --interval SECONDS    time between frames (1; at least 0.1)\n"
"  --sort COLUMN         sort by this column: mapped (default), pid, program, ...\n"
"  --reverse             reverse the order\n"
"  --batch N             print N frames, each with an empty line behind it, and end; for scripts\n"
"                        and terminals that cannot move their cursor\n"
"  --pid PID, --group NUMBER, --device ADDRESS\n"
"                        show only those of this process, or with this group or device\n"
"  -o, --columns COLUMN[,COLUMN]...\n"
"                        show these columns: those of status, change, or all\n"
"  -H, --no-header       with --batch: no summary, no headings, one tab between columns\n"
"  -p, --exact           show bytes instead of 1.5M\n"
"  --from FILE           read a copy of " INSIGHT_FILE ",\n"
"                        anew for each frame\n"
"\n"
"Exit status: 0; 2 if the command line is wrong, the file cannot be read, or the output cannot be\n"
"written.\n";

static const char keys_help[] =
"Keys\n"
"\n"
"  h, ?     this help\n"
"  < and >  sort by the column to the left, to the right\n"
"  r        reverse the order\n"
"  q        end\n"
"  others   show the next frame now\n"
"\n"
"Any key goes back.\n";

struct options {
	unsigned int interval_ms;
	unsigned int nframes;		/* 0: until a key ends it */
	enum column column;
	bool reverse;
	bool help;			/* shown instead of a frame */
	struct view view;
};

/* The mapped memory of an IOAS. */
struct sample {
	uint64_t context;
	uint64_t ioas;
	uint64_t mapped;
};

/* Samples of the last frame, to compute changes. */
struct samples {
	struct sample *sample;
	unsigned int nsamples;
	double seconds;		/* time of the frame */
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct sample sample_of(const struct row *row)
{
	return (struct sample){
		.context = item_number(row->context, "id"),
		.ioas = row->ioas ? item_number(row->ioas, "id") : 0,
		.mapped = row->ioas ? item_number(row->ioas, "mapped") : 0,
	};
}

static int compare_samples(const void *a, const void *b)
{
	const struct sample *left = a, *right = b;

	if (left->context != right->context)
		return left->context < right->context ? -1 : 1;
	return left->ioas < right->ioas ? -1 : left->ioas > right->ioas;
}

static void compute_change(struct row *row, const struct samples *last, double seconds)
{
	struct sample sample = sample_of(row);
	const struct sample *former = NULL;

	if (last->sample)
		former = bsearch(&sample, last->sample, last->nsamples, sizeof(sample),
				 compare_samples);
	if (former)
		row->change = ((double)sample.mapped - (double)former->mapped) / seconds;
}

static void compute_changes(const struct rows *rows, struct samples *last)
{
	struct sample *sample = allocate(rows->nrows + 1, sizeof(*sample));
	double time = now();
	unsigned int i;

	for (i = 0; i < rows->nrows; i++) {
		compute_change(&rows->row[i], last, time - last->seconds);
		sample[i] = sample_of(&rows->row[i]);
	}
	qsort(sample, rows->nrows, sizeof(*sample), compare_samples);
	free(last->sample);
	*last = (struct samples){ sample, rows->nrows, time };
}

/* ", 3 others"; "3+" if not all processes were examined. */
static void add_others(struct text *frame, const struct insight *insight)
{
	unsigned int nothers = 0, i;
	struct holders holders;

	holders_find_within(&holders, LOOK_MS);
	for (i = 0; i < holders.nholders; i++)
		nothers += holder_nothers(&holders.holder[i], insight) > 0;
	text_add(frame, ", %u%s others", nothers, holders.late ? "+" : "");
	holders_free(&holders);
}

static void add_sum(struct text *frame, const struct rows *rows, const char *key)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < rows->nrows; i++)
		if (rows->row[i].ioas)
			sum += (double)item_number(rows->row[i].ioas, key);
	text_add(frame, ", %s %s", key, size_text(sum));
}

static void add_summary(struct text *frame, const struct rows *rows,
			const struct insight *insight, const struct options *options)
{
	const struct filter *filter = &options->view.filter;
	bool filtered = filter->by_pid || filter->by_group || filter->device;
	unsigned int ncontexts = 0, i;

	for (i = 0; i < insight->nitems; i++)
		ncontexts += item_is(&insight->items[i], "context") &&
			     filter_has_context(filter, insight, &insight->items[i]);
	text_add(frame, "%u ours", ncontexts);
	if (!options->view.from && !filtered)
		add_others(frame, insight);
	if (insight->nmissing)
		text_add(frame, ", %llu left out", (unsigned long long)insight->nmissing);
	add_sum(frame, rows, "mapped");
	add_sum(frame, rows, "pinned");
	add_sum(frame, rows, "charged");
	text_add(frame, "; by %s%s\n\n", column_name(options->column),
		 options->reverse ? ", reverse" : "");
}

static void add_rows(struct text *frame, struct rows *rows, const struct insight *insight,
		     const struct options *options)
{
	const struct layout *layout = &options->view.layout;
	unsigned int i;

	rows_sort(rows, insight, options->column, options->reverse);
	if (!layout->for_scripts) {
		add_summary(frame, rows, insight, options);
		table_add_head(frame, layout);
		text_add(frame, "\n");
	}
	for (i = 0; i < rows->nrows; i++) {
		table_add_row(frame, insight, &rows->row[i], layout);
		text_add(frame, "\n");
	}
}

/* Reading command lines takes a while, so it is done only if they are shown. */
static bool needs_commands(const struct options *options)
{
	const struct layout *layout = &options->view.layout;

	return !options->view.from &&
	       (layout_has(layout, COLUMN_VM) || layout_has(layout, COLUMN_COMMAND) ||
		options->column == COLUMN_VM || options->column == COLUMN_COMMAND);
}

static bool make_frame(struct text *frame, struct samples *last,
		       const struct options *options)
{
	struct insight insight;
	struct rows rows;

	text_clear(frame);
	if (!insight_read(&insight, options->view.from, &options->view.filter))
		return false;
	rows_make(&rows, &insight, &options->view.filter);
	if (needs_commands(options))
		rows_find_commands(&rows);
	compute_changes(&rows, last);
	add_rows(frame, &rows, &insight, options);
	rows_free(&rows);
	insight_free(&insight);
	return true;
}

static int run_batch(const struct options *options)
{
	struct timespec pause = {
		.tv_sec = options->interval_ms / 1000,
		.tv_nsec = options->interval_ms % 1000 * 1000000L,
	};
	struct samples last = { 0 };
	struct text frame = { 0 };
	unsigned int i;
	bool good = true;

	for (i = 0; good && i < options->nframes; i++) {
		if (i)
			nanosleep(&pause, NULL);
		good = make_frame(&frame, &last, options);
		if (good)
			printf("%s\n", text_chars(&frame));
		/* Nobody would read the other frames. */
		good = good && !fflush(stdout);
	}
	text_free(&frame);
	free(last.sample);
	return good ? 0 : EXIT_NOT_RUN;
}

/* Returns false if the key ends the program. */
static bool take_key(int key, struct options *options)
{
	if (options->help && key != KEY_END) {
		options->help = key == KEY_NONE;
		return true;
	}
	switch (key) {
	case 'h':
	case '?':
		options->help = true;
		break;
	case 'q':
	case KEY_END:
		return false;
	case '<':
		options->column = (options->column + NCOLUMNS - 1) % NCOLUMNS;
		break;
	case '>':
		options->column = (options->column + 1) % NCOLUMNS;
		break;
	case 'r':
		options->reverse = !options->reverse;
		break;
	}
	return true;
}

static bool show_frame(struct text *frame, struct samples *last, const struct options *options)
{
	if (options->help) {
		text_clear(frame);
		text_add(frame, "%s", keys_help);
	} else if (!make_frame(frame, last, options)) {
		return false;
	}
	screen_show(frame);
	return true;
}

static int run_live(struct options *options)
{
	struct samples last = { 0 };
	struct text frame = { 0 };
	bool good;

	/*
	 * The first frame is made before the screen changes, so that error messages stay visible.
	 */
	good = make_frame(&frame, &last, options);
	if (!good) {
		text_free(&frame);
		return EXIT_NOT_RUN;
	}
	if (!screen_begin()) {
		say_error("top needs a terminal that can move its cursor; without one: --batch N");
		return EXIT_NOT_RUN;
	}
	do
		good = show_frame(&frame, &last, options);
	while (good && take_key(screen_key(options->interval_ms), options));
	screen_end();
	text_free(&frame);
	free(last.sample);
	return good ? 0 : EXIT_NOT_RUN;
}

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "interval", required_argument, NULL, 'i' },
	{ "sort", required_argument, NULL, 's' },
	{ "reverse", no_argument, NULL, 'r' },
	{ "batch", required_argument, NULL, 'b' },
	VIEW_OPTIONS,
	{ NULL, 0, NULL, 0 },
};

static int take_option(struct options *options, int option)
{
	switch (option) {
	case 'i':
		options->interval_ms = (unsigned int)
			(fraction_of_option("top", "--interval", optarg, 0.1, 1000000) * 1000);
		return 0;
	case 'b':
		options->nframes = (unsigned int)
			number_of_option("top", "--batch", optarg, 1, 1000000);
		return 0;
	case 's':
		options->column = column_of_option(&options->view.layout, optarg, "top");
		return options->column == NCOLUMNS ? EXIT_NOT_RUN : 0;
	case 'r':
		options->reverse = true;
		return 0;
	default:
		return view_take_option(&options->view, option, "top");
	}
}

int top_main(int argc, char **argv)
{
	struct options options = {
		.interval_ms = 1000, .column = COLUMN_MAPPED, .view.layout = layout_of_top(),
	};
	int option, error;

	while ((option = getopt_long(argc, argv, "ho:Hp", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return 0;
		}
		error = take_option(&options, option);
		if (error)
			return error;
	}
	if (optind < argc)
		return usage_error("top", "unknown argument \"%s\"", printable(argv[optind]));
	if (options.nframes)
		return run_batch(&options);
	if (options.view.layout.for_scripts)
		return usage_error("top", "--no-header is for --batch");
	return run_live(&options);
}
