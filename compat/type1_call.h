/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * type1_call: a container ioctl, whose argument is read and checked once.
 *
 * Owns: struct type1_call.
 */
#ifndef VFIO_IOAS_TYPE1_CALL_H
#define VFIO_IOAS_TYPE1_CALL_H

#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "native/info.h"
#include "stock.h"

enum type1_scope {
	CALL_OUTSIDE,	/* is in no IOAS */
	CALL_INSIDE,	/* needs the container's IOAS */
	CALL_ALONE,	/* needs it to itself */
};

struct type1_call {
	unsigned int cmd;
	unsigned long arg;		/* user pointer, or a number */
	bool is_read;			/* all that calls of @cmd have in common is here */
	enum type1_scope scope;
	int error;			/* of DIRTY_PAGES: what is wrong with the argument; or 0 */
	union {
		struct vfio_iommu_type1_dma_map map;
		struct {
			struct vfio_iommu_type1_dma_unmap unmap;
			struct vfio_bitmap bitmap;	/* with FLAG_GET_DIRTY_BITMAP */
		};
		struct {
			struct vfio_iommu_type1_dirty_bitmap dirty;
			struct vfio_iommu_type1_dirty_bitmap_get range;	/* with FLAG_GET_BITMAP */
		};
		struct info_answer info;
	};
};

/* How much of the struct a report of dirty pages has. */
#define DIRTY_REPORT_NBYTES	(sizeof(struct vfio_iommu_type1_dirty_bitmap) + \
				 sizeof(struct vfio_iommu_type1_dirty_bitmap_get))

static inline void __user *type1_uarg(const struct type1_call *call)
{
	return (void __user *)call->arg;
}

/*
 * Structs that every small map and unmap brings are copied word by word: calls of the general
 * functions cost 2 % of one. False: not without waiting for memory, for which a reference to the
 * module is needed.
 */
static inline bool get_words_at_once(void *to, const void __user *from, unsigned int nwords)
{
	const u64 __user *uwords = from;
	bool got = false;
	unsigned int i;
	u64 *words = to;

	pagefault_disable();
	if (!user_read_access_begin(uwords, nwords * sizeof(*uwords)))
		goto enable;
#pragma GCC unroll 4
	for (i = 0; i < nwords; i++)
		unsafe_get_user(words[i], &uwords[i], end_access);
	got = true;

end_access:
	user_read_access_end();
enable:
	pagefault_enable();
	return got;
}

/* Undoes get_words_at_once(). */
static inline bool put_words_at_once(void __user *to, const void *from, unsigned int nwords)
{
	u64 __user *uwords = to;
	const u64 *words = from;
	bool put = false;
	unsigned int i;

	pagefault_disable();
	if (!user_write_access_begin(uwords, nwords * sizeof(*uwords)))
		goto enable;
#pragma GCC unroll 4
	for (i = 0; i < nwords; i++)
		unsafe_put_user(words[i], &uwords[i], end_access);
	put = true;

end_access:
	user_write_access_end();
enable:
	pagefault_enable();
	return put;
}

static inline bool type1_wraps(u64 first, u64 nbytes)
{
	return nbytes && first + nbytes - 1 < first;
}

/* What is wrong with the argument of MAP_DMA? The order matters to kernels that tell what wraps. */
static inline int type1_check_map(const struct vfio_iommu_type1_dma_map *map)
{
	const u32 access = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;

	if (map->argsz < sizeof(*map) || map->flags & ~(access | VFIO_DMA_MAP_FLAG_VADDR) ||
	    !map->size)
		return -EINVAL;
	if (type1_wraps(map->iova, map->size) || type1_wraps(map->vaddr, map->size))
		return STOCK_WRAPS;
	if (!map->flags || (map->flags & VFIO_DMA_MAP_FLAG_VADDR && map->flags & access))
		return -EINVAL;
	return 0;
}

/* Has an unmap flags that few have? */
static inline bool type1_is_special(const struct vfio_iommu_type1_dma_unmap *unmap)
{
	return unmap->flags & ~VFIO_DMA_UNMAP_FLAG_ALL;
}

/* What is wrong with the argument of UNMAP_DMA, unless it is special? */
static inline int type1_check_unmap(const struct vfio_iommu_type1_dma_unmap *unmap)
{
	return unmap->argsz < sizeof(*unmap) ? -EINVAL : 0;
}

/* Is it a report of dirty pages, with which nothing is wrong so far? */
static inline bool type1_is_report(const struct type1_call *call)
{
	return !call->error && call->dirty.flags == VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
}

/**
 * type1_check_dirty() - check the argument of VFIO_IOMMU_DIRTY_PAGES
 * @call: gets its error and scope; all of a report has been read
 */
void type1_check_dirty(struct type1_call *call);

/**
 * type1_read_call() - read and check the argument of a call
 * @call: which has the command, where its argument is, and what was read already
 *
 * Context: may fault: the caller keeps no container, but the module.
 * Return: 0, with @call complete; -EFAULT; -EINVAL, or as stock type1, if something is wrong with
 * the argument, but for DIRTY_PAGES, which looks at its container first; -ENOTTY for an unknown
 * call.
 */
int type1_read_call(struct type1_call *call);

#endif
