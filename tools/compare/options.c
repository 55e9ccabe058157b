// SPDX-License-Identifier: GPL-2.0-only
/*
 * options.c - the command line of "vfio-ioas compare"
 */
#define _GNU_SOURCE
#include "options.h"

#include <getopt.h>
#include <sys/random.h>
#include <time.h>

#include "compare/op/memory.h"
#include "compare/op/modules.h"
#include "lib/number.h"

#define MAX_ITERATIONS	1000000000ULL
#define MAX_LENGTH	100000U
#define MAX_TIMEOUT	86400U		/* seconds: a day */

struct options options = {
	.self_test = NBACKENDS,
	.timeout = 60,
	.iterations = 10000,
	.length = 150,
	.output = "vfio-ioas-difference",
};

static const char help[] =
"usage: vfio-ioas compare [OPTION]...\n"
"\n"
"Makes the same calls to stock type1 (vfio_iommu_type1) and to ours (vfio_ioas). Prints the\n"
"differences in results, in structs written back, in the memory charged to the process (VmLck),\n"
"and in the number of mappings left. The devices are those bound to vfio-pci. Nothing else may\n"
"use them meanwhile. Needs root.\n"
"\n"
"Without --random or --replay it runs named cases.\n"
"\n"
"What to run\n"
"  --list               list the cases with their checks and needs\n"
"  --run PATTERN        run only cases whose name matches a shell pattern (may be repeated)\n"
"  --skip PATTERN       skip cases whose name matches (may be repeated)\n"
"  --random             run random sequences of calls instead of cases; implied by --seed,\n"
"                       --iterations and --length\n"
"    --seed N           seed of the random numbers (default: a new one in each run)\n"
"    --iterations N     number of calls in all sequences together (10000)\n"
"    --length N         number of calls in a sequence (150)\n"
"    --output FILE      new file for a sequence that differs, made as short as possible\n"
"                       (vfio-ioas-difference; if it exists, .2, .3, ... is appended)\n"
"  --replay FILE        run the sequences in a file, written by --random or by the recorder.\n"
"                       This records a program to a new file:\n"
"                       VFIO_IOAS_RECORD=FILE\n"
"                       LD_PRELOAD=" RECORD_DIR "/libvfio-ioas-record.so\n"
"                       The whole file is checked first, so it need not be trusted\n"
"  --without FEATURE    leave out dirty, vaddr, mmio, emulated or groups; groups means random\n"
"                       calls in which groups join and leave (may be repeated)\n"
"\n"
"On what\n"
"  --device ADDRESS     use this PCI device, such as 0000:00:03.0 (may be repeated; default: all\n"
"                       that are bound to vfio-pci). The first two in different groups are used.\n"
"                       Cases with DMA need QEMU's edu. Emulated devices are those of\n"
"                       vfio_ioas_emulated_test.ko, if it is loaded\n"
"  --file FILE          use this file of 16 KiB, not on tmpfs, or this block device, for cases\n"
"                       about file mappings and for recordings that map a file (kind=file).\n"
"                       Its contents do not change\n"
"\n"
"How\n"
"  --exclusive          load only the module whose turn it is, and finally restore modules and\n"
"                       parameters. Without this, vfio.ko tries stock type1 when ours refuses\n"
"                       SET_IOMMU: a difference, unless stock refuses, too\n"
"  --ioas-module FILE   load our module from this file instead of /lib/modules\n"
"  --intrusive          also run cases that unbind a device from vfio-pci for a moment, or\n"
"                       change parameters of the modules\n"
"  --timeout SECONDS    time limit of a case or a sequence (60)\n"
"  --format FORMAT      text (default), tap or json; also --tap, --json\n"
"  --verbose            also show calls that do not differ\n"
"  --self-test BACKEND  compare stock, or ours, with itself: any difference is then noise, and\n"
"                       the kernel's complaints are about this backend\n"
"\n"
"Exit status: 0 all differences are intended (docs/differences.md), 1 some are not, 2 it could\n"
"not run.\n";

static void fail(const char *what, const char *argument)
{
	fprintf(stderr, "vfio-ioas: %s%s%s; --help lists the options\n", what,
		*argument ? ": " : "", argument);
	exit(EXIT_NOT_RUN);
}

static unsigned int feature(const char *name)
{
	static const char *const names[] = {
		"dirty", "vaddr", "emulated", "groups", "mmio"
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return 1U << i;
	fail("unknown feature", name);
	return 0;
}

static enum backend backend(const char *name)
{
	if (strcmp(name, "stock") == 0)
		return STOCK;
	if (strcmp(name, "ours") == 0)
		return OURS;
	fail("unknown backend", name);
	return NBACKENDS;
}

static enum format format(const char *name)
{
	static const char *const names[] = { "text", "tap", "json" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum format)i;
	fail("unknown format", name);
	return FORMAT_TEXT;
}

/* Returns the new length of the list. */
static unsigned int add(const char **list, unsigned int nlist, unsigned int max, const char *word)
{
	if (nlist == max)
		fail("this option is given too often", word);
	list[nlist] = word;
	return nlist + 1;
}

enum {
	OPT_LIST = 256, OPT_RUN, OPT_SKIP, OPT_RANDOM, OPT_SEED, OPT_ITERATIONS,
	OPT_LENGTH, OPT_WITHOUT, OPT_OUTPUT, OPT_REPLAY, OPT_DEVICE, OPT_FILE,
	OPT_EXCLUSIVE, OPT_MODULE, OPT_INTRUSIVE, OPT_TIMEOUT, OPT_FORMAT,
	OPT_TAP, OPT_JSON, OPT_VERBOSE, OPT_SELF_TEST, OPT_PART,
};

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "run", required_argument, NULL, OPT_RUN },
	{ "skip", required_argument, NULL, OPT_SKIP },
	{ "random", no_argument, NULL, OPT_RANDOM },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "iterations", required_argument, NULL, OPT_ITERATIONS },
	{ "length", required_argument, NULL, OPT_LENGTH },
	{ "without", required_argument, NULL, OPT_WITHOUT },
	{ "output", required_argument, NULL, OPT_OUTPUT },
	{ "replay", required_argument, NULL, OPT_REPLAY },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "file", required_argument, NULL, OPT_FILE },
	{ "exclusive", no_argument, NULL, OPT_EXCLUSIVE },
	{ "ioas-module", required_argument, NULL, OPT_MODULE },
	{ "intrusive", no_argument, NULL, OPT_INTRUSIVE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "tap", no_argument, NULL, OPT_TAP },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "self-test", required_argument, NULL, OPT_SELF_TEST },
	{ "part", required_argument, NULL, OPT_PART },
	{ NULL, 0, NULL, 0 },
};

static void apply_flag(int option)
{
	switch (option) {
	case 'h':
		fputs(help, stdout);
		exit(EXIT_SAME);
	case OPT_LIST:
		options.list = true;
		break;
	case OPT_RANDOM:
		options.random = true;
		break;
	case OPT_EXCLUSIVE:
		options.exclusive = true;
		break;
	case OPT_INTRUSIVE:
		options.intrusive = true;
		break;
	case OPT_TAP:
		options.format = FORMAT_TAP;
		break;
	case OPT_JSON:
		options.format = FORMAT_JSON;
		break;
	case OPT_VERBOSE:
		options.verbose = true;
		break;
	default:
		/* getopt_long() has printed the reason. */
		exit(EXIT_NOT_RUN);
	}
}

static uint64_t number(const char *option, const char *argument, uint64_t min, uint64_t max)
{
	return number_of_option("compare", option, argument, min, max);
}

static void apply_number(int option, const char *argument)
{
	options.random = options.random || option != OPT_TIMEOUT;
	switch (option) {
	case OPT_SEED:
		options.seed = number("--seed", argument, 0, UINT64_MAX);
		break;
	case OPT_ITERATIONS:
		options.iterations = number("--iterations", argument, 1, MAX_ITERATIONS);
		break;
	case OPT_LENGTH:
		options.length = (unsigned int)number("--length", argument, 1, MAX_LENGTH);
		break;
	case OPT_TIMEOUT:
		options.timeout = (unsigned int)number("--timeout", argument, 1, MAX_TIMEOUT);
		break;
	}
}

static void apply_word(int option, const char *argument)
{
	switch (option) {
	case OPT_RUN:
		options.npatterns = add(options.patterns, options.npatterns, MAX_PATTERNS,
					argument);
		break;
	case OPT_SKIP:
		options.nskips = add(options.skips, options.nskips, MAX_PATTERNS, argument);
		break;
	case OPT_DEVICE:
		options.ndevice_names = add(options.device_names, options.ndevice_names, MAX_NAMED,
					    argument);
		break;
	case OPT_WITHOUT:
		options.without |= feature(argument);
		break;
	case OPT_OUTPUT:
		options.output = argument;
		break;
	case OPT_REPLAY:
		options.replay = argument;
		break;
	case OPT_FILE:
		memory_file = argument;
		break;
	case OPT_MODULE:
		our_module_file = argument;
		break;
	case OPT_FORMAT:
		options.format = format(argument);
		break;
	case OPT_PART:
		options.part = argument;
		break;
	case OPT_SELF_TEST:
		options.self_test = backend(argument);
		break;
	}
}

/* Few digits, so that it is easy to type. */
static uint64_t fresh_seed(void)
{
	uint32_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = (uint32_t)time(NULL);
	return seed;
}

void options_parse(int argc, char **argv)
{
	int option;

	options.seed = fresh_seed();
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (option) {
		case OPT_SEED:
		case OPT_ITERATIONS:
		case OPT_LENGTH:
		case OPT_TIMEOUT:
			apply_number(option, optarg);
			break;
		default:
			if (optarg)
				apply_word(option, optarg);
			else
				apply_flag(option);
		}
	}
	if (optind < argc)
		fail("unknown argument", argv[optind]);
	if (options.random && options.replay)
		fail("--random and --replay exclude each other", "");
}
