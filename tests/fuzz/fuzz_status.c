// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shows any bytes as a copy of the module's file "status", like "vfio-ioas status --from", as a
 * table and as JSON.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "status/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

/* A terminal, or a program that reads JSON, must get lines of printable characters. */
static void check_output(int fd)
{
	unsigned char bytes[65536];
	ssize_t nbytes, i;
	off_t at;

	for (at = 0; (nbytes = pread(fd, bytes, sizeof(bytes), at)) > 0; at += nbytes)
		for (i = 0; i < nbytes; i++)
			if ((bytes[i] < ' ' && bytes[i] != '\n') || bytes[i] == 0x7f)
				abort();
}

/* The exit status must be 0, or 2 for a file that is refused. */
static void show(const char *path, const char *option)
{
	char *words[] = { "status", "--from", (char *)path, (char *)option, NULL };
	static int output = -1, saved[2];
	int status;

	if (output < 0) {
		output = memfd_create("output", MFD_CLOEXEC);
		saved[0] = dup(STDOUT_FILENO);
		saved[1] = dup(STDERR_FILENO);
	}
	fflush(stdout);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	optind = 0;
	status = status_main(option ? 4 : 3, words);
	fflush(stdout);
	dup2(saved[0], STDOUT_FILENO);
	dup2(saved[1], STDERR_FILENO);
	if (status != 0 && status != 2)
		abort();
	check_output(output);
	if (ftruncate(output, 0) || lseek(output, 0, SEEK_SET))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
	int fd = memfd_create("status", MFD_CLOEXEC);
	char path[64];

	if (fd < 0 || write(fd, data, nbytes) != (ssize_t)nbytes)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	show(path, NULL);
	show(path, "--json");
	close(fd);
	return 0;
}
