/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_tool.h - the program vfio-ioas as a user runs it
 */
#ifndef GUEST_LIB_TOOL_H
#define GUEST_LIB_TOOL_H

/* Runs "vfio-ioas" with these words. Returns its exit status. */
int run_tool(const char *format, ...) __attribute__((format(printf, 1, 2)));
/*
 * Runs "vfio-ioas" with @words until it prints @text or fails, for half a minute at most. The
 * program gives up actions that take long, and on a busy machine any action may.
 */
void run_tool_until_said(const char *text, const char *words);
/* Does its last output contain the text? */
bool said(const char *text);
/* Checks that its last output contains the text, and prints all of it if not. */
bool check_said_at(const char *file, int line, const char *text);
#define check_said(text)	check_said_at(__FILE__, __LINE__, text)

#endif
