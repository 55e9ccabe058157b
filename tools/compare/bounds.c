// SPDX-License-Identifier: GPL-2.0-only
/*
 * bounds.c - what operations of a file may refer to
 *
 * Without this an operation with an offset of its author's choice writes wherever that leads, and
 * a mapping that is larger than its memory lets a device do so.
 */
#include "bounds.h"

#include "memory.h"
#include "op_type.h"

#define MAX_MEMORY_BYTES	TIB
#define MAX_ALL_BYTES		(32 * TIB)
#define VFIO_CALLS		0x3b00ULL

struct checked_memory {
	uint64_t name;
	uint64_t nbytes;
	bool is_special;	/* a part of it is a file's or a device's */
};

bool is_void(uint64_t address, uint64_t nbytes)
{
	uint64_t last = address + nbytes - 1;

	if (!nbytes || last < address)
		return true;
	return last < LOWEST_ADDRESS || address >= HIGHEST_ADDRESS;
}

/* The newest ones are asked for most. */
static struct checked_memory *find(struct check *check, uint64_t name)
{
	size_t i;

	for (i = check->nmemories; i-- > 0;)
		if (check->memories[i].name == name)
			return &check->memories[i];
	return NULL;
}

static struct checked_memory *add(struct check *check, uint64_t name)
{
	struct checked_memory *memory;

	if (check->nmemories == check->room) {
		check->room = check->room ? 2 * check->room : 16;
		check->memories = realloc(check->memories,
					  check->room * sizeof(*check->memories));
		if (!check->memories) {
			perror("vfio-ioas: realloc");
			exit(EXIT_NOT_RUN);
		}
	}
	memory = &check->memories[check->nmemories++];
	*memory = (struct checked_memory){ .name = name };
	return memory;
}

static void check_kind(struct check *check, struct checked_memory *memory, uint64_t kind,
		       uint64_t prot)
{
	if (kind == MEMORY_FILE || kind == MEMORY_BAR)
		memory->is_special = true;
	if (kind == MEMORY_FILE && prot & PROT_W)
		check->maps_file = true;
}

static const char *check_memory(struct check *check, const struct op *op)
{
	struct checked_memory *memory = find(check, op->arg[0]);
	uint64_t nbytes = op->arg[1];

	if (!nbytes || nbytes % PAGE || nbytes > MAX_MEMORY_BYTES)
		return "memory has whole pages, at least one, at most 1 TiB";
	if (nbytes > MAX_ALL_BYTES - check->nbytes)
		return "more than 32 TiB of memory";
	if (!memory && check->nmemories == MAX_MEMORIES)
		return "more than 65536 pieces of memory";
	if (!memory)
		memory = add(check, op->arg[0]);
	check->nbytes += nbytes;
	memory->nbytes = nbytes;
	memory->is_special = false;
	check_kind(check, memory, op->arg[2], op->arg[3]);
	return NULL;
}

static const char *check_within(struct check *check, const struct op *op,
				struct checked_memory **memory)
{
	*memory = find(check, op->mem);
	if (!op->mem)
		return "an address of memory is needed: NAME+OFFSET";
	if (!*memory)
		return "there is no memory of that name";
	if (op->arg[0] > (*memory)->nbytes || op->arg[1] > (*memory)->nbytes - op->arg[0])
		return "that is not within the memory";
	return NULL;
}

static const char *check_range(struct check *check, const struct op *op)
{
	struct checked_memory *memory;
	const char *problem = check_within(check, op, &memory);

	if (problem)
		return problem;
	if (op->kind == OP_PART)
		check_kind(check, memory, op->arg[2], op->arg[3]);
	if ((op->kind == OP_FILL || op->kind == OP_PEEK) && memory->is_special)
		return "memory of a file or a device is not filled nor looked at";
	return NULL;
}

/* Behind memory is a guard. What is so large that it wraps at any address is refused. */
static const char *check_map(struct check *check, const struct op *op)
{
	const struct checked_memory *memory = find(check, op->mem);
	uint64_t nbytes = op->arg[1], room;

	if (!op->mem)
		return is_void(op->arg[2], nbytes) ? NULL :
		       "an address that is a number may be that of any memory";
	if (!memory)
		return "there is no memory of that name";
	if (op->arg[2] > memory->nbytes)
		return "that is not within the memory";
	room = memory->nbytes + GUARD_BYTES - op->arg[2];
	if (nbytes > room && nbytes <= -LOWEST_ADDRESS)
		return "that is larger than the memory";
	return NULL;
}

/* The kernel is not led to memory of ours by the pointer 8. */
static const char *check_bits(const struct op *op)
{
	if (op->arg[4] == BITS_LOW && !is_void(0, 8 + op->arg[3]))
		return "too many bits for a low pointer";
	return NULL;
}

/* Calls of VFIO with a number, or with a pointer to nothing. */
static const char *check_call(const struct op *op)
{
	if ((op->arg[0] & ~0xffULL) != VFIO_CALLS)
		return "that is no call of VFIO";
	if (op->arg[1] >= LOWEST_ADDRESS)
		return "the argument may be the address of any memory";
	return NULL;
}

/* A device that writes to what is mapped, where that can be a file. */
static const char *check_file(struct check *check, const struct op *op)
{
	if (op->kind == OP_STORE || (op->kind == OP_RW && op->arg[3] & RW_WRITE))
		check->lets_write = true;
	return check->maps_file && check->lets_write ?
	       "no device writes where memory of a file is mapped" : NULL;
}

static const char *check_one(struct check *check, const struct op *op)
{
	switch (op->kind) {
	case OP_MEMORY:
		return check_memory(check, op);
	case OP_PART:
	case OP_PROTECT:
	case OP_ADVISE:
	case OP_FILL:
	case OP_PEEK:
	case OP_LOCK:
		return check_range(check, op);
	case OP_MAP:
		return check_map(check, op);
	case OP_DIRTY_GET:
	case OP_UNMAP_BITMAP:
		return check_bits(op);
	case OP_CALL:
		return check_call(op);
	default:
		return NULL;
	}
}

const char *check_op(struct check *check, const struct op *op)
{
	const char *problem = check_one(check, op);

	return problem ? problem : check_file(check, op);
}

void check_free(struct check *check)
{
	free(check->memories);
	*check = (struct check){ 0 };
}
