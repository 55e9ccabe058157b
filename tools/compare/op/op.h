/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * op.h - an operation: one call, or one change of memory
 *
 * As text it is "NAME key=value ...". Transcripts, which add the result, and files for replay share
 * this form. Addresses of memory are written as buf+0x1000, where an earlier operation made buf. So
 * they mean the same in every process.
 */
#ifndef COMPARE_OP_H
#define COMPARE_OP_H

#include "lib/common.h"
#include "lib/recording.h"

#define OP_ARGS		7
#define MAX_NAME_CHARS	8	/* of memory */

enum op_kind {
	/* do_life.c: containers, groups and devices */
	OP_CONTAINER,
	OP_USE,
	OP_CLOSE_CONTAINER,
	OP_GROUP,
	OP_CLOSE_GROUP,
	OP_JOIN,
	OP_JOIN_FD,
	OP_LEAVE,
	OP_STATUS,
	OP_SET_IOMMU,
	OP_API_VERSION,
	OP_EXTENSION,
	OP_CALL,
	OP_DEVICE,
	OP_CLOSE_DEVICE,
	/* do_info.c */
	OP_INFO,
	OP_INFO_BYTES,
	/* do_map.c */
	OP_MAP,
	OP_UNMAP,
	/* do_dirty.c */
	OP_DIRTY,
	OP_DIRTY_GET,
	OP_UNMAP_BITMAP,
	/* do_emulated.c */
	OP_PIN,
	OP_UNPIN,
	OP_RW,
	OP_BEHAVE,
	OP_CALLBACKS,
	/* do_memory.c */
	OP_MEMORY,
	OP_PART,
	OP_PROTECT,
	OP_ADVISE,
	OP_FILL,
	OP_PEEK,
	OP_LOCK,
	OP_LIMIT,
	OP_DROP_CAPABILITY,
	/* do_device.c */
	OP_DECODE,
	OP_LOAD,
	OP_STORE,
	NOP_KINDS,
};

struct op {
	enum op_kind kind;
	uint64_t mem;		/* the memory that its address is relative to; 0: none */
	uint64_t arg[OP_ARGS];
	bool succeeded;		/* after it "# = 0"; not executed */
};

/* Convert a name of up to 8 characters to a number, and back. */
uint64_t op_pack_name(const char *name);
void op_unpack_name(uint64_t packed, char name[9]);

#endif
