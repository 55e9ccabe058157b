// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace: defines the tracepoints that vfio_ioas_trace.h declares.
 */
#define CREATE_TRACE_POINTS
#include "vfio_ioas_trace.h"
