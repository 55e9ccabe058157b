// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_unmap.c - VFIO_IOMMU_UNMAP_DMA of many mappings, against a model; container_vaddr.c
 * tests its flag for new addresses
 */
#define _GNU_SOURCE
#include "lib.h"

#define VADDR		VFIO_DMA_UNMAP_FLAG_VADDR
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
	check_eq(dma_unmap_flags(rig.container, 5 * PAGE, PAGE, VADDR), -EINVAL);
	check_eq(dma_unmap_all(rig.container), 12 * PAGE);
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
	TEST(unmap_of_half_a_v2_mapping_is_refused, NEEDS_ONE),
	TEST(many_small_mappings_are_unmapped_at_once, NEEDS_ONE),
	TEST(random_maps_and_unmaps_follow_the_model, NEEDS_ONE),
	TEST(random_maps_and_unmaps_follow_the_model_of_type1, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
