// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_dma.c - a real device reads and writes memory through the container, and cannot reach
 * anything else
 */
#define _GNU_SOURCE
#include "lib.h"

#define NPAGES		16U
#define NBYTES		(NPAGES * PAGE)
#define PROBE_IOVA	0x40000000ULL
#define FIRST_IOVA	0x100000ULL

static struct rig rig;
static struct edu edu;
static struct probe probe;
static uint8_t *memory;

static void open_rig(unsigned long type)
{
	memory = mem_alloc(NBYTES);
	rig_open(&rig, type, 1);
	edu_open(&edu, rig.group[0], 0);
	probe_open(&probe, &edu, rig.container, PROBE_IOVA);
}

static void close_rig(void)
{
	probe_close(&probe);
	edu_close(&edu);
	rig_close(&rig);
	mem_free(memory, NBYTES);
}

static void map(uint64_t iova, const void *vaddr, uint64_t nbytes)
{
	require_eq(dma_map(rig.container, iova, vaddr, nbytes, RW), 0);
}

static void unmap(uint64_t iova, uint64_t nbytes)
{
	require_eq(dma_unmap(rig.container, iova, nbytes), nbytes);
}

/* Checks that the device copies between two offsets of the memory mapped at an IOVA. */
static void check_copy_in(uint8_t *mapped, uint64_t iova, uint64_t from,
			  uint64_t to)
{
	check_copy(&edu, mapped + from, iova + from, mapped + to, iova + to);
}

static void check_copy_at_iova(uint64_t iova)
{
	context("iova 0x%llx", (unsigned long long)iova);
	map(iova, memory, NBYTES);
	check_copy_in(memory, iova, 0, NBYTES - PAGE);
	unmap(iova, NBYTES);
	context("%s", "");
}

static void device_copies_at_low_iovas(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	check_copy_at_iova(0);
	check_copy_at_iova(FIRST_IOVA);
	check_copy_at_iova(0xfee00000ULL - NBYTES);
	check_copy_at_iova(0xfef00000ULL);
	close_rig();
}

static void device_copies_above_4_gib(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	check_copy_at_iova((1ULL << 32) - NBYTES / 2);
	check_copy_at_iova(1ULL << 32);
	check_copy_at_iova(0x1234567000ULL);
	close_rig();
}

static void device_copies_at_the_end_of_the_aperture(void)
{
	uint64_t end;

	open_rig(VFIO_TYPE1v2_IOMMU);
	end = last_usable_iova(rig.container) + 1;
	/* If the end is 2^64, stock type1 up to 6.12 finds no mapping there. */
	if (!end)
		end -= PAGE;
	check_copy_at_iova(end - NBYTES);
	close_rig();
}

static void device_copies_on_type1(void)
{
	open_rig(VFIO_TYPE1_IOMMU);
	check_copy_at_iova(FIRST_IOVA);
	close_rig();
}

static void device_copies_at_any_offset_in_a_page(void)
{
	static const uint64_t offsets[] = { 1, 0x7f8, 0x800, 0xc00, 0xfff };
	uint64_t iova = FIRST_IOVA;
	size_t i;

	open_rig(VFIO_TYPE1v2_IOMMU);
	map(iova, memory, NBYTES);
	/* The last three offsets make the copy cross into the next page. */
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		context("offset 0x%llx", (unsigned long long)offsets[i]);
		check_copy_in(memory, iova, offsets[i],
			      8 * PAGE + offsets[i] / 2);
	}
	context("%s", "");
	unmap(iova, NBYTES);
	close_rig();
}

static void device_copies_across_two_mappings(void)
{
	uint8_t *other = mem_alloc(PAGE);
	uint8_t pattern[EDU_BYTES];

	open_rig(VFIO_TYPE1v2_IOMMU);
	map(FIRST_IOVA, memory + 5 * PAGE, PAGE);
	map(FIRST_IOVA + PAGE, other, PAGE);
	fill(pattern, sizeof(pattern), 7);
	memcpy(memory + 6 * PAGE - 1024, pattern, 1024);
	memcpy(other, pattern + 1024, 1024);
	edu_load(&edu, FIRST_IOVA + PAGE - 1024, EDU_BYTES);
	check_true(probe_equals(&probe, pattern, EDU_BYTES));
	memset(memory + 5 * PAGE, 0, PAGE);
	memset(other, 0, PAGE);
	edu_store(&edu, FIRST_IOVA + PAGE - 1024, EDU_BYTES);
	check_mem(memory + 6 * PAGE - 1024, pattern, 1024);
	check_mem(other, pattern + 1024, 1024);
	unmap(FIRST_IOVA, 2 * PAGE);
	close_rig();
	mem_free(other, PAGE);
}

/* The device stores a known pattern, and nothing of it arrives in the memory. */
static void check_blocked_store(const uint8_t *target, uint64_t iova)
{
	uint8_t before[EDU_BYTES];

	probe_set(&probe, 0xb10c);
	memcpy(before, target, EDU_BYTES);
	edu_store(&edu, iova, EDU_BYTES);
	check_mem(target, before, EDU_BYTES);
}

/* The device loads, and does not get the contents of the memory. */
static void check_blocked_load(uint8_t *source, uint64_t iova)
{
	fill(source, EDU_BYTES, 0x5ec7e7);
	edu_load(&edu, iova, EDU_BYTES);
	check_true(!probe_equals(&probe, source, EDU_BYTES));
}

static void unmapped_memory_is_out_of_the_device_s_reach(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	map(FIRST_IOVA, memory, NBYTES);
	/* A copy that works first brings the mapping into the IOMMU's caches. */
	check_copy_in(memory, FIRST_IOVA, 0, 4 * PAGE);
	unmap(FIRST_IOVA, NBYTES);
	check_blocked_store(memory + 4 * PAGE, FIRST_IOVA + 4 * PAGE);
	check_blocked_load(memory, FIRST_IOVA);
	close_rig();
}

static void unmap_all_takes_everything_out_of_reach(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	map(FIRST_IOVA, memory, PAGE);
	map(1ULL << 33, memory + PAGE, PAGE);
	check_copy(&edu, memory, FIRST_IOVA, memory + PAGE, 1ULL << 33);
	check_eq(dma_unmap_all(rig.container), 3 * PAGE);
	mem_free(probe.bytes, PAGE);
	probe_open(&probe, &edu, rig.container, PROBE_IOVA);
	check_blocked_load(memory, FIRST_IOVA);
	check_blocked_store(memory + PAGE, 1ULL << 33);
	close_rig();
}

static void unmap_leaves_the_neighbours_in_reach(void)
{
	uint64_t page;

	open_rig(VFIO_TYPE1v2_IOMMU);
	for (page = 0; page < 3; page++)
		map(FIRST_IOVA + page * PAGE, memory + page * PAGE, PAGE);
	unmap(FIRST_IOVA + PAGE, PAGE);
	check_copy_in(memory, FIRST_IOVA, 0, 2 * PAGE);
	check_blocked_store(memory + PAGE, FIRST_IOVA + PAGE);
	check_eq(dma_unmap(rig.container, FIRST_IOVA, 3 * PAGE), 2 * PAGE);
	close_rig();
}

static void iova_mapped_anew_leads_to_the_new_memory(void)
{
	uint8_t *other = mem_alloc(PAGE);
	int i;

	open_rig(VFIO_TYPE1v2_IOMMU);
	for (i = 0; i < 3; i++) {
		uint8_t *page = i % 2 ? other : memory;

		map(FIRST_IOVA, page, PAGE);
		check_copy(&edu, page, FIRST_IOVA, page + EDU_BYTES,
			   FIRST_IOVA + EDU_BYTES);
		unmap(FIRST_IOVA, PAGE);
	}
	close_rig();
	mem_free(other, PAGE);
}

static void read_only_map_stops_the_device_s_writes(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	require_eq(dma_map(rig.container, FIRST_IOVA, memory, NBYTES, RO), 0);
	check_blocked_store(memory, FIRST_IOVA);
	check_blocked_store(memory + NBYTES - PAGE,
			    FIRST_IOVA + NBYTES - PAGE);
	fill(memory, EDU_BYTES, 3);
	edu_load(&edu, FIRST_IOVA, EDU_BYTES);
	check_true(probe_equals(&probe, memory, EDU_BYTES));
	unmap(FIRST_IOVA, NBYTES);
	close_rig();
}

static void write_only_map_lets_the_device_write(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	require_eq(dma_map(rig.container, FIRST_IOVA, memory, NBYTES, WO), 0);
	probe_set(&probe, 11);
	edu_store(&edu, FIRST_IOVA + PAGE, EDU_BYTES);
	check_mem(memory + PAGE, probe.bytes, EDU_BYTES);
	unmap(FIRST_IOVA, NBYTES);
	close_rig();
}

static void same_memory_at_two_iovas_is_one_memory(void)
{
	uint64_t second = 5ULL << 30;

	open_rig(VFIO_TYPE1v2_IOMMU);
	map(FIRST_IOVA, memory, NBYTES);
	require_eq(dma_map(rig.container, second, memory, NBYTES, RO), 0);
	check_copy(&edu, memory, second, memory + PAGE, FIRST_IOVA + PAGE);
	check_blocked_store(memory, second);
	unmap(FIRST_IOVA, NBYTES);
	fill(memory, EDU_BYTES, 17);
	edu_load(&edu, second, EDU_BYTES);
	check_true(probe_equals(&probe, memory, EDU_BYTES));
	check_blocked_store(memory, FIRST_IOVA);
	unmap(second, NBYTES);
	close_rig();
}

/* A mapping holds pages, not addresses. */
static void device_sees_the_old_page_after_munmap_and_mmap(void)
{
	uint8_t old[EDU_BYTES];
	void *again;

	open_rig(VFIO_TYPE1v2_IOMMU);
	map(FIRST_IOVA, memory, NBYTES);
	fill(memory, EDU_BYTES, 21);
	memcpy(old, memory, EDU_BYTES);
	mem_free(memory, NBYTES);
	again = mmap(memory, NBYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	require_true(again == memory);
	fill(memory, EDU_BYTES, 22);
	edu_load(&edu, FIRST_IOVA, EDU_BYTES);
	check_true(probe_equals(&probe, old, EDU_BYTES));
	check_blocked_store(memory, FIRST_IOVA);
	check_eq(vm_lck_kib(0), (NPAGES + 1) * PAGE_KIB);
	unmap(FIRST_IOVA, NBYTES);
	close_rig();
}

static void check_many_pages(uint8_t *large, uint64_t nbytes, uint64_t iova)
{
	uint64_t middle = nbytes / 2;

	if (!large)
		skip("the machine has no such memory");
	open_rig(VFIO_TYPE1v2_IOMMU);
	map(iova, large, nbytes);
	check_copy_in(large, iova, 0, nbytes - PAGE);
	check_copy_in(large, iova, nbytes - EDU_BYTES, middle);
	check_copy_in(large, iova, middle, 511 * PAGE + EDU_BYTES);
	/* Across the place where a huge page would end. */
	check_copy_in(large, iova, HUGE_BYTES - EDU_BYTES / 2, 3 * PAGE);
	unmap(iova, nbytes);
	check_blocked_store(large + middle, iova + middle);
	check_blocked_load(large + nbytes - PAGE, iova + nbytes - PAGE);
	close_rig();
	mem_free(large, nbytes);
}

static void device_reaches_all_of_scattered_memory(void)
{
	uint64_t nbytes = scaled(16, 2) * HUGE_BYTES;
	uint8_t *large = mem_alloc_scattered(nbytes);

	check_true(mem_breaks(large, nbytes) > (long long)(nbytes / PAGE) / 2);
	check_many_pages(large, nbytes, 1ULL << 34);
}

static void device_reaches_all_of_transparent_huge_pages(void)
{
	uint64_t nbytes = scaled(16, 2) * HUGE_BYTES;

	check_many_pages(mem_alloc_huge(nbytes), nbytes, 1ULL << 34);
}

static void device_reaches_all_of_huge_pages_at_an_odd_iova(void)
{
	uint64_t nbytes = 2 * HUGE_BYTES;

	check_many_pages(mem_alloc_huge(nbytes), nbytes,
			 (1ULL << 34) + 3 * PAGE);
}

static void device_reaches_all_of_hugetlb_pages(void)
{
	uint64_t nbytes = 2 * HUGE_BYTES;

	check_many_pages(mem_alloc_hugetlb(nbytes), nbytes, 1ULL << 34);
}

static void device_reaches_huge_pages_mapped_as_small_ones(void)
{
	uint64_t nbytes = 2 * HUGE_BYTES;

	param_set(backend_module(), "disable_hugepages", "Y");
	check_many_pages(mem_alloc_huge(nbytes), nbytes, 1ULL << 34);
}

/* Huge pages in which single pages were replaced by others. */
static void device_reaches_all_of_mixed_memory(void)
{
	uint64_t nbytes = 2 * HUGE_BYTES;
	uint8_t *large = mem_alloc_huge(nbytes);
	unsigned int page;

	for (page = 3; page < nbytes / PAGE; page += 61) {
		uint8_t *at = large + page * PAGE;
		uint8_t *other = mem_alloc(PAGE);

		require_true(mremap(other, PAGE, PAGE,
				    MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
	}
	open_rig(VFIO_TYPE1v2_IOMMU);
	map(1ULL << 34, large, nbytes);
	for (page = 2; page < 5; page++)
		check_copy_in(large, 1ULL << 34, page * PAGE,
			      (page + 61) * PAGE);
	check_copy_in(large, 1ULL << 34, 4 * PAGE - 1024, 64 * PAGE - 1024);
	check_copy_in(large, 1ULL << 34, 4 * PAGE - 1024, nbytes - EDU_BYTES);
	unmap(1ULL << 34, nbytes);
	close_rig();
	mem_free(large, nbytes);
}

/* The pages of one huge page, mapped in reverse order. */
static void device_reaches_pages_in_reverse_order(void)
{
	unsigned int npages = 64;
	uint8_t *large = mem_alloc_huge(HUGE_BYTES);
	uint8_t *reversed = mem_reserve(npages * PAGE);
	unsigned int page;

	for (page = 0; page < npages; page++) {
		uint8_t *to = reversed + page * PAGE;
		uint8_t *from = large + (npages - 1 - page) * PAGE;

		require_true(mremap(from, PAGE, PAGE,
				    MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	}
	open_rig(VFIO_TYPE1v2_IOMMU);
	map(FIRST_IOVA, reversed, npages * PAGE);
	check_copy_in(reversed, FIRST_IOVA, 0, (npages - 1) * PAGE);
	check_copy_in(reversed, FIRST_IOVA, PAGE - 1024, 32 * PAGE - 1024);
	unmap(FIRST_IOVA, npages * PAGE);
	close_rig();
	mem_free(reversed, npages * PAGE);
	munmap(large, HUGE_BYTES);
}

static void shared_memory_is_one_with_the_device(void)
{
	int fd = memfd_create("shared", MFD_CLOEXEC);
	uint8_t *shared;
	uint8_t *second;

	require_eq(or_errno(ftruncate(fd, NBYTES)), 0);
	shared = mmap(NULL, NBYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	second = mmap(NULL, NBYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	require_true(shared != MAP_FAILED && second != MAP_FAILED);
	open_rig(VFIO_TYPE1v2_IOMMU);
	map(FIRST_IOVA, shared, NBYTES);
	check_copy(&edu, second, FIRST_IOVA, second + 7 * PAGE,
		   FIRST_IOVA + 7 * PAGE);
	unmap(FIRST_IOVA, NBYTES);
	close_rig();
	mem_free(shared, NBYTES);
	mem_free(second, NBYTES);
	close(fd);
}

static void wait_for_gate(void *gate)
{
	gate_wait(gate);
}

/* Copy-on-write must not give the parent a new page while the device has the old one. */
static void device_sees_the_parent_s_memory_after_fork(void)
{
	struct gate gate;
	pid_t child;

	gate_make(&gate);
	open_rig(VFIO_TYPE1v2_IOMMU);
	fill(memory, NBYTES, 30);
	map(FIRST_IOVA, memory, NBYTES);
	child = spawn(wait_for_gate, &gate);
	fill(memory, EDU_BYTES, 31);
	edu_load(&edu, FIRST_IOVA, EDU_BYTES);
	check_true(probe_equals(&probe, memory, EDU_BYTES));
	check_copy_in(memory, FIRST_IOVA, 0, PAGE);
	gate_open(&gate);
	join(child);
	check_copy_in(memory, FIRST_IOVA, 0, 2 * PAGE);
	unmap(FIRST_IOVA, NBYTES);
	close_rig();
}

static void dma_goes_on_when_only_the_device_is_still_open(void)
{
	open_rig(VFIO_TYPE1v2_IOMMU);
	map(FIRST_IOVA, memory, NBYTES);
	close(rig.container);
	close(rig.group[0]);
	check_copy_in(memory, FIRST_IOVA, 0, PAGE);
	check_eq(vm_lck_kib(0), (NPAGES + 1) * PAGE_KIB);
	edu_close(&edu);
	check_eq(vm_lck_kib(0), 0);
	mem_free(probe.bytes, PAGE);
	mem_free(memory, NBYTES);
}

/* In each round the memory is charged and reachable at once. */
static void map_dma_unmap_many_times(void)
{
	int nrounds = scaled(20, 5);
	int i;

	open_rig(VFIO_TYPE1v2_IOMMU);
	for (i = 0; i < nrounds; i++) {
		uint64_t iova = FIRST_IOVA + (uint64_t)(i % 3) * PAGE;

		context("round %d", i);
		map(iova, memory, 8 * PAGE);
		check_copy_in(memory, iova, 0, 7 * PAGE);
		unmap(iova, 8 * PAGE);
	}
	context("%s", "");
	close_rig();
}

static const struct test tests[] = {
	TEST(device_copies_at_low_iovas, NEEDS_ONE),
	TEST(device_copies_above_4_gib, NEEDS_ONE),
	TEST(device_copies_at_the_end_of_the_aperture, NEEDS_ONE),
	TEST(device_copies_on_type1, NEEDS_ONE),
	TEST(device_copies_at_any_offset_in_a_page, NEEDS_ONE),
	TEST(device_copies_across_two_mappings, NEEDS_ONE),
	TEST(unmapped_memory_is_out_of_the_device_s_reach, NEEDS_ONE),
	TEST(unmap_all_takes_everything_out_of_reach, NEEDS_ONE),
	TEST(unmap_leaves_the_neighbours_in_reach, NEEDS_ONE),
	TEST(iova_mapped_anew_leads_to_the_new_memory, NEEDS_ONE),
	TEST(read_only_map_stops_the_device_s_writes, NEEDS_ONE),
	TEST(write_only_map_lets_the_device_write, NEEDS_ONE),
	TEST(same_memory_at_two_iovas_is_one_memory, NEEDS_ONE),
	TEST(device_sees_the_old_page_after_munmap_and_mmap, NEEDS_ONE),
	TEST(device_reaches_all_of_scattered_memory, NEEDS_ONE),
	TEST(device_reaches_all_of_transparent_huge_pages, NEEDS_ONE),
	TEST(device_reaches_all_of_huge_pages_at_an_odd_iova, NEEDS_ONE),
	TEST(device_reaches_all_of_hugetlb_pages, NEEDS_ONE),
	TEST(device_reaches_huge_pages_mapped_as_small_ones, NEEDS_ONE),
	TEST(device_reaches_all_of_mixed_memory, NEEDS_ONE),
	TEST(device_reaches_pages_in_reverse_order, NEEDS_ONE),
	TEST(shared_memory_is_one_with_the_device, NEEDS_ONE),
	TEST(device_sees_the_parent_s_memory_after_fork, NEEDS_ONE),
	TEST(dma_goes_on_when_only_the_device_is_still_open, NEEDS_ONE),
	TEST(map_dma_unmap_many_times, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
