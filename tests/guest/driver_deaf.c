// SPDX-License-Identifier: GPL-2.0-only
/*
 * driver_deaf.c - a driver that pins memory and keeps it when it is told of an unmap
 *
 * The kernel warns about such a driver once in a boot for unmaps, and once for accesses that leave.
 * So this program has a boot to itself, and run-kapi looks for the warnings.
 */
#define _GNU_SOURCE
#include "lib_driver.h"

static uint8_t buffer[KAPI_BYTES];

/* Opens a file of such a driver, with the memory pinned. */
static int open_deaf(long long *pin)
{
	int file = edu_file(LONE_0);

	kapi_open();
	kapi_map(KAPI_IOVA);
	require_true(edu_access(file, kapi.fd, kapi.ioas, EDU_TEST_ACCESS_PINS |
				EDU_TEST_ACCESS_DEAF) > 0);
	*pin = edu_pin(file, KAPI_IOVA, KAPI_BYTES, EDU_TEST_WRITE);
	require_true(*pin > 0);
	return file;
}

static void check_unmap_fails(void)
{
	check_eq(ioas_unmap(kapi.fd, kapi.ioas, KAPI_IOVA, KAPI_BYTES),
		 -EDEADLK);
	check_eq(vm_pin_kib(), KAPI_KIB);
}

static void check_unmap_succeeds(void)
{
	check_eq(ioas_unmap(kapi.fd, kapi.ioas, KAPI_IOVA, KAPI_BYTES),
		 KAPI_BYTES);
	check_eq(vm_pin_kib(), 0);
}

/* Must be the first test: the kernel warns about its unmap, and about no later one. */
static void unmap_that_the_driver_ignores_gives_up(void)
{
	uint64_t start_ns = now_ns();
	long long pin;
	int file = open_deaf(&pin);

	expect_warning_in("tell_users");
	check_unmap_fails();
	check_true(now_ns() - start_ns < 30000000000ULL);
	check_true(edu_access_info(file).nnotices > 0);
	check_eq(edu_access_info(file).npins, 1);
	check_eq(edu_unpin(file, pin), 0);
	check_unmap_succeeds();
	close(file);
	kapi_close();
}

static void pages_stay_pinned_until_the_driver_unpins_them(void)
{
	long long pin, again;
	int file = open_deaf(&pin);
	uint8_t *memory = kapi.memory;

	check_unmap_fails();
	check_unmap_fails();
	/* The map is as before: it can be pinned again. */
	again = edu_pin(file, KAPI_IOVA, PAGE, 0);
	check_true(again >= 0);
	check_eq(edu_unpin(file, again), 0);
	fill(buffer, KAPI_BYTES, 1);
	kapi.memory = mem_alloc(KAPI_BYTES);
	mem_free(memory, KAPI_BYTES);
	memset(kapi.memory, 0xee, KAPI_BYTES);
	memory = mem_alloc(KAPI_BYTES);
	require_eq(edu_pin_copy(file, pin, memory, 0), 0);
	check_mem(memory, buffer, KAPI_BYTES);
	check_eq(edu_unpin(file, pin), 0);
	check_unmap_succeeds();
	mem_free(memory, KAPI_BYTES);
	close(file);
	kapi_close();
}

static void device_still_reaches_what_could_not_be_unmapped(void)
{
	long long pin;
	int file = open_deaf(&pin);
	int attached = kapi_attached(LONE_1);

	check_unmap_fails();
	check_dma(attached, KAPI_IOVA);
	check_eq(edu_unpin(file, pin), 0);
	check_unmap_succeeds();
	check_no_store(attached, KAPI_IOVA);
	kapi_detach(attached);
	close(file);
	kapi_close();
}

static void other_maps_can_be_unmapped_all_the_same(void)
{
	long long pin;
	int file = open_deaf(&pin);

	kapi_map(OTHER_IOVA);
	check_unmap_fails();
	check_eq(ioas_unmap(kapi.fd, kapi.ioas, OTHER_IOVA, KAPI_BYTES),
		 KAPI_BYTES);
	kapi_map(OTHER_IOVA);
	check_eq(ioas_unmap_all(kapi.fd, kapi.ioas), -EDEADLK);
	check_eq(edu_unpin(file, pin), 0);
	check_unmap_succeeds();
	close(file);
	kapi_close();
}

/* Must be the first test in which an access leaves: the kernel warns only about that one. */
static void replacement_that_the_driver_ignores_changes_nothing(void)
{
	long long pin, again;
	int file = open_deaf(&pin);
	uint32_t other = ioas_alloc(kapi.fd);

	expect_warning_in("tell_driver");
	check_eq(edu_access_replace(file, other), -EDEADLK);
	check_eq(edu_access_info(file).nnotices, 100);
	check_eq(vm_pin_kib(), KAPI_KIB);
	check_eq(object_destroy(kapi.fd, other), 0);
	again = edu_pin(file, KAPI_IOVA, PAGE, 0);
	check_true(again > 0);
	check_eq(edu_unpin(file, again), 0);
	check_eq(edu_unpin(file, pin), 0);
	check_eq(edu_access_replace(file, ioas_alloc(kapi.fd)), 0);
	check_unmap_succeeds();
	close(file);
	kapi_close();
}

static void pin_that_outlives_a_detach_can_be_given_back(void)
{
	long long pin;
	int file = open_deaf(&pin);
	uint32_t other = ioas_alloc(kapi.fd);

	check_eq(edu_access_detach(file), 0);
	check_eq(vm_pin_kib(), KAPI_KIB);
	check_eq(edu_access_info(file).nnotices, 100);
	check_eq(edu_pin(file, KAPI_IOVA, PAGE, 0), -ENOENT);
	check_eq(edu_access_attach(file, other), -EBUSY);
	check_eq(object_destroy(kapi.fd, kapi.ioas), -EBUSY);
	check_unmap_fails();
	/* The driver is not told again. */
	check_eq(edu_access_info(file).nnotices, 100);
	check_eq(edu_unpin(file, pin), 0);
	check_unmap_succeeds();
	check_eq(object_destroy(kapi.fd, kapi.ioas), 0);
	check_eq(edu_access_attach(file, other), 0);
	close(file);
	kapi_close();
}

static void unmap_in_vain_and_wait(struct gate *ready)
{
	long long pin;

	open_deaf(&pin);
	check_unmap_fails();
	gate_open(ready);
}

static void killed_owner_of_pins_leaves_none(void)
{
	kill_when_ready(unmap_in_vain_and_wait);
}

static const struct test tests[] = {
	TEST(unmap_that_the_driver_ignores_gives_up, 0),
	TEST(pages_stay_pinned_until_the_driver_unpins_them, 0),
	TEST(device_still_reaches_what_could_not_be_unmapped, 0),
	TEST(other_maps_can_be_unmapped_all_the_same, 0),
	TEST(replacement_that_the_driver_ignores_changes_nothing, 0),
	TEST(pin_that_outlives_a_detach_can_be_given_back, 0),
	TEST(killed_owner_of_pins_leaves_none, 0),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
