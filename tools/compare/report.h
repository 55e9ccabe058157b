/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.h - verdicts as text, TAP or JSON
 */
#ifndef COMPARE_REPORT_H
#define COMPARE_REPORT_H

#include "diff.h"

void report_begin(void);
void report(const char *name, const char *checks,
	    const struct comparison *comparison);
/* A line for the reader that is no verdict. */
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The last lines; returns the exit status that follows from all verdicts. */
int report_end(void);

/* On a terminal: what is being done. An empty text takes it away. */
void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
