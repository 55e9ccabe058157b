/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio_ioas_trace: tracepoints that do nothing, for unit tests.
 */
#ifndef UNIT_TRACE_H
#define UNIT_TRACE_H

#include "kernel.h"

#define trace_begin(event)	0ULL
#define trace_ns(begin_ns)	(begin_ns)

#define NOBODY_TRACES(event) \
	static inline bool trace_##event##_enabled(void) { return false; } \
	static inline void trace_##event(unsigned long first, ...) { (void)first; }

NOBODY_TRACES(dirty_read)
NOBODY_TRACES(map)
NOBODY_TRACES(unmap)
NOBODY_TRACES(pin)
NOBODY_TRACES(unpin)
NOBODY_TRACES(attach)
NOBODY_TRACES(detach)

#endif
