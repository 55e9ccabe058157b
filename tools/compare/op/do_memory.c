// SPDX-License-Identifier: GPL-2.0-only
/* do_memory.c - operations on memory, and on the limits of locking it */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <linux/capability.h>
#include <linux/vfio.h>

#include "do.h"
#include "lib/pci.h"
#include "memory.h"
#include "op_type.h"
#include "setup.h"
#include "transcript.h"

struct memory {
	uint64_t name;
	uint8_t *at;
	uint64_t nbytes;
};

static struct memory memories[MAX_MEMORIES];
static unsigned int nmemories;

const char *memory_file;

static struct memory *find_memory(uint64_t name)
{
	unsigned int i;

	/* Most operations are about the newest memory. */
	for (i = nmemories; i-- > 0;)
		if (memories[i].name == name)
			return &memories[i];
	return NULL;
}

uint8_t *memory_at(uint64_t packed_name)
{
	struct memory *memory = find_memory(packed_name);
	char name[9];

	op_unpack_name(packed_name, name);
	if (!memory)
		give_up("there is no memory '%s'", name);
	return memory->at;
}

uint64_t memory_of(const void *address, uint64_t *offset)
{
	unsigned int i;

	for (i = 0; i < nmemories; i++) {
		*offset = (uint64_t)((const uint8_t *)address - memories[i].at);
		if (*offset <= memories[i].nbytes)
			return memories[i].name;
	}
	*offset = (uintptr_t)address;
	return 0;
}

void *memory_resolve(uint64_t mem, uint64_t value)
{
	return mem ? memory_at(mem) + value : (uint8_t *)value;
}

void *memory_range(const struct op *op)
{
	struct memory *memory = find_memory(op->mem);

	if (!memory || op->arg[0] > memory->nbytes || op->arg[1] > memory->nbytes - op->arg[0])
		give_up("the range is not within the memory");
	return memory->at + op->arg[0];
}

void memory_fill(void *memory, size_t nbytes, uint64_t seed)
{
	uint8_t *bytes = memory;
	size_t i;

	for (i = 0; i < nbytes; i++) {
		seed = seed * 0x5851f42d4c957f2dULL + 0x14057b7ef767814fULL;
		bytes[i] = (uint8_t)(seed >> 56);
	}
}

static int prot_of(uint64_t prot)
{
	return (prot & PROT_R ? PROT_READ : 0) |
	       (prot & PROT_W ? PROT_WRITE : 0);
}

/*
 * Memory lies far below the addresses that the kernel chooses by itself. So a hole stays a hole,
 * and nothing else can be reached through it. Aligned for huge pages.
 */
#define FIRST_ADDRESS	0x200000000000ULL

static uint8_t *reserve(uint64_t nbytes)
{
	static uint64_t next = FIRST_ADDRESS;
	uint64_t align = nbytes < HUGE_BYTES ? PAGE : HUGE_BYTES;
	uint8_t *at = (uint8_t *)((next + align - 1) & ~(align - 1));
	void *mapped;

	nbytes += GUARD_BYTES;
	mapped = mmap(at, nbytes, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (mapped != at)
		give_up("no address space for %llu bytes", (unsigned long long)nbytes);
	next = (uintptr_t)at + nbytes;
	return at;
}

static void touch(uint8_t *memory, uint64_t nbytes)
{
	uint64_t at;

	for (at = 0; at < nbytes; at += PAGE)
		*(volatile uint8_t *)(memory + at) = 0;
}

static int open_backing(uint64_t kind, uint64_t nbytes)
{
	int fd;

	if (kind == MEMORY_SHARED) {
		fd = memfd_create("shared", MFD_CLOEXEC);
		return fd >= 0 && ftruncate(fd, (off_t)nbytes) ? -1 : fd;
	}
	return memory_file ? open(memory_file, O_RDWR | O_CLOEXEC) : -1;
}

static int map_file(uint8_t *at, uint64_t nbytes, uint64_t kind, int prot)
{
	int fd = open_backing(kind, nbytes);
	void *mapped;

	if (fd < 0)
		return -errno;
	mapped = mmap(at, nbytes, prot, MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
	return mapped == MAP_FAILED ? -errno : 0;
}

static int map_bar(uint8_t *at, uint64_t nbytes, int prot)
{
	struct pci_region bar;
	void *mapped;

	if (!pci_region_find_bar(setup.device[GROUP_A][0], &bar) ||
	    bar.nbytes < nbytes)
		return -ENODEV;
	mapped = mmap(at, nbytes, prot, MAP_SHARED | MAP_FIXED,
		      setup.device[GROUP_A][0], (off_t)bar.offset);
	return mapped == MAP_FAILED ? -errno : 0;
}

static int map_anonymous(uint8_t *at, uint64_t nbytes, uint64_t kind, int prot)
{
	int first_prot = kind == MEMORY_ANON ? prot : PROT_READ | PROT_WRITE;
	void *mapped = mmap(at, nbytes, first_prot,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (mapped == MAP_FAILED)
		return -errno;
	if (kind == MEMORY_ANON)
		return 0;
	/* Huge pages would change the charge of their neighbours, which is not tested. */
	madvise(at, nbytes, kind == MEMORY_HUGE ? MADV_HUGEPAGE :
						  MADV_NOHUGEPAGE);
	touch(at, nbytes);
	return mprotect(at, nbytes, prot) ? -errno : 0;
}

static int map_part(uint8_t *at, uint64_t nbytes, uint64_t kind, uint64_t prot)
{
	switch (kind) {
	case MEMORY_NONE:
		return mprotect(at, nbytes, PROT_NONE) ? -errno : 0;
	case MEMORY_HOLE:
		return munmap(at, nbytes) ? -errno : 0;
	case MEMORY_SHARED:
	case MEMORY_FILE:
		return map_file(at, nbytes, kind, prot_of(prot));
	case MEMORY_BAR:
		return map_bar(at, nbytes, prot_of(prot));
	default:
		return map_anonymous(at, nbytes, kind, prot_of(prot));
	}
}

/* Gives up if there is no memory: maps would fail on both sides, and so look the same. */
static int fill_part(uint8_t *at, uint64_t nbytes, uint64_t kind, uint64_t prot)
{
	int result = map_part(at, nbytes, kind, prot);

	/* mprotect() of a hole returns this error, too. */
	if (result == -ENOMEM && kind != MEMORY_NONE)
		give_up("memory cannot be had: %s; more than vm.max_map_count pieces?",
			strerror(ENOMEM));
	return result;
}

/*
 * A device may still access the old memory. So a guard keeps its addresses from other uses, and the
 * new memory comes elsewhere.
 */
static void replace_memory(const struct memory *memory)
{
	void *mapped = mmap(memory->at, memory->nbytes + GUARD_BYTES, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	if (mapped == MAP_FAILED)
		give_up("memory cannot be replaced: %s", strerror(errno));
}

void do_memory(const struct op *op, struct text *line)
{
	struct memory *memory = find_memory(op->arg[0]);
	uint64_t nbytes = op->arg[1];

	if (memory) {
		replace_memory(memory);
	} else {
		if (nmemories == MAX_MEMORIES)
			give_up("more than %u pieces of memory", MAX_MEMORIES);
		memory = &memories[nmemories++];
	}
	memory->name = op->arg[0];
	memory->at = reserve(nbytes);
	memory->nbytes = nbytes;
	text_add_result(line, fill_part(memory->at, nbytes, op->arg[2],
					op->arg[3]));
}

void do_part(const struct op *op, struct text *line)
{
	text_add_result(line, fill_part(memory_range(op), op->arg[1], op->arg[2],
					op->arg[3]));
}

void do_protect(const struct op *op, struct text *line)
{
	int result = mprotect(memory_range(op), op->arg[1], prot_of(op->arg[2]));

	text_add_result(line, result ? -errno : 0);
}

/* The result of the advice itself is not compared. */
void do_advise(const struct op *op, struct text *line)
{
	static const int advices[] = {
		[ADVICE_DONTNEED] = MADV_DONTNEED,
		[ADVICE_FREE] = MADV_FREE,
		[ADVICE_HUGE] = MADV_HUGEPAGE,
		[ADVICE_NOHUGE] = MADV_NOHUGEPAGE,
	};
	int result = madvise(memory_range(op), op->arg[1], advices[op->arg[2]]);

	text_add_result(line, result ? -errno : 0);
}

void do_fill(const struct op *op, struct text *line)
{
	(void)line;
	memory_fill(memory_range(op), op->arg[1], op->arg[2]);
}

void do_peek(const struct op *op, struct text *line)
{
	const void *at = memory_range(op);

	text_add(line, " hash=%016llx",
		 (unsigned long long)hash_bytes(HASH_START, at, op->arg[1]));
}

void do_lock(const struct op *op, struct text *line)
{
	int result = mlock(memory_range(op), op->arg[1]);

	text_add_result(line, result ? -errno : 0);
}

void do_limit(const struct op *op, struct text *line)
{
	struct rlimit limit;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	limit.rlim_cur = op->arg[0] * PAGE;
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	text_add_result(line, setrlimit(RLIMIT_MEMLOCK, &limit) ? -errno : 0);
}

void do_drop_capability(const struct op *op, struct text *line)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];
	uint32_t mask = ~(1U << CAP_IPC_LOCK);
	long result;

	(void)op;
	result = syscall(SYS_capget, &header, data);
	data[0].effective &= mask;
	if (!result)
		result = syscall(SYS_capset, &header, data);
	text_add_result(line, result ? -errno : 0);
}
