/* SPDX-License-Identifier: GPL-2.0-only */
/* parts.h - the parts of cases that run after exec() */
#ifndef COMPARE_PARTS_H
#define COMPARE_PARTS_H

/* Runs the part that exec_part() asked for. Returns the exit status. */
int run_part(const char *name);

#endif
