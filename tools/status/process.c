// SPDX-License-Identifier: GPL-2.0-only
/*
 * process.c - the command line of a process
 *
 * The command line is in the memory of that process. If that memory is a file whose server is dead,
 * reading blocks. So a child reads it, and is given up after a while.
 */
#define _GNU_SOURCE
#include "process.h"

#include <ctype.h>
#include <fcntl.h>

#include "lib/errand.h"

#define MAX_NBYTES	65536	/* of a command line */
#define PATIENCE_NS	(PROCESS_PATIENCE_MS * 1000000LL)

/* Time left for waiting. Time that was spent in vain is never given back. */
static long long left_ns = PATIENCE_NS;
static long long lost_ns;

void process_begin(void)
{
	left_ns = PATIENCE_NS - lost_ns;
}

static void copy_command(const void *argument, int output)
{
	const pid_t *pid = argument;
	char path[48], buffer[4096];
	size_t ncopied = 0;
	ssize_t nread;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)*pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && ncopied < MAX_NBYTES &&
	       (nread = read(fd, buffer, sizeof(buffer))) > 0 &&
	       write(output, buffer, (size_t)nread) == nread)
		ncopied += (size_t)nread;
}

/* Waits for data, or for the end. All waiting is subtracted from the time left. */
static bool is_ready(const struct errand *errand)
{
	uint64_t before = deadline_in(0);
	bool ready = errand_is_ready(errand, before + (uint64_t)left_ns);
	long long waited = (long long)(deadline_in(0) - before);

	if (waited > left_ns)
		waited = left_ns;
	left_ns -= waited;
	if (!ready)
		lost_ns += waited;
	return ready;
}

/* Returns true if it was read to the end. Then the child ends soon, too. */
static bool read_command(const struct errand *errand, struct text *command)
{
	char buffer[4096];
	ssize_t nread;

	while (left_ns && is_ready(errand)) {
		nread = read(errand->input, buffer, sizeof(buffer));
		if (nread <= 0)
			return nread == 0;
		text_add_chars(command, buffer, (size_t)nread);
	}
	return false;
}

bool process_command(pid_t pid, struct text *command)
{
	struct errand errand;
	bool ended;

	text_clear(command);
	/* With no time left a child would be useless, and perhaps impossible to kill. */
	if (pid <= 0 || !left_ns || !errand_begin(&errand, copy_command, &pid))
		return false;
	ended = read_command(&errand, command);
	if (ended)
		errand_end(&errand);
	else
		errand_give_up(&errand);
	return ended && command->nchars;
}

/* Returns the next word, NULL at the end. */
static const char *next_word(const struct text *command, const char *word)
{
	word += strlen(word) + 1;
	return word < command->chars + command->nchars ? word : NULL;
}

/* Adds a value up to a comma. A doubled comma stands for a comma in the value. */
static void add_value(struct text *name, const char *value)
{
	for (; *value; value++) {
		if (*value == ',' && *++value != ',')
			break;
		text_add_chars(name, value, 1);
	}
}

/* "NAME,debug-threads=on" or "guest=NAME,..." */
static bool take_vm_name(const char *value, struct text *name)
{
	const char *guest = strstr(value, "guest=");

	if (guest && (guest == value || guest[-1] == ','))
		add_value(name, guest + strlen("guest="));
	else if (strcspn(value, "=") >= strcspn(value, ","))
		add_value(name, value);
	return name->nchars;
}

bool command_vm_name(const struct text *command, struct text *name)
{
	const char *word = text_chars(command), *value;

	text_clear(name);
	for (; word; word = value) {
		value = command->nchars ? next_word(command, word) : NULL;
		if (value && (strcmp(word, "-name") == 0 || strcmp(word, "--name") == 0))
			return take_vm_name(value, name);
	}
	return false;
}

void command_print(const struct text *command, struct text *line)
{
	size_t i;

	for (i = 0; i < command->nchars; i++) {
		char c = command->chars[i];

		if (!c && i + 1 == command->nchars)
			break;
		c = !c ? ' ' : isprint((unsigned char)c) ? c : '?';
		text_add_chars(line, &c, 1);
	}
}
