// SPDX-License-Identifier: GPL-2.0-only
/*
 * emul_mixed.c - a PCI group joins a container whose mappings were made without an IOMMU
 */
#define _GNU_SOURCE
#include "lib_emulated.h"

#define MSI_IOVA	0xfee00000ULL
#define FAR_IOVA	0xfffffffff0000ULL	/* beyond the reach of the IOMMU */
#define DMA_PAGE	256ULL			/* the edu device reaches 256 MiB */
#define PROBE_IOVA	(1024 * PAGE)

static void mapping_where_interrupts_go_keeps_the_pci_group_out(void)
{
	int container;

	emul_open(VFIO_TYPE1v2_IOMMU);
	container = emul.container;
	require_eq(dma_map(container, MSI_IOVA, emul.memory, PAGE, RW), 0);
	check_eq(emul_add_pci(), -EINVAL);
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_unmap(container, MSI_IOVA, PAGE), PAGE);
	check_eq(emul_add_pci(), 0);
	check_eq(dma_map(container, MSI_IOVA, emul.memory, PAGE, RW), -EINVAL);
	emul_close();
}

static void check_far_mapping(int expected)
{
	int container = emul.container;

	require_eq(dma_map(container, FAR_IOVA, emul.memory, PAGE, RW), 0);
	check_eq(emul_add_pci(), expected);
	check_eq(vm_lck_kib(0), 0);
	/* The failure has changed nothing. */
	check_eq(emul_map(0, 4, RW), 0);
	check_eq(emul_pin(0, 4, RW), 4);
	check_eq(emulated_pin(emul.device, FAR_IOVA, 1, RW), 1);
	check_eq(dma_unmap(container, FAR_IOVA, PAGE), PAGE);
	check_eq(emul_unmap(0, 4), 4);
	check_eq(emul_add_pci(), 0);
}

static void mapping_out_of_the_iommus_reach_keeps_the_pci_group_out(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	expect_in_log("is not sufficient for the mapped address");
	check_far_mapping(kernel_at_least(6, 19) ? -ERANGE : -EFAULT);
	emul_close();
}

static void mapping_out_of_reach_keeps_it_out_the_second_time(void)
{
	emul_open_mixed();
	emul_remove_pci();
	expect_in_log("is not sufficient for the mapped address");
	check_far_mapping(kernel_at_least(6, 18) ? -EINVAL : -EFAULT);
	emul_close();
}

/* DMA within the first four pages of the memory, which are mapped at DMA_PAGE. */
static void check_edu(void)
{
	struct probe probe;
	struct edu edu;

	edu_open(&edu, emul.pci, 0);
	check_copy(&edu, emul.memory, DMA_PAGE * PAGE, emul.memory + 2 * PAGE,
		   (DMA_PAGE + 2) * PAGE);
	probe_open(&probe, &edu, emul.container, PROBE_IOVA);
	edu_load(&edu, DMA_PAGE * PAGE, EDU_BYTES);
	check_true(probe_equals(&probe, emul.memory, EDU_BYTES));
	probe_close(&probe);
	edu_close(&edu);
}

static void device_of_a_late_pci_group_reaches_what_is_mapped(void)
{
	int container;

	emul_open(VFIO_TYPE1v2_IOMMU);
	container = emul.container;
	require_eq(dma_map(container, DMA_PAGE * PAGE, emul.memory, 4 * PAGE, RW),
		   0);
	check_eq(emul_add_pci(), 0);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_edu();
	emul_remove_pci();
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_unmap(container, DMA_PAGE * PAGE, 4 * PAGE), 4 * PAGE);
	emul_close();
}

static void device_of_a_late_pci_group_reaches_pinned_pages(void)
{
	static uint8_t bytes[EDU_BYTES];
	const uint64_t iova = DMA_PAGE * PAGE;

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(dma_map(emul.container, iova, emul.memory, 4 * PAGE, RW), 0);
	require_eq(emulated_pin(emul.device, iova + 2 * PAGE, 1, RW), 1);
	check_eq(emul_add_pci(), 0);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_edu();
	check_eq(emulated_copy(emul.device, iova + 2 * PAGE, bytes, EDU_BYTES, 0),
		 0);
	check_mem(bytes, emul.memory, EDU_BYTES);
	emul_remove_pci();
	check_eq(vm_lck_kib(0), PAGE_KIB);
	emul_close();
}

/*
 * A PCI group cannot join because a page is missing, and joins once a huge page has replaced all
 * pages. Its device sees the huge page, whether or not the emulated device has pinned a page of it.
 */
static void check_late_attach_tried_again(bool pinned)
{
	const uint64_t iova = DMA_PAGE * PAGE;
	uint8_t *torn = mem_alloc_torn(2);
	struct probe probe;
	struct edu edu;
	long long npinned;

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(dma_map(emul.container, iova, torn, HUGE_BYTES, RW), 0);
	if (pinned)
		require_eq(emulated_pin(emul.device, iova + 9 * PAGE, 1, RW), 1);
	npinned = pins_outstanding();
	check_eq(emul_add_pci(), -EFAULT);
	check_eq(pins_outstanding(), npinned);
	check_eq(emul_add_pci(), -EFAULT);
	if (pinned)
		require_eq(emulated_unpin(emul.device, iova + 9 * PAGE, 1), 0);
	if (!mem_mend(torn))
		skip("no huge page");
	fill(torn, HUGE_BYTES, 1);
	require_eq(emul_add_pci(), 0);
	edu_open(&edu, emul.pci, 0);
	probe_open(&probe, &edu, emul.container, PROBE_IOVA);
	check_reads(&edu, &probe, iova, torn, HUGE_BYTES);
	probe_close(&probe);
	edu_close(&edu);
	emul_remove_pci();
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_unmap(emul.container, iova, HUGE_BYTES), HUGE_BYTES);
	check_eq(pins_outstanding(), npinned - pinned);
	emul_close();
	mem_free(torn, HUGE_BYTES);
}

static void device_of_a_pci_group_tried_again_sees_only_the_memory(void)
{
	check_late_attach_tried_again(false);
}

static void device_of_a_pci_group_tried_again_sees_only_the_memory_after_a_pin(void)
{
	check_late_attach_tried_again(true);
}

/*
 * Maps four pages for a PCI group, then replaces the process's first page behind the back of the
 * container, as no program should. Returns the new page.
 */
static uint8_t *open_and_replace(uint64_t iova)
{
	void *page;

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(dma_map(emul.container, iova, emul.memory, 4 * PAGE, RW), 0);
	check_eq(emul_add_pci(), 0);
	page = mmap(emul.memory, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	require_true(page == emul.memory);
	return page;
}

static void pin_gets_what_the_process_has_there_by_now(void)
{
	static uint8_t bytes[EDU_BYTES];
	const uint64_t iova = DMA_PAGE * PAGE;
	uint8_t *page;

	page = open_and_replace(iova);
	memset(page, 0x5a, PAGE);
	require_eq(emulated_pin(emul.device, iova, 2, RW), 2);
	check_eq(emulated_copy(emul.device, iova, bytes, EDU_BYTES, 0), 0);
	check_mem(bytes, page, EDU_BYTES);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	emul_remove_pci();
	check_eq(vm_lck_kib(0), 2 * PAGE_KIB);
	emul_close();
}

/*
 * The process replaces a page of a mapping, and the driver pins the new one. A PCI group that
 * leaves and comes back shares that page with both.
 */
static void pci_group_that_comes_back_gets_the_page_of_driver_and_process(void)
{
	static uint8_t bytes[EDU_BYTES];
	const uint64_t iova = DMA_PAGE * PAGE;
	long long npinned = pins_outstanding();
	struct edu edu;
	uint8_t *page;

	page = open_and_replace(iova);
	require_eq(emulated_pin(emul.device, iova, 1, RW), 1);
	emul_remove_pci();
	check_eq(pins_outstanding(), npinned + 1);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	require_eq(emul_add_pci(), 0);
	/* The driver's pin was charged while it was alone, and stays charged. */
	check_eq(vm_lck_kib(0), (backend_is_ioas() ? 5 : 4) * PAGE_KIB);
	edu_open(&edu, emul.pci, 0);
	check_copy(&edu, page, iova, emul.memory + 2 * PAGE, iova + 2 * PAGE);
	check_copy(&edu, emul.memory + 3 * PAGE, iova + 3 * PAGE, page, iova);
	edu_close(&edu);
	check_eq(emulated_copy(emul.device, iova, bytes, EDU_BYTES, 0), 0);
	check_mem(bytes, page, EDU_BYTES);
	emul_remove_pci();
	check_eq(emulated_unpin(emul.device, iova, 1), 0);
	check_eq(vm_lck_kib(0), 0);
	check_eq(pins_outstanding(), npinned);
	emul_close();
}

static void attach_with_a_hole(void *unused)
{
	int result;

	(void)unused;
	require_eq(or_errno(munmap(emul.memory + PAGE, PAGE)), 0);
	result = emul_add_pci();
	check_eq(result, backend_is_ioas() ? 0 : -EFAULT);
	if (result == 0) {
		check_eq(vm_lck_kib(0), 0);
		check_eq(vm_lck_kib(getppid()), 4 * PAGE_KIB);
		emul_remove_pci();
	}
}

/* Stock takes the memory of the process that adds the group. */
static void late_pci_group_gets_the_memory_of_the_process_that_mapped(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 4, RW), 0);
	join(spawn(attach_with_a_hole, NULL));
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 4), 4);
	emul_close();
}

static void memory_that_is_gone_keeps_the_pci_group_out(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 4, RW), 0);
	require_eq(emul_map(8, 4, RW), 0);
	require_eq(or_errno(munmap(emul.memory + 9 * PAGE, PAGE)), 0);
	check_eq(emul_add_pci(), -EFAULT);
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_pin(0, 4, RW), 4);
	check_eq(emul_unmap(8, 4), 4);
	check_eq(emul_add_pci(), 0);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(emul_unmap(0, 4), 4);
	emul_close();
}

static void second_pci_group_changes_no_charge(void)
{
	int group;

	emul_open_mixed();
	require_eq(emul_map(0, 64, RW), 0);
	check_eq(vm_lck_kib(0), 64 * PAGE_KIB);
	group = group_open_wait(1);
	require_true(group >= 0);
	check_eq(group_set_container(group, emul.container), 0);
	check_eq(vm_lck_kib(0), 64 * PAGE_KIB);
	check_eq(group_unset_container(group), 0);
	check_eq(vm_lck_kib(0), 64 * PAGE_KIB);
	close(group);
	emul_close();
	check_eq(vm_lck_kib(0), 0);
}

static const struct test tests[] = {
	TEST(mapping_where_interrupts_go_keeps_the_pci_group_out, NEEDS_ONE),
	TEST(mapping_out_of_the_iommus_reach_keeps_the_pci_group_out, NEEDS_ONE),
	TEST(mapping_out_of_reach_keeps_it_out_the_second_time, NEEDS_ONE),
	TEST(device_of_a_late_pci_group_reaches_what_is_mapped, NEEDS_ONE),
	TEST(device_of_a_late_pci_group_reaches_pinned_pages, NEEDS_ONE),
	TEST(device_of_a_pci_group_tried_again_sees_only_the_memory, NEEDS_ONE),
	TEST(device_of_a_pci_group_tried_again_sees_only_the_memory_after_a_pin, NEEDS_ONE),
	TEST(pin_gets_what_the_process_has_there_by_now, NEEDS_ONE),
	TEST(pci_group_that_comes_back_gets_the_page_of_driver_and_process, NEEDS_ONE),
	TEST(late_pci_group_gets_the_memory_of_the_process_that_mapped, NEEDS_ONE),
	TEST(memory_that_is_gone_keeps_the_pci_group_out, NEEDS_ONE),
	TEST(second_pci_group_changes_no_charge, NEEDS_TWO),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
