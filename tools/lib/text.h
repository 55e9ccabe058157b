/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text.h - text that grows, and numbers as a reader wants them
 */
#ifndef TOOLS_TEXT_H
#define TOOLS_TEXT_H

#include "common.h"

/* Zeroes are an empty text. */
struct text {
	char *chars;		/* NUL at the end; NULL while empty */
	size_t nchars;
	size_t nbytes;		/* allocated */
};

void text_add(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void text_add_chars(struct text *text, const char *chars, size_t nchars);
/* All that a descriptor has to give, up to its end: 0 or an errno. */
int text_add_all(struct text *text, int fd);
void text_clear(struct text *text);
void text_free(struct text *text);
const char *text_chars(const struct text *text);

/* "EINVAL"; a number where there is no name. Valid until the next call. */
const char *errno_name(int error);
/* " = 0", " = -EINVAL": what a call returned, or -errno. */
void text_add_result(struct text *text, long long result);

/* FNV-1a; more of it by handing in the last result. */
#define HASH_START	0xcbf29ce484222325ULL
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t nbytes);

/* A file's first line into buffer, without the newline: 0 or -errno. */
int read_line(const char *path, char *buffer, size_t nbytes);
int write_line(const char *path, const char *line);
/* The last part of the path a symbolic link leads to: 0 or -errno. */
int link_name(const char *path, char *name, size_t nbytes);

#endif
