/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * program.h - runs programs of the system safely as root
 *
 * Programs come from the system's directories only, and do not get the caller's environment.
 */
#ifndef TOOLS_PROGRAM_H
#define TOOLS_PROGRAM_H

#include "common.h"
#include "text.h"

/*
 * Executes a program by its name, with arguments up to NULL. If that fails, prints why and ends
 * with status 127.
 */
void program_execute(const char *const *words) __attribute__((noreturn));

/* True if it ends with status 0. Both of its outputs are added to said. */
bool program_run(const char *const *words, struct text *said);

#endif
