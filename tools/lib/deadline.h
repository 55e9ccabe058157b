/* SPDX-License-Identifier: GPL-2.0-only */
/* deadline.h - a moment at which work is given up */
#ifndef TOOLS_DEADLINE_H
#define TOOLS_DEADLINE_H

#include "common.h"

#include <time.h>

/* Of CLOCK_MONOTONIC, in ns. */
typedef uint64_t deadline_t;

static inline deadline_t deadline_in(unsigned int nms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec + nms * 1000000ULL;
}

/* Makes no system call: far cheaper than reading about a descriptor. */
static inline bool deadline_is_over(deadline_t deadline)
{
	return deadline_in(0) >= deadline;
}

#endif
