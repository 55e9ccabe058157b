// SPDX-License-Identifier: GPL-2.0-only
/*
 * program.c - runs programs of the system
 *
 * sudo and su may keep the caller's PATH, MODPROBE_OPTIONS and so on; all of them are ignored.
 */
#define _GNU_SOURCE
#include "program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "say.h"

void program_execute(const char *const *words)
{
	static const char *const dirs[] = { "/usr/sbin", "/sbin", "/usr/bin", "/bin" };
	static char *const environment[] = {
		(char *)"PATH=/usr/sbin:/sbin:/usr/bin:/bin", (char *)"LC_ALL=C", NULL
	};
	int error = ENOENT;
	char path[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], words[0]);
		execve(path, (char *const *)words, environment);
		if (errno != ENOENT)
			error = errno;
	}
	dprintf(STDERR_FILENO, "%s: %s\n", words[0], strerror(error));
	_exit(127);
}

static void execute(const char *const *words, int output)
{
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	signal(SIGPIPE, SIG_DFL);
	program_execute(words);
}

static void cut_newlines(struct text *text)
{
	while (text->nchars && text->chars[text->nchars - 1] == '\n')
		text->chars[--text->nchars] = '\0';
}

bool program_run(const char *const *words, struct text *said)
{
	int status = -1;
	int output[2];
	pid_t pid;

	if (pipe2(output, O_CLOEXEC)) {
		text_add(said, "pipe: %s", strerror(errno));
		return false;
	}
	output_flush();
	pid = fork();
	if (pid == 0)
		execute(words, output[1]);
	close(output[1]);
	text_add_all(said, output[0]);
	cut_newlines(said);
	close(output[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}
