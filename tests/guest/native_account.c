// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_account.c - pinned memory is counted: always in VmPin, and against RLIMIT_MEMLOCK in VmLck
 * or in the user's own count
 */
#define _GNU_SOURCE
#include "lib_native.h"

#define USER		1000
#define ROOM_PAGES	(BUFFER_PAGES + 4)

enum mode { BY_USER, BY_MM };

static long pinned(void)
{
	return status_kib(0, "VmPin");
}

static long locked(void)
{
	return status_kib(0, "VmLck");
}

#define BUFFER_KIB	((long)BUFFER_PAGES * PAGE_KIB)

/*
 * The rig of a process that may not lock without limit. The count of a user covers all processes of
 * the user, so this is a user without other processes.
 */
static void open_limited(enum mode mode, unsigned int nmocks,
			 uint64_t limit_pages)
{
	int i;

	rig_native_open(0);
	if (mode == BY_MM) {
		check_eq(object_destroy(rig.fd, rig.ioas), 0);
		check_eq(option_set(rig.fd, IOMMU_OPTION_RLIMIT_MODE, 0, BY_MM),
			 0);
		rig.ioas = ioas_alloc(rig.fd);
	}
	for (i = 0; i < (int)nmocks; i++)
		require_eq(mock_attach(rig.fd, rig.ioas, &rig.mock[i]), 0);
	rig.nmocks = nmocks;
	rig.base = MOCK_APERTURE_START;
	set_memlock_pages(limit_pages);
	drop_ipc_lock();
	require_eq(or_errno(setresuid(USER, USER, USER)), 0);
	/* The change of the user id has removed CAP_IPC_LOCK, too. */
	require_true(!has_ipc_lock());
	check_eq(pinned(), 0);
	check_eq(locked(), 0);
}

/* Only root can open the node, so this user cannot check for leaks through another file. */
static void close_limited(void)
{
	check_eq(check_refs(rig.fd, rig.buffer, BUFFER_BYTES, 0), 0);
	close(rig.fd);
	mem_free(rig.buffer, BUFFER_BYTES);
	check_eq(pinned(), 0);
}

static void run_limited(void (*checks)(void), enum mode mode)
{
	open_limited(mode, 1, ROOM_PAGES);
	checks();
	close_limited();
}

/* A test that holds for both ways to count against the limit. */
#define LIMIT_TEST(name) \
	static void name##_checks(void); \
	static void name(void) { run_limited(name##_checks, BY_USER); } \
	static void name##_by_mm(void) \
	{ run_limited(name##_checks, BY_MM); } \
	static void name##_checks(void)

#define LIMIT_ROWS(name)	TEST(name, 0), TEST(name##_by_mm, 0)

static void check_counts(long npages)
{
	bool by_mm = option_get(rig.fd, IOMMU_OPTION_RLIMIT_MODE, 0) == BY_MM;

	check_eq(pinned(), npages * PAGE_KIB);
	check_eq(locked(), by_mm ? npages * PAGE_KIB : 0);
}

LIMIT_TEST(pinned_pages_are_counted_until_unmapped)
{
	check_eq(rig_map(rig_page(0), rig.buffer, 4 * PAGE), 0);
	check_counts(4);
	check_eq(rig_map(rig_page(4), rig.buffer + 4 * PAGE, 12 * PAGE), 0);
	check_counts(16);
	check_eq(rig_unmap(rig_page(0), 4 * PAGE), 4 * PAGE);
	check_counts(12);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 12 * PAGE);
	check_counts(0);
}

LIMIT_TEST(map_beyond_the_limit_is_refused)
{
	uint64_t nbytes = (ROOM_PAGES + 1) * PAGE;
	uint8_t *memory = mem_alloc_shared(nbytes);

	check_eq(rig_map(rig_page(0), memory, nbytes), -ENOMEM);
	check_counts(0);
	check_eq(check_refs(rig.fd, memory, nbytes, 0), 0);
	check_eq(rig_map(rig_page(0), memory, nbytes - PAGE), 0);
	check_counts(ROOM_PAGES);
	check_eq(rig_map(rig_page(64), rig.buffer, PAGE), -ENOMEM);
	check_counts(ROOM_PAGES);
	check_eq(rig_unmap(rig_page(0), nbytes - PAGE), nbytes - PAGE);
	check_eq(rig_map(rig_page(64), rig.buffer, BUFFER_BYTES), 0);
	check_counts(BUFFER_PAGES);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), BUFFER_BYTES);
	mem_free(memory, nbytes);
}

LIMIT_TEST(native_memory_mapped_twice_is_charged_twice)
{
	check_eq(rig_map(rig_page(0), rig.buffer, 8 * PAGE), 0);
	check_eq(rig_map(rig_page(64), rig.buffer, 8 * PAGE), 0);
	check_counts(16);
	check_eq(rig_map(rig_page(128), rig.buffer, 8 * PAGE), -ENOMEM);
	check_counts(16);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 16 * PAGE);
	check_counts(0);
}

LIMIT_TEST(what_is_copied_counts_once)
{
	uint32_t other = ioas_alloc(rig.fd);
	struct iova_of from = { rig.ioas, rig_page(0) };
	struct iova_of to = { rig.ioas, rig_page(64) };
	struct iova_of elsewhere = { other, 0 };

	check_eq(rig_map(rig_page(0), rig.buffer, BUFFER_BYTES), 0);
	check_counts(BUFFER_PAGES);
	check_eq(ioas_copy(rig.fd, to, from, BUFFER_BYTES, IOAS_RW), 0);
	check_eq(ioas_copy(rig.fd, elsewhere, from, BUFFER_BYTES, IOAS_RW), 0);
	check_counts(BUFFER_PAGES);
	check_eq(rig_unmap(rig_page(0), BUFFER_BYTES), BUFFER_BYTES);
	check_counts(BUFFER_PAGES);
	check_eq(rig_unmap(rig_page(64), BUFFER_BYTES), BUFFER_BYTES);
	check_counts(0);
	/* Nothing pins the memory now, but it is still mapped in an IOAS without a device. */
	check_eq(ioas_copy(rig.fd, from, elsewhere, 5 * PAGE, IOAS_RW), 0);
	check_counts(5);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 5 * PAGE);
	check_counts(0);
}

/* Only the parts of a map that copies show count. */
LIMIT_TEST(parts_that_are_copied_count_as_they_overlap)
{
	uint32_t other = ioas_alloc(rig.fd);
	struct iova_of from = { other, 0 };
	struct iova_of to = { rig.ioas, rig_page(0) };

	check_eq(ioas_map(rig.fd, other, 0, rig.buffer, BUFFER_BYTES, IOAS_RW),
		 0);
	check_counts(0);
	check_eq(ioas_copy(rig.fd, to, from, 4 * PAGE, IOAS_RW), 0);
	check_counts(4);
	from.iova = 2 * PAGE;
	to.iova = rig_page(16);
	check_eq(ioas_copy(rig.fd, to, from, 6 * PAGE, IOAS_RW), 0);
	check_counts(8);
	check_eq(rig_unmap(rig_page(0), 4 * PAGE), 4 * PAGE);
	check_counts(6);
	check_eq(rig_unmap(rig_page(16), 6 * PAGE), 6 * PAGE);
	check_counts(0);
}

LIMIT_TEST(pins_of_in_kernel_users_are_counted)
{
	uint32_t other = ioas_alloc(rig.fd);
	int access = access_create(rig.fd, other, ACCESS_CREATE_NEEDS_PIN);
	struct iova_of to = { rig.ioas, rig_page(0) };
	struct iova_of from = { other, 0 };
	long long pin, second;

	require_true(access >= 0);
	check_eq(ioas_map(rig.fd, other, 0, rig.buffer, BUFFER_BYTES, IOAS_RW),
		 0);
	pin = access_pin(rig.fd, access, 0, rig.buffer, 4 * PAGE, 0);
	require_true(pin >= 0);
	check_counts(4);
	second = access_pin(rig.fd, access, 2 * PAGE, rig.buffer + 2 * PAGE,
			    4 * PAGE, 0);
	require_true(second >= 0);
	check_counts(6);
	check_eq(ioas_copy(rig.fd, to, from, 5 * PAGE, IOAS_RW), 0);
	check_counts(6);
	check_eq(access_unpin(rig.fd, access, (uint32_t)pin), 0);
	check_counts(6);
	check_eq(access_unpin(rig.fd, access, (uint32_t)second), 0);
	check_counts(5);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 5 * PAGE);
	check_counts(0);
	close(access);
}

LIMIT_TEST(pins_beyond_the_limit_are_refused)
{
	uint64_t nbytes = (ROOM_PAGES + 1) * PAGE;
	uint8_t *memory = mem_alloc_shared(nbytes);
	uint32_t other = ioas_alloc(rig.fd);
	int access = access_create(rig.fd, other, ACCESS_CREATE_NEEDS_PIN);

	require_true(access >= 0);
	check_eq(ioas_map(rig.fd, other, 0, memory, nbytes, IOAS_RW), 0);
	check_eq(access_pin(rig.fd, access, 0, memory, nbytes, 0), -ENOMEM);
	check_counts(0);
	check_eq(check_refs(rig.fd, memory, nbytes, 0), 0);
	check_true(access_pin(rig.fd, access, 0, memory, nbytes - PAGE, 0) >=
		   0);
	check_counts(ROOM_PAGES);
	close(access);
	check_counts(0);
	check_eq(ioas_unmap_all(rig.fd, other), nbytes);
	mem_free(memory, nbytes);
}

/* Nothing counts until something pins. Then the pages of a device may exceed the limit. */
LIMIT_TEST(device_is_refused_where_its_pages_are_beyond_the_limit)
{
	uint64_t nbytes = (ROOM_PAGES + 1) * PAGE;
	uint8_t *memory = mem_alloc_shared(nbytes);
	uint32_t other = ioas_alloc(rig.fd);
	struct mock mock;

	check_eq(ioas_map(rig.fd, other, rig_page(0), memory, nbytes, IOAS_RW),
		 0);
	check_counts(0);
	check_eq(mock_attach(rig.fd, other, &mock), -ENOMEM);
	check_counts(0);
	check_eq(check_refs(rig.fd, memory, nbytes, 0), 0);
	set_memlock_pages(ROOM_PAGES);
	check_eq(ioas_unmap_all(rig.fd, other), nbytes);
	check_eq(ioas_map(rig.fd, other, rig_page(0), memory, PAGE, IOAS_RW),
		 0);
	check_eq(mock_attach(rig.fd, other, &mock), 0);
	check_counts(1);
	check_eq(object_destroy(rig.fd, mock.device), 0);
	check_counts(0);
	check_eq(ioas_unmap_all(rig.fd, other), PAGE);
	mem_free(memory, nbytes);
}

LIMIT_TEST(reading_and_writing_is_free_of_charge)
{
	uint32_t other = ioas_alloc(rig.fd);
	int access = access_create(rig.fd, other, 0);
	uint8_t copy[2 * PAGE];

	require_true(access >= 0);
	check_eq(ioas_map(rig.fd, other, 0, rig.buffer, BUFFER_BYTES, IOAS_RW),
		 0);
	check_eq(rig_map(rig_page(0), rig.buffer, BUFFER_BYTES), 0);
	check_eq(access_rw(rig.fd, access, 100, copy, sizeof(copy), 0), 0);
	check_counts(BUFFER_PAGES);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), BUFFER_BYTES);
	check_eq(access_rw(rig.fd, access, 100, copy, sizeof(copy),
			   ACCESS_RW_SLOW_PATH | ACCESS_RW_WRITE), 0);
	check_counts(0);
	close(access);
}

LIMIT_TEST(close_gives_the_counts_back)
{
	int fd = rig.fd;

	check_eq(rig_map(rig_page(0), rig.buffer, BUFFER_BYTES), 0);
	check_counts(BUFFER_PAGES);
	rig.fd = dup(fd);
	close(fd);
	check_counts(BUFFER_PAGES);
	/* The end of the test closes the last descriptor and checks that nothing is left. */
	check_eq(object_destroy(rig.fd, rig.mock[0].device), 0);
	check_counts(0);
}

/* The child has the same user, so both together reach the limit. */
static void map_in_child(void *arg)
{
	int result = *(int *)arg;
	void *memory = mem_alloc(8 * PAGE);

	check_eq(ioas_map(rig.fd, rig.ioas, rig_page(512), memory, 8 * PAGE,
			  IOAS_RW), result);
	if (result == 0)
		check_eq(rig_unmap(rig_page(512), 8 * PAGE), 8 * PAGE);
}

static void limit_is_one_for_all_processes_of_a_user(void)
{
	int result = -ENOMEM;

	open_limited(BY_USER, 1, ROOM_PAGES);
	check_eq(rig_map(rig_page(0), rig.buffer, BUFFER_BYTES), 0);
	join(spawn(map_in_child, &result));
	check_eq(rig_unmap(rig_page(0), BUFFER_BYTES), BUFFER_BYTES);
	result = 0;
	join(spawn(map_in_child, &result));
	close_limited();
}

static void limit_by_mm_is_one_for_each_process(void)
{
	int result = 0;

	open_limited(BY_MM, 1, ROOM_PAGES);
	check_eq(rig_map(rig_page(0), rig.buffer, BUFFER_BYTES), 0);
	join(spawn(map_in_child, &result));
	check_eq(rig_unmap(rig_page(0), BUFFER_BYTES), BUFFER_BYTES);
	close_limited();
}

/* The process that mapped is charged, whichever process causes the pins. */
RIG_TEST_WITH(0, another_process_is_charged_for_its_own_maps)
{
	struct child_map map;
	struct mock mock;

	child_maps(&map, MOCK_APERTURE_START);
	check_eq(status_kib(map.child, "VmPin"), 0);
	check_eq(mock_attach(rig.fd, rig.ioas, &mock), 0);
	check_eq(status_kib(map.child, "VmPin"), BUFFER_KIB);
	check_eq(pinned(), 0);
	check_eq(object_destroy(rig.fd, mock.device), 0);
	check_eq(status_kib(map.child, "VmPin"), 0);
	child_may_exit(&map);
}

RIG_TEST_WITH(1, the_privileged_have_no_limit)
{
	set_memlock_pages(1);
	require_true(has_ipc_lock());
	check_eq(rig_map(rig_page(0), rig.buffer, BUFFER_BYTES), 0);
	check_eq(pinned(), BUFFER_KIB);
	check_eq(locked(), 0);
	check_eq(rig_unmap(rig_page(0), BUFFER_BYTES), BUFFER_BYTES);
	check_eq(pinned(), 0);
}

RIG_TEST(second_hwpt_adds_no_charge)
{
	check_eq(rig_map(rig_page(0), rig.buffer, BUFFER_BYTES), 0);
	check_eq(pinned(), rig.nmocks ? BUFFER_KIB : 0);
	check_eq(rig_unmap(rig_page(0), BUFFER_BYTES), BUFFER_BYTES);
	check_eq(pinned(), 0);
}

RIG_TEST_WITH(1, half_pages_count_as_whole_ones)
{
	check_eq(rig_map(rig_page(0), rig.buffer + MOCK_IO_PAGE, PAGE), 0);
	check_eq(pinned(), 2 * PAGE_KIB);
	check_eq(rig_map(rig_page(1), rig.buffer, MOCK_IO_PAGE), 0);
	check_eq(pinned(), 3 * PAGE_KIB);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), PAGE + MOCK_IO_PAGE);
	check_eq(pinned(), 0);
}

RIG_TEST_WITH(1, failed_map_is_free_of_charge)
{
	uint8_t *memory = mem_alloc_shared(4 * PAGE);

	mem_free(memory + 3 * PAGE, PAGE);
	check_eq(rig_map(rig_page(0), memory, 4 * PAGE), -EFAULT);
	check_eq(pinned(), 0);
	mem_free(memory, 3 * PAGE);
}

static const struct test tests[] = {
	LIMIT_ROWS(pinned_pages_are_counted_until_unmapped),
	LIMIT_ROWS(map_beyond_the_limit_is_refused),
	LIMIT_ROWS(native_memory_mapped_twice_is_charged_twice),
	LIMIT_ROWS(what_is_copied_counts_once),
	LIMIT_ROWS(parts_that_are_copied_count_as_they_overlap),
	LIMIT_ROWS(pins_of_in_kernel_users_are_counted),
	LIMIT_ROWS(pins_beyond_the_limit_are_refused),
	LIMIT_ROWS(device_is_refused_where_its_pages_are_beyond_the_limit),
	LIMIT_ROWS(reading_and_writing_is_free_of_charge),
	LIMIT_ROWS(close_gives_the_counts_back),
	TEST(limit_is_one_for_all_processes_of_a_user, 0),
	TEST(limit_by_mm_is_one_for_each_process, 0),
	TEST(another_process_is_charged_for_its_own_maps, 0),
	TEST(the_privileged_have_no_limit, 0),
	RIG_ROWS(second_hwpt_adds_no_charge, 0),
	TEST(half_pages_count_as_whole_ones, 0),
	TEST(failed_map_is_free_of_charge, 0),
};

int main(int argc, char **argv)
{
	after_each_test = restore_temp_limit;
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
