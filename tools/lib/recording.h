/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recording.h - limits of a recording
 *
 * "vfio-ioas compare --replay" refuses a larger one, and the recorder stops at them.
 */
#ifndef TOOLS_RECORDING_H
#define TOOLS_RECORDING_H

#define MAX_LINE_CHARS		511U		/* without the newline */
#define MAX_FILE_MIB		256U
#define MAX_OPS			1000000U
#define MAX_MEMORIES		65536U		/* with different names */
#define MAX_MEMORY_BYTES	(1ULL << 40)	/* of one memory */
#define MAX_ALL_TIB		32U		/* of all memories, replaced ones too */

#endif
