// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_mmio.c - maps of device memory, and a device that writes to another one
 */
#define _GNU_SOURCE
#include "lib.h"

#define BAR_IOVA	0x200000ULL
#define LIVENESS	4U	/* register of edu: reads as the complement of the value written */

static struct rig rig;

static int map_bar(struct edu *edu, uint64_t iova, uint64_t nbytes, uint32_t flags)
{
	return dma_map(rig.container, iova, (const void *)edu->bar, nbytes, flags);
}

/* Registers are mapped even while the page table has none of their pages. */
static void registers_whose_key_is_disabled_are_mapped(void)
{
	int key = pkey_alloc(0, PKEY_DISABLE_ACCESS);
	struct edu edu;
	void *bar;

	if (key < 0)
		skip("no protection keys on this machine");
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	edu_open(&edu, rig.group[0], 0);
	bar = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, edu.fd, 0);
	require_true(bar != MAP_FAILED);
	require_eq(or_errno(pkey_mprotect(bar, PAGE, PROT_READ | PROT_WRITE, key)), 0);
	check_eq(dma_map(rig.container, 0, bar, PAGE, RW), 0);
	check_eq(dma_unmap_all(rig.container), PAGE);
	require_eq(or_errno(munmap(bar, PAGE)), 0);
	edu_close(&edu);
	rig_close(&rig);
}

/* One mapping of memory, then registers, then memory. */
static void mapping_mixes_memory_and_registers(void)
{
	uint8_t *pages;
	struct edu edu;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	edu_open(&edu, rig.group[0], 0);
	pages = mem_alloc(8 * PAGE);
	require_true(mmap(pages + 2 * PAGE, 3 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_FIXED, edu.fd, 0) != MAP_FAILED);
	check_eq(dma_map(rig.container, BAR_IOVA, pages, 8 * PAGE, RW), 0);
	check_eq(vm_lck_kib(0), 5 * PAGE_KIB);
	check_copy(&edu, pages, BAR_IOVA, pages + 5 * PAGE, BAR_IOVA + 5 * PAGE);
	check_eq(dma_unmap_all(rig.container), 8 * PAGE);
	check_eq(vm_lck_kib(0), 0);
	mem_free(pages, 8 * PAGE);
	edu_close(&edu);
	rig_close(&rig);
}

static void write_liveness(struct edu *edu, uint32_t value)
{
	*(volatile uint32_t *)(edu->bar + LIVENESS) = value;
}

static uint32_t read_liveness(struct edu *edu)
{
	return *(volatile uint32_t *)(edu->bar + LIVENESS);
}

static void one_device_writes_to_another(void)
{
	struct probe probe;
	struct edu first;
	struct edu second;
	uint32_t value;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 2);
	edu_open(&first, rig.group[0], 0);
	edu_open(&second, rig.group[1], 1);
	probe_open(&probe, &first, rig.container, 0x100000);
	require_eq(map_bar(&second, BAR_IOVA, second.bar_nbytes, RW), 0);
	check_eq(vm_lck_kib(0), PAGE_KIB);

	write_liveness(&second, 0);
	probe_set(&probe, 1);
	memcpy(&value, probe.bytes, sizeof(value));
	edu_store(&first, BAR_IOVA + LIVENESS, sizeof(value));
	check_eq(read_liveness(&second), (uint32_t)~value);
	check_eq(read_liveness(&first) == (uint32_t)~value, 0);

	/* The first device reads from the second one, too. */
	write_liveness(&second, 0x12345678);
	value = read_liveness(&second);
	edu_load(&first, BAR_IOVA + LIVENESS, sizeof(value));
	check_true(probe_equals(&probe, &value, sizeof(value)));

	/* After the unmap, the first device cannot reach the second one. */
	check_eq(dma_unmap(rig.container, BAR_IOVA, second.bar_nbytes),
		 second.bar_nbytes);
	write_liveness(&second, 0);
	probe_set(&probe, 2);
	edu_store(&first, BAR_IOVA + LIVENESS, sizeof(value));
	check_eq(read_liveness(&second), UINT32_MAX);

	probe_close(&probe);
	edu_close(&first);
	edu_close(&second);
	rig_close(&rig);
}

/* The new group reaches the registers, whether or not it needs a domain of its own. */
static void group_that_comes_later_sees_the_registers(void)
{
	struct probe probe;
	struct edu first;
	struct edu second;
	uint32_t value;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	edu_open(&first, rig.group[0], 0);
	require_eq(map_bar(&first, BAR_IOVA, first.bar_nbytes, RW), 0);
	rig_add_group(&rig);
	edu_open(&second, rig.group[1], 1);
	probe_open(&probe, &second, rig.container, 0x100000);
	write_liveness(&first, 0);
	probe_set(&probe, 3);
	memcpy(&value, probe.bytes, sizeof(value));
	edu_store(&second, BAR_IOVA + LIVENESS, sizeof(value));
	check_eq(read_liveness(&first), (uint32_t)~value);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	probe_close(&probe);
	edu_close(&first);
	edu_close(&second);
	rig_close(&rig);
}

static const struct test tests[] = {
	TEST(registers_whose_key_is_disabled_are_mapped, NEEDS_ONE),
	TEST(mapping_mixes_memory_and_registers, NEEDS_ONE),
	TEST(one_device_writes_to_another, NEEDS_TWO),
	TEST(group_that_comes_later_sees_the_registers, NEEDS_TWO),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
