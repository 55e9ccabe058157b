/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory.h - memory with names, of all kinds that programs map for DMA
 */
#ifndef COMPARE_MEMORY_H
#define COMPARE_MEMORY_H

#include "op.h"

/* Memory that has room for a huge page is aligned for it. */
#define HUGE_BYTES	(2 * MIB)
/* Mappings may be larger than their memory. Behind it is nothing, and nothing of ours. */
#define GUARD_BYTES	(4 * MIB)

/* Where memory of that name (op_pack_name()) begins; gives up if there is none. */
uint8_t *memory_at(uint64_t packed_name);
/* The memory that an address lies in, or just behind; 0: none. */
uint64_t memory_of(const void *address, uint64_t *offset);
/* What the address of a map means: in memory of that name, or itself if mem is 0. */
void *memory_resolve(uint64_t mem, uint64_t value);
/* The range of memory that an operation is about; gives up unless all of it is in there. */
void *memory_range(const struct op *op);

/* A file, or block device, with write-back, for memory of that kind; or NULL. */
extern const char *memory_file;

/* Bytes that differ from seed to seed and place to place. */
void memory_fill(void *memory, size_t nbytes, uint64_t seed);

#endif
