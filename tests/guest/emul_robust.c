// SPDX-License-Identifier: GPL-2.0-only
/*
 * emul_robust.c - behaviour of emulated devices and racing calls that our container survives, but
 * the stock one may not
 */
#define _GNU_SOURCE
#include "lib_dirty.h"
#include "lib_emulated.h"
#include "lib_late.h"
#include "lib_native.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define ARENA_PAGES	64U

/* --- dirty pages belong to an IOAS, tracking to the container */

/* Returns the report about the first 64 pages of the selected IOAS. */
static uint64_t report(void)
{
	uint64_t word = 0;

	check_eq(dirty_get(emul.container, 0, 64 * PAGE, &word, sizeof(word)), 0);
	return word;
}

static uint32_t selected(void)
{
	long long id = vfio_ioas_get(emul.container);

	require_true(id > 0);
	return id;
}

static void select_ioas(uint32_t ioas)
{
	require_eq(vfio_ioas_set(emul.container, ioas), 0);
}

static void write_page(uint64_t page)
{
	uint8_t byte = 1;

	require_eq(emulated_rw(emul.device, page * PAGE, &byte, 1, EMULATED_WRITE), 0);
}

static void dirty_pages_survive_what_happens_in_another_ioas(void)
{
	uint64_t bitmap = 0;
	uint32_t first;

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 64, RW), 0);
	require_eq(dirty_start(emul.container), 0);
	require_eq(emul_pin(2, 1, RW), 1);
	require_eq(emul_unpin(2, 1), 0);
	write_page(5);
	first = selected();
	select_ioas(ioas_alloc(emul.container));
	/* Pins at the same address in another IOAS do not count, either. */
	require_eq(emul_map(0, 64, RW), 0);
	check_eq(report(), 0);
	check_eq(dirty_unmap(emul.container, 0, 64 * PAGE, &bitmap, sizeof(bitmap)), 64 * PAGE);
	check_eq(bitmap, 0);
	require_eq(emul_map(0, 64, RW), 0);
	check_eq(emul_unmap(0, 64), 64);
	select_ioas(first);
	check_eq(report(), 0x24);
	check_eq(report(), 0);
	emul_close();
}

static void tracking_begins_and_ends_in_every_ioas(void)
{
	uint32_t first, other, late;

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 64, RW), 0);
	first = selected();
	other = ioas_alloc(emul.container);
	select_ioas(other);
	require_eq(emul_map(0, 64, RW), 0);
	require_eq(dirty_start(emul.container), 0);
	write_page(3);
	late = ioas_alloc(emul.container);
	select_ioas(late);
	require_eq(emul_map(0, 64, RW), 0);
	write_page(4);
	check_eq(report(), 1 << 4);
	select_ioas(first);
	write_page(7);
	check_eq(report(), 1 << 7);
	select_ioas(other);
	check_eq(report(), 1 << 3);
	write_page(9);
	select_ioas(first);
	/* A container can track without an IOAS, and can start twice. */
	require_eq(vfio_ioas_clear(emul.container), 0);
	check_eq(dirty_stop(emul.container), 0);
	check_eq(dirty_start(emul.container), 0);
	check_eq(dirty_start(emul.container), 0);
	select_ioas(other);
	check_eq(report(), 0);
	check_eq(dirty_stop(emul.container), 0);
	emul_close();
}

static void group_that_leaves_dirties_the_ioas_that_it_was_in(void)
{
	uint32_t first, other;

	emul_open_mixed();
	require_eq(emul_map(0, 64, RW), 0);
	require_eq(dirty_start(emul.container), 0);
	first = selected();
	other = ioas_alloc(emul.container);
	select_ioas(other);
	require_eq(emul_map(0, 64, RW), 0);
	/* No device of a PCI group is in this IOAS. */
	check_eq(report(), 0);
	emul_remove_pci();
	check_eq(report(), 0);
	select_ioas(first);
	check_eq(report(), UINT64_MAX);
	check_eq(report(), 0);
	emul_close();
}

/* --- devices that keep pins */

static void pins_that_a_closed_device_kept_are_taken_from_it(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 8, RW), 0);
	require_eq(emul_pin(0, 8, RW), 8);
	require_eq(emul_pin(2, 2, RW), 2);
	emulated_behave(emul.device, 0, EMULATED_KEEPS_ON_CLOSE);
	emul_close_device();
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 8), 8);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

/* After every test the harness looks for pages that are still pinned. */
static void pins_that_a_closed_device_kept_go_with_its_group(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 8, RW), 0);
	require_eq(emul_pin(0, 8, RW), 8);
	emulated_behave(emul.device, 0, EMULATED_KEEPS_ON_CLOSE);
	emul_close();
	check_eq(vm_lck_kib(0), 0);
}

static void pin_that_failed_does_not_let_a_closed_device_keep_its_own(void)
{
	int group, other;

	emul_open(VFIO_TYPE1v2_IOMMU);
	group = emulated_group_add(emul.container, EMULATED_1);
	other = emulated_device_open(group, EMULATED_1);
	require_eq(emul_map(0, 1, RW), 0);
	require_eq(emul_pin(0, 1, RW), 1);
	/* The second page is not mapped. */
	check_eq(emulated_pin(other, 0, 2, RW), -EINVAL);
	emulated_behave(emul.device, 0, EMULATED_KEEPS_ON_CLOSE);
	emul_close_device();
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 1), 1);
	check_eq(ncallbacks_of(other), 0);
	require_eq(or_errno(close(other)), 0);
	emulated_group_remove(group);
	emul_close();
}

static void pins_that_a_closed_device_kept_are_not_the_mapping(void)
{
	emul_open_mixed();
	require_eq(emul_map(0, 8, RW), 0);
	require_eq(emul_pin(0, 8, RW), 8);
	emulated_behave(emul.device, 0, EMULATED_KEEPS_ON_CLOSE);
	emul_close_device();
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB);
	emul_remove_pci();
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 8), 8);
	emul_close();
}

static void device_cannot_pin_again_what_is_being_unmapped(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 8, RW), 0);
	require_eq(emul_pin(0, 8, RW), 8);
	emulated_behave(emul.device, 0, EMULATED_REPINS);
	check_eq(emul_unmap(0, 8), 8);
	check_true(emulated_info(emul.device).repin < 0);
	check_eq(npins_of(emul.device), 0);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

/* --- racing calls */

/* Threads that repeat one thing until they are told to stop. */
struct race {
	int container;
	bool group_leaves;	/* any call may then find the container empty: EINVAL */
	void *(*run)(void *arg);
	pthread_t thread;
	uint64_t seed;
	atomic_bool stop;
	atomic_uint nstrange;	/* results that must not occur */
	atomic_uint ndone;	/* calls that did something */
	unsigned int wanted;
};

static void race_start(struct race *race, void *(*run)(void *arg))
{
	race->container = emul.container;
	race->seed = random_seed();
	require_eq(pthread_create(&race->thread, NULL, run, race), 0);
}

static void race_end(struct race *race)
{
	race->stop = true;
	require_eq(pthread_join(race->thread, NULL), 0);
	check_eq(race->nstrange, 0);
	check_true(race->ndone > 0);
}

/* Allows success and this error only. */
static void judge(struct race *race, long long result, int allowed)
{
	if (result >= 0) {
		race->ndone++;
	} else if (result != allowed && !(race->group_leaves && result == -EINVAL)) {
		diag("%lld is no answer", result);
		race->nstrange++;
	}
}

static uint64_t random_below(struct race *race, uint64_t limit)
{
	return random_next(&race->seed) % limit;
}

static void *map_and_unmap(void *arg)
{
	struct race *race = arg;
	struct info info;

	while (!race->stop) {
		uint64_t first = random_below(race, ARENA_PAGES);
		uint64_t npages = 1 + random_below(race, 8);

		judge(race, emul_map(first, npages, RW), -EEXIST);
		/* An unmap that would cut a mapping is refused. */
		first = random_below(race, ARENA_PAGES);
		judge(race, emul_unmap(first, 8), -EINVAL);
		judge(race, info_get(race->container, &info), 0);
	}
	return NULL;
}

static void *pin_and_unpin(void *arg)
{
	struct race *race = arg;

	while (!race->stop) {
		uint64_t first = random_below(race, ARENA_PAGES);
		int npages = (int)(1 + random_below(race, 4));
		int result = emul_pin(first, npages, RW);

		/* The pin gets all pages, or there is no mapping. */
		judge(race, result, -EINVAL);
		if (result > 0 && result != npages)
			race->nstrange++;
		if (result > 0 && random_below(race, 2))
			judge(race, emul_unpin(first, npages), -EINVAL);
	}
	return NULL;
}

/* The contents of the memory, which do not change. */
static uint8_t pattern[ARENA_PAGES * PAGE];

static void fill_memory(void)
{
	fill(pattern, sizeof(pattern), 17);
	memcpy(emul.memory, pattern, sizeof(pattern));
}

static void *read_and_write(void *arg)
{
	struct race *race = arg;
	uint8_t bytes[2 * PAGE];

	while (!race->stop) {
		uint32_t nbytes = 1 + random_below(race, sizeof(bytes));
		uint64_t iova = random_below(race, ARENA_PAGES * PAGE - nbytes);
		bool writes = random_below(race, 2);
		int result;

		/* An IOVA always maps the same place. Writes do not change its contents. */
		memset(bytes, 0, nbytes);
		if (writes)
			memcpy(bytes, pattern + iova, nbytes);
		result = emulated_rw(emul.device, iova, bytes, nbytes, writes);
		judge(race, result, -EINVAL);
		if (result >= 0 && memcmp(bytes, pattern + iova, nbytes))
			race->nstrange++;
	}
	return NULL;
}

static bool has_rounds(void *arg)
{
	struct race *race = arg;

	return race->ndone >= race->wanted || race->nstrange;
}

/* Waits until the threads have done this many more calls. */
static void wait_for(struct race *race, unsigned int nrounds)
{
	race->wanted = race->ndone + nrounds;
	check_true(wait_until(has_rounds, race, EVENT_SECONDS));
}

static void wait_for_rounds(struct race *race)
{
	wait_for(race, scaled(1000, 100));
}

static void group_leaves_while_threads_map(void)
{
	struct race races[2] = { 0 };
	unsigned int i, nrounds = scaled(100, 20);

	emul_open(VFIO_TYPE1v2_IOMMU);
	for (i = 0; i < ARRAY_SIZE(races); i++) {
		races[i].group_leaves = true;
		race_start(&races[i], map_and_unmap);
	}
	for (i = 0; i < nrounds; i++) {
		emul_remove_group();
		emul.group = emulated_group_add(emul.container, EMULATED_0);
		require_eq(set_iommu(emul.container, VFIO_TYPE1v2_IOMMU), 0);
		require_backend(emul.container);
		wait_for(&races[i % ARRAY_SIZE(races)], 3);
	}
	for (i = 0; i < ARRAY_SIZE(races); i++)
		race_end(&races[i]);
	emul_close();
	check_eq(vm_lck_kib(0), 0);
}

static void pci_group_comes_and_goes_while_threads_pin(void)
{
	struct race mapping = { 0 }, pinning = { 0 };
	unsigned int i, nrounds = scaled(20, 5);

	emul_open(VFIO_TYPE1v2_IOMMU);
	race_start(&mapping, map_and_unmap);
	race_start(&pinning, pin_and_unpin);
	for (i = 0; i < nrounds; i++) {
		require_eq(emul_add_pci(), 0);
		wait_for(&mapping, 3);
		wait_for(&pinning, 1);
		emul_remove_pci();
	}
	race_end(&mapping);
	race_end(&pinning);
	check_true(dma_unmap_all(emul.container) >= 0);
	check_eq(npins_of(emul.device), 0);
	check_eq(dma_avail(emul.container), 65535);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static void pins_race_with_unmaps(void)
{
	struct race mapping = { 0 }, pinning = { 0 }, copying = { 0 };

	emul_open(VFIO_TYPE1v2_IOMMU);
	fill_memory();
	race_start(&mapping, map_and_unmap);
	race_start(&pinning, pin_and_unpin);
	race_start(&copying, read_and_write);
	wait_for_rounds(&mapping);
	wait_for_rounds(&pinning);
	wait_for_rounds(&copying);
	race_end(&mapping);
	race_end(&pinning);
	race_end(&copying);
	check_mem(emul.memory, pattern, sizeof(pattern));
	check_true(dma_unmap_all(emul.container) >= 0);
	check_eq(npins_of(emul.device), 0);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

/* Reports cover the arena only, whatever is mapped there at the time. */
static void *get_reports(void *arg)
{
	struct race *race = arg;

	while (!race->stop) {
		uint64_t bitmap[4] = { 0, 0, ~0ULL, ~0ULL };

		/* EINVAL: the range cuts a mapping, or nobody tracks. */
		judge(race, dirty_get(race->container, 0, 128 * PAGE, bitmap,
				      2 * sizeof(bitmap[0])), -EINVAL);
		if (bitmap[1] & ~0xffULL || ~bitmap[2] || ~bitmap[3])
			race->nstrange++;
	}
	return NULL;
}

static void *start_and_stop(void *arg)
{
	struct race *race = arg;

	while (!race->stop) {
		judge(race, dirty_start(race->container), 0);
		sched_yield();
		judge(race, dirty_stop(race->container), 0);
	}
	return NULL;
}

static void reports_race_with_unmaps(void)
{
	struct race mapping = { 0 }, pinning = { 0 }, reporting = { 0 };
	struct race starting = { 0 };

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(dirty_start(emul.container), 0);
	race_start(&mapping, map_and_unmap);
	race_start(&pinning, pin_and_unpin);
	race_start(&reporting, get_reports);
	wait_for_rounds(&mapping);
	wait_for_rounds(&reporting);
	race_start(&starting, start_and_stop);
	wait_for_rounds(&starting);
	wait_for_rounds(&pinning);
	race_end(&mapping);
	race_end(&pinning);
	race_end(&reporting);
	race_end(&starting);
	check_true(dma_unmap_all(emul.container) >= 0);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

/* --- waiting for memory */

struct late_call {
	pthread_t thread;
	bool pins;
	int result;
};

static void *use_late_memory(void *arg)
{
	struct late_call *call = arg;
	uint8_t byte = 0xee;

	if (call->pins)
		call->result = emul_pin(0, 1, RW);
	else
		call->result = emulated_rw(emul.device, 0, &byte, 1, 0);
	return NULL;
}

/* Checks that neither the same container nor another one waits. */
static void check_nobody_else_waits(void)
{
	struct info info;
	struct rig other;

	check_eq(info_get(emul.container, &info), 0);
	check_eq(emul_map(8, 8, RW), 0);
	check_eq(emul_unmap(8, 8), 8);
	rig_open(&other, VFIO_TYPE1v2_IOMMU, 1);
	check_eq(dma_map(other.container, 0, emul.memory, PAGE, RW), 0);
	check_eq(dma_unmap_all(other.container), PAGE);
	rig_close(&other);
}

static void check_late_call(bool pins)
{
	struct late_call call = { .pins = pins };
	struct late_memory late;

	late_memory_make(&late);
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(dma_map(emul.container, 0, late.memory, PAGE, RW), 0);
	require_eq(pthread_create(&call.thread, NULL, use_late_memory, &call), 0);
	late_memory_wanted(&late);
	check_nobody_else_waits();
	late_memory_release(&late);
	require_eq(pthread_join(call.thread, NULL), 0);
	check_eq(call.result, pins);
	check_eq(emul_unmap(0, 1), 1);
	emul_close();
	late_memory_free(&late);
}

static void copy_of_absent_memory_holds_up_nobody_else(void)
{
	check_late_call(false);
}

static void pin_of_absent_memory_holds_up_nobody_else(void)
{
	need_pins_that_wait();
	check_late_call(true);
}

/* Returns the number of users of the only IOAS. The status file must be short. */
static long long nusers_shown(void)
{
	char text[4096];
	const char *line;

	read_whole("/sys/kernel/debug/vfio_ioas/status", text, sizeof(text));
	line = strstr(text, "\nioas ");
	require_true(line && !strstr(line + 1, "\nioas "));
	return word_value(line + 1, "users");
}

static void status_counts_the_devices_of_a_container_as_one_user(void)
{
	int group;

	emul_open(VFIO_TYPE1v2_IOMMU);
	check_eq(nusers_shown(), 1);
	group = emulated_group_add(emul.container, EMULATED_1);
	check_eq(nusers_shown(), 1);
	emulated_group_remove(group);
	emul_close();
}

static const struct test tests[] = {
	TEST(status_counts_the_devices_of_a_container_as_one_user, ONLY_IOAS),
	TEST(dirty_pages_survive_what_happens_in_another_ioas, ONLY_IOAS),
	TEST(tracking_begins_and_ends_in_every_ioas, ONLY_IOAS),
	TEST(group_that_leaves_dirties_the_ioas_that_it_was_in, ONLY_IOAS | NEEDS_ONE),
	TEST(pins_that_a_closed_device_kept_are_taken_from_it, ONLY_IOAS),
	TEST(pins_that_a_closed_device_kept_go_with_its_group, ONLY_IOAS),
	TEST(pin_that_failed_does_not_let_a_closed_device_keep_its_own, ONLY_IOAS),
	TEST(pins_that_a_closed_device_kept_are_not_the_mapping, ONLY_IOAS | NEEDS_ONE),
	TEST(device_cannot_pin_again_what_is_being_unmapped, ONLY_IOAS),
	TEST(group_leaves_while_threads_map, ONLY_IOAS),
	TEST(pci_group_comes_and_goes_while_threads_pin, ONLY_IOAS | NEEDS_ONE),
	TEST(pins_race_with_unmaps, ONLY_IOAS),
	TEST(reports_race_with_unmaps, ONLY_IOAS),
	TEST(copy_of_absent_memory_holds_up_nobody_else, ONLY_IOAS | NEEDS_ONE),
	TEST(pin_of_absent_memory_holds_up_nobody_else, ONLY_IOAS | NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
