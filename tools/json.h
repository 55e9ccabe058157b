/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * json.h - strings in JSON on the standard output
 */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

/* In quotes; NULL is null. What is not UTF-8 becomes U+FFFD. */
void json_string(const char *string);
/* "key": "value" with a comma before it, unless it is the first. */
void json_member(bool first, const char *key, const char *value);

#endif
