/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * program.h - runs programs of the system as root may: from its own directories, and without what
 * the environment of the caller could tell them
 */
#ifndef TOOLS_PROGRAM_H
#define TOOLS_PROGRAM_H

#include "common.h"
#include "text.h"

/* The name of a program and its arguments; NULL at the end. Says why, and ends with 127. */
void program_execute(const char *const *words) __attribute__((noreturn));

/* Does it end with status 0? What it says on either output is added to said. */
bool program_run(const char *const *words, struct text *said);

#endif
