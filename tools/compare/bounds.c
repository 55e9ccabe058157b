// SPDX-License-Identifier: GPL-2.0-only
/*
 * bounds.c - limits what operations of a file may refer to
 *
 * Without this check an operation with an offset chosen by the author of the file writes wherever
 * the offset leads, and a mapping larger than its memory lets a device write there.
 */
#include "bounds.h"

#include <linux/vfio.h>

#include "compare/op/devices.h"
#include "compare/op/kernel.h"
#include "compare/op/memory.h"
#include "compare/op/op_type.h"
#include "lib/allocate.h"
#include "lib/text.h"

#define MAX_ALL_BYTES		(MAX_ALL_TIB * TIB)
#define VFIO_CALLS		0x3b00ULL
#define MAX_IGNORED		3U	/* a device's ignored notices, as in --random */

struct checked_memory {
	uint64_t name;
	uint64_t nbytes;
	bool is_special;	/* a part belongs to a file or a device */
	bool is_file;		/* a part belongs to a file */
	bool is_shared;		/* a part keeps all of its pages until all of it is gone */
	bool is_mapped;		/* now or earlier: pinned pages stay */
	bool is_locked;		/* even if mlock() failed */
	uint64_t capacity;	/* bytes that can take memory, at most */
	uint64_t populated;	/* bytes that take memory, at most */
};

bool is_void(uint64_t address, uint64_t nbytes)
{
	uint64_t last = address + nbytes - 1;

	if (!nbytes || last < address)
		return true;
	return last < LOWEST_ADDRESS || address >= HIGHEST_ADDRESS;
}

/* Most operations are about the newest memory. */
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

	check->memories = grow(check->memories, check->nmemories, sizeof(*check->memories));
	memory = &check->memories[check->nmemories++];
	*memory = (struct checked_memory){ .name = name };
	return memory;
}

/* Without a file there would be no memory, and mapping it would fail on both sides alike. */
static const char *check_kind(struct check *check, struct checked_memory *memory, uint64_t kind,
			      uint64_t prot)
{
	if (kind == MEMORY_FILE && !memory_file)
		return "memory of a file (kind=file) needs --file";
	if (kind == MEMORY_FILE || kind == MEMORY_BAR)
		memory->is_special = true;
	memory->is_file |= kind == MEMORY_FILE;
	memory->is_shared |= kind == MEMORY_SHARED;
	check->maps_file |= kind == MEMORY_FILE && prot & PROT_W;
	return NULL;
}

/* --- how much memory operations take */

uint64_t memory_to_spare(void)
{
	unsigned long long nkib = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");

	if (!file)
		return 0;
	while (!nkib && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu kB", &nkib) != 1)
			nkib = 0;
	fclose(file);
	/* The rest of the system needs some, too. */
	return (nkib - nkib / 8) * 1024;
}

struct range {
	uint64_t begin, nbytes;
};

/* The range widened to whole pages, as the kernel does. */
static struct range whole_pages(uint64_t begin, uint64_t nbytes)
{
	uint64_t end = (begin + nbytes + PAGE - 1) & ~(PAGE - 1);

	begin &= ~(PAGE - 1);
	return (struct range){ begin, nbytes ? end - begin : 0 };
}

static bool touches(uint64_t kind)
{
	return kind == MEMORY_TOUCHED || kind == MEMORY_HUGE;
}

static const char *count(struct check *check, uint64_t nbytes)
{
	uint64_t nbytes_of_bits = check->is_tracked ? check->nbytes_of_bits : 0;

	check->populated += nbytes;
	return check->max_populated && check->populated + nbytes_of_bits > check->max_populated ?
	       "more memory is touched, locked or mapped than this system can spare" : NULL;
}

/* Memory without access, a hole and a device's BAR take no memory, however much is mapped. */
static bool takes_memory(uint64_t kind)
{
	return kind != MEMORY_NONE && kind != MEMORY_HOLE && kind != MEMORY_BAR;
}

/*
 * The range may have been populated before, so the count never exceeds the capacity of the memory.
 * One byte may populate a whole huge page, or the rest of the memory if that is shorter.
 */
static const char *populate(struct check *check, struct checked_memory *memory, uint64_t offset,
			    uint64_t nbytes)
{
	uint64_t room = memory->capacity - memory->populated;
	uint64_t end = offset + nbytes;

	if (!nbytes || offset >= memory->nbytes)
		return NULL;
	if (nbytes > memory->nbytes - offset || end > memory->nbytes - memory->nbytes % HUGE_BYTES)
		end = memory->nbytes;
	else
		end = (end + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
	nbytes = end - (offset & ~(HUGE_BYTES - 1));
	if (nbytes > room)
		nbytes = room;
	memory->populated += nbytes;
	return count(check, nbytes);
}

/* The old pages are freed, except pinned ones. */
static void drop(struct check *check, struct checked_memory *memory)
{
	if (!memory->is_mapped)
		check->populated -= memory->populated;
	memory->populated = 0;
	memory->capacity = 0;
	memory->is_mapped = false;
	memory->is_locked = false;
}

/*
 * Memory that had no access gets it. The kernel populates locked memory. Mapped memory may be
 * pinned later, when a group joins the container.
 */
static const char *give_access(struct check *check, struct checked_memory *memory, uint64_t kind,
			       struct range range)
{
	uint64_t room = memory->nbytes - memory->capacity;

	if (!takes_memory(kind))
		return NULL;
	memory->capacity += range.nbytes < room ? range.nbytes : room;
	return touches(kind) || memory->is_mapped || memory->is_locked ?
	       populate(check, memory, range.begin, range.nbytes) : NULL;
}

/*
 * The new pages add up with the old ones: these may be pinned, or shared with the rest of the file.
 */
static const char *replace(struct check *check, struct checked_memory *memory, const struct op *op,
			   struct range range)
{
	const char *problem = NULL;

	if (memory->is_mapped || (memory->is_shared && op->kind == OP_PART))
		problem = count(check, range.nbytes < memory->populated ? range.nbytes :
									memory->populated);
	return problem || op->kind != OP_PART ? problem :
	       give_access(check, memory, op->arg[2], range);
}

static const char *check_populated(struct check *check, struct checked_memory *memory,
				   const struct op *op)
{
	struct range range = whole_pages(op->arg[0], op->arg[1]);

	memory->is_locked |= op->kind == OP_LOCK;
	switch (op->kind) {
	case OP_PROTECT:
		check->maps_file |= memory->is_file && op->arg[2] & PROT_W;
		return give_access(check, memory, op->arg[2] ? MEMORY_ANON : MEMORY_NONE, range);
	case OP_PART:
		return replace(check, memory, op, range);
	case OP_ADVISE:
		return op->arg[2] == ADVICE_DONTNEED || op->arg[2] == ADVICE_FREE ?
		       replace(check, memory, op, range) : NULL;
	case OP_FILL:
	case OP_PEEK:
	case OP_LOCK:
		return populate(check, memory, range.begin, range.nbytes);
	default:
		return NULL;
	}
}

/* --- operations */

static const char *check_memory(struct check *check, const struct op *op)
{
	struct checked_memory *memory = find(check, op->arg[0]);
	uint64_t nbytes = op->arg[1];
	const char *problem;

	if (!nbytes || nbytes % PAGE || nbytes > MAX_MEMORY_BYTES)
		return "the size of memory must be whole pages, at most 1 TiB";
	if (nbytes > MAX_ALL_BYTES - check->nbytes)
		return "more than 32 TiB of memory";
	if (!memory && check->nmemories == MAX_MEMORIES)
		return "more than 65536 pieces of memory";
	if (!memory)
		memory = add(check, op->arg[0]);
	drop(check, memory);
	check->nbytes += nbytes;
	memory->nbytes = nbytes;
	memory->is_special = false;
	memory->is_file = false;
	memory->is_shared = false;
	problem = check_kind(check, memory, op->arg[2], op->arg[3]);
	return problem ? problem :
	       give_access(check, memory, op->arg[2], (struct range){ 0, nbytes });
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
		return "the range is not within the memory";
	return NULL;
}

static const char *check_range(struct check *check, const struct op *op)
{
	struct checked_memory *memory;
	const char *problem = check_within(check, op, &memory);

	if (!problem && op->kind == OP_PART)
		problem = check_kind(check, memory, op->arg[2], op->arg[3]);
	if (problem)
		return problem;
	if ((op->kind == OP_FILL || op->kind == OP_PEEK) && memory->is_special)
		return "memory of a file or a device must not be filled or read";
	return check_populated(check, memory, op);
}

/*
 * Counts a map that succeeds. With emulated devices only, a map of any address does. If a group of
 * PCI devices then fails to join, stock type1 walks all mappings, and cannot be killed meanwhile.
 * The kernel allocates a bit for each page of a mapping, present or not.
 */
static const char *note_mapped(struct check *check, uint64_t nbytes)
{
	check->nbytes_of_bits += nbytes / PAGE / 8;
	if (check->is_emulated)
		check->nbytes_mapped += nbytes;
	return check->nbytes_mapped > MAX_ALL_BYTES ?
	       "more than 32 TiB are mapped for emulated devices" : count(check, 0);
}

static const char *check_join(struct check *check, const struct op *op)
{
	if (op->arg[0] < GROUP_E)
		check->nbytes_to_walk += check->nbytes_mapped;
	return check->nbytes_to_walk > MAX_ALL_BYTES ?
	       "the joins of groups would walk more than 32 TiB of mappings" : NULL;
}

static const char *check_map_of_number(struct check *check, const struct op *op, bool maps)
{
	uint64_t address = op->arg[2], nbytes = op->arg[1];

	if (!is_void(address, nbytes))
		return "an address given as a number could reach any memory";
	/* Both backends refuse a range that wraps and, for a PCI device, absent memory. */
	if (!maps || !check->is_emulated || address + nbytes - 1 < address)
		return NULL;
	return nbytes > MAX_MEMORY_BYTES ? "the map is larger than 1 TiB" :
					   note_mapped(check, nbytes);
}

/* A guard follows the memory. Both backends refuse a size that wraps at any address. */
static const char *check_map(struct check *check, const struct op *op)
{
	struct checked_memory *memory = find(check, op->mem);
	bool maps = !(op->arg[3] & VFIO_DMA_MAP_FLAG_VADDR);
	uint64_t nbytes = op->arg[1], room;
	const char *problem = NULL;

	if (!op->mem)
		return check_map_of_number(check, op, maps);
	if (!memory)
		return "there is no memory of that name";
	if (op->arg[2] > memory->nbytes)
		return "the range is not within the memory";
	room = memory->nbytes + GUARD_BYTES - op->arg[2];
	if (nbytes > room && nbytes <= -LOWEST_ADDRESS)
		return "the range is larger than the memory";
	memory->is_mapped = true;
	if (nbytes <= room && maps)
		problem = note_mapped(check, nbytes);
	return problem ? problem : populate(check, memory, op->arg[2], nbytes);
}

static const char *check_dirty(struct check *check, const struct op *op)
{
	check->is_tracked |= op->arg[0] & VFIO_IOMMU_DIRTY_PAGES_FLAG_START;
	return count(check, 0);
}

/* The kernel must not reach memory of ours through the pointer 8. */
static const char *check_bits(const struct op *op)
{
	if (!op->arg[2] && !stock_may_see_page_size_0())
		return "stock type1 cannot handle a page size of 0";
	if (op->arg[4] == BITS_LOW && !is_void(0, 8 + op->arg[3]))
		return "the bitmap is too large for a low pointer";
	return NULL;
}

/* A VFIO call whose argument is a number, or a pointer to nothing. */
static const char *check_call(const struct op *op)
{
	if ((op->arg[0] & ~0xffULL) != VFIO_CALLS)
		return "the command is no call of VFIO";
	if (op->arg[1] >= LOWEST_ADDRESS)
		return "the argument could be the address of any memory";
	return NULL;
}

/*
 * Stock type1 crashes if a device still holds unmapped pages after ten notices, or does not hear of
 * an unmap of all pages that it has pinned.
 */
static const char *check_pin(const struct op *op)
{
	if (op->arg[0] == GROUP_MUTE)
		return "a device without a dma_unmap callback must not pin";
	return op->arg[1] % PAGE ? "the address of a pin must be a multiple of 4096" : NULL;
}

static const char *check_behave(const struct op *op)
{
	return op->arg[1] > MAX_IGNORED || op->arg[2] ?
	       "a device that keeps pages may crash stock type1" : NULL;
}

/* A device may write to mappings, or a file may be mapped, but not both. */
static const char *check_file(struct check *check, const struct op *op)
{
	if (op->kind == OP_STORE || (op->kind == OP_RW && op->arg[3] & RW_WRITE))
		check->lets_write = true;
	return check->maps_file && check->lets_write ?
	       "a device must not write if memory of a file is mapped" : NULL;
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
	case OP_JOIN:
	case OP_JOIN_FD:
		return check_join(check, op);
	case OP_PIN:
		return check_pin(op);
	case OP_BEHAVE:
		return check_behave(op);
	case OP_DIRTY:
		return check_dirty(check, op);
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
	const char *problem;

	check->is_emulated |= op->kind == OP_GROUP && op->arg[0] >= GROUP_E;
	problem = check_one(check, op);
	return problem ? problem : check_file(check, op);
}

void check_free(struct check *check)
{
	free(check->memories);
	*check = (struct check){ 0 };
}
