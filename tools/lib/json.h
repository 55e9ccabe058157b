/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * json.h - prints JSON on the standard output
 *
 * Commas are added automatically. The output is valid UTF-8, whatever bytes a string has.
 */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <stdbool.h>
#include <stdint.h>

/* key: NULL in a list, and for the outermost object. */
void json_open_object(const char *key);
void json_open_list(const char *key);
/* A list with one line for each member. */
void json_open_lines(const char *key);
/* Closes the innermost object or list. Ends the line after the outermost one. */
void json_close(void);

/* NULL is printed as null. Bytes that are not UTF-8 become U+FFFD. */
void json_add_string(const char *key, const char *value);
void json_add_number(const char *key, uint64_t value);
void json_add_bool(const char *key, bool value);

#endif
