// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_access.c - in-kernel users: pin, unpin, read, write, and letting go when user space unmaps
 */
#define _GNU_SOURCE
#include "lib_native.h"

#define HALF		MOCK_IO_PAGE
#define NO_ID		1000U
#define TOP_PAGE	(UINT64_MAX - PAGE + 1)
#define READ		0U
#define WRITE		ACCESS_PAGES_WRITE

static int open_access(uint32_t flags)
{
	int access = access_create(rig.fd, rig.ioas, flags);

	require_true(access >= 0);
	return access;
}

static int open_pinner(void)
{
	return open_access(ACCESS_CREATE_NEEDS_PIN);
}

/* Unless @memory is NULL, the pinned pages must be those of @memory. */
static long long pin(int access, uint64_t iova, const void *memory,
		     uint64_t nbytes, uint32_t flags)
{
	return access_pin(rig.fd, access, iova, memory, nbytes, flags);
}

static uint32_t must_pin(int access, uint64_t iova, const void *memory,
			 uint64_t nbytes)
{
	long long id = pin(access, iova, memory, nbytes, WRITE);

	require_true(id >= 0);
	return (uint32_t)id;
}

static int unpin(int access, uint32_t id)
{
	return access_unpin(rig.fd, access, id);
}

static void map_buffer(uint64_t iova)
{
	require_eq(rig_map(iova, rig.buffer, BUFFER_BYTES), 0);
}

/* Checks how often a page of the buffer is pinned. */
static void check_page_refs(unsigned int page, uint32_t refs)
{
	check_eq(check_refs(rig.fd, rig.buffer + page * PAGE, PAGE, refs), 0);
}

/* --- pins */

RIG_TEST(pinned_pages_are_those_that_were_mapped)
{
	int access = open_pinner();
	uint32_t id;

	map_buffer(rig_page(0));
	id = must_pin(access, rig_page(0), rig.buffer, BUFFER_BYTES);
	rig_check_refs(1);
	check_eq(unpin(access, id), 0);
	rig_check_refs(rig.nmocks ? 1 : 0);
	check_eq(unpin(access, id), -ENOENT);
	/* The comparison notices other pages. */
	check_eq(pin(access, rig_page(0), rig.buffer + PAGE, PAGE, READ),
		 -EBADE);
	rig_check_refs(rig.nmocks ? 1 : 0);
	close(access);
}

RIG_TEST(pins_of_the_same_range_are_counted)
{
	int access = open_pinner();
	uint32_t first, second;

	map_buffer(rig_page(0));
	first = must_pin(access, rig_page(2), rig.buffer + 2 * PAGE, 4 * PAGE);
	second = must_pin(access, rig_page(2), rig.buffer + 2 * PAGE, 4 * PAGE);
	check_page_refs(2, 1);
	check_eq(unpin(access, second), 0);
	check_page_refs(2, 1);
	check_eq(unpin(access, first), 0);
	rig_check_refs(rig.nmocks ? 1 : 0);
	close(access);
}

/* Pins two of all ranges within 4 pages, and unpins them in either order. */
RIG_TEST(page_stays_pinned_until_all_overlapping_pins_are_gone)
{
	unsigned int step = scaled(1U, 3U);
	int access = open_pinner();
	unsigned int i, page;

	map_buffer(rig_page(0));
	for (i = 0; i < 256 * 2; i += step) {
		unsigned int first_a = i & 3, first_b = i >> 2 & 3;
		unsigned int last_a = first_a + (i >> 4 & 3);
		unsigned int last_b = first_b + (i >> 6 & 3);
		bool a_goes = i >> 8;
		uint32_t a, b;

		context("%u-%u and %u-%u", first_a, last_a, first_b, last_b);
		a = must_pin(access, rig_page(first_a),
			     rig.buffer + first_a * PAGE,
			     (last_a - first_a + 1) * PAGE);
		b = must_pin(access, rig_page(first_b),
			     rig.buffer + first_b * PAGE,
			     (last_b - first_b + 1) * PAGE);
		check_eq(unpin(access, a_goes ? a : b), 0);
		for (page = 0; page < 8; page++) {
			bool in_a = page >= first_a && page <= last_a;
			bool in_b = page >= first_b && page <= last_b;

			check_page_refs(page, rig.nmocks ||
					(a_goes ? in_b : in_a));
		}
		check_eq(unpin(access, a_goes ? b : a), 0);
	}
	context("%s", "");
	rig_check_refs(rig.nmocks ? 1 : 0);
	close(access);
}

RIG_TEST(pins_reach_over_several_mappings)
{
	int access = open_pinner();
	uint32_t id;

	check_eq(rig_map(rig_page(0), rig.buffer, 3 * PAGE), 0);
	check_eq(rig_map(rig_page(3), rig.buffer + 3 * PAGE, 2 * PAGE), 0);
	check_eq(rig_map(rig_page(5), rig.buffer + 5 * PAGE, PAGE), 0);
	id = must_pin(access, rig_page(1), rig.buffer + PAGE, 5 * PAGE);
	check_page_refs(0, rig.nmocks ? 1 : 0);
	check_page_refs(1, 1);
	check_page_refs(5, 1);
	check_eq(unpin(access, id), 0);
	check_eq(check_refs(rig.fd, rig.buffer, 6 * PAGE, rig.nmocks ? 1 : 0),
		 0);
	close(access);
}

RIG_TEST(pin_may_end_inside_a_page_but_not_begin_there)
{
	int access = open_pinner();
	uint32_t id;

	map_buffer(rig_page(0));
	id = must_pin(access, rig_page(1), rig.buffer + PAGE, PAGE + 1);
	check_page_refs(2, 1);
	check_eq(unpin(access, id), 0);
	id = must_pin(access, rig_page(1), rig.buffer + PAGE, 1);
	check_page_refs(1, 1);
	check_eq(unpin(access, id), 0);
	check_eq(pin(access, rig_page(1) + 1, NULL, PAGE, READ), -EINVAL);
	check_eq(pin(access, rig_page(1) + HALF, NULL, HALF, READ), -EINVAL);
	rig_check_refs(rig.nmocks ? 1 : 0);
	close(access);
}

RIG_TEST(pin_of_what_is_not_mapped_throughout_is_refused)
{
	int access = open_pinner();

	check_eq(rig_map(rig_page(4), rig.buffer, 2 * PAGE), 0);
	check_eq(rig_map(rig_page(7), rig.buffer + 2 * PAGE, 2 * PAGE), 0);
	check_eq(pin(access, rig_page(0), NULL, PAGE, READ), -ENOENT);
	check_eq(pin(access, rig_page(3), NULL, 2 * PAGE, READ), -ENOENT);
	check_eq(pin(access, rig_page(8), NULL, 2 * PAGE, READ), -ENOENT);
	check_eq(pin(access, rig_page(4), NULL, 5 * PAGE, READ), -ENOENT);
	check_eq(pin(access, rig_page(6), NULL, 2 * PAGE, READ), -ENOENT);
	check_eq(check_refs(rig.fd, rig.buffer, 4 * PAGE, rig.nmocks ? 1 : 0),
		 0);
	close(access);
}

RIG_TEST(pin_of_impossible_ranges_is_refused)
{
	int access = open_pinner();

	map_buffer(rig_page(0));
	check_eq(pin(access, rig_page(0), NULL, 0, READ), -EINVAL);
	check_eq(pin(access, TOP_PAGE, NULL, 2 * PAGE, READ), -EOVERFLOW);
	check_eq(pin(access, rig_page(0), NULL, PAGE, 2), -EOPNOTSUPP);
	check_eq(pin(rig.fd, rig_page(0), NULL, PAGE, READ), -EBADFD);
	check_eq(pin(-1, rig_page(0), NULL, PAGE, READ), -EBADFD);
	check_eq(unpin(access, NO_ID), -ENOENT);
	close(access);
}

RIG_TEST(pin_needs_the_right_of_the_mapping)
{
	int access = open_pinner();

	check_eq(ioas_map(rig.fd, rig.ioas, rig_page(0), rig.buffer, PAGE,
			  IOAS_R), 0);
	check_eq(ioas_map(rig.fd, rig.ioas, rig_page(1), rig.buffer + PAGE,
			  PAGE, IOAS_W), 0);
	check_eq(pin(access, rig_page(0), NULL, PAGE, WRITE), -EPERM);
	check_eq(pin(access, rig_page(1), NULL, PAGE, READ), -EPERM);
	check_eq(pin(access, rig_page(0), NULL, 2 * PAGE, WRITE), -EPERM);
	check_eq(pin(access, rig_page(0), NULL, 2 * PAGE, READ), -EPERM);
	check_eq(check_refs(rig.fd, rig.buffer, 2 * PAGE, rig.nmocks ? 1 : 0),
		 0);
	check_true(pin(access, rig_page(0), rig.buffer, PAGE, READ) >= 0);
	check_true(pin(access, rig_page(1), rig.buffer + PAGE, PAGE, WRITE) >=
		   0);
	close(access);
}

RIG_TEST_WITH(0, pin_of_memory_that_is_not_there_is_refused)
{
	uint8_t *memory = mem_alloc_shared(4 * PAGE);
	int access = open_pinner();

	mem_free(memory + 2 * PAGE, 2 * PAGE);
	check_eq(rig_map(rig_page(0), memory, 4 * PAGE), 0);
	check_eq(pin(access, rig_page(0), NULL, 4 * PAGE, READ), -EFAULT);
	check_eq(pin(access, rig_page(2), NULL, PAGE, READ), -EFAULT);
	check_eq(check_refs(rig.fd, memory, 2 * PAGE, 0), 0);
	check_true(pin(access, rig_page(0), memory, 2 * PAGE, READ) >= 0);
	close(access);
	mem_free(memory, 2 * PAGE);
}

RIG_TEST(closing_an_access_unpins)
{
	int access = open_pinner();
	int other = open_pinner();

	map_buffer(rig_page(0));
	must_pin(access, rig_page(0), rig.buffer, 4 * PAGE);
	must_pin(access, rig_page(2), rig.buffer + 2 * PAGE, 4 * PAGE);
	must_pin(other, rig_page(1), rig.buffer + PAGE, PAGE);
	close(access);
	check_page_refs(0, rig.nmocks ? 1 : 0);
	check_page_refs(1, 1);
	close(other);
	rig_check_refs(rig.nmocks ? 1 : 0);
}

/* The access keeps the context, and the last file releases everything. */
RIG_TEST(access_outlives_the_descriptor)
{
	int access = open_pinner();

	map_buffer(rig_page(0));
	must_pin(access, rig_page(0), rig.buffer, BUFFER_BYTES);
	close(rig.fd);
	rig.fd = native_open();
	rig_check_refs(1);
	close(access);
	rig_check_refs(0);
}

RIG_TEST(access_holds_its_ioas)
{
	uint32_t other = ioas_alloc(rig.fd);
	int access = access_create(rig.fd, other, 0);

	require_true(access >= 0);
	check_eq(object_destroy(rig.fd, other), -EBUSY);
	close(access);
	check_eq(object_destroy(rig.fd, other), 0);
	check_eq(access_create(rig.fd, other, 0), -ENOENT);
	check_eq(access_create(rig.fd, NO_ID, ACCESS_CREATE_NEEDS_PIN),
		 -ENOENT);
	check_eq(access_create(rig.fd, rig.ioas, 2), -EOPNOTSUPP);
}

RIG_TEST(access_without_the_pin_flag_cannot_pin)
{
	int access = open_access(0);

	map_buffer(rig_page(0));
	check_eq(pin(access, rig_page(0), rig.buffer, PAGE, READ),
		 -EOPNOTSUPP);
	close(access);
}

/* --- alignment */

RIG_TEST(access_that_pins_wants_whole_pages)
{
	uint64_t usual = rig.nmocks ? MOCK_IO_PAGE : 1;
	int pinner = open_pinner();
	int other = open_access(0);

	check_eq(ioas_alignment(rig.fd, rig.ioas), PAGE);
	check_eq(rig_map(rig.base + HALF, rig.buffer, PAGE), -EINVAL);
	check_eq(rig_map(rig.base, rig.buffer + HALF, PAGE), -EINVAL);
	check_eq(rig_map(rig.base, rig.buffer, HALF), -EINVAL);
	close(pinner);
	check_eq(ioas_alignment(rig.fd, rig.ioas), usual);
	check_eq(rig_map(rig.base + HALF, rig.buffer, PAGE), 0);
	close(other);
}

RIG_TEST(access_that_pins_is_refused_where_mappings_are_not_whole_pages)
{
	static const uint64_t cases[][3] = {	/* iova, offset, length */
		{ HALF, 0, PAGE }, { 0, HALF, PAGE }, { 0, 0, HALF },
	};
	uint32_t flags = ACCESS_CREATE_NEEDS_PIN;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int access;

		context("case %u", i);
		check_eq(rig_map(rig.base + cases[i][0],
				 rig.buffer + cases[i][1], cases[i][2]), 0);
		check_eq(access_create(rig.fd, rig.ioas, flags), -EADDRINUSE);
		check_eq(ioas_alignment(rig.fd, rig.ioas),
			 rig.nmocks ? MOCK_IO_PAGE : 1);
		access = open_access(0);
		close(access);
		check_eq(ioas_unmap_all(rig.fd, rig.ioas), cases[i][2]);
	}
}

/* --- pins and HWPTs */

RIG_TEST(table_takes_over_what_is_pinned)
{
	int access = open_pinner();
	struct mock mock;
	uint32_t id;

	map_buffer(MOCK_APERTURE_START);
	id = must_pin(access, MOCK_APERTURE_START + 3 * PAGE,
		      rig.buffer + 3 * PAGE, 5 * PAGE);
	check_eq(mock_attach(rig.fd, rig.ioas, &mock), 0);
	check_eq(mock_check_map(rig.fd, mock.hwpt, MOCK_APERTURE_START,
				rig.buffer, BUFFER_BYTES), 0);
	rig_check_refs(1);
	check_eq(object_destroy(rig.fd, mock.device), 0);
	check_page_refs(3, 1);
	check_page_refs(7, 1);
	check_page_refs(2, rig.nmocks ? 1 : 0);
	check_page_refs(8, rig.nmocks ? 1 : 0);
	check_eq(unpin(access, id), 0);
	rig_check_refs(rig.nmocks ? 1 : 0);
	close(access);
}

RIG_TEST(unpin_leaves_pages_pinned_by_an_hwpt)
{
	int access = open_pinner();
	struct mock mock;
	uint32_t ids[2];

	map_buffer(MOCK_APERTURE_START);
	ids[0] = must_pin(access, MOCK_APERTURE_START, rig.buffer, 5 * PAGE);
	check_eq(mock_attach(rig.fd, rig.ioas, &mock), 0);
	ids[1] = must_pin(access, MOCK_APERTURE_START + 3 * PAGE,
			  rig.buffer + 3 * PAGE, 5 * PAGE);
	check_eq(unpin(access, ids[0]), 0);
	check_eq(unpin(access, ids[1]), 0);
	rig_check_refs(1);
	check_eq(mock_check_map(rig.fd, mock.hwpt, MOCK_APERTURE_START,
				rig.buffer, BUFFER_BYTES), 0);
	check_eq(object_destroy(rig.fd, mock.device), 0);
	rig_check_refs(rig.nmocks ? 1 : 0);
	close(access);
}

/* --- unmap wins */

RIG_TEST(unmap_takes_pins_away)
{
	int access = open_pinner();
	int other = open_pinner();
	uint32_t ids[3];

	map_buffer(rig_page(0));
	ids[0] = must_pin(access, rig_page(0), rig.buffer, PAGE);
	ids[1] = must_pin(access, rig_page(8), rig.buffer + 8 * PAGE, PAGE);
	ids[2] = must_pin(other, rig_page(0), rig.buffer, BUFFER_BYTES);
	check_eq(rig_unmap(rig_page(0), BUFFER_BYTES), BUFFER_BYTES);
	rig_check_refs(0);
	check_eq(unpin(access, ids[0]), -ENOENT);
	check_eq(unpin(access, ids[1]), -ENOENT);
	check_eq(unpin(other, ids[2]), -ENOENT);
	check_eq(pin(access, rig_page(0), NULL, PAGE, READ), -ENOENT);
	/* The IOVA can be used again. */
	map_buffer(rig_page(0));
	ids[0] = must_pin(access, rig_page(0), rig.buffer, PAGE);
	check_eq(unpin(access, ids[0]), 0);
	close(access);
	close(other);
}

RIG_TEST(unmap_leaves_other_pins_alone)
{
	int access = open_pinner();
	uint32_t kept, gone, both;

	check_eq(rig_map(rig_page(0), rig.buffer, 4 * PAGE), 0);
	check_eq(rig_map(rig_page(4), rig.buffer + 4 * PAGE, 4 * PAGE), 0);
	kept = must_pin(access, rig_page(0), rig.buffer, 4 * PAGE);
	gone = must_pin(access, rig_page(4), rig.buffer + 4 * PAGE, PAGE);
	both = must_pin(access, rig_page(3), rig.buffer + 3 * PAGE, 2 * PAGE);
	check_eq(rig_unmap(rig_page(4), 4 * PAGE), 4 * PAGE);
	check_eq(unpin(access, gone), -ENOENT);
	check_eq(unpin(access, both), -ENOENT);
	check_page_refs(3, 1);
	check_page_refs(4, 0);
	check_eq(unpin(access, kept), 0);
	close(access);
}

RIG_TEST(unmap_of_everything_takes_pins_away)
{
	int access = open_pinner();
	unsigned int i;

	for (i = 0; i < 8; i++) {
		check_eq(rig_map(rig_page(2 * i), rig.buffer + i * PAGE, PAGE),
			 0);
		must_pin(access, rig_page(2 * i), rig.buffer + i * PAGE, PAGE);
	}
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 8 * PAGE);
	rig_check_refs(0);
	close(access);
}

RIG_TEST(refused_unmap_takes_no_pins_away)
{
	int access = open_pinner();
	uint32_t id;

	map_buffer(rig_page(0));
	id = must_pin(access, rig_page(0), rig.buffer, PAGE);
	check_eq(rig_unmap(rig_page(0), PAGE), -ENOENT);
	check_page_refs(0, 1);
	check_eq(unpin(access, id), 0);
	close(access);
}

/* --- moving to another IOAS */

RIG_TEST(moving_an_access_takes_its_pins_away)
{
	uint32_t other = ioas_alloc(rig.fd);
	int access = open_pinner();
	uint32_t id;

	map_buffer(rig_page(0));
	check_eq(ioas_map(rig.fd, other, rig_page(0), rig.buffer + PAGE, PAGE,
			  IOAS_RW), 0);
	id = must_pin(access, rig_page(0), rig.buffer, BUFFER_BYTES);
	check_eq(access_replace_ioas(rig.fd, access, other), 0);
	rig_check_refs(rig.nmocks ? 1 : 0);
	check_eq(unpin(access, id), -ENOENT);
	must_pin(access, rig_page(0), rig.buffer + PAGE, PAGE);
	check_eq(ioas_alignment(rig.fd, rig.ioas),
		 rig.nmocks ? MOCK_IO_PAGE : 1);
	check_eq(ioas_alignment(rig.fd, other), PAGE);
	check_eq(object_destroy(rig.fd, other), -EBUSY);
	close(access);
	check_eq(object_destroy(rig.fd, other), 0);
}

RIG_TEST(moving_an_access_to_where_it_is_changes_nothing)
{
	int access = open_pinner();
	uint32_t id;

	map_buffer(rig_page(0));
	id = must_pin(access, rig_page(0), rig.buffer, PAGE);
	check_eq(access_replace_ioas(rig.fd, access, rig.ioas), 0);
	check_page_refs(0, 1);
	check_eq(unpin(access, id), 0);
	close(access);
}

RIG_TEST(access_that_cannot_be_moved_stays)
{
	uint32_t other = ioas_alloc(rig.fd);
	int access = open_pinner();

	map_buffer(rig_page(0));
	check_eq(ioas_map(rig.fd, other, rig_page(0), rig.buffer, HALF,
			  IOAS_RW), 0);
	check_eq(access_replace_ioas(rig.fd, access, other), -EADDRINUSE);
	check_eq(access_replace_ioas(rig.fd, access, NO_ID), -ENOENT);
	check_eq(object_destroy(rig.fd, other), 0);
	must_pin(access, rig_page(0), rig.buffer, PAGE);
	close(access);
}

/* --- reading and writing */

RIG_TEST(access_reads_and_writes)
{
	int access = open_access(0);
	uint64_t iova;

	check_eq(rig_map_auto(rig.buffer, BUFFER_BYTES, &iova), 0);
	check_access_rw(rig.fd, access, iova, rig.buffer, BUFFER_BYTES, 0);
	check_access_rw(rig.fd, access, iova, rig.buffer, BUFFER_BYTES,
			ACCESS_RW_SLOW_PATH);
	rig_check_refs(rig.nmocks ? 1 : 0);
	close(access);
}

RIG_TEST(access_reads_and_writes_at_half_a_page)
{
	int access = open_access(0);
	uint64_t iova = rig.base + HALF;

	map_buffer(iova);
	check_access_rw(rig.fd, access, iova, rig.buffer, BUFFER_BYTES, 0);
	check_access_rw(rig.fd, access, iova, rig.buffer, BUFFER_BYTES,
			ACCESS_RW_SLOW_PATH);
	close(access);
}

RIG_TEST(access_reads_and_writes_while_pinned)
{
	int access = open_pinner();

	map_buffer(rig_page(0));
	must_pin(access, rig_page(0), rig.buffer, PAGE + PAGE / 2);
	check_access_rw(rig.fd, access, rig_page(0), rig.buffer, BUFFER_BYTES,
			ACCESS_RW_SLOW_PATH);
	check_page_refs(0, 1);
	close(access);
}

RIG_TEST(access_reads_and_writes_over_several_mappings)
{
	uint8_t *bytes = rig.buffer;
	uint8_t copy[2 * PAGE];
	int access = open_access(0);

	check_eq(rig_map(rig_page(0), bytes, PAGE), 0);
	check_eq(rig_map(rig_page(1), bytes + 2 * PAGE, PAGE), 0);
	check_eq(rig_map(rig_page(2), bytes + PAGE, PAGE), 0);
	check_eq(access_rw(rig.fd, access, rig_page(0) + 99, copy, 2 * PAGE, 0),
		 0);
	check_mem(copy, bytes + 99, PAGE - 99);
	check_mem(copy + PAGE - 99, bytes + 2 * PAGE, PAGE);
	check_mem(copy + 2 * PAGE - 99, bytes + PAGE, 99);
	fill(copy, sizeof(copy), 5);
	check_eq(access_rw(rig.fd, access, rig_page(0) + 99, copy, 2 * PAGE,
			   ACCESS_RW_WRITE), 0);
	check_mem(copy, bytes + 99, PAGE - 99);
	check_mem(copy + PAGE - 99, bytes + 2 * PAGE, PAGE);
	check_mem(copy + 2 * PAGE - 99, bytes + PAGE, 99);
	close(access);
}

RIG_TEST(reading_and_writing_what_is_impossible_is_refused)
{
	int access = open_access(0);
	uint8_t copy[2 * PAGE] = { 0 };
	int fd = rig.fd;

	check_eq(ioas_map(fd, rig.ioas, rig_page(0), rig.buffer, PAGE, IOAS_R),
		 0);
	check_eq(ioas_map(fd, rig.ioas, rig_page(2), rig.buffer, PAGE, IOAS_W),
		 0);
	check_eq(access_rw(fd, access, rig_page(0), copy, 0, 0), -EINVAL);
	check_eq(access_rw(fd, access, rig_page(4), copy, 1, 0), -ENOENT);
	check_eq(access_rw(fd, access, rig_page(0), copy, PAGE + 1, 0),
		 -ENOENT);
	check_eq(access_rw(fd, access, rig_page(1), copy, PAGE + 1,
			   ACCESS_RW_WRITE), -ENOENT);
	check_eq(access_rw(fd, access, UINT64_MAX, copy, 2, 0), -EOVERFLOW);
	check_eq(access_rw(fd, access, rig_page(0), copy, 1, ACCESS_RW_WRITE),
		 -EPERM);
	check_eq(access_rw(fd, access, rig_page(2), copy, 1, 0), -EPERM);
	check_eq(access_rw(fd, access, rig_page(0), copy, 1, 0), 0);
	check_eq(access_rw(fd, access, rig_page(2), copy, 1, ACCESS_RW_WRITE),
		 0);
	check_eq(access_rw(fd, rig.fd, rig_page(0), copy, 1, 0), -EBADFD);
	close(access);
}

RIG_TEST_WITH(0, reading_memory_that_is_not_there_is_refused)
{
	int access = open_access(0);
	uint8_t byte = 0;

	check_eq(rig_map(rig_page(0), mem_reserve(PAGE), PAGE), 0);
	check_eq(access_rw(rig.fd, access, rig_page(0), &byte, 1, 0), -EFAULT);
	check_eq(access_rw(rig.fd, access, rig_page(0), &byte, 1,
			   ACCESS_RW_WRITE), -EFAULT);
	check_eq(access_rw(rig.fd, access, rig_page(0), &byte, 1,
			   ACCESS_RW_SLOW_PATH), -EFAULT);
	close(access);
}

RIG_TEST(memory_of_another_process_can_be_read_and_written)
{
	int access = open_access(0);
	struct child_map map;

	child_maps(&map, rig_page(0));
	check_access_rw(rig.fd, access, rig_page(0), rig.buffer, BUFFER_BYTES,
			0);
	check_access_rw(rig.fd, access, rig_page(0), rig.buffer, BUFFER_BYTES,
			ACCESS_RW_SLOW_PATH);
	child_may_exit(&map);
	close(access);
}

RIG_TEST(memory_of_another_process_can_be_pinned_for_an_access)
{
	int access = open_pinner();
	struct child_map map;
	uint32_t id;

	child_maps(&map, rig_page(0));
	id = must_pin(access, rig_page(0), rig.buffer, BUFFER_BYTES);
	rig_check_refs(1);
	child_may_exit(&map);
	rig_check_refs(1);
	check_access_rw(rig.fd, access, rig_page(0), rig.buffer, BUFFER_BYTES,
			0);
	check_eq(unpin(access, id), 0);
	rig_check_refs(rig.nmocks ? 1 : 0);
	close(access);
}

/* After the process is gone, only pinned pages can be reached. */
RIG_TEST(memory_of_a_process_that_is_gone_can_be_used_if_pinned)
{
	int access = open_pinner();
	uint8_t byte = 0;

	child_maps_and_exits(rig_page(0));
	if (rig.nmocks) {
		check_access_rw(rig.fd, access, rig_page(0), rig.buffer,
				BUFFER_BYTES, 0);
		must_pin(access, rig_page(0), rig.buffer, BUFFER_BYTES);
	} else {
		check_eq(access_rw(rig.fd, access, rig_page(0), &byte, 1, 0),
			 -EFAULT);
		check_eq(pin(access, rig_page(0), NULL, PAGE, READ), -EFAULT);
	}
	rig_check_refs(rig.nmocks ? 1 : 0);
	close(access);
	check_eq(rig_unmap(rig_page(0), BUFFER_BYTES), BUFFER_BYTES);
	rig_check_refs(0);
}

/*
 * For more than a page, the slow path reads the pages of the device, even if other memory is at the
 * address now.
 */
DEVICE_TEST(slow_path_reads_the_pages_that_are_pinned)
{
	uint8_t *memory = mem_alloc_shared(2 * PAGE);
	uint8_t expected[16], copy[16];
	int access = open_access(0);

	fill(memory, 2 * PAGE, 3);
	memcpy(expected, memory + PAGE - 8, sizeof(expected));
	check_eq(rig_map(rig_page(0), memory, 2 * PAGE), 0);
	check_true(mmap(memory, 2 * PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		   memory);
	check_eq(access_rw(rig.fd, access, rig_page(1) - 8, copy, sizeof(copy),
			   ACCESS_RW_SLOW_PATH), 0);
	check_mem(copy, expected, sizeof(expected));
	close(access);
	check_eq(rig_unmap(rig_page(0), 2 * PAGE), 2 * PAGE);
	mem_free(memory, 2 * PAGE);
}

static const struct test tests[] = {
	RIG_ROWS(pinned_pages_are_those_that_were_mapped, 0),
	RIG_ROWS(pins_of_the_same_range_are_counted, 0),
	RIG_ROWS(page_stays_pinned_until_all_overlapping_pins_are_gone, 0),
	RIG_ROWS(pins_reach_over_several_mappings, 0),
	RIG_ROWS(pin_may_end_inside_a_page_but_not_begin_there, 0),
	RIG_ROWS(pin_of_what_is_not_mapped_throughout_is_refused, 0),
	RIG_ROWS(pin_of_impossible_ranges_is_refused, 0),
	RIG_ROWS(pin_needs_the_right_of_the_mapping, 0),
	TEST(pin_of_memory_that_is_not_there_is_refused, 0),
	RIG_ROWS(closing_an_access_unpins, 0),
	RIG_ROWS(access_outlives_the_descriptor, 0),
	RIG_ROWS(access_holds_its_ioas, 0),
	RIG_ROWS(access_without_the_pin_flag_cannot_pin, 0),
	RIG_ROWS(access_that_pins_wants_whole_pages, 0),
	RIG_ROWS(access_that_pins_is_refused_where_mappings_are_not_whole_pages,
		 0),
	RIG_ROWS(table_takes_over_what_is_pinned, 0),
	RIG_ROWS(unpin_leaves_pages_pinned_by_an_hwpt, 0),
	RIG_ROWS(unmap_takes_pins_away, 0),
	RIG_ROWS(unmap_leaves_other_pins_alone, 0),
	RIG_ROWS(unmap_of_everything_takes_pins_away, 0),
	RIG_ROWS(refused_unmap_takes_no_pins_away, 0),
	RIG_ROWS(moving_an_access_takes_its_pins_away, 0),
	RIG_ROWS(moving_an_access_to_where_it_is_changes_nothing, 0),
	RIG_ROWS(access_that_cannot_be_moved_stays, 0),
	RIG_ROWS(access_reads_and_writes, 0),
	RIG_ROWS(access_reads_and_writes_at_half_a_page, 0),
	RIG_ROWS(access_reads_and_writes_while_pinned, 0),
	RIG_ROWS(access_reads_and_writes_over_several_mappings, 0),
	RIG_ROWS(reading_and_writing_what_is_impossible_is_refused, 0),
	TEST(reading_memory_that_is_not_there_is_refused, 0),
	RIG_ROWS(memory_of_another_process_can_be_read_and_written, 0),
	RIG_ROWS(memory_of_another_process_can_be_pinned_for_an_access, 0),
	RIG_ROWS(memory_of_a_process_that_is_gone_can_be_used_if_pinned, 0),
	DEVICE_ROWS(slow_path_reads_the_pages_that_are_pinned, 0),
};

int main(int argc, char **argv)
{
	after_each_test = restore_temp_limit;
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
