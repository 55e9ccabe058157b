// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_limits.c - the limit of mappings of native ioctls; and many mappings keep no lock for
 * long: the test build complains if they do
 */
#define _GNU_SOURCE
#include "lib_native.h"

#define MODULE		"vfio_ioas_selftest"
#define NAREAS		scaled(3000U, 1000U)
#define HUGE		(2ULL << 20)

/* Without a device nothing reads this memory. */
#define NOWHERE		((const void *)(1UL << 31))

static uint8_t page[PAGE] __attribute__((aligned(PAGE)));
static int fd;

static void open_with_limit(const char *limit)
{
	char usual[32];

	not_on_peer("there is no limit");
	require_eq(param_get(MODULE, "iommu_entry_limit", usual, sizeof(usual)), 0);
	param_set(MODULE, "iommu_entry_limit", limit);
	fd = native_open();
	param_set(MODULE, "iommu_entry_limit", usual);
}

static int map_at(uint32_t ioas, uint64_t number)
{
	return ioas_map(fd, ioas, number * PAGE, page, PAGE, IOAS_RW);
}

static void all_ioas_of_a_file_share_its_limit(void)
{
	uint32_t first, second;

	open_with_limit("3");
	first = ioas_alloc(fd);
	second = ioas_alloc(fd);
	check_eq(vfio_ioas_set(fd, second), 0);
	check_eq(dma_avail(fd), UINT32_MAX);
	check_eq(map_at(first, 1), 0);
	check_eq(map_at(first, 2), 0);
	check_eq(map_at(second, 1), 0);
	/* As in iommufd, which has no limit to report. */
	check_eq(dma_avail(fd), UINT32_MAX);
	check_eq(map_at(first, 3), -ENOSPC);
	check_eq(map_at(second, 3), -ENOSPC);
	check_eq(dma_map(fd, 3 * PAGE, page, PAGE, RW), -ENOSPC);
	/* Other errors are reported before the limit. */
	check_eq(map_at(first, 1), -EEXIST);
	check_eq(ioas_unmap(fd, first, PAGE, PAGE), PAGE);
	check_eq(map_at(second, 3), 0);
	check_eq(map_at(first, 3), -ENOSPC);
	check_eq(object_destroy(fd, first), 0);
	check_eq(map_at(second, 4), 0);
	check_eq(map_at(second, 5), -ENOSPC);
	close(fd);
	/* Each file has its own limit. */
	fd = native_open();
	first = ioas_alloc(fd);
	check_eq(map_at(first, 1) + map_at(first, 2) + map_at(first, 3) + map_at(first, 4), 0);
	close(fd);
}

static void copies_count_against_the_limit(void)
{
	uint32_t ioas;

	open_with_limit("5");
	ioas = ioas_alloc(fd);
	check_eq(map_at(ioas, 1), 0);
	check_eq(map_at(ioas, 2), 0);
	check_eq(ioas_copy(fd, (struct iova_of){ ioas, 11 * PAGE },
			   (struct iova_of){ ioas, PAGE }, 2 * PAGE, IOAS_RW), 0);
	/* Either all pieces of a copy are mapped, or none. */
	check_eq(ioas_copy(fd, (struct iova_of){ ioas, 21 * PAGE },
			   (struct iova_of){ ioas, PAGE }, 2 * PAGE, IOAS_RW), -ENOSPC);
	check_eq(ioas_unmap(fd, ioas, 21 * PAGE, 2 * PAGE), -ENOENT);
	check_eq(ioas_copy(fd, (struct iova_of){ ioas, 21 * PAGE },
			   (struct iova_of){ ioas, PAGE }, PAGE, IOAS_RW), 0);
	close(fd);
}

static void a_limit_of_zero_allows_no_mapping(void)
{
	uint32_t ioas;

	open_with_limit("0");
	ioas = ioas_alloc(fd);
	check_eq(map_at(ioas, 1), -ENOSPC);
	check_eq(ioas_unmap_all(fd, ioas), 0);
	close(fd);
}

static void all_ioas_of_a_container_share_its_limit(void)
{
	struct rig container;
	char usual[32];
	uint32_t own, fresh;

	require_eq(param_get(MODULE, "dma_entry_limit", usual, sizeof(usual)), 0);
	param_set(MODULE, "dma_entry_limit", "3");
	rig_open(&container, VFIO_TYPE1v2_IOMMU, 1);
	param_set(MODULE, "dma_entry_limit", usual);
	fd = container.container;
	own = vfio_ioas_get(fd);
	check_eq(map_at(own, 1), 0);
	check_eq(dma_avail(fd), 2);
	fresh = ioas_alloc(fd);
	check_eq(map_at(fresh, 1), 0);
	check_eq(vfio_ioas_set(fd, fresh), 0);
	/* Selecting another IOAS frees no mappings. */
	check_eq(dma_avail(fd), 1);
	check_eq(dma_map(fd, 2 * PAGE, page, PAGE, RW), 0);
	check_eq(dma_map(fd, 3 * PAGE, page, PAGE, RW), -ENOSPC);
	check_eq(dma_avail(fd), 0);
	check_eq(map_at(own, 2), -ENOSPC);
	check_eq(vfio_ioas_set(fd, own), 0);
	check_eq(dma_unmap_all(fd), PAGE);
	check_eq(map_at(fresh, 4), 0);
	check_eq(object_destroy(fd, fresh), 0);
	check_eq(dma_avail(fd), 3);
	rig_close(&container);
}

/* Makes gaps of 4 MiB less a page. None has room for that length at a multiple of 2 MiB. */
static void make_useless_gaps(uint32_t ioas)
{
	unsigned int i;

	for (i = 0; i <= NAREAS; i++)
		require_eq(map_at(ioas, i * 2 * HUGE / PAGE), 0);
}

static void iova_is_chosen_behind_many_misaligned_gaps(void)
{
	uint64_t iova, expected = NAREAS * 2 * HUGE + HUGE;
	unsigned int i;
	uint32_t ioas;

	fd = native_open();
	ioas = ioas_alloc(fd);
	make_useless_gaps(ioas);
	for (i = 0; i < 10; i++) {
		check_eq(ioas_map_auto(fd, ioas, NOWHERE, 2 * HUGE - PAGE, IOAS_RW, &iova), 0);
		check_eq(iova, expected);
		expected = iova + 2 * HUGE;
	}
	/* A gap that becomes useful is found again: it is the lowest one. */
	check_eq(ioas_unmap(fd, ioas, 10 * 2 * HUGE, PAGE), PAGE);
	check_eq(ioas_map_auto(fd, ioas, NOWHERE, 2 * HUGE - PAGE, IOAS_RW, &iova), 0);
	check_eq(iova, 9 * 2 * HUGE + HUGE);
	close(fd);
}

static void a_copy_of_many_pieces_is_all_or_nothing(void)
{
	uint32_t from, to;
	unsigned int i;

	fd = native_open();
	from = ioas_alloc(fd);
	to = ioas_alloc(fd);
	for (i = 0; i < NAREAS; i++)
		require_eq(map_at(from, i), 0);
	require_eq(map_at(to, 2 * NAREAS), 0);
	/* The last piece overlaps a mapping. */
	check_eq(ioas_copy(fd, (struct iova_of){ to, (NAREAS + 1) * PAGE },
			   (struct iova_of){ from, 0 }, NAREAS * PAGE, IOAS_RW), -EEXIST);
	check_eq(ioas_copy(fd, (struct iova_of){ to, NAREAS * PAGE },
			   (struct iova_of){ from, 0 }, NAREAS * PAGE, IOAS_RW), 0);
	check_eq(ioas_unmap(fd, to, NAREAS * PAGE, NAREAS * PAGE), NAREAS * PAGE);
	check_eq(ioas_unmap_all(fd, from), NAREAS * PAGE);
	close(fd);
}

static void a_device_comes_to_many_areas(void)
{
	struct mock mock;
	unsigned int i;

	rig_native_open(0);
	for (i = 0; i < NAREAS; i++)
		require_eq(ioas_map(rig.fd, rig.ioas, MOCK_APERTURE_START + i * PAGE,
				    rig.buffer, PAGE, IOAS_RW), 0);
	require_eq(mock_attach(rig.fd, rig.ioas, &mock), 0);
	check_eq(check_refs(rig.fd, rig.buffer, PAGE, NAREAS), 0);
	check_eq(object_destroy(rig.fd, mock.device), 0);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), NAREAS * PAGE);
	rig_native_close();
}

static const struct test tests[] = {
	TEST(all_ioas_of_a_file_share_its_limit, 0),
	TEST(copies_count_against_the_limit, 0),
	TEST(a_limit_of_zero_allows_no_mapping, 0),
	TEST(all_ioas_of_a_container_share_its_limit, NEEDS_ONE),
	TEST(iova_is_chosen_behind_many_misaligned_gaps, 0),
	TEST(a_copy_of_many_pieces_is_all_or_nothing, 0),
	TEST(a_device_comes_to_many_areas, 0),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
