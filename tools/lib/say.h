/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * say.h - messages on the standard error, and whether the standard output took all
 */
#ifndef TOOLS_SAY_H
#define TOOLS_SAY_H

#include "common.h"

/* "vfio-ioas: ..." */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "vfio-ioas: warning: ..." */
void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * "vfio-ioas SUBCOMMAND: ...", and where to read more; or only the latter, after getopt_long()
 * has said the rest. Both return the exit status of a wrong command line.
 */
int usage_error(const char *subcommand, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int usage_hint(const char *subcommand);

/* A name as a terminal can show it: other characters become '?'. Valid until the next call. */
const char *printable(const char *name);

/*
 * Behind a message about an unknown word: '; did you mean "status"?', or "" if no word of the
 * list, which ends with NULL, is like it.
 */
const char *did_you_mean(const char *word, const char *const *known);

/*
 * Before anything is opened: descriptors 0, 1 and 2 are there, so that no file that is opened
 * later takes the place of one that was closed; writing to such a one fails.
 */
void output_begin(void);
/* Writes what was printed so far; what fails is known to output_check(). */
void output_flush(void);
/* At exit: ends the program with status 2 if something that was printed was not written. */
void output_check(void);

#endif
