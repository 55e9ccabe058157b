// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch.c - the command line of "vfio-ioas switch"
 */
#define _GNU_SOURCE
#include "switch.h"

#include <getopt.h>

#include "subcommand.h"

static const char help[] =
"usage: vfio-ioas switch on [--way WAY] [--persist] [--force]\n"
"       vfio-ioas switch off [--persist]\n"
"       vfio-ioas switch status [--json]\n"
"       vfio-ioas switch restore\n"
"\n"
"Makes programs that open /dev/vfio/vfio get our container instead of the kernel's, from now\n"
"on; containers that exist keep the backend they have. Needs root, but for status.\n"
"\n"
"  on        switches, after loading the module if need be; once more is harmless\n"
"  off       puts back exactly what was there; also after a crash, and without the module\n"
"  status    says which way is on, whether all agrees with that, who has containers open\n"
"  restore   does what 'on --persist' asked for (vfio-ioas.service does this at boot)\n"
"\n"
"  --way WAY   symlink   /dev/vfio/vfio becomes a symbolic link to ioas (default: the way\n"
"                        that is on, else this)\n"
"              node      our device node itself is at /dev/vfio/vfio: for programs that, like\n"
"                        SPDK, look for a descriptor with that name\n"
"              serve     /dev/vfio/vfio stays, and our module serves every container\n"
"  --persist   on: also after every boot, by /etc/vfio-ioas/switch; off: no longer\n"
"  --force     switch although processes have containers open that stay the kernel's, or the\n"
"              kernel has an iommufd of its own at /dev/iommu\n"
"  --json      status for programs\n"
"\n"
"Exit status: 0 done, 1 refused. Of status: 0 on, 1 off, 2 something does not agree.\n";

static int usage_error(const char *what, const char *argument)
{
	fprintf(stderr, "vfio-ioas: %s%s%s; 'vfio-ioas switch --help' tells more\n", what,
		*argument ? ": " : "", argument);
	return EXIT_NOT_RUN;
}

enum { OPT_WAY = 256, OPT_PERSIST, OPT_FORCE, OPT_JSON };

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "way", required_argument, NULL, OPT_WAY },
	{ "persist", no_argument, NULL, OPT_PERSIST },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ NULL, 0, NULL, 0 },
};

/* The command line. */
struct words {
	const char *action;
	struct request request;
	bool json;
	bool way;
};

static int take_option(struct words *words, int option)
{
	switch (option) {
	case OPT_WAY:
		words->way = true;
		words->request.way = way_find(optarg);
		return words->request.way == NWAYS ?
			       usage_error("no way of that name", optarg) : 0;
	case OPT_PERSIST:
		words->request.persist = true;
		return 0;
	case OPT_FORCE:
		words->request.force = true;
		return 0;
	case OPT_JSON:
		words->json = true;
		return 0;
	default:
		/* getopt_long() has said why. */
		return EXIT_NOT_RUN;
	}
}

static bool is(const struct words *words, const char *action)
{
	return strcmp(words->action, action) == 0;
}

static int run(const struct words *words)
{
	const struct request *request = &words->request;
	bool on = is(words, "on"), off = is(words, "off"), status = is(words, "status");

	if (!on && !off && !status && !is(words, "restore"))
		return usage_error("no action of that name", words->action);
	if (((words->way || request->force) && !on) ||
	    (request->persist && !on && !off) || (words->json && !status))
		return usage_error("an option that is not for this", words->action);
	if (on)
		return switch_on(request);
	if (off)
		return switch_off(request);
	return status ? switch_status(words->json) : switch_restore();
}

int switch_main(int argc, char **argv)
{
	struct words words = { 0 };
	int option, error;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return 0;
		}
		error = take_option(&words, option);
		if (error)
			return error;
	}
	if (optind + 1 != argc)
		return usage_error("on, off, status or restore, and one of them", "");
	words.action = argv[optind];
	return run(&words);
}
