// SPDX-License-Identifier: GPL-2.0-only
/*
 * info: the capability chain of VFIO_IOMMU_GET_INFO, read as a program reads it.
 */
#include <linux/vfio.h>

#include "kernel.h"
#include "native/info.h"
#include "space/iova.h"
#include "lib_run.h"

#define INFO_NBYTES	24
#define GUARD		0x5a

static const struct ioas_range ranges[] = {
	{ 0, 0xfedfffff },
	{ 0xfef00000, 0x7fffffffffUL },
	{ 0x1000000000000UL, ULONG_MAX },
};

/* The info struct, followed by the chain and by a guard. */
static char buffer[4096] __aligned(8);

static size_t build_for(u64 dirty_pgsize, unsigned int nranges, bool padded)
{
	struct info_args args = {
		.dirty_pgsize = dirty_pgsize, .max_dirty_nbytes = 5678,
		.avail = 1234, .ranges = ranges, .nranges = nranges, .padded = padded,
	};
	size_t nbytes = info_chain_nbytes(&args);

	memset(buffer, GUARD, sizeof(buffer));
	memset(buffer + INFO_NBYTES, 0, nbytes);
	info_chain_build(buffer + INFO_NBYTES, &args);
	ck_assert_int_eq(buffer[INFO_NBYTES + nbytes], GUARD);
	return INFO_NBYTES + nbytes;
}

static size_t build(unsigned int nranges, bool padded)
{
	return build_for(0, nranges, padded);
}

/* The offset of the capability with this id; 0 if the chain has none. */
static u32 find(unsigned int id)
{
	struct vfio_info_cap_header header;
	u32 offset;

	for (offset = INFO_NBYTES; offset; offset = header.next) {
		memcpy(&header, buffer + offset, sizeof(header));
		ck_assert_int_eq(header.version, 1);
		if (header.id == id)
			return offset;
	}
	return 0;
}

static void check_ranges(u32 offset, unsigned int nranges)
{
	struct vfio_iommu_type1_info_cap_iova_range capability;
	struct vfio_iova_range range;
	unsigned int i;

	memcpy(&capability, buffer + offset, sizeof(capability));
	ck_assert_uint_eq(capability.nr_iovas, nranges);
	ck_assert_uint_eq(capability.reserved, 0);
	ck_assert_uint_eq(capability.header.next, 0);
	for (i = 0; i < nranges; i++) {
		memcpy(&range, buffer + offset + sizeof(capability) + i * sizeof(range),
		       sizeof(range));
		ck_assert_uint_eq(range.start, ranges[i].first_iova);
		ck_assert_uint_eq(range.end, ranges[i].last_iova);
	}
}

START_TEST(the_migration_capability_comes_first)
{
	struct vfio_iommu_type1_info_cap_migration migration;

	ck_assert_uint_eq(build_for(4096, 2, _i),
			  INFO_NBYTES + 32 + (_i ? 16 : 12) + 16 + 2 * 16);
	ck_assert_uint_eq(find(VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION), INFO_NBYTES);
	memcpy(&migration, buffer + INFO_NBYTES, sizeof(migration));
	ck_assert_uint_eq(migration.flags, 0);
	ck_assert_uint_eq(migration.pgsize_bitmap, 4096);
	ck_assert_uint_eq(migration.max_dirty_bitmap_size, 5678);
	ck_assert_uint_eq(find(VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL), INFO_NBYTES + 32);
	check_ranges(find(VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE), 2);
}
END_TEST

START_TEST(dma_avail_follows_the_migration_capability)
{
	struct vfio_iommu_type1_info_dma_avail avail;

	build(2, _i);
	ck_assert_uint_eq(find(VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL), INFO_NBYTES);
	memcpy(&avail, buffer + INFO_NBYTES, sizeof(avail));
	ck_assert_uint_eq(avail.avail, 1234);
}
END_TEST

START_TEST(without_padding_a_capability_begins_where_the_last_one_ends)
{
	ck_assert_uint_eq(build(2, false), INFO_NBYTES + 12 + 16 + 2 * 16);
	ck_assert_uint_eq(find(VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE), INFO_NBYTES + 12);
}
END_TEST

START_TEST(with_padding_a_capability_begins_at_a_multiple_of_eight)
{
	ck_assert_uint_eq(build(2, true), INFO_NBYTES + 16 + 16 + 2 * 16);
	ck_assert_uint_eq(find(VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE), INFO_NBYTES + 16);
}
END_TEST

START_TEST(every_range_is_listed)
{
	unsigned int nranges = 1 + _i % 3;

	build(nranges, _i >= 3);
	check_ranges(find(VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE), nranges);
}
END_TEST

START_TEST(without_a_range_there_is_no_such_capability)
{
	ck_assert_uint_eq(build(0, _i), INFO_NBYTES + (_i ? 16 : 12));
	ck_assert_uint_eq(find(VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("info");
	TCase *tcase = tcase_create("info");

	tcase_add_loop_test(tcase, the_migration_capability_comes_first, 0, 2);
	tcase_add_loop_test(tcase, dma_avail_follows_the_migration_capability, 0, 2);
	tcase_add_test(tcase, without_padding_a_capability_begins_where_the_last_one_ends);
	tcase_add_test(tcase, with_padding_a_capability_begins_at_a_multiple_of_eight);
	tcase_add_loop_test(tcase, every_range_is_listed, 0, 6);
	tcase_add_loop_test(tcase, without_a_range_there_is_no_such_capability, 0, 2);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
