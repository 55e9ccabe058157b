// SPDX-License-Identifier: GPL-2.0-only
/*
 * emul_container.c - containers with emulated devices: groups, what the container reports, and
 * mappings whose memory is not looked at
 */
#define _GNU_SOURCE
#include "lib_emulated.h"

#define NESTING		VFIO_TYPE1_NESTING_IOMMU
#define MSI_IOVA	0xfee00000ULL
#define LAST_PAGE	(0ULL - PAGE)
#define TIB		(1ULL << 40)
#define ANY_PAGE_SIZE	0xfffffffffffff000ULL

/* --- groups */

static void group_moves_to_another_container(void)
{
	int other, group;

	emul_open_mixed();
	other = container_open();
	check_eq(group_set_container(emul.pci, other), -EINVAL);
	emul_remove_group();
	group = emulated_group_add(other, EMULATED_0);
	check_eq(set_iommu(other, VFIO_TYPE1_IOMMU), 0);
	require_backend(other);
	check_eq(emul_map(0, 4, RW), 0);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(dma_map(other, 0, emul.memory, PAGE, RW), 0);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(dma_unmap_all(other), PAGE);
	check_eq(emul_unmap(0, 4), 4);
	emulated_group_remove(group);
	require_eq(or_errno(close(other)), 0);
	emul_close();
}

static void check_both_kinds(bool pci_first)
{
	int group = -1;
	struct rig rig = { .container = container_open() };

	if (!pci_first)
		group = emulated_group_add(rig.container, EMULATED_0);
	rig_add_group(&rig);
	if (pci_first)
		group = emulated_group_add(rig.container, EMULATED_0);
	check_eq(set_iommu(rig.container, VFIO_TYPE1v2_IOMMU), 0);
	require_backend(rig.container);
	emulated_group_remove(group);
	rig_close(&rig);
}

static void both_kinds_of_groups_are_taken_in_any_order(void)
{
	check_both_kinds(false);
	check_both_kinds(true);
}

static void check_pin_in_open(void)
{
	const int expected = kernel_at_least(6, 2) ? 1 : -EINVAL;

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 4, RW), 0);
	emul_close_device();
	emul.device = emulated_device_open(emul.group, EMULATED_0);
	check_eq(emulated_info(emul.device).open_pin, expected);
	check_eq(npins_of(emul.device), expected > 0);
	check_eq(vm_lck_kib(0), expected > 0 ? PAGE_KIB : 0);
	check_eq(emul_unmap(0, 4), 4);
	check_eq(ncallbacks_of(emul.device), expected > 0);
	emul_close();
}

/* vfio.ko of 6.1 registers a device with the backend after its open, later kernels before. */
static void device_pins_while_it_is_opened(void)
{
	param_set(EMULATED_MODULE, "pin_in_open", "1");
	check_pin_in_open();
}

/* --- what a container reports */

static const void *capability(const struct info *info, int id)
{
	const struct vfio_info_cap_header *header = info_cap(info, id);

	require_true(header);
	return header;
}

static const struct vfio_info_cap_header *at(const struct info *info,
					     uint32_t offset)
{
	require_true(offset && offset < sizeof(*info));
	return (const void *)(info->bytes + offset);
}

static void check_info_without_iommu(unsigned long type)
{
	const struct vfio_iommu_type1_info_cap_migration *migration;
	const struct vfio_info_cap_header *first, *second;
	struct info info;

	context("type %lu", type);
	emul_open(type);
	check_eq(info_get(emul.container, &info), 0);
	check_eq(info.fixed.flags, VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS);
	check_eq(info.fixed.iova_pgsizes, ANY_PAGE_SIZE);
	first = at(&info, info.fixed.cap_offset);
	check_eq(first->id, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION);
	second = at(&info, first->next);
	check_eq(second->id, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	check_eq(second->next, 0);
	migration = (const void *)first;
	check_eq(migration->pgsize_bitmap, PAGE);
	check_eq(dma_avail(emul.container), 65535);
	emul_close();
	context("%s", "");
}

static void info_without_an_iommu_has_no_ranges(void)
{
	check_info_without_iommu(VFIO_TYPE1v2_IOMMU);
	check_info_without_iommu(VFIO_TYPE1_IOMMU);
}

/* Returns what a container reports if it has only the PCI group. */
static struct info info_of_pci(void)
{
	struct info info;
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	require_eq(info_get(rig.container, &info), 0);
	rig_close(&rig);
	return info;
}

static void check_info_is(const struct info *expected)
{
	struct info info;

	check_eq(info_get(emul.container, &info), 0);
	check_mem(&info, expected, sizeof(info));
}

static void check_ranges_are_open(void)
{
	const struct vfio_iommu_type1_info_cap_iova_range *ranges;
	struct info info;

	check_eq(info_get(emul.container, &info), 0);
	check_eq(info.fixed.iova_pgsizes, ANY_PAGE_SIZE);
	ranges = capability(&info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	require_eq(ranges->nr_iovas, 1);
	check_eq(ranges->iova_ranges[0].start, 0);
	check_eq(ranges->iova_ranges[0].end, UINT64_MAX);
}

static void info_follows_the_pci_group(void)
{
	struct info with_pci = info_of_pci();

	emul_open_mixed();
	check_info_is(&with_pci);
	emul_remove_pci();
	check_ranges_are_open();
	require_eq(emul_add_pci(), 0);
	check_info_is(&with_pci);
	emul_close();
}

static void nesting_without_an_iommu_is_type1v2(void)
{
	const int expected = kernel_at_least(6, 13) ? -ENODEV : 0;
	int container = container_open();
	int group = emulated_group_add(container, EMULATED_0);
	struct info info;

	check_eq(set_iommu(container, NESTING), expected);
	if (!expected) {
		require_backend(container);
		check_eq(info_get(container, &info), 0);
		check_eq(info.fixed.iova_pgsizes, ANY_PAGE_SIZE);
		check_true(!info_cap(&info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE));
	}
	emulated_group_remove(group);
	require_eq(or_errno(close(container)), 0);
}

static int extension(int container, unsigned long number)
{
	return vfio_call(container, VFIO_CHECK_EXTENSION, number);
}

static int coherency_of_pci(void)
{
	struct rig rig;
	int coherency;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	coherency = extension(rig.container, VFIO_DMA_CC_IOMMU);
	rig_close(&rig);
	return coherency;
}

static void dma_cc_is_1_without_a_pci_group(void)
{
	int with_pci = coherency_of_pci();

	emul_open_mixed();
	check_eq(extension(emul.container, VFIO_DMA_CC_IOMMU), with_pci);
	emul_remove_pci();
	check_eq(extension(emul.container, VFIO_DMA_CC_IOMMU), 1);
	emul_close();
	emul_open(VFIO_TYPE1v2_IOMMU);
	check_eq(extension(emul.container, VFIO_DMA_CC_IOMMU), 1);
	emul_close();
}

/* --- mappings without an IOMMU */

static void map_takes_any_address(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	check_eq(dma_map(emul.container, 0, NULL, PAGE, RW), 0);
	check_eq(dma_map(emul.container, PAGE, (void *)0x10000, PAGE, RW), 0);
	check_eq(emul_map(2, 4, RW), 0);
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_avail(emul.container), 65532);
	check_eq(dma_unmap_all(emul.container), 6 * PAGE);
	emul_close();
}

/* No IOMMU driver is there to refuse the map. */
static void map_needs_a_permission(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	check_eq(emul_map(0, 1, 0), -EINVAL);
	check_eq(emul_map(0, 1, 8 | RW), -EINVAL);
	check_eq(dma_avail(emul.container), 65535);
	emul_close();
}

static void map_can_have_any_size(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	check_eq(dma_map(emul.container, 0, emul.memory, 8 * TIB, RW), 0);
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_unmap_all(emul.container), 8 * TIB);
	emul_close();
}

static void map_can_be_where_interrupts_go(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	check_eq(dma_map(emul.container, MSI_IOVA, emul.memory, PAGE, RW), 0);
	check_eq(dma_unmap(emul.container, MSI_IOVA, PAGE), PAGE);
	emul_close();
}

/* Stock loses such a mapping before 6.18: it computes the end, which overflows to 0. */
static void map_can_end_at_the_end_of_all_addresses(void)
{
	bool lost = !backend_is_ioas() && !kernel_at_least(6, 18);
	int container;

	emul_open(VFIO_TYPE1v2_IOMMU);
	container = emul.container;
	check_eq(dma_map(container, LAST_PAGE, emul.memory, PAGE, RW), 0);
	check_eq(dma_map(container, LAST_PAGE, emul.memory, PAGE, RW),
		 lost ? 0 : -EEXIST);
	check_eq(dma_unmap(container, LAST_PAGE, PAGE), lost ? 0 : PAGE);
	check_eq(dma_unmap_all(container), 0);
	check_eq(dma_avail(container), lost ? 65533 : 65535);
	emul_close();
}

/* --- updates of addresses */

static void group_waits_for_the_update_of_an_address(void)
{
	struct rig rig;
	int group;

	if (!has_update_vaddr())
		skip("the container cannot update addresses");
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	emul.memory = mem_alloc(4 * PAGE);
	require_eq(dma_map(rig.container, 0, emul.memory, 4 * PAGE, RW), 0);
	check_eq(dma_unmap_flags(rig.container, 0, 4 * PAGE,
				 VFIO_DMA_UNMAP_FLAG_VADDR), 4 * PAGE);
	group = emulated_group_open(EMULATED_0);
	expect_in_log("cannot attach");
	check_eq(group_set_container(group, rig.container), -EBUSY);
	check_eq(dma_map(rig.container, 0, emul.memory, 4 * PAGE,
			 VFIO_DMA_MAP_FLAG_VADDR), 0);
	check_eq(group_set_container(group, rig.container), 0);
	emulated_group_remove(group);
	check_eq(dma_unmap_all(rig.container), 4 * PAGE);
	mem_free(emul.memory, 4 * PAGE);
	rig_close(&rig);
}

static void check_no_update(void)
{
	const uint32_t vaddr = VFIO_DMA_UNMAP_FLAG_VADDR;

	require_eq(emul_map(0, 4, RW), 0);
	check_eq(extension(emul.container, VFIO_UPDATE_VADDR), 0);
	check_eq(dma_unmap_flags(emul.container, 0, 4 * PAGE, vaddr), -EBUSY);
	check_eq(dma_unmap_flags(emul.container, 1, PAGE, vaddr), -EBUSY);
	check_eq(dma_unmap_flags(emul.container, 0, 0, vaddr), -EBUSY);
	check_eq(emul_unmap(0, 4), 4);
}

static void no_address_is_updated_with_an_emulated_device(void)
{
	if (!has_update_vaddr())
		skip("the container cannot update addresses");
	emul_open(VFIO_TYPE1v2_IOMMU);
	check_no_update();
	emul_close();
	emul_open_mixed();
	check_no_update();
	emul_remove_group();
	check_eq(extension(emul.container, VFIO_UPDATE_VADDR), 1);
	emul_close();
}

static void mappings_stay_when_the_emulated_group_leaves(void)
{
	bool can_update = has_update_vaddr();

	emul_open_mixed();
	require_eq(emul_map(0, 8, RW), 0);
	require_eq(emul_pin(0, 2, RW), 2);
	emul_close_device();
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB);
	emul_remove_group();
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB);
	check_eq(extension(emul.container, VFIO_UPDATE_VADDR), can_update);
	check_eq(emul_unmap(0, 8), 8);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static const struct test tests[] = {
	TEST(group_moves_to_another_container, NEEDS_ONE),
	TEST(both_kinds_of_groups_are_taken_in_any_order, NEEDS_ONE),
	TEST(device_pins_while_it_is_opened, 0),
	TEST(info_without_an_iommu_has_no_ranges, 0),
	TEST(info_follows_the_pci_group, NEEDS_ONE),
	TEST(nesting_without_an_iommu_is_type1v2, 0),
	TEST(dma_cc_is_1_without_a_pci_group, NEEDS_ONE),
	TEST(map_takes_any_address, 0),
	TEST(map_needs_a_permission, 0),
	TEST(map_can_have_any_size, 0),
	TEST(map_can_be_where_interrupts_go, 0),
	TEST(map_can_end_at_the_end_of_all_addresses, 0),
	TEST(group_waits_for_the_update_of_an_address, NEEDS_ONE),
	TEST(no_address_is_updated_with_an_emulated_device, NEEDS_ONE),
	TEST(mappings_stay_when_the_emulated_group_leaves, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
