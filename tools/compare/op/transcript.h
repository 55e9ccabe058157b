/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * transcript.h - what calls did, a line each, where the process that made
 * them, its children and what they exec() can all write, and the one that
 * compares can read even after they crashed
 */
#ifndef COMPARE_TRANSCRIPT_H
#define COMPARE_TRANSCRIPT_H

#include "lib/common.h"

#define TRANSCRIPT_FD_ENV	"VFIO_IOAS_TRANSCRIPT"
#define SAVED_BYTES		1024

/* Made once by the comparing process, before it forks. */
void transcript_create(void);
/* Found again by a program that was exec()ed. */
void transcript_attach(void);

void transcript_clear(void);
void transcript_add(const char *line);
/* The same, as printf() makes the line. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What all following lines of this process begin with. */
void say_prefix(const char *prefix);

/* Ends this process; the case cannot be run. */
void give_up(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));
/* Ends the case: it cannot be told here. */
void skip(const char *reason) __attribute__((noreturn));
/* Exit status of a process that skips its case. */
#define EXIT_SKIPPED	77
/* How a line begins that fails a case which judges for itself. */
#define EXPECT_FAILED	"NOT as expected"

/* All lines so far; and how many bytes they have. */
const char *transcript_lines(size_t *nbytes);
/* Was there a line that did not fit? It is lost. */
bool transcript_is_full(void);
/* The next lines come in behind the first nbytes. */
void transcript_cut(size_t nbytes);

/* Room for what a program hands over to itself across exec(). */
void *transcript_saved(void);

#endif
