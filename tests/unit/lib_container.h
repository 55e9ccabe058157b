/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio.ko as our backend sees it, and a container of a process with memory.
 */
#ifndef LIB_CONTAINER_H
#define LIB_CONTAINER_H

#include <linux/vfio.h>

#include "kernel.h"
#include "compat/type1.h"
#include "compat/vaddr.h"
#include "compat/vfio_private.h"

/* The backend that vfio.ko asks first, and the number of backends. */
const struct vfio_iommu_driver_ops *shim_first_driver(void);
unsigned int shim_ndrivers(void);

/* Calls module notifiers, as if a module had been loaded. */
void shim_module_is_live(const char *name);
extern int shim_module_refs;		/* references to our module */
extern bool shim_module_goes;		/* no more references: it is being unloaded */

extern bool shim_serves;		/* result of node_serves_current() */
extern unsigned int shim_ioctl_cmd;	/* the ioctl that the task is in */

/* The container of a test. */
extern void *handle;
extern struct shim_process process;	/* has memory at all addresses, and no limit */

/* Make a new process the current one; check that nothing of it is pinned, charged or kept. */
void make_process(void);
void end_process(void);

void start_backend(void);
void stop_backend(void);
void open_container(unsigned long type);
/* The container of a handle, which the test does not release meanwhile; or NULL. */
struct container *container_unreleased(void *handle);
void close_container(void);

/* An ioctl on the container. If set, the function is called before each access to user memory. */
extern void (*on_copy_in_call)(void);
long container_call(unsigned int cmd, unsigned long arg);

/* Ioctls as a program makes them: @index and @page are pages of IOVA and of process memory. */
int map_dma(unsigned long index, unsigned long npages, unsigned long page);
/* Returns how many pages were unmapped, or -errno. @bitmap gets a bit a page, or is NULL. */
long unmap_dma(unsigned long index, unsigned long npages, u64 *bitmap);
int report_dirty(unsigned long index, unsigned long npages, u64 *bitmap);
struct dirty_argument {
	struct vfio_iommu_type1_dirty_bitmap head;
	struct vfio_iommu_type1_dirty_bitmap_get range;	/* dirty_call() sets bitmap.data */
};

int dirty_call(struct dirty_argument argument);
/* As report_dirty(), for 64 pages a word. */
int report_dirty_words(unsigned long index, unsigned long nwords, u64 *words);
int dirty_flag(u32 flag);
/* Declare addresses of mappings void, and set the address of one mapping. */
long void_vaddr(unsigned long index, unsigned long npages);
int set_vaddr(unsigned long index, unsigned long npages, unsigned long page);
/* As dirty_flag(), from a driver's callback for unmaps, in which locks are held. */
int dirty_flag_when_told(u32 flag);
long get_info(void);

#endif
