// SPDX-License-Identifier: GPL-2.0-only
/*
 * emul_limits.c - RLIMIT_MEMLOCK and the pages that emulated devices pin
 *
 * Without an IOMMU, pages are charged when a device pins them. With one, they are charged when they
 * are mapped, and pages that a device has pinned already are not charged again.
 */
#define _GNU_SOURCE
#include "lib_emulated.h"
#include "lib_native.h"

#define LIMIT_PAGES	4
#define LIMIT_KIB	(LIMIT_PAGES * PAGE_KIB)
#define NPAGES		64
#define FAR_IOVA	0xfffffffff0000ULL	/* beyond the reach of the IOMMU */

/* A rig of a process that may lock four pages, if it is not privileged. */
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
	/* The page that was pinned before still has one pin. */
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
	/* Everything works as before the failure. */
	check_eq(emul_unpin(0, 1), 0);
	check_eq(vm_lck_kib(0), LIMIT_KIB - PAGE_KIB);
	check_eq(emul_pin(0, 1, RW), 1);
	check_eq(dma_unmap_all(emul.container), NPAGES * PAGE);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

/* Stock finds the limit first, because it pins first. */
static void mapping_out_of_reach_counts_before_the_limit(void)
{
	const int out_of_reach = kernel_at_least(6, 19) ? -ERANGE : -EFAULT;

	open_limited();
	require_eq(emul_map(0, NPAGES, RW), 0);
	require_eq(dma_map(emul.container, FAR_IOVA, emul.memory, PAGE, RW), 0);
	check_eq(emul_add_pci(), backend_is_ioas() ? out_of_reach : -ENOMEM);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

/*
 * Linux 6.1 pins the zero page for a read-only map of untouched memory, and charges nothing. Once
 * the process has written to the memory, a driver pins another page. Only ours charges that page.
 */
static void pages_in_place_of_the_zero_page_are_charged(void)
{
	const bool zero = !kernel_at_least(6, 2);
	uint8_t *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uint64_t iova = NPAGES * PAGE;

	require_true(memory != MAP_FAILED);
	emul_open_mixed();
	require_eq(dma_map(emul.container, iova, memory, 4 * PAGE, RO), 0);
	check_eq(vm_lck_kib(0), zero ? 0 : 4 * PAGE_KIB);
	memset(memory, 1, 4 * PAGE);
	require_eq(emulated_pin(emul.device, iova, 4, RO), 4);
	check_eq(vm_lck_kib(0), zero && !backend_is_ioas() ? 0 : 4 * PAGE_KIB);
	check_eq(dma_unmap(emul.container, iova, 4 * PAGE), 4 * PAGE);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
	require_eq(or_errno(munmap(memory, 4 * PAGE)), 0);
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

/* Gives the process another page at this place of the memory. */
static void replace_page(uint64_t page)
{
	uint8_t *at = emul.memory + page * PAGE;

	require_true(mmap(at, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1,
			  0) == at);
}

/*
 * One page, shown at many IOVAs by COPY, which charges nothing. Before each pin the process gets
 * another page there. Each pin is charged, where stock would charge each mapping.
 */
static void copies_of_a_page_do_not_hide_pins_from_the_limit(void)
{
	struct iova_of first = { .iova = 0 };
	unsigned int i;

	require_true(has_ipc_lock());
	drop_ipc_lock();
	set_memlock_pages(LIMIT_PAGES);
	emul_open_mixed();
	first.ioas = vfio_ioas_get(emul.container);
	require_eq(emul_map(0, 1, RW), 0);
	for (i = 1; i < 16; i++)
		require_eq(ioas_copy(emul.container, (struct iova_of){ first.ioas, i * PAGE },
				     first, PAGE, IOMMU_IOAS_MAP_FIXED_IOVA |
				     IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE), 0);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	for (i = 0; i < 16; i++) {
		replace_page(0);
		/* The mapping has paid for the first pin, as in stock. */
		check_eq(emul_pin(i, 1, RW), i < LIMIT_PAGES ? 1 : -ENOMEM);
		check_eq(vm_lck_kib(0), PAGE_KIB * (i < LIMIT_PAGES ? i + 1 : LIMIT_PAGES));
	}
	/* Unpin, unmap and close give charges back. */
	check_eq(emul_unpin(1, 1), 0);
	check_eq(vm_lck_kib(0), (LIMIT_PAGES - 1) * PAGE_KIB);
	check_eq(emul_unmap(2, 1), 1);
	check_eq(vm_lck_kib(0), (LIMIT_PAGES - 2) * PAGE_KIB);
	emulated_behave(emul.device, 0, EMULATED_KEEPS_ON_CLOSE);
	emul_close_device();
	check_eq(vm_lck_kib(0), PAGE_KIB);
	check_eq(dma_unmap_all(emul.container), 15 * PAGE);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

/*
 * The first mapping is unmapped. The pins of its copy are charged, and given back later. After the
 * group has left, only the page that the driver has is charged.
 */
static void pins_of_a_copy_are_repaid_when_the_group_has_left(void)
{
	struct iova_of first = { .iova = 0 };

	emul_open_mixed();
	first.ioas = vfio_ioas_get(emul.container);
	require_eq(emul_map(0, 1, RW), 0);
	require_eq(ioas_copy(emul.container, (struct iova_of){ first.ioas, PAGE }, first, PAGE,
			     IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			     IOMMU_IOAS_MAP_WRITEABLE), 0);
	replace_page(0);
	check_eq(emul_pin(0, 2, RW), 2);
	check_eq(vm_lck_kib(0), 2 * PAGE_KIB);
	check_eq(emul_unmap(0, 1), 1);
	check_eq(vm_lck_kib(0), 2 * PAGE_KIB);
	emul_remove_pci();
	check_eq(vm_lck_kib(0), PAGE_KIB);
	check_eq(emul_unpin(1, 1), 0);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

/* The mapping has paid for each page, even if the process has another page there at the pin. */
static void pin_of_another_page_than_the_mapping_has_is_not_charged_again(void)
{
	open_limited();
	require_eq(emul_map(0, LIMIT_PAGES, RW), 0);
	check_eq(emul_add_pci(), 0);
	replace_page(0);
	replace_page(1);
	check_eq(emul_pin(0, LIMIT_PAGES, RW), LIMIT_PAGES);
	check_eq(vm_lck_kib(0), LIMIT_KIB);
	check_eq(emul_unpin(0, 1), 0);
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

static void pins_are_charged_by_the_capability_at_map_time(void)
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
	TEST(mapping_out_of_reach_counts_before_the_limit, NEEDS_ONE),
	TEST(pages_in_place_of_the_zero_page_are_charged, NEEDS_ONE),
	TEST(unmap_of_all_repays_the_pins, 0),
	TEST(page_is_charged_once_for_mapping_and_pin, NEEDS_ONE),
	TEST(pinned_page_is_not_charged_again_by_a_late_pci_group, NEEDS_ONE),
	TEST(unmap_repays_mapping_and_pins_once, NEEDS_ONE),
	TEST(pin_of_another_page_than_the_mapping_has_is_not_charged_again, NEEDS_ONE),
	TEST(copies_of_a_page_do_not_hide_pins_from_the_limit, ONLY_IOAS | NEEDS_ONE),
	TEST(pins_of_a_copy_are_repaid_when_the_group_has_left, ONLY_IOAS | NEEDS_ONE),
	TEST(pins_are_charged_by_the_capability_at_map_time, 0),
	TEST(privilege_of_one_map_does_not_help_another, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
