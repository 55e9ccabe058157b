// SPDX-License-Identifier: GPL-2.0-only
/* interpose.c - the program's ioctl(): writes VFIO calls on containers and groups as lines */
#define _GNU_SOURCE
#include "record.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A call and its result. */
struct call {
	int fd;
	unsigned long request;
	void *argument;
	int result;
	int error;
	/* The start of the call's struct, before the call; nbytes is its readable size. */
	union {
		uint32_t argsz;
		int32_t container;
		struct vfio_iommu_type1_dma_map map;
		struct {
			struct vfio_iommu_type1_dma_unmap head;
			struct vfio_bitmap bitmap;
		} unmap;
		struct {
			struct vfio_iommu_type1_dirty_bitmap head;
			struct vfio_iommu_type1_dirty_bitmap_get get;
		} dirty;
	} copy;
	size_t nbytes;
};

#define OUTCOME_BYTES	48

/* The result of the call, as the end of its line. */
static const char *outcome(const struct call *call, char text[OUTCOME_BYTES])
{
	const char *name = strerrorname_np(call->error);

	if (call->result >= 0)
		snprintf(text, OUTCOME_BYTES, "# = %d", call->result);
	else if (name)
		snprintf(text, OUTCOME_BYTES, "# = -%s", name);
	else
		snprintf(text, OUTCOME_BYTES, "# = -E%d", call->error);
	return text;
}

/* The size that the kernel reads, whatever the flags are. */
static size_t needed(unsigned long request)
{
	switch (request) {
	case VFIO_IOMMU_MAP_DMA:
		return sizeof(struct vfio_iommu_type1_dma_map);
	case VFIO_IOMMU_UNMAP_DMA:
		return sizeof(struct vfio_iommu_type1_dma_unmap);
	case VFIO_IOMMU_DIRTY_PAGES:
		return sizeof(struct vfio_iommu_type1_dirty_bitmap);
	case VFIO_IOMMU_GET_INFO:
	case VFIO_GROUP_GET_STATUS:
		return sizeof(uint32_t);
	case VFIO_GROUP_SET_CONTAINER:
		return sizeof(int32_t);
	default:
		return 0;
	}
}

/* The size if the flags ask for a bitmap. Otherwise anything may be behind the struct. */
static size_t needed_for_bitmap(const struct call *call)
{
	const struct vfio_iommu_type1_dma_unmap *unmap = &call->copy.unmap.head;
	const struct vfio_iommu_type1_dirty_bitmap *dirty = &call->copy.dirty.head;

	if (call->request == VFIO_IOMMU_UNMAP_DMA &&
	    unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP &&
	    unmap->argsz >= sizeof(call->copy.unmap))
		return sizeof(call->copy.unmap);
	if (call->request == VFIO_IOMMU_DIRTY_PAGES &&
	    dirty->flags & VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP &&
	    dirty->argsz >= sizeof(call->copy.dirty))
		return sizeof(call->copy.dirty);
	return 0;
}

static void read_struct(struct call *call)
{
	size_t nbytes = needed(call->request);

	if (!nbytes || !read_argument(call->argument, &call->copy, nbytes))
		return;
	call->nbytes = nbytes;
	nbytes = needed_for_bitmap(call);
	if (nbytes && read_argument(call->argument, &call->copy, nbytes))
		call->nbytes = nbytes;
}

/* --- containers */

static void put_map(const struct call *call)
{
	const struct vfio_iommu_type1_dma_map *map = &call->copy.map;
	char text[OUTCOME_BYTES], address[ADDRESS_BYTES];

	put_memory(map, address);
	put("map iova=0x%llx size=0x%llx vaddr=%s flags=0x%x argsz=%u %s",
	    (unsigned long long)map->iova, (unsigned long long)map->size, address, map->flags,
	    map->argsz, outcome(call, text));
}

#define REPORT_BYTES	160

/* A bitmap that could not be written is replayed with an inaccessible buffer. */
static const char *report_of(const struct call *call, uint64_t iova, uint64_t nbytes,
			     const struct vfio_bitmap *bitmap, char text[REPORT_BYTES])
{
	bool is_bad = call->result < 0 && call->error == EFAULT;

	snprintf(text, REPORT_BYTES,
		 "iova=0x%llx size=0x%llx pgsize=0x%llx nbytes=0x%llx bits=%s",
		 (unsigned long long)iova, (unsigned long long)nbytes,
		 (unsigned long long)bitmap->pgsize, (unsigned long long)bitmap->size,
		 is_bad ? "no-access" : "zeroed");
	return text;
}

static void put_unmap(const struct call *call)
{
	const struct vfio_iommu_type1_dma_unmap *unmap = &call->copy.unmap.head;
	char text[OUTCOME_BYTES], report[REPORT_BYTES];

	if (call->nbytes < sizeof(call->copy.unmap))
		put("unmap iova=0x%llx size=0x%llx flags=0x%x argsz=%u %s",
		    (unsigned long long)unmap->iova, (unsigned long long)unmap->size,
		    unmap->flags, unmap->argsz, outcome(call, text));
	else
		put("unmap-bitmap %s flags=0x%x argsz=%u %s",
		    report_of(call, unmap->iova, unmap->size, &call->copy.unmap.bitmap, report),
		    unmap->flags, unmap->argsz, outcome(call, text));
}

static void put_dirty(const struct call *call)
{
	const struct vfio_iommu_type1_dirty_bitmap *dirty = &call->copy.dirty.head;
	const struct vfio_iommu_type1_dirty_bitmap_get *get = &call->copy.dirty.get;
	char text[OUTCOME_BYTES], report[REPORT_BYTES];

	if (call->nbytes < sizeof(call->copy.dirty))
		put("dirty flags=0x%x argsz=%u %s", dirty->flags, dirty->argsz,
		    outcome(call, text));
	else
		put("dirty-get %s argsz=%u %s",
		    report_of(call, get->iova, get->size, &get->bitmap, report), dirty->argsz,
		    outcome(call, text));
}

static void put_container_call(const struct call *call)
{
	char text[OUTCOME_BYTES];

	if (needed(call->request) && !call->nbytes) {
		/* A bad pointer is replayed as another bad pointer. */
		put("call cmd=0x%lx arg=0x8 %s", call->request, outcome(call, text));
		return;
	}
	switch (call->request) {
	case VFIO_IOMMU_MAP_DMA:
		put_map(call);
		break;
	case VFIO_IOMMU_UNMAP_DMA:
		put_unmap(call);
		break;
	case VFIO_IOMMU_DIRTY_PAGES:
		put_dirty(call);
		break;
	case VFIO_IOMMU_GET_INFO:
		put("info argsz=%u %s", call->copy.argsz, outcome(call, text));
		break;
	case VFIO_GET_API_VERSION:
		put("api-version %s", outcome(call, text));
		break;
	case VFIO_CHECK_EXTENSION:
		put("extension arg=0x%lx %s", (unsigned long)call->argument,
		    outcome(call, text));
		break;
	case VFIO_SET_IOMMU:
		put("set-iommu type=%lu %s", (unsigned long)call->argument,
		    outcome(call, text));
		break;
	}
}

/* --- groups */

static void put_join(const struct call *call, const char *group)
{
	const struct object *container = call->nbytes ? look_at(call->copy.container) : NULL;
	char text[OUTCOME_BYTES];

	if (container && container->kind == FD_CONTAINER) {
		use_container(container);
		put("join group=%s %s", group, outcome(call, text));
	} else {
		put("join-fd group=%s fd=%s %s", group,
		    !call->nbytes ? "pointer" : call->error == EBADF ? "closed" : "null",
		    outcome(call, text));
	}
}

/*
 * If the name is known, the replay asks for its own device, and gets it. So a call that failed
 * because of a bad name or a bad pointer must not count as known; a bad name stands for both.
 */
static void put_failed_device(const struct call *call, const char *group)
{
	bool is_known = call->error != ENODEV && call->error != EFAULT;
	char text[OUTCOME_BYTES];

	put("device group=%s slot=0 known=%d %s", group, is_known, outcome(call, text));
}

static void put_group_call(const struct call *call, const struct object *group)
{
	const char *name = group_name(group);
	char text[OUTCOME_BYTES];

	switch (call->request) {
	case VFIO_GROUP_SET_CONTAINER:
		put_join(call, name);
		break;
	case VFIO_GROUP_UNSET_CONTAINER:
		put("leave group=%s %s", name, outcome(call, text));
		break;
	case VFIO_GROUP_GET_STATUS:
		if (call->nbytes)
			put("status group=%s argsz=%u %s", name, call->copy.argsz,
			    outcome(call, text));
		break;
	case VFIO_GROUP_GET_DEVICE_FD:
		if (call->result >= 0)
			know_device(call->result, group);
		else
			put_failed_device(call, name);
		break;
	}
}

/* --- entry */

static bool is_vfio(unsigned long request)
{
	return request >= VFIO_GET_API_VERSION && request <= VFIO_IOMMU_DIRTY_PAGES;
}

/* Runs before the call: a descriptor that is closed during the call may get another meaning. */
static bool is_of_interest(int fd)
{
	const struct object *object;
	bool is_it;

	record_lock();
	object = look_at(fd);
	is_it = object && object->kind != FD_DEVICE;
	record_unlock();
	return is_it;
}

static void write_down(const struct call *call)
{
	const struct object *object;

	record_lock();
	object = look_at(call->fd);
	if (object && object->kind == FD_CONTAINER) {
		use_container(object);
		put_container_call(call);
	} else if (object && object->kind == FD_GROUP) {
		put_group_call(call, object);
	}
	record_unlock();
}

EXPORTED int ioctl(int fd, unsigned long request, ...)
{
	struct call call = { .fd = fd, .request = request };
	va_list arguments;
	int error = errno;

	va_start(arguments, request);
	call.argument = va_arg(arguments, void *);
	va_end(arguments);
	if (!is_vfio(request) || !record_begin() || !is_of_interest(fd)) {
		errno = error;
		return real_ioctl(fd, request, call.argument);
	}
	read_struct(&call);
	errno = error;
	call.result = real_ioctl(fd, request, call.argument);
	call.error = errno;
	write_down(&call);
	errno = call.error;
	return call.result;
}
