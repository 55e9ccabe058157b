// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_map.c - VFIO_IOMMU_MAP_DMA
 */
#define _GNU_SOURCE
#include "lib.h"

#include <pthread.h>

#define NPAGES		64U
#define MSI_START	0xfee00000ULL
#define MSI_END		0xfef00000ULL	/* exclusive */

static struct rig rig;
static uint8_t *memory;

static void open_rig(unsigned long type)
{
	memory = mem_alloc(NPAGES * PAGE);
	rig_open(&rig, type, 1);
}

static void close_rig(void)
{
	rig_close(&rig);
	mem_free(memory, NPAGES * PAGE);
}

/* A test of mapping that runs with type1v2 and with type1. */
#define BOTH_TYPES(name) \
	static void name##_checks(void); \
	static void name(void) \
	{ \
		open_rig(VFIO_TYPE1v2_IOMMU); \
		name##_checks(); \
		close_rig(); \
	} \
	static void name##_on_type1(void) \
	{ \
		open_rig(VFIO_TYPE1_IOMMU); \
		name##_checks(); \
		close_rig(); \
	} \
	static void name##_checks(void)

static int map(uint64_t iova, uint64_t npages, uint32_t flags)
{
	return dma_map(rig.container, iova, memory, npages * PAGE, flags);
}

/* Checks that nothing is mapped or charged, and that DMA_AVAIL is as before. */
static void check_no_trace(void)
{
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_avail(rig.container), 65535);
	check_eq(dma_unmap_all(rig.container), 0);
}

static int map_with_argsz(uint32_t argsz)
{
	struct vfio_iommu_type1_dma_map arguments = {
		.argsz = argsz,
		.flags = RW,
		.vaddr = (uintptr_t)memory,
		.size = PAGE,
	};

	return vfio_call(rig.container, VFIO_IOMMU_MAP_DMA,
			 (unsigned long)&arguments);
}

BOTH_TYPES(map_needs_its_whole_structure)
{
	check_eq(map_with_argsz(31), -EINVAL);
	check_eq(map_with_argsz(0), -EINVAL);
	check_eq(vfio_call(rig.container, VFIO_IOMMU_MAP_DMA, 8), -EFAULT);
	/* The kernel itself can read this address: x86 has its interrupt descriptors there. */
	check_eq(vfio_call(rig.container, VFIO_IOMMU_MAP_DMA, 0xfffffe0000000000UL), -EFAULT);
	check_no_trace();
	check_eq(map_with_argsz(1000), 0);
	check_eq(dma_unmap(rig.container, 0, PAGE), PAGE);
}

BOTH_TYPES(map_with_flags_that_make_no_sense_is_refused)
{
	uint32_t vaddr_flag = VFIO_DMA_MAP_FLAG_VADDR;

	check_eq(map(0, 1, 8 | RW), -EINVAL);
	check_eq(map(0, 1, 0x80000000U | RW), -EINVAL);
	check_eq(map(0, 1, 0), -EINVAL);
	check_eq(map(0, 1, vaddr_flag | RO), -EINVAL);
	check_eq(map(0, 1, vaddr_flag | RW), -EINVAL);
	check_eq(map(0, 1, vaddr_flag), -ENOENT);
	check_no_trace();
}

BOTH_TYPES(map_of_no_or_half_pages_is_refused)
{
	int fd = rig.container;

	check_eq(dma_map(fd, 0, memory, 0, RW), -EINVAL);
	check_eq(dma_map(fd, 1, memory, PAGE, RW), -EINVAL);
	check_eq(dma_map(fd, 0, memory + 1, PAGE, RW), -EINVAL);
	check_eq(dma_map(fd, 0, memory, PAGE + 1, RW), -EINVAL);
	check_eq(dma_map(fd, 0, memory, PAGE - 1, RW), -EINVAL);
	check_eq(dma_map(fd, 0x800, memory, PAGE, RW), -EINVAL);
	check_no_trace();
}

BOTH_TYPES(map_that_wraps_around_2_to_the_64_is_refused)
{
	int fd = rig.container;
	uint8_t *last_page = (uint8_t *)-PAGE;

	check_eq(map(-PAGE, 2, RW), wrap_error());
	check_eq(dma_map(fd, 0, last_page, 2 * PAGE, RW), wrap_error());
	check_eq(map(-PAGE, 2, 0), wrap_error());
	check_eq(dma_map(fd, 0, memory, -PAGE, RW), wrap_error());
	/* Only AMD's aperture contains the last page of all. */
	if (last_usable_iova(fd) != UINT64_MAX)
		check_eq(map(-PAGE, 1, RW), -EINVAL);
	check_no_trace();
}

BOTH_TYPES(map_ends_with_the_aperture)
{
	uint64_t end = last_usable_iova(rig.container) + 1;

	if (!end)
		skip("the aperture of this IOMMU ends where numbers do");
	check_eq(map(end - PAGE, 1, RW), 0);
	check_eq(map(end, 1, RW), -EINVAL);
	check_eq(map(end + 16 * PAGE, 1, RW), -EINVAL);
	/* An overlap is reported before the range is checked. */
	check_eq(map(end - 2 * PAGE, 4, RW), -EEXIST);
	check_eq(dma_unmap(rig.container, end - PAGE, PAGE), PAGE);
	check_eq(map(end - 2 * PAGE, 4, RW), -EINVAL);
	check_no_trace();
}

BOTH_TYPES(map_over_the_msi_window_is_refused)
{
	check_eq(map(MSI_START - PAGE, 2, RW), -EINVAL);
	check_eq(map(MSI_START, 1, RW), -EINVAL);
	check_eq(map(MSI_START + 7 * PAGE, 1, RW), -EINVAL);
	check_eq(map(MSI_END - PAGE, 1, RW), -EINVAL);
	check_eq(map(MSI_END - PAGE, 2, RW), -EINVAL);
	check_no_trace();
	check_eq(map(MSI_START - PAGE, 1, RW), 0);
	check_eq(map(MSI_END, 1, RW), 0);
	check_eq(dma_unmap_all(rig.container), 2 * PAGE);
}

BOTH_TYPES(map_over_a_mapping_is_refused)
{
	check_eq(map(0, 4, RW), 0);
	check_eq(map(PAGE, 1, RW), -EEXIST);
	check_eq(map(0, 4, RW), -EEXIST);
	check_eq(map(3 * PAGE, 4, RW), -EEXIST);
	check_eq(map(0, 64, RW), -EEXIST);
	check_eq(map(0, 1, RO), -EEXIST);
	check_eq(dma_avail(rig.container), 65534);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(dma_unmap(rig.container, 0, 4 * PAGE), 4 * PAGE);
}

BOTH_TYPES(each_permission_can_be_mapped_alone)
{
	check_eq(map(0, 1, RO), 0);
	check_eq(map(PAGE, 1, WO), 0);
	check_eq(map(2 * PAGE, 1, RW), 0);
	check_eq(dma_unmap_all(rig.container), 3 * PAGE);
}

BOTH_TYPES(memory_mapped_twice_is_charged_twice)
{
	check_eq(map(0, 4, RW), 0);
	check_eq(map(4 * PAGE, 4, RO), 0);
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB);
	check_eq(dma_unmap(rig.container, 0, 4 * PAGE), 4 * PAGE);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(dma_unmap_all(rig.container), 4 * PAGE);
	check_eq(vm_lck_kib(0), 0);
}

BOTH_TYPES(map_of_an_address_without_memory_faults)
{
	int fd = rig.container;
	uint8_t *nothing = mem_reserve(4 * PAGE);

	mem_free(nothing, 4 * PAGE);
	check_eq(dma_map(fd, 0, nothing, 4 * PAGE, RW), -EFAULT);
	check_eq(dma_map(fd, 0, NULL, PAGE, RW), -EFAULT);
	check_eq(dma_map(fd, 0, (void *)0x900000000000, PAGE, RW), -EFAULT);
	check_eq(dma_map(fd, 0, (void *)0xffff888000000000, PAGE, RW), -EFAULT);
	check_eq(dma_map(fd, 0, (void *)-PAGE, PAGE, RW), -EFAULT);
	check_no_trace();
}

BOTH_TYPES(memory_that_cannot_be_written_is_mapped_read_only)
{
	require_eq(or_errno(mprotect(memory, 4 * PAGE, PROT_READ)), 0);
	check_eq(map(0, 4, RW), -EFAULT);
	check_eq(map(0, 4, WO), -EFAULT);
	check_no_trace();
	check_eq(map(0, 4, RO), 0);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(dma_unmap_all(rig.container), 4 * PAGE);
}

BOTH_TYPES(memory_without_access_is_not_mapped)
{
	require_eq(or_errno(mprotect(memory, 4 * PAGE, PROT_NONE)), 0);
	check_eq(map(0, 4, RO), -EFAULT);
	check_eq(map(0, 4, RW), -EFAULT);
	check_no_trace();
}

BOTH_TYPES(map_with_a_hole_leaves_no_trace)
{
	unsigned int hole;

	require_eq(or_errno(munmap(memory + 2 * PAGE, PAGE)), 0);
	check_eq(map(0, 4, RW), -EFAULT);
	check_no_trace();
	check_eq(dma_unmap(rig.container, 0, 4 * PAGE), 0);
	/* A hole in the last of many pages is found, too. */
	hole = NPAGES - 1;
	require_eq(or_errno(munmap(memory + hole * PAGE, PAGE)), 0);
	check_eq(dma_map(rig.container, 0, memory + 3 * PAGE,
			 (NPAGES - 3) * PAGE, RW), -EFAULT);
	check_no_trace();
}

static void hole_behind_many_pages_leaves_no_trace(void)
{
	uint64_t nbytes = scaled(16, 4) << 20;
	uint8_t *large = mem_alloc_scattered(nbytes);

	open_rig(VFIO_TYPE1v2_IOMMU);
	require_eq(or_errno(munmap(large + nbytes - PAGE, PAGE)), 0);
	check_eq(dma_map(rig.container, 0, large, nbytes, RW), -EFAULT);
	check_no_trace();
	check_eq(dma_map(rig.container, 0, large, nbytes - PAGE, RW), 0);
	check_eq(dma_unmap_all(rig.container), nbytes - PAGE);
	close_rig();
	mem_free(large, nbytes);
}

static void read_only_map_of_untouched_memory_is_charged_as_by_the_kernel(void)
{
	bool zero_page_is_free = !kernel_at_least(6, 2);
	void *untouched = mmap(NULL, PAGE, PROT_READ,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	open_rig(VFIO_TYPE1v2_IOMMU);
	check_eq(dma_map(rig.container, 0, untouched, PAGE, RO), 0);
	check_eq(vm_lck_kib(0), zero_page_is_free ? 0 : PAGE_KIB);
	check_eq(dma_unmap_all(rig.container), PAGE);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
	mem_free(untouched, PAGE);
}

static void memory_that_can_only_be_written_is_not_mapped_for_reading(void)
{
	uint8_t *memory = mmap(NULL, 2 * PAGE, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	require_true(memory != MAP_FAILED);
	*(volatile uint8_t *)memory = 1;
	open_rig(VFIO_TYPE1v2_IOMMU);
	check_eq(dma_map(rig.container, 0, memory, PAGE, RO), -EFAULT);
	check_eq(dma_map(rig.container, 0, memory, 2 * PAGE, RO), -EFAULT);
	check_eq(dma_map(rig.container, 0, memory + PAGE, PAGE, RO), -EFAULT);
	check_eq(dma_map(rig.container, 0, memory, 2 * PAGE, RW), 0);
	check_eq(dma_unmap_all(rig.container), 2 * PAGE);
	close_rig();
	mem_free(memory, 2 * PAGE);
}

/* Puts the memory under a protection key that denies this process all access. */
static void disable_by_key(void *memory, uint64_t nbytes)
{
	int key = pkey_alloc(0, PKEY_DISABLE_ACCESS);

	if (key < 0)
		skip("no protection keys on this machine");
	require_eq(or_errno(pkey_mprotect(memory, nbytes, PROT_READ | PROT_WRITE, key)), 0);
}

static void memory_whose_key_is_disabled_is_mapped(void)
{
	uint64_t nbytes = 64 * PAGE;
	uint8_t *memory = mem_alloc(nbytes);

	disable_by_key(memory, nbytes);
	open_rig(VFIO_TYPE1v2_IOMMU);
	check_eq(dma_map(rig.container, 0, memory, PAGE, RW), 0);
	check_eq(dma_map(rig.container, nbytes, memory, nbytes, RW), 0);
	check_eq(dma_map(rig.container, 2 * nbytes, memory, nbytes, RO), 0);
	check_eq(dma_unmap_all(rig.container), PAGE + 2 * nbytes);
	close_rig();
	mem_free(memory, nbytes);
}

/* None of the pages exists yet. */
static void untouched_memory_whose_key_is_disabled_is_mapped(void)
{
	uint64_t nbytes = 64 * PAGE;
	void *memory = mmap(NULL, nbytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	require_true(memory != MAP_FAILED);
	disable_by_key(memory, nbytes);
	open_rig(VFIO_TYPE1v2_IOMMU);
	check_eq(dma_map(rig.container, 0, memory, nbytes, RW), 0);
	check_eq(dma_unmap_all(rig.container), nbytes);
	close_rig();
	mem_free(memory, nbytes);
}

/* Many read-only maps of memory that was never written have the same page. */
static void zero_page_is_mapped_20000_times(void)
{
	const unsigned int nmaps = scaled(20000, 1000);
	void *untouched = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	open_rig(VFIO_TYPE1v2_IOMMU);
	for (i = 0; i < nmaps; i++)
		require_eq(dma_map(rig.container, i * PAGE, untouched, PAGE, RO), 0);
	check_eq(dma_unmap_all(rig.container), nmaps * PAGE);
	close_rig();
	mem_free(untouched, PAGE);
}

static void shared_memory_is_mapped_read_write(void)
{
	uint64_t nbytes = 8 * PAGE;
	int fd = memfd_create("shared", MFD_CLOEXEC);
	void *shared;

	require_eq(or_errno(ftruncate(fd, (off_t)nbytes)), 0);
	shared = mmap(NULL, nbytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	require_true(shared != MAP_FAILED);
	open_rig(VFIO_TYPE1v2_IOMMU);
	check_eq(dma_map(rig.container, 0, shared, nbytes, RW), 0);
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB);
	check_eq(dma_unmap(rig.container, 0, nbytes), nbytes);
	close_rig();
	mem_free(shared, nbytes);
	close(fd);
}

/*
 * A block device stands in for any file with write-back. A long-term pin for writing would bypass
 * the dirty tracking of the file system.
 */
static void file_with_write_back_is_pinned_only_if_stock_does(void)
{
	int expected = kernel_at_least(6, 12) ? -EFAULT : 0;
	int fd = open("/dev/ram0", O_RDWR | O_CLOEXEC);
	void *shared;

	if (fd < 0)
		skip("no /dev/ram0");
	shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      0);
	require_true(shared != MAP_FAILED);
	open_rig(VFIO_TYPE1v2_IOMMU);
	check_eq(dma_map(rig.container, 0, shared, 4 * PAGE, RW), expected);
	check_eq(dma_map(rig.container, 16 * PAGE, shared, 4 * PAGE, RO), 0);
	check_eq(dma_unmap_all(rig.container), (expected ? 4 : 8) * PAGE);
	close_rig();
	mem_free(shared, 4 * PAGE);
	close(fd);
}

static void check_large(void *large, uint64_t nbytes)
{
	long kib = (long)(nbytes >> 10);

	if (!large)
		skip("the machine has no such memory");
	open_rig(VFIO_TYPE1v2_IOMMU);
	check_eq(dma_map(rig.container, HUGE_BYTES, large, nbytes, RW), 0);
	check_eq(vm_lck_kib(0), kib);
	check_eq(dma_unmap(rig.container, HUGE_BYTES, nbytes), nbytes);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
	mem_free(large, nbytes);
}

static void transparent_huge_pages_are_charged_by_their_size(void)
{
	check_large(mem_alloc_huge(2 * HUGE_BYTES), 2 * HUGE_BYTES);
}

static void hugetlb_pages_are_charged_by_their_size(void)
{
	check_large(mem_alloc_hugetlb(2 * HUGE_BYTES), 2 * HUGE_BYTES);
}

static void scattered_pages_are_charged_by_their_size(void)
{
	void *large = mem_alloc_scattered(2 * HUGE_BYTES);

	check_true(mem_breaks(large, 2 * HUGE_BYTES) > 512);
	check_large(large, 2 * HUGE_BYTES);
}

static void disable_hugepages_changes_nothing_that_can_be_seen(void)
{
	uint8_t *large = mem_alloc_huge(HUGE_BYTES);

	open_rig(VFIO_TYPE1v2_IOMMU);
	param_set(backend_module(), "disable_hugepages", "Y");
	check_eq(map(0, 8, RW), 0);
	check_eq(dma_map(rig.container, HUGE_BYTES, large, HUGE_BYTES, RW), 0);
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB + 2048);
	check_eq(dma_unmap(rig.container, 0, 8 * PAGE), 8 * PAGE);
	param_set(backend_module(), "disable_hugepages", "N");
	check_eq(dma_unmap_all(rig.container), HUGE_BYTES);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
	mem_free(large, HUGE_BYTES);
}

struct mapper {
	pthread_t thread;
	unsigned int index;
	int result;
};

static void *map_many(void *arg)
{
	struct mapper *mapper = arg;
	unsigned int nmaps = scaled(256, 32);
	unsigned int i;

	for (i = 0; i < nmaps && mapper->result == 0; i++)
		mapper->result = map((2 * i + mapper->index) * 2 * PAGE, 2, RW);
	return NULL;
}

static void two_threads_map_at_the_same_time(void)
{
	struct mapper mappers[2] = { { .index = 0 }, { .index = 1 } };
	unsigned int npages = 2 * 2 * scaled(256, 32);
	unsigned int i;

	open_rig(VFIO_TYPE1v2_IOMMU);
	for (i = 0; i < 2; i++)
		require_eq(pthread_create(&mappers[i].thread, NULL, map_many,
					  &mappers[i]), 0);
	for (i = 0; i < 2; i++) {
		require_eq(pthread_join(mappers[i].thread, NULL), 0);
		check_eq(mappers[i].result, 0);
	}
	check_eq(vm_lck_kib(0), npages * PAGE_KIB);
	check_eq(dma_avail(rig.container), 65535 - npages / 2);
	check_eq(dma_unmap_all(rig.container), npages * PAGE);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
}

static void *map_one_range(void *arg)
{
	unsigned int nmaps = scaled(200, 40);
	unsigned int *nwins = arg;
	unsigned int i;

	for (i = 0; i < nmaps; i++) {
		int result = map(0, 16, RW);

		if (result == 0) {
			*nwins += 1;
			check_eq(dma_unmap(rig.container, 0, 16 * PAGE),
				 16 * PAGE);
		} else {
			check_eq(result, -EEXIST);
		}
	}
	return NULL;
}

/* The winner owns the range until it unmaps it. Neither thread gets half. */
static void two_threads_fight_for_one_range(void)
{
	unsigned int nwins[2] = { 0 };
	pthread_t threads[2];
	unsigned int i;

	open_rig(VFIO_TYPE1v2_IOMMU);
	for (i = 0; i < 2; i++)
		require_eq(pthread_create(&threads[i], NULL, map_one_range,
					  &nwins[i]), 0);
	for (i = 0; i < 2; i++)
		require_eq(pthread_join(threads[i], NULL), 0);
	check_true(nwins[0] + nwins[1] > 0);
	check_no_trace();
	close_rig();
}

static const struct test tests[] = {
	TEST(map_needs_its_whole_structure, NEEDS_ONE),
	TEST(map_needs_its_whole_structure_on_type1, NEEDS_ONE),
	TEST(map_with_flags_that_make_no_sense_is_refused, NEEDS_ONE),
	TEST(map_with_flags_that_make_no_sense_is_refused_on_type1, NEEDS_ONE),
	TEST(map_of_no_or_half_pages_is_refused, NEEDS_ONE),
	TEST(map_of_no_or_half_pages_is_refused_on_type1, NEEDS_ONE),
	TEST(map_that_wraps_around_2_to_the_64_is_refused, NEEDS_ONE),
	TEST(map_that_wraps_around_2_to_the_64_is_refused_on_type1, NEEDS_ONE),
	TEST(map_ends_with_the_aperture, NEEDS_ONE),
	TEST(map_ends_with_the_aperture_on_type1, NEEDS_ONE),
	TEST(map_over_the_msi_window_is_refused, NEEDS_ONE),
	TEST(map_over_the_msi_window_is_refused_on_type1, NEEDS_ONE),
	TEST(map_over_a_mapping_is_refused, NEEDS_ONE),
	TEST(map_over_a_mapping_is_refused_on_type1, NEEDS_ONE),
	TEST(each_permission_can_be_mapped_alone, NEEDS_ONE),
	TEST(each_permission_can_be_mapped_alone_on_type1, NEEDS_ONE),
	TEST(memory_mapped_twice_is_charged_twice, NEEDS_ONE),
	TEST(memory_mapped_twice_is_charged_twice_on_type1, NEEDS_ONE),
	TEST(map_of_an_address_without_memory_faults, NEEDS_ONE),
	TEST(map_of_an_address_without_memory_faults_on_type1, NEEDS_ONE),
	TEST(memory_that_cannot_be_written_is_mapped_read_only, NEEDS_ONE),
	TEST(memory_that_cannot_be_written_is_mapped_read_only_on_type1, NEEDS_ONE),
	TEST(memory_without_access_is_not_mapped, NEEDS_ONE),
	TEST(memory_without_access_is_not_mapped_on_type1, NEEDS_ONE),
	TEST(map_with_a_hole_leaves_no_trace, NEEDS_ONE),
	TEST(map_with_a_hole_leaves_no_trace_on_type1, NEEDS_ONE),
	TEST(hole_behind_many_pages_leaves_no_trace, NEEDS_ONE),
	TEST(read_only_map_of_untouched_memory_is_charged_as_by_the_kernel,
	     NEEDS_ONE),
	TEST(zero_page_is_mapped_20000_times, NEEDS_ONE),
	TEST(memory_that_can_only_be_written_is_not_mapped_for_reading, NEEDS_ONE),
	TEST(memory_whose_key_is_disabled_is_mapped, NEEDS_ONE),
	TEST(untouched_memory_whose_key_is_disabled_is_mapped, NEEDS_ONE),
	TEST(shared_memory_is_mapped_read_write, NEEDS_ONE),
	TEST(file_with_write_back_is_pinned_only_if_stock_does, NEEDS_ONE),
	TEST(transparent_huge_pages_are_charged_by_their_size, NEEDS_ONE),
	TEST(hugetlb_pages_are_charged_by_their_size, NEEDS_ONE),
	TEST(scattered_pages_are_charged_by_their_size, NEEDS_ONE),
	TEST(disable_hugepages_changes_nothing_that_can_be_seen, NEEDS_ONE),
	TEST(two_threads_map_at_the_same_time, NEEDS_ONE),
	TEST(two_threads_fight_for_one_range, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
