// SPDX-License-Identifier: GPL-2.0-only
/* run.c - runs all cases on stock type1, then on ours, and compares */
#include "run.h"

#include <fnmatch.h>

#include "child.h"
#include "compare/cases/calls.h"
#include "compare/cases/case_table.h"
#include "compare/op/modules.h"
#include "compare/op/setup.h"
#include "diff.h"
#include "lib/allocate.h"
#include "needs.h"
#include "options.h"
#include "report.h"

#define NAME_BYTES	112

struct run {
	const struct test_case *test_case;
	unsigned long type;
	char name[NAME_BYTES];
	const char *missing;
	struct outcome outcomes[NBACKENDS];
};

struct runs {
	struct run *runs;
	size_t nruns;
};

enum backend whose_turn(enum backend backend)
{
	return options.self_test == NBACKENDS ? backend : options.self_test;
}

bool turn_to(enum backend backend)
{
	return !options.exclusive || modules_have_only(whose_turn(backend));
}

static bool is_wanted(const char *name)
{
	unsigned int i;

	for (i = 0; i < options.nskips; i++)
		if (fnmatch(options.skips[i], name, 0) == 0)
			return false;
	for (i = 0; i < options.npatterns; i++)
		if (fnmatch(options.patterns[i], name, 0) == 0)
			return true;
	return options.npatterns == 0;
}

static void add_run(struct runs *runs, const struct test_case *test_case,
		    unsigned long type, const char *suffix)
{
	struct run run = { .test_case = test_case, .type = type };

	snprintf(run.name, sizeof(run.name), "%s%s", test_case->name, suffix);
	if (!is_wanted(run.name))
		return;
	run.missing = missing_need(test_case->needs);
	runs->runs = grow(runs->runs, runs->nruns, sizeof(*runs->runs));
	runs->runs[runs->nruns++] = run;
}

static void collect(struct runs *runs)
{
	unsigned int i, j;

	for (i = 0; i < ncase_groups; i++) {
		for (j = 0; j < case_groups[i]->ncases; j++) {
			const struct test_case *test_case =
				&case_groups[i]->cases[j];

			add_run(runs, test_case, V2, "");
			if (test_case->needs & BOTH_TYPES)
				add_run(runs, test_case, V1, "_on_type1");
		}
	}
}

struct job {
	const struct run *run;
	enum backend backend;
};

static void do_job(void *argument)
{
	const struct job *job = argument;

	setup_init(whose_turn(job->backend), options.exclusive);
	setup.type = job->run->type;
	setup.without_dirty = options.without & WITHOUT_DIRTY;
	setup.without_vaddr = options.without & WITHOUT_VADDR;
	job->run->test_case->run();
	setup_close();
}

static bool run_batch(struct runs *runs, enum backend backend)
{
	size_t i;

	if (!turn_to(backend))
		return false;
	for (i = 0; i < runs->nruns && !interrupted; i++) {
		struct run *run = &runs->runs[i];
		struct job job = { .run = run, .backend = backend };

		if (run->missing || (run->test_case->needs & ONLY_IOAS &&
				     whose_turn(backend) == STOCK))
			continue;
		progress("%s %zu/%zu %s", backend_modules[backend], i + 1,
			 runs->nruns, run->name);
		child_run(do_job, &job, options.timeout,
			  &run->outcomes[backend]);
		if (run->test_case->needs & INTRUSIVE)
			params_restore(whose_turn(backend));
	}
	return !interrupted;
}

static void report_run(const struct run *run)
{
	struct comparison comparison = { 0 };

	if (run->missing) {
		comparison.verdict = VERDICT_SKIPPED;
		snprintf(comparison.reason, sizeof(comparison.reason), "%s", run->missing);
	} else if (run->test_case->needs & ONLY_IOAS && options.self_test == STOCK) {
		comparison.verdict = VERDICT_SKIPPED;
		snprintf(comparison.reason, sizeof(comparison.reason), "only for ours");
	} else if (run->test_case->needs & ONLY_IOAS) {
		judge_outcome(&run->outcomes[OURS], &comparison);
	} else {
		compare_outcomes(run->name, &run->outcomes[STOCK],
				 &run->outcomes[OURS], &comparison);
		if (comparison.verdict != VERDICT_SKIPPED &&
		    options.self_test == NBACKENDS)
			find_absent(run->name, &comparison);
	}
	if (options.verbose && !comparison.excerpt.nchars)
		text_add(&comparison.excerpt, "%s",
			 text_chars(&run->outcomes[OURS].transcript));
	report(run->name, run->test_case->checks, &comparison);
	text_free(&comparison.excerpt);
}

int run_cases(void)
{
	struct runs runs = { 0 };
	size_t i;

	collect(&runs);
	if (!runs.nruns) {
		fprintf(stderr, "vfio-ioas: no case matches; --list shows all\n");
		return EXIT_NOT_RUN;
	}
	if (!run_batch(&runs, STOCK) || !run_batch(&runs, OURS))
		return EXIT_NOT_RUN;
	report_begin();
	for (i = 0; i < runs.nruns; i++)
		report_run(&runs.runs[i]);
	return report_end();
}

void list_cases(void)
{
	struct runs runs = { 0 };
	size_t i;

	collect(&runs);
	for (i = 0; i < runs.nruns; i++) {
		const struct run *run = &runs.runs[i];

		printf("%s\n    %s", run->name, run->test_case->checks);
		if (*run->test_case->numbers)
			printf(" (%s)", run->test_case->numbers);
		if (run->missing)
			printf(" [not here: %s]", run->missing);
		putchar('\n');
	}
}
