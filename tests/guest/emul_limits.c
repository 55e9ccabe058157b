// SPDX-License-Identifier: GPL-2.0-only
/*
 * emul_limits.c - RLIMIT_MEMLOCK and the pages that emulated devices pin:
 * spec/type1.md, cases 91-99
 *
 * Without an IOMMU pages are charged when a device pins them; with one when
 * they are mapped, and those that are pinned already are not charged again.
 */
#define _GNU_SOURCE
#include "lib_emulated.h"

#define LIMIT_PAGES	4
#define LIMIT_KIB	(LIMIT_PAGES * PAGE_KIB)
#define NPAGES		64

/* A process that may lock four pages, if it is not privileged. */
static void open_limited(void)
{
	require_true(has_ipc_lock());
	drop_ipc_lock();
	set_memlock_pages(LIMIT_PAGES);
	emul_open(VFIO_TYPE1v2_IOMMU);
}

static void pins_reach_the_limit_exactly(void)
{
	open_limited();
	check_eq(emul_map(0, NPAGES, RW), 0);
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_pin(0, LIMIT_PAGES, RW), LIMIT_PAGES);
	check_eq(vm_lck_kib(0), LIMIT_KIB);
	check_eq(emul_pin(LIMIT_PAGES, 1, RW), -ENOMEM);
	/* A page is charged once, however often it is pinned. */
	check_eq(emul_pin(0, 2, RW), 2);
	check_eq(vm_lck_kib(0), LIMIT_KIB);
	emul_close();
	check_eq(vm_lck_kib(0), 0);
}

static void pin_over_the_limit_leaves_no_trace(void)
{
	open_limited();
	require_eq(emul_map(0, NPAGES, RW), 0);
	require_eq(emul_pin(0, LIMIT_PAGES, RW), LIMIT_PAGES);
	check_eq(emul_pin(LIMIT_PAGES - 1, 2, RW), -ENOMEM);
	check_eq(vm_lck_kib(0), LIMIT_KIB);
	/* The page that was pinned before is so as often as before: once. */
	check_eq(emul_unpin(LIMIT_PAGES - 1, 1), 0);
	check_eq(vm_lck_kib(0), LIMIT_KIB - PAGE_KIB);
	check_eq(emul_pin(LIMIT_PAGES, 1, RW), 1);
	emul_close();
}

static void pci_group_over_the_limit_is_refused(void)
{
	open_limited();
	require_eq(emul_map(0, NPAGES, RW), 0);
	require_eq(emul_pin(0, LIMIT_PAGES, RW), LIMIT_PAGES);
	check_eq(emul_add_pci(), -ENOMEM);
	check_eq(vm_lck_kib(0), LIMIT_KIB);
	/* All goes on as if nothing had happened. */
	check_eq(emul_unpin(0, 1), 0);
	check_eq(vm_lck_kib(0), LIMIT_KIB - PAGE_KIB);
	check_eq(emul_pin(0, 1, RW), 1);
	check_eq(dma_unmap_all(emul.container), NPAGES * PAGE);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static void unmap_of_all_repays_the_pins(void)
{
	struct emulated_info info;

	open_limited();
	require_eq(emul_map(0, NPAGES, RW), 0);
	require_eq(emul_pin(0, LIMIT_PAGES, RW), LIMIT_PAGES);
	check_eq(dma_unmap_all(emul.container), NPAGES * PAGE);
	check_eq(vm_lck_kib(0), 0);
	info = emulated_info(emul.device);
	check_eq(info.ncallbacks, 1);
	check_eq(info.npins, 0);
	check_eq(info.log[0].iova, 0);
	check_eq(info.log[0].nbytes, NPAGES * PAGE);
	emul_close();
}

static void page_is_charged_once_for_mapping_and_pin(void)
{
	open_limited();
	require_eq(emul_map(0, LIMIT_PAGES, RW), 0);
	check_eq(emul_add_pci(), 0);
	check_eq(vm_lck_kib(0), LIMIT_KIB);
	check_eq(emul_pin(0, LIMIT_PAGES, RW), LIMIT_PAGES);
	check_eq(vm_lck_kib(0), LIMIT_KIB);
	emul_remove_pci();
	check_eq(vm_lck_kib(0), LIMIT_KIB);
	check_eq(emul_unpin(0, LIMIT_PAGES), 0);
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, LIMIT_PAGES), LIMIT_PAGES);
	emul_close();
}

static void pinned_page_is_not_charged_again_by_a_late_pci_group(void)
{
	open_limited();
	require_eq(emul_map(0, LIMIT_PAGES, RW), 0);
	check_eq(emul_pin(1, 2, RW), 2);
	check_eq(vm_lck_kib(0), 2 * PAGE_KIB);
	check_eq(emul_add_pci(), 0);
	check_eq(vm_lck_kib(0), LIMIT_KIB);
	check_eq(emul_unpin(1, 1), 0);
	check_eq(vm_lck_kib(0), LIMIT_KIB);
	emul_remove_pci();
	check_eq(vm_lck_kib(0), PAGE_KIB);
	check_eq(emul_unmap(0, LIMIT_PAGES), LIMIT_PAGES);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static void unmap_repays_mapping_and_pins_once(void)
{
	require_true(has_ipc_lock());
	drop_ipc_lock();
	set_memlock_pages(LIMIT_PAGES);
	emul_open_mixed();
	require_eq(emul_map(0, LIMIT_PAGES, RW), 0);
	check_eq(emul_pin(0, 2, RW), 2);
	check_eq(vm_lck_kib(0), LIMIT_KIB);
	check_eq(emul_unmap(0, LIMIT_PAGES), LIMIT_PAGES);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static void open_with_privilege_and_drop_it(void)
{
	require_true(has_ipc_lock());
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 8, RW), 0);
	drop_ipc_lock();
	set_memlock_pages(0);
}

static void privilege_is_that_of_the_map(void)
{
	open_with_privilege_and_drop_it();
	check_eq(emul_pin(0, 4, RW), 4);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(emul_unmap(0, 8), 8);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static void privilege_of_one_map_does_not_help_another(void)
{
	open_with_privilege_and_drop_it();
	check_eq(emul_map(8, 8, RW), 0);
	check_eq(emul_pin(8, 1, RW), -ENOMEM);
	check_eq(emul_pin(7, 2, RW), -ENOMEM);
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_add_pci(), -ENOMEM);
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(8, 8), 8);
	check_eq(emul_add_pci(), 0);
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB);
	emul_close();
	check_eq(vm_lck_kib(0), 0);
}

static const struct test tests[] = {
	TEST(pins_reach_the_limit_exactly, 0),
	TEST(pin_over_the_limit_leaves_no_trace, 0),
	TEST(pci_group_over_the_limit_is_refused, NEEDS_ONE),
	TEST(unmap_of_all_repays_the_pins, 0),
	TEST(page_is_charged_once_for_mapping_and_pin, NEEDS_ONE),
	TEST(pinned_page_is_not_charged_again_by_a_late_pci_group, NEEDS_ONE),
	TEST(unmap_repays_mapping_and_pins_once, NEEDS_ONE),
	TEST(privilege_is_that_of_the_map, 0),
	TEST(privilege_of_one_map_does_not_help_another, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
