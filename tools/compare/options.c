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
"Makes the same calls to stock type1 (vfio_iommu_type1) and to ours (vfio_ioas), on devices\n"
"bound to vfio-pci, and prints what differs: results, what was written back, what is charged\n"
"to the process (VmLck), how many mappings may still be made. Nothing else may use the\n"
"devices meanwhile. Needs root.\n"
"\n"
"Without --random or --replay the named cases are run.\n"
"\n"
"What to run\n"
"  --list               list the cases, with what they check and what they need\n"
"  --run PATTERN        only cases whose name matches (as in a shell; more than once: several)\n"
"  --skip PATTERN       not the cases whose name matches\n"
"  --random             random sequences of calls instead of the cases; --seed,\n"
"                       --iterations and --length imply it\n"
"    --seed N           where the random numbers begin (default: another one each time)\n"
"    --iterations N     calls altogether (10000)\n"
"    --length N         calls a sequence (150)\n"
"    --output FILE      where a sequence that differs is written, made as short as possible\n"
"                       (vfio-ioas-difference; if there is one, with .2, .3, ... behind it)\n"
"  --replay FILE        the sequences in a file: one of --random, or what a program did; it is\n"
"                       recorded by VFIO_IOAS_RECORD=FILE (a new one)\n"
"                       LD_PRELOAD=" RECORD_DIR "/libvfio-ioas-record.so\n"
"                       All of it is checked first: it may be somebody else's\n"
"  --without FEATURE    leave out dirty, vaddr, mmio or emulated; or groups: random calls in\n"
"                       which groups come and go (more than once: several)\n"
"\n"
"On what\n"
"  --device ADDRESS     a PCI device, 0000:00:03.0 (more than once: several; default: all that\n"
"                       are bound to vfio-pci). The first two that are in different groups are\n"
"                       used. Cases with DMA need QEMU's edu. Emulated devices are those of\n"
"                       vfio_ioas_emulated_test.ko, if it is loaded\n"
"  --file FILE          a file of 16 KiB or a block device, with write-back, not on tmpfs, for\n"
"                       the cases about such memory, and for a recording of a program that maps\n"
"                       such (kind=file); it is mapped, its contents stay as they are\n"
"\n"
"How\n"
"  --exclusive          have only the one module loaded whose turn it is, and restore what was\n"
"                       loaded and its parameters. Else, when SET_IOMMU fails on ours, vfio.ko\n"
"                       goes on to stock type1: that is a difference, unless stock refuses, too\n"
"  --ioas-module FILE   load our module from there, not from /lib/modules\n"
"  --intrusive          also cases that unbind a device from vfio-pci for a moment or change\n"
"                       parameters of the modules\n"
"  --timeout SECONDS    that one case, or one sequence, may take (60)\n"
"  --format FORMAT      text (default), tap or json; also --tap, --json\n"
"  --verbose            show also what is the same, with all calls\n"
"  --self-test BACKEND  compare stock, or ours, with itself: what differs then is no difference,\n"
"                       and what the kernel complains of is that backend's\n"
"\n"
"Exit status: 0 nothing differs but what is meant to (docs/differences.md), 1 something does,\n"
"2 it could not run.\n";

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
	fail("no feature of that name", name);
	return 0;
}

static enum backend backend(const char *name)
{
	if (strcmp(name, "stock") == 0)
		return STOCK;
	if (strcmp(name, "ours") == 0)
		return OURS;
	fail("no backend of that name", name);
	return NBACKENDS;
}

static enum format format(const char *name)
{
	static const char *const names[] = { "text", "tap", "json" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum format)i;
	fail("no format of that name", name);
	return FORMAT_TEXT;
}

/* Returns the new length of the list. */
static unsigned int add(const char **list, unsigned int nlist, unsigned int max, const char *word)
{
	if (nlist == max)
		fail("too many", word);
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
		fail("what is that", argv[optind]);
	if (options.random && options.replay)
		fail("either --random or --replay", "");
}
