// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases_info.c - VFIO_IOMMU_GET_INFO (docs/type1.md, 13.2)
 */
#include "calls.h"
#include "case_groups.h"
#include "compare/op/setup.h"
#include "compare/op/transcript.h"

#include <sys/mman.h>

static void info_without_the_fixed_part(void)
{
	unsigned int argsz;

	setup_p();
	for (argsz = 0; argsz < 16; argsz++)
		info_bytes(argsz);
}

static void info_of_every_size(void)
{
	unsigned int argsz;

	setup_p();
	for (argsz = 16; argsz <= 140; argsz++)
		info_bytes(argsz);
	info_bytes(4096);
}

static void info_of_a_container(void)
{
	setup_p();
	info();
}

static void info_of_two_groups(void)
{
	setup_pp();
	info();
	info_bytes(4096);
	leave(A);
	info();
	join(A);
	info();
}

static void budget_follows_the_mappings(void)
{
	setup_p();
	info();
	map(0, 1, RW);
	info();
	map(0, 1, RW);
	map(MSI_START, 1, RW);
	map_at(PAGE, PAGE, (void *)PAGE, RW);
	info();
	unmap(0, PAGE);
	info();
}

static void info_of_an_emulated_container(void)
{
	unsigned int argsz;

	setup_e();
	info();
	for (argsz = 16; argsz <= 80; argsz += 4)
		info_bytes(argsz);
	map(0, 1, RW);
	info();
}

static void info_while_the_real_group_leaves_and_returns(void)
{
	setup_m();
	info();
	leave(A);
	info();
	info_bytes(4096);
	join(A);
	info();
}

static void info_into_bad_memory(void)
{
	struct vfio_iommu_type1_info *fixed;
	uint8_t *pages;

	setup_p();
	call(VFIO_IOMMU_GET_INFO, 8);
	call(VFIO_IOMMU_GET_INFO, 0);
	pages = memory("pages", 2 * PAGE, MEMORY_TOUCHED, PROT_R | PROT_W);
	mprotect(pages + PAGE, PAGE, PROT_NONE);
	fixed = (void *)(pages + PAGE - sizeof(*fixed));
	fixed->argsz = 4096;
	say("capabilities do not fit = %d",
	    vfio_call(current_container(), VFIO_IOMMU_GET_INFO,
		      (unsigned long)fixed));
	say("argsz=%u flags=0x%x pgsizes=0x%llx", fixed->argsz, fixed->flags,
	    (unsigned long long)fixed->iova_pgsizes);
	fixed->argsz = sizeof(*fixed);
	say("without capabilities = %d", vfio_call(current_container(), VFIO_IOMMU_GET_INFO,
						   (unsigned long)fixed));
	say("argsz=%u", fixed->argsz);
	mprotect(pages, PAGE, PROT_READ);
	say("read-only = %d", vfio_call(current_container(), VFIO_IOMMU_GET_INFO,
					(unsigned long)fixed));
}

static void info_of_nesting_without_an_iommu(void)
{
	setup_c();
	open_group(E);
	join(E);
	set_iommu(6);
	info();
	map(0, 4, RW);
	unmap(PAGE, PAGE);
}

static const struct test_case cases[] = {
	CASE(info_without_the_fixed_part, "38", NEEDS_A | BOTH_TYPES,
	     "argsz below 16"),
	CASE(info_of_every_size, "39-44", ABOUT_DIRTY | NEEDS_A | BOTH_TYPES,
	     "each argsz from 16 to 140, byte by byte"),
	CASE(info_of_a_container, "45-47", NEEDS_A | BOTH_TYPES,
	     "page sizes, capabilities and ranges with a PCI device"),
	CASE(budget_follows_the_mappings, "48", NEEDS_A | BOTH_TYPES,
	     "the number of mappings left, also after maps that fail"),
	CASE(info_of_an_emulated_container, "49-50", ABOUT_DIRTY | NEEDS_E | BOTH_TYPES,
	     "the same with an emulated device"),
	CASE(info_while_the_real_group_leaves_and_returns, "51-52",
	     ABOUT_DIRTY | NEEDS_A | NEEDS_E | BOTH_TYPES,
	     "page sizes and ranges as the PCI group goes and comes"),
	CASE(info_into_bad_memory, "53", NEEDS_A,
	     "the answer meets memory that cannot be written"),
	CASE(info_of_two_groups, "54", ABOUT_DIRTY | NEEDS_A | NEEDS_B | BOTH_TYPES,
	     "page sizes and ranges with two PCI groups"),
	CASE(info_of_nesting_without_an_iommu, "55", NEEDS_E,
	     "SET_IOMMU with nesting on an emulated device"),
};

const struct case_group case_group_info = CASE_GROUP("info", cases);
