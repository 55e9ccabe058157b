// SPDX-License-Identifier: GPL-2.0-only
/*
 * A container call that fails in the middle leaves nothing behind.
 */
#define _GNU_SOURCE
#include "lib.h"
#include "lib_fail.h"

#define NPAGES		64U
#define BAR_IOVA	0x10000000ULL
#define PROBE_IOVA	0x20000000ULL
#define LOOK_BYTES	64U

static struct rig rig;
static uint8_t *memory;
static uint64_t *bitmap;
static int second_group;	/* of the second device, not in the container */
static struct edu edu;

static void open_rig(void)
{
	memory = mem_alloc_interleaved(NPAGES * PAGE);
	fill(memory, NPAGES * PAGE, 7);
	bitmap = mem_alloc(PAGE);
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	second_group = group_open(1);
	edu_open(&edu, rig.group[0], 0);
}

static void close_rig(void)
{
	edu_close(&edu);
	require_eq(or_errno(close(second_group)), 0);
	rig_close(&rig);
	mem_free(bitmap, PAGE);
	mem_free(memory, NPAGES * PAGE);
}

static int map(void)
{
	return dma_map(rig.container, 0, memory, NPAGES * PAGE, RW);
}

static int map_page(void)
{
	return dma_map(rig.container, 0, memory, PAGE, RW);
}

static int map_registers(void)
{
	return dma_map(rig.container, BAR_IOVA, (const void *)edu.bar, edu.bar_nbytes, RW);
}

static int unmap(void)
{
	long long unmapped = dma_unmap(rig.container, 0, NPAGES * PAGE);

	return unmapped < 0 ? unmapped : 0;
}

static void unmap_all(void)
{
	check_true(dma_unmap_all(rig.container) >= 0);
	check_eq(dma_avail(rig.container), 65535);
}

static int dirty(uint32_t flags)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		struct vfio_iommu_type1_dirty_bitmap_get range;
	} arguments = {
		.head = { .argsz = sizeof(arguments), .flags = flags },
		.range = {
			.size = NPAGES * PAGE,
			.bitmap = { .pgsize = PAGE, .size = PAGE, .data = (void *)bitmap },
		},
	};

	return vfio_call(rig.container, VFIO_IOMMU_DIRTY_PAGES, (unsigned long)&arguments);
}

static int start(void)
{
	return dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
}

static void stop(void)
{
	check_eq(dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP), 0);
}

static int report(void)
{
	return dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP);
}

static void nothing(void)
{
}

static void map_before_attach(void)
{
	require_eq(map(), 0);
	expect_in_log("cannot attach: error");
	expect_in_log("DMAR: Can't allocate dmar_domain");
	expect_in_log("DMAR: Domain initialization failed");
}

static int attach_second(void)
{
	return group_set_container(second_group, rig.container);
}

static void detach_second(void)
{
	group_unset_container(second_group);
}

static int give_address(void)
{
	return dma_map(rig.container, 0, memory, NPAGES * PAGE, VFIO_DMA_MAP_FLAG_VADDR);
}

static int void_address(void)
{
	long long ret = dma_unmap_flags(rig.container, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL |
					VFIO_DMA_UNMAP_FLAG_VADDR);

	return ret < 0 ? ret : 0;
}

static int new_address(void)
{
	int ret = void_address();

	return ret ?: give_address();
}

/* The mapping has an address again, whichever of the two calls has failed. */
static void settle_address(void)
{
	int ret = give_address();

	check_true(!ret || ret == -EINVAL);
}

static int get_info(void)
{
	struct info info;

	return info_get(rig.container, &info);
}

/* Hashes the device's reads at both ends of the map, through a page that is mapped only for it. */
static uint64_t look(void)
{
	static uint8_t read[LOOK_BYTES];
	uint64_t hash = 0xcbf29ce484222325ULL;
	struct probe probe;

	probe_open(&probe, &edu, rig.container, PROBE_IOVA);
	for (unsigned int end = 0; end < 2; end++) {
		/* A load from an unmapped page leaves these bytes in the device. */
		probe_set(&probe, 1000 + end);
		edu_load(&edu, end * (NPAGES - 1) * PAGE, LOOK_BYTES);
		edu_store(&edu, PROBE_IOVA, LOOK_BYTES);
		memcpy(read, probe.bytes, LOOK_BYTES);
		for (unsigned int i = 0; i < LOOK_BYTES; i++)
			hash = (hash ^ read[i]) * 0x100000001b3ULL;
	}
	probe_close(&probe);
	return hash | 1;
}

/* Two tests: a sweep with our own counter, and one with the kernel's. */
#define SWEEP(name, before, does, undoes) \
	static void name##_checks(void) \
	{ \
		const struct operation operation = { \
			.run = does, .undo = undoes, .look = look, .look_is_slow = true, \
			/* A group that cannot join an HWPT gets another one, as on stock. */ \
			.ignore = { " groups=", "\nhwpt" }, \
		}; \
		open_rig(); \
		before; \
		sweep(&operation); \
		unmap_all(); \
		close_rig(); \
	} \
	static void name(void) \
	{ use_own_counter(); name##_checks(); } \
	static void name##_whatever_the_kernel_refuses(void) \
	{ use_kernel_counter(); name##_checks(); }

SWEEP(page_is_mapped_or_not, nothing(), map_page, unmap_all)
SWEEP(scattered_pages_are_mapped_or_not, nothing(), map, unmap_all)
SWEEP(registers_are_mapped_or_not, nothing(), map_registers, unmap_all)
SWEEP(second_group_is_attached_or_not, map_before_attach(), attach_second, detach_second)

#define KERNEL_SWEEP(name, before, does, undoes) \
	static void name##_whatever_the_kernel_refuses(void) \
	{ \
		const struct operation operation = { \
			.run = does, .undo = undoes, .look = look, .look_is_slow = true, \
			/* A group that cannot join an HWPT gets another one, as on stock. */ \
			.ignore = { " groups=", "\nhwpt" }, \
		}; \
		use_kernel_counter(); \
		open_rig(); \
		before; \
		sweep(&operation); \
		stop(); \
		unmap_all(); \
		close_rig(); \
	}

KERNEL_SWEEP(tracking_starts_or_not, require_eq(map(), 0), start, stop)
KERNEL_SWEEP(report_is_given_or_not, require_eq(map() + start(), 0), report, nothing)
KERNEL_SWEEP(address_is_changed_or_not, require_eq(map(), 0), new_address, settle_address)
KERNEL_SWEEP(information_is_given_or_not, require_eq(map(), 0), get_info, nothing)

static void unmap_of_a_container_needs_nothing(void)
{
	use_own_counter();
	open_rig();
	require_eq(map(), 0);
	check_that_nothing_fails(unmap);
	require_eq(start() + map(), 0);
	check_that_nothing_fails(unmap);
	stop();
	close_rig();
}

#define SWEEP_ROWS(name, flags) \
	TEST(name, TAKES_LONG | (flags)), \
	TEST(name##_whatever_the_kernel_refuses, TAKES_LONG | (flags))

static const struct test tests[] = {
	SWEEP_ROWS(page_is_mapped_or_not, NEEDS_TWO),
	SWEEP_ROWS(scattered_pages_are_mapped_or_not, NEEDS_TWO),
	SWEEP_ROWS(registers_are_mapped_or_not, NEEDS_TWO),
	SWEEP_ROWS(second_group_is_attached_or_not, NEEDS_TWO),
	TEST(tracking_starts_or_not_whatever_the_kernel_refuses, TAKES_LONG | NEEDS_TWO),
	TEST(report_is_given_or_not_whatever_the_kernel_refuses, TAKES_LONG | NEEDS_TWO),
	TEST(address_is_changed_or_not_whatever_the_kernel_refuses, TAKES_LONG | NEEDS_TWO),
	TEST(information_is_given_or_not_whatever_the_kernel_refuses, TAKES_LONG | NEEDS_TWO),
	TEST(unmap_of_a_container_needs_nothing, NEEDS_TWO),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
