/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * options.h - the command line of "vfio-ioas compare"
 */
#ifndef COMPARE_OPTIONS_H
#define COMPARE_OPTIONS_H

#include "compare/op/backend.h"
#include "lib/common.h"

/* Exit statuses of "vfio-ioas compare", besides EXIT_NOT_RUN. */
#define EXIT_SAME	0
#define EXIT_DIFFERENT	1

#define MAX_PATTERNS	64
#define MAX_NAMED	16

enum format {
	FORMAT_TEXT,
	FORMAT_TAP,
	FORMAT_JSON,
};

struct options {
	bool list;
	bool exclusive;
	bool intrusive;
	bool random;
	enum backend self_test;	/* the backend to compare with itself; NBACKENDS: none */
	bool verbose;
	enum format format;
	const char *patterns[MAX_PATTERNS];
	unsigned int npatterns;
	const char *skips[MAX_PATTERNS];
	unsigned int nskips;
	const char *device_names[MAX_NAMED];
	unsigned int ndevice_names;
	const char *replay;
	const char *output;	/* file for a sequence that differs */
	const char *part;	/* from exec_part() */
	unsigned int timeout;	/* seconds a case or batch may take */
	uint64_t seed;
	uint64_t iterations;	/* calls */
	unsigned int length;	/* of a sequence, in calls */
	unsigned int without;	/* features to leave out */
};

/* Features that random sequences can be made without. */
#define WITHOUT_DIRTY		(1U << 0)
#define WITHOUT_VADDR		(1U << 1)
#define WITHOUT_EMULATED	(1U << 2)
#define WITHOUT_GROUPS		(1U << 3)
#define WITHOUT_MMIO		(1U << 4)

extern struct options options;

/* Exits after printing help, or if the arguments are wrong. */
void options_parse(int argc, char **argv);

#endif
