// SPDX-License-Identifier: GPL-2.0-only
/*
 * json.c - JSON on the standard output
 */
#include "json.h"

#include "common.h"

#define MAX_DEPTH	16

/* The open objects and lists. */
static struct {
	char closing;		/* the closing character */
	bool has_lines;		/* one line for each member */
} levels[MAX_DEPTH];
static unsigned int depth;
static bool first = true;		/* in the innermost level */

/* Length of the UTF-8 character at the start of a string, in bytes; 0 if it is invalid. */
static unsigned int utf8_nbytes(const unsigned char *bytes)
{
	unsigned int nbytes = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
	unsigned int i;

	if (bytes[0] < 0xc2 || bytes[0] > 0xf4)
		return 0;
	for (i = 1; i < nbytes; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	/* An overlong form, half of a surrogate pair, or a character beyond U+10FFFF. */
	if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) ||
	    (bytes[0] == 0xed && bytes[1] > 0x9f) ||
	    (bytes[0] == 0xf0 && bytes[1] < 0x90) ||
	    (bytes[0] == 0xf4 && bytes[1] > 0x8f))
		return 0;
	return nbytes;
}

/* Returns how many bytes were printed. */
static unsigned int print_char(const unsigned char *bytes)
{
	unsigned int nbytes = 1;

	if (*bytes == '"' || *bytes == '\\') {
		printf("\\%c", *bytes);
	} else if (*bytes < ' ' || *bytes == 0x7f) {
		printf("\\u%04x", *bytes);
	} else if (*bytes < 0x80) {
		putchar(*bytes);
	} else {
		nbytes = utf8_nbytes(bytes);
		if (nbytes)
			fwrite(bytes, 1, nbytes, stdout);
		else
			fputs("\\ufffd", stdout);
	}
	return nbytes ? nbytes : 1;
}

static void print_string(const char *string)
{
	const unsigned char *bytes = (const unsigned char *)string;

	if (!string) {
		fputs("null", stdout);
		return;
	}
	putchar('"');
	while (*bytes)
		bytes += print_char(bytes);
	putchar('"');
}

/* --- objects and lists */

static bool has_lines(void)
{
	return depth && levels[depth - 1].has_lines;
}

static void begin(const char *key)
{
	if (!first)
		fputs(has_lines() ? "," : ", ", stdout);
	if (has_lines())
		fputs("\n  ", stdout);
	first = false;
	if (!key)
		return;
	print_string(key);
	fputs(": ", stdout);
}

static void open_bracket(const char *key, char opens, char closes)
{
	if (depth == MAX_DEPTH)
		abort();
	begin(key);
	putchar(opens);
	levels[depth].closing = closes;
	levels[depth++].has_lines = false;
	first = true;
}

void json_open_object(const char *key)
{
	open_bracket(key, '{', '}');
}

void json_open_list(const char *key)
{
	open_bracket(key, '[', ']');
}

void json_open_lines(const char *key)
{
	json_open_list(key);
	levels[depth - 1].has_lines = true;
}

void json_close(void)
{
	if (has_lines())
		putchar('\n');
	putchar(levels[--depth].closing);
	first = !depth;
	if (!depth)
		putchar('\n');
}

void json_add_string(const char *key, const char *value)
{
	begin(key);
	print_string(value);
}

void json_add_number(const char *key, uint64_t value)
{
	begin(key);
	printf("%llu", (unsigned long long)value);
}

void json_add_bool(const char *key, bool value)
{
	begin(key);
	fputs(value ? "true" : "false", stdout);
}
