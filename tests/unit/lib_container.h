/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio.ko as our backend sees it, and a container of a process with its memory.
 */
#ifndef LIB_CONTAINER_H
#define LIB_CONTAINER_H

#include <linux/vfio.h>

#include "kernel.h"
#include "compat/type1.h"
#include "compat/vaddr.h"
#include "compat/vfio_private.h"

/* The one that vfio.ko asks first; how many there are. */
const struct vfio_iommu_driver_ops *shim_first_driver(void);
unsigned int shim_ndrivers(void);

/* Tells those who listen that a module is there now. */
void shim_module_is_live(const char *name);
extern int shim_module_refs;		/* of our module */
extern bool shim_module_goes;		/* it gets none any more */

extern bool shim_serves;		/* what node_serves_current() says */
extern unsigned int shim_ioctl_cmd;	/* of the system call that the task is in */

/* The container of a test: made by a first emulated group if it has no other one. */
extern void *handle;
extern struct shim_process process;	/* has all of its memory, and no limit */

/* A process that nobody has to do with, and afterwards nobody has, is the current one. */
void make_process(void);
void end_process(void);

void start_backend(void);
void stop_backend(void);
void open_container(unsigned long type);
/* What is behind a handle, which the test does not release meanwhile; or NULL. */
struct container *container_unreleased(void *handle);
void close_container(void);

/* A call, and what happens, if anything, each time that it is about to touch its argument. */
extern void (*on_copy_in_call)(void);
long container_call(unsigned int cmd, unsigned long arg);

/* The calls as a program makes them, in pages of IOVA and of the process' memory. */
int map_dma(unsigned long index, unsigned long npages, unsigned long page);
/* How many pages went, or the error. The bitmap has a bit a page of the range; or is NULL. */
long unmap_dma(unsigned long index, unsigned long npages, u64 *bitmap);
int report_dirty(unsigned long index, unsigned long npages, u64 *bitmap);
struct dirty_argument {
	struct vfio_iommu_type1_dirty_bitmap head;
	struct vfio_iommu_type1_dirty_bitmap_get range;	/* the bitmap's address is filled in */
};

int dirty_call(struct dirty_argument argument);
/* Of 64 pages a word. */
int report_dirty_words(unsigned long index, unsigned long nwords, u64 *words);
int dirty_flag(u32 flag);
/* Takes addresses of mappings away, and gives one back. */
long void_vaddr(unsigned long index, unsigned long npages);
int set_vaddr(unsigned long index, unsigned long npages, unsigned long page);
/* The same for a driver that is being told of an unmap, with locks held. */
int dirty_flag_when_told(u32 flag);
long get_info(void);

#endif
