// SPDX-License-Identifier: GPL-2.0-only
/*
 * emul_intremap.c - a PCI group joins a container with an emulated device, on a machine without
 * interrupt remapping (booted with intremap=off)
 */
#define _GNU_SOURCE
#include "lib_emulated.h"

#define FAR_IOVA	0xfffffffff0000ULL	/* beyond the reach of the IOMMU */

static void unsafe_interrupts_are_told_before_what_is_out_of_reach(void)
{
	require_unsafe_machine();
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(dma_map(emul.container, FAR_IOVA, emul.memory, PAGE, RW), 0);
	check_eq(emul_add_pci(), -EPERM);
	emul_close();
}

/* A container that had a domain keeps a list of ranges. Linux 6.18 and later check it first. */
static void after_a_domain_the_range_error_comes_first(void)
{
	require_unsafe_machine();
	param_set(backend_module(), UNSAFE, "1");
	emul_open_mixed();
	emul_remove_pci();
	param_set(backend_module(), UNSAFE, "0");
	require_eq(dma_map(emul.container, FAR_IOVA, emul.memory, PAGE, RW), 0);
	check_eq(emul_add_pci(), kernel_at_least(6, 18) ? -EINVAL : -EPERM);
	check_eq(dma_unmap(emul.container, FAR_IOVA, PAGE), PAGE);
	check_eq(emul_add_pci(), -EPERM);
	emul_close();
}

static const struct test tests[] = {
	TEST(unsafe_interrupts_are_told_before_what_is_out_of_reach, NEEDS_ONE),
	TEST(after_a_domain_the_range_error_comes_first, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
