/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * json.h - JSON on the standard output
 *
 * Commas are put by themselves. What is printed is valid UTF-8, whatever the bytes of a string.
 */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <stdbool.h>
#include <stdint.h>

/* key: NULL in a list, and of the outermost object. */
void json_open_object(const char *key);
void json_open_list(const char *key);
/* A list with a line for each member. */
void json_open_lines(const char *key);
/* Ends the innermost object or list; the line, if it was the outermost. */
void json_close(void);

/* NULL is null. What is not UTF-8 becomes U+FFFD. */
void json_add_string(const char *key, const char *value);
void json_add_number(const char *key, uint64_t value);
void json_add_bool(const char *key, bool value);

#endif
