/* SPDX-License-Identifier: GPL-2.0-only */
/* say.h - messages on the standard error, and checks of the standard output */
#ifndef TOOLS_SAY_H
#define TOOLS_SAY_H

#include "common.h"

/* "vfio-ioas: ..." */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "vfio-ioas: warning: ..." */
void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * usage_error() prints "vfio-ioas SUBCOMMAND: ..." and the hint. usage_hint() prints only the hint,
 * when getopt_long() has printed the error. Both return the exit status for a wrong command line.
 */
int usage_error(const char *subcommand, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int usage_hint(const char *subcommand);

/* Replaces unprintable characters by '?'. Valid until the next call. */
const char *printable(const char *name);

/*
 * A suggestion for an unknown word: '; did you mean "status"?', or "" if no known word is similar.
 * The list ends with NULL.
 */
const char *did_you_mean(const char *word, const char *const *known);

/*
 * Call this before any file is opened. It opens descriptors 0, 1 and 2 if they are closed, so that
 * no later file gets these numbers. Writing to such a descriptor fails.
 */
void output_begin(void);
/* Writes buffered output. output_check() reports a failure. */
void output_flush(void);
/* Runs at exit: ends the program with status 2 if any output could not be written. */
void output_check(void);

#endif
