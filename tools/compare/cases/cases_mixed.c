// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases_mixed.c - PCI groups that join late, and containers with both kinds (docs/type1.md, 13.12)
 */
#include "calls.h"
#include "case_groups.h"
#include "compare/op/setup.h"
#include "compare/op/transcript.h"

#include <sys/mman.h>

#define FAR_AWAY	0xfffffffff0000ULL	/* beyond any 48-bit aperture */

static void mapping_in_the_way_of_the_msi_window(void)
{
	setup_e();
	map(MSI_START, 1, RW);
	open_group(A);
	join(A);
	info();
	unmap(MSI_START, PAGE);
	join(A);
	info();
	map(MSI_START, 1, RW);
}

static void mapping_beyond_the_aperture(void)
{
	setup_e();
	map(FAR_AWAY, 1, RW);
	open_group(A);
	join(A);
	info();
	unmap_all();
	join(A);
	map(FAR_AWAY, 1, RW);
}

static void mapping_beyond_the_aperture_on_return(void)
{
	setup_m();
	leave(A);
	map(FAR_AWAY, 1, RW);
	join(A);
	info();
	unmap_all();
	join(A);
}

static void real_group_joins_and_leaves(void)
{
	setup_e();
	map(0x100000, 4, RW);
	open_group(A);
	join(A);
	info();
	leave(A);
	info();
	unmap(0x100000, 4 * PAGE);
}

static void attach_in_a_child(void)
{
	munmap(buf, 4 * PAGE);
	join(A);
}

static void child_attaches_without_the_memory(void)
{
	setup_e();
	map(0, 4, RW);
	open_group(A);
	in_child(attach_in_a_child);
	state();
}

static void just_attach(void)
{
	join(A);
}

static void child_attaches_with_the_same_memory(void)
{
	setup_e();
	map(0, 4, RW);
	open_group(A);
	in_child(just_attach);
	state();
	unmap_all();
}

static void attach_and_lock_nothing(void)
{
	limit(0);
	join(A);
}

static void child_attaches_that_may_lock_nothing(void)
{
	setup_e();
	drop_capability();
	limit(16);
	map(0, 4, RW);
	open_group(A);
	in_child(attach_and_lock_nothing);
	state();
}

static void map_four(void)
{
	map(0, 4, RW);
}

static void parent_attaches_what_a_dead_child_mapped(void)
{
	setup_e();
	in_child(map_four);
	open_group(A);
	join(A);
	unmap(0, 4 * PAGE);
	join(A);
}

static void emulated_group_leaves_a_mixed_container(void)
{
	setup_m();
	map(0, 4, RW);
	pin(E, 0, 1, 3);
	close_device(E);
	leave(E);
	state();
	extension(VFIO_UPDATE_VADDR);
	info();
	unmap_all();
}

static void pins_see_what_became_of_the_memory(void)
{
	setup_m();
	map(0, 4, RW);
	protect(buf + PAGE, PAGE, PROT_R);
	part(buf + 2 * PAGE, PAGE, MEMORY_HOLE, 0);
	pin(E, 0, 1, 3);
	pin(E, PAGE, 1, 1);
	pin(E, 2 * PAGE, 1, 1);
	pin(E, PAGE, 2, 1);
	state();
	protect(buf + PAGE, PAGE, PROT_R | PROT_W);
	pin(E, PAGE, 1, 1);
	state();
	unpin(E, 0, 2);
	leave(A);
	state();
	unmap_all();
}

static void late_attach_with_a_pinned_page_that_was_protected(void)
{
	setup_e();
	map(0, 4, RW);
	pin(E, PAGE, 1, 3);
	protect(buf + PAGE, PAGE, PROT_R);
	open_group(A);
	join(A);
	state();
}

static void second_group_is_not_charged_again(void)
{
	setup_p();
	map(0, 64, RW);
	open_group(B);
	join(B);
	info();
	leave(A);
	state();
	unmap_all();
}

static void coherency_with_and_without_an_iommu(void)
{
	setup_m();
	extension(VFIO_DMA_CC_IOMMU);
	leave(A);
	extension(VFIO_DMA_CC_IOMMU);
	join(A);
	extension(VFIO_DMA_CC_IOMMU);
}

static void late_attach_finds_no_memory(void)
{
	setup_e();
	map(0, 4, RW);
	part(buf + 2 * PAGE, 2 * PAGE, MEMORY_HOLE, 0);
	open_group(A);
	join(A);
	info();
	unmap_all();
	join(A);
}

/* Maps one page each. Only a summary is printed, because the lines would fill the transcript. */
static void late_attach_with_many_mappings(void)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = RW,
		.vaddr = (uintptr_t)buf,
		.size = PAGE,
	};
	unsigned int nmaps = 0;

	setup_p();
	map.vaddr = (uintptr_t)buf;
	while (nmaps < 70000 &&
	       !vfio_call(current_container(), VFIO_IOMMU_MAP_DMA,
			  (unsigned long)&map)) {
		nmaps++;
		map.iova += 2 * PAGE;
	}
	say("%u maps", nmaps);
	state();
	map_at(map.iova, PAGE, buf, RW);
	open_group(B);
	join(B);
	info();
	leave(A);
	unmap_all();
}

static const struct test_case cases[] = {
	CASE(mapping_in_the_way_of_the_msi_window, "194", NEEDS_A | NEEDS_E,
	     "a PCI group joins, and the window is mapped"),
	CASE(mapping_beyond_the_aperture, "195", NEEDS_A | NEEDS_E,
	     "a PCI group joins, and its IOMMU does not reach as far"),
	CASE(mapping_beyond_the_aperture_on_return, "196", NEEDS_A | NEEDS_E,
	     "the same with a PCI group that was there before"),
	CASE(real_group_joins_and_leaves, "197", NEEDS_A | NEEDS_E | BOTH_TYPES,
	     "mappings and charge as a PCI group joins and leaves"),
	CASE(child_attaches_without_the_memory, "198", NEEDS_A | NEEDS_E,
	     "another process lets the PCI group join"),
	CASE(child_attaches_with_the_same_memory, "198", NEEDS_A | NEEDS_E,
	     "the same by a process that has the memory, too"),
	CASE(child_attaches_that_may_lock_nothing, "", NEEDS_A | NEEDS_E,
	     "the same by a process that may not lock memory"),
	CASE(parent_attaches_what_a_dead_child_mapped, "", NEEDS_A | NEEDS_E,
	     "the same by a process that has the memory, while the one that mapped it is gone"),
	CASE(late_attach_with_a_pinned_page_that_was_protected, "", NEEDS_A | NEEDS_E,
	     "a PCI group joins when a page that a driver holds cannot be written any more"),
	CASE(pins_see_what_became_of_the_memory, "", NEEDS_A | NEEDS_E,
	     "pins beside a PCI group, of memory that was protected or unmapped since"),
	CASE(emulated_group_leaves_a_mixed_container, "199", NEEDS_A | NEEDS_E,
	     "the charge that stays when the emulated group leaves"),
	CASE(second_group_is_not_charged_again, "200", NEEDS_A | NEEDS_B,
	     "the charge with a second PCI group"),
	CASE(coherency_with_and_without_an_iommu, "201", NEEDS_A | NEEDS_E,
	     "CHECK_EXTENSION of DMA_CC as the PCI group leaves"),
	CASE(late_attach_finds_no_memory, "202", NEEDS_A | NEEDS_E,
	     "a PCI group joins, and memory is gone"),
	CASE(late_attach_with_many_mappings, "203", NEEDS_A | NEEDS_B,
	     "as many mappings as the budget allows, and a second group"),
};

const struct case_group case_group_mixed = CASE_GROUP("mixed", cases);
