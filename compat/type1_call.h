/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * type1_call: a container ioctl; its argument is read and checked once.
 *
 * Owns: struct type1_call.
 */
#ifndef VFIO_IOAS_TYPE1_CALL_H
#define VFIO_IOAS_TYPE1_CALL_H

#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "native/info.h"
#include "stock.h"

/* How a call needs the IOAS of container ioctls. */
enum type1_scope {
	CALL_OUTSIDE,	/* not at all */
	CALL_INSIDE,	/* entered: domains_rwsem held for reading */
	CALL_ALONE,	/* domains_rwsem held for writing */
};

struct type1_call {
	unsigned int cmd;
	unsigned long arg;		/* user pointer, or a number */
	bool is_read;			/* the part that all calls of @cmd have has been read */
	enum type1_scope scope;
	int error;			/* of the argument of DIRTY_PAGES; or 0 */
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

/* Length of the argument of DIRTY_PAGES for a report. */
#define DIRTY_REPORT_NBYTES	(sizeof(struct vfio_iommu_type1_dirty_bitmap) + \
				 sizeof(struct vfio_iommu_type1_dirty_bitmap_get))

static inline void __user *type1_uarg(const struct type1_call *call)
{
	return (void __user *)call->arg;
}

/*
 * Copies the struct of a map, an unmap or a report from user memory, word by word: a call of
 * copy_from_user() costs 2 % of a small map. False if that would fault: the caller needs a
 * reference to the module before it waits for memory.
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

/* As get_words_at_once(), but to user memory. */
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

/*
 * Checks the argument of MAP_DMA: 0, -EINVAL, or STOCK_WRAPS for a range that wraps. The order of
 * the checks matters where STOCK_WRAPS is another errno.
 */
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

/* Has an unmap a flag besides VFIO_DMA_UNMAP_FLAG_ALL? Few have. */
static inline bool type1_is_special(const struct vfio_iommu_type1_dma_unmap *unmap)
{
	return unmap->flags & ~VFIO_DMA_UNMAP_FLAG_ALL;
}

/* Checks the argument of UNMAP_DMA, as far as all unmaps have it: 0 or -EINVAL. */
static inline int type1_check_unmap(const struct vfio_iommu_type1_dma_unmap *unmap)
{
	return unmap->argsz < sizeof(*unmap) ? -EINVAL : 0;
}

/* Is it a report of dirty pages, without an error so far? */
static inline bool type1_is_report(const struct type1_call *call)
{
	return !call->error && call->dirty.flags == VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
}

/**
 * type1_check_dirty() - check the argument of VFIO_IOMMU_DIRTY_PAGES
 * @call: has its command and the argument, for a report DIRTY_REPORT_NBYTES of it; receives its
 *	scope and error: 0, -EINVAL, or STOCK_WRAPS for a range that wraps
 *
 * Context: any.
 */
void type1_check_dirty(struct type1_call *call);

/**
 * type1_read_call() - read and check the argument of a call
 * @call: has the command, the pointer to its argument, and maybe a part that was read already;
 *	receives all else
 *
 * An error of the argument of DIRTY_PAGES is noted in @call->error, as the container is looked at
 * first.
 *
 * Context: may fault: the caller has a reference to the module, and keeps no container.
 * Return: 0 with @call complete, or:
 * * -EFAULT: the argument cannot be read
 * * -EINVAL: the argument is wrong
 * * STOCK_WRAPS: a map wraps
 * * -ENOTTY: the command is unknown
 */
int type1_read_call(struct type1_call *call);

#endif
