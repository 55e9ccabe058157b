/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * op_type.h - the kinds of operations: their names, arguments, and who does them
 */
#ifndef COMPARE_OP_TYPE_H
#define COMPARE_OP_TYPE_H

#include "op.h"
#include "text.h"

enum arg_how {
	ARG_NONE,
	ARG_HEX,
	ARG_DEC,
	ARG_INT,	/* decimal, with a sign */
	ARG_NAME,	/* op_pack_name() */
	ARG_ADDRESS,	/* counts from op->mem */
	ARG_CHOICE,	/* index into names */
	ARG_FLAGS,	/* bit i is names[i]; the rest is a number */
};

struct arg_type {
	const char *name;
	enum arg_how how;
	const char *const *names;	/* NULL at the end */
	uint64_t max;			/* of a number; one more of a negative one */
};

struct op_type {
	const char *name;
	/* Makes the call and adds what it returned to the line. */
	void (*execute)(const struct op *op, struct text *line);
	/* Whether the container's state (charge, budget) is told behind the result. */
	bool tells_state;
	struct arg_type args[OP_ARGS + 1];
};

extern const struct op_type op_types[NOP_KINDS];

/* The names of choices and flags, where code needs them. */
enum memory_kind {
	MEMORY_NONE,		/* address space without access */
	MEMORY_HOLE,		/* nothing */
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

/* do_life.c */
void do_container(const struct op *op, struct text *line);
void do_use(const struct op *op, struct text *line);
void do_close_container(const struct op *op, struct text *line);
void do_group(const struct op *op, struct text *line);
void do_close_group(const struct op *op, struct text *line);
void do_join(const struct op *op, struct text *line);
void do_join_fd(const struct op *op, struct text *line);
void do_leave(const struct op *op, struct text *line);
void do_status(const struct op *op, struct text *line);
void do_set_iommu(const struct op *op, struct text *line);
void do_api_version(const struct op *op, struct text *line);
void do_extension(const struct op *op, struct text *line);
void do_call(const struct op *op, struct text *line);
void do_device(const struct op *op, struct text *line);
void do_close_device(const struct op *op, struct text *line);

/* do_info.c */
void do_info(const struct op *op, struct text *line);
void do_info_bytes(const struct op *op, struct text *line);

/* do_map.c */
void do_map(const struct op *op, struct text *line);
void do_unmap(const struct op *op, struct text *line);

/* do_dirty.c */
void do_dirty(const struct op *op, struct text *line);
void do_dirty_get(const struct op *op, struct text *line);
void do_unmap_bitmap(const struct op *op, struct text *line);

/* do_emulated.c */
void do_pin(const struct op *op, struct text *line);
void do_unpin(const struct op *op, struct text *line);
void do_rw(const struct op *op, struct text *line);
void do_behave(const struct op *op, struct text *line);
void do_callbacks(const struct op *op, struct text *line);

/* do_memory.c */
void do_memory(const struct op *op, struct text *line);
void do_part(const struct op *op, struct text *line);
void do_protect(const struct op *op, struct text *line);
void do_advise(const struct op *op, struct text *line);
void do_fill(const struct op *op, struct text *line);
void do_peek(const struct op *op, struct text *line);
void do_lock(const struct op *op, struct text *line);
void do_limit(const struct op *op, struct text *line);
void do_drop_capability(const struct op *op, struct text *line);

/* do_device.c */
void do_decode(const struct op *op, struct text *line);
void do_load(const struct op *op, struct text *line);
void do_store(const struct op *op, struct text *line);

#endif
