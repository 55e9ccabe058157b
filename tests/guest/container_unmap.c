// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_unmap.c - VFIO_IOMMU_UNMAP_DMA; container_vaddr.c and container_dirty.c test its flags
 * for new addresses and dirty pages
 */
#define _GNU_SOURCE
#include "lib.h"

#define ALL		VFIO_DMA_UNMAP_FLAG_ALL
#define VADDR		VFIO_DMA_UNMAP_FLAG_VADDR
#define BITMAP		VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP
#define NPAGES		32U

static struct rig rig;
static uint8_t *memory;

static void open_rig(unsigned long type)
{
	memory = mem_alloc(NPAGES * PAGE);
	rig_open(&rig, type, 1);
}

static void close_rig(void)
{
	check_eq(dma_avail(rig.container), 65535);
	rig_close(&rig);
	mem_free(memory, NPAGES * PAGE);
}

static void map(uint64_t first_page, uint64_t npages)
{
	require_eq(dma_map(rig.container, first_page * PAGE,
			   memory + first_page * PAGE, npages * PAGE, RW), 0);
}

/* Returns the number of pages unmapped, or -errno. */
static long long unmap(uint64_t first_page, uint64_t npages)
{
	long long result = dma_unmap(rig.container, first_page * PAGE,
				     npages * PAGE);

	return result < 0 ? result : result / (long long)PAGE;
}

static long long unmap_flags(uint64_t iova, uint64_t nbytes, uint32_t flags)
{
	return dma_unmap_flags(rig.container, iova, nbytes, flags);
}

static int unmap_with_argsz(uint32_t argsz, uint32_t flags)
{
	struct vfio_iommu_type1_dma_unmap arguments = {
		.argsz = argsz,
		.flags = flags,
		.size = PAGE,
	};
	int result = vfio_call(rig.container, VFIO_IOMMU_UNMAP_DMA,
			       (unsigned long)&arguments);

	check_eq(arguments.argsz, argsz);
	check_eq(arguments.size, PAGE);
	return result;
}

static void check_arguments(void)
{
	map(0, 1);
	check_eq(unmap_with_argsz(23, 0), -EINVAL);
	check_eq(unmap_with_argsz(0, 0), -EINVAL);
	check_eq(unmap_with_argsz(23, VFIO_DMA_UNMAP_FLAG_VADDR), -EINVAL);
	check_eq(vfio_call(rig.container, VFIO_IOMMU_UNMAP_DMA, 8), -EFAULT);
	check_eq(unmap_flags(0, PAGE, 8), -EINVAL);
	check_eq(unmap_flags(0, PAGE, 0x80000000U), -EINVAL);
	check_eq(unmap_flags(0, 0, 0), -EINVAL);
	check_eq(unmap_flags(1, PAGE, 0), -EINVAL);
	check_eq(unmap_flags(0, 1, 0), -EINVAL);
	check_eq(unmap_flags(0, PAGE + 1, 0), -EINVAL);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	check_eq(unmap_with_argsz(1000, 0), 0);
	check_eq(vm_lck_kib(0), 0);
}

static void unmap_with_bad_arguments_is_refused(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	check_arguments();
	close_rig();
}

static void unmap_with_bad_arguments_is_refused_on_type1(void)
{
	open_rig(VFIO_TYPE1_IOMMU);
	check_arguments();
	close_rig();
}

static void unmap_around_the_end_of_the_numbers_is_refused(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	check_eq(unmap_flags(-PAGE, 2 * PAGE, 0), wrap_error());
	check_eq(unmap_flags(2 * PAGE, -PAGE, 0), wrap_error());
	check_eq(unmap_flags(-PAGE, PAGE, 0), 0);
	close_rig();
}

/*
 * Stock type1 up to 6.12 computes the end of the range, which overflows to 0 here, and finds
 * nothing. A backend that unmaps all is right, too.
 */
static void unmap_up_to_2_to_the_64_takes_all_or_nothing(void)
{
	long long result;

	open_rig(VFIO_TYPE1v2_IOMMU);
	map(1, 1);
	result = unmap_flags(PAGE, -PAGE, 0);
	if (result != (long long)PAGE) {
		check_true(!kernel_at_least(6, 18));
		check_eq(result, 0);
		check_eq(vm_lck_kib(0), PAGE_KIB);
		check_eq(unmap(1, 1), 1);
	}
	check_eq(vm_lck_kib(0), 0);
	map(1, 1);
	check_eq(unmap_flags(0, -PAGE, 0), PAGE);
	close_rig();
}

static void unmap_of_nothing_succeeds_with_size_0(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	check_eq(unmap(0, 1), 0);
	check_eq(unmap(1000, 1000), 0);
	map(4, 4);
	check_eq(unmap(0, 4), 0);
	check_eq(unmap(8, 4), 0);
	check_eq(unmap(4, 4), 4);
	check_eq(unmap(4, 4), 0);
	close_rig();
}

static void unmap_all_takes_no_range(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	map(4, 4);
	map(16, 1);
	check_eq(unmap_flags(0, PAGE, ALL), -EINVAL);
	check_eq(unmap_flags(PAGE, 0, ALL), -EINVAL);
	check_eq(vm_lck_kib(0), 5 * PAGE_KIB);
	check_eq(dma_unmap_all(rig.container), 5 * PAGE);
	check_eq(dma_unmap_all(rig.container), 0);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
}

static void flags_of_unmap_that_exclude_each_other_are_refused(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	map(0, 1);
	check_eq(unmap_flags(0, 0, ALL | BITMAP), -EINVAL);
	check_eq(unmap_flags(0, PAGE, VADDR | BITMAP), -EINVAL);
	check_eq(unmap_flags(0, PAGE, BITMAP), -EINVAL);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	check_eq(unmap(0, 1), 1);
	close_rig();
}

static int unmap_with_bitmap(void)
{
	struct {
		struct vfio_iommu_type1_dma_unmap unmap;
		struct vfio_bitmap bitmap;
	} arguments = { 0 };
	uint64_t word = 0;

	arguments.unmap.argsz = sizeof(arguments);
	arguments.unmap.flags = BITMAP;
	arguments.unmap.size = PAGE;
	arguments.bitmap.pgsize = PAGE;
	arguments.bitmap.size = sizeof(word);
	arguments.bitmap.data = (void *)&word;
	return vfio_call(rig.container, VFIO_IOMMU_UNMAP_DMA,
			 (unsigned long)&arguments);
}

static void unmap_with_a_bitmap_needs_tracking_to_be_on(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	map(0, 1);
	check_eq(unmap_with_bitmap(), -EINVAL);
	check_eq(unmap(0, 1), 1);
	close_rig();
	open_rig(VFIO_TYPE1_IOMMU);
	map(0, 1);
	check_eq(unmap_with_bitmap(), -EINVAL);
	check_eq(unmap(0, 1), 1);
	close_rig();
}

/* Makes mappings of the pages 4-7, 8-11 and 16-19. */
static void map_three(void)
{
	map(4, 4);
	map(8, 4);
	map(16, 4);
}

static void unmap_of_half_a_v2_mapping_is_refused(void)
{
	static const struct {
		uint64_t first_page;
		uint64_t npages;
	} cut[] = {
		{ 5, 3 }, { 4, 3 }, { 4, 5 }, { 0, 5 }, { 5, 1 }, { 5, 7 },
		{ 4, 6 }, { 0, 18 }, { 18, 10 }, { 6, 11 },
	};
	size_t i;

	open_rig(VFIO_TYPE1v2_IOMMU);
	map_three();
	for (i = 0; i < ARRAY_SIZE(cut); i++) {
		context("pages %d, %d", (int)cut[i].first_page,
			(int)cut[i].npages);
		check_eq(unmap(cut[i].first_page, cut[i].npages), -EINVAL);
		check_eq(vm_lck_kib(0), 12 * PAGE_KIB);
		check_eq(dma_avail(rig.container), 65532);
	}
	context("%s", "");
	check_eq(unmap_flags(5 * PAGE, PAGE, VADDR), -EINVAL);
	check_eq(dma_unmap_all(rig.container), 12 * PAGE);
	close_rig();
}

static void unmap_of_a_v2_range_takes_all_mappings_in_it(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	map_three();
	check_eq(unmap(0, 12), 8);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(unmap_flags(0, 1ULL << 38, 0), 4 * PAGE);
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_avail(rig.container), 65535);
	map_three();
	check_eq(unmap(12, 8), 4);
	check_eq(unmap(8, 4), 4);
	check_eq(unmap(3, 6), 4);
	close_rig();
}

static void unmap_whose_answer_faults_has_unmapped(void)
{
	struct vfio_iommu_type1_dma_unmap *arguments = mem_alloc(PAGE);

	open_rig(VFIO_TYPE1v2_IOMMU);
	map(0, 4);
	arguments->argsz = sizeof(*arguments);
	arguments->size = 4 * PAGE;
	require_eq(or_errno(mprotect(arguments, PAGE, PROT_READ)), 0);
	check_eq(vfio_call(rig.container, VFIO_IOMMU_UNMAP_DMA,
			   (unsigned long)arguments), -EFAULT);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
	mem_free(arguments, PAGE);
}

static void munmap_of_the_memory_leaves_the_mapping_charged(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	map(0, 8);
	require_eq(or_errno(munmap(memory, NPAGES * PAGE)), 0);
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB);
	check_eq(unmap(0, 8), 8);
	check_eq(vm_lck_kib(0), 0);
	rig_close(&rig);
}

static void unmap_with_the_vaddr_flag_has_a_defined_result(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	check_eq(unmap_flags(0, 0, VADDR), -EINVAL);
	check_eq(unmap_flags(0, PAGE, VADDR), 0);
	close_rig();
}

static void unmap_on_type1_stops_at_a_mapping_that_begins_before(void)
{
	open_rig(VFIO_TYPE1_IOMMU);
	map_three();
	check_eq(unmap(5, 1), 0);
	check_eq(unmap(5, 20), 0);
	check_eq(unmap(7, 5), 0);
	check_eq(vm_lck_kib(0), 12 * PAGE_KIB);
	check_eq(dma_unmap_all(rig.container), 12 * PAGE);
	close_rig();
}

static void unmap_on_type1_takes_whole_mappings_that_begin_inside(void)
{
	open_rig(VFIO_TYPE1_IOMMU);
	map_three();
	check_eq(unmap(4, 1), 4);
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB);
	check_eq(unmap(0, 17), 8);
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_unmap_all(rig.container), 0);
	map_three();
	check_eq(unmap(0, 4), 0);
	check_eq(unmap(3, 2), 4);
	check_eq(unmap(12, 4), 0);
	check_eq(unmap(12, 5), 4);
	check_eq(unmap(0, 32), 4);
	close_rig();
}

static void vaddr_flag_on_type1_follows_its_range_rules(void)
{
	open_rig(VFIO_TYPE1_IOMMU);
	map(4, 4);
	check_eq(unmap_flags(4 * PAGE, PAGE, VADDR), 4 * PAGE);
	check_eq(dma_map(rig.container, 4 * PAGE, memory, 4 * PAGE,
			 VFIO_DMA_MAP_FLAG_VADDR), 0);
	check_eq(unmap_flags(5 * PAGE, PAGE, VADDR), 0);
	check_eq(unmap(4, 4), 4);
	close_rig();
}

static void many_small_mappings_are_unmapped_at_once(void)
{
	unsigned int nmaps = scaled(4096, 512);
	unsigned int i;

	open_rig(VFIO_TYPE1v2_IOMMU);
	for (i = 0; i < nmaps; i++)
		require_eq(dma_map(rig.container, 2 * i * PAGE, memory, PAGE,
				   RW), 0);
	check_eq(vm_lck_kib(0), nmaps * PAGE_KIB);
	check_eq(dma_avail(rig.container), 65535 - nmaps);
	check_eq(unmap(0, nmaps), nmaps / 2);
	check_eq(dma_unmap_all(rig.container), nmaps / 2 * PAGE);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
}

/*
 * A simple model: the mapping, if any, that has each page. The results of random calls must match
 * it.
 */
#define MODEL_PAGES	24U

static uint8_t owner[MODEL_PAGES];
static uint8_t last_owner;

static void model_map(uint64_t first_page, uint64_t npages)
{
	int expected = 0;
	uint64_t page;

	for (page = first_page; page < first_page + npages; page++)
		if (owner[page])
			expected = -EEXIST;
	check_eq(dma_map(rig.container, first_page * PAGE, memory,
			 npages * PAGE, RW), expected);
	if (expected)
		return;
	last_owner = last_owner == 255 ? 1 : last_owner + 1;
	memset(owner + first_page, last_owner, npages);
}

static bool cuts(uint64_t border)
{
	return border > 0 && border < MODEL_PAGES && owner[border] &&
	       owner[border] == owner[border - 1];
}

static void model_unmap_v2(uint64_t first_page, uint64_t npages)
{
	long long expected = 0;
	uint64_t page;

	if (cuts(first_page) || cuts(first_page + npages)) {
		check_eq(unmap(first_page, npages), -EINVAL);
		return;
	}
	for (page = first_page; page < first_page + npages; page++)
		expected += owner[page] != 0;
	check_eq(unmap(first_page, npages), expected);
	memset(owner + first_page, 0, npages);
}

static void model_unmap_v1(uint64_t first_page, uint64_t npages)
{
	long long expected = 0;
	uint64_t page = first_page;

	/* A mapping that begins in the range goes as a whole, even its part behind the range. */
	while (!cuts(first_page) && page < MODEL_PAGES &&
	       (page < first_page + npages || cuts(page))) {
		expected += owner[page] != 0;
		page++;
	}
	check_eq(unmap(first_page, npages), expected);
	memset(owner + first_page, 0, page - first_page);
}

static void check_against_model(unsigned long type)
{
	unsigned int nsteps = scaled(2000, 300);
	uint64_t state = random_seed();
	unsigned int i;

	open_rig(type);
	for (i = 0; i < nsteps && !failures(); i++) {
		uint64_t first_page = random_next(&state) % MODEL_PAGES;
		uint64_t npages = 1 + random_next(&state) %
				      (MODEL_PAGES - first_page);

		if (npages > 6 && random_next(&state) % 4)
			npages = 1 + npages % 6;
		context("step %u, pages %d, %d", i, (int)first_page,
			(int)npages);
		if (random_next(&state) % 2)
			model_map(first_page, npages);
		else if (type == VFIO_TYPE1_IOMMU)
			model_unmap_v1(first_page, npages);
		else
			model_unmap_v2(first_page, npages);
	}
	context("%s", "");
	dma_unmap_all(rig.container);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
}

static void random_maps_and_unmaps_follow_the_model(void)
{
	check_against_model(VFIO_TYPE1v2_IOMMU);
}

static void random_maps_and_unmaps_follow_the_model_of_type1(void)
{
	check_against_model(VFIO_TYPE1_IOMMU);
}

static const struct test tests[] = {
	TEST(unmap_with_bad_arguments_is_refused, NEEDS_ONE),
	TEST(unmap_with_bad_arguments_is_refused_on_type1, NEEDS_ONE),
	TEST(unmap_around_the_end_of_the_numbers_is_refused, NEEDS_ONE),
	TEST(unmap_up_to_2_to_the_64_takes_all_or_nothing,
	     NEEDS_ONE),
	TEST(unmap_of_nothing_succeeds_with_size_0, NEEDS_ONE),
	TEST(unmap_all_takes_no_range, NEEDS_ONE),
	TEST(flags_of_unmap_that_exclude_each_other_are_refused, NEEDS_ONE),
	TEST(unmap_with_a_bitmap_needs_tracking_to_be_on, NEEDS_ONE),
	TEST(unmap_of_half_a_v2_mapping_is_refused, NEEDS_ONE),
	TEST(unmap_of_a_v2_range_takes_all_mappings_in_it, NEEDS_ONE),
	TEST(unmap_whose_answer_faults_has_unmapped, NEEDS_ONE),
	TEST(munmap_of_the_memory_leaves_the_mapping_charged, NEEDS_ONE),
	TEST(unmap_with_the_vaddr_flag_has_a_defined_result, NEEDS_ONE),
	TEST(unmap_on_type1_stops_at_a_mapping_that_begins_before, NEEDS_ONE),
	TEST(unmap_on_type1_takes_whole_mappings_that_begin_inside, NEEDS_ONE),
	TEST(vaddr_flag_on_type1_follows_its_range_rules, NEEDS_ONE),
	TEST(many_small_mappings_are_unmapped_at_once, NEEDS_ONE),
	TEST(random_maps_and_unmaps_follow_the_model, NEEDS_ONE),
	TEST(random_maps_and_unmaps_follow_the_model_of_type1, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
