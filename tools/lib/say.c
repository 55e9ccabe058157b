// SPDX-License-Identifier: GPL-2.0-only
/*
 * say.c - messages
 */
#define _GNU_SOURCE
#include "say.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <strings.h>

#define MAX_WORD	32	/* characters; a longer word is no typing error */

static void say(const char *prefix, const char *format, va_list arguments)
{
	fprintf(stderr, "vfio-ioas%s: ", prefix);
	vfprintf(stderr, format, arguments);
}

void say_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("", format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

void say_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(": warning", format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

int usage_hint(const char *subcommand)
{
	fprintf(stderr, "'vfio-ioas %s%s--help' lists the options\n", subcommand,
		*subcommand ? " " : "");
	return EXIT_NOT_RUN;
}

int usage_error(const char *subcommand, const char *format, ...)
{
	char prefix[32];
	va_list arguments;

	snprintf(prefix, sizeof(prefix), "%s%s", *subcommand ? " " : "", subcommand);
	va_start(arguments, format);
	say(prefix, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return usage_hint(subcommand);
}

const char *printable(const char *name)
{
	static char shown[64];
	size_t i;

	for (i = 0; name[i] && i < sizeof(shown) - 1; i++)
		shown[i] = isprint((unsigned char)name[i]) ? name[i] : '?';
	shown[i] = '\0';
	return shown;
}

/* --- suggestions */

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Returns the number of characters to insert, remove or replace to turn one word into the other. */
static unsigned int distance(const char *from, const char *to)
{
	unsigned int row[MAX_WORD + 1], diagonal, above;
	size_t nfrom = strlen(from), nto = strlen(to), i, j;

	if (nfrom > MAX_WORD || nto > MAX_WORD)
		return MAX_WORD;
	for (j = 0; j <= nto; j++)
		row[j] = (unsigned int)j;
	for (i = 1; i <= nfrom; i++) {
		diagonal = row[0];
		row[0] = (unsigned int)i;
		for (j = 1; j <= nto; j++) {
			above = row[j];
			row[j] = least(least(above, row[j - 1]) + 1,
				       diagonal + (from[i - 1] != to[j - 1]));
			diagonal = above;
		}
	}
	return row[nto];
}

const char *did_you_mean(const char *word, const char *const *known)
{
	static char question[MAX_WORD + 32];
	unsigned int best = 3, current;

	question[0] = '\0';
	for (; *known; known++) {
		current = distance(word, *known);
		/* The beginning of a known word is accepted, too. */
		if (word[0] && word[1] && strncmp(word, *known, strlen(word)) == 0)
			current = 1;
		if (current >= best || current >= strlen(*known))
			continue;
		best = current;
		snprintf(question, sizeof(question), "; did you mean \"%s\"?", *known);
	}
	return question;
}

/* --- the standard output */

void output_begin(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(EXIT_NOT_RUN);
}

static int output_error;		/* errno of the first failed write of output_flush() */

void output_flush(void)
{
	if (fflush(stdout) && !output_error)
		output_error = errno;
}

void output_check(void)
{
	bool failed;

	output_flush();
	failed = ferror(stdout);
	errno = output_error;
	if (fclose(stdout) == 0 && !failed)
		return;
	if (errno)
		say_error("cannot write to the standard output: %s", strerror(errno));
	else
		say_error("cannot write to the standard output");
	_exit(EXIT_NOT_RUN);
}
