// SPDX-License-Identifier: GPL-2.0-only
/*
 * type1: containers, as vfio_iommu_type1 defines them.
 *
 * A container is one context, with one IOAS unless its user makes more. Besides it has dirty
 * tracking, emulated devices, and user addresses that can be void. Each of these three calls the
 * engine, and none of the others; this file joins them.
 *
 * Access to user memory can take for ever, and must not keep others from releasing the container.
 * So a call reads its argument before it looks for the container, and writes its answer after it
 * has put the container, but for bitmaps and the answers of native calls. While it may wait for
 * user memory without a container, it has a reference to the module.
 *
 * Locking: domains_rwsem of the IOAS, see enum type1_scope. groups_lock guards the list of groups.
 * vfio.ko serialises attach, detach, open and release of a container.
 */
#include <linux/fault-inject-usercopy.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "base/selftest.h"
#include "domain/group.h"
#include "native/info.h"
#include "native/ioctl.h"
#include "space/ioas.h"
#include "space/map.h"
#include "space/unmap.h"
#include "stock.h"
#include "type1.h"
#include "type1_call.h"
#include "vaddr.h"

static bool disable_hugepages;
module_param(disable_hugepages, bool, 0644);
MODULE_PARM_DESC(disable_hugepages, "Map page by page, so that the IOMMU uses its smallest page size");

static unsigned int dma_entry_limit = 65535;
module_param(dma_entry_limit, uint, 0644);
MODULE_PARM_DESC(dma_entry_limit, "Maximum number of mappings of a container, read at VFIO_SET_IOMMU (default 65535)");

/* A group of a container. A real one has an IOMMU, an emulated one has none. */
struct type1_group {
	struct list_head item;		/* groups_lock of the container */
	struct iommu_group *group;	/* constant, as is ioas */
	struct ioas *ioas;		/* of a real group; we are a user of it. NULL: emulated */
	bool writes_anywhere;		/* groups_lock; may write to pages that it did not pin */
};

/* --- callbacks that join the parts of a container */

static struct type1 *type1_of_ioas(const struct ioas *ioas)
{
	return type1_of(container_of_ioas(ioas));
}

static int add_ioas(struct ioas *ioas)
{
	return dirty_add_ioas(&type1_of_ioas(ioas)->dirty, ioas);
}

static void remove_ioas(struct ioas *ioas)
{
	dirty_remove_ioas(&type1_of_ioas(ioas)->dirty, ioas);
}

static const struct ioas_front_ops front_ops = {
	.add_ioas = add_ioas,
	.remove_ioas = remove_ioas,
};

/* A void address can lead to other memory by now: nobody who needs addresses may join. */
static int refuse_if_void(struct ioas *ioas)
{
	return vaddr_any_void(ioas) ? -EBUSY : 0;
}

static const struct emulated_ops emulated_ops = {
	.wrote = dirty_note_write,
	.check = refuse_if_void,
};

static void report_held(struct dirty *dirty, const struct ioas *ioas, unsigned long first_index,
			unsigned long last_index, unsigned long *bits, unsigned long first_bit)
{
	struct type1 *type1 = container_of(dirty, struct type1, dirty);

	emulated_report_held(&type1->emulated, ioas, first_index, last_index, bits, first_bit);
}

/* --- life of a container */

static bool set_type(struct type1 *type1, unsigned long type)
{
	type1->nesting = type == STOCK_NESTING_IOMMU;
	type1->v2 = type1->nesting || type == VFIO_TYPE1v2_IOMMU;
	return type1->v2 || type == VFIO_TYPE1_IOMMU;
}

/* The type of a container, as the status file shows it. */
static const char *name_of(const struct type1 *type1)
{
	if (type1->nesting)
		return "nesting";
	return type1->v2 ? "type1v2" : "type1";
}

/* From now on container ioctls work on a new IOAS, unless another one was selected meanwhile. */
static void publish_ioas(struct ioas *ioas)
{
	ioas_offer_default(ioas->object.ctx, ioas);
	ioas_object_publish(&ioas->object);
}

static void begin_container(struct type1 *type1)
{
	struct ioas_ctx *ctx = &type1->container.ctx;

	mutex_init(&type1->groups_lock);
	INIT_LIST_HEAD(&type1->groups);
	ioas_ctx_init(ctx, NULL);
	ctx->charge_mm = true;
	ctx->front_ops = &front_ops;
	ioas_ctx_limit_areas(ctx, READ_ONCE(dma_entry_limit));
	WRITE_ONCE(ctx->type, name_of(type1));
	dirty_init(&type1->dirty, report_held);
	emulated_init(&type1->emulated, ctx, &emulated_ops);
}

static void end_container(struct type1 *type1)
{
	WARN_ON(!list_empty(&type1->groups));
	ioas_ctx_destroy(&type1->container.ctx);
	emulated_destroy(&type1->emulated);
	dirty_destroy(&type1->dirty);
}

void *type1_open(unsigned long type)
{
	struct type1 *type1 = kzalloc(sizeof(*type1), GFP_KERNEL_ACCOUNT);
	struct ioas *ioas;

	if (!type1)
		return ERR_PTR(-ENOMEM);
	if (!set_type(type1, type)) {
		kfree(type1);
		return ERR_PTR(-EINVAL);
	}
	begin_container(type1);
	ioas = ioas_create(&type1->container.ctx);
	if (IS_ERR(ioas)) {
		end_container(type1);
		kfree(type1);
		return ERR_CAST(ioas);
	}
	publish_ioas(ioas);
	return container_publish(&type1->container);
}

/* Finds the container of a handle, and keeps it until put_type1(). NULL if there is none. */
static struct type1 *get_type1(void *handle)
{
	struct container *container = container_get(handle);

	return container ? type1_of(container) : NULL;
}

static void put_type1(struct type1 *type1)
{
	selftest_look(&type1->container.ctx);
	container_put(&type1->container);
}

void type1_release(void *handle)
{
	struct type1 *type1 = get_type1(handle);

	container_unpublish(&type1->container);
	end_container(type1);
	kfree_rcu(type1, container.rcu);
}

/* --- groups */

static struct type1_group *find_group(struct type1 *type1, struct iommu_group *group)
{
	struct type1_group *tgroup;

	list_for_each_entry(tgroup, &type1->groups, item)
		if (tgroup->group == group)
			return tgroup;
	return NULL;
}

static int attach_real_group(struct type1 *type1, struct type1_group *tgroup)
{
	struct igroup_target target = {
		.ioas = tgroup->ioas,
		.nesting = type1->nesting,
		.single_pages = READ_ONCE(disable_hugepages),
		.check = refuse_if_void,
	};
	int ret;

	/*
	 * Here stock type1 learns from its IOMMU driver that a mapping is out of reach: it has no
	 * list of IOVA ranges yet, or on older kernels does not look at it.
	 */
	if (!type1->had_domain || !STOCK_IS_INCLUSIVE)
		target.out_of_reach = STOCK_OUT_OF_REACH;
	dirty_add_writer(tgroup->ioas);
	ret = ioas_attach_group(tgroup->group, &target);
	if (ret)
		dirty_forget_writer(tgroup->ioas);
	else
		WRITE_ONCE(type1->had_domain, true);
	return ret == -EADDRINUSE ? -EINVAL : ret;
}

/* Attaches a group to an IOAS. A real group becomes a user of the IOAS. */
static int attach_to_ioas(struct type1 *type1, struct type1_group *tgroup, struct ioas *ioas)
{
	int ret;

	if (!tgroup->writes_anywhere)
		return emulated_add_group(&type1->emulated, ioas);
	tgroup->ioas = ioas;
	ret = attach_real_group(type1, tgroup);
	if (!ret)
		ioas_object_use(&ioas->object);
	return ret;
}

/* Attaches a group to a new IOAS. It is published afterwards: a failed attach leaves no IOAS. */
static int attach_to_fresh_ioas(struct type1 *type1, struct type1_group *tgroup)
{
	struct ioas *ioas = ioas_create(&type1->container.ctx);
	int ret;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ret = attach_to_ioas(type1, tgroup, ioas);
	if (ret)
		ioas_discard(ioas);
	else
		publish_ioas(ioas);
	return ret;
}

/* Attaches a group to the IOAS of container ioctls: its user may have ended it, or chosen none. */
static int attach_somewhere(struct type1 *type1, struct type1_group *tgroup)
{
	struct ioas *ioas = ioas_get_default(&type1->container.ctx);
	int ret;

	if (!ioas)
		return attach_to_fresh_ioas(type1, tgroup);
	ret = attach_to_ioas(type1, tgroup, ioas);
	ioas_put(ioas);
	return ret;
}

static int add_group(struct type1 *type1, const struct type1_group *what)
{
	struct type1_group *tgroup;
	int ret;

	if (find_group(type1, what->group))
		return -EINVAL;
	tgroup = kmalloc(sizeof(*tgroup), GFP_KERNEL_ACCOUNT);
	if (!tgroup)
		return -ENOMEM;
	*tgroup = *what;
	ret = attach_somewhere(type1, tgroup);
	if (ret) {
		kfree(tgroup);
		return ret;
	}
	emulated_note_group(&type1->emulated, tgroup->group);
	mutex_lock(&type1->groups_lock);
	list_add(&tgroup->item, &type1->groups);
	WRITE_ONCE(type1->nwriter_groups, type1->nwriter_groups + tgroup->writes_anywhere);
	mutex_unlock(&type1->groups_lock);
	return 0;
}

static int attach_group(void *handle, const struct type1_group *what)
{
	struct type1 *type1 = get_type1(handle);
	int ret;

	if (!type1)
		return -EINVAL;
	ret = add_group(type1, what);
	put_type1(type1);
	return ret;
}

int type1_attach_group(void *handle, struct iommu_group *group)
{
	const struct type1_group what = { .group = group, .writes_anywhere = true };

	return attach_group(handle, &what);
}

int type1_attach_emulated_group(void *handle, struct iommu_group *group)
{
	const struct type1_group what = { .group = group };

	return attach_group(handle, &what);
}

static void detach_real_group(struct type1 *type1, struct type1_group *tgroup)
{
	ioas_detach_group(&type1->container.ctx, tgroup->group,
			  type1->emulated.ngroups ? LEAVE_AREAS : LEAVE_NO_AREAS);
	/* Pages that the group could write to are to be reported once more. */
	if (tgroup->writes_anywhere)
		dirty_remove_writer(tgroup->ioas);
	ioas_object_unuse(&tgroup->ioas->object);
}

void type1_detach_group(void *handle, struct iommu_group *group)
{
	struct type1 *type1 = get_type1(handle);
	struct type1_group *tgroup;

	if (WARN_ON(!type1))
		return;
	tgroup = find_group(type1, group);
	mutex_lock(&type1->groups_lock);
	list_del(&tgroup->item);
	WRITE_ONCE(type1->nwriter_groups, type1->nwriter_groups - tgroup->writes_anywhere);
	mutex_unlock(&type1->groups_lock);
	emulated_forget_group(&type1->emulated, group);
	if (tgroup->ioas)
		detach_real_group(type1, tgroup);
	else
		emulated_remove_group(&type1->emulated);
	kfree(tgroup);
	put_type1(type1);
}

/* --- devices */

/* A group that pins is taken to write only to pages that it pins, as in stock type1. */
static void note_pinning(struct type1 *type1, struct iommu_group *group)
{
	struct type1_group *tgroup;

	if (!READ_ONCE(type1->nwriter_groups))
		return;
	mutex_lock(&type1->groups_lock);
	tgroup = find_group(type1, group);
	if (tgroup && tgroup->writes_anywhere) {
		tgroup->writes_anywhere = false;
		WRITE_ONCE(type1->nwriter_groups, type1->nwriter_groups - 1);
		dirty_forget_writer(tgroup->ioas);
	}
	mutex_unlock(&type1->groups_lock);
}

static int pin(struct type1 *type1, struct iommu_group *group, unsigned long iova, int npages,
	       int prot, struct page **pages)
{
	int ret;

	if (!pages || npages <= 0)
		return -EINVAL;
	if (!type1->v2)
		return -EACCES;
	ret = emulated_pin(&type1->emulated, group, iova, npages, prot, pages);
	if (!ret)
		note_pinning(type1, group);
	return ret;
}

int type1_pin(void *handle, struct iommu_group *group, unsigned long iova, int npages, int prot,
	      struct page **pages)
{
	struct type1 *type1 = get_type1(handle);
	int ret;

	if (!type1)
		return -EINVAL;
	ret = pin(type1, group, iova, npages, prot, pages);
	put_type1(type1);
	return ret;
}

void type1_unpin(void *handle, unsigned long iova, int npages)
{
	struct type1 *type1 = get_type1(handle);

	if (WARN_ON(!type1))
		return;
	if (!WARN_ON(npages <= 0))
		emulated_unpin(&type1->emulated, iova, npages);
	put_type1(type1);
}

int type1_rw(void *handle, unsigned long iova, void *data, size_t nbytes, bool write)
{
	struct type1 *type1 = get_type1(handle);
	int ret;

	if (!type1)
		return -EINVAL;
	ret = emulated_rw(&type1->emulated, iova, data, nbytes, write);
	put_type1(type1);
	return ret;
}

void type1_register(void *handle, struct vfio_device *vdev)
{
	struct type1 *type1 = get_type1(handle);

	if (!type1)
		return;
	emulated_register(&type1->emulated, vdev);
	put_type1(type1);
}

void type1_unregister(void *handle, struct vfio_device *vdev)
{
	struct type1 *type1 = get_type1(handle);

	if (!type1)
		return;
	emulated_unregister(&type1->emulated, vdev);
	put_type1(type1);
}

/* --- calls that need no IOAS */

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
		return type1 && ioas_ctx_enforces_coherency(&type1->container.ctx);
	default:
		return 0;
	}
}

static long start_or_stop(struct type1 *type1, const struct type1_call *call)
{
	if (call->dirty.flags == VFIO_IOMMU_DIRTY_PAGES_FLAG_START)
		return dirty_start(&type1->dirty);
	dirty_stop(&type1->dirty);
	return 0;
}

/* --- calls in the IOAS */

static long get_info(struct type1 *type1, struct ioas *ioas, struct info_answer *answer)
{
	const struct info_policy policy = {
		.max_dirty_nbytes = STOCK_MAX_BITMAP_NBYTES,
		.tells_room = true,
		.no_ranges = !READ_ONCE(type1->had_domain),
		.padded = STOCK_INFO_IS_PADDED,
		.unpadded_info = !STOCK_INFO_IS_PADDED,
	};

	return info_get(ioas, &policy, answer->info.argsz, answer);
}

/* Numbers, joined by "or": is one of them no multiple of the smallest page size? */
static bool is_misaligned(struct ioas *ioas, u64 numbers)
{
	return numbers & ((1UL << __ffs(info_pgsizes(ioas))) - 1);
}

/* For a mapping that has too many pages for a bitmap. */
static int refuse_if_tracking(struct ioas *ioas)
{
	return dirty_is_tracking(ioas) ? -EINVAL : 0;
}

static __always_inline int map_memory(struct ioas *ioas,
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
		.min_alignment = PAGE_SIZE,
		.single_pages = READ_ONCE(disable_hugepages),
	};
	int ret;

	BUILD_BUG_ON(VFIO_DMA_MAP_FLAG_READ ^ IOMMU_READ);
	BUILD_BUG_ON(VFIO_DMA_MAP_FLAG_WRITE ^ IOMMU_WRITE);
	if (unlikely(map->size >> PAGE_SHIFT >= STOCK_MAX_BITMAP_NPAGES))
		request.check_last = refuse_if_tracking;
	ret = ioas_map(ioas, &request);
	/* That is the errno of a container whose last group has left. */
	return ret == -ESHUTDOWN ? -EINVAL : ret;
}

static long map_vaddr(struct ioas *ioas, const struct vfio_iommu_type1_dma_map *map)
{
	if (is_misaligned(ioas, map->size | map->iova | map->vaddr))
		return -EINVAL;
	return vaddr_set(ioas, map->iova, map->size, map->vaddr);
}

/* Checks the range of an unmap, or that it has none with FLAG_ALL. Sets the last address. */
static inline int get_range(struct ioas *ioas, const struct vfio_iommu_type1_dma_unmap *unmap,
			    unsigned long *last_iova)
{
	*last_iova = unmap->iova + unmap->size - 1;
	if (unlikely(unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL))
		return unmap->iova || unmap->size ? -EINVAL : 0;
	if (!unmap->size || is_misaligned(ioas, unmap->iova | unmap->size))
		return -EINVAL;
	return type1_wraps(unmap->iova, unmap->size) ? STOCK_WRAPS : 0;
}

/* How an unmap treats a mapping that reaches over a border of its range. */
static enum ioas_unmap_rule unmap_rule(const struct type1 *type1)
{
	return type1->v2 ? UNMAP_WHOLE : UNMAP_STARTING;
}

static __always_inline int unmap_range(struct type1 *type1, struct ioas *ioas,
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
	ret = ioas_unmap_watched(ioas, unmap->iova, last_iova, unmap_rule(type1), watch,
				 &nbytes);
	unmap->size = nbytes;
	return ret;
}

static long unmap_and_report(struct type1 *type1, struct ioas *ioas, struct type1_call *call)
{
	struct vfio_iommu_type1_dma_unmap *unmap = &call->unmap;
	unsigned long last_iova, nbytes;
	int ret;

	ret = get_range(ioas, unmap, &last_iova);
	if (ret)
		return ret;
	if (!dirty_is_tracking(ioas) || call->bitmap.pgsize != PAGE_SIZE)
		return -EINVAL;
	ret = dirty_unmap(&type1->dirty, ioas, unmap->iova, last_iova, &call->bitmap, &nbytes);
	if (!ret)
		unmap->size = nbytes;
	return ret;
}

static long unmap_vaddr(struct type1 *type1, struct ioas *ioas,
			struct vfio_iommu_type1_dma_unmap *unmap)
{
	unsigned long last_iova, nbytes;
	int ret;

	/* Emulated devices may need the addresses. As in stock type1 the range does not matter. */
	if (type1->emulated.ngroups)
		return -EBUSY;
	ret = get_range(ioas, unmap, &last_iova);
	if (!ret)
		ret = vaddr_void(ioas, unmap->iova, last_iova, unmap_rule(type1), &nbytes);
	if (!ret)
		unmap->size = nbytes;
	return ret;
}

static long report(struct type1 *type1, struct ioas *ioas, const struct type1_call *call)
{
	if (!type1->v2)
		return -EACCES;
	if (!dirty_is_tracking(ioas))
		return -EINVAL;
	return dirty_report(&type1->dirty, ioas, &call->range);
}

static long serve_inside(struct type1 *type1, struct ioas *ioas, struct type1_call *call)
{
	switch (call->cmd) {
	case VFIO_IOMMU_MAP_DMA:
		return map_memory(ioas, &call->map);
	case VFIO_IOMMU_UNMAP_DMA:
		if (type1_is_special(&call->unmap))
			return unmap_and_report(type1, ioas, call);
		return unmap_range(type1, ioas, &call->unmap);
	case VFIO_IOMMU_GET_INFO:
		return get_info(type1, ioas, &call->info);
	default:
		return report(type1, ioas, call);
	}
}

static long serve_alone(struct type1 *type1, struct ioas *ioas, struct type1_call *call)
{
	if (call->cmd == VFIO_IOMMU_MAP_DMA)
		return map_vaddr(ioas, &call->map);
	return unmap_vaddr(type1, ioas, &call->unmap);
}

/* --- calls that may wait for user memory */

/*
 * While a call keeps the IOAS busy, a DESTROY waits killably, for at most a minute. It waits for
 * other calls in domains_rwsem, as for the same calls when their argument is in memory.
 */
static long serve_and_leave(struct type1 *type1, struct ioas *ioas, struct type1_call *call)
{
	bool keeps_busy = call->cmd == VFIO_IOMMU_UNMAP_DMA && type1_is_special(&call->unmap);
	long ret;

	if (!keeps_busy)
		ioas_put(ioas);
	ret = serve_inside(type1, ioas, call);
	ioas_leave(ioas);
	if (keeps_busy)
		ioas_put(ioas);
	return ret;
}

static long serve_in_ioas(struct type1 *type1, struct type1_call *call)
{
	struct ioas *ioas = ioas_get_default(&type1->container.ctx);
	bool alone = call->scope == CALL_ALONE;
	long ret;

	if (!ioas)
		return -ENODEV;
	ret = alone ? down_write_killable(&ioas->domains_rwsem) : ioas_enter_killable(ioas);
	if (!ret && !alone)
		return serve_and_leave(type1, ioas, call);
	if (!ret) {
		ret = serve_alone(type1, ioas, call);
		up_write(&ioas->domains_rwsem);
	}
	ioas_put(ioas);
	return ret;
}

static long serve(struct type1 *type1, struct type1_call *call)
{
	if (call->cmd == VFIO_CHECK_EXTENSION)
		return type1_check_extension(type1, call->arg);
	if (call->cmd == VFIO_IOMMU_DIRTY_PAGES) {
		if (!type1->v2)
			return -EACCES;
		if (call->error)
			return call->error;
	}
	if (call->scope == CALL_OUTSIDE)
		return start_or_stop(type1, call);
	return serve_in_ioas(type1, call);
}

static long answer(struct type1_call *call)
{
	void __user *uarg = type1_uarg(call);

	switch (call->cmd) {
	case VFIO_IOMMU_GET_INFO:
		return info_put(&call->info, uarg);
	case VFIO_IOMMU_UNMAP_DMA:
		return copy_to_user(uarg, &call->unmap, sizeof(call->unmap)) ? -EFAULT : 0;
	default:
		return 0;
	}
}

static long serve_type1(void *handle, struct type1_call *call)
{
	struct container *container;
	long ret;

	ret = type1_read_call(call);
	if (ret)
		return ret;
	container = container_get(handle);
	if (!container)
		return -EINVAL;
	ret = serve(type1_of(container), call);
	container_put(container);
	return ret < 0 ? ret : answer(call) ?: ret;
}

static noinline long serve_native(void *handle, unsigned int cmd, unsigned long arg)
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

/*
 * A call may wait for user memory, to read its argument or to write its answer, without a
 * container. If another thread has the container released meanwhile, vfio.ko puts its reference to
 * this module. A container that was opened by vfio.ko's own node has no other one.
 */
static noinline long serve_slowly(void *handle, struct type1_call *call)
{
	long ret;

	if (!try_module_get(THIS_MODULE))
		return -EINVAL;
	if (ioctl_is_native(call->cmd))
		ret = serve_native(handle, call->cmd, call->arg);
	else
		ret = serve_type1(handle, call);
	module_put(THIS_MODULE);
	return ret;
}

/*
 * Serves a call that the functions below do not. @read has the first @nbytes of its argument: all
 * that calls of this command have in common, or nothing.
 */
static noinline long serve_other(void *handle, unsigned int cmd, unsigned long arg,
				 const void *read, size_t nbytes)
{
	struct type1_call call = { .cmd = cmd, .arg = arg, .is_read = nbytes };

	/* All arguments are in one union. */
	memcpy(&call.map, read, nbytes);
	return serve_slowly(handle, &call);
}

/* --- calls whose argument is in memory */

static __always_inline long map_at_once(void *handle, unsigned long arg)
{
	struct vfio_iommu_type1_dma_map map;
	struct ioas *ioas;
	long ret;

	if (should_fail_usercopy())
		return -EFAULT;
	if (!get_words_at_once(&map, (void __user *)arg, sizeof(map) / sizeof(u64)))
		return serve_other(handle, VFIO_IOMMU_MAP_DMA, arg, &map, 0);
	if (unlikely(map.flags & VFIO_DMA_MAP_FLAG_VADDR))
		return serve_other(handle, VFIO_IOMMU_MAP_DMA, arg, &map, sizeof(map));
	ret = type1_check_map(&map);
	if (ret)
		return ret;
	ioas = container_enter(handle);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ret = map_memory(ioas, &map);
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

static __always_inline long put_unmapped(void __user *uunmap,
					 const struct vfio_iommu_type1_dma_unmap *unmap)
{
	if (should_fail_usercopy())
		return -EFAULT;
	if (put_words_at_once(uunmap, unmap, sizeof(*unmap) / sizeof(u64)))
		return 0;
	return put_unmapped_slowly(uunmap, unmap);
}

static __always_inline long unmap_at_once(void *handle, unsigned long arg)
{
	struct vfio_iommu_type1_dma_unmap unmap;
	void __user *uunmap = (void __user *)arg;
	struct ioas *ioas;
	long ret;

	if (should_fail_usercopy())
		return -EFAULT;
	if (!get_words_at_once(&unmap, uunmap, sizeof(unmap) / sizeof(u64)))
		return serve_other(handle, VFIO_IOMMU_UNMAP_DMA, arg, &unmap, 0);
	if (unlikely(type1_is_special(&unmap)))
		return serve_other(handle, VFIO_IOMMU_UNMAP_DMA, arg, &unmap, sizeof(unmap));
	ret = type1_check_unmap(&unmap);
	if (ret)
		return ret;
	ioas = container_enter(handle);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ret = unmap_range(type1_of_ioas(ioas), ioas, &unmap);
	ioas_leave(ioas);
	return ret ?: put_unmapped(uunmap, &unmap);
}

static noinline long report_at_once(void *handle, unsigned long arg)
{
	struct type1_call call;
	struct ioas *ioas;
	long ret;

	if (should_fail_usercopy())
		return -EFAULT;
	call.cmd = VFIO_IOMMU_DIRTY_PAGES;
	call.arg = arg;
	call.is_read = get_words_at_once(&call.dirty, type1_uarg(&call),
					 DIRTY_REPORT_NBYTES / sizeof(u64));
	if (!call.is_read)
		return serve_slowly(handle, &call);
	type1_check_dirty(&call);
	if (!type1_is_report(&call))
		return serve_slowly(handle, &call);
	ioas = container_enter(handle);
	/* A container without an IOAS may still have an errno that comes first. */
	if (ioas == ERR_PTR(-ENODEV))
		return serve_slowly(handle, &call);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ret = report(type1_of_ioas(ioas), ioas, &call);
	ioas_leave(ioas);
	return ret;
}

long type1_ioctl(void *handle, unsigned int cmd, unsigned long arg)
{
	if (cmd == VFIO_IOMMU_MAP_DMA)
		return map_at_once(handle, arg);
	if (cmd == VFIO_IOMMU_UNMAP_DMA)
		return unmap_at_once(handle, arg);
	if (cmd == VFIO_IOMMU_DIRTY_PAGES)
		return report_at_once(handle, arg);
	return serve_other(handle, cmd, arg, &arg, 0);
}
