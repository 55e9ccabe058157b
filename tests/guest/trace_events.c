// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace_events.c - the tracepoints vfio_ioas:*
 *
 * Runs on a machine with one CPU: with more, QEMU 7.2 may execute code that the kernel has half
 * patched on another CPU, and switching events on patches code.
 */
#define _GNU_SOURCE
#include "lib_native.h"

#define TRACING		"/sys/kernel/tracing/"
#define EVENTS		TRACING "events/vfio_ioas/enable"
#define NPAGES		3U
#define NBYTES		(NPAGES * PAGE)
#define IOVA		0x123000ULL

static char text[1 << 16];

static void trace_start(void)
{
	int fd = open(TRACING "trace", O_WRONLY | O_TRUNC);

	/* The open has emptied the trace. */
	require_true(fd >= 0);
	close(fd);
	require_eq(write_text(EVENTS, "1"), 0);
}

/* Reads the trace. */
static void trace_stop(void)
{
	require_eq(write_text(EVENTS, "0"), 0);
	read_whole(TRACING "trace", text, sizeof(text));
}

/* Returns the words of the nth event of this name, from 0 on, or NULL if there are fewer. */
static const char *event(const char *name, unsigned int n)
{
	static char line[512];
	char head[32];
	const char *found = text;
	size_t nbytes;

	snprintf(head, sizeof(head), " %s: ", name);
	do {
		found = strstr(found, head);
		if (!found)
			return NULL;
		found += strlen(head) - 1;
	} while (n--);
	nbytes = strcspn(found, "\n");
	if (nbytes >= sizeof(line))
		test_abort();
	memcpy(line, found, nbytes);
	line[nbytes] = 0;
	return line;
}

static void map_and_unmap_are_traced_with_iova_length_and_runs(void)
{
	uint8_t *memory = mem_alloc_scattered(NBYTES);
	long long breaks = mem_breaks(memory, NBYTES);
	const char *line;
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	trace_start();
	require_eq(dma_map(rig.container, IOVA, memory, NBYTES, RW), 0);
	require_eq(dma_unmap(rig.container, IOVA, NBYTES), NBYTES);
	trace_stop();
	rig_close(&rig);

	line = event("map", 0);
	require_true(line);
	check_eq(word_value(line, "iova"), IOVA);
	check_eq(word_value(line, "nbytes"), NBYTES);
	check_eq(word_value(line, "uptr"), (uintptr_t)memory);
	check_eq(word_value(line, "runs"), breaks + 1);
	check_eq(word_value(line, "error"), 0);
	check_true(word_value(line, "ns") > 0);
	check_true(line_has(line, " prot=rw "));
	line = event("unmap", 0);
	require_true(line);
	check_eq(word_value(line, "iova"), IOVA);
	check_eq(word_value(line, "last_iova"), IOVA + NBYTES - 1);
	check_eq(word_value(line, "unmapped"), NBYTES);
	check_eq(word_value(line, "runs"), breaks + 1);
	check_true(word_value(line, "ns") > 0);
	line = event("pin", 0);
	check_eq(word_value(line, "uptr"), (uintptr_t)memory);
	check_eq(word_value(line, "pages"), NPAGES);
	check_eq(word_value(line, "runs"), breaks + 1);
	line = event("unpin", 0);
	check_eq(word_value(line, "uptr"), (uintptr_t)memory);
	check_eq(word_value(line, "pages"), NPAGES);
	check_eq(word_value(line, "runs"), breaks + 1);
	check_true(!event("map", 1) && !event("unmap", 1));
}

static void failures_are_traced_with_their_error(void)
{
	uint8_t *memory = mem_alloc(NBYTES);
	uint8_t *nothing = mem_reserve(NBYTES);
	char usual[16];
	struct rig rig;

	require_eq(param_get(IOAS_MODULE, "dma_entry_limit", usual, sizeof(usual)), 0);
	param_set(IOAS_MODULE, "dma_entry_limit", "2");
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	param_set(IOAS_MODULE, "dma_entry_limit", usual);
	trace_start();
	check_eq(dma_map(rig.container, IOVA, memory, NBYTES, RO), 0);
	check_eq(dma_map(rig.container, IOVA, memory, NBYTES, RO), -EEXIST);
	check_eq(dma_map(rig.container, 2 * IOVA, nothing, NBYTES, RO), -EFAULT);
	check_eq(dma_unmap(rig.container, IOVA, PAGE), -EINVAL);
	check_eq(dma_map(rig.container, 2 * IOVA, memory, NBYTES, RO), 0);
	check_eq(dma_map(rig.container, 3 * IOVA, memory, NBYTES, RO), -ENOSPC);
	trace_stop();
	rig_close(&rig);
	check_eq((int)word_value(event("map", 1), "error"), -EEXIST);
	check_eq((int)word_value(event("map", 2), "error"), -EFAULT);
	check_eq((int)word_value(event("map", 4), "error"), -ENOSPC);
	check_true(!event("map", 5));
	check_eq((int)word_value(event("pin", 1), "error"), -EFAULT);
	check_eq((int)word_value(event("unmap", 0), "error"), -EINVAL);
	check_true(line_has(event("map", 0), " prot=r "));
}

/* Of three pages, two are pinned for a first copy. The third page is not there. */
static void failed_pin_is_traced_without_runs(void)
{
	uint8_t *memory = mem_alloc(NBYTES);
	struct iova_of source, first;
	const char *line;
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	source = (struct iova_of){ ioas_alloc(rig.container), IOVA };
	first = (struct iova_of){ vfio_ioas_get(rig.container), IOVA };
	require_eq(or_errno(munmap(memory + 2 * PAGE, PAGE)), 0);
	require_eq(ioas_map(rig.container, source.ioas, IOVA, memory, NBYTES, IOAS_RW), 0);
	require_eq(ioas_copy(rig.container, first, source, 2 * PAGE, IOAS_RW), 0);
	first.iova = 2 * IOVA;
	trace_start();
	check_eq(ioas_copy(rig.container, first, source, NBYTES, IOAS_RW), -EFAULT);
	trace_stop();
	rig_close(&rig);
	line = event("pin", 0);
	require_true(line);
	check_eq((int)word_value(line, "error"), -EFAULT);
	check_eq(word_value(line, "uptr"), (uintptr_t)memory);
	check_eq(word_value(line, "pages"), NPAGES);
	check_eq(word_value(line, "runs"), 0);
}

static void attach_and_detach_are_traced(void)
{
	struct rig rig;

	trace_start();
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	rig_close(&rig);
	trace_stop();
	check_eq(word_value(event("attach", 0), "group"), device_nr(0)->group);
	check_eq(word_value(event("attach", 0), "error"), 0);
	check_true(word_value(event("attach", 0), "hwpt") > 0);
	check_eq(word_value(event("detach", 0), "group"), device_nr(0)->group);
	check_eq(word_value(event("detach", 0), "hwpt"), word_value(event("attach", 0), "hwpt"));
	check_eq(word_value(event("detach", 0), "context"),
		 word_value(event("attach", 0), "context"));
}

static void dirty_read_is_traced(void)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		struct vfio_iommu_type1_dirty_bitmap_get range;
	} get = {
		.head.argsz = sizeof(get),
		.range.iova = IOVA,
		.range.size = NBYTES,
		.range.bitmap.pgsize = PAGE,
		.range.bitmap.size = sizeof(uint64_t),
	};
	uint8_t *memory = mem_alloc(NBYTES);
	uint64_t bitmap = 0;
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	require_eq(dma_map(rig.container, IOVA, memory, NBYTES, RW), 0);
	get.head.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_START;
	require_eq(vfio_call(rig.container, VFIO_IOMMU_DIRTY_PAGES, (uintptr_t)&get), 0);
	trace_start();
	get.head.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
	get.range.bitmap.data = (void *)&bitmap;
	require_eq(vfio_call(rig.container, VFIO_IOMMU_DIRTY_PAGES, (uintptr_t)&get), 0);
	trace_stop();
	rig_close(&rig);
	check_eq(bitmap, 7);
	check_eq(word_value(event("dirty_read", 0), "iova"), IOVA);
	check_eq(word_value(event("dirty_read", 0), "last_iova"), IOVA + NBYTES - 1);
	check_eq(word_value(event("dirty_read", 0), "areas"), 1);
	check_eq(word_value(event("dirty_read", 0), "error"), 0);
}

static const struct test tests[] = {
	TEST(map_and_unmap_are_traced_with_iova_length_and_runs, ONLY_IOAS | NEEDS_ONE),
	TEST(failures_are_traced_with_their_error, ONLY_IOAS | NEEDS_ONE),
	TEST(failed_pin_is_traced_without_runs, ONLY_IOAS | NEEDS_ONE),
	TEST(attach_and_detach_are_traced, ONLY_IOAS | NEEDS_ONE),
	TEST(dirty_read_is_traced, ONLY_IOAS | NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
