// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_select.c - answers of a container that do not depend on the IOAS that its user has
 * selected
 */
#define _GNU_SOURCE
#include "lib.h"
#include "lib_native.h"

static int coherency(int container)
{
	return vfio_call(container, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU);
}

/* Intel's IOMMU of the VM never enforces coherency, AMD's always does. */
static void coherency_does_not_depend_on_the_selected_ioas(void)
{
	struct rig container;
	uint32_t first, other;
	int expected;

	rig_open(&container, VFIO_TYPE1v2_IOMMU, 1);
	expected = coherency(container.container);
	first = vfio_ioas_get(container.container);
	other = ioas_alloc(container.container);
	require_eq(vfio_ioas_clear(container.container), 0);
	check_eq(coherency(container.container), expected);
	require_eq(vfio_ioas_set(container.container, other), 0);
	check_eq(coherency(container.container), expected);
	require_eq(vfio_ioas_set(container.container, first), 0);
	check_eq(coherency(container.container), expected);
	rig_close(&container);
}

static void coherency_is_that_of_all_groups_in_two_ioases(void)
{
	struct rig container;
	uint32_t first, other;
	int expected;

	rig_open(&container, VFIO_TYPE1v2_IOMMU, 1);
	expected = coherency(container.container);
	first = vfio_ioas_get(container.container);
	other = ioas_alloc(container.container);
	require_eq(vfio_ioas_set(container.container, other), 0);
	rig_add_group(&container);
	check_eq(coherency(container.container), expected);
	require_eq(vfio_ioas_set(container.container, first), 0);
	check_eq(coherency(container.container), expected);
	rig_close(&container);
}

static const struct test tests[] = {
	TEST(coherency_does_not_depend_on_the_selected_ioas, ONLY_IOAS | NEEDS_ONE),
	TEST(coherency_is_that_of_all_groups_in_two_ioases, ONLY_IOAS | NEEDS_TWO),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
