// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_copy.c - COPY: the same pages at several IOVAs
 */
#define _GNU_SOURCE
#include "lib_native.h"

#define HALF		MOCK_IO_PAGE
#define NO_ID		1000U
#define TOP_PAGE	(UINT64_MAX - PAGE + 1)

static struct iova_of at(uint32_t ioas, uint64_t iova)
{
	return (struct iova_of){ .ioas = ioas, .iova = iova };
}

static struct iova_of here(uint64_t iova)
{
	return at(rig.ioas, iova);
}

/* Copies within the rig's IOAS, RW. */
static int copy_here(uint64_t to, uint64_t from, uint64_t nbytes)
{
	return ioas_copy(rig.fd, here(to), here(from), nbytes, IOAS_RW);
}

static void map_buffer(uint64_t iova)
{
	require_eq(rig_map(iova, rig.buffer, BUFFER_BYTES), 0);
}

RIG_TEST(copy_within_an_ioas_shows_the_same_pages)
{
	map_buffer(rig_page(0));
	check_eq(copy_here(rig_page(32), rig_page(0), BUFFER_BYTES), 0);
	rig_check_map(rig_page(32), rig.buffer, BUFFER_BYTES);
	rig_check_refs(rig.nmocks ? 1 : 0);
	/* Either stays when the other is unmapped. */
	check_eq(rig_unmap(rig_page(0), BUFFER_BYTES), BUFFER_BYTES);
	rig_check_map(rig_page(32), rig.buffer, BUFFER_BYTES);
	rig_check_refs(rig.nmocks ? 1 : 0);
	check_eq(copy_here(rig_page(0), rig_page(32), BUFFER_BYTES), 0);
	check_eq(rig_unmap(rig_page(32), BUFFER_BYTES), BUFFER_BYTES);
	rig_check_map(rig_page(0), rig.buffer, BUFFER_BYTES);
	check_eq(rig_unmap(rig_page(0), BUFFER_BYTES), BUFFER_BYTES);
	rig_check_refs(0);
}

RIG_TEST(copy_to_another_ioas_outlives_its_source)
{
	uint32_t other = ioas_alloc(rig.fd);

	check_eq(ioas_map(rig.fd, other, 0, rig.buffer, BUFFER_BYTES, IOAS_RW),
		 0);
	check_eq(ioas_copy(rig.fd, here(rig_page(1)), at(other, 0),
			   BUFFER_BYTES, IOAS_RW), 0);
	rig_check_map(rig_page(1), rig.buffer, BUFFER_BYTES);
	check_eq(object_destroy(rig.fd, other), 0);
	rig_check_map(rig_page(1), rig.buffer, BUFFER_BYTES);
	rig_check_refs(rig.nmocks ? 1 : 0);
	check_eq(rig_unmap(rig_page(1), BUFFER_BYTES), BUFFER_BYTES);
	rig_check_refs(0);
}

RIG_TEST(copy_from_an_ioas_with_devices_to_one_without)
{
	uint32_t other = ioas_alloc(rig.fd);

	map_buffer(rig_page(0));
	check_eq(ioas_copy(rig.fd, at(other, 0), here(rig_page(0)),
			   BUFFER_BYTES, IOAS_RW), 0);
	rig_check_refs(rig.nmocks ? 1 : 0);
	check_eq(rig_unmap(rig_page(0), BUFFER_BYTES), BUFFER_BYTES);
	rig_check_refs(0);
	check_eq(ioas_unmap(rig.fd, other, 0, BUFFER_BYTES), BUFFER_BYTES);
}

RIG_TEST(copy_chooses_an_iova)
{
	uint64_t iova;

	map_buffer(rig_page(0));
	check_eq(ioas_copy_auto(rig.fd, rig.ioas, here(rig_page(3)), 4 * PAGE,
				IOAS_RW, &iova), 0);
	check_true(iova >= rig_page(0) + BUFFER_BYTES);
	check_eq(iova % PAGE, 0);
	rig_check_map(iova, rig.buffer + 3 * PAGE, 4 * PAGE);
	check_eq(rig_unmap(iova, 4 * PAGE), 4 * PAGE);
}

RIG_TEST(any_part_of_a_mapping_can_be_copied)
{
	uint64_t first, end;
	uint64_t to = rig_page(64);

	map_buffer(rig_page(0));
	for (first = 0; first < 4 * PAGE; first += HALF)
		for (end = first + HALF; end <= 4 * PAGE; end += HALF) {
			uint64_t nbytes = end - first;

			context("0x%llx to 0x%llx", (unsigned long long)first,
				(unsigned long long)end);
			check_eq(copy_here(to, rig_page(0) + first, nbytes), 0);
			rig_check_map(to, rig.buffer + first, nbytes);
			check_eq(rig_unmap(to, nbytes), nbytes);
		}
	context("%s", "");
	rig_check_refs(rig.nmocks ? 1 : 0);
	rig_check_map(rig_page(0), rig.buffer, BUFFER_BYTES);
}

/* Pages 0, 1, ... of the IOAS show pages 2, 1, 4, 3, 6, 5 of the buffer. */
static void map_pieces(void)
{
	unsigned int i;

	for (i = 0; i < 6; i++)
		require_eq(rig_map(rig_page(i),
				   rig.buffer + ((i ^ 1) + 1) * PAGE, PAGE), 0);
}

RIG_TEST(copy_of_several_mappings_has_as_many_pieces)
{
	unsigned int i;

	map_pieces();
	check_eq(copy_here(rig_page(64), rig_page(0), 6 * PAGE), 0);
	for (i = 0; i < 6; i++)
		rig_check_map(rig_page(64 + i),
			      rig.buffer + ((i ^ 1) + 1) * PAGE, PAGE);
	check_eq(rig_unmap(rig_page(66), PAGE), PAGE);
	check_eq(rig_unmap(rig_page(66), PAGE), -ENOENT);
	check_eq(rig_unmap(rig_page(64), 6 * PAGE), 5 * PAGE);
	check_eq(rig_unmap(rig_page(0), 6 * PAGE), 6 * PAGE);
	rig_check_refs(0);
}

RIG_TEST(copy_begins_and_ends_inside_mappings)
{
	map_pieces();
	check_eq(copy_here(rig_page(64), rig_page(0) + HALF, 3 * PAGE), 0);
	rig_check_map(rig_page(64), rig.buffer + 2 * PAGE + HALF, HALF);
	rig_check_map(rig_page(64) + HALF, rig.buffer + PAGE, PAGE);
	rig_check_map(rig_page(65) + HALF, rig.buffer + 4 * PAGE, PAGE);
	rig_check_map(rig_page(66) + HALF, rig.buffer + 3 * PAGE, HALF);
	check_eq(rig_unmap(rig_page(64) + HALF, PAGE), PAGE);
	check_eq(rig_unmap(rig_page(64), 3 * PAGE), 2 * PAGE);
}

RIG_TEST(copy_of_what_is_not_mapped_throughout_is_refused)
{
	uint64_t to = rig_page(64);

	check_eq(rig_map(rig_page(4), rig.buffer, 2 * PAGE), 0);
	check_eq(rig_map(rig_page(7), rig.buffer, 2 * PAGE), 0);
	/* Nothing mapped; a hole before, after and between mappings; only the hole. */
	check_eq(copy_here(to, rig_page(0), PAGE), -ENOENT);
	check_eq(copy_here(to, rig_page(3), 2 * PAGE), -ENOENT);
	check_eq(copy_here(to, rig_page(3), 3 * PAGE), -ENOENT);
	check_eq(copy_here(to, rig_page(8), 2 * PAGE), -ENOENT);
	check_eq(copy_here(to, rig_page(4), 5 * PAGE), -ENOENT);
	check_eq(copy_here(to, rig_page(6), 3 * PAGE), -ENOENT);
	check_eq(copy_here(to, rig_page(6), PAGE), -ENOENT);
	check_eq(rig_unmap(to, 64 * PAGE), -ENOENT);
	check_eq(copy_here(to, rig_page(5), PAGE), 0);
}

RIG_TEST(copy_that_does_not_fit_leaves_nothing)
{
	map_pieces();
	check_eq(rig_map(rig_page(68), rig.buffer, PAGE), 0);
	check_eq(copy_here(rig_page(64), rig_page(0), 6 * PAGE), -EEXIST);
	check_eq(copy_here(rig_page(1), rig_page(0), 6 * PAGE), -EEXIST);
	check_eq(rig_unmap(rig_page(64), 4 * PAGE), -ENOENT);
	check_eq(add_reserved(rig.fd, rig.ioas, rig_page(80), PAGE), 0);
	check_eq(copy_here(rig_page(78), rig_page(0), 6 * PAGE), -EINVAL);
	check_eq(rig_unmap(rig_page(70), 64 * PAGE), -ENOENT);
}

RIG_TEST(copy_of_impossible_ranges_is_refused)
{
	uint64_t from = rig_page(0);
	uint64_t to = rig_page(64);

	map_buffer(from);
	check_eq(copy_here(to, from, 0), -EINVAL);
	check_eq(copy_here(to, from, UINT64_MAX), -EOVERFLOW);
	check_eq(copy_here(to, UINT64_MAX, PAGE), -EOVERFLOW);
	check_eq(copy_here(UINT64_MAX, from, PAGE), -EOVERFLOW);
	/* These ranges do not even wrap. */
	check_eq(copy_here(to, UINT64_MAX, 1), -EOVERFLOW);
	check_eq(copy_here(UINT64_MAX, from, 1), -EOVERFLOW);
	check_eq(copy_here(to, TOP_PAGE, 2 * PAGE), -EOVERFLOW);
	check_eq(copy_here(TOP_PAGE, from, 2 * PAGE), -EOVERFLOW);
	check_eq(ioas_copy(rig.fd, here(to), here(from), PAGE, 0), -EINVAL);
	check_eq(ioas_copy(rig.fd, here(to), at(NO_ID, 0), PAGE, IOAS_RW),
		 -ENOENT);
	check_eq(ioas_copy(rig.fd, at(NO_ID, 0), here(from), PAGE, IOAS_RW),
		 -ENOENT);
	check_eq(rig_unmap(to, 64 * PAGE), -ENOENT);
}

/* The order in which errors are reported if several arguments are wrong. */
RIG_TEST(copy_judges_its_arguments_in_order)
{
	uint64_t taken = rig_page(64);
	uint64_t from = rig_page(0);

	check_eq(ioas_map(rig.fd, rig.ioas, from, rig.buffer, PAGE, IOAS_R), 0);
	map_buffer(taken);
	/* Overflow, access rights, source IOAS, length, wrap, hole, destination. */
	check_eq(ioas_copy(rig.fd, at(NO_ID, 0), at(NO_ID, UINT64_MAX), 0, 0), -EOVERFLOW);
	check_eq(ioas_copy(rig.fd, at(NO_ID, 0), at(NO_ID, 0), 0, 0), -EINVAL);
	check_eq(ioas_copy(rig.fd, at(NO_ID, 0), at(NO_ID, 0), 0, IOAS_RW), -ENOENT);
	check_eq(ioas_copy(rig.fd, here(taken), at(NO_ID, TOP_PAGE), 2 * PAGE, IOAS_RW),
		 -ENOENT);
	check_eq(ioas_copy(rig.fd, at(NO_ID, 0), here(from), 0, IOAS_RW), -EINVAL);
	check_eq(ioas_copy(rig.fd, at(NO_ID, 0), here(TOP_PAGE), 2 * PAGE, IOAS_RW),
		 -EOVERFLOW);
	check_eq(copy_here(taken, rig_page(1), PAGE), -ENOENT);
	/* Wrap, reserved, mapped, and last the right to write. */
	check_eq(copy_here(TOP_PAGE + PAGE / 2, from, PAGE), -EOVERFLOW);
	if (rig.nmocks)
		check_eq(copy_here(0, from, PAGE), -EINVAL);
	check_eq(copy_here(taken, from, PAGE), -EEXIST);
	check_eq(copy_here(rig_page(1), from, PAGE), -EPERM);
}

RIG_TEST_WITH(0, single_bytes_can_be_copied)
{
	map_buffer(0);
	check_eq(copy_here(rig_page(64), 5, 1), 0);
	check_eq(copy_here(rig_page(64) + 1, 0, 1), 0);
	check_eq(rig_unmap(rig_page(64), 2), 2);
}

RIG_TEST_WITH(0, copy_can_end_where_the_numbers_end)
{
	map_buffer(0);
	check_eq(copy_here(TOP_PAGE, 0, PAGE), 0);
	check_eq(copy_here(rig_page(64), TOP_PAGE, PAGE), 0);
	check_eq(rig_unmap(TOP_PAGE, PAGE), PAGE);
	check_eq(rig_unmap(rig_page(64), PAGE), PAGE);
}

/* The rights of the first mapping of the memory count. */
RIG_TEST(copy_cannot_make_read_only_memory_writable)
{
	check_eq(ioas_map(rig.fd, rig.ioas, rig_page(0), rig.buffer, PAGE,
			  IOAS_R), 0);
	check_eq(copy_here(rig_page(64), rig_page(0), PAGE), -EPERM);
	check_eq(ioas_copy(rig.fd, here(rig_page(64)), here(rig_page(0)), PAGE,
			   IOAS_W), -EPERM);
	check_eq(ioas_copy(rig.fd, here(rig_page(64)), here(rig_page(0)), PAGE,
			   IOAS_R), 0);
	check_eq(copy_here(rig_page(65), rig_page(64), PAGE), -EPERM);
	/* One read-only piece makes the whole copy fail. */
	check_eq(rig_map(rig_page(1), rig.buffer, PAGE), 0);
	check_eq(copy_here(rig_page(70), rig_page(0), 2 * PAGE), -EPERM);
	check_eq(rig_unmap(rig_page(66), 64 * PAGE), -ENOENT);
}

RIG_TEST(read_only_copy_of_writable_memory_can_be_copied_writable)
{
	map_buffer(rig_page(0));
	check_eq(ioas_copy(rig.fd, here(rig_page(64)), here(rig_page(0)), PAGE,
			   IOAS_R), 0);
	check_eq(copy_here(rig_page(65), rig_page(64), PAGE), 0);
	rig_check_map(rig_page(65), rig.buffer, PAGE);
}

/* Borders inside the copy must fit the I/O pages of the destination, too. */
RIG_TEST_WITH(1, copy_of_pieces_that_do_not_fit_the_io_page_is_refused)
{
	uint32_t other = ioas_alloc(rig.fd);
	int fd = rig.fd;

	check_eq(ioas_map(fd, other, 0, rig.buffer, HALF / 2, IOAS_RW), 0);
	check_eq(ioas_map(fd, other, HALF / 2, rig.buffer + HALF / 2,
			  PAGE - HALF / 2, IOAS_RW), 0);
	check_eq(ioas_copy(fd, here(rig_page(0)), at(other, 1), PAGE / 2,
			   IOAS_RW), -EINVAL);
	check_eq(ioas_copy(fd, here(rig_page(0)), at(other, 0), HALF / 2,
			   IOAS_RW), -EINVAL);
	check_eq(ioas_copy(fd, here(rig_page(0)), at(other, 0), PAGE, IOAS_RW),
		 -EINVAL);
	check_eq(ioas_copy(fd, here(rig_page(0)), at(other, HALF), HALF,
			   IOAS_RW), 0);
	rig_check_map(rig_page(0), rig.buffer + HALF, HALF);
}

/* An in-kernel user pins the memory first, then a copy shows it. */
DEVICE_TEST(memory_can_be_pinned_before_it_is_copied)
{
	uint32_t other = ioas_alloc(rig.fd);
	long long pin;
	int access;

	check_eq(ioas_map(rig.fd, other, 0, rig.buffer, BUFFER_BYTES, IOAS_RW),
		 0);
	access = access_create(rig.fd, other, ACCESS_CREATE_NEEDS_PIN);
	require_true(access >= 0);
	pin = access_pin(rig.fd, access, 0, rig.buffer, BUFFER_BYTES,
			 ACCESS_PAGES_WRITE);
	require_true(pin >= 0);
	rig_check_refs(1);
	check_eq(ioas_copy(rig.fd, here(rig_page(0)), at(other, 0),
			   BUFFER_BYTES, IOAS_RW), 0);
	rig_check_map(rig_page(0), rig.buffer, BUFFER_BYTES);
	rig_check_refs(1);
	check_eq(access_unpin(rig.fd, access, (uint32_t)pin), 0);
	rig_check_refs(1);
	check_eq(access_replace_ioas(rig.fd, access, rig.ioas), 0);
	rig_check_map(rig_page(0), rig.buffer, BUFFER_BYTES);
	check_eq(object_destroy(rig.fd, other), 0);
	rig_check_map(rig_page(0), rig.buffer, BUFFER_BYTES);
	close(access);
	check_eq(rig_unmap(rig_page(0), BUFFER_BYTES), BUFFER_BYTES);
	rig_check_refs(0);
}

/* Copies of single pages while HWPTs come and go. */
DEVICE_TEST(tables_share_what_copies_show)
{
	struct mock mock;
	unsigned int i;

	map_buffer(rig_page(0));
	for (i = 0; i < BUFFER_PAGES; i++)
		check_eq(copy_here(rig_page(64 + 3 * i), rig_page(i), PAGE), 0);
	check_eq(rig_unmap(rig_page(0), BUFFER_BYTES), BUFFER_BYTES);
	rig_check_refs(1);
	rig_add_mock(&mock);
	for (i = 0; i < BUFFER_PAGES; i++) {
		check_eq(mock_check_map(rig.fd, mock.hwpt, rig_page(64 + 3 * i),
					rig.buffer + i * PAGE, PAGE), 0);
		rig_check_map(rig_page(64 + 3 * i), rig.buffer + i * PAGE,
			      PAGE);
	}
	rig_check_refs(1);
	for (i = 0; i < BUFFER_PAGES; i += 2)
		check_eq(rig_unmap(rig_page(64 + 3 * i), PAGE), PAGE);
	for (i = 0; i < BUFFER_PAGES; i++)
		check_eq(check_refs(rig.fd, rig.buffer + i * PAGE, PAGE, i % 2),
			 0);
}

/*
 * The source's address gets other memory after the map. A copy shows the pages of the source, not
 * those at the address now.
 */
DEVICE_TEST(copy_shows_the_pages_that_are_pinned)
{
	uint8_t *memory = mem_alloc_shared(PAGE);
	uint8_t *elsewhere;

	check_eq(rig_map(rig_page(0), memory, PAGE), 0);
	elsewhere = mremap(memory, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   mem_reserve(PAGE));
	require_true(elsewhere != MAP_FAILED);
	check_eq(copy_here(rig_page(1), rig_page(0), PAGE), 0);
	rig_check_map(rig_page(1), elsewhere, PAGE);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 2 * PAGE);
	mem_free(elsewhere, PAGE);
}

static const struct test tests[] = {
	RIG_ROWS(copy_within_an_ioas_shows_the_same_pages, 0),
	RIG_ROWS(copy_to_another_ioas_outlives_its_source, 0),
	RIG_ROWS(copy_from_an_ioas_with_devices_to_one_without, 0),
	RIG_ROWS(copy_chooses_an_iova, 0),
	RIG_ROWS(any_part_of_a_mapping_can_be_copied, 0),
	RIG_ROWS(copy_of_several_mappings_has_as_many_pieces, 0),
	RIG_ROWS(copy_begins_and_ends_inside_mappings, 0),
	RIG_ROWS(copy_of_what_is_not_mapped_throughout_is_refused, 0),
	RIG_ROWS(copy_that_does_not_fit_leaves_nothing, 0),
	RIG_ROWS(copy_of_impossible_ranges_is_refused, 0),
	RIG_ROWS(copy_judges_its_arguments_in_order, 0),
	TEST(single_bytes_can_be_copied, 0),
	TEST(copy_can_end_where_the_numbers_end, 0),
	RIG_ROWS(copy_cannot_make_read_only_memory_writable, 0),
	RIG_ROWS(read_only_copy_of_writable_memory_can_be_copied_writable, 0),
	TEST(copy_of_pieces_that_do_not_fit_the_io_page_is_refused, 0),
	DEVICE_ROWS(memory_can_be_pinned_before_it_is_copied, 0),
	DEVICE_ROWS(tables_share_what_copies_show, 0),
	DEVICE_ROWS(copy_shows_the_pages_that_are_pinned, 0),
};

int main(int argc, char **argv)
{
	after_each_test = restore_temp_limit;
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
