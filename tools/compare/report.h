/* SPDX-License-Identifier: GPL-2.0-only */
/* report.h - prints verdicts as text, TAP or JSON */
#ifndef COMPARE_REPORT_H
#define COMPARE_REPORT_H

#include "diff.h"

void report_begin(void);
void report(const char *name, const char *checks,
	    const struct comparison *comparison);
/* Prints a line that is no verdict. */
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints the last lines. Returns the exit status that follows from all verdicts. */
int report_end(void);

/* Shows the current activity on a terminal. An empty text removes it. */
void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
