// SPDX-License-Identifier: GPL-2.0-only
/*
 * transcript.c - lines in a shared memfd
 *
 * Several processes may add lines, but never at the same time: cases ensure that, because the order
 * of lines must be the same on both backends.
 */
#define _GNU_SOURCE
#include "transcript.h"

#include <stdarg.h>
#include <sys/mman.h>

#define TRANSCRIPT_BYTES	(128 * MIB)	/* MAX_OPS typical lines */

struct transcript {
	size_t nchars;
	bool is_full;
	uint8_t saved[SAVED_BYTES];
	char chars[];
};

static struct transcript *transcript;
static char prefix[32];	/* of this process */

static void map_transcript(int fd)
{
	void *mapped = mmap(NULL, TRANSCRIPT_BYTES, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);

	if (mapped == MAP_FAILED) {
		perror("transcript");
		exit(EXIT_NOT_RUN);
	}
	transcript = mapped;
}

void transcript_create(void)
{
	int fd = memfd_create("transcript", 0);
	char number[16];

	if (fd < 0 || ftruncate(fd, TRANSCRIPT_BYTES)) {
		perror("transcript");
		exit(EXIT_NOT_RUN);
	}
	snprintf(number, sizeof(number), "%d", fd);
	setenv(TRANSCRIPT_FD_ENV, number, 1);
	map_transcript(fd);
}

void transcript_attach(void)
{
	const char *number = getenv(TRANSCRIPT_FD_ENV);

	map_transcript(number ? atoi(number) : -1);
}

void transcript_clear(void)
{
	transcript->nchars = 0;
	transcript->is_full = false;
	transcript->chars[0] = '\0';
}

void transcript_cut(size_t nbytes)
{
	transcript->nchars = nbytes;
	transcript->chars[nbytes] = '\0';
}

static void add_chars(const char *chars, size_t nchars)
{
	memcpy(transcript->chars + transcript->nchars, chars, nchars);
	transcript->nchars += nchars;
}

void transcript_add(const char *line)
{
	size_t nchars = strlen(line), nprefix = strlen(prefix);
	size_t room = TRANSCRIPT_BYTES - sizeof(*transcript) - transcript->nchars;

	if (nprefix + nchars + 2 > room) {
		transcript->is_full = true;
		return;
	}
	add_chars(prefix, nprefix);
	add_chars(line, nchars);
	add_chars("\n", 1);
	transcript->chars[transcript->nchars] = '\0';
}

void say_prefix(const char *new_prefix)
{
	snprintf(prefix, sizeof(prefix), "%s", new_prefix);
}

void say(const char *format, ...)
{
	va_list arguments;
	char line[1024];

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	transcript_add(line);
}

void give_up(const char *format, ...)
{
	char reason[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	say("gave up: %s", reason);
	_exit(EXIT_NOT_RUN);
}

void skip(const char *reason)
{
	say("skipped: %s", reason);
	_exit(EXIT_SKIPPED);
}

const char *transcript_lines(size_t *nbytes)
{
	*nbytes = transcript->nchars;
	return transcript->chars;
}

bool transcript_is_full(void)
{
	return transcript->is_full;
}

void *transcript_saved(void)
{
	return transcript->saved;
}
