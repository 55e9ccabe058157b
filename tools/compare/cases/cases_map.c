// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases_map.c - VFIO_IOMMU_MAP_DMA (docs/type1.md, 13.3)
 */
#include "calls.h"
#include "case_groups.h"
#include "compare/op/memory.h"
#include "compare/op/modules.h"
#include "compare/op/setup.h"
#include "compare/op/transcript.h"
#include "lib/text.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define NOWHERE		((void *)0x900000000000)
#define KERNEL		((void *)0xffff888000000000)
#define LAST_PAGE	((void *)-PAGE)
/* The kernel itself can read this address: x86 has its interrupt descriptors there. */
#define DESCRIPTORS	0xfffffe0000000000UL

static void map_needs_its_whole_structure(void)
{
	setup_p();
	map_argsz(0, PAGE, buf, RW, 31);
	map_argsz(0, PAGE, buf, RW, 0);
	map_argsz(0, PAGE, buf, RW, 1000);
	call(VFIO_IOMMU_MAP_DMA, 8);
	call(VFIO_IOMMU_MAP_DMA, 0);
	call(VFIO_IOMMU_MAP_DMA, DESCRIPTORS);
	unmap(0, PAGE);
}

static void map_with_flags_that_make_no_sense(void)
{
	setup_p();
	map(0, 1, 8 | RW);
	map(0, 1, 0);
	map(0, 1, MAP_VADDR | R);
	map(0, 1, MAP_VADDR | RW);
	map(0, 1, 0x80000000 | RW);
	map(0, 1, 0x10);
	unmap_all();
}

static void map_of_no_or_half_pages(void)
{
	setup_p();
	map_at(0, 0, buf, RW);
	map_at(1, PAGE, buf, RW);
	map_at(0x800, PAGE, buf, RW);
	map_at(0, PAGE, buf + 1, RW);
	map_at(0, PAGE + 1, buf, RW);
	map_at(0, PAGE - 1, buf, RW);
	map_at(0, 0, buf, 0);
	map_at(1, 0, buf + 1, RW);
	unmap_all();
}

static void map_around_the_end_of_the_numbers(void)
{
	setup_p();
	map(-PAGE, 2, RW);
	map_at(0, 2 * PAGE, LAST_PAGE, RW);
	map_at(0, -PAGE, buf, RW);
	map_at(PAGE, -PAGE, buf, RW);
	map(-PAGE, 2, 0);
	map(-PAGE, 2, 8);
	map_at(0, PAGE, LAST_PAGE, RW);
	map_at(1, UINT64_MAX, buf, RW);
	unmap_all();
}

static void map_of_the_last_page_there_is(void)
{
	setup_p();
	map(-PAGE, 1, RW);
	unmap_all();
}

static void map_at_the_end_of_the_aperture(void)
{
	uint64_t end;

	setup_p();
	end = last_iova() + 1;
	map(end - PAGE, 1, RW);
	map(end, 1, RW);
	map(end + 16 * PAGE, 1, RW);
	map(end - 2 * PAGE, 4, RW);
	unmap(end - PAGE, PAGE);
	map(end - 2 * PAGE, 4, RW);
	map(end - 2 * PAGE, 2, RW);
	unmap_all();
}

static void map_around_the_msi_window(void)
{
	setup_p();
	map(MSI_START - PAGE, 2, RW);
	map(MSI_START, 1, RW);
	map(MSI_START + 7 * PAGE, 1, RW);
	map(MSI_END - PAGE, 1, RW);
	map(MSI_END - PAGE, 2, RW);
	map_at(MSI_START - PAGE, MSI_END - MSI_START + 2 * PAGE, buf, RW);
	map(MSI_START - PAGE, 1, RW);
	map(MSI_END, 1, RW);
	unmap_all();
}

static void map_over_a_mapping(void)
{
	setup_p();
	map(0, 4, RW);
	map(PAGE, 1, RW);
	map(0, 4, RW);
	map(3 * PAGE, 4, RW);
	map(0, 64, RW);
	map(0, 1, R);
	map_at(0, PAGE, NOWHERE, RW);
	map(4 * PAGE, 1, RW);
	unmap_all();
}

static void permissions_alone(void)
{
	setup_p();
	map(0, 1, R);
	map(PAGE, 1, W);
	map(2 * PAGE, 1, RW);
	unmap_all();
}

static void memory_is_mapped_twice(void)
{
	setup_p();
	map(0, 4, RW);
	map(4 * PAGE, 4, R);
	unmap(0, 4 * PAGE);
	unmap(4 * PAGE, 4 * PAGE);
}

static void map_of_addresses_without_memory(void)
{
	uint8_t *hole;

	setup_p();
	hole = memory("hole", 4 * PAGE, MEMORY_HOLE, 0);
	map_at(0, PAGE, hole, RW);
	map_at(0, 4 * PAGE, hole, R);
	map_at(0, PAGE, NOWHERE, RW);
	map_at(0, PAGE, KERNEL, RW);
	map_at(0, PAGE, NULL, RW);
	unmap_all();
}

static void map_of_read_only_memory(void)
{
	setup_p();
	protect(buf, 4 * PAGE, PROT_R);
	map(0, 4, RW);
	map(0, 4, W);
	map(0, 4, R);
	map(4 * PAGE, 5, RW);
	unmap_all();
}

static void map_of_memory_without_access(void)
{
	setup_p();
	protect(buf, 4 * PAGE, 0);
	map(0, 4, R);
	map(0, 4, RW);
	map(0, 4, W);
}

static void map_with_a_hole(void)
{
	setup_p();
	part(buf + 2 * PAGE, PAGE, MEMORY_HOLE, 0);
	map(0, 4, RW);
	unmap(0, 4 * PAGE);
	map(0, 2, RW);
	map_at(8 * PAGE, PAGE, buf + 3 * PAGE, RW);
	part(buf + (BUF_PAGES - 1) * PAGE, PAGE, MEMORY_HOLE, 0);
	map_at(16 * PAGE, (BUF_PAGES - 3) * PAGE, buf + 3 * PAGE, RW);
	unmap_all();
}

static void map_of_memory_never_touched(void)
{
	uint8_t *fresh;

	setup_p();
	fresh = memory("fresh", 4 * PAGE, MEMORY_ANON, PROT_R);
	map_at(0, PAGE, fresh, R);
	unmap_all();
	fresh = memory("fresh", 4 * PAGE, MEMORY_ANON, PROT_R | PROT_W);
	map_at(0, 4 * PAGE, fresh, RW);
	unmap_all();
}

static void map_of_shared_memory(void)
{
	uint8_t *shared;

	setup_p();
	shared = memory("shared", 8 * PAGE, MEMORY_SHARED, PROT_R | PROT_W);
	map_at(0, 8 * PAGE, shared, RW);
	map_at(8 * PAGE, 8 * PAGE, shared, R);
	unmap_all();
}

static void map_of_a_file_with_write_back(void)
{
	uint8_t *file;

	setup_p();
	file = memory("file", 4 * PAGE, MEMORY_FILE, PROT_R | PROT_W);
	map_at(0, 4 * PAGE, file, RW);
	map_at(16 * PAGE, 4 * PAGE, file, R);
	map_at(32 * PAGE, 4 * PAGE, file, W);
	unmap_all();
}

/* Maps a page of the BAR, first while the device ignores accesses to its memory. */
static void map_of_a_bar(void)
{
	uint8_t *bar;

	setup_p();
	open_device(A);
	ignore_memory(A);
	bar = memory("bar", PAGE, MEMORY_BAR, PROT_R | PROT_W);
	map_at(0, PAGE, bar, RW);
	decode_memory(A);
	map_at(0, PAGE, bar, RW);
	map_at(16 * PAGE, PAGE, bar, R);
	unmap(0, PAGE);
	unmap_all();
}

static void map_of_a_read_only_bar(void)
{
	uint8_t *bar;

	setup_p();
	open_device(A);
	decode_memory(A);
	bar = memory("bar", PAGE, MEMORY_BAR, PROT_R);
	map_at(0, PAGE, bar, RW);
	map_at(0, PAGE, bar, W);
	map_at(0, PAGE, bar, R);
	unmap_all();
}

static void map_of_a_bar_between_memory(void)
{
	uint8_t *mixed;

	setup_p();
	open_device(A);
	decode_memory(A);
	mixed = memory("mixed", 8 * PAGE, MEMORY_TOUCHED, PROT_R | PROT_W);
	part(mixed + 4 * PAGE, PAGE, MEMORY_BAR, PROT_R | PROT_W);
	map_at(0, 8 * PAGE, mixed, RW);
	unmap(0, 8 * PAGE);
	part(mixed + 6 * PAGE, PAGE, MEMORY_HOLE, 0);
	map_at(0, 8 * PAGE, mixed, RW);
	unmap_all();
}

static void bar_of_a_closed_device_stays_mapped(void)
{
	uint8_t *bar;

	setup_p();
	open_device(A);
	decode_memory(A);
	bar = memory("bar", PAGE, MEMORY_BAR, PROT_R | PROT_W);
	map_at(0, PAGE, bar, RW);
	munmap(bar, PAGE);
	close_device(A);
	state();
	unmap(0, PAGE);
}

static void map_of_huge_pages(void)
{
	uint8_t *huge;

	setup_p();
	huge = memory("huge", 4 * MIB, MEMORY_HUGE, PROT_R | PROT_W);
	map_at(0, 2 * MIB, huge, RW);
	unmap(0, 2 * MIB);
	map_at(PAGE, 2 * MIB, huge + PAGE, RW);
	map_at(4 * MIB, 4 * MIB, huge, RW);
	unmap_all();
}

static void map_page_by_page(void)
{
	setup_p();
	param_set(setup.backend, "disable_hugepages", "Y");
	map(0, 8, RW);
	unmap(0, 8 * PAGE);
	param_set(setup.backend, "disable_hugepages", "N");
}

static void map_within_a_small_budget(void)
{
	char before[32];

	param_get(setup.backend, "dma_entry_limit", before, sizeof(before));
	param_set(setup.backend, "dma_entry_limit", "2");
	setup_p();
	param_set(setup.backend, "dma_entry_limit", before);
	info();
	map(0, 1, RW);
	map(2 * PAGE, 1, RW);
	map(4 * PAGE, 1, RW);
	map(0, 1, RW);
	map(MSI_START, 1, RW);
	unmap(0, PAGE);
	map(4 * PAGE, 1, RW);
	map(0, 1, RW);
	unmap_all();
}

static void map_without_any_budget(void)
{
	char before[32];

	param_get(setup.backend, "dma_entry_limit", before, sizeof(before));
	param_set(setup.backend, "dma_entry_limit", "0");
	setup_p();
	param_set(setup.backend, "dma_entry_limit", before);
	info();
	map(0, 1, RW);
	map(MSI_START, 1, RW);
	map_at(0, 0, buf, RW);
}

static void emulated_map_looks_at_no_memory(void)
{
	setup_e();
	map_at(0, PAGE, NULL, RW);
	map_at(PAGE, PAGE, (void *)0x10000, RW);
	map_at(2 * PAGE, PAGE, KERNEL, RW);
	map_at(3 * PAGE, PAGE, LAST_PAGE, RW);
	map_at(4 * PAGE, 2 * PAGE, LAST_PAGE, RW);
	unmap_all();
}

static void emulated_map_of_terabytes(void)
{
	setup_e();
	map_at(0, 8 * TIB, buf, RW);
	unmap_all();
}

static void emulated_map_has_no_msi_window(void)
{
	setup_e();
	map(MSI_START, 1, RW);
	unmap(MSI_START, PAGE);
}

static void emulated_map_that_ends_with_the_numbers(void)
{
	setup_e();
	map(-PAGE, 1, RW);
	map(-PAGE, 1, RW);
	unmap(-PAGE, PAGE);
	unmap_all();
}

struct mapper {
	pthread_t thread;
	unsigned int index;
	int result;
};

static void *map_many(void *argument)
{
	struct mapper *mapper = argument;
	unsigned int i;

	for (i = 0; i < 64 && !mapper->result; i++) {
		struct vfio_iommu_type1_dma_map map = {
			.argsz = sizeof(map),
			.flags = RW,
			.vaddr = (uintptr_t)buf,
			.iova = (2 * i + mapper->index) * 4 * PAGE,
			.size = 2 * PAGE,
		};

		mapper->result = vfio_call(current_container(), VFIO_IOMMU_MAP_DMA,
					   (unsigned long)&map);
	}
	return NULL;
}

static void two_threads_map(void)
{
	struct mapper mappers[2] = { { .index = 0 }, { .index = 1 } };
	unsigned int i;

	setup_p();
	for (i = 0; i < 2; i++)
		pthread_create(&mappers[i].thread, NULL, map_many, &mappers[i]);
	for (i = 0; i < 2; i++) {
		pthread_join(mappers[i].thread, NULL);
		say("thread %u = %d", i, mappers[i].result);
	}
	state();
	unmap_all();
}

#define LARGE_BYTES	(512 * MIB)

/* Prints nothing, because its progress before the kill varies. */
static void map_much(void)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = RW,
		.size = LARGE_BYTES,
	};
	void *large = mmap(NULL, LARGE_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	map.vaddr = (uintptr_t)large;
	vfio_call(current_container(), VFIO_IOMMU_MAP_DMA, (unsigned long)&map);
	_exit(0);
}

/* Waits until some memory of the process is charged, or the process has ended. */
static void wait_until_it_maps(pid_t pid)
{
	siginfo_t info = { 0 };

	while (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && !info.si_pid &&
	       locked_kib_of(pid) <= 0)
		usleep(1000);
}

/* The kill may come too late. The unmap then removes the remaining mappings. */
static void process_is_killed_while_it_maps(void)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.size = LARGE_BYTES,
	};
	pid_t pid;

	setup_p();
	map(GIB, 1, RW);
	pid = fork();
	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	if (pid == 0)
		map_much();
	wait_until_it_maps(pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	vfio_call(current_container(), VFIO_IOMMU_UNMAP_DMA,
		  (unsigned long)&unmap);
	state();
	unmap_all();
}

static const struct test_case cases[] = {
	CASE(map_needs_its_whole_structure, "56", NEEDS_A | BOTH_TYPES,
	     "argsz too small and too large, bad pointers"),
	CASE(map_with_flags_that_make_no_sense, "57", NEEDS_A | BOTH_TYPES,
	     "no permission, unknown flags, permissions with VADDR"),
	CASE(map_of_no_or_half_pages, "58 85", NEEDS_A | BOTH_TYPES,
	     "size, iova or vaddr that is no multiple of a page"),
	CASE(map_around_the_end_of_the_numbers, "59-60", NEEDS_A | BOTH_TYPES,
	     "iova or vaddr that wraps around 2^64"),
	CASE(map_of_the_last_page_there_is, "61", NEEDS_A | BOTH_TYPES,
	     "the last page below 2^64, which is in no aperture"),
	CASE(map_at_the_end_of_the_aperture, "62", NEEDS_A | BOTH_TYPES,
	     "the last usable IOVA, and those behind it"),
	CASE(map_around_the_msi_window, "63 85", NEEDS_A | BOTH_TYPES,
	     "IOVA reserved for interrupts, and its neighbours"),
	CASE(map_over_a_mapping, "64 85", NEEDS_A | BOTH_TYPES,
	     "overlaps of all kinds"),
	CASE(permissions_alone, "65", NEEDS_A | BOTH_TYPES,
	     "read, write, both"),
	CASE(memory_is_mapped_twice, "66", NEEDS_A | BOTH_TYPES,
	     "the charge of memory that has two mappings"),
	CASE(map_of_addresses_without_memory, "67 85", NEEDS_A | BOTH_TYPES,
	     "vaddr with nothing there, or the kernel's"),
	CASE(map_of_read_only_memory, "68", NEEDS_A | BOTH_TYPES,
	     "permissions that the memory does not give"),
	CASE(map_of_memory_without_access, "69", NEEDS_A | BOTH_TYPES,
	     "memory that is PROT_NONE"),
	CASE(map_with_a_hole, "70", NEEDS_A | BOTH_TYPES,
	     "one page of several is missing, also the last one"),
	CASE(map_of_memory_never_touched, "71", NEEDS_A | BOTH_TYPES,
	     "the charge of private memory that was not touched"),
	CASE(map_of_shared_memory, "72", NEEDS_A | BOTH_TYPES, "tmpfs"),
	CASE(map_of_a_file_with_write_back, "73", NEEDS_A | NEEDS_FILE | BOTH_TYPES,
	     "a shared mapping of a file on disk"),
	CASE(map_of_a_bar, "74", ABOUT_MMIO | NEEDS_A | BOTH_TYPES,
	     "registers of the device, disabled and enabled"),
	CASE(map_of_a_read_only_bar, "74", ABOUT_MMIO | NEEDS_A,
	     "registers of the device that the process cannot write"),
	CASE(map_of_a_bar_between_memory, "", ABOUT_MMIO | NEEDS_A,
	     "one mapping of memory, registers and memory"),
	CASE(bar_of_a_closed_device_stays_mapped, "", ABOUT_MMIO | NEEDS_A,
	     "the device is closed while its registers are mapped"),
	CASE(map_of_huge_pages, "75", NEEDS_A | BOTH_TYPES,
	     "the charge of transparent huge pages, also across them"),
	CASE(map_page_by_page, "76", NEEDS_A | INTRUSIVE | BOTH_TYPES,
	     "disable_hugepages"),
	CASE(map_within_a_small_budget, "77", NEEDS_A | INTRUSIVE | BOTH_TYPES,
	     "dma_entry_limit, and what is tested before it"),
	CASE(map_without_any_budget, "78", NEEDS_A | INTRUSIVE,
	     "dma_entry_limit=0"),
	CASE(emulated_map_looks_at_no_memory, "79", NEEDS_E | BOTH_TYPES,
	     "any vaddr"),
	CASE(emulated_map_of_terabytes, "80", NEEDS_E | BOTH_TYPES,
	     "a mapping of 8 TiB"),
	CASE(emulated_map_has_no_msi_window, "81", NEEDS_E | BOTH_TYPES,
	     "IOVA that only an IOMMU reserves"),
	CASE(emulated_map_that_ends_with_the_numbers, "82", NEEDS_E,
	     "a mapping that ends at 2^64"),
	CASE(two_threads_map, "83", NEEDS_A | BOTH_TYPES,
	     "different ranges at the same time"),
	CASE(process_is_killed_while_it_maps, "84", NEEDS_A,
	     "what a map that was cut off leaves behind"),
};

const struct case_group case_group_map = CASE_GROUP("map", cases);
