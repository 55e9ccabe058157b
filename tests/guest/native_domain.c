// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_domain.c - mappings and pins of HWPTs: MAP with mock devices, attaching and detaching
 * them, HWPT_ALLOC
 */
#define _GNU_SOURCE
#include "lib_native.h"

#define HALF		MOCK_IO_PAGE
#define NO_ID		1000U

/* --- memory that is not there */

RIG_TEST(map_of_memory_that_is_not_there_is_refused)
{
	uint8_t *memory = mem_alloc_shared(8 * PAGE);

	mem_free(memory + 4 * PAGE, 4 * PAGE);
	check_eq(rig_map(rig_page(0), memory, 8 * PAGE),
		 rig.nmocks ? -EFAULT : 0);
	check_eq(rig_map(rig_page(8), memory + 4 * PAGE, 4 * PAGE),
		 rig.nmocks ? -EFAULT : 0);
	check_eq(check_refs(rig.fd, memory, 4 * PAGE, 0), 0);
	if (rig.nmocks) {
		/* The failed map has left nothing in the way. */
		check_eq(ioas_unmap_all(rig.fd, rig.ioas), 0);
		check_eq(rig_map(rig_page(0), memory, 4 * PAGE), 0);
		rig_check_map(rig_page(0), memory, 4 * PAGE);
		check_eq(rig_unmap(rig_page(0), 4 * PAGE), 4 * PAGE);
	}
	mem_free(memory, 4 * PAGE);
}

RIG_TEST(map_of_memory_that_may_not_be_written_is_read_only)
{
	uint8_t *memory = mem_alloc(2 * PAGE);

	require_eq(or_errno(mprotect(memory, 2 * PAGE, PROT_READ)), 0);
	check_eq(rig_map(rig_page(0), memory, PAGE), rig.nmocks ? -EFAULT : 0);
	check_eq(ioas_map(rig.fd, rig.ioas, rig_page(4), memory, 2 * PAGE,
			  IOAS_R), 0);
	rig_check_map(rig_page(4), memory, 2 * PAGE);
	check_true(ioas_unmap_all(rig.fd, rig.ioas) >= 0);
	mem_free(memory, 2 * PAGE);
}

/*
 * After a fork the map gets a copy of a shared page for the process, so the device sees later
 * writes of the process.
 */
RIG_TEST_WITH(1, read_only_map_shows_what_is_written_later)
{
	uint8_t *memory = mem_alloc(PAGE);
	struct gate done;
	pid_t child;

	gate_make(&done);
	memory[0] = 1;
	child = spawn((void (*)(void *))gate_wait, &done);
	check_eq(ioas_map(rig.fd, rig.ioas, rig_page(0), memory, PAGE, IOAS_R),
		 0);
	memory[0] = 2;
	rig_check_map(rig_page(0), memory, PAGE);
	gate_open(&done);
	join(child);
	rig_check_map(rig_page(0), memory, PAGE);
	check_eq(rig_unmap(rig_page(0), PAGE), PAGE);
	mem_free(memory, PAGE);
}

/* --- every part of a buffer */

enum { WITHOUT, WITH_ANOTHER_TABLE };

/* Checks the number of pins of each page that lies within [start, end) as a whole. */
static void check_whole_pages(const uint8_t *buffer, uint64_t start,
			      uint64_t end, uint32_t refs)
{
	uint64_t first = (start + PAGE - 1) / PAGE * PAGE;
	uint64_t last_end = end / PAGE * PAGE;

	if (first < last_end)
		check_eq(check_refs(rig.fd, buffer + first, last_end - first,
				    refs), 0);
}

static void check_part(uint8_t *buffer, uint64_t start, uint64_t end, int how)
{
	uint64_t nbytes = end - start;
	struct mock mock;
	uint64_t iova;

	context("bytes 0x%llx to 0x%llx", (unsigned long long)start,
		(unsigned long long)end);
	require_eq(rig_map_auto(buffer + start, nbytes, &iova), 0);
	rig_check_map(iova, buffer + start, nbytes);
	check_whole_pages(buffer, start, end, 1);
	if (how == WITH_ANOTHER_TABLE) {
		rig_add_mock(&mock);
		check_eq(mock_check_map(rig.fd, mock.hwpt, iova,
					buffer + start, nbytes), 0);
		check_whole_pages(buffer, start, end, 1);
		check_eq(object_destroy(rig.fd, mock.device), 0);
		check_eq(object_destroy(rig.fd, mock.hwpt), 0);
		check_whole_pages(buffer, start, end, 1);
		rig_check_map(iova, buffer + start, nbytes);
	}
	check_eq(rig_unmap(iova, nbytes), nbytes);
}

static void check_all_parts(uint8_t *buffer, uint64_t nbytes, uint64_t step,
			    int how)
{
	uint64_t start, end;

	for (start = 0; start < nbytes; start += step)
		for (end = start + step; end <= nbytes; end += step)
			check_part(buffer, start, end, how);
	context("%s", "");
	check_eq(check_refs(rig.fd, buffer, nbytes, 0), 0);
}

DEVICE_TEST(every_part_of_a_buffer_is_shown_and_pinned_once)
{
	check_all_parts(rig.buffer, 8 * PAGE, HALF, WITHOUT);
}

DEVICE_TEST(every_part_of_a_buffer_is_shown_by_another_table_too)
{
	check_all_parts(rig.buffer, scaled(4, 2) * PAGE, HALF,
			WITH_ANOTHER_TABLE);
}

static void check_huge(int how)
{
	uint64_t nbytes = 2 * HUGE_BYTES;
	uint8_t *memory = mem_alloc_hugetlb(nbytes);

	if (!memory)
		skip("no huge pages");
	check_all_parts(memory, nbytes, nbytes / 8, how);
	mem_free(memory, nbytes);
}

DEVICE_TEST(every_part_of_huge_pages_is_shown)
{
	check_huge(WITHOUT);
}

DEVICE_TEST(every_part_of_huge_pages_is_shown_by_another_table_too)
{
	check_huge(WITH_ANOTHER_TABLE);
}

RIG_TEST(memory_can_be_mapped_many_times)
{
	unsigned int i;

	for (i = 0; i < 10; i++)
		check_eq(rig_map(rig_page(i * BUFFER_PAGES), rig.buffer,
				 BUFFER_BYTES), 0);
	for (i = 0; i < 10; i++)
		rig_check_map(rig_page(i * BUFFER_PAGES), rig.buffer,
			      BUFFER_BYTES);
	rig_check_refs(rig.nmocks ? 10 : 0);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 10 * BUFFER_BYTES);
	rig_check_refs(0);
}

RIG_TEST(map_without_huge_pages_shows_and_pins_the_same)
{
	check_eq(option_set(rig.fd, IOMMU_OPTION_HUGE_PAGES, rig.ioas, 0), 0);
	check_eq(rig_map(rig_page(3), rig.buffer, BUFFER_BYTES), 0);
	rig_check_map(rig_page(3), rig.buffer, BUFFER_BYTES);
	rig_check_refs(rig.nmocks ? 1 : 0);
	check_eq(rig_unmap(rig_page(3), BUFFER_BYTES), BUFFER_BYTES);
	rig_check_refs(0);
}

/* --- attaching and detaching */

RIG_TEST(first_table_pins_and_last_unpins)
{
	struct mock mock;

	check_eq(rig_map(MOCK_APERTURE_START, rig.buffer, BUFFER_BYTES), 0);
	rig_check_refs(rig.nmocks ? 1 : 0);
	check_eq(mock_attach(rig.fd, rig.ioas, &mock), 0);
	check_eq(mock_check_map(rig.fd, mock.hwpt, MOCK_APERTURE_START,
				rig.buffer, BUFFER_BYTES), 0);
	rig_check_refs(1);
	check_eq(object_destroy(rig.fd, mock.device), 0);
	rig_check_refs(rig.nmocks ? 1 : 0);
	rig_check_map(MOCK_APERTURE_START, rig.buffer, BUFFER_BYTES);
}

/* In either order, so the automatic HWPT can go first, too. */
RIG_TEST_WITH(2, tables_can_go_in_any_order)
{
	unsigned int first, second;

	for (first = 0; first < 2; first++) {
		struct mock again;

		second = !first;
		context("table %u first", first);
		check_eq(rig_map(rig_page(0), rig.buffer, BUFFER_BYTES), 0);
		check_eq(object_destroy(rig.fd, rig.mock[first].device), 0);
		if (first)
			check_eq(object_destroy(rig.fd, rig.mock[first].hwpt),
				 0);
		rig_check_refs(1);
		check_eq(mock_check_map(rig.fd, rig.mock[second].hwpt,
					rig_page(0), rig.buffer, BUFFER_BYTES),
			 0);
		check_eq(rig_unmap(rig_page(0), BUFFER_BYTES), BUFFER_BYTES);
		rig_check_refs(0);
		require_eq(mock_attach(rig.fd, rig.ioas, &again), 0);
		rig.mock[first] = again;
	}
}

RIG_TEST_WITH(0, detached_devices_free_all_iova)
{
	struct mock mock[3];
	struct ranges ranges;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mock); i++)
		require_eq(mock_attach(rig.fd, rig.ioas, &mock[i]), 0);
	check_eq(ioas_alignment(rig.fd, rig.ioas), MOCK_IO_PAGE);
	check_eq(object_destroy(rig.fd, mock[1].device), 0);
	check_eq(object_destroy(rig.fd, mock[0].device), 0);
	check_eq(object_destroy(rig.fd, mock[2].device), 0);
	check_eq(ioas_ranges(rig.fd, rig.ioas, MAX_RANGES, &ranges), 0);
	check_eq(ranges.number, 1);
	check_eq(ranges.alignment, 1);
	check_eq(ranges.range[0].start, 0);
	check_eq(ranges.range[0].last, UINT64_MAX);
	check_eq(object_destroy(rig.fd, rig.ioas), 0);
}

RIG_TEST_WITH(1, automatic_table_serves_all_devices_and_goes_with_the_last)
{
	struct mock second;

	require_eq(mock_attach(rig.fd, rig.ioas, &second), 0);
	check_eq(second.hwpt, rig.mock[0].hwpt);
	check_true(second.device != rig.mock[0].device);
	check_eq(object_destroy(rig.fd, second.hwpt), -EBUSY);
	check_eq(object_destroy(rig.fd, rig.mock[0].device), 0);
	check_eq(mock_check_map(rig.fd, second.hwpt, rig_page(0), rig.buffer,
				PAGE), -EINVAL);
	check_eq(object_destroy(rig.fd, second.hwpt), -EBUSY);
	check_eq(object_destroy(rig.fd, rig.ioas), -EBUSY);
	check_eq(object_destroy(rig.fd, second.device), 0);
	check_eq(object_destroy(rig.fd, second.hwpt), -ENOENT);
	check_eq(object_destroy(rig.fd, rig.ioas), 0);
}

RIG_TEST_WITH(1, what_a_driver_uses_cannot_be_destroyed)
{
	check_eq(object_destroy(rig.fd, rig.mock[0].iommu_device), -EBUSY);
	check_eq(object_destroy(rig.fd, rig.mock[0].hwpt), -EBUSY);
	check_eq(object_destroy(rig.fd, rig.ioas), -EBUSY);
	check_eq(object_destroy(rig.fd, rig.mock[0].device), 0);
	check_eq(object_destroy(rig.fd, rig.mock[0].iommu_device), -ENOENT);
	check_eq(object_destroy(rig.fd, rig.ioas), 0);
}

/* An id of another kind of object counts as unknown. */
RIG_TEST_WITH(1, ids_of_the_wrong_kind_do_not_exist)
{
	uint32_t ids[] = { rig.mock[0].device, rig.mock[0].hwpt,
			   rig.mock[0].iommu_device };
	struct ranges ranges;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		struct iova_of wrong = { ids[i], 0 };
		struct iova_of right = { rig.ioas, rig_page(0) };
		int fd = rig.fd;

		context("kind %u", i);
		check_eq(ioas_map(fd, ids[i], 0, rig.buffer, PAGE, IOAS_RW),
			 -ENOENT);
		check_eq(ioas_unmap_all(fd, ids[i]), -ENOENT);
		check_eq(ioas_ranges(fd, ids[i], 0, &ranges), -ENOENT);
		check_eq(ioas_allow(fd, ids[i], NULL, 0), -ENOENT);
		check_eq(vfio_ioas_set(fd, ids[i]), -ENOENT);
		check_eq(option_get(fd, IOMMU_OPTION_HUGE_PAGES, ids[i]),
			 -ENOENT);
		check_eq(ioas_copy(fd, right, wrong, PAGE, IOAS_RW), -ENOENT);
		check_eq(rig_map(rig_page(0), rig.buffer, PAGE), 0);
		check_eq(ioas_copy(fd, wrong, right, PAGE, IOAS_RW), -ENOENT);
		check_eq(rig_unmap(rig_page(0), PAGE), PAGE);
	}
}

RIG_TEST_WITH(0, device_is_refused_where_something_is_mapped_out_of_its_reach)
{
	static const uint64_t iovas[] = {
		0, MOCK_APERTURE_START - PAGE, MOCK_APERTURE_LAST + 1,
		MOCK_APERTURE_LAST + 1 - HALF, UINT64_MAX - PAGE + 1,
	};
	struct ranges ranges;
	struct mock mock;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(iovas); i++) {
		context("iova 0x%llx", (unsigned long long)iovas[i]);
		check_eq(rig_map(iovas[i], rig.buffer, PAGE), 0);
		check_eq(mock_attach(rig.fd, rig.ioas, &mock), -EADDRINUSE);
		rig_check_refs(0);
		check_eq(ioas_ranges(rig.fd, rig.ioas, MAX_RANGES, &ranges), 0);
		check_eq(ranges.number, 1);
		check_eq(ranges.alignment, 1);
		check_eq(ranges.range[0].start, 0);
		check_eq(rig_unmap(iovas[i], PAGE), PAGE);
	}
	check_eq(mock_attach(rig.fd, rig.ioas, &mock), 0);
}

RIG_TEST_WITH(0, device_is_refused_where_allowed_iova_is_out_of_its_reach)
{
	struct iommu_iova_range allowed = {
		.start = MOCK_APERTURE_START - 1,
		.last = MOCK_APERTURE_LAST,
	};
	struct mock mock;

	check_eq(ioas_allow(rig.fd, rig.ioas, &allowed, 1), 0);
	check_eq(mock_attach(rig.fd, rig.ioas, &mock), -EADDRINUSE);
	allowed.start++;
	check_eq(ioas_allow(rig.fd, rig.ioas, &allowed, 1), 0);
	check_eq(mock_attach(rig.fd, rig.ioas, &mock), 0);
	allowed.last++;
	check_eq(ioas_allow(rig.fd, rig.ioas, &allowed, 1), -EADDRINUSE);
}

/* The alignment rises from 1 to the I/O page: iova, offset, length. */
RIG_TEST_WITH(0, device_is_refused_where_mappings_do_not_fit_its_pages)
{
	static const struct {
		uint64_t iova;
		uint64_t offset;
		uint64_t nbytes;
		int result;
	} cases[] = {
		{ 0x400, 0, HALF, -EADDRINUSE },
		{ 0, 0x400, HALF, -EADDRINUSE },
		{ 0, 0x400, HALF / 2, -EADDRINUSE },
		{ 0, 0, 0x400, -EADDRINUSE },
		{ 0, 0, HALF + 1, -EADDRINUSE },
		{ 1, 1, HALF, -EADDRINUSE },
		{ 0, HALF, PAGE, 0 },
		{ HALF, 0, HALF, 0 },
	};
	struct mock mock;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		context("case %u", i);
		check_eq(rig_map(MOCK_APERTURE_START + cases[i].iova,
				 rig.buffer + cases[i].offset,
				 cases[i].nbytes), 0);
		check_eq(mock_attach(rig.fd, rig.ioas, &mock),
			 cases[i].result);
		if (cases[i].result == 0)
			check_eq(object_destroy(rig.fd, mock.device), 0);
		check_eq(ioas_alignment(rig.fd, rig.ioas), 1);
		rig_check_refs(0);
		check_eq(ioas_unmap_all(rig.fd, rig.ioas), cases[i].nbytes);
	}
}

/* Filling the HWPT meets a hole in the memory. The part that was filled is emptied again. */
RIG_TEST_WITH(0, device_is_refused_where_memory_is_missing)
{
	uint8_t *memory = mem_alloc_shared(4 * PAGE);
	uint64_t iova = MOCK_APERTURE_START;
	struct mock mock;

	check_eq(rig_map(iova, rig.buffer, BUFFER_BYTES), 0);
	check_eq(rig_map(iova + BUFFER_BYTES, memory, 4 * PAGE), 0);
	mem_free(memory + 2 * PAGE, 2 * PAGE);
	check_eq(mock_attach(rig.fd, rig.ioas, &mock), -EFAULT);
	rig_check_refs(0);
	check_eq(check_refs(rig.fd, memory, 2 * PAGE, 0), 0);
	check_eq(ioas_alignment(rig.fd, rig.ioas), 1);
	check_eq(rig_unmap(iova + BUFFER_BYTES, 4 * PAGE), 4 * PAGE);
	check_eq(mock_attach(rig.fd, rig.ioas, &mock), 0);
	check_eq(mock_check_map(rig.fd, mock.hwpt, iova, rig.buffer,
				BUFFER_BYTES), 0);
	mem_free(memory, 2 * PAGE);
}

RIG_TEST_WITH(0, attach_to_an_object_that_is_no_hwpt_is_refused)
{
	struct mock mock;
	struct mock second;

	check_eq(mock_attach(rig.fd, 0, &mock), -ENOENT);
	check_eq(mock_attach(rig.fd, NO_ID, &mock), -ENOENT);
	require_eq(mock_attach(rig.fd, rig.ioas, &mock), 0);
	check_eq(mock_attach(rig.fd, mock.device, &second), -EINVAL);
	check_eq(mock_attach(rig.fd, mock.iommu_device, &second), -EINVAL);
}

/* --- memory of another process */

RIG_TEST(memory_of_a_process_that_is_gone_stays_if_pinned)
{
	uint64_t iova = MOCK_APERTURE_START;
	struct mock mock;

	child_maps_and_exits(iova);
	rig_check_refs(rig.nmocks ? 1 : 0);
	rig_check_map(iova, rig.buffer, BUFFER_BYTES);
	check_eq(mock_attach(rig.fd, rig.ioas, &mock),
		 rig.nmocks ? 0 : -EFAULT);
	if (rig.nmocks)
		check_eq(mock_check_map(rig.fd, mock.hwpt, iova, rig.buffer,
					BUFFER_BYTES), 0);
	rig_check_refs(rig.nmocks ? 1 : 0);
	check_eq(rig_unmap(iova, BUFFER_BYTES), BUFFER_BYTES);
	rig_check_refs(0);
}

RIG_TEST(memory_of_another_process_can_be_pinned)
{
	uint64_t iova = MOCK_APERTURE_START;
	struct child_map map;
	struct mock mock;

	child_maps(&map, iova);
	check_eq(mock_attach(rig.fd, rig.ioas, &mock), 0);
	check_eq(mock_check_map(rig.fd, mock.hwpt, iova, rig.buffer,
				BUFFER_BYTES), 0);
	rig_check_refs(1);
	child_may_exit(&map);
	check_eq(mock_check_map(rig.fd, mock.hwpt, iova, rig.buffer,
				BUFFER_BYTES), 0);
	check_eq(rig_unmap(iova, BUFFER_BYTES), BUFFER_BYTES);
	rig_check_refs(0);
}

/* --- HWPT_ALLOC */

RIG_TEST_WITH(1, table_made_by_hand_mirrors_the_ioas)
{
	uint32_t device = rig.mock[0].iommu_device;
	long long hwpt;

	check_eq(rig_map(rig_page(0), rig.buffer, BUFFER_BYTES), 0);
	hwpt = hwpt_alloc(rig.fd, device, rig.ioas);
	require_true(hwpt > 0);
	check_true(hwpt != rig.mock[0].hwpt);
	check_eq(mock_check_map(rig.fd, (uint32_t)hwpt, rig_page(0),
				rig.buffer, BUFFER_BYTES), 0);
	rig_check_refs(1);
	check_eq(rig_map(rig_page(20), rig.buffer, PAGE), 0);
	check_eq(mock_check_map(rig.fd, (uint32_t)hwpt, rig_page(20),
				rig.buffer, PAGE), 0);
	check_eq(object_destroy(rig.fd, rig.ioas), -EBUSY);
	check_eq(object_destroy(rig.fd, (uint32_t)hwpt), 0);
	rig_check_map(rig_page(0), rig.buffer, BUFFER_BYTES);
}

/* Our own mock devices have special properties, those of the peer do not. */
static void attach_special(uint32_t pt, uint32_t flags, struct mock *mock)
{
	int result = mock_attach_flags(rig.fd, pt, flags, mock);

	if (result == -EOPNOTSUPP)
		skip("no such mock devices");
	require_eq(result, 0);
}

static uint64_t highest_iova(void)
{
	struct ranges ranges;

	require_eq(ioas_ranges(rig.fd, rig.ioas, MAX_RANGES, &ranges), 0);
	return ranges.range[ranges.number - 1].last;
}

/* A driver that finishes an HWPT at attach. Devices in use are not disturbed. */
RIG_TEST_WITH(0, unfinished_table_is_filled_when_a_device_comes)
{
	uint64_t iova = MOCK_APERTURE_START;
	struct mock mock;
	long long hwpt;

	attach_special(rig.ioas, MOCK_LATE, &mock);
	check_eq(rig_map(iova, rig.buffer, BUFFER_BYTES), 0);
	hwpt = hwpt_alloc(rig.fd, mock.iommu_device, rig.ioas);
	require_true(hwpt > 0);
	check_eq(mock_check_map(rig.fd, (uint32_t)hwpt, iova, rig.buffer, PAGE), -EINVAL);
	check_eq(mock_replace(rig.fd, &mock, (uint32_t)hwpt), 0);
	check_eq(mock_check_map(rig.fd, (uint32_t)hwpt, iova, rig.buffer, BUFFER_BYTES), 0);
	rig_check_refs(1);
	check_eq(highest_iova(), MOCK_APERTURE_LAST);
	check_eq(object_destroy(rig.fd, mock.device), 0);
	check_eq(mock_check_map(rig.fd, (uint32_t)hwpt, iova, rig.buffer, BUFFER_BYTES), 0);
	check_eq(object_destroy(rig.fd, (uint32_t)hwpt), 0);
	rig_check_refs(0);
	check_eq(highest_iova(), UINT64_MAX);
}

RIG_TEST_WITH(0, unfinished_table_that_nobody_used_is_destroyed)
{
	struct mock mock;
	long long hwpt;

	attach_special(rig.ioas, MOCK_LATE, &mock);
	hwpt = hwpt_alloc(rig.fd, mock.iommu_device, rig.ioas);
	require_true(hwpt > 0);
	check_eq(highest_iova(), MOCK_APERTURE_LAST);
	check_eq(object_destroy(rig.fd, (uint32_t)hwpt), 0);
	check_eq(highest_iova(), MOCK_APERTURE_LAST);
}

RIG_TEST_WITH(0, reach_of_a_shared_table_lasts_while_it_is_used)
{
	struct mock narrow, wide;

	attach_special(rig.ioas, MOCK_NARROW, &narrow);
	require_eq(mock_attach(rig.fd, rig.ioas, &wide), 0);
	check_eq(wide.hwpt, narrow.hwpt);
	check_eq(object_destroy(rig.fd, narrow.device), 0);
	check_eq(highest_iova(), MOCK_NARROW_LAST);
	check_eq(rig_map(MOCK_NARROW_LAST + 1, rig.buffer, PAGE), -EINVAL);
	check_eq(object_destroy(rig.fd, wide.device), 0);
	check_eq(highest_iova(), UINT64_MAX);
}

RIG_TEST_WITH(1, device_that_reaches_less_is_on_a_table_of_its_own)
{
	struct mock narrow;

	attach_special(rig.ioas, MOCK_NARROW, &narrow);
	check_true(narrow.hwpt != rig.mock[0].hwpt);
	check_eq(highest_iova(), MOCK_NARROW_LAST);
	check_eq(object_destroy(rig.fd, narrow.device), 0);
	check_eq(highest_iova(), MOCK_APERTURE_LAST);
}

RIG_TEST_WITH(1, device_that_enforces_coherency_is_on_a_table_of_its_own)
{
	struct mock coherent;

	attach_special(rig.ioas, MOCK_COHERENT, &coherent);
	check_true(coherent.hwpt != rig.mock[0].hwpt);
	/* Neither device can move to the HWPT of the other. */
	check_eq(mock_replace(rig.fd, &rig.mock[0], coherent.hwpt), -EINVAL);
	check_eq(mock_replace(rig.fd, &coherent, rig.mock[0].hwpt), -EINVAL);
}

RIG_TEST_WITH(1, table_made_by_hand_holds_its_ioas_until_destroyed)
{
	uint32_t other = ioas_alloc(rig.fd);
	long long hwpt = hwpt_alloc(rig.fd, rig.mock[0].iommu_device, other);

	require_true(hwpt > 0);
	check_eq(object_destroy(rig.fd, other), -EBUSY);
	/* An HWPT made by hand pins, too. */
	check_eq(ioas_map(rig.fd, other, MOCK_APERTURE_START, rig.buffer,
			  BUFFER_BYTES, IOAS_RW), 0);
	rig_check_refs(1);
	check_eq(object_destroy(rig.fd, (uint32_t)hwpt), 0);
	rig_check_refs(0);
	check_eq(object_destroy(rig.fd, other), 0);
}

RIG_TEST_WITH(1, table_made_by_hand_survives_its_devices)
{
	struct mock mock;

	rig_add_mock(&mock);
	check_eq(object_destroy(rig.fd, mock.hwpt), -EBUSY);
	check_eq(object_destroy(rig.fd, mock.device), 0);
	check_eq(object_destroy(rig.fd, mock.hwpt), 0);
	check_eq(object_destroy(rig.fd, mock.hwpt), -ENOENT);
}

RIG_TEST_WITH(1, table_made_by_hand_is_not_chosen_automatically)
{
	uint32_t other = ioas_alloc(rig.fd);
	long long hwpt = hwpt_alloc(rig.fd, rig.mock[0].iommu_device, other);
	struct mock mock;

	require_true(hwpt > 0);
	require_eq(mock_attach(rig.fd, other, &mock), 0);
	check_true(mock.hwpt != hwpt);
}

static int raw_hwpt_alloc(struct iommu_hwpt_alloc command)
{
	command.size = sizeof(command);
	return native_call(rig.fd, IOMMU_HWPT_ALLOC, &command);
}

RIG_TEST_WITH(1, impossible_tables_are_refused)
{
	const struct iommu_hwpt_alloc good = {
		.dev_id = rig.mock[0].iommu_device,
		.pt_id = rig.ioas,
	};
	struct iommu_hwpt_alloc bad;

#define WITH(field, value, error) \
	(bad = good, bad.field = (value), \
	 check_eq(raw_hwpt_alloc(bad), (error)))

	WITH(dev_id, NO_ID, -ENOENT);
	WITH(dev_id, 0, -ENOENT);
	WITH(dev_id, rig.ioas, -ENOENT);
	WITH(dev_id, rig.mock[0].device, -ENOENT);
	WITH(pt_id, NO_ID, -EINVAL);
	WITH(pt_id, 0, -EINVAL);
	WITH(pt_id, rig.mock[0].device, -EINVAL);
	WITH(pt_id, rig.mock[0].iommu_device, -EINVAL);
	WITH(__reserved, 1, -EOPNOTSUPP);
	WITH(flags, 1U << 31, -EOPNOTSUPP);
	WITH(flags, 1U << 16, -EOPNOTSUPP);
	WITH(data_len, 8, -EINVAL);
	WITH(data_type, 1, -EINVAL);
	/* These fields are ignored. */
	WITH(__reserved2, 1, 0);
	WITH(data_uptr, 1, 0);
#undef WITH
	bad = good;
	bad.data_type = 1;
	bad.data_len = 8;
	check_eq(raw_hwpt_alloc(bad), -EOPNOTSUPP);
}

/* Ours returns EINVAL. iommufd returns EOPNOTSUPP unless its driver nests: see docs/uapi.md. */
RIG_TEST_WITH(1, automatic_table_is_no_parent_of_a_nested_one)
{
	long long result = hwpt_alloc(rig.fd, rig.mock[0].iommu_device,
				      rig.mock[0].hwpt);

	check_true(result == -EINVAL || result == -EOPNOTSUPP);
}

RIG_TEST_WITH(1, table_is_refused_where_mappings_do_not_fit)
{
	uint32_t other = ioas_alloc(rig.fd);
	uint32_t device = rig.mock[0].iommu_device;

	check_eq(ioas_map(rig.fd, other, 0, rig.buffer, PAGE, IOAS_RW), 0);
	check_eq(hwpt_alloc(rig.fd, device, other), -EADDRINUSE);
	check_eq(object_destroy(rig.fd, other), 0);
}

/* --- replacing */

RIG_TEST_WITH(1, device_can_be_moved_to_another_ioas)
{
	uint32_t other = ioas_alloc(rig.fd);
	uint32_t old_hwpt = rig.mock[0].hwpt;

	check_eq(rig_map(rig_page(0), rig.buffer, BUFFER_BYTES), 0);
	check_eq(ioas_map(rig.fd, other, rig_page(0), rig.buffer + PAGE, PAGE,
			  IOAS_RW), 0);
	check_eq(mock_replace(rig.fd, &rig.mock[0], other), 0);
	check_true(rig.mock[0].hwpt != old_hwpt);
	check_eq(mock_check_map(rig.fd, rig.mock[0].hwpt, rig_page(0),
				rig.buffer + PAGE, PAGE), 0);
	/* The automatic HWPT of the old IOAS is gone. */
	check_eq(object_destroy(rig.fd, old_hwpt), -ENOENT);
	check_eq(check_refs(rig.fd, rig.buffer, PAGE, 0), 0);
	check_eq(check_refs(rig.fd, rig.buffer + PAGE, PAGE, 1), 0);
	check_eq(object_destroy(rig.fd, rig.ioas), 0);
	check_eq(object_destroy(rig.fd, other), -EBUSY);
}

RIG_TEST_WITH(1, device_can_be_moved_to_a_table_and_back)
{
	uint32_t device = rig.mock[0].iommu_device;
	uint32_t automatic = rig.mock[0].hwpt;
	long long hwpt = hwpt_alloc(rig.fd, device, rig.ioas);

	require_true(hwpt > 0);
	check_eq(rig_map(rig_page(0), rig.buffer, BUFFER_BYTES), 0);
	check_eq(mock_replace(rig.fd, &rig.mock[0], (uint32_t)hwpt), 0);
	check_eq(rig.mock[0].hwpt, hwpt);
	check_eq(object_destroy(rig.fd, automatic), -ENOENT);
	check_eq(object_destroy(rig.fd, (uint32_t)hwpt), -EBUSY);
	rig_check_map(rig_page(0), rig.buffer, BUFFER_BYTES);
	/* A move to the current HWPT succeeds. */
	check_eq(mock_replace(rig.fd, &rig.mock[0], (uint32_t)hwpt), 0);
	check_eq(rig.mock[0].hwpt, hwpt);
	check_eq(mock_replace(rig.fd, &rig.mock[0], rig.ioas), 0);
	check_true(rig.mock[0].hwpt != hwpt);
	check_eq(object_destroy(rig.fd, (uint32_t)hwpt), 0);
	rig_check_map(rig_page(0), rig.buffer, BUFFER_BYTES);
	rig_check_refs(1);
}

RIG_TEST_WITH(1, device_that_cannot_be_moved_stays)
{
	uint32_t other = ioas_alloc(rig.fd);
	struct mock *mock = &rig.mock[0];

	check_eq(rig_map(rig_page(0), rig.buffer, BUFFER_BYTES), 0);
	check_eq(ioas_map(rig.fd, other, 0, rig.buffer, PAGE, IOAS_RW), 0);
	check_eq(mock_replace(rig.fd, mock, other), -EADDRINUSE);
	check_eq(mock_replace(rig.fd, mock, NO_ID), -ENOENT);
	check_eq(mock_replace(rig.fd, mock, mock->device), -EINVAL);
	check_eq(mock_replace(rig.fd, mock, mock->iommu_device), -EINVAL);
	rig_check_map(rig_page(0), rig.buffer, BUFFER_BYTES);
	rig_check_refs(1);
	check_eq(object_destroy(rig.fd, other), 0);
}

/* --- GET_HW_INFO */

static int get_hw_info(uint32_t device, void *info, uint32_t room, struct iommu_hw_info *command)
{
	command->size = sizeof(*command);
	command->dev_id = device;
	command->data_uptr = (uintptr_t)info;
	command->data_len = room;
	return native_call(rig.fd, IOMMU_GET_HW_INFO, command);
}

/* The rest of the room is zeroed, and bytes behind the room are not touched. */
RIG_TEST_WITH(1, get_hw_info_fills_the_buffer_and_zeroes_the_rest)
{
	const struct test_hw_info all = { .test_reg = TEST_HW_INFO_REG };
	uint32_t room;

	for (room = 0; room <= 2 * sizeof(all); room += 4) {
		uint32_t told = room < sizeof(all) ? room : sizeof(all);
		uint8_t info[3 * sizeof(all)], expected[sizeof(info)];
		struct iommu_hw_info command = { 0 };

		context("room for %u bytes", room);
		memset(info, 0xa5, sizeof(info));
		memset(expected, 0xa5, sizeof(info));
		memset(expected, 0, room);
		memcpy(expected, &all, told);
		check_eq(get_hw_info(rig.mock[0].iommu_device, info, room, &command), 0);
		check_eq(memcmp(info, expected, sizeof(info)), 0);
		check_eq(command.data_len, sizeof(all));
		check_eq(command.out_data_type, TEST_HW_INFO_TYPE);
		check_eq(command.out_capabilities, 0);
		check_eq(command.out_max_pasid_log2, 0);
	}
}

RIG_TEST_WITH(0, pasids_of_a_device_are_told)
{
	struct iommu_hw_info command = { 0 };
	struct mock mock;

	attach_special(rig.ioas, MOCK_PASID, &mock);
	check_eq(get_hw_info(mock.iommu_device, NULL, 0, &command), 0);
	check_eq(command.out_max_pasid_log2, TEST_PASID_WIDTH);
}

RIG_TEST_WITH(1, impossible_questions_about_a_device_are_refused)
{
	uint32_t device = rig.mock[0].iommu_device;
	struct iommu_hw_info command;
	uint8_t info[16];

#define WITH(room, where, id, error, ...) \
	(command = (struct iommu_hw_info){ __VA_ARGS__ }, \
	 check_eq(get_hw_info((id), (where), (room), &command), (error)))

	WITH(16, info, NO_ID, -ENOENT);
	WITH(16, info, rig.ioas, -ENOENT);
	WITH(16, info, device, -EOPNOTSUPP, .flags = 1U << 31);
	WITH(16, info, device, -EOPNOTSUPP, .flags = 2);
	WITH(16, info, device, -EOPNOTSUPP, .__reserved = { 0, 0, 1 });
	/* Memory that cannot be written, and memory that cannot be zeroed. */
	WITH(8, (void *)1, device, -EFAULT);
	WITH(16, (void *)1, device, -EFAULT);
	WITH(0, (void *)1, device, 0);
	not_on_peer("it knows no flag");
	WITH(16, info, device, 0, .flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE);
	WITH(16, info, device, 0, .flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
	     .in_data_type = TEST_HW_INFO_TYPE);
	WITH(16, info, device, -EOPNOTSUPP, .flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
	     .in_data_type = TEST_HW_INFO_TYPE + 1);
	/* Without the flag the field is ignored. */
	WITH(16, info, device, 0, .in_data_type = 1);
#undef WITH
}

static const struct test tests[] = {
	RIG_ROWS(map_of_memory_that_is_not_there_is_refused, 0),
	RIG_ROWS(map_of_memory_that_may_not_be_written_is_read_only, 0),
	TEST(read_only_map_shows_what_is_written_later, 0),
	DEVICE_ROWS(every_part_of_a_buffer_is_shown_and_pinned_once, 0),
	DEVICE_ROWS(every_part_of_a_buffer_is_shown_by_another_table_too, 0),
	DEVICE_ROWS(every_part_of_huge_pages_is_shown, TAKES_LONG),
	DEVICE_ROWS(every_part_of_huge_pages_is_shown_by_another_table_too,
		    TAKES_LONG),
	RIG_ROWS(memory_can_be_mapped_many_times, 0),
	RIG_ROWS(map_without_huge_pages_shows_and_pins_the_same, 0),
	RIG_ROWS(first_table_pins_and_last_unpins, 0),
	TEST(tables_can_go_in_any_order, 0),
	TEST(detached_devices_free_all_iova, 0),
	TEST(automatic_table_serves_all_devices_and_goes_with_the_last, 0),
	TEST(what_a_driver_uses_cannot_be_destroyed, 0),
	TEST(ids_of_the_wrong_kind_do_not_exist, 0),
	TEST(device_is_refused_where_something_is_mapped_out_of_its_reach, 0),
	TEST(device_is_refused_where_allowed_iova_is_out_of_its_reach, 0),
	TEST(device_is_refused_where_mappings_do_not_fit_its_pages, 0),
	TEST(device_is_refused_where_memory_is_missing, 0),
	TEST(attach_to_an_object_that_is_no_hwpt_is_refused, 0),
	RIG_ROWS(memory_of_a_process_that_is_gone_stays_if_pinned, 0),
	RIG_ROWS(memory_of_another_process_can_be_pinned, 0),
	TEST(table_made_by_hand_mirrors_the_ioas, 0),
	TEST(unfinished_table_is_filled_when_a_device_comes, 0),
	TEST(unfinished_table_that_nobody_used_is_destroyed, 0),
	TEST(reach_of_a_shared_table_lasts_while_it_is_used, 0),
	TEST(device_that_reaches_less_is_on_a_table_of_its_own, 0),
	TEST(device_that_enforces_coherency_is_on_a_table_of_its_own, 0),
	TEST(table_made_by_hand_holds_its_ioas_until_destroyed, 0),
	TEST(table_made_by_hand_survives_its_devices, 0),
	TEST(table_made_by_hand_is_not_chosen_automatically, 0),
	TEST(impossible_tables_are_refused, 0),
	TEST(automatic_table_is_no_parent_of_a_nested_one, 0),
	TEST(table_is_refused_where_mappings_do_not_fit, 0),
	TEST(device_can_be_moved_to_another_ioas, 0),
	TEST(device_can_be_moved_to_a_table_and_back, 0),
	TEST(device_that_cannot_be_moved_stays, 0),
	TEST(get_hw_info_fills_the_buffer_and_zeroes_the_rest, 0),
	TEST(pasids_of_a_device_are_told, 0),
	TEST(impossible_questions_about_a_device_are_refused, 0),
};

int main(int argc, char **argv)
{
	after_each_test = restore_temp_limit;
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
