// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_ioas.c - IOVA: MAP, UNMAP, IOVA_RANGES, ALLOW_IOVAS and the option HUGE_PAGES
 */
#define _GNU_SOURCE
#include "lib_native.h"

#include <signal.h>

/* Without a device memory is not looked at, so this address may have none. */
#define NO_MEMORY	((uint8_t *)(1UL << 31))
#define TOP_PAGE	(UINT64_MAX - PAGE + 1)
#define THP_SIZE	"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"

/* Returns an address for maps: with devices, the buffer, whose memory is there. */
static uint8_t *memory(void)
{
	return rig.nmocks ? rig.buffer : NO_MEMORY;
}

static void map_pages(unsigned int first, unsigned int npages,
		      unsigned int nbytes_each)
{
	unsigned int i;

	for (i = 0; i < npages; i++)
		check_eq(rig_map(rig_page(first + i), rig.buffer, nbytes_each),
			 0);
}

RIG_TEST(ioas_with_a_device_stays)
{
	check_eq(object_destroy(rig.fd, rig.ioas), rig.nmocks ? -EBUSY : 0);
}

RIG_TEST(mappings_do_not_hold_an_ioas)
{
	map_pages(0, 1, PAGE);
	check_eq(object_destroy(rig.fd, rig.ioas), rig.nmocks ? -EBUSY : 0);
}

RIG_TEST(close_unmaps)
{
	map_pages(0, 10, PAGE);
}

RIG_TEST(mapped_pages_are_unmapped_one_by_one)
{
	unsigned int i;

	for (i = 0; i < 10; i++)
		check_eq(rig_unmap(rig_page(i), PAGE), -ENOENT);
	map_pages(0, 10, PAGE);
	for (i = 0; i < 10; i++)
		check_eq(rig_unmap(rig_page(i), PAGE), PAGE);
	for (i = 0; i < 10; i++)
		check_eq(rig_unmap(rig_page(i), PAGE), -ENOENT);
}

RIG_TEST(unmap_of_half_a_mapping_is_refused)
{
	map_pages(16, 1, 2 * PAGE);
	check_eq(rig_unmap(rig_page(16), PAGE), -ENOENT);
	check_eq(rig_unmap(rig_page(17), PAGE), -ENOENT);
	check_eq(rig_unmap(rig_page(15), 2 * PAGE), -ENOENT);
	check_eq(rig_unmap(rig_page(17), 2 * PAGE), -ENOENT);
	check_eq(rig_unmap(rig_page(16), 2 * PAGE - 1), -ENOENT);
	check_eq(rig_unmap(rig_page(16) + 1, 2 * PAGE), -ENOENT);
	check_eq(rig_unmap(rig_page(16), 1), -ENOENT);
	rig_check_map(rig_page(16), rig.buffer, 2 * PAGE);
	check_eq(rig_unmap(rig_page(16), 2 * PAGE), 2 * PAGE);
}

RIG_TEST(map_on_a_mapping_is_refused)
{
	map_pages(16, 1, 2 * PAGE);
	check_eq(rig_map(rig_page(16), rig.buffer, 2 * PAGE), -EEXIST);
	check_eq(rig_map(rig_page(16), rig.buffer, PAGE), -EEXIST);
	check_eq(rig_map(rig_page(17), rig.buffer, PAGE), -EEXIST);
	check_eq(rig_map(rig_page(15), rig.buffer, 2 * PAGE), -EEXIST);
	check_eq(rig_map(rig_page(17), rig.buffer, 2 * PAGE), -EEXIST);
	check_eq(rig_map(rig_page(15), rig.buffer, 3 * PAGE), -EEXIST);
	check_eq(rig_map(rig_page(15), rig.buffer, PAGE), 0);
	check_eq(rig_map(rig_page(18), rig.buffer, PAGE), 0);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 4 * PAGE);
}

/* Four mappings of 8 pages, 16 pages apart. */
static void map_four_apart(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		check_eq(rig_map(rig_page(4 + 16 * i), rig.buffer, 8 * PAGE),
			 0);
}

RIG_TEST(unmap_takes_all_mappings_within_and_leaves_gaps_out)
{
	map_four_apart();
	check_eq(rig_unmap(rig_page(0), 8 * PAGE), -ENOENT);
	check_eq(rig_unmap(rig_page(52 + 4), 8 * PAGE), -ENOENT);
	check_eq(rig_unmap(rig_page(0), 60 * PAGE), 32 * PAGE);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 0);
}

RIG_TEST(unmap_that_meets_a_half_mapping_keeps_what_it_did)
{
	map_four_apart();
	check_eq(rig_unmap(rig_page(0), 40 * PAGE), -ENOENT);
	check_eq(rig_unmap(rig_page(4), 8 * PAGE), -ENOENT);
	check_eq(rig_unmap(rig_page(20), 8 * PAGE), -ENOENT);
	check_eq(rig_unmap(rig_page(36), 8 * PAGE), 8 * PAGE);
	check_eq(rig_unmap(rig_page(52), 8 * PAGE), 8 * PAGE);
}

RIG_TEST(unmap_that_begins_in_a_mapping_takes_nothing)
{
	map_four_apart();
	check_eq(rig_unmap(rig_page(5), 40 * PAGE), -ENOENT);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 32 * PAGE);
}

RIG_TEST(unmap_of_everything_may_find_nothing)
{
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 0);
	map_pages(0, 3, PAGE);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 3 * PAGE);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 0);
}

RIG_TEST(unmap_of_impossible_ranges_is_refused)
{
	map_pages(0, 1, PAGE);
	check_eq(rig_unmap(rig_page(0), 0), -EINVAL);
	check_eq(rig_unmap(0, 0), -EINVAL);
	check_eq(rig_unmap(PAGE, UINT64_MAX), -EOVERFLOW);
	check_eq(rig_unmap(UINT64_MAX, PAGE), -EOVERFLOW);
	/* These ranges do not even wrap. */
	check_eq(rig_unmap(1, UINT64_MAX), -EOVERFLOW);
	check_eq(rig_unmap(UINT64_MAX, 1), -EOVERFLOW);
	check_eq(rig_unmap(TOP_PAGE, 2 * PAGE), -EOVERFLOW);
	check_eq(rig_unmap(TOP_PAGE, PAGE + 1), -EOVERFLOW);
	check_eq(rig_unmap(TOP_PAGE, PAGE), -ENOENT);
	/* One byte less is not the special form that unmaps everything. */
	check_eq(rig_unmap(0, UINT64_MAX - 1), PAGE);
	check_eq(ioas_unmap(rig.fd, 1000, 0, PAGE), -ENOENT);
	check_eq(ioas_unmap_all(rig.fd, 1000), -ENOENT);
}

RIG_TEST(map_needs_an_access_right)
{
	check_eq(ioas_map(rig.fd, rig.ioas, rig_page(0), rig.buffer, PAGE, 0),
		 -EINVAL);
	check_eq(ioas_map(rig.fd, rig.ioas, rig_page(0), rig.buffer, PAGE,
			  IOAS_R), 0);
	check_eq(ioas_map(rig.fd, rig.ioas, rig_page(1), rig.buffer, PAGE,
			  IOAS_W), 0);
	check_eq(ioas_map(rig.fd, rig.ioas, rig_page(2), rig.buffer, PAGE,
			  IOAS_RW), 0);
}

RIG_TEST(map_of_impossible_ranges_is_refused)
{
	uint64_t iova;

	check_eq(rig_map(rig_page(0), rig.buffer, 0), -EINVAL);
	check_eq(rig_map(UINT64_MAX, rig.buffer, PAGE), -EOVERFLOW);
	check_eq(rig_map(rig_page(0), rig.buffer, UINT64_MAX), -EOVERFLOW);
	check_eq(rig_map(TOP_PAGE, rig.buffer, 2 * PAGE), -EOVERFLOW);
	check_eq(rig_map(rig_page(0), (void *)TOP_PAGE, 2 * PAGE), -EOVERFLOW);
	check_eq(rig_map_auto(rig.buffer, 0, &iova), -EINVAL);
	check_eq(rig_map_auto((void *)TOP_PAGE, 2 * PAGE, &iova), -EOVERFLOW);
	check_eq(ioas_map(rig.fd, 1000, 0, rig.buffer, PAGE, IOAS_RW), -ENOENT);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 0);
}

/* At the end of the address space, however little is left of the last page. */
RIG_TEST_WITH(0, map_that_would_wrap_in_whole_pages_is_refused)
{
	uint64_t iova;

	check_eq(rig_map(0, NULL, UINT64_MAX - 1), -EINVAL);
	check_eq(rig_map(0, NULL, UINT64_MAX - PAGE + 1), -EINVAL);
	check_eq(rig_map_auto(NULL, UINT64_MAX - 1, &iova), -EINVAL);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 0);
	check_eq(rig_map(0, NULL, UINT64_MAX - PAGE), 0);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), UINT64_MAX - PAGE);
}

/* The order in which errors are reported if several arguments are wrong. */
RIG_TEST_WITH(1, map_judges_its_arguments_in_order)
{
	uint8_t *wrapping = (uint8_t *)TOP_PAGE;
	uint64_t mapped = rig_page(0);

	map_pages(0, 1, PAGE);
	/* Overflow before access rights; access rights before the id. */
	check_eq(ioas_map(rig.fd, 1000, UINT64_MAX, wrapping, 2 * PAGE, 0),
		 -EOVERFLOW);
	check_eq(ioas_map(rig.fd, 1000, mapped, wrapping, 2 * PAGE, 0),
		 -EINVAL);
	check_eq(ioas_map(rig.fd, 1000, mapped, wrapping, 2 * PAGE, IOAS_RW),
		 -ENOENT);
	/* The wrap of the memory before the misaligned length. */
	check_eq(rig_map(mapped, wrapping, PAGE + 1), -EOVERFLOW);
	/* Length, iova, wrap, reserved, mapped. */
	check_eq(rig_map(mapped, rig.buffer, PAGE + 1), -EINVAL);
	check_eq(rig_map(mapped + 1, rig.buffer, PAGE), -EINVAL);
	check_eq(rig_map(TOP_PAGE + 1, rig.buffer, PAGE), -EINVAL);
	check_eq(rig_map(TOP_PAGE, rig.buffer, 2 * PAGE), -EOVERFLOW);
	check_eq(rig_map(mapped - PAGE, rig.buffer, 2 * PAGE), -EINVAL);
	check_eq(rig_map(mapped, rig.buffer, PAGE), -EEXIST);
	check_eq(rig_map(mapped, rig.buffer + 1, PAGE), -EEXIST);
}

RIG_TEST_WITH(1, map_must_fit_the_io_page)
{
	uint64_t iova;

	check_eq(rig_map(rig.base, rig.buffer, PAGE + 1), -EINVAL);
	check_eq(rig_map(rig.base, rig.buffer, MOCK_IO_PAGE / 2), -EINVAL);
	check_eq(rig_map(rig.base + 1, rig.buffer, PAGE), -EINVAL);
	check_eq(rig_map(rig.base, rig.buffer + 1, PAGE), -EINVAL);
	check_eq(rig_map(rig.base, rig.buffer + MOCK_IO_PAGE / 2, PAGE),
		 -EINVAL);
	check_eq(rig_map_auto(rig.buffer, PAGE + 1, &iova), -EINVAL);
	check_eq(rig_map_auto(rig.buffer + 1, PAGE, &iova), -EINVAL);
	/* IOVA and address may differ modulo the CPU's page. */
	check_eq(rig_map(rig.base + MOCK_IO_PAGE, rig.buffer, MOCK_IO_PAGE), 0);
	check_eq(rig_map(rig.base + PAGE, rig.buffer + MOCK_IO_PAGE, PAGE), 0);
	rig_check_map(rig.base + MOCK_IO_PAGE, rig.buffer, MOCK_IO_PAGE);
	rig_check_map(rig.base + PAGE, rig.buffer + MOCK_IO_PAGE, PAGE);
}

RIG_TEST_WITH(0, without_a_device_single_bytes_can_be_mapped)
{
	check_eq(rig_map(0, NO_MEMORY, 1), 0);
	check_eq(rig_map(1, NO_MEMORY + 3, 4097), 0);
	check_eq(rig_map(4098, NO_MEMORY + 1, 1), 0);
	check_eq(rig_map(4097, NO_MEMORY, 1), -EEXIST);
	check_eq(rig_unmap(4098, 1), 1);
	check_eq(rig_unmap(0, 4099), 4098);
}

RIG_TEST_WITH(0, memory_is_not_looked_at_without_a_device)
{
	uint64_t iova;

	check_eq(rig_map(0, NO_MEMORY, PAGE), 0);
	check_eq(rig_map(PAGE, NULL, PAGE), 0);
	check_eq(rig_map_auto(NO_MEMORY, 1ULL << 40, &iova), 0);
	check_eq(status_kib(0, "VmPin"), 0);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 2 * PAGE + (1ULL << 40));
}

RIG_TEST_WITH(0, mapping_can_end_where_the_numbers_end)
{
	check_eq(rig_map(TOP_PAGE, NO_MEMORY, PAGE), 0);
	check_eq(rig_map(TOP_PAGE - PAGE, NO_MEMORY, 2 * PAGE), -EEXIST);
	check_eq(rig_map(TOP_PAGE - PAGE, NO_MEMORY, PAGE), 0);
	check_eq(rig_unmap(TOP_PAGE + 1, PAGE - 1), -ENOENT);
	check_eq(rig_unmap(TOP_PAGE, PAGE), PAGE);
	check_eq(rig_unmap(TOP_PAGE, PAGE), -ENOENT);
	check_eq(rig_map(TOP_PAGE, NO_MEMORY, PAGE), 0);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 2 * PAGE);
}

/* --- an IOVA that the kernel chooses */

static bool is_aligned(uint64_t value, uint64_t to)
{
	return value % to == 0;
}

static uint64_t lowest_bit(uint64_t value)
{
	return value & -value;
}

RIG_TEST(chosen_iova_is_usable_and_free)
{
	uint64_t iova[10];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(iova); i++) {
		check_eq(rig_map_auto(rig.buffer, PAGE, &iova[i]), 0);
		check_true(iova[i] >= rig.base && iova[i]);
		check_true(is_aligned(iova[i], PAGE));
		rig_check_map(iova[i], rig.buffer, PAGE);
	}
	for (i = 0; i < ARRAY_SIZE(iova); i++)
		check_eq(rig_unmap(iova[i], PAGE), PAGE);
}

/* Maps 1 to 10 pages at a time within [first, last], then unmaps all. */
static void check_auto_within(uint64_t first, uint64_t last)
{
	uint64_t address = (uintptr_t)memory();
	uint64_t iova[10];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(iova); i++) {
		uint64_t nbytes = (i + 1) * PAGE;

		check_eq(rig_map_auto(memory(), nbytes, &iova[i]), 0);
		/* Aligned to the lowest bit that is set in length or address. */
		check_true(is_aligned(iova[i], lowest_bit(nbytes | address)));
		check_true(iova[i] >= first);
		check_true(iova[i] + nbytes - 1 <= last);
	}
	for (i = 0; i < ARRAY_SIZE(iova); i++)
		check_eq(rig_unmap(iova[i], (i + 1) * PAGE), (i + 1) * PAGE);
}

RIG_TEST(chosen_iova_is_aligned_as_the_length)
{
	check_auto_within(rig.nmocks ? rig.base : PAGE, UINT64_MAX);
}

/* The kernel chooses above the range reserved here, which is the lowest of the IOAS. */
RIG_TEST(chosen_iova_is_not_reserved)
{
	uint64_t first = rig_page(0);

	check_eq(add_reserved(rig.fd, rig.ioas, first, 104 * PAGE), 0);
	check_auto_within(rig_page(104), UINT64_MAX);
	check_eq(rig_map(rig_page(103), rig.buffer, PAGE), -EINVAL);
	check_eq(rig_map(rig_page(103), rig.buffer, 2 * PAGE), -EINVAL);
	check_eq(rig_map(rig_page(104), rig.buffer, PAGE), 0);
}

RIG_TEST(chosen_iova_is_allowed)
{
	struct iommu_iova_range allowed = {
		.start = rig_page(200),
		.last = rig_page(600) - 1,
	};

	check_eq(ioas_allow(rig.fd, rig.ioas, &allowed, 1), 0);
	check_auto_within(allowed.start, allowed.last);
	check_eq(ioas_allow(rig.fd, rig.ioas, NULL, 0), 0);
	check_auto_within(rig.base, allowed.start - 1);
}

/* Small sizes at differently aligned addresses: address, length, iova. */
RIG_TEST_WITH(0, chosen_iova_is_the_lowest_aligned_as_address_and_length)
{
	static const struct {
		uint64_t address;
		uint64_t nbytes;
		uint64_t iova;
	} cases[] = {
		{ 1ULL << 31, 1 * PAGE, 1 * PAGE },
		{ 1ULL << 31, 2 * PAGE, 2 * PAGE },
		{ 1ULL << 31, 3 * PAGE, 4 * PAGE },
		{ 1ULL << 31, 5 * PAGE, 8 * PAGE },
		{ (1ULL << 31) + PAGE, 8 * PAGE, 1 * PAGE },
		{ (1ULL << 31) + 2 * PAGE, 8 * PAGE, 2 * PAGE },
		{ (1ULL << 31) + 2 * PAGE, PAGE, 1 * PAGE },
		/* Lengths in bytes keep the offset in the page. */
		{ 1ULL << 31, 5000, 8192 },
		{ (1ULL << 31) + 1, 4096, 4097 },
		{ (1ULL << 31) + 0x800, 4096, 4096 + 0x800 },
		{ (1ULL << 31) + 0xfff, 1, 4096 + 0xfff },
	};
	uint64_t iova;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		context("case %u", i);
		check_eq(rig_map_auto((void *)cases[i].address,
				      cases[i].nbytes, &iova), 0);
		check_eq(iova, cases[i].iova);
		check_eq(rig_unmap(iova, cases[i].nbytes), cases[i].nbytes);
	}
}

RIG_TEST_WITH(0, chosen_iova_is_aligned_to_a_huge_page_at_most)
{
	char text[32];
	uint64_t huge;
	uint64_t iova;

	if (read_text(THP_SIZE, text, sizeof(text)))
		skip("no transparent huge pages");
	huge = strtoull(text, NULL, 10);
	check_eq(rig_map_auto(NO_MEMORY, 4 * huge, &iova), 0);
	check_eq(iova, huge);
	check_eq(rig_map_auto(NO_MEMORY, 5 * huge, &iova), 0);
	check_eq(iova, 5 * huge);
	check_eq(rig_map_auto(NO_MEMORY, huge, &iova), 0);
	check_eq(iova, 10 * huge);
}

RIG_TEST_WITH(1, chosen_iova_keeps_the_offset_in_the_page)
{
	uint8_t *half = rig.buffer + MOCK_IO_PAGE;
	uint64_t iova;

	check_eq(rig_map_auto(half, PAGE, &iova), 0);
	check_eq(iova % PAGE, MOCK_IO_PAGE);
	rig_check_map(iova, half, PAGE);
	check_eq(rig_unmap(iova, PAGE), PAGE);
}

RIG_TEST(no_iova_is_chosen_where_there_is_no_room)
{
	struct iommu_iova_range allowed = {
		.start = rig_page(200),
		.last = rig_page(204) - 1,
	};
	uint64_t iova;
	unsigned int i;

	check_eq(ioas_allow(rig.fd, rig.ioas, &allowed, 1), 0);
	check_eq(rig_map_auto(memory(), 5 * PAGE, &iova), -ENOSPC);
	for (i = 0; i < 4; i++) {
		check_eq(rig_map_auto(memory(), PAGE, &iova), 0);
		check_eq(iova, rig_page(200 + i));
	}
	check_eq(rig_map_auto(memory(), PAGE, &iova), -ENOSPC);
	check_eq(rig_unmap(rig_page(202), PAGE), PAGE);
	check_eq(rig_map_auto(memory(), 2 * PAGE, &iova), -ENOSPC);
	check_eq(rig_map_auto(memory(), PAGE, &iova), 0);
	check_eq(iova, rig_page(202));
}

RIG_TEST_WITH(0, no_iova_is_chosen_for_half_of_all_there_is)
{
	uint64_t iova;

	check_eq(rig_map_auto(NULL, UINT64_MAX / 2, &iova), -EOVERFLOW);
	check_eq(rig_map_auto(NULL, UINT64_MAX - PAGE, &iova), -EOVERFLOW);
	check_eq(rig_map_auto(NULL, UINT64_MAX, &iova), -EOVERFLOW);
}

/* --- ALLOW_IOVAS */

RIG_TEST(allowed_iova_cannot_be_reserved)
{
	struct iommu_iova_range allowed = {
		.start = rig.base,
		.last = rig_page(600),
	};

	check_eq(ioas_allow(rig.fd, rig.ioas, &allowed, 1), 0);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(4), 100 * PAGE),
		 -EADDRINUSE);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(600), 1),
		 -EADDRINUSE);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(600) + 1, 1), 0);
	check_eq(ioas_allow(rig.fd, rig.ioas, NULL, 0), 0);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(4), 100 * PAGE), 0);
	check_eq(ioas_allow(rig.fd, rig.ioas, &allowed, 1), -EADDRINUSE);
}

RIG_TEST(mapped_iova_cannot_be_reserved)
{
	map_pages(4, 1, 2 * PAGE);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(5), PAGE),
		 -EADDRINUSE);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(3), PAGE + 1),
		 -EADDRINUSE);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(6), PAGE), 0);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(6), PAGE), 0);
	check_eq(add_reserved(rig.fd, 1000, rig_page(8), PAGE), -ENOENT);
}

/* Which of the pages 0, 10 and 20 is allowed? The kernel's choice shows it. */
static void check_allowed_page(unsigned int page)
{
	uint64_t iova;

	check_eq(rig_map_auto(memory(), PAGE, &iova), 0);
	check_eq(iova, rig_page(page));
	check_eq(rig_unmap(iova, PAGE), PAGE);
}

RIG_TEST(list_of_allowed_iova_is_replaced_as_a_whole)
{
	struct iommu_iova_range one = {
		.start = rig_page(20),
		.last = rig_page(21) - 1,
	};
	struct iommu_iova_range two[] = {
		{ .start = rig_page(10), .last = rig_page(11) - 1 },
		{ .start = rig_page(8), .last = rig_page(9) - 1 },
	};

	check_eq(ioas_allow(rig.fd, rig.ioas, &one, 1), 0);
	check_allowed_page(20);
	/* The call fails: everything stays. */
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(8), PAGE), 0);
	check_eq(ioas_allow(rig.fd, rig.ioas, two, 2), -EADDRINUSE);
	check_allowed_page(20);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(20), PAGE),
		 -EADDRINUSE);
	two[1].last = two[1].start;
	check_eq(ioas_allow(rig.fd, rig.ioas, two, 2), -EINVAL);
	check_allowed_page(20);
	/* The call succeeds: nothing of the former list stays. */
	check_eq(ioas_allow(rig.fd, rig.ioas, two, 1), 0);
	check_allowed_page(10);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(20), PAGE), 0);
}

/* Returns the time of a process in the kernel in clock ticks. */
static unsigned long kernel_ticks(pid_t pid)
{
	unsigned long nticks = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	require_true(file);
	/* The 15th field; names here contain no blanks. */
	require_eq(fscanf(file, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu",
			  &nticks), 1);
	fclose(file);
	return nticks;
}

static struct {
	struct iommu_iova_range *ranges;
	uint32_t number;
	struct gate begins;
	pid_t child;
	unsigned long nticks;
} many;

static void allow_many(void *unused)
{
	(void)unused;
	gate_open(&many.begins);
	ioas_allow(rig.fd, rig.ioas, many.ranges, many.number);
}

/* Busy for so long that it is past the copy, but far from the end. */
static bool is_at_work(void *unused)
{
	(void)unused;
	return kernel_ticks(many.child) >= many.nticks + 10;
}

RIG_TEST_WITH(0, process_killed_while_it_allows_many_ranges_leaves_the_former_list)
{
	struct iommu_iova_range former = {
		.start = rig_page(20),
		.last = rig_page(21) - 1,
	};
	uint32_t i;
	int status;

	not_on_peer("it goes on to the end");
	check_eq(ioas_allow(rig.fd, rig.ioas, &former, 1), 0);
	many.number = scaled(1U << 20, 1U << 18);
	many.ranges = malloc(many.number * sizeof(*many.ranges));
	require_true(many.ranges);
	for (i = 0; i < many.number; i++)
		many.ranges[i] = (struct iommu_iova_range){ rig_page(10 + 2 * i),
							    rig_page(11 + 2 * i) - 1 };
	gate_make(&many.begins);
	many.child = spawn(allow_many, NULL);
	gate_wait(&many.begins);
	many.nticks = kernel_ticks(many.child);
	check_true(wait_until(is_at_work, NULL, EVENT_SECONDS));
	require_eq(or_errno(kill(many.child, SIGKILL)), 0);
	require_eq(or_errno(waitpid(many.child, &status, 0)), many.child);
	check_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	check_allowed_page(20);
	free(many.ranges);
}

RIG_TEST(impossible_allowed_ranges_are_refused)
{
	uint64_t base = rig_page(16);
	struct iommu_iova_range cases[][2] = {
		/* one byte, nothing, backwards */
		{ { base, base + PAGE - 1 }, { base + PAGE, base + PAGE } },
		{ { base, base + PAGE - 1 }, { base + PAGE, base + PAGE - 1 } },
		{ { base, base + PAGE - 1 }, { base + 2 * PAGE, base + PAGE } },
		/* overlaps of a byte at either end, inside, around, equal */
		{ { base, base + PAGE }, { base + PAGE, base + 2 * PAGE } },
		{ { base + PAGE, base + 2 * PAGE }, { base, base + PAGE } },
		{ { base, base + 9 * PAGE }, { base + PAGE, base + 2 * PAGE } },
		{ { base + PAGE, base + 2 * PAGE }, { base, base + 9 * PAGE } },
		{ { base, base + PAGE }, { base, base + PAGE } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		context("case %u", i);
		check_eq(ioas_allow(rig.fd, rig.ioas, cases[i], 2), -EINVAL);
	}
	check_eq(ioas_allow(rig.fd, rig.ioas, NULL, 1), -EFAULT);
	check_eq(ioas_allow(rig.fd, 1000, cases[0], 1), -ENOENT);
	/* None of these ranges is in place. */
	check_eq(add_reserved(rig.fd, rig.ioas, base, 16 * PAGE), 0);
}

RIG_TEST(wrong_range_counts_before_one_that_cannot_be_read)
{
	uint8_t *memory = mem_alloc(2 * PAGE);
	struct iommu_iova_range *last = (void *)(memory + PAGE);

	last--;
	require_eq(or_errno(mprotect(memory + PAGE, PAGE, PROT_NONE)), 0);
	*last = (struct iommu_iova_range){ rig_page(2), rig_page(1) };
	check_eq(ioas_allow(rig.fd, rig.ioas, last, 2), -EINVAL);
	*last = (struct iommu_iova_range){ rig_page(1), rig_page(2) };
	check_eq(ioas_allow(rig.fd, rig.ioas, last, 2), -EFAULT);
	/* An entry that is read only in part does not count. */
	memset(last, 0, sizeof(*last));
	check_eq(ioas_allow(rig.fd, rig.ioas, (void *)((uint8_t *)last + 8), 1), -EFAULT);
	mem_free(memory, 2 * PAGE);
}

RIG_TEST(allowed_ranges_may_touch_and_come_in_any_order)
{
	struct iommu_iova_range ranges[] = {
		{ .start = rig_page(20) + 5, .last = rig_page(20) + 6 },
		{ .start = rig_page(4), .last = rig_page(5) },
		{ .start = rig_page(3), .last = rig_page(4) - 1 },
	};

	check_eq(ioas_allow(rig.fd, rig.ioas, ranges, ARRAY_SIZE(ranges)), 0);
	check_allowed_page(3);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(20) + 6, 1),
		 -EADDRINUSE);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(20) + 7, 1), 0);
}

RIG_TEST(allowed_ranges_do_not_limit_fixed_maps)
{
	struct iommu_iova_range allowed = {
		.start = rig_page(20),
		.last = rig_page(30) - 1,
	};

	map_pages(2, 1, PAGE);
	check_eq(ioas_allow(rig.fd, rig.ioas, &allowed, 1), 0);
	check_eq(rig_unmap(rig_page(2), PAGE), PAGE);
	map_pages(18, 4, PAGE);
	map_pages(29, 1, 2 * PAGE);
}

/* --- IOVA_RANGES */

#define UNTOUCHED	0x5a5a5a5a5a5a5a5aULL

static int get_ranges(uint32_t room, struct ranges *ranges)
{
	memset(ranges, 0x5a, sizeof(*ranges));
	return ioas_ranges(rig.fd, rig.ioas, room, ranges);
}

static void check_range(const struct iommu_iova_range *range, uint64_t start,
			uint64_t last)
{
	check_eq(range->start, start);
	check_eq(range->last, last);
}

RIG_TEST(usable_iova_is_what_the_tables_can_map)
{
	uint64_t last = rig.nmocks ? MOCK_APERTURE_LAST : UINT64_MAX;
	struct ranges ranges;

	check_eq(get_ranges(MAX_RANGES, &ranges), 0);
	check_eq(ranges.number, 1);
	check_eq(ranges.alignment, rig.nmocks ? MOCK_IO_PAGE : 1);
	check_range(&ranges.range[0], rig.base, last);
	check_range(&ranges.range[1], UNTOUCHED, UNTOUCHED);
	/* Mappings and allowed ranges have no influence. */
	map_pages(0, 1, PAGE);
	check_eq(ioas_allow(rig.fd, rig.ioas, &ranges.range[0], 1), 0);
	check_eq(get_ranges(MAX_RANGES, &ranges), 0);
	check_eq(ranges.number, 1);
	check_range(&ranges.range[0], rig.base, last);
}

RIG_TEST(number_of_usable_ranges_can_be_asked_for)
{
	struct ranges ranges;

	check_eq(get_ranges(0, &ranges), -EMSGSIZE);
	check_eq(ranges.number, 1);
	check_eq(ranges.alignment, rig.nmocks ? MOCK_IO_PAGE : 1);
	check_range(&ranges.range[0], UNTOUCHED, UNTOUCHED);
}

RIG_TEST(reserved_iova_is_not_usable)
{
	uint64_t last = rig.nmocks ? MOCK_APERTURE_LAST : UINT64_MAX;
	struct ranges ranges;

	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(1), PAGE), 0);
	check_eq(get_ranges(1, &ranges), -EMSGSIZE);
	check_eq(ranges.number, 2);
	check_range(&ranges.range[0], rig_page(0), rig_page(1) - 1);
	check_range(&ranges.range[1], UNTOUCHED, UNTOUCHED);
	check_eq(get_ranges(2, &ranges), 0);
	check_eq(ranges.number, 2);
	check_range(&ranges.range[1], rig_page(2), last);
	/* Reserved ranges that touch or overlap count as one. */
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(2), PAGE), 0);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(1), 3 * PAGE), 0);
	check_eq(get_ranges(MAX_RANGES, &ranges), 0);
	check_eq(ranges.number, 2);
	check_range(&ranges.range[1], rig_page(4), last);
}

RIG_TEST(everything_can_be_reserved)
{
	struct ranges ranges;
	uint64_t iova;

	check_eq(add_reserved(rig.fd, rig.ioas, 0, 1ULL << 63), 0);
	check_eq(add_reserved(rig.fd, rig.ioas, 1ULL << 63, 1ULL << 63), 0);
	check_eq(get_ranges(MAX_RANGES, &ranges), 0);
	check_eq(ranges.number, 0);
	check_eq(get_ranges(0, &ranges), 0);
	check_eq(rig_map_auto(memory(), PAGE, &iova), -ENOSPC);
	check_eq(rig_map(rig_page(0), rig.buffer, PAGE), -EINVAL);
}

RIG_TEST(ranges_that_cannot_be_told_are_an_error)
{
	struct iommu_ioas_iova_ranges command = {
		.size = sizeof(command),
		.ioas_id = rig.ioas,
		.num_iovas = 7,
		.out_iova_alignment = UNTOUCHED,
	};

	check_eq(native_call(rig.fd, IOMMU_IOAS_IOVA_RANGES, &command),
		 -EFAULT);
	check_eq(command.num_iovas, 7);
	check_eq(command.out_iova_alignment, UNTOUCHED);
	command.ioas_id = 1000;
	check_eq(native_call(rig.fd, IOMMU_IOAS_IOVA_RANGES, &command),
		 -ENOENT);
}

/* --- HUGE_PAGES */

static int set_huge(uint64_t value)
{
	return option_set(rig.fd, IOMMU_OPTION_HUGE_PAGES, rig.ioas, value);
}

static long long get_huge(void)
{
	return option_get(rig.fd, IOMMU_OPTION_HUGE_PAGES, rig.ioas);
}

RIG_TEST(huge_pages_can_be_switched)
{
	check_eq(get_huge(), 1);
	check_eq(set_huge(0), 0);
	check_eq(get_huge(), 0);
	check_eq(set_huge(2), -EINVAL);
	check_eq(set_huge(UINT64_MAX), -EINVAL);
	check_eq(get_huge(), 0);
	check_eq(set_huge(0), 0);
	check_eq(set_huge(1), 0);
	check_eq(get_huge(), 1);
	check_eq(set_huge(1), 0);
}

RIG_TEST(without_huge_pages_maps_are_whole_pages)
{
	check_eq(set_huge(0), 0);
	check_eq(ioas_alignment(rig.fd, rig.ioas), PAGE);
	check_eq(rig_map(rig.base + MOCK_IO_PAGE, rig.buffer, PAGE), -EINVAL);
	check_eq(rig_map(rig.base, rig.buffer, MOCK_IO_PAGE), -EINVAL);
	check_eq(rig_map(rig.base, rig.buffer + MOCK_IO_PAGE, PAGE), -EINVAL);
	check_eq(rig_map(rig.base, rig.buffer, BUFFER_BYTES), 0);
	rig_check_map(rig.base, rig.buffer, BUFFER_BYTES);
	check_eq(rig_unmap(rig_page(1), PAGE), -ENOENT);
	check_eq(rig_unmap(rig.base, BUFFER_BYTES), BUFFER_BYTES);
	check_eq(set_huge(1), 0);
	check_eq(ioas_alignment(rig.fd, rig.ioas),
		 rig.nmocks ? MOCK_IO_PAGE : 1);
	check_eq(rig_map(rig.base, rig.buffer, MOCK_IO_PAGE), 0);
}

RIG_TEST(huge_pages_stay_while_a_device_has_mappings)
{
	map_pages(0, 2, PAGE);
	check_eq(set_huge(0), rig.nmocks ? -EINVAL : 0);
	check_eq(get_huge(), rig.nmocks ? 1 : 0);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 2 * PAGE);
	check_eq(set_huge(0), 0);
	map_pages(0, 2, PAGE);
	check_eq(set_huge(0), 0);
	check_eq(set_huge(1), 0);
	rig_check_map(rig.base, rig.buffer, PAGE);
}

/* iova, address and length of a map that keeps huge pages from being switched off. */
RIG_TEST_WITH(0, huge_pages_stay_while_a_mapping_is_not_whole_pages)
{
	static const uint64_t cases[][3] = {
		{ 0x800, 1ULL << 31, PAGE },
		{ 0, (1ULL << 31) + 0x800, PAGE },
		{ 0, 1ULL << 31, 0x800 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		context("case %u", i);
		check_eq(rig_map(cases[i][0], (void *)cases[i][1], cases[i][2]),
			 0);
		check_eq(set_huge(0), -EADDRINUSE);
		check_eq(get_huge(), 1);
		check_eq(ioas_alignment(rig.fd, rig.ioas), 1);
		check_eq(ioas_unmap_all(rig.fd, rig.ioas), cases[i][2]);
	}
	check_eq(set_huge(0), 0);
}

static const struct test tests[] = {
	RIG_ROWS(ioas_with_a_device_stays, 0),
	RIG_ROWS(mappings_do_not_hold_an_ioas, 0),
	RIG_ROWS(close_unmaps, 0),
	RIG_ROWS(mapped_pages_are_unmapped_one_by_one, 0),
	RIG_ROWS(unmap_of_half_a_mapping_is_refused, 0),
	RIG_ROWS(map_on_a_mapping_is_refused, 0),
	RIG_ROWS(unmap_takes_all_mappings_within_and_leaves_gaps_out, 0),
	RIG_ROWS(unmap_that_meets_a_half_mapping_keeps_what_it_did, 0),
	RIG_ROWS(unmap_that_begins_in_a_mapping_takes_nothing, 0),
	RIG_ROWS(unmap_of_everything_may_find_nothing, 0),
	RIG_ROWS(unmap_of_impossible_ranges_is_refused, 0),
	RIG_ROWS(map_needs_an_access_right, 0),
	RIG_ROWS(map_of_impossible_ranges_is_refused, 0),
	TEST(map_that_would_wrap_in_whole_pages_is_refused, 0),
	TEST(map_judges_its_arguments_in_order, 0),
	TEST(map_must_fit_the_io_page, 0),
	TEST(without_a_device_single_bytes_can_be_mapped, 0),
	TEST(memory_is_not_looked_at_without_a_device, 0),
	TEST(mapping_can_end_where_the_numbers_end, 0),
	RIG_ROWS(chosen_iova_is_usable_and_free, 0),
	RIG_ROWS(chosen_iova_is_aligned_as_the_length, 0),
	RIG_ROWS(chosen_iova_is_not_reserved, 0),
	RIG_ROWS(chosen_iova_is_allowed, 0),
	TEST(chosen_iova_is_the_lowest_aligned_as_address_and_length, 0),
	TEST(chosen_iova_is_aligned_to_a_huge_page_at_most, 0),
	TEST(chosen_iova_keeps_the_offset_in_the_page, 0),
	RIG_ROWS(no_iova_is_chosen_where_there_is_no_room, 0),
	TEST(no_iova_is_chosen_for_half_of_all_there_is, 0),
	RIG_ROWS(allowed_iova_cannot_be_reserved, 0),
	RIG_ROWS(mapped_iova_cannot_be_reserved, 0),
	RIG_ROWS(list_of_allowed_iova_is_replaced_as_a_whole, 0),
	TEST(process_killed_while_it_allows_many_ranges_leaves_the_former_list, 0),
	RIG_ROWS(impossible_allowed_ranges_are_refused, 0),
	RIG_ROWS(wrong_range_counts_before_one_that_cannot_be_read, 0),
	RIG_ROWS(allowed_ranges_may_touch_and_come_in_any_order, 0),
	RIG_ROWS(allowed_ranges_do_not_limit_fixed_maps, 0),
	RIG_ROWS(usable_iova_is_what_the_tables_can_map, 0),
	RIG_ROWS(number_of_usable_ranges_can_be_asked_for, 0),
	RIG_ROWS(reserved_iova_is_not_usable, 0),
	RIG_ROWS(everything_can_be_reserved, 0),
	RIG_ROWS(ranges_that_cannot_be_told_are_an_error, 0),
	RIG_ROWS(huge_pages_can_be_switched, 0),
	RIG_ROWS(without_huge_pages_maps_are_whole_pages, 0),
	RIG_ROWS(huge_pages_stay_while_a_device_has_mappings, 0),
	TEST(huge_pages_stay_while_a_mapping_is_not_whole_pages, 0),
};

int main(int argc, char **argv)
{
	after_each_test = restore_temp_limit;
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
