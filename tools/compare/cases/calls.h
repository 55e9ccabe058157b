/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * calls.h - the building blocks of cases: each function executes one operation (op.h), which adds a
 * line to the transcript
 *
 * Sizes are in bytes unless a parameter is called npages. Page numbers count from the start of buf,
 * the memory that each setup makes.
 */
#ifndef COMPARE_CALLS_H
#define COMPARE_CALLS_H

#include <linux/vfio.h>

#include "compare/op/devices.h"
#include "compare/op/op_type.h"
#include "lib/common.h"

#define V1		VFIO_TYPE1_IOMMU
#define V2		VFIO_TYPE1v2_IOMMU

#define R		((uint32_t)VFIO_DMA_MAP_FLAG_READ)
#define W		((uint32_t)VFIO_DMA_MAP_FLAG_WRITE)
#define RW		(R | W)
#define MAP_VADDR	((uint32_t)VFIO_DMA_MAP_FLAG_VADDR)
#define UNMAP_ALL	((uint32_t)VFIO_DMA_UNMAP_FLAG_ALL)
#define UNMAP_VADDR	((uint32_t)VFIO_DMA_UNMAP_FLAG_VADDR)
#define UNMAP_BITMAP	((uint32_t)VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP)
#define DIRTY_START	((uint32_t)VFIO_IOMMU_DIRTY_PAGES_FLAG_START)
#define DIRTY_STOP	((uint32_t)VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP)
#define DIRTY_GET	((uint32_t)VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP)

#define A		GROUP_A
#define B		GROUP_B
#define E		GROUP_E
#define F		GROUP_F
#define MUTE		GROUP_MUTE

#define BUF_PAGES	64U
#define BUF_BYTES	(BUF_PAGES * PAGE)
/* Range that IOMMUs on x86 reserve for message-signalled interrupts. */
#define MSI_START	0xfee00000ULL
#define MSI_END		0xfef00000ULL	/* exclusive */

/* Memory that all setups make: BUF_PAGES touched pages. */
extern uint8_t *buf;

/*
 * The setups of docs/type1.md, section 13: container 0 with its groups, and open emulated devices.
 * If a step fails, they give up.
 */
void setup_c(void);
void setup_p(void);
void setup_pp(void);
void setup_e(void);
void setup_m(void);
/* A setup with the listed groups, and any type. */
void setup_groups(const enum group *groups, unsigned int ngroups,
		  unsigned long type);
void make_buf(void);
/* The last IOVA of the current container that can be mapped, inclusive. */
uint64_t last_iova(void);

void open_container(unsigned int number);
void use_container(unsigned int number);
void close_container(unsigned int number);
void open_group(enum group group);
void close_group(enum group group);
void join(enum group group);
void join_fd(enum group group, enum not_container fd);
void leave(enum group group);
void status(enum group group, uint32_t argsz);
void set_iommu(unsigned long type);
void api_version(void);
void extension(unsigned long number);
void call(unsigned long command, unsigned long argument);
void open_device(enum group group);
void open_device_again(enum group group);
void open_unknown_device(enum group group);
void close_device(enum group group);
void close_device_again(enum group group);

void info(void);
void info_argsz(uint32_t argsz);
void info_bytes(uint32_t argsz);

/* Maps buf from its start. */
void map(uint64_t iova, uint64_t npages, uint32_t flags);
void map_at(uint64_t iova, uint64_t nbytes, const void *memory, uint32_t flags);
void map_argsz(uint64_t iova, uint64_t nbytes, const void *memory,
	       uint32_t flags, uint32_t argsz);
void unmap(uint64_t iova, uint64_t nbytes);
void unmap_flags(uint64_t iova, uint64_t nbytes, uint32_t flags);
void unmap_argsz(uint64_t iova, uint64_t nbytes, uint32_t flags, uint32_t argsz);
void unmap_all(void);

void dirty(uint32_t flags);
void dirty_argsz(uint32_t flags, uint32_t argsz);
/* Fields that are 0 get the correct value. */
struct bitmap {
	uint64_t pgsize;	/* 0: PAGE; see ZERO_PGSIZE */
	uint64_t nbytes;	/* 0: as many as needed; see NO_BYTES */
	enum bits_where bits;
	uint32_t flags;		/* of UNMAP, besides UNMAP_BITMAP */
	uint32_t argsz;		/* 0: 48 */
};

#define ZERO_PGSIZE	UINT64_MAX
#define NO_BYTES	UINT64_MAX

void dirty_get(uint64_t iova, uint64_t nbytes);
void dirty_get_with(uint64_t iova, uint64_t nbytes, struct bitmap bitmap);
void unmap_bitmap(uint64_t iova, uint64_t nbytes);
void unmap_bitmap_with(uint64_t iova, uint64_t nbytes, struct bitmap bitmap);

void pin(enum group group, uint64_t iova, int npages, uint32_t prot);
void unpin(enum group group, uint64_t iova, int npages);
void rw(enum group group, uint64_t iova, uint32_t nbytes, uint32_t flags);
void behave(enum group group, uint32_t nignored, uint32_t flags);
void callbacks(enum group group);

uint8_t *memory(const char *name, uint64_t nbytes, enum memory_kind kind,
		uint32_t prot);
void protect(void *at, uint64_t nbytes, uint32_t prot);
void part(void *at, uint64_t nbytes, enum memory_kind kind, uint32_t prot);
void fill(void *at, uint64_t nbytes, uint64_t seed);
void peek(void *at, uint64_t nbytes);
void lock_memory(void *at, uint64_t nbytes);
void limit(uint64_t npages);
void drop_capability(void);

/* Set whether the device decodes accesses to its memory. */
void decode_memory(enum group group);
void ignore_memory(enum group group);
void load(enum group group, uint64_t iova, uint32_t nbytes);
void store(enum group group, uint64_t iova, uint32_t nbytes);

/* Prints charge and budget on a line of its own. */
void state(void);

/* Runs the function in a child process, and waits for its end. */
void in_child(void (*function)(void));
/* A child that runs the function and then stays until child_end(). */
struct child {
	pid_t pid;
	int gate[2];
};

void child_begin(struct child *child, void (*function)(void));
void child_end(struct child *child);
/* Executes this program anew in this process, to run the part (parts.c) of this name. */
void exec_part(const char *name) __attribute__((noreturn));

/*
 * For cases that judge for themselves, without a comparison: if the condition does not hold, adds a
 * line that fails the case.
 */
void expect(bool condition, const char *what);

#endif
