// SPDX-License-Identifier: GPL-2.0-only
/*
 * emul_dirty.c - dirty tracking with emulated devices, which know what they write
 *
 * A page is dirty if a device has it pinned. It is also dirty if a device had it pinned, or wrote
 * to it, since the last report.
 */
#define _GNU_SOURCE
#include "lib_dirty.h"
#include "lib_emulated.h"

#define NPAGES		64U
#define TIB		(1ULL << 40)
#define ONES		(~0ULL)

static void open_with(uint64_t npages)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, npages, RW), 0);
}

static void start(void)
{
	require_eq(dirty_start(emul.container), 0);
}

/* A report about up to 128 pages. */
struct report {
	uint64_t word[2];
};

static struct report report_at(uint64_t first_page, uint64_t npages)
{
	struct report report = { 0 };

	check_eq(dirty_get(emul.container, first_page * PAGE, npages * PAGE,
			   report.word, sizeof(report.word)), 0);
	return report;
}

/* Returns the report about the first 64 pages. */
static uint64_t report(void)
{
	return report_at(0, NPAGES).word[0];
}

/* --- which pages are reported, and how often */

static void pinned_page_is_dirty_until_once_after_it_is_unpinned(void)
{
	open_with(NPAGES);
	require_eq(emul_pin(2, 1, RW), 1);
	start();
	check_eq(report(), 0x4);
	check_eq(report(), 0x4);
	require_eq(emul_unpin(2, 1), 0);
	check_eq(report(), 0x4);
	check_eq(report(), 0);
	emul_close();
}

/* A pin for reading counts, too. */
static void page_pinned_between_reports_is_dirty_once(void)
{
	open_with(NPAGES);
	start();
	check_eq(report(), 0);
	require_eq(emul_pin(5, 2, RO), 2);
	require_eq(emul_unpin(5, 2), 0);
	check_eq(report(), 0x60);
	check_eq(report(), 0);
	emul_close();
}

static void page_pinned_twice_is_dirty_until_it_is_unpinned_twice(void)
{
	open_with(NPAGES);
	start();
	require_eq(emul_pin(3, 1, RW), 1);
	require_eq(emul_pin(3, 1, RW), 1);
	require_eq(emul_unpin(3, 1), 0);
	check_eq(report(), 0x8);
	check_eq(report(), 0x8);
	require_eq(emul_unpin(3, 1), 0);
	check_eq(report(), 0x8);
	check_eq(report(), 0);
	emul_close();
}

static void written_pages_are_dirty_once_and_read_ones_are_not(void)
{
	uint8_t bytes[32] = { 0 };

	open_with(NPAGES);
	start();
	check_eq(emulated_rw(emul.device, 8 * PAGE - 16, bytes, sizeof(bytes),
			     EMULATED_WRITE), 0);
	check_eq(report(), 0x180);
	check_eq(report(), 0);
	check_eq(emulated_rw(emul.device, 8 * PAGE - 16, bytes, sizeof(bytes), 0),
		 0);
	check_eq(report(), 0);
	emul_close();
}

static void unmap_reports_what_the_device_lets_go_of(void)
{
	uint64_t bitmap = 0;

	open_with(NPAGES);
	start();
	require_eq(emul_pin(1, 1, RW), 1);
	check_eq(dirty_unmap(emul.container, 0, NPAGES * PAGE, &bitmap,
			     sizeof(bitmap)), NPAGES * PAGE);
	check_eq(bitmap, 0x2);
	check_eq(ncallbacks_of(emul.device), 1);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static void unmap_reports_the_pages_of_each_mapping(void)
{
	uint64_t bitmap = 0;

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 4, RW), 0);
	require_eq(emul_map(16, 8, RW), 0);
	start();
	require_eq(emul_pin(1, 1, RW), 1);
	require_eq(emul_pin(17, 2, RW), 2);
	require_eq(emul_unpin(17, 2), 0);
	check_eq(dirty_unmap(emul.container, 0, NPAGES * PAGE, &bitmap,
			     sizeof(bitmap)), 12 * PAGE);
	/* Stock sets more bits behind the end of the second mapping. */
	check_eq(bitmap & 0xffffff, 0x60002);
	emul_close();
}

static void start_knows_only_what_is_pinned(void)
{
	open_with(NPAGES);
	start();
	require_eq(emul_pin(4, 2, RW), 2);
	require_eq(emul_unpin(4, 1), 0);
	check_eq(dirty_stop(emul.container), 0);
	start();
	check_eq(report(), 0x20);
	emul_close();
}

static void mapping_made_later_is_clean(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	start();
	require_eq(emul_map(0, NPAGES, RW), 0);
	check_eq(report(), 0);
	require_eq(emul_pin(9, 1, RW), 1);
	check_eq(report(), 0x200);
	check_eq(emul_unmap(0, NPAGES), NPAGES);
	require_eq(emul_map(0, NPAGES, RW), 0);
	check_eq(report(), 0);
	emul_close();
}

/* --- where in the bitmap pages are reported */

static void bits_count_from_where_the_report_begins(void)
{
	struct report now;

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(64, 128, RW), 0);
	start();
	require_eq(emul_pin(130, 1, RW), 1);
	now = report_at(64, 128);
	check_eq(now.word[0], 0);
	check_eq(now.word[1], 0x4);
	/* Nothing is mapped in these ranges. */
	now = report_at(0, 64);
	check_eq(now.word[0], 0);
	now = report_at(1024, 128);
	check_eq(now.word[0], 0);
	check_eq(now.word[1], 0);
	emul_close();
}

static void report_writes_only_words_with_pages_of_a_mapping(void)
{
	uint64_t bitmap[2] = { ONES, ONES };

	open_with(3);
	start();
	check_eq(dirty_get(emul.container, 0, 128 * PAGE, bitmap, sizeof(bitmap)),
		 0);
	check_eq(bitmap[0], 0);
	check_eq(bitmap[1], ONES);
	emul_close();
}

static void bitmap_can_be_anywhere(void)
{
	uint8_t buffer[17] = { 0 };
	uint64_t word;

	open_with(NPAGES);
	start();
	require_eq(emul_pin(2, 1, RW), 1);
	check_eq(dirty_get(emul.container, 0, NPAGES * PAGE, buffer + 3, 8), 0);
	memcpy(&word, buffer + 3, sizeof(word));
	check_eq(word, 0x4);
	emul_close();
}

/*
 * Several mappings share one word. Stock sets more bits behind those of the report, more of them
 * with each mapping. The test ignores these bits.
 */
static void neighbours_in_one_word_are_told_apart(void)
{
	unsigned int i;

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(64, 3, RW), 0);
	require_eq(emul_map(67, 1, RW), 0);
	require_eq(emul_map(68, 60, RW), 0);
	start();
	require_eq(emul_pin(67, 1, RW), 1);
	for (i = 0; i < 5; i++) {
		struct report now = report_at(0, 128);

		check_eq(now.word[0], 0);
		check_eq(now.word[1] & 0xf, 0x8);
		if (backend_is_ioas())
			check_eq(now.word[1], 0x8);
	}
	emul_close();
}

/* Stock then reports another page, as if it had shifted its bits but not shifted them back. */
static void report_that_fails_loses_nothing(void)
{
	void *nowhere = mem_reserve(PAGE);
	uint8_t byte = 1;
	uint64_t now;

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(3, 5, RW), 0);
	start();
	check_eq(emulated_rw(emul.device, 3 * PAGE, &byte, 1, EMULATED_WRITE), 0);
	check_eq(dirty_get(emul.container, 0, NPAGES * PAGE, nowhere, 8), -EFAULT);
	now = report();
	if (backend_is_ioas())
		check_eq(now, 0x8);
	else
		check_true(now == 0x8 || now == 0x40);
	mem_free(nowhere, PAGE);
	emul_close();
}

/* Two mappings. The device has pinned a page of the second one. */
static void unmap_whose_report_fails_leaves_mappings_that_can_be_pinned(void)
{
	void *nowhere = mem_reserve(PAGE);
	uint64_t bitmap = 0;

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 4, RW), 0);
	require_eq(emul_map(8, 4, RW), 0);
	require_eq(emul_pin(8, 1, RW), 1);
	start();
	check_eq(dirty_unmap(emul.container, 0, 12 * PAGE, nowhere, 8), -EFAULT);
	check_eq(emul_pin(0, 1, RW), 1);
	check_eq(emul_pin(9, 1, RW), 1);
	/* The callback makes the device let go, and then the report fails. */
	check_eq(dirty_unmap(emul.container, 8 * PAGE, 4 * PAGE, nowhere, 8), -EFAULT);
	check_eq(emul_pin(8, 4, RW), 4);
	check_eq(dirty_unmap(emul.container, 0, 12 * PAGE, &bitmap, 8), 8 * PAGE);
	mem_free(nowhere, PAGE);
	emul_close();
}

/* --- with an IOMMU: its devices may write anywhere */

static void all_is_dirty_while_a_pci_group_is_there(void)
{
	emul_open_mixed();
	require_eq(emul_map(0, NPAGES, RW), 0);
	start();
	check_eq(report(), ONES);
	check_eq(report(), ONES);
	require_eq(emul_pin(2, 1, RW), 1);
	check_eq(report(), ONES);
	emul_remove_pci();
	check_eq(report(), ONES);
	check_eq(report(), 0x4);
	require_eq(emul_unpin(2, 1), 0);
	check_eq(report(), 0x4);
	check_eq(report(), 0);
	require_eq(emul_add_pci(), 0);
	check_eq(report(), ONES);
	check_eq(report(), ONES);
	emul_close();
}

static void pci_group_that_leaves_dirties_what_is_mapped_then(void)
{
	emul_open_mixed();
	start();
	require_eq(emul_map(0, 4, RW), 0);
	emul_remove_pci();
	require_eq(emul_map(8, 4, RW), 0);
	check_eq(report() & 0xfff, 0xf);
	check_eq(report() & 0xfff, 0);
	emul_close();
}

/* --- limits */

static void mapping_can_be_too_large_to_be_tracked(void)
{
	const uint64_t most = 8 * TIB - PAGE;
	int container;

	emul_open(VFIO_TYPE1v2_IOMMU);
	container = emul.container;
	require_eq(dma_map(container, 0, emul.memory, 8 * TIB, RW), 0);
	check_eq(dirty_start(container), -EINVAL);
	check_eq(dma_unmap_all(container), 8 * TIB);
	require_eq(dma_map(container, 0, emul.memory, most, RW), 0);
	check_eq(dirty_start(container), 0);
	check_eq(dma_avail(container), 65534);
	check_eq(dma_map(container, 16 * TIB, emul.memory, 8 * TIB, RW), -EINVAL);
	check_eq(dma_avail(container), 65534);
	check_eq(dma_unmap(container, 16 * TIB, 8 * TIB), 0);
	check_eq(dirty_stop(container), 0);
	check_eq(dma_unmap_all(container), most);
	emul_close();
}

static const struct test tests[] = {
	TEST(pinned_page_is_dirty_until_once_after_it_is_unpinned, 0),
	TEST(page_pinned_between_reports_is_dirty_once, 0),
	TEST(page_pinned_twice_is_dirty_until_it_is_unpinned_twice, 0),
	TEST(written_pages_are_dirty_once_and_read_ones_are_not, 0),
	TEST(unmap_reports_what_the_device_lets_go_of, 0),
	TEST(unmap_reports_the_pages_of_each_mapping, 0),
	TEST(start_knows_only_what_is_pinned, 0),
	TEST(mapping_made_later_is_clean, 0),
	TEST(bits_count_from_where_the_report_begins, 0),
	TEST(report_writes_only_words_with_pages_of_a_mapping, 0),
	TEST(bitmap_can_be_anywhere, 0),
	TEST(neighbours_in_one_word_are_told_apart, 0),
	TEST(report_that_fails_loses_nothing, 0),
	TEST(unmap_whose_report_fails_leaves_mappings_that_can_be_pinned, 0),
	TEST(all_is_dirty_while_a_pci_group_is_there, NEEDS_ONE),
	TEST(pci_group_that_leaves_dirties_what_is_mapped_then, NEEDS_ONE),
	TEST(mapping_can_be_too_large_to_be_tracked, 0),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
