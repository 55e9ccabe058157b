/* SPDX-License-Identifier: GPL-2.0-only */
/* memory.h - named memory, of all kinds that programs map for DMA */
#ifndef COMPARE_MEMORY_H
#define COMPARE_MEMORY_H

#include "op.h"

/* Memory large enough for a huge page is aligned for one. */
#define HUGE_BYTES	(2 * MIB)
/* A mapping may extend beyond its memory, into a guard where nothing is. */
#define GUARD_BYTES	(4 * MIB)

/* Address of the memory with this name (op_pack_name()); gives up if there is none. */
uint8_t *memory_at(uint64_t packed_name);
/* Name of the memory that contains an address, or ends just before it; 0: none. */
uint64_t memory_of(const void *address, uint64_t *offset);
/* Address for a map: value is an offset in the memory mem, or an address if mem is 0. */
void *memory_resolve(uint64_t mem, uint64_t value);
/* Range of memory that an operation is about; gives up unless the memory contains all of it. */
void *memory_range(const struct op *op);

/* File or block device with write-back, for memory of kind "file"; or NULL. */
extern const char *memory_file;

/* Bytes that differ from seed to seed and place to place. */
void memory_fill(void *memory, size_t nbytes, uint64_t seed);

#endif
