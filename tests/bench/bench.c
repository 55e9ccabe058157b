// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench.c - measures the cost of containers, one backend against the others
 *
 * usage: bench [--rounds N] [--mib N] [--mappings N] [SUITE...]
 *
 * Backends take turns: a round of a suite is a session of each backend, and
 * the next round begins with another backend. So noise that lasts longer than
 * a session affects all of them. They see the same memory, page for page.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <getopt.h>

#define MAX_BACKENDS	3
#define ENTRY_LIMIT	"4294967295"

uint64_t bulk_nbytes = 256ULL << 20;
uint64_t max_mappings = 1000000;

static unsigned int nrounds = 9;
static char **wanted_names;

static const struct suite *const suites[] = {
	&bulk_suite, &calls_suite, &cold_suite, &threads_suite,
	&storage_suite, &growth_suite, &dirty_suite,
};

void sample(const struct session *session, const char *line, double value)
{
	if (session->recording)
		printf("sample %s %s %.4f\n", line, session->backend->name,
		       value);
}

void sample_ns(const struct session *session, const char *line, uint64_t ns,
	       uint64_t count)
{
	sample(session, line, (double)ns / (double)count);
}

static void run_session(const struct suite *suite,
			const struct backend *backend, bool recording)
{
	struct session session;

	session_open(&session, backend);
	if (suite->warm_up)
		suite->run(&session);
	session.recording = recording;
	suite->run(&session);
	session_close(&session);
}

/* Runs one more round than asked for: the first one warms up. */
static void run_suite(const struct suite *suite,
		      const struct backend *const *backends,
		      unsigned int nbackends)
{
	unsigned int last = suite->takes_long ? (nrounds + 1) / 2 : nrounds;
	unsigned int round, i;

	suite->set_up();
	for (round = 0; round <= last; round++)
		for (i = 0; i < nbackends; i++)
			run_session(suite, backends[(round + i) % nbackends],
				    round > 0);
	suite->tear_down();
	fflush(stdout);
}

static bool wanted(const struct suite *suite)
{
	char **name;

	for (name = wanted_names; *name; name++)
		if (strcmp(*name, suite->name) == 0)
			return true;
	return !*wanted_names;
}

static void bench(void)
{
	const struct backend *backends[MAX_BACKENDS];
	unsigned int nbackends = find_backends(backends, MAX_BACKENDS);
	unsigned int i;

	for (i = 0; i < nbackends; i++)
		printf("backend %s %s\n", backends[i]->name,
		       backends[i]->module);
	for (i = 0; i < ARRAY_SIZE(suites); i++)
		if (wanted(suites[i]))
			run_suite(suites[i], backends, nbackends);
	check_eq(vm_lck_kib(0), 0);
}

/* By default, both allow fewer mappings than the growth suite makes. */
static void lift_limits(void)
{
	param_try_set(TYPE1_MODULE, "dma_entry_limit", ENTRY_LIMIT);
	param_try_set(IOAS_MODULE, "dma_entry_limit", ENTRY_LIMIT);
}

static int usage(const char *name)
{
	fprintf(stderr, "usage: %s [--rounds N] [--mib N] [--mappings N] [SUITE...]\n",
		name);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "mib", required_argument, NULL, 'm' },
		{ "mappings", required_argument, NULL, 'n' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		uint64_t number = optarg ? strtoull(optarg, NULL, 0) : 0;

		if (option == '?' || !number)
			return usage(argv[0]);
		if (option == 'r')
			nrounds = (unsigned int)number;
		else if (option == 'm')
			bulk_nbytes = number << 20;
		else
			max_mappings = number;
	}
	wanted_names = argv + optind;
	if (bulk_nbytes % (2 * HUGE_BYTES))
		return usage(argv[0]);
	lift_limits();
	return run_alone(bench);
}
