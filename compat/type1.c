// SPDX-License-Identifier: GPL-2.0-only
/*
 * type1: the container ioctls, as vfio_iommu_type1 defines them.
 *
 * What programs do not find here yet (dirty tracking, VADDR update) they are told
 * the way stock type1 of older kernels did: 0 from CHECK_EXTENSION, ENOTTY, EINVAL.
 *
 * Locking: none here; the IOAS has its own.
 */
#include <linux/fault-inject-usercopy.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "info.h"
#include "ioas.h"
#include "kcompat.h"
#include "type1.h"

static bool disable_hugepages;
module_param(disable_hugepages, bool, 0644);
MODULE_PARM_DESC(disable_hugepages, "Map page by page, so that the IOMMU uses its smallest page size");

static unsigned int dma_entry_limit = 65535;
module_param(dma_entry_limit, uint, 0644);
MODULE_PARM_DESC(dma_entry_limit, "Number of mappings a container opened from now on may hold (65535)");

/**
 * type1_init() - begin a container
 * @type1: to fill
 * @type: as given to VFIO_SET_IOMMU
 *
 * Return: 0, or -EINVAL for a type we do not have.
 */
int type1_init(struct type1 *type1, unsigned long type)
{
	switch (type) {
	case VFIO_TYPE1_IOMMU:
		break;
	case VFIO_TYPE1_NESTING_IOMMU:
		type1->nesting = true;
		fallthrough;
	case VFIO_TYPE1v2_IOMMU:
		type1->v2 = true;
		break;
	default:
		return -EINVAL;
	}
	type1->max_areas = READ_ONCE(dma_entry_limit);
	return 0;
}

/**
 * type1_single_pages() - is the user afraid of large I/O pages at the moment?
 */
bool type1_single_pages(void)
{
	return READ_ONCE(disable_hugepages);
}

/**
 * type1_check_extension() - VFIO_CHECK_EXTENSION
 * @ioas: what the container maps into, entered; or NULL
 * @extension: the number, compared in full
 *
 * Return: 1 if the container has, or could have, the extension; 0 if not.
 */
long type1_check_extension(struct ioas *ioas, unsigned long extension)
{
	switch (extension) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return 1;
	case VFIO_TYPE1_NESTING_IOMMU:
		return KCOMPAT_TYPE1_NESTING;
	case VFIO_DMA_CC_IOMMU:
		return ioas && ioas_enforces_coherency(ioas);
	default:
		return 0;
	}
}

/* What all domains can map; the CPU's page is the smallest unit of a container. */
static unsigned long type1_pgsizes(struct ioas *ioas)
{
	unsigned long pgsizes = ioas_pgsizes(ioas);

	if (pgsizes & ~PAGE_MASK)
		pgsizes = (pgsizes & PAGE_MASK) | PAGE_SIZE;
	return pgsizes;
}

static void *build_chain(struct ioas *ioas, const struct info_style *style, size_t *nbytes)
{
	struct info_facts facts = { .padded = style->padded };
	struct ioas_space_info space;
	void *chain;

	if (ioas_get_space_info(ioas, &space))
		return NULL;
	if (space.nareas < style->max_areas)
		facts.avail = min_t(unsigned long, style->max_areas - space.nareas, U32_MAX);
	facts.ranges = space.ranges;
	facts.nranges = space.nranges;
	*nbytes = info_chain_nbytes(&facts);
	chain = kvzalloc(*nbytes, GFP_KERNEL_ACCOUNT);
	if (chain)
		info_chain_build(chain, &facts);
	kvfree(space.ranges);
	return chain;
}

/* How much of the fixed part a program of this age knows. */
static size_t info_written(const struct info_style *style, u32 argsz)
{
	if (!style->unpadded_info)
		return min_t(size_t, argsz, sizeof(struct vfio_iommu_type1_info));
	if (argsz < offsetofend(struct vfio_iommu_type1_info, cap_offset))
		return offsetofend(struct vfio_iommu_type1_info, iova_pgsizes);
	return offsetofend(struct vfio_iommu_type1_info, cap_offset);
}

/**
 * type1_get_info() - VFIO_IOMMU_GET_INFO
 * @ioas: what it is about, entered by the caller
 * @style: how to answer
 * @uinfo: user pointer to struct vfio_iommu_type1_info, with room for the chain
 *
 * Return: 0, also without room for the chain; -EINVAL for a struct too short; -EFAULT;
 * -ENOMEM.
 */
long type1_get_info(struct ioas *ioas, const struct info_style *style, void __user *uinfo)
{
	struct vfio_iommu_type1_info info = { };
	size_t chain_nbytes, written, whole;
	void *chain;
	long ret = 0;

	if (copy_from_user(&info, uinfo, offsetofend(struct vfio_iommu_type1_info,
						     iova_pgsizes)))
		return -EFAULT;
	if (info.argsz < offsetofend(struct vfio_iommu_type1_info, iova_pgsizes))
		return -EINVAL;
	chain = build_chain(ioas, style, &chain_nbytes);
	if (!chain)
		return -ENOMEM;

	written = info_written(style, info.argsz);
	info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info.iova_pgsizes = type1_pgsizes(ioas);
	whole = sizeof(info) + chain_nbytes;
	if (info.argsz >= whole) {
		info.cap_offset = sizeof(info);
		if (copy_to_user(uinfo + sizeof(info), chain, chain_nbytes))
			ret = -EFAULT;
	}
	if (info.argsz < whole || style->exact)
		info.argsz = whole;
	if (!ret && copy_to_user(uinfo, &info, written))
		ret = -EFAULT;
	kvfree(chain);
	return ret;
}

static long container_get_info(const struct type1 *type1, struct ioas *ioas,
			       void __user *uinfo)
{
	const struct info_style style = {
		.max_areas = type1->max_areas,
		.padded = KCOMPAT_INFO_PADDED,
		.unpadded_info = !KCOMPAT_INFO_PADDED,
	};

	return type1_get_info(ioas, &style, uinfo);
}

static bool wraps(u64 first, u64 nbytes)
{
	return nbytes && first + nbytes - 1 < first;
}

/*
 * Structs that every small map and unmap brings are copied word by word: calls of the
 * general functions cost 2 % of one. False, as when these fail, means -EFAULT.
 */
static inline bool get_words(u64 *words, const u64 __user *uwords, unsigned int nwords)
{
	unsigned int i;

	might_fault();
	if (should_fail_usercopy() ||
	    !user_read_access_begin(uwords, nwords * sizeof(*uwords)))
		return false;
#pragma GCC unroll 4
	for (i = 0; i < nwords; i++)
		unsafe_get_user(words[i], &uwords[i], fault);
	user_read_access_end();
	return true;

fault:
	user_read_access_end();
	return false;
}

static inline bool put_words(u64 __user *uwords, const u64 *words, unsigned int nwords)
{
	unsigned int i;

	might_fault();
	if (should_fail_usercopy() ||
	    !user_write_access_begin(uwords, nwords * sizeof(*uwords)))
		return false;
#pragma GCC unroll 4
	for (i = 0; i < nwords; i++)
		unsafe_put_user(words[i], &uwords[i], fault);
	user_write_access_end();
	return true;

fault:
	user_write_access_end();
	return false;
}

static __always_inline long type1_map(const struct type1 *type1, struct ioas *ioas,
				      void __user *umap)
{
	struct vfio_iommu_type1_dma_map map;
	struct ioas_map request;

	if (!get_words((u64 *)&map, umap, sizeof(map) / sizeof(u64)))
		return -EFAULT;
	if (map.argsz < sizeof(map) ||
	    map.flags & ~(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE) ||
	    !map.flags || !map.size)
		return -EINVAL;
	if (wraps(map.iova, map.size) || wraps(map.vaddr, map.size))
		return -EINVAL;

	request = (struct ioas_map){
		.rule = MAP_TYPE1,
		.account_mode = ACCOUNT_TYPE1,
		.uptr = map.vaddr,
		.iova = map.iova,
		.nbytes = map.size,
		.min_granule = PAGE_SIZE,
		.max_areas = type1->max_areas,
		.single_pages = type1_single_pages(),
	};
	if (map.flags & VFIO_DMA_MAP_FLAG_READ)
		request.iommu_prot |= IOMMU_READ;
	if (map.flags & VFIO_DMA_MAP_FLAG_WRITE)
		request.iommu_prot |= IOMMU_WRITE;
	return ioas_map(ioas, &request);
}

static int type1_unmap_range(const struct type1 *type1, struct ioas *ioas,
			     const struct vfio_iommu_type1_dma_unmap *unmap,
			     unsigned long *nbytes)
{
	unsigned long misfit = (1UL << __ffs(type1_pgsizes(ioas))) - 1;

	if (!unmap->size || (unmap->iova | unmap->size) & misfit ||
	    wraps(unmap->iova, unmap->size))
		return -EINVAL;
	return ioas_unmap(ioas, unmap->iova, unmap->iova + unmap->size - 1,
			  type1->v2 ? UNMAP_WHOLE : UNMAP_LEADING, nbytes);
}

static long type1_unmap(const struct type1 *type1, struct ioas *ioas, void __user *uunmap)
{
	struct vfio_iommu_type1_dma_unmap unmap;
	unsigned long nbytes = 0;
	int ret = 0;

	if (!get_words((u64 *)&unmap, uunmap, sizeof(unmap) / sizeof(u64)))
		return -EFAULT;
	if (unmap.argsz < sizeof(unmap) || unmap.flags & ~VFIO_DMA_UNMAP_FLAG_ALL)
		return -EINVAL;

	if (!(unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL))
		ret = type1_unmap_range(type1, ioas, &unmap, &nbytes);
	else if (unmap.iova || unmap.size)
		ret = -EINVAL;
	else
		ret = ioas_unmap_all(ioas, &nbytes);
	if (ret)
		return ret;

	unmap.size = nbytes;
	return put_words(uunmap, (u64 *)&unmap, sizeof(unmap) / sizeof(u64)) ? 0 : -EFAULT;
}

/**
 * type1_ioctl() - serve a container ioctl
 * @type1: how the container was opened
 * @ioas: what it maps into, entered by the caller
 * @cmd: the command word
 * @arg: user pointer, or the extension's number
 *
 * Context: the calling process; may sleep.
 * Return: as stock type1; -ENOTTY for what is not a container ioctl we have.
 */
long type1_ioctl(const struct type1 *type1, struct ioas *ioas, unsigned int cmd,
		 unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_CHECK_EXTENSION:
		return type1_check_extension(ioas, arg);
	case VFIO_IOMMU_GET_INFO:
		return container_get_info(type1, ioas, uarg);
	case VFIO_IOMMU_MAP_DMA:
		return type1_map(type1, ioas, uarg);
	case VFIO_IOMMU_UNMAP_DMA:
		return type1_unmap(type1, ioas, uarg);
	default:
		return -ENOTTY;
	}
}
