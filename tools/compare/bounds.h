/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bounds.h - decides whether operations of a file could harm the process that executes them
 *
 * A recording may come from somebody else, and root replays it. An operation may touch only memory
 * that its own sequence has made.
 */
#ifndef COMPARE_BOUNDS_H
#define COMPARE_BOUNDS_H

#include "compare/op/op.h"

/* Nothing is mapped below the lowest. All addresses of a process are below the highest. */
#define LOWEST_ADDRESS	0x10000ULL
#define HIGHEST_ADDRESS	(1ULL << 47)

struct checked_memory;

/* State of a sequence so far. All zeroes: no operations yet. */
struct check {
	struct checked_memory *memories;
	size_t nmemories;
	uint64_t nbytes;	/* of all memories, replaced ones too */
	/*
	 * Upper bound of the memory in use (touched, locked or pinned), in bytes; its limit, 0:
	 * none.
	 */
	uint64_t populated;
	uint64_t max_populated;
	uint64_t nbytes_of_bits;	/* the kernel's bitmaps of all mappings, */
	bool is_tracked;		/* which count if dirty tracking is started */
	bool is_emulated;		/* a device is emulated: any map works */
	uint64_t nbytes_mapped;		/* since is_emulated; and ... */
	uint64_t nbytes_to_walk;	/* ... summed over all joins of groups */
	bool maps_file;		/* memory of a file is mapped */
	bool lets_write;	/* a device writes to mappings */
};

/* NULL, or why the next operation of the sequence is refused. Depends on --file, too. */
const char *check_op(struct check *check, const struct op *op);
void check_free(struct check *check);

/* Bytes of memory that this system can spare, by /proc/meminfo; 0 if unknown. */
uint64_t memory_to_spare(void);

/*
 * For a map of a number instead of memory, which is meant to fail: true if the range reaches no
 * memory that a process can have. Both backends refuse a range that wraps before they look at
 * memory.
 */
bool is_void(uint64_t address, uint64_t nbytes);

#endif
