// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_tool.c - runs the program vfio-ioas
 */
#define _GNU_SOURCE
#include "lib.h"
#include "lib_tool.h"

#include <stdarg.h>

#define PATIENCE_NS	30000000000ULL

static char words_said[4096];

int run_tool(const char *format, ...)
{
	char words[256], command[320];
	va_list arguments;
	size_t nread;
	FILE *pipe;
	int status;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	snprintf(command, sizeof(command), "vfio-ioas %s 2>&1", words);
	fflush(stdout);
	pipe = popen(command, "re");
	require_true(pipe);
	nread = fread(words_said, 1, sizeof(words_said) - 1, pipe);
	words_said[nread] = '\0';
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void run_tool_until_said(const char *text, const char *words)
{
	uint64_t end_ns = now_ns() + PATIENCE_NS;

	while (!run_tool("%s", words) && !said(text) && now_ns() < end_ns)
		;
}

bool said(const char *text)
{
	return strstr(words_said, text);
}

bool check_said_at(const char *file, int line, const char *text)
{
	bool found = said(text);

	if (!found)
		diag("it said: %s", words_said);
	return check_true_at(file, line, text, found);
}
