/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * transcript.h - the results of calls, one line each
 *
 * The process that makes the calls, its children and the programs that they exec() can all write
 * lines. The comparing process can read them even after a crash.
 */
#ifndef COMPARE_TRANSCRIPT_H
#define COMPARE_TRANSCRIPT_H

#include "lib/common.h"

#define TRANSCRIPT_FD_ENV	"VFIO_IOAS_TRANSCRIPT"
#define SAVED_BYTES		1024

/* Creates it, once, in the comparing process, before it forks. */
void transcript_create(void);
/* Finds it again in a program after exec(). */
void transcript_attach(void);

void transcript_clear(void);
void transcript_add(const char *line);
/* The same, with a format. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Sets a prefix for all following lines of this process. */
void say_prefix(const char *prefix);

/* Ends this process: the case cannot run. */
void give_up(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));
/* Ends the case: this machine cannot tell its result. */
void skip(const char *reason) __attribute__((noreturn));
/* Exit status of a process that skips its case. */
#define EXIT_SKIPPED	77
/* Prefix of a line that fails a case that judges for itself. */
#define EXPECT_FAILED	"NOT as expected"

/* Returns all lines so far, and their size. */
const char *transcript_lines(size_t *nbytes);
/* True if a line did not fit and was lost. */
bool transcript_is_full(void);
/* Cuts the transcript: the next lines follow its first nbytes. */
void transcript_cut(size_t nbytes);

/* Room for data that a program keeps across exec(). */
void *transcript_saved(void);

#endif
