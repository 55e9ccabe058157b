// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-ioas - what an administrator does with the module vfio_ioas
 */
#include <stdio.h>
#include <string.h>

#include "compare/common.h"
#include "subcommand.h"

static const struct subcommand subcommands[] = {
	{ "compare", "run the same calls on stock type1 and on ours, print what differs",
	  compare_main },
	{ "switch", "make programs that open /dev/vfio/vfio get our container; and back",
	  switch_main },
	{ "status", "who has which containers of ours, and how much memory in them",
	  status_main },
	{ "top", "the same, live", top_main },
};

#define NSUBCOMMANDS	ARRAY_SIZE(subcommands)

static void usage(FILE *file)
{
	unsigned int i;

	fprintf(file, "usage: vfio-ioas SUBCOMMAND [OPTION]...\n\n");
	for (i = 0; i < NSUBCOMMANDS; i++)
		fprintf(file, "  %-10s %s\n", subcommands[i].name,
			subcommands[i].summary);
	fprintf(file, "\n'vfio-ioas SUBCOMMAND --help' tells more.\n");
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	for (i = 0; argc > 1 && i < NSUBCOMMANDS; i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	usage(stderr);
	return 2;
}
