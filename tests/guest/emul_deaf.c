// SPDX-License-Identifier: GPL-2.0-only
/*
 * emul_deaf.c - an emulated device that keeps pages when its callback tells it of their unmap
 *
 * The kernel warns about such a device once in a boot. So this program has a boot to itself, and
 * run-emulated looks for the warning.
 */
#define _GNU_SOURCE
#include "lib_emulated.h"

#define NCALLBACKS	100U	/* callbacks after which unmap gives up */
#define FOREVER		UINT32_MAX

static void open_deaf(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 8, RW), 0);
	require_eq(emul_pin(0, 4, RW), 4);
	emulated_behave(emul.device, FOREVER, EMULATED_KEEPS_ON_CLOSE);
}

static void check_unmap_fails(void)
{
	check_eq(emul_unmap(0, 8), -EDEADLK);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(npins_of(emul.device), 4);
}

/* Must be the first test: the kernel warns about its unmap, and about no later one. */
static void unmap_that_the_device_ignores_gives_up(void)
{
	uint64_t start_ns = now_ns();

	open_deaf();
	expect_warning_in("tell_users");
	check_unmap_fails();
	check_true(now_ns() - start_ns < 30000000000ULL);
	check_eq(ncallbacks_of(emul.device), NCALLBACKS);
	emulated_behave(emul.device, 0, 0);
	check_eq(emul_unmap(0, 8), 8);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static void pages_stay_pinned_until_the_device_unpins_them(void)
{
	static uint8_t bytes[4 * PAGE];

	open_deaf();
	check_unmap_fails();
	check_unmap_fails();
	check_eq(emulated_copy(emul.device, 0, bytes, sizeof(bytes), 0), 0);
	check_mem(bytes, emul.memory, sizeof(bytes));
	/* The mapping is as before. */
	check_eq(emul_map(0, 1, RW), -EEXIST);
	check_eq(emul_pin(4, 1, RW), 1);
	check_eq(emul_unpin(0, 5), 0);
	check_eq(emul_unmap(0, 8), 8);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static void other_mappings_can_be_unmapped_all_the_same(void)
{
	open_deaf();
	require_eq(emul_map(16, 4, RW), 0);
	check_unmap_fails();
	check_eq(emul_unmap(16, 4), 4);
	require_eq(emul_map(16, 4, RW), 0);
	check_eq(dma_unmap_all(emul.container), -EDEADLK);
	emul_close();
	check_eq(vm_lck_kib(0), 0);
}

static void closing_the_device_makes_unmap_possible(void)
{
	open_deaf();
	check_unmap_fails();
	emul_close_device();
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 8), 8);
	emul_close();
}

static void unmap_in_vain(void *unused)
{
	(void)unused;
	open_deaf();
	check_unmap_fails();
}

static void process_that_ends_with_a_deaf_device_leaves_no_pins(void)
{
	join(spawn(unmap_in_vain, NULL));
}

static const struct test tests[] = {
	TEST(unmap_that_the_device_ignores_gives_up, ONLY_IOAS),
	TEST(pages_stay_pinned_until_the_device_unpins_them, ONLY_IOAS),
	TEST(other_mappings_can_be_unmapped_all_the_same, ONLY_IOAS),
	TEST(closing_the_device_makes_unmap_possible, ONLY_IOAS),
	TEST(process_that_ends_with_a_deaf_device_leaves_no_pins, ONLY_IOAS),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
