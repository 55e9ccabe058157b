/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_tool.h - the program vfio-ioas as a user runs it
 */
#ifndef GUEST_LIB_TOOL_H
#define GUEST_LIB_TOOL_H

/* Runs "vfio-ioas" with these words; its exit status. */
int run_tool(const char *format, ...) __attribute__((format(printf, 1, 2)));
/*
 * Runs "vfio-ioas" with @words again and again while it succeeds without saying @text, for half
 * a minute: it gives up what takes long, and on a busy machine anything may.
 */
void run_tool_until_said(const char *text, const char *words);
/* Is that among what it printed? */
bool said(const char *text);
/* What it printed: was the text among it? Shows all if not. */
bool check_said_at(const char *file, int line, const char *text);
#define check_said(text)	check_said_at(__FILE__, __LINE__, text)

#endif
