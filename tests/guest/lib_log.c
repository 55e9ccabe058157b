// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_log.c - reads the kernel log
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
			continue;	/* overrun: continue with the oldest record */
		if (nbytes <= 0)
			return found;
		record[nbytes] = '\0';
		if (strstr(record, text))
			found = true;
	}
}
