// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_log.c - what the kernel has to log
 */
#include "lib_log.h"

bool log_has(int fd, const char *text)
{
	char record[8192];
	bool found = false;
	ssize_t nbytes;

	for (;;) {
		nbytes = read(fd, record, sizeof(record) - 1);
		if (nbytes < 0 && errno == EPIPE)
			continue;	/* overrun: go on with the oldest */
		if (nbytes <= 0)
			return found;
		record[nbytes] = '\0';
		if (strstr(record, text))
			found = true;
	}
}
