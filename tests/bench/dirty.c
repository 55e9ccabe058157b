// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirty.c - dirty tracking while a device may write to all memory: starts it, and gets the bitmap
 * of one large mapping, of many small ones, and of a range that is almost empty
 */
#define _GNU_SOURCE
#include "bench.h"

#define NTIMES		16U
#define NSMALL		4096U
#define LARGE_RANGE	(1ULL << 38)

static uint8_t *memory;
static void *bitmap;

static void dirty_set_up(void)
{
	memory = mem_alloc_huge(bulk_nbytes);
	bitmap = mem_alloc(LARGE_RANGE / PAGE / 8);
}

static void dirty_tear_down(void)
{
	mem_free(bitmap, LARGE_RANGE / PAGE / 8);
	mem_free(memory, bulk_nbytes);
}

static int dirty(const struct session *session, uint32_t flags, uint64_t iova,
		 uint64_t nbytes)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		struct vfio_iommu_type1_dirty_bitmap_get range;
	} arguments = {
		.head = { .argsz = sizeof(arguments), .flags = flags },
		.range = {
			.iova = iova,
			.size = nbytes,
			.bitmap = {
				.pgsize = PAGE,
				.size = nbytes / PAGE / 8,
				.data = bitmap,
			},
		},
	};

	return vfio_call(session->container, VFIO_IOMMU_DIRTY_PAGES,
			 (unsigned long)&arguments);
}

static int start(const struct session *session)
{
	return dirty(session, VFIO_IOMMU_DIRTY_PAGES_FLAG_START, 0, 0);
}

static void stop(const struct session *session)
{
	require_eq(dirty(session, VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP, 0, 0), 0);
}

static void time_reports(const struct session *session, const char *line, uint64_t iova,
			 uint64_t nbytes, uint64_t nunits)
{
	uint64_t start_ns = now_ns();
	unsigned int i;

	for (i = 0; i < NTIMES; i++)
		require_eq(dirty(session, VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP, iova,
				 nbytes), 0);
	sample_ns(session, line, now_ns() - start_ns, NTIMES * nunits);
}

static void time_start(const struct session *session)
{
	uint64_t start_ns = now_ns();
	unsigned int i;

	for (i = 0; i < NTIMES; i++) {
		require_eq(start(session), 0);
		stop(session);
	}
	sample_ns(session, "dirty_start", now_ns() - start_ns, NTIMES);
}

static void dirty_run(const struct session *session)
{
	unsigned int i;

	/* Containers of in-tree iommufd have no dirty tracking. */
	if (start(session))
		return;
	stop(session);
	map(session, IOVA, memory, bulk_nbytes);
	time_start(session);
	require_eq(start(session), 0);
	time_reports(session, "dirty_large", IOVA, bulk_nbytes, bulk_nbytes / PAGE);
	unmap(session, IOVA, bulk_nbytes);
	for (i = 0; i < NSMALL; i++)
		map(session, IOVA + 2 * i * PAGE, memory + i * PAGE, PAGE);
	time_reports(session, "dirty_small", IOVA, 2 * NSMALL * PAGE, NSMALL);
	unmap_all(session, NSMALL * PAGE);
	map(session, IOVA, memory, PAGE);
	time_reports(session, "dirty_empty", 0, LARGE_RANGE, 1);
	unmap(session, IOVA, PAGE);
	stop(session);
}

const struct suite dirty_suite = {
	.name = "dirty",
	.set_up = dirty_set_up,
	.run = dirty_run,
	.tear_down = dirty_tear_down,
	.warm_up = true,
};
