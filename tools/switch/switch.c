// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch.c - the command line of "vfio-ioas switch"
 */
#define _GNU_SOURCE
#include "switch.h"

#include <getopt.h>

#include "lib/number.h"
#include "lib/say.h"
#include "switch_change.h"
#include "switch_lock.h"
#include "switch_situation.h"
#include "switch_status.h"

#define MAX_TIMEOUT	86400	/* seconds */

static const char help[] =
"usage: vfio-ioas switch on [--mode MODE] [--persist] [--force] [--dry-run]\n"
"                           [--timeout SECONDS]\n"
"       vfio-ioas switch off [--persist] [--dry-run] [--timeout SECONDS]\n"
"       vfio-ioas switch status [--json]\n"
"       vfio-ioas switch restore [--timeout SECONDS]\n"
"       vfio-ioas switch refresh [--timeout SECONDS]\n"
"\n"
"Selects the container that programs get when they open /dev/vfio/vfio: ours or the kernel's.\n"
"Containers that exist keep their backend. Needs root, except for status and --dry-run.\n"
"\n"
"  on        loads the module if necessary, and switches; repeating it is harmless\n"
"  off       restores exactly what was there, even after a crash or without the module\n"
"  status    shows the current mode, anything that does not agree with it, and the processes\n"
"            that have containers or /dev/iommu open\n"
"  restore   switches on what 'on --persist' has stored (vfio-ioas.service runs it at boot)\n"
"  refresh   repairs the switch after the module was loaded or unloaded (udev runs it)\n"
"\n"
"  --mode MODE symlink   /dev/vfio/vfio becomes a symbolic link to ioas. This is the default,\n"
"                        unless another mode is on\n"
"              node      /dev/vfio/vfio becomes a name of our device node, for programs that\n"
"                        look for a descriptor with that name, as SPDK does\n"
"              serve     /dev/vfio/vfio stays, and our module serves every container\n"
"              --way is the old name of this option\n"
"  --persist   on: also after every boot, by /etc/vfio-ioas/switch; off: no longer\n"
"  --force     switch on even if processes use devices through containers of the kernel's,\n"
"              the kernel has its own iommufd at /dev/iommu, or AppArmor would keep libvirt's\n"
"              domains from our node\n"
"  --dry-run   make all checks and print what would be done, but change nothing\n"
"  --timeout SECONDS\n"
"              wait at most this long for another switch to end (30)\n"
"  --json      print status as JSON\n"
"\n"
"Exit status: 0 done, 1 refused, 2 the command line is wrong, or input or output failed.\n"
"Exit status of status: 0 on, 1 off, 3 something does not agree.\n";

enum { OPT_MODE = 256, OPT_PERSIST, OPT_FORCE, OPT_DRY_RUN, OPT_TIMEOUT, OPT_JSON };

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "way", required_argument, NULL, OPT_MODE },	/* the old name */
	{ "persist", no_argument, NULL, OPT_PERSIST },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ NULL, 0, NULL, 0 },
};

/* Options that an action takes. */
#define TAKES_MODE	1	/* and --force */
#define TAKES_PERSIST	2	/* and --dry-run */
#define TAKES_TIMEOUT	4
#define TAKES_JSON	8

/* The parsed command line. */
struct words {
	struct request request;
	bool json;
	unsigned int given;	/* options given: TAKES_... */
};

static int run_on(const struct words *words)
{
	return switch_on(&words->request);
}

static int run_off(const struct words *words)
{
	return switch_off(&words->request);
}

static int run_status(const struct words *words)
{
	return switch_status(words->json);
}

static int run_restore(const struct words *words)
{
	return switch_restore(&words->request);
}

static int run_refresh(const struct words *words)
{
	return switch_refresh(&words->request);
}

static const struct action {
	const char *name;
	unsigned int takes;
	int (*run)(const struct words *words);
} actions[] = {
	{ "on", TAKES_MODE | TAKES_PERSIST | TAKES_TIMEOUT, run_on },
	{ "off", TAKES_PERSIST | TAKES_TIMEOUT, run_off },
	{ "status", TAKES_JSON, run_status },
	{ "restore", TAKES_TIMEOUT, run_restore },
	{ "refresh", TAKES_TIMEOUT, run_refresh },
};

static const struct action *find_action(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

static int take_mode(struct words *words)
{
	static const char *const known[] = { "symlink", "node", "serve", NULL };

	words->given |= TAKES_MODE;
	words->request.mode = mode_find(optarg);
	if (words->request.mode != NMODES)
		return 0;
	return usage_error("switch", "--mode: unknown mode \"%s\"%s", printable(optarg),
			   did_you_mean(optarg, known));
}

static int take_option(struct words *words, int option)
{
	switch (option) {
	case OPT_MODE:
		return take_mode(words);
	case OPT_PERSIST:
		words->given |= TAKES_PERSIST;
		words->request.persist = true;
		return 0;
	case OPT_FORCE:
		words->given |= TAKES_MODE;
		words->request.force = true;
		return 0;
	case OPT_DRY_RUN:
		words->given |= TAKES_PERSIST;
		words->request.dry_run = true;
		return 0;
	case OPT_TIMEOUT:
		words->given |= TAKES_TIMEOUT;
		words->request.timeout = (unsigned int)
			number_of_option("switch", "--timeout", optarg, 0, MAX_TIMEOUT);
		return 0;
	case OPT_JSON:
		words->given |= TAKES_JSON;
		words->json = true;
		return 0;
	default:
		/* getopt_long() has printed the reason. */
		return usage_hint("switch");
	}
}

static int run(const struct words *words, const char *name)
{
	static const char *const known[] = { "on", "off", "status", "restore", "refresh", NULL };
	const struct action *action = find_action(name);

	if (!action)
		return usage_error("switch", "unknown action \"%s\"%s", printable(name),
				   did_you_mean(name, known));
	if (words->given & ~action->takes)
		return usage_error("switch", "\"%s\" does not take all of these options", name);
	return action->run(words);
}

int switch_main(int argc, char **argv)
{
	struct words words = { .request.timeout = LOCK_SECONDS };
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
	if (optind == argc)
		return usage_error("switch", "missing action: on, off, status, restore or refresh");
	if (optind + 1 < argc)
		return usage_error("switch", "one action at a time, not also \"%s\"",
				   printable(argv[optind + 1]));
	return run(&words, argv[optind]);
}
