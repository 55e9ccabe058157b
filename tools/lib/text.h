/* SPDX-License-Identifier: GPL-2.0-only */
/* text.h - growing text, and numbers for readers */
#ifndef TOOLS_TEXT_H
#define TOOLS_TEXT_H

#include "common.h"

/* All zeroes: an empty text. */
struct text {
	char *chars;		/* NUL at the end; NULL while empty */
	size_t nchars;
	size_t nbytes;		/* allocated */
};

void text_add(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void text_add_chars(struct text *text, const char *chars, size_t nchars);
/* Reads a descriptor up to its end: 0 or an errno. */
int text_add_all(struct text *text, int fd);
void text_clear(struct text *text);
void text_free(struct text *text);
const char *text_chars(const struct text *text);

/* "EINVAL", or a number if the error has no name. Valid until the next call. */
const char *errno_name(int error);
/* Adds " = 0" or " = -EINVAL": result is a call's return value, or -errno. */
void text_add_result(struct text *text, long long result);

/* FNV-1a. Pass the last result as hash to add more bytes. */
#define HASH_START	0xcbf29ce484222325ULL
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t nbytes);

/* Reads a file's first line, without the newline: 0 or -errno. */
int read_line(const char *path, char *buffer, size_t nbytes);
int write_line(const char *path, const char *line);
/* Gets the last component of a symbolic link's target: 0 or -errno. */
int link_name(const char *path, char *name, size_t nbytes);

#endif
