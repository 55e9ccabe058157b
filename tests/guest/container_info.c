// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_info.c - VFIO_IOMMU_GET_INFO
 */
#define _GNU_SOURCE
#include "lib.h"

#define UNTOUCHED	0xa5
#define BUFFER_BYTES	512U
#define FIXED_BYTES	24U
#define PAGE_SIZES_VTD	0x40201000ULL
#define LARGEST_BITMAP	0x10000000ULL

static bool on_vtd(void)
{
	return access("/sys/class/iommu/dmar0", F_OK) == 0;
}

/* Capabilities are padded to 8 bytes since Linux 6.6. */
static uint32_t avail_bytes(void)
{
	return kernel_at_least(6, 6) ? 16 : 12;
}

#define MIGRATION_BYTES	32U

static uint32_t nranges_of(const struct info *info)
{
	const struct vfio_iommu_type1_info_cap_iova_range *ranges;

	ranges = (const void *)
		info_cap(info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	require_true(ranges);
	return ranges->nr_iovas;
}

static uint32_t expected_total(int container)
{
	struct info info;

	require_eq(info_get(container, &info), 0);
	return FIXED_BYTES + MIGRATION_BYTES + avail_bytes() + 16 +
	       16 * nranges_of(&info);
}

/* The number of bytes of the fixed part that the kernel writes for an argsz. */
static uint32_t expected_fixed(uint32_t argsz)
{
	if (!kernel_at_least(6, 2))
		return argsz < 20 ? 16 : 20;
	return argsz < FIXED_BYTES ? argsz : FIXED_BYTES;
}

static int call_info(int container, uint8_t *buffer, uint32_t argsz)
{
	memset(buffer, UNTOUCHED, BUFFER_BYTES);
	memcpy(buffer, &argsz, sizeof(argsz));
	return vfio_call(container, VFIO_IOMMU_GET_INFO,
			 (unsigned long)buffer);
}

static void check_untouched(const uint8_t *buffer, uint32_t from, uint32_t to)
{
	while (from < to && buffer[from] == UNTOUCHED)
		from++;
	check_eq(from, to);
}

static uint32_t word_at(const uint8_t *buffer, uint32_t at)
{
	uint32_t word;

	memcpy(&word, buffer + at, sizeof(word));
	return word;
}

static void info_shorter_than_16_bytes_is_refused(void)
{
	uint8_t buffer[BUFFER_BYTES];
	struct rig rig;
	uint32_t argsz;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	for (argsz = 0; argsz < 16; argsz++) {
		context("argsz %u", argsz);
		check_eq(call_info(rig.container, buffer, argsz), -EINVAL);
		check_eq(word_at(buffer, 0), argsz);
		check_untouched(buffer, 4, BUFFER_BYTES);
	}
	context("%s", "");
	rig_close(&rig);
}

static void check_short_info(int container, uint32_t argsz, uint32_t total)
{
	uint8_t buffer[BUFFER_BYTES];
	uint32_t nfixed = expected_fixed(argsz);
	uint8_t zero[4] = { 0 };

	context("argsz %u", argsz);
	check_eq(call_info(container, buffer, argsz), 0);
	check_eq(word_at(buffer, 0), total);
	check_eq(word_at(buffer, 4), 3);
	check_mem(buffer + 16, zero, nfixed < 20 ? nfixed - 16 : 4);
	check_untouched(buffer, nfixed, BUFFER_BYTES);
	context("%s", "");
}

static void info_too_short_for_the_chain_tells_the_size_it_needs(void)
{
	struct rig rig;
	uint32_t total;
	uint32_t argsz;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	total = expected_total(rig.container);
	for (argsz = 16; argsz < total; argsz++)
		check_short_info(rig.container, argsz, total);
	rig_close(&rig);
}

static void info_of_exactly_the_needed_size_gets_the_chain(void)
{
	uint8_t buffer[BUFFER_BYTES];
	struct rig rig;
	uint32_t total;
	uint32_t argsz;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	total = expected_total(rig.container);
	for (argsz = total; argsz < total + 5; argsz++) {
		context("argsz %u", argsz);
		check_eq(call_info(rig.container, buffer, argsz), 0);
		check_eq(word_at(buffer, 0), argsz);
		check_eq(word_at(buffer, 16), FIXED_BYTES);
		check_untouched(buffer, total, BUFFER_BYTES);
	}
	context("%s", "");
	rig_close(&rig);
}

static void info_larger_than_needed_keeps_its_size(void)
{
	struct rig rig;
	struct info info;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	check_eq(info_get(rig.container, &info), 0);
	check_eq(info.fixed.argsz, sizeof(info));
	check_eq(info.fixed.flags, 3);
	rig_close(&rig);
}

static uint32_t check_header(const struct info *info, uint32_t at, int id)
{
	const struct vfio_info_cap_header *header =
		(const void *)(info->bytes + at);

	context("capability at %u", at);
	check_eq(header->id, id);
	check_eq(header->version, 1);
	context("%s", "");
	return header->next;
}

static void capabilities_come_in_order_at_their_offsets(void)
{
	uint32_t at = FIXED_BYTES;
	struct rig rig;
	struct info info;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	require_eq(info_get(rig.container, &info), 0);
	check_eq(info.fixed.cap_offset, at);
	at = check_header(&info, at, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION);
	check_eq(at, FIXED_BYTES + MIGRATION_BYTES);
	at = check_header(&info, at, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	check_eq(at, FIXED_BYTES + MIGRATION_BYTES + avail_bytes());
	at = check_header(&info, at, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	check_eq(at, 0);
	rig_close(&rig);
}

static void page_sizes_are_those_of_the_iommu(void)
{
	const struct vfio_iommu_type1_info_cap_migration *migration;
	struct rig rig;
	struct info info;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	require_eq(info_get(rig.container, &info), 0);
	if (on_vtd())
		check_eq(info.fixed.iova_pgsizes, PAGE_SIZES_VTD);
	check_true(info.fixed.iova_pgsizes & PAGE);
	migration = (const void *)
		info_cap(&info, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION);
	require_true(migration);
	check_eq(migration->flags, 0);
	check_eq(migration->pgsize_bitmap, PAGE);
	check_eq(migration->max_dirty_bitmap_size, LARGEST_BITMAP);
	rig_close(&rig);
}

static void check_ranges(const struct info *info)
{
	const struct vfio_iommu_type1_info_cap_iova_range *ranges;
	uint32_t i;

	ranges = (const void *)
		info_cap(info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	require_true(ranges);
	check_eq(ranges->reserved, 0);
	require_true(ranges->nr_iovas >= 2);
	for (i = 0; i < ranges->nr_iovas; i++)
		check_true(ranges->iova_ranges[i].start <
			   ranges->iova_ranges[i].end);
	for (i = 1; i < ranges->nr_iovas; i++)
		check_true(ranges->iova_ranges[i - 1].end <
			   ranges->iova_ranges[i].start);
	check_eq(ranges->iova_ranges[0].start, 0);
	check_eq(ranges->iova_ranges[0].end, 0xfedfffff);
	check_eq(ranges->iova_ranges[1].start, 0xfef00000);
	if (!on_vtd())
		return;
	check_eq(ranges->nr_iovas, 2);
	check_eq(ranges->iova_ranges[1].end, 0x7fffffffff);
}

static void ranges_leave_out_the_msi_window(void)
{
	struct rig rig;
	struct info info;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	require_eq(info_get(rig.container, &info), 0);
	check_ranges(&info);
	rig_close(&rig);
}

static void second_group_leaves_the_ranges_as_they_are(void)
{
	struct rig rig;
	struct info before;
	struct info after;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	require_eq(info_get(rig.container, &before), 0);
	rig_add_group(&rig);
	require_eq(info_get(rig.container, &after), 0);
	check_ranges(&after);
	check_mem(after.bytes, before.bytes, sizeof(after));
	check_eq(group_unset_container(rig.group[0]), 0);
	require_eq(info_get(rig.container, &after), 0);
	check_mem(after.bytes, before.bytes, sizeof(after));
	check_eq(group_set_container(rig.group[0], rig.container), 0);
	rig_close(&rig);
}

static void type1_answers_as_type1v2_does(void)
{
	struct rig rig;
	struct info v1;
	struct info v2;

	rig_open(&rig, VFIO_TYPE1_IOMMU, 1);
	require_eq(info_get(rig.container, &v1), 0);
	rig_close(&rig);
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	require_eq(info_get(rig.container, &v2), 0);
	rig_close(&rig);
	check_mem(v1.bytes, v2.bytes, sizeof(v1));
}

static void budget_follows_maps_and_unmaps(void)
{
	void *memory = mem_alloc(PAGE);
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	check_eq(dma_avail(rig.container), 65535);
	check_eq(dma_map(rig.container, 0, memory, PAGE, RW), 0);
	check_eq(dma_avail(rig.container), 65534);
	check_eq(dma_map(rig.container, 0, memory, PAGE, RW), -EEXIST);
	check_eq(dma_map(rig.container, PAGE, (void *)PAGE, PAGE, RW), -EFAULT);
	check_eq(dma_map(rig.container, 0xfee00000, memory, PAGE, RW), -EINVAL);
	check_eq(dma_avail(rig.container), 65534);
	check_eq(dma_unmap(rig.container, 0, PAGE), PAGE);
	check_eq(dma_avail(rig.container), 65535);
	rig_close(&rig);
	mem_free(memory, PAGE);
}

static void info_at_a_bad_address_faults(void)
{
	uint8_t *pages = mem_alloc(2 * PAGE);
	uint8_t *at = pages + PAGE - FIXED_BYTES;
	uint32_t argsz = 4096;
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	check_eq(vfio_call(rig.container, VFIO_IOMMU_GET_INFO, 8), -EFAULT);
	/* The fixed part can be written, the chain behind it cannot. */
	require_eq(or_errno(mprotect(pages + PAGE, PAGE, PROT_NONE)), 0);
	memcpy(at, &argsz, sizeof(argsz));
	check_eq(vfio_call(rig.container, VFIO_IOMMU_GET_INFO,
			   (unsigned long)at), -EFAULT);
	/* Without a chain nothing can fault. */
	argsz = FIXED_BYTES;
	memcpy(at, &argsz, sizeof(argsz));
	check_eq(vfio_call(rig.container, VFIO_IOMMU_GET_INFO,
			   (unsigned long)at), 0);
	require_eq(or_errno(mprotect(pages, PAGE, PROT_READ)), 0);
	check_eq(vfio_call(rig.container, VFIO_IOMMU_GET_INFO,
			   (unsigned long)at), -EFAULT);
	rig_close(&rig);
	mem_free(pages, 2 * PAGE);
}

static const struct test tests[] = {
	TEST(info_shorter_than_16_bytes_is_refused, NEEDS_ONE),
	TEST(info_too_short_for_the_chain_tells_the_size_it_needs, NEEDS_ONE),
	TEST(info_of_exactly_the_needed_size_gets_the_chain, NEEDS_ONE),
	TEST(info_larger_than_needed_keeps_its_size, NEEDS_ONE),
	TEST(capabilities_come_in_order_at_their_offsets, NEEDS_ONE),
	TEST(page_sizes_are_those_of_the_iommu, NEEDS_ONE),
	TEST(ranges_leave_out_the_msi_window, NEEDS_ONE),
	TEST(second_group_leaves_the_ranges_as_they_are, NEEDS_TWO),
	TEST(type1_answers_as_type1v2_does, NEEDS_ONE),
	TEST(budget_follows_maps_and_unmaps, NEEDS_ONE),
	TEST(info_at_a_bad_address_faults, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
