/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bounds.h - whether what a file asks for can do harm to the process that executes it
 *
 * Somebody else may have written a recording, and root replays it. An operation may touch memory
 * that its own sequence has made, and only that.
 */
#ifndef COMPARE_BOUNDS_H
#define COMPARE_BOUNDS_H

#include "compare/op/op.h"

/* Nothing is mapped below, and no address of a process is as high. */
#define LOWEST_ADDRESS	0x10000ULL
#define HIGHEST_ADDRESS	(1ULL << 47)

struct checked_memory;

/* What a sequence has made so far. Zeroes are a sequence without operations. */
struct check {
	struct checked_memory *memories;
	size_t nmemories;
	uint64_t nbytes;	/* of all of them, also of those that were replaced */
	/* What is in use at most, in bytes: touched, locked or pinned; how much may be, 0: any. */
	uint64_t populated;
	uint64_t max_populated;
	uint64_t nbytes_of_bits;	/* of the kernel, for all that has been mapped, */
	bool is_tracked;		/* if dirty tracking is started anywhere */
	bool is_emulated;		/* a device, so that maps work whatever is there */
	uint64_t nbytes_mapped;		/* since then, and ... */
	uint64_t nbytes_to_walk;	/* ... the same once for each time that a group joins */
	bool maps_file;		/* with write-back, to be written */
	bool lets_write;	/* a device, to what is mapped */
};

/* NULL, or why the next operation of the sequence is refused; it depends on --file, too. */
const char *check_op(struct check *check, const struct op *op);
void check_free(struct check *check);

/* What this system can spare, in bytes, as /proc/meminfo says; 0 if it does not. */
uint64_t memory_to_spare(void);

/*
 * A number instead of memory, for calls that are to fail: does the range reach any memory that a
 * process can have? A range that wraps is refused by both backends before they look at it.
 */
bool is_void(uint64_t address, uint64_t nbytes);

#endif
