// SPDX-License-Identifier: GPL-2.0-only
/*
 * top.c - "vfio-ioas top": the table of "status", again and again
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <time.h>

#include "holders.h"
#include "insight.h"
#include "ours.h"
#include "screen.h"
#include "subcommand.h"
#include "table.h"

static const char help[] =
"usage: vfio-ioas top [OPTION]...\n"
"\n"
"Shows live what 'vfio-ioas status' shows, and how fast the mapped memory changes (CHANGE, in\n"
"bytes a second). Keys: q ends, < and > sort by another column, r turns the order round, any\n"
"other key shows the next frame at once. Needs root, and debugfs.\n"
"\n"
"  --interval SECONDS   between frames (1; 0.1 at least)\n"
"  --sort COLUMN        by its heading: mapped (default), pid, program, ...\n"
"  --reverse            the other way round\n"
"  --batch N            print N frames, an empty line behind each, and end; for scripts\n"
"  --from FILE          a copy of " INSIGHT_FILE ",\n"
"                       instead of that, read anew for each frame\n"
"\n"
"Exit status: 0, or 2 if there is nothing to read.\n";

struct options {
	unsigned int interval_ms;
	unsigned int nframes;		/* 0: until a key ends it */
	enum column column;
	bool reverse;
	const char *from;
};

/* How much was mapped in an IOAS. */
struct sample {
	uint64_t context;
	uint64_t ioas;
	uint64_t mapped;
};

/* Those of the last frame, for what has changed. */
struct samples {
	struct sample *sample;
	unsigned int nsamples;
	double seconds;		/* when that was */
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

static void compute_change(struct row *row, const struct samples *last, double seconds)
{
	struct sample sample = sample_of(row);
	unsigned int i;

	for (i = 0; i < last->nsamples; i++)
		if (last->sample[i].context == sample.context &&
		    last->sample[i].ioas == sample.ioas)
			row->change = ((double)sample.mapped -
				       (double)last->sample[i].mapped) / seconds;
}

static void compute_changes(const struct rows *rows, struct samples *last)
{
	struct sample *sample = calloc(rows->nrows + 1, sizeof(*sample));
	double time = now();
	unsigned int i;

	if (!sample) {
		perror("vfio-ioas: calloc");
		exit(EXIT_NOT_RUN);
	}
	for (i = 0; i < rows->nrows; i++) {
		compute_change(&rows->row[i], last, time - last->seconds);
		sample[i] = sample_of(&rows->row[i]);
	}
	free(last->sample);
	*last = (struct samples){ sample, rows->nrows, time };
}

static unsigned int count_others(const struct insight *insight)
{
	unsigned int nothers = 0, i;
	struct holders holders;

	holders_find(&holders, ours_number());
	for (i = 0; i < holders.nholders; i++)
		nothers += holder_nothers(&holders.holder[i], insight) > 0;
	holders_free(&holders);
	return nothers;
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
	unsigned int ncontexts = 0, i;

	for (i = 0; i < insight->nitems; i++)
		ncontexts += item_is(&insight->items[i], "context");
	text_add(frame, "%u ours", ncontexts);
	if (!options->from)
		text_add(frame, ", %u others", count_others(insight));
	add_sum(frame, rows, "mapped");
	add_sum(frame, rows, "pinned");
	add_sum(frame, rows, "charged");
	text_add(frame, "; by %s%s\n\n", column_name(options->column),
		 options->reverse ? ", reverse" : "");
}

static bool make_frame(struct text *frame, struct samples *last,
		       const struct options *options)
{
	struct insight insight;
	struct rows rows;
	unsigned int i;

	text_clear(frame);
	if (!insight_read(&insight, options->from))
		return false;
	rows_make(&rows, &insight);
	compute_changes(&rows, last);
	rows_sort(&rows, options->column, options->reverse);
	add_summary(frame, &rows, &insight, options);
	table_add_head(frame, true);
	text_add(frame, "\n");
	for (i = 0; i < rows.nrows; i++) {
		table_add_row(frame, &rows.row[i], true);
		text_add(frame, "\n");
	}
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
		fflush(stdout);
	}
	text_free(&frame);
	free(last.sample);
	return good ? 0 : EXIT_NOT_RUN;
}

/* false: that is the end. */
static bool take_key(int key, struct options *options)
{
	switch (key) {
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

static int run_live(struct options *options)
{
	struct samples last = { 0 };
	struct text frame = { 0 };
	bool good;

	if (!screen_begin()) {
		fprintf(stderr, "vfio-ioas: top needs a terminal; without one: --batch N\n");
		return EXIT_NOT_RUN;
	}
	do {
		good = make_frame(&frame, &last, options);
		if (good)
			screen_show(&frame);
	} while (good && take_key(screen_key(options->interval_ms), options));
	screen_end();
	text_free(&frame);
	free(last.sample);
	return good ? 0 : EXIT_NOT_RUN;
}

static int usage_error(const char *what, const char *argument)
{
	fprintf(stderr, "vfio-ioas: %s: %s; 'vfio-ioas top --help' tells more\n", what,
		argument);
	return EXIT_NOT_RUN;
}

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "interval", required_argument, NULL, 'i' },
	{ "sort", required_argument, NULL, 's' },
	{ "reverse", no_argument, NULL, 'r' },
	{ "batch", required_argument, NULL, 'b' },
	{ "from", required_argument, NULL, 'f' },
	{ NULL, 0, NULL, 0 },
};

static int take_option(struct options *options, int option)
{
	double number;
	char *end;

	switch (option) {
	case 'i':
	case 'b':
		number = strtod(optarg, &end);
		if (*end || !(number >= (option == 'i' ? 0.1 : 1)) || number > 1000000)
			return usage_error("not such a number", optarg);
		if (option == 'i')
			options->interval_ms = (unsigned int)(number * 1000);
		else
			options->nframes = (unsigned int)number;
		return 0;
	case 's':
		options->column = column_find(optarg);
		return options->column == NCOLUMNS ?
			       usage_error("no column of that name", optarg) : 0;
	case 'r':
		options->reverse = true;
		return 0;
	case 'f':
		options->from = optarg;
		return 0;
	default:
		/* getopt_long() has said why. */
		return EXIT_NOT_RUN;
	}
}

int top_main(int argc, char **argv)
{
	struct options options = { .interval_ms = 1000, .column = COLUMN_MAPPED };
	int option, error;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return 0;
		}
		error = take_option(&options, option);
		if (error)
			return error;
	}
	if (optind < argc)
		return usage_error("what is that", argv[optind]);
	return options.nframes ? run_batch(&options) : run_live(&options);
}
