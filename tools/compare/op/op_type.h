/* SPDX-License-Identifier: GPL-2.0-only */
/* op_type.h - a kind of operation: its name, its arguments and its function */
#ifndef COMPARE_OP_TYPE_H
#define COMPARE_OP_TYPE_H

#include "lib/text.h"
#include "op.h"

enum arg_how {
	ARG_NONE,
	ARG_HEX,
	ARG_DEC,
	ARG_INT,	/* decimal, with a sign */
	ARG_NAME,	/* op_pack_name() */
	ARG_ADDRESS,	/* relative to op->mem */
	ARG_CHOICE,	/* index into names */
	ARG_FLAGS,	/* bit i is names[i]; the rest is a number */
};

struct arg_type {
	const char *name;
	enum arg_how how;
	const char *const *names;	/* NULL at the end */
	uint64_t max;			/* of a number; max + 1 below zero */
};

struct op_type {
	const char *name;
	/* Makes the call and adds its result to the line. */
	void (*execute)(const struct op *op, struct text *line);
	/* Prints the container's state (charge, budget) behind the result. */
	bool tells_state;
	struct arg_type args[OP_ARGS + 1];
};

/* Names of choices and flags that code needs. */
enum memory_kind {
	MEMORY_NONE,		/* address space without access */
	MEMORY_HOLE,		/* no mapping */
	MEMORY_ANON,		/* private, not touched yet */
	MEMORY_TOUCHED,		/* private, every page touched */
	MEMORY_SHARED,		/* shared, without write-back */
	MEMORY_FILE,		/* shared, of a file with write-back */
	MEMORY_HUGE,		/* touched, aligned for transparent huge pages */
	MEMORY_BAR,		/* of the first PCI device */
};

enum bits_where {
	BITS_ZEROED,		/* a good buffer, all zeroes */
	BITS_ONES,		/* a good buffer, all ones */
	BITS_ODD,		/* a good buffer at an odd address */
	BITS_LOW,		/* the pointer 8 */
	BITS_KERNEL,		/* a kernel address */
	BITS_NO_ACCESS,		/* memory without access */
	BITS_EDGE,		/* only the first 8 bytes can be written */
};

enum device_name {
	DEVICE_UNKNOWN,		/* of no device */
	DEVICE_KNOWN,
};

enum not_container {
	FD_CLOSED,		/* descriptor 999 */
	FD_NULL,		/* /dev/null */
	FD_POINTER,		/* the pointer itself is bad */
	FD_OTHER,		/* the container that is not in use */
};

enum advice {
	ADVICE_DONTNEED,
	ADVICE_FREE,
	ADVICE_HUGE,
	ADVICE_NOHUGE,
	NADVICES,
};

#define PROT_R		1U
#define PROT_W		2U

#define RW_WRITE	1U
#define RW_KTHREAD	2U

#endif
