// SPDX-License-Identifier: GPL-2.0-only
/*
 * type1: the container ioctls, as vfio_iommu_type1 defines them.
 *
 * A call reads its argument before it looks for the container, so that memory that does not answer
 * keeps nobody from releasing that, and then has a reference to the module. It decides once how it
 * is served: most calls enter the IOAS, and so keep all that they use; new user addresses and the
 * switch of dirty tracking wait until nobody else is inside. It writes its answer when it has let
 * go of both, but for bitmaps and the answers of native calls.
 *
 * Locking: none here; the IOAS has its own.
 */
#include <linux/fault-inject-usercopy.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "container.h"
#include "dirty.h"
#include "domain/group.h"
#include "emulated.h"
#include "native/info.h"
#include "native/ioctl.h"
#include "space/ioas.h"
#include "space/map.h"
#include "space/unmap.h"
#include "stock.h"
#include "type1.h"
#include "vaddr.h"

static bool disable_hugepages;
module_param(disable_hugepages, bool, 0644);
MODULE_PARM_DESC(disable_hugepages, "Map page by page, so that the IOMMU uses its smallest page size");

static unsigned int dma_entry_limit = 65535;
module_param(dma_entry_limit, uint, 0644);
MODULE_PARM_DESC(dma_entry_limit, "Number of mappings of a container that gets its backend from now on (65535)");

/**
 * type1_init() - begin a container
 * @type1: zeroed memory
 * @ctx: its context
 * @type: as given to VFIO_SET_IOMMU
 *
 * Return: 0, or -EINVAL for a type we do not have.
 */
int type1_init(struct type1 *type1, struct ioas_ctx *ctx, unsigned long type)
{
	switch (type) {
	case VFIO_TYPE1_IOMMU:
		break;
	case STOCK_NESTING_IOMMU:
		type1->nesting = true;
		fallthrough;
	case VFIO_TYPE1v2_IOMMU:
		type1->v2 = true;
		break;
	default:
		return -EINVAL;
	}
	type1->ctx = ctx;
	dirty_init(&type1->dirty);
	emulated_init(&type1->emulated);
	return 0;
}

/**
 * type1_exit() - undo type1_init()
 * @type1: without groups; nobody else uses it
 */
void type1_exit(struct type1 *type1)
{
	emulated_destroy(&type1->emulated);
	dirty_destroy(&type1->dirty);
}

/**
 * type1_name() - what kind of container is it?
 * @type1: the container
 *
 * Return: a constant string, for administrators.
 */
const char *type1_name(const struct type1 *type1)
{
	if (type1->nesting)
		return "nesting";
	return type1->v2 ? "type1v2" : "type1";
}

/**
 * type1_entry_limit() - how many mappings may a container hold that is opened now?
 */
unsigned int type1_entry_limit(void)
{
	return READ_ONCE(dma_entry_limit);
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
 * @type1: the container, kept by the caller; or NULL, if there is none yet
 * @extension: the number, compared in full
 *
 * No answer depends on which IOAS the user of the container has selected.
 *
 * Context: may sleep; takes groups_mutex.
 * Return: 1 if the container has, or could have, the extension; 0 if not.
 */
long type1_check_extension(struct type1 *type1, unsigned long extension)
{
	switch (extension) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return 1;
	case STOCK_NESTING_IOMMU:
		return STOCK_HAS_NESTING;
	case VFIO_UPDATE_VADDR:
		return type1 && !READ_ONCE(type1->emulated.ngroups);
	case VFIO_DMA_CC_IOMMU:
		return type1 && ioas_ctx_enforces_coherency(type1->ctx);
	default:
		return 0;
	}
}

static long get_info(struct type1 *type1, struct ioas *ioas, void *args)
{
	const struct info_policy policy = {
		.max_dirty_nbytes = DIRTY_MAX_NBYTES,
		.tells_room = true,
		.no_ranges = !READ_ONCE(type1->had_domain),
		.padded = STOCK_INFO_IS_PADDED,
		.unpadded_info = !STOCK_INFO_IS_PADDED,
	};
	struct info_answer *answer = args;
	long ret;

	ioas_enter(ioas);
	ret = info_get(ioas, &policy, answer->info.argsz, answer);
	ioas_leave(ioas);
	return ret;
}

/* Serves a call that is rare enough to keep what it works on, @args being what it is about. */
static noinline long serve(void *handle, void *args,
			   long (*service)(struct type1 *type1, struct ioas *ioas, void *args))
{
	struct container *container = container_get(handle);
	struct ioas *ioas;
	long ret = -ENODEV;

	if (!container)
		return -EINVAL;
	ioas = ioas_get_default(&container->ctx);
	if (ioas) {
		ret = service(&container->type1, ioas, args);
		ioas_put(ioas);
	}
	container_put(container);
	return ret;
}

static bool wraps(u64 first, u64 nbytes)
{
	return nbytes && first + nbytes - 1 < first;
}

/*
 * Structs that every small map and unmap brings are copied word by word: calls of the general
 * functions cost 2 % of one. False: not without waiting for memory, for which a reference to the
 * module is needed.
 */
static inline bool get_words_at_once(u64 *words, const u64 __user *uwords, unsigned int nwords)
{
	bool got = false;
	unsigned int i;

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

static inline bool put_words_at_once(u64 __user *uwords, const u64 *words, unsigned int nwords)
{
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

/* Are these not all multiples of the smallest page? */
static bool misfit(struct ioas *ioas, u64 numbers)
{
	return numbers & ((1UL << __ffs(info_pgsizes(ioas))) - 1);
}

/* Of a mapping that has more pages than a bitmap can have bits. */
static int refuse_if_tracking(struct ioas *ioas)
{
	return dirty_is_tracking(ioas) ? -EINVAL : 0;
}

/* The order matters to kernels that tell what wraps. */
static inline int check_map(const struct vfio_iommu_type1_dma_map *map)
{
	const u32 access = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;

	if (map->argsz < sizeof(*map) || map->flags & ~(access | VFIO_DMA_MAP_FLAG_VADDR) ||
	    !map->size)
		return -EINVAL;
	if (wraps(map->iova, map->size) || wraps(map->vaddr, map->size))
		return STOCK_WRAPS;
	if (!map->flags || (map->flags & VFIO_DMA_MAP_FLAG_VADDR && map->flags & access))
		return -EINVAL;
	return 0;
}

static __always_inline int map_memory(struct type1 *type1, struct ioas *ioas,
				      const struct vfio_iommu_type1_dma_map *map)
{
	struct ioas_map request = {
		.rule = MAP_OVERLAP_FIRST,
		.account_mode = ACCOUNT_MLOCK,
		.pin_rules = STOCK_PIN_RULES,
		.uptr = map->vaddr,
		.iova = map->iova,
		.nbytes = map->size,
		.iommu_prot = map->flags & (IOMMU_READ | IOMMU_WRITE),
		.min_granule = PAGE_SIZE,
		.single_pages = type1_single_pages(),
	};

	BUILD_BUG_ON(VFIO_DMA_MAP_FLAG_READ ^ IOMMU_READ);
	BUILD_BUG_ON(VFIO_DMA_MAP_FLAG_WRITE ^ IOMMU_WRITE);
	if (unlikely(map->size >> PAGE_SHIFT >= DIRTY_MAX_NPAGES))
		request.check_last = refuse_if_tracking;
	return ioas_map(ioas, &request);
}

static noinline long handle_get_info(void *handle, void __user *uinfo)
{
	struct info_answer answer;
	long ret;

	if (copy_from_user(&answer.info, uinfo, INFO_MIN_NBYTES))
		return -EFAULT;
	if (answer.info.argsz < INFO_MIN_NBYTES)
		return -EINVAL;
	ret = serve(handle, &answer, get_info);
	return ret ?: info_put(&answer, uinfo);
}

static long map_vaddr(struct type1 *type1, struct ioas *ioas, void *args)
{
	const struct vfio_iommu_type1_dma_map *map = args;

	if (misfit(ioas, map->size | map->iova | map->vaddr))
		return -EINVAL;
	return vaddr_set(ioas, map->iova, map->size, map->vaddr);
}

static __always_inline long handle_map(void *handle, struct vfio_iommu_type1_dma_map *map)
{
	struct container *container;
	struct ioas *ioas;
	int ret;

	ret = check_map(map);
	if (ret)
		return ret;
	if (unlikely(map->flags == VFIO_DMA_MAP_FLAG_VADDR))
		return serve(handle, map, map_vaddr);
	ret = container_enter(handle, &container, &ioas);
	if (ret)
		return ret;
	ret = map_memory(&container->type1, ioas, map);
	ioas_leave(ioas);
	/* A container whose last group has left says that. */
	return ret == -ESHUTDOWN ? -EINVAL : ret;
}

/* Serves it if its argument is in memory. */
static __always_inline bool map_at_once(void *handle, void __user *umap, long *ret)
{
	struct vfio_iommu_type1_dma_map map;

	if (should_fail_usercopy()) {
		*ret = -EFAULT;
		return true;
	}
	if (!get_words_at_once((u64 *)&map, umap, sizeof(map) / sizeof(u64)))
		return false;
	*ret = handle_map(handle, &map);
	return true;
}

static noinline long handle_map_slowly(void *handle, void __user *umap)
{
	struct vfio_iommu_type1_dma_map map;

	return copy_from_user(&map, umap, sizeof(map)) ? -EFAULT : handle_map(handle, &map);
}

/* What an unmap says of its range: all that is mapped, or what? Sets its last address. */
static inline int get_range(struct ioas *ioas, const struct vfio_iommu_type1_dma_unmap *unmap,
			    unsigned long *last_iova)
{
	*last_iova = unmap->iova + unmap->size - 1;
	if (unlikely(unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL))
		return unmap->iova || unmap->size ? -EINVAL : 0;
	if (!unmap->size || misfit(ioas, unmap->iova | unmap->size))
		return -EINVAL;
	return wraps(unmap->iova, unmap->size) ? STOCK_WRAPS : 0;
}

/* An unmap that reports what is dirty. */
struct unmap_report {
	struct vfio_iommu_type1_dma_unmap *unmap;
	struct vfio_bitmap bitmap;
};

static long unmap_and_report(struct type1 *type1, struct ioas *ioas, void *args)
{
	struct unmap_report *report = args;
	struct vfio_iommu_type1_dma_unmap *unmap = report->unmap;
	unsigned long last_iova, nbytes;
	int ret;

	ret = ioas_enter_killable(ioas);
	if (ret)
		return ret;
	ret = get_range(ioas, unmap, &last_iova);
	if (!ret && (!dirty_is_tracking(ioas) || report->bitmap.pgsize != PAGE_SIZE))
		ret = -EINVAL;
	if (!ret)
		ret = dirty_unmap(type1, ioas, unmap->iova, last_iova, &report->bitmap, &nbytes);
	ioas_leave(ioas);
	if (!ret)
		unmap->size = nbytes;
	return ret;
}

static long unmap_vaddr(struct type1 *type1, struct ioas *ioas, void *args)
{
	struct vfio_iommu_type1_dma_unmap *unmap = args;
	unsigned long last_iova, nbytes;
	int ret;

	/* Whatever the range. */
	if (READ_ONCE(type1->emulated.ngroups))
		return -EBUSY;
	ret = get_range(ioas, unmap, &last_iova);
	if (!ret)
		ret = vaddr_void(type1, ioas, unmap->iova, last_iova, &nbytes);
	if (!ret)
		unmap->size = nbytes;
	return ret;
}

/* An unmap with flags that few have. The bitmap follows the fixed part of the argument. */
static noinline long unmap_specially(void *handle, struct vfio_iommu_type1_dma_unmap *unmap,
				     void __user *uunmap)
{
	struct unmap_report report = { .unmap = unmap };
	int ret;

	if (unmap->argsz < sizeof(*unmap))
		return -EINVAL;
	if (!(unmap->flags & ~(VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR)))
		return serve(handle, unmap, unmap_vaddr);
	if (unmap->flags != VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP ||
	    unmap->argsz < sizeof(*unmap) + sizeof(report.bitmap))
		return -EINVAL;
	if (copy_from_user(&report.bitmap, uunmap + sizeof(*unmap), sizeof(report.bitmap)))
		return -EFAULT;
	ret = dirty_check_bitmap(&report.bitmap, unmap->size);
	return ret ?: serve(handle, &report, unmap_and_report);
}

static inline int unmap_range(struct type1 *type1, struct ioas *ioas,
			      struct vfio_iommu_type1_dma_unmap *unmap)
{
	struct ioas_unmap_watch *watch = NULL;
	unsigned long last_iova, nbytes = 0;
	int ret;

	ret = get_range(ioas, unmap, &last_iova);
	if (ret)
		return ret;
	if (unlikely(dirty_is_tracking(ioas)))
		watch = ioas->forgets;
	ret = ioas_unmap_watched(ioas, unmap->iova, last_iova,
				 type1->v2 ? UNMAP_WHOLE : UNMAP_STARTING, watch, &nbytes);
	unmap->size = nbytes;
	return ret;
}

static inline bool is_special(const struct vfio_iommu_type1_dma_unmap *unmap)
{
	return unmap->flags & ~VFIO_DMA_UNMAP_FLAG_ALL;
}

static __always_inline long handle_unmap(void *handle, struct vfio_iommu_type1_dma_unmap *unmap)
{
	struct container *container;
	struct ioas *ioas;
	long ret;

	if (unmap->argsz < sizeof(*unmap))
		return -EINVAL;
	ret = container_enter(handle, &container, &ioas);
	if (ret)
		return ret;
	ret = unmap_range(&container->type1, ioas, unmap);
	ioas_leave(ioas);
	return ret;
}

static noinline long put_unmapped_slowly(void __user *uunmap,
					 const struct vfio_iommu_type1_dma_unmap *unmap)
{
	long ret;

	if (!try_module_get(THIS_MODULE))
		return -EFAULT;
	ret = copy_to_user(uunmap, unmap, sizeof(*unmap)) ? -EFAULT : 0;
	module_put(THIS_MODULE);
	return ret;
}

/* Serves a common one if its argument is in memory. */
static __always_inline bool unmap_at_once(void *handle, void __user *uunmap, long *ret)
{
	struct vfio_iommu_type1_dma_unmap unmap;
	const unsigned int nwords = sizeof(unmap) / sizeof(u64);

	if (should_fail_usercopy()) {
		*ret = -EFAULT;
		return true;
	}
	if (!get_words_at_once((u64 *)&unmap, uunmap, nwords) || is_special(&unmap))
		return false;
	*ret = handle_unmap(handle, &unmap);
	if (!*ret && should_fail_usercopy())
		*ret = -EFAULT;
	else if (!*ret && !put_words_at_once(uunmap, (u64 *)&unmap, nwords))
		*ret = put_unmapped_slowly(uunmap, &unmap);
	return true;
}

static noinline long handle_unmap_slowly(void *handle, void __user *uunmap)
{
	struct vfio_iommu_type1_dma_unmap unmap;
	long ret;

	if (copy_from_user(&unmap, uunmap, sizeof(unmap)))
		return -EFAULT;
	if (is_special(&unmap))
		ret = unmap_specially(handle, &unmap, uunmap);
	else
		ret = handle_unmap(handle, &unmap);
	if (ret)
		return ret;
	return copy_to_user(uunmap, &unmap, sizeof(unmap)) ? -EFAULT : 0;
}

static noinline long handle_check_extension(void *handle, unsigned long extension)
{
	struct container *container = container_get(handle);
	long ret;

	if (!container)
		return -EINVAL;
	ret = type1_check_extension(&container->type1, extension);
	container_put(container);
	return ret;
}

/* Serves a report, if the container has an IOAS. */
static bool serve_report(void *handle, const struct dirty_call *call, long *ret)
{
	struct container *container;
	struct ioas *ioas;

	if (!dirty_is_report(call))
		return false;
	*ret = container_enter(handle, &container, &ioas);
	if (!*ret) {
		*ret = dirty_report(&container->type1, ioas, call);
		ioas_leave(ioas);
	}
	return *ret != -ENODEV;
}

/* Serves a report if its argument is in memory. */
static noinline bool report_at_once(void *handle, void __user *udirty, long *ret)
{
	const unsigned int nwords = offsetof(struct dirty_call, ret) / sizeof(u64);
	struct dirty_call call;

	if (should_fail_usercopy()) {
		*ret = -EFAULT;
		return true;
	}
	if (!get_words_at_once((u64 *)&call, udirty, nwords))
		return false;
	dirty_check_call(&call);
	return serve_report(handle, &call, ret);
}

static noinline long handle_dirty_slowly(void *handle, void __user *udirty)
{
	struct container *container;
	struct dirty_call call;
	long ret;

	dirty_read_call(&call, udirty);
	if (serve_report(handle, &call, &ret))
		return ret;
	container = container_get(handle);
	if (!container)
		return -EINVAL;
	ret = dirty_serve(&container->type1, &call);
	container_put(container);
	return ret;
}

static noinline long handle_native(void *handle, unsigned int cmd, unsigned long arg)
{
	struct container *container;
	struct native_call call;
	long ret;

	ret = ioctl_read_call(&call, cmd, arg);
	if (ret)
		return ret;
	container = container_get(handle);
	if (!container)
		return -EINVAL;
	ret = ioctl_serve(&call, &container->ctx);
	container_put(container);
	return ret;
}

static noinline long serve_keeping_module(void *handle, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_IOMMU_MAP_DMA:
		return handle_map_slowly(handle, uarg);
	case VFIO_IOMMU_UNMAP_DMA:
		return handle_unmap_slowly(handle, uarg);
	case VFIO_IOMMU_GET_INFO:
		return handle_get_info(handle, uarg);
	case VFIO_IOMMU_DIRTY_PAGES:
		return handle_dirty_slowly(handle, uarg);
	case VFIO_CHECK_EXTENSION:
		return handle_check_extension(handle, arg);
	default:
		return ioctl_is_native(cmd) ? handle_native(handle, cmd, arg) : -ENOTTY;
	}
}

/*
 * A call may wait for its argument, or to write its answer, for as long as memory does not come,
 * without a container: another thread can have that released meanwhile, and with it what vfio.ko
 * has of this module, if the container was opened by a node that is not ours.
 */
static noinline long serve_slowly(void *handle, unsigned int cmd, unsigned long arg)
{
	long ret;

	if (!try_module_get(THIS_MODULE))
		return -EINVAL;
	ret = serve_keeping_module(handle, cmd, arg);
	module_put(THIS_MODULE);
	return ret;
}

/**
 * type1_ioctl() - serve a container ioctl
 * @handle: of the container, which may be released at any time
 * @cmd: the command word
 * @arg: user pointer, or the extension's number
 *
 * Maps, common unmaps and reports of dirty pages are served here if their argument is in memory,
 * and all else by serve_slowly(), which reads it again.
 *
 * Context: the calling process; may sleep.
 * Return: as stock type1; -EINVAL if there is no such container; -ENODEV if it needs an IOAS and
 * has none; -ENOTTY for what is not a container ioctl we have.
 */
long type1_ioctl(void *handle, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;
	long ret;

	if (cmd == VFIO_IOMMU_MAP_DMA && map_at_once(handle, uarg, &ret))
		return ret;
	if (cmd == VFIO_IOMMU_UNMAP_DMA && unmap_at_once(handle, uarg, &ret))
		return ret;
	if (cmd == VFIO_IOMMU_DIRTY_PAGES && report_at_once(handle, uarg, &ret))
		return ret;
	return serve_slowly(handle, cmd, arg);
}
