/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parts.h - parts of cases that run after exec()
 */
#ifndef COMPARE_PARTS_H
#define COMPARE_PARTS_H

/* Does what exec_part() asked for; the exit status. */
int run_part(const char *name);

#endif
