// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stand-ins for vfio.ko and for modules, and a container; lib_container.h declares them.
 */
#include "lib_container.h"
#include "lib_run.h"

#include "compat/backend.h"
#include "native/ioctl.h"
#include "compat/node.h"

#define MAX_DRIVERS	8

int shim_module_refs;
bool shim_module_goes;
spinlock_t shim_pagefaults = { .shim.name = "page faults disabled" };
bool shim_serves = true;
unsigned int shim_ioctl_cmd;
spinlock_t shim_user_access = { .shim.name = "access to user memory" };

void *handle;

/* vfio.ko asks the first one first. */
static const struct vfio_iommu_driver_ops *drivers[MAX_DRIVERS];
static unsigned int ndrivers;
static struct notifier_block *notifier;

void shim_hash_del(struct hlist_head *table, size_t nbuckets, struct hlist_node *node)
{
	struct hlist_node **link;
	size_t i;

	WARN_ON(!shim_atomic);
	for (i = 0; i < nbuckets; i++) {
		for (link = &table[i].first; *link; link = &(*link)->next) {
			if (*link == node) {
				*link = node->next;
				return;
			}
		}
	}
	ck_abort_msg("what is deleted is in no table");
}

/*
 * Since the last table was registered. After the first grace period no call can get a table any
 * more, after the second none has one.
 */
static unsigned int ngrace_periods;
/* A task that loads a module waits until all notifiers have returned. */
static bool others_wait;

int vfio_register_iommu_driver(const struct vfio_iommu_driver_ops *ops)
{
	shim_might_sleep();
	if (shim_fail_now())
		return -ENOMEM;
	ck_assert_uint_lt(ndrivers, MAX_DRIVERS);
	memmove(drivers + 1, drivers, ndrivers * sizeof(drivers[0]));
	drivers[0] = ops;
	ndrivers++;
	ngrace_periods = 0;
	return 0;
}

void synchronize_rcu_tasks(void)
{
	shim_might_sleep();
	ck_assert_msg(!others_wait, "others wait for a grace period");
	ngrace_periods++;
}

void vfio_unregister_iommu_driver(const struct vfio_iommu_driver_ops *ops)
{
	unsigned int i;

	if (!strcmp(ops->name, KBUILD_MODNAME))
		ck_assert_msg(ngrace_periods >= 2, "calls may still be on their way");
	for (i = 0; i < ndrivers; i++) {
		if (drivers[i] != ops)
			continue;
		ndrivers--;
		memmove(drivers + i, drivers + i + 1, (ndrivers - i) * sizeof(drivers[0]));
		return;
	}
	ck_abort_msg("what is unregistered was not registered");
}

const struct vfio_iommu_driver_ops *shim_first_driver(void)
{
	ck_assert_uint_gt(ndrivers, 0);
	return drivers[0];
}

unsigned int shim_ndrivers(void)
{
	return ndrivers;
}

int register_module_notifier(struct notifier_block *new)
{
	shim_might_sleep();
	if (shim_fail_now())
		return -ENOMEM;
	ck_assert_ptr_null(notifier);
	notifier = new;
	return 0;
}

int unregister_module_notifier(struct notifier_block *old)
{
	ck_assert_ptr_eq(notifier, old);
	notifier = NULL;
	return 0;
}

void shim_module_is_live(const char *name)
{
	struct module module;

	snprintf(module.name, sizeof(module.name), "%s", name);
	others_wait = true;
	if (notifier)
		notifier->notifier_call(notifier, MODULE_STATE_LIVE, &module);
	others_wait = false;
}

bool try_module_get(struct module *module)
{
	if (shim_module_goes)
		return false;
	shim_module_refs++;
	return true;
}

void module_put(struct module *module)
{
	ck_assert_int_gt(shim_module_refs, 0);
	shim_module_refs--;
}

/* Stand-ins for functions of node.c and native/ioctl.c. */
bool node_serves_current(void)
{
	return shim_serves;
}

bool node_in_ioctl(unsigned int cmd)
{
	return shim_ioctl_cmd == cmd;
}

int ioctl_read_call(struct native_call *call, unsigned int cmd, unsigned long arg)
{
	return 0;
}

long ioctl_serve(struct native_call *call, struct ioas_ctx *ctx)
{
	return -ENOTTY;
}

void (*on_copy_in_call)(void);

long container_call(unsigned int cmd, unsigned long arg)
{
	long ret;

	shim_on_copy = on_copy_in_call;
	ret = shim_first_driver()->ioctl(handle, cmd, arg);
	shim_on_copy = NULL;
	shim_check_nothing_held();
	return ret;
}

void make_process(void)
{
	unsigned int i;

	shim_pages_reset();
	shim_process_init(&process);
	for (i = 0; i < SHIM_USER_NPAGES; i++)
		process.mm.pages[i] = &shim_pages[i];
	current = &process.task;
}

void end_process(void)
{
	shim_process_check_clean(&process);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_int_eq(shim_allocations, 0);
	ck_assert_int_eq(shim_npids, 0);
}

void start_backend(void)
{
	ck_assert_int_eq(backend_init(), 0);
}

void stop_backend(void)
{
	backend_exit();
	ck_assert_uint_eq(ndrivers, 0);
}

void open_container(unsigned long type)
{
	handle = shim_first_driver()->open(type);
	ck_assert(!IS_ERR(handle));
}

struct container *container_unreleased(void *handle)
{
	struct container *container = container_get(handle);

	if (container)
		container_put(container);
	return container;
}

void close_container(void)
{
	shim_first_driver()->release(handle);
	handle = NULL;
}

/* Arguments are in the last pages of the process' memory, one page a thread. */
static unsigned long get_arguments(void)
{
	return SHIM_USER_BASE + (SHIM_USER_NPAGES - 1 - shim_self()) * PAGE_SIZE;
}

static unsigned long put_argument(const void *bytes, size_t nbytes)
{
	unsigned long arguments = get_arguments();

	ck_assert_uint_eq(copy_to_user((void *)arguments, bytes, nbytes), 0);
	return arguments;
}

static void get_argument(void *bytes, unsigned long offset, size_t nbytes)
{
	ck_assert_uint_eq(copy_from_user(bytes, (void *)(get_arguments() + offset), nbytes), 0);
}

int map_dma(unsigned long index, unsigned long npages, unsigned long page)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = SHIM_USER_BASE + page * PAGE_SIZE,
		.iova = index * PAGE_SIZE,
		.size = npages * PAGE_SIZE,
	};

	return container_call(VFIO_IOMMU_MAP_DMA, put_argument(&map, sizeof(map)));
}

/*
 * Where bitmaps lie in the page of arguments. Ranges of unmap_dma() and report_dirty() have at most
 * 64 pages, so that a bitmap is one word.
 */
#define BITMAP_OFFSET	2048

long unmap_dma(unsigned long index, unsigned long npages, u64 *bitmap)
{
	struct {
		struct vfio_iommu_type1_dma_unmap head;
		struct vfio_bitmap bitmap;
	} unmap = {
		.head.argsz = sizeof(unmap),
		.head.flags = bitmap ? VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP : 0,
		.head.iova = index * PAGE_SIZE,
		.head.size = npages * PAGE_SIZE,
		.bitmap.pgsize = PAGE_SIZE,
		.bitmap.size = sizeof(u64),
	};
	unsigned long where;
	u64 zero = 0;
	long ret;

	where = put_argument(&unmap, sizeof(unmap));
	unmap.bitmap.data = (void *)(where + BITMAP_OFFSET);
	put_argument(&unmap, sizeof(unmap));
	ck_assert_uint_eq(copy_to_user(unmap.bitmap.data, &zero, sizeof(zero)), 0);
	ret = container_call(VFIO_IOMMU_UNMAP_DMA, where);
	if (bitmap)
		get_argument(bitmap, BITMAP_OFFSET, sizeof(*bitmap));
	if (ret)
		return ret;
	get_argument(&unmap.head, 0, sizeof(unmap.head));
	return unmap.head.size / PAGE_SIZE;
}

long void_vaddr(unsigned long index, unsigned long npages)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .flags = VFIO_DMA_UNMAP_FLAG_VADDR,
		.iova = index * PAGE_SIZE, .size = npages * PAGE_SIZE,
	};
	long ret;

	ret = container_call(VFIO_IOMMU_UNMAP_DMA, put_argument(&unmap, sizeof(unmap)));
	if (ret)
		return ret;
	get_argument(&unmap, 0, sizeof(unmap));
	return unmap.size / PAGE_SIZE;
}

int set_vaddr(unsigned long index, unsigned long npages, unsigned long page)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_VADDR,
		.vaddr = SHIM_USER_BASE + page * PAGE_SIZE,
		.iova = index * PAGE_SIZE, .size = npages * PAGE_SIZE,
	};

	return container_call(VFIO_IOMMU_MAP_DMA, put_argument(&map, sizeof(map)));
}

int dirty_call(struct dirty_argument argument)
{
	argument.range.bitmap.data = (void *)(get_arguments() + BITMAP_OFFSET);
	return container_call(VFIO_IOMMU_DIRTY_PAGES, put_argument(&argument, sizeof(argument)));
}

static int report_pages(unsigned long index, unsigned long npages, unsigned long nwords,
			u64 *words)
{
	struct dirty_argument report = {
		.head.argsz = sizeof(report),
		.head.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
		.range.iova = index * PAGE_SIZE,
		.range.size = npages * PAGE_SIZE,
		.range.bitmap.pgsize = PAGE_SIZE,
		.range.bitmap.size = nwords * sizeof(u64),
	};
	int ret;

	memset(words, 0, nwords * sizeof(*words));
	ck_assert_uint_eq(copy_to_user((void *)(get_arguments() + BITMAP_OFFSET), words,
				       nwords * sizeof(*words)), 0);
	ret = dirty_call(report);
	get_argument(words, BITMAP_OFFSET, nwords * sizeof(*words));
	return ret;
}

int report_dirty(unsigned long index, unsigned long npages, u64 *bitmap)
{
	return report_pages(index, npages, 1, bitmap);
}

int report_dirty_words(unsigned long index, unsigned long nwords, u64 *words)
{
	return report_pages(index, nwords * 64, nwords, words);
}

int dirty_flag_when_told(u32 flag)
{
	struct vfio_iommu_type1_dirty_bitmap head = { .argsz = sizeof(head), .flags = flag };

	return shim_first_driver()->ioctl(handle, VFIO_IOMMU_DIRTY_PAGES,
					  put_argument(&head, sizeof(head)));
}

int dirty_flag(u32 flag)
{
	struct vfio_iommu_type1_dirty_bitmap head = { .argsz = sizeof(head), .flags = flag };

	return container_call(VFIO_IOMMU_DIRTY_PAGES, put_argument(&head, sizeof(head)));
}

long get_info(void)
{
	struct vfio_iommu_type1_info info = { .argsz = PAGE_SIZE };

	return container_call(VFIO_IOMMU_GET_INFO, put_argument(&info, sizeof(info)));
}
