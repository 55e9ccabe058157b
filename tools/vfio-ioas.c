// SPDX-License-Identifier: GPL-2.0-only
/* vfio-ioas - the administrator's tool for the module vfio_ioas */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "compare/compare.h"
#include "lib/common.h"
#include "lib/say.h"
#include "status/status.h"
#include "status/top.h"
#include "switch/switch.h"
#include "system/ours.h"

struct subcommand {
	const char *name;
	const char *summary;	/* one line, for the list */
	/* argv[0] is the subcommand; returns the exit status */
	int (*run)(int argc, char **argv);
};

static int help_main(int argc, char **argv);
static int version_main(int argc, char **argv);

static const struct subcommand subcommands[] = {
	{ "compare", "make the same calls on stock type1 and on ours, and print differences",
	  compare_main },
	{ "switch", "select the container that programs get from /dev/vfio/vfio",
	  switch_main },
	{ "status", "show our containers with their processes and memory",
	  status_main },
	{ "top", "show the same, live", top_main },
	{ "help", "show the options of a subcommand", help_main },
	{ "version", "show the versions of this program and of the module", version_main },
};

#define NSUBCOMMANDS	ARRAY_SIZE(subcommands)

static void usage(FILE *file)
{
	unsigned int i;

	fprintf(file, "usage: vfio-ioas SUBCOMMAND [OPTION]...\n\n");
	for (i = 0; i < NSUBCOMMANDS; i++)
		fprintf(file, "  %-10s %s\n", subcommands[i].name,
			subcommands[i].summary);
	fprintf(file, "\n'vfio-ioas SUBCOMMAND --help' lists the options. Manual: vfio-ioas(8).\n");
}

static const struct subcommand *find(const char *name)
{
	unsigned int i;

	for (i = 0; i < NSUBCOMMANDS; i++)
		if (strcmp(name, subcommands[i].name) == 0)
			return &subcommands[i];
	return NULL;
}

static int unknown(const char *name)
{
	const char *known[NSUBCOMMANDS + 1] = { NULL };
	unsigned int i;

	for (i = 0; i < NSUBCOMMANDS; i++)
		known[i] = subcommands[i].name;
	return usage_error("", "unknown %s \"%s\"%s", name[0] == '-' ? "option" : "subcommand",
			   printable(name), did_you_mean(name, known));
}

/* Messages of getopt_long() begin with argv[0]. */
static int run(const struct subcommand *subcommand, int argc, char **argv)
{
	static char name[32];

	snprintf(name, sizeof(name), "vfio-ioas %s", subcommand->name);
	argv[0] = name;
	return subcommand->run(argc, argv);
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int help_main(int argc, char **argv)
{
	const struct subcommand *subcommand;
	char help[] = "--help", *words[] = { NULL, help, NULL };

	if (argc == 1) {
		usage(stdout);
		return 0;
	}
	if (is_help(argv[1])) {
		puts("usage: vfio-ioas help [SUBCOMMAND]");
		return 0;
	}
	if (argc > 2)
		return usage_error("help", "give one subcommand at a time");
	subcommand = find(argv[1]);
	return subcommand ? run(subcommand, 2, words) : unknown(argv[1]);
}

static int version_main(int argc, char **argv)
{
	char loaded[VERSION_NBYTES], installed[VERSION_NBYTES];

	if (argc > 1 && is_help(argv[1])) {
		puts("usage: vfio-ioas version");
		return 0;
	}
	if (argc > 1)
		return usage_error("version", "unknown argument \"%s\"", printable(argv[1]));
	ours_versions(loaded, installed);
	printf("vfio-ioas %s\n", VFIO_IOAS_VERSION);
	printf("module %s, loaded: %s\n", OUR_MODULE, loaded[0] ? loaded : "none");
	printf("module %s, installed: %s\n", OUR_MODULE, installed[0] ? installed : "none");
	return 0;
}

int main(int argc, char **argv)
{
	const struct subcommand *subcommand;

	output_begin();
	atexit(output_check);
	if (argc < 2) {
		usage(stderr);
		return EXIT_NOT_RUN;
	}
	if (is_help(argv[1])) {
		usage(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return version_main(1, argv);
	subcommand = find(argv[1]);
	return subcommand ? run(subcommand, argc - 1, argv + 1) : unknown(argv[1]);
}
