// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_dirty.c - dirty tracking with a device that may write to all of its memory;
 * emul_dirty.c tests what emulated devices add
 */
#define _GNU_SOURCE
#include "lib.h"

#include <pthread.h>
#include <sched.h>

#define NPAGES		64U
#define START		VFIO_IOMMU_DIRTY_PAGES_FLAG_START
#define STOP		VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP
#define GET		VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP

static struct rig rig;
static uint8_t *memory;
static uint64_t *words;		/* a page of bitmap */

struct get_arguments {
	struct vfio_iommu_type1_dirty_bitmap head;
	struct vfio_iommu_type1_dirty_bitmap_get range;
};

static void open_rig(void)
{
	memory = mem_alloc(NPAGES * PAGE);
	words = mem_alloc(PAGE);
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
}

static void close_rig(void)
{
	rig_close(&rig);
	mem_free(words, PAGE);
	mem_free(memory, NPAGES * PAGE);
}

static void map(uint64_t first_page, uint64_t npages, uint32_t flags)
{
	require_eq(dma_map(rig.container, first_page * PAGE, memory, npages * PAGE,
			   flags), 0);
}

static int dirty(uint32_t flags)
{
	struct vfio_iommu_type1_dirty_bitmap head = {
		.argsz = sizeof(head),
		.flags = flags,
	};

	return vfio_call(rig.container, VFIO_IOMMU_DIRTY_PAGES, (unsigned long)&head);
}

static void start(void)
{
	require_eq(dirty(START), 0);
}

static struct get_arguments get_arguments(uint64_t iova, uint64_t nbytes)
{
	return (struct get_arguments){
		.head = { .argsz = sizeof(struct get_arguments), .flags = GET },
		.range = {
			.iova = iova,
			.size = nbytes,
			.bitmap = { .pgsize = PAGE, .size = PAGE, .data = (void *)words },
		},
	};
}

static int call_get(struct get_arguments *arguments)
{
	return vfio_call(rig.container, VFIO_IOMMU_DIRTY_PAGES,
			 (unsigned long)arguments);
}

static int get(uint64_t iova, uint64_t nbytes)
{
	struct get_arguments arguments = get_arguments(iova, nbytes);

	return call_get(&arguments);
}

/* Stock type1 shifts by 64 bits here. Newer kernels complain about that. */
static void report_with_page_size_0_is_refused(void)
{
	struct get_arguments arguments = get_arguments(0, 4 * PAGE);

	open_rig();
	start();
	arguments.range.bitmap.pgsize = 0;
	check_eq(call_get(&arguments), -EINVAL);
	close_rig();
}

/*
 * Checks a word of a report in which exactly these pages are mapped. From the second report on,
 * stock type1 may set more bits for mappings that do not begin at a word.
 */
static void check_word(uint64_t word, uint64_t mapped)
{
	check_true((backend_is_ioas() ? word : word & mapped) == mapped);
}

/* Mappings share words of the bitmap. The bits between mappings stay as they were. */
static void reports_of_neighbours_share_words(void)
{
	struct get_arguments arguments;

	open_rig();
	start();
	map(3, 5, RW);
	map(60, 10, RW);
	map(200, 1, RW);
	memset(words, 0, PAGE);
	words[2] = 0xabcdef;
	arguments = get_arguments(0, 256 * PAGE);
	check_eq(call_get(&arguments), 0);
	check_true(words[0] == (0x1fULL << 3 | 0xfULL << 60));
	check_eq(words[1], 0x3f);
	check_eq(words[2], 0xabcdef);
	check_eq(words[3], 1 << 8);
	/* With another base, and with a bitmap at a misaligned address. */
	memset(words, 0, PAGE);
	arguments = get_arguments(2 * PAGE, 254 * PAGE);
	arguments.range.bitmap.data = (void *)((char *)words + 1);
	arguments.range.bitmap.size = PAGE - 8;
	check_eq(call_get(&arguments), 0);
	memmove(words, (char *)words + 1, 64);
	check_word(words[0], 0x1fULL << 1 | 0x3fULL << 58);
	check_word(words[1], 0xf);
	check_word(words[3], 1 << 6);
	close_rig();
}

static void report_of_a_large_mapping_is_whole(void)
{
	uint64_t npages = scaled(65536, 8192) + 5;
	uint64_t nbytes = (npages + 7) / 64 * 8 + 16;
	uint8_t *large = mem_alloc(npages * PAGE);
	uint64_t *bits = mem_alloc(nbytes + 8);
	uint64_t i, ndirty = 0;
	struct get_arguments arguments = get_arguments(0, (npages + 3) * PAGE);

	open_rig();
	start();
	require_eq(dma_map(rig.container, 3 * PAGE, large, npages * PAGE, RW), 0);
	arguments.range.bitmap.size = nbytes;
	arguments.range.bitmap.data = (void *)bits;
	check_eq(call_get(&arguments), 0);
	for (i = 0; i < nbytes / 8; i++)
		ndirty += (uint64_t)__builtin_popcountll(bits[i]);
	check_eq(ndirty, npages);
	check_eq(bits[0] & 7, 0);
	close_rig();
	mem_free(bits, nbytes + 8);
	mem_free(large, npages * PAGE);
}

struct storm {
	volatile bool stop;
	volatile unsigned int ncalls;
};

static void *map_and_unmap(void *arg)
{
	struct storm *storm = arg;

	while (!storm->stop) {
		check_eq(dma_map(rig.container, 32 * PAGE, memory, 8 * PAGE, RW), 0);
		check_eq(dma_unmap(rig.container, 32 * PAGE, 8 * PAGE), 8 * PAGE);
		storm->ncalls++;
	}
	return NULL;
}

static void reports_race_with_maps_and_unmaps(void)
{
	unsigned int i, nseen = 0, nreports = scaled(2000, 300);
	struct storm storm = { 0 };
	pthread_t thread;

	open_rig();
	start();
	map(0, 4, RW);
	require_eq(pthread_create(&thread, NULL, map_and_unmap, &storm), 0);
	/* On a busy host all reports can be over before the thread has run. */
	while (!storm.ncalls)
		sched_yield();
	for (i = 0; i < nreports; i++) {
		memset(words, 0, 16);
		check_eq(get(0, 64 * PAGE), 0);
		/* The report has all pages of the other thread's mapping, or none. */
		nseen += words[0] >> 32 == 0xff;
		check_true(words[0] == 0xf || words[0] == (0xffULL << 32 | 0xf));
		if (i % 50 == 0) {
			check_eq(dirty(STOP), 0);
			check_eq(dirty(START), 0);
		}
	}
	storm.stop = true;
	require_eq(pthread_join(thread, NULL), 0);
	diag("%u of %u reports had the mapping that comes and goes", nseen, nreports);
	close_rig();
}

static const struct test tests[] = {
	TEST(report_with_page_size_0_is_refused, NEEDS_ONE | ONLY_IOAS),
	TEST(reports_of_neighbours_share_words, NEEDS_ONE),
	TEST(report_of_a_large_mapping_is_whole, NEEDS_ONE),
	TEST(reports_race_with_maps_and_unmaps, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
