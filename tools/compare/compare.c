// SPDX-License-Identifier: GPL-2.0-only
/* compare.c - the subcommand: chooses the work, prepares it and cleans up */
#include "compare.h"

#include "child.h"
#include "compare/cases/parts.h"
#include "compare/op/devices.h"
#include "compare/op/modules.h"
#include "compare/op/transcript.h"
#include "options.h"
#include "random_run.h"
#include "replay.h"
#include "report.h"
#include "run.h"

static bool is_ready(void)
{
	if (geteuid()) {
		fprintf(stderr, "vfio-ioas: compare needs root\n");
		return false;
	}
	if (!device_present(GROUP_A) && !device_present(GROUP_E)) {
		fprintf(stderr, "vfio-ioas: no device is bound to vfio-pci; bind one first\n");
		return false;
	}
	return options.exclusive || modules_have_both();
}

/* The sequences of --replay; they are read before anything else happens. */
static struct sequences sequences;

static int run(void)
{
	if (options.random)
		return run_random();
	if (options.replay)
		return run_replay(&sequences);
	return run_cases();
}

int compare_main(int argc, char **argv)
{
	int status;

	options_parse(argc, argv);
	if (options.part)
		return run_part(options.part);
	if (options.replay && !sequences_read(&sequences, options.replay))
		return EXIT_NOT_RUN;
	if (!devices_find(options.device_names, options.ndevice_names))
		return EXIT_NOT_RUN;
	if (options.list) {
		list_cases();
		return EXIT_SAME;
	}
	if (!is_ready())
		return EXIT_NOT_RUN;
	transcript_create();
	catch_interrupts();
	modules_save();
	params_warn();
	status = run();
	progress("%s", "");
	if (options.exclusive && !modules_restore())
		status = EXIT_NOT_RUN;
	if (interrupted)
		fprintf(stderr, "vfio-ioas: interrupted\n");
	return status;
}
