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
#define LARGEST_BITMAP	(256ULL << 20)
#define LARGEST_RANGE	(LARGEST_BITMAP * 8 * PAGE)
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

struct unmap_arguments {
	struct vfio_iommu_type1_dma_unmap head;
	struct vfio_bitmap bitmap;
};

static void open_rig(unsigned long type)
{
	memory = mem_alloc(NPAGES * PAGE);
	words = mem_alloc(PAGE);
	rig_open(&rig, type, 1);
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

static int dirty(uint32_t argsz, uint32_t flags)
{
	struct vfio_iommu_type1_dirty_bitmap head = {
		.argsz = argsz,
		.flags = flags,
	};

	return vfio_call(rig.container, VFIO_IOMMU_DIRTY_PAGES, (unsigned long)&head);
}

static void start(void)
{
	require_eq(dirty(8, START), 0);
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

static int get_with(uint64_t nbytes, uint64_t pgsize, uint64_t bitmap_nbytes, void *data)
{
	struct get_arguments arguments = get_arguments(0, nbytes);

	arguments.range.bitmap.pgsize = pgsize;
	arguments.range.bitmap.size = bitmap_nbytes;
	arguments.range.bitmap.data = data;
	return call_get(&arguments);
}

static struct unmap_arguments unmap_arguments(uint64_t iova, uint64_t nbytes)
{
	return (struct unmap_arguments){
		.head = {
			.argsz = sizeof(struct unmap_arguments),
			.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
			.iova = iova,
			.size = nbytes,
		},
		.bitmap = { .pgsize = PAGE, .size = PAGE, .data = (void *)words },
	};
}

static int call_unmap(struct unmap_arguments *arguments)
{
	return vfio_call(rig.container, VFIO_IOMMU_UNMAP_DMA,
			 (unsigned long)arguments);
}

static void tracking_on_type1_is_denied(void)
{
	struct unmap_arguments arguments = unmap_arguments(0, PAGE);

	open_rig(VFIO_TYPE1_IOMMU);
	check_eq(dirty(8, START), -EACCES);
	check_eq(dirty(0, 0), -EACCES);
	check_eq(vfio_call(rig.container, VFIO_IOMMU_DIRTY_PAGES, 8), -EACCES);
	map(0, 1, RW);
	check_eq(call_unmap(&arguments), -EINVAL);
	close_rig();
}

static void flags_and_sizes_of_dirty_pages_are_checked(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	check_eq(get(0, PAGE), -EINVAL);
	check_eq(dirty(8, STOP), 0);
	check_eq(dirty(8, 0), -EINVAL);
	check_eq(dirty(8, START | STOP), -EINVAL);
	check_eq(dirty(8, 8), -EINVAL);
	check_eq(dirty(7, START), -EINVAL);
	check_eq(vfio_call(rig.container, VFIO_IOMMU_DIRTY_PAGES, 8), -EFAULT);
	check_eq(dirty(8, START), 0);
	check_eq(dirty(800, START), 0);
	check_eq(dirty(8, GET), -EINVAL);
	check_eq(dirty(47, GET), -EINVAL);
	check_eq(dirty(8, STOP), 0);
	check_eq(dirty(8, STOP), 0);
	close_rig();
}

static void range_of_a_report_is_checked(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	start();
	check_eq(get(0, PAGE), 0);
	check_eq(get(0, 0), -EINVAL);
	check_eq(get(1, PAGE), -EINVAL);
	check_eq(get(0, PAGE + 1), -EINVAL);
	check_eq(get(-PAGE, 2 * PAGE), wrap_error());
	check_eq(get(-PAGE, PAGE), kernel_at_least(6, 18) ? 0 : -EINVAL);
	check_eq(get(-2 * PAGE, PAGE), 0);
	map(0, 4, RW);
	check_eq(get(PAGE, 3 * PAGE), -EINVAL);
	check_eq(get(0, 3 * PAGE), -EINVAL);
	check_eq(get(PAGE, PAGE), -EINVAL);
	check_eq(get(0, 128 * PAGE), 0);
	check_eq(get(4 * PAGE, PAGE), 0);
	close_rig();
}

static void bitmap_of_a_report_is_checked(void)
{
	void *kernel = (void *)0xffff888000000000UL;

	open_rig(VFIO_TYPE1v2_IOMMU);
	start();
	check_eq(get_with(4 * PAGE, 2 * PAGE, PAGE, words), -EINVAL);
	check_eq(get_with(4 * PAGE, PAGE / 2, PAGE, words), -EINVAL);
	check_eq(get_with(4 * PAGE, HUGE_BYTES, PAGE, words), -EINVAL);
	/* Stock type1 shifts by 64 bits here. Newer kernels complain about that. */
	if (backend_is_ioas() || !kernel_at_least(6, 13))
		check_eq(get_with(4 * PAGE, 0, PAGE, words), -EINVAL);
	check_eq(get_with(4 * PAGE, PAGE, 0, words), -EINVAL);
	check_eq(get_with(4 * PAGE, PAGE, 7, words), -EINVAL);
	check_eq(get_with(4 * PAGE, PAGE, 8, words), 0);
	check_eq(get_with(65 * PAGE, PAGE, 8, words), -EINVAL);
	check_eq(get_with(65 * PAGE, PAGE, 16, words), 0);
	check_eq(get_with(4 * PAGE, PAGE, LARGEST_BITMAP, words), 0);
	check_eq(get_with(4 * PAGE, PAGE, LARGEST_BITMAP + 1, words), -EINVAL);
	check_eq(get_with(4 * PAGE, PAGE, PAGE, kernel), -EINVAL);
	/* Where nothing is mapped, the kernel writes no bitmap. */
	check_eq(get_with(4 * PAGE, PAGE, PAGE, (void *)8), 0);
	check_eq(get_with(LARGEST_RANGE, PAGE, LARGEST_BITMAP, words), 0);
	check_eq(get_with(LARGEST_RANGE + PAGE, PAGE, LARGEST_BITMAP, words), -EINVAL);
	close_rig();
}

static void report_that_cannot_be_written_is_not_lost(void)
{
	void *nowhere = mem_reserve(PAGE);

	open_rig(VFIO_TYPE1v2_IOMMU);
	start();
	map(0, 4, RW);
	check_eq(get_with(4 * PAGE, PAGE, PAGE, nowhere), -EFAULT);
	memset(words, 0, PAGE);
	check_eq(get(0, 4 * PAGE), 0);
	check_eq(words[0], 0xf);
	close_rig();
	mem_free(nowhere, PAGE);
}

static void refused_unmap_with_a_bitmap_unmaps_nothing(void)
{
	struct unmap_arguments arguments = unmap_arguments(0, 4 * PAGE);

	open_rig(VFIO_TYPE1v2_IOMMU);
	map(0, 4, RW);
	arguments.bitmap.data = (void *)words;
	check_eq(call_unmap(&arguments), -EINVAL);
	start();
	arguments.head.argsz = 47;
	check_eq(call_unmap(&arguments), -EINVAL);
	arguments.head.argsz = sizeof(arguments);
	arguments.bitmap.pgsize = 2 * PAGE;
	check_eq(call_unmap(&arguments), -EINVAL);
	arguments.bitmap.pgsize = PAGE;
	arguments.bitmap.size = 0;
	check_eq(call_unmap(&arguments), -EINVAL);
	arguments.bitmap.size = PAGE;
	arguments.bitmap.data = (void *)8;
	check_eq(call_unmap(&arguments), -EFAULT);
	check_eq(arguments.head.size, 4 * PAGE);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	arguments.bitmap.data = (void *)words;
	check_eq(dirty(8, STOP), 0);
	check_eq(call_unmap(&arguments), -EINVAL);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	close_rig();
}

static void unmap_stops_at_the_mapping_it_cannot_report(void)
{
	struct unmap_arguments arguments = unmap_arguments(0, 128 * PAGE);
	uint8_t *pages = mem_alloc(2 * PAGE);

	open_rig(VFIO_TYPE1v2_IOMMU);
	require_eq(or_errno(mprotect(pages + PAGE, PAGE, PROT_NONE)), 0);
	start();
	map(0, 4, RW);
	map(8, 4, RW);
	map(64, 4, RW);
	memset(pages, 0, PAGE);
	/* The first word of the bitmap can be written, the second one cannot. */
	arguments.bitmap.data = (void *)(pages + PAGE - 8);
	check_eq(call_unmap(&arguments), -EFAULT);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(*(uint64_t *)(pages + PAGE - 8), 0xf0f);
	check_eq(dma_avail(rig.container), 65534);
	check_eq(get(64 * PAGE, 64 * PAGE), 0);
	check_eq(words[0], 0xf);
	check_eq(dma_unmap(rig.container, 64 * PAGE, 4 * PAGE), 4 * PAGE);
	close_rig();
	mem_free(pages, 2 * PAGE);
}

static void pages_of_a_device_are_always_dirty(void)
{
	struct unmap_arguments arguments = unmap_arguments(0, 4 * PAGE);

	open_rig(VFIO_TYPE1v2_IOMMU);
	start();
	map(0, 4, RW);
	memset(words, 0xff, PAGE);
	check_eq(get(0, 128 * PAGE), 0);
	check_eq(words[0], 0xf);
	check_true(words[1] == UINT64_MAX);
	memset(words, 0, PAGE);
	check_eq(get(0, 128 * PAGE), 0);
	check_eq(words[0], 0xf);
	check_eq(words[1], 0);
	/* Pages that the device can only read are reported, too. */
	map(64, 2, RO);
	check_eq(get(0, 128 * PAGE), 0);
	check_eq(words[1], 3);
	memset(words, 0, PAGE);
	arguments.bitmap.data = (void *)words;
	check_eq(call_unmap(&arguments), 0);
	check_eq(words[0], 0xf);
	check_eq(arguments.head.size, 4 * PAGE);
	check_eq(vm_lck_kib(0), 2 * PAGE_KIB);
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

	open_rig(VFIO_TYPE1v2_IOMMU);
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

	open_rig(VFIO_TYPE1v2_IOMMU);
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

	open_rig(VFIO_TYPE1v2_IOMMU);
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
			check_eq(dirty(8, STOP), 0);
			check_eq(dirty(8, START), 0);
		}
	}
	storm.stop = true;
	require_eq(pthread_join(thread, NULL), 0);
	diag("%u of %u reports had the mapping that comes and goes", nseen, nreports);
	close_rig();
}

static const struct test tests[] = {
	TEST(tracking_on_type1_is_denied, NEEDS_ONE),
	TEST(flags_and_sizes_of_dirty_pages_are_checked, NEEDS_ONE),
	TEST(range_of_a_report_is_checked, NEEDS_ONE),
	TEST(bitmap_of_a_report_is_checked, NEEDS_ONE),
	TEST(report_that_cannot_be_written_is_not_lost, NEEDS_ONE),
	TEST(refused_unmap_with_a_bitmap_unmaps_nothing, NEEDS_ONE),
	TEST(unmap_stops_at_the_mapping_it_cannot_report, NEEDS_ONE),
	TEST(pages_of_a_device_are_always_dirty, NEEDS_ONE),
	TEST(reports_of_neighbours_share_words, NEEDS_ONE),
	TEST(report_of_a_large_mapping_is_whole, NEEDS_ONE),
	TEST(reports_race_with_maps_and_unmaps, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
