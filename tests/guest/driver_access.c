// SPDX-License-Identifier: GPL-2.0-only
/*
 * driver_access.c - the kernel interface for drivers that reach an IOAS with the CPU: pins, copies,
 * notifications of unmaps
 */
#define _GNU_SOURCE
#include "lib_driver.h"

#include <pthread.h>
#include <stdatomic.h>

static uint8_t buffer[KAPI_BYTES];

/* Opens a file with an access to the IOAS. */
static int access_file(uint32_t flags)
{
	int file = edu_file(LONE_0);

	require_true(edu_access(file, kapi.fd, kapi.ioas, flags) > 0);
	return file;
}

static int open_mapped(uint32_t flags)
{
	kapi_open();
	kapi_map(KAPI_IOVA);
	return access_file(flags);
}

static void close_all(int file)
{
	check_eq(edu_access_destroy(file), 0);
	require_eq(or_errno(close(file)), 0);
	kapi_close();
}

static long long pin_all(int file)
{
	long long pin = edu_pin(file, KAPI_IOVA, KAPI_BYTES, EDU_TEST_WRITE);

	require_true(pin > 0);
	return pin;
}

static void check_pin_shows_memory(int file, long long pin)
{
	memset(buffer, 0, sizeof(buffer));
	require_eq(edu_pin_copy(file, pin, buffer, 0), 0);
	check_mem(buffer, kapi.memory, KAPI_BYTES);
}

/* --- the object */

static void access_is_an_object_that_its_driver_uses(void)
{
	int file = edu_file(LONE_0);
	long long access;

	kapi_open();
	access = edu_access(file, kapi.fd, kapi.ioas, 0);
	require_true(access > 0);
	check_eq(object_destroy(kapi.fd, (uint32_t)access), -EBUSY);
	check_eq(object_destroy(kapi.fd, kapi.ioas), -EBUSY);
	require_eq(edu_access_destroy(file), 0);
	check_eq(object_destroy(kapi.fd, (uint32_t)access), -ENOENT);
	check_eq(object_destroy(kapi.fd, kapi.ioas), 0);
	close(file);
	kapi_close();
}

static void access_needs_the_id_of_an_ioas(void)
{
	int file = edu_file(LONE_0);
	int bound = edu_file(LONE_1);
	long long device;

	kapi_open();
	device = edu_bind(bound, kapi.fd);
	require_true(device > 0);
	check_eq(edu_access(file, kapi.fd, 0, 0), -ENOENT);
	check_eq(edu_access(file, kapi.fd, 1000, 0), -ENOENT);
	check_eq(edu_access(file, kapi.fd, (uint32_t)device, 0), -ENOENT);
	close(bound);
	close(file);
	kapi_close();
}

static void access_keeps_its_context_open(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);

	require_eq(or_errno(close(kapi.fd)), 0);
	check_pin_shows_memory(file, pin_all(file));
	kapi.fd = native_open();
	close_all(file);
}

static void pinning_access_wants_maps_of_whole_pages(void)
{
	int file;

	kapi_open();
	require_eq(ioas_map(kapi.fd, kapi.ioas, KAPI_IOVA, kapi.memory, 100,
			    IOAS_RW), 0);
	file = edu_file(LONE_0);
	check_eq(edu_access(file, kapi.fd, kapi.ioas, EDU_TEST_ACCESS_PINS),
		 -EADDRINUSE);
	require_eq(ioas_unmap_all(kapi.fd, kapi.ioas), 100);
	require_true(edu_access(file, kapi.fd, kapi.ioas,
				EDU_TEST_ACCESS_PINS) > 0);
	check_eq(ioas_alignment(kapi.fd, kapi.ioas), PAGE);
	check_eq(ioas_map(kapi.fd, kapi.ioas, KAPI_IOVA, kapi.memory, 100,
			  IOAS_RW), -EINVAL);
	require_eq(edu_access_destroy(file), 0);
	check_eq(ioas_alignment(kapi.fd, kapi.ioas), 1);
	close(file);
	kapi_close();
}

/* --- pins */

static void pinned_pages_are_those_of_the_user(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);
	long long pin = pin_all(file);

	check_eq(vm_pin_kib(), KAPI_KIB);
	check_pin_shows_memory(file, pin);
	fill(buffer, KAPI_BYTES, 9);
	require_eq(edu_pin_copy(file, pin, buffer, EDU_TEST_WRITE), 0);
	check_mem(kapi.memory, buffer, KAPI_BYTES);
	check_eq(edu_unpin(file, pin), 0);
	check_eq(vm_pin_kib(), 0);
	close_all(file);
}

static void only_what_is_asked_for_is_pinned(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);
	long long pin = edu_pin(file, KAPI_IOVA + 3 * PAGE, 2 * PAGE, 0);

	require_true(pin > 0);
	check_eq(vm_pin_kib(), 2 * PAGE_KIB);
	require_eq(edu_pin_copy(file, pin, buffer, 0), 0);
	check_mem(buffer, kapi.memory + 3 * PAGE, 2 * PAGE);
	check_eq(edu_unpin(file, pin), 0);
	close_all(file);
}

static void range_can_be_pinned_again_and_again(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);
	long long pin[3];
	int i;

	for (i = 0; i < 3; i++)
		pin[i] = pin_all(file);
	check_eq(vm_pin_kib(), KAPI_KIB);
	for (i = 0; i < 3; i++) {
		check_pin_shows_memory(file, pin[i]);
		check_eq(edu_unpin(file, pin[i]), 0);
	}
	check_eq(vm_pin_kib(), 0);
	close_all(file);
}

static void pin_that_cannot_be_is_refused(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);
	uint64_t end = KAPI_IOVA + KAPI_BYTES;

	require_eq(ioas_map(kapi.fd, kapi.ioas, OTHER_IOVA, kapi.memory, PAGE,
			    IOAS_R), 0);
	check_eq(edu_pin(file, KAPI_IOVA, 0, 0), -EINVAL);
	check_eq(edu_pin(file, KAPI_IOVA + 1, PAGE, 0), -EINVAL);
	check_eq(edu_pin(file, UINT64_MAX - PAGE + 1, 2 * PAGE, 0), -EOVERFLOW);
	check_eq(edu_pin(file, end, PAGE, 0), -ENOENT);
	check_eq(edu_pin(file, KAPI_IOVA, KAPI_BYTES + PAGE, 0), -ENOENT);
	check_eq(edu_pin(file, OTHER_IOVA, PAGE, EDU_TEST_WRITE), -EPERM);
	check_eq(vm_pin_kib(), 0);
	check_true(edu_pin(file, OTHER_IOVA, PAGE, 0) > 0);
	check_eq(edu_access_info(file).npins, 1);
	close_all(file);
}

static void pin_of_memory_that_is_gone_faults(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);

	require_eq(or_errno(munmap(kapi.memory + 4 * PAGE, PAGE)), 0);
	check_eq(edu_pin(file, KAPI_IOVA, KAPI_BYTES, 0), -EFAULT);
	check_eq(vm_pin_kib(), 0);
	check_true(edu_pin(file, KAPI_IOVA, 4 * PAGE, 0) > 0);
	close_all(file);
}

static void pin_beyond_the_limit_is_refused(void)
{
	int file;

	/* Before the map, which records the credentials of its caller. */
	drop_ipc_lock();
	set_memlock_pages(KAPI_PAGES - 1);
	file = open_mapped(EDU_TEST_ACCESS_PINS);
	check_eq(edu_pin(file, KAPI_IOVA, KAPI_BYTES, 0), -ENOMEM);
	check_eq(vm_pin_kib(), 0);
	check_true(edu_pin(file, KAPI_IOVA, KAPI_BYTES - PAGE, 0) > 0);
	check_eq(edu_pin(file, KAPI_IOVA, KAPI_BYTES, 0), -ENOMEM);
	close_all(file);
}

static void access_that_does_not_pin_must_not(void)
{
	int file = open_mapped(0);

	check_eq(edu_pin(file, KAPI_IOVA, PAGE, 0), -EOPNOTSUPP);
	close_all(file);
}

static void pin_costs_nothing_where_a_device_is_attached(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);
	int attached = kapi_attached(LONE_1);
	long long pin;

	check_eq(vm_pin_kib(), KAPI_KIB);
	pin = edu_pin(file, KAPI_IOVA, 4 * PAGE, 0);
	require_true(pin > 0);
	check_eq(vm_pin_kib(), KAPI_KIB);
	check_dma(attached, KAPI_IOVA);
	kapi_detach(attached);
	check_eq(vm_pin_kib(), 4 * PAGE_KIB);
	require_eq(edu_pin_copy(file, pin, buffer, 0), 0);
	check_mem(buffer, kapi.memory, 4 * PAGE);
	attached = kapi_attached(LONE_1);
	check_eq(edu_unpin(file, pin), 0);
	check_dma(attached, KAPI_IOVA);
	check_eq(vm_pin_kib(), KAPI_KIB);
	kapi_detach(attached);
	check_eq(vm_pin_kib(), 0);
	close_all(file);
}

/* --- unmap wins */

static void unmap_takes_pins_back(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);
	long long pin = edu_pin(file, KAPI_IOVA + PAGE, PAGE, 0);

	require_true(pin > 0);
	check_eq(ioas_unmap(kapi.fd, kapi.ioas, KAPI_IOVA, KAPI_BYTES),
		 KAPI_BYTES);
	check_eq(edu_unpin(file, pin), -ENOENT);
	check_eq(edu_access_info(file).nnotices, 1);
	check_eq(edu_access_info(file).npins, 0);
	check_eq(vm_pin_kib(), 0);
	check_eq(edu_pin(file, KAPI_IOVA, PAGE, 0), -ENOENT);
	close_all(file);
}

static void unmap_elsewhere_leaves_pins(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);
	long long pin = pin_all(file);

	kapi_map(OTHER_IOVA);
	check_eq(ioas_unmap(kapi.fd, kapi.ioas, OTHER_IOVA, KAPI_BYTES),
		 KAPI_BYTES);
	check_eq(edu_access_info(file).nnotices, 0);
	check_pin_shows_memory(file, pin);
	close_all(file);
}

static void unmap_takes_pins_of_every_access_back(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);
	int other = access_file(EDU_TEST_ACCESS_PINS);

	pin_all(file);
	pin_all(other);
	check_eq(ioas_unmap_all(kapi.fd, kapi.ioas), KAPI_BYTES);
	check_eq(edu_access_info(file).npins, 0);
	check_eq(edu_access_info(other).npins, 0);
	close(other);
	close_all(file);
}

static void pinned_copy_is_unmapped_on_its_own(void)
{
	struct iova_of from, to;
	int file = open_mapped(EDU_TEST_ACCESS_PINS);
	long long pin = pin_all(file);

	from = (struct iova_of){ kapi.ioas, KAPI_IOVA };
	to = (struct iova_of){ ioas_alloc(kapi.fd), OTHER_IOVA };
	require_eq(ioas_copy(kapi.fd, to, from, KAPI_BYTES, IOAS_RW), 0);
	check_eq(ioas_unmap_all(kapi.fd, to.ioas), KAPI_BYTES);
	check_eq(edu_access_info(file).nnotices, 0);
	check_pin_shows_memory(file, pin);
	close_all(file);
}

/* --- an access that leaves its IOAS */

static void pin_late(int file)
{
	require_true(edu_pin(file, KAPI_IOVA, KAPI_BYTES, EDU_TEST_LATE) > 0);
	check_eq(vm_pin_kib(), KAPI_KIB);
}

static void check_not_pinned(void)
{
	check_eq(vm_pin_kib(), 0);
	check_eq(ioas_unmap(kapi.fd, kapi.ioas, KAPI_IOVA, KAPI_BYTES),
		 KAPI_BYTES);
	check_eq(object_destroy(kapi.fd, kapi.ioas), 0);
}

static void replaced_access_drops_pins_that_the_driver_noted_late(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);

	pin_late(file);
	check_eq(edu_access_replace(file, ioas_alloc(kapi.fd)), 0);
	check_eq(edu_access_info(file).nnotices, 2);
	check_eq(edu_access_info(file).npins, 0);
	check_not_pinned();
	close_all(file);
}

static void access_that_is_detached_gives_back_what_was_noted_late(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);

	pin_late(file);
	check_eq(edu_access_detach(file), 0);
	check_eq(edu_access_info(file).nnotices, 2);
	check_eq(edu_access_info(file).npins, 0);
	check_not_pinned();
	check_eq(edu_access_attach(file, ioas_alloc(kapi.fd)), 0);
	close_all(file);
}

static void access_that_is_destroyed_gives_back_what_was_noted_late(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);

	pin_late(file);
	check_eq(edu_access_destroy(file), 0);
	check_not_pinned();
	close(file);
	kapi_close();
}

/* Threads that each do one thing, for some time or until they are killed. */
struct stress {
	int file;
	uint32_t other_ioas;
	uint64_t until_ns;
	atomic_int nunmaps;
	atomic_int nother;	/* successes of the other threads */
	atomic_int nbad;
};

#define STRESS_NS	3000000000ULL
#define ENOUGH_UNMAPS	100

static void *pin_and_unpin(void *arg)
{
	struct stress *stress = arg;
	uint64_t state = (uint64_t)pthread_self();

	while (now_ns() < stress->until_ns) {
		uint64_t random = random_next(&state);
		uint64_t page = random % KAPI_PAGES;
		uint64_t npages = 1 + (random >> 32) % (KAPI_PAGES - page);
		long long pin = edu_pin(stress->file, KAPI_IOVA + page * PAGE,
					npages * PAGE, EDU_TEST_WRITE);

		if (pin > 0)
			atomic_fetch_add(&stress->nother, 1);
		else if (pin != -ENOENT && pin != -EINVAL)
			atomic_fetch_add(&stress->nbad, 1);
		if (pin > 0 && random >> 63)
			edu_unpin(stress->file, pin);
	}
	return NULL;
}

static void *map_and_unmap(void *arg)
{
	struct stress *stress = arg;

	while (now_ns() < stress->until_ns) {
		if (ioas_unmap(kapi.fd, kapi.ioas, KAPI_IOVA, KAPI_BYTES) !=
		    KAPI_BYTES)
			atomic_fetch_add(&stress->nbad, 1);
		atomic_fetch_add(&stress->nunmaps, 1);
		if (ioas_map(kapi.fd, kapi.ioas, KAPI_IOVA, kapi.memory,
			     KAPI_BYTES, IOAS_RW))
			atomic_fetch_add(&stress->nbad, 1);
	}
	return NULL;
}

static void *attach_and_detach(void *arg)
{
	struct stress *stress = arg;
	int file = kapi_bound(LONE_1);

	while (now_ns() < stress->until_ns) {
		if (edu_attach(file, kapi.ioas) <= 0 || edu_detach(file))
			atomic_fetch_add(&stress->nbad, 1);
		atomic_fetch_add(&stress->nother, 1);
	}
	close(file);
	return NULL;
}

static void *copy(void *arg)
{
	static uint8_t copied[2 * PAGE];
	struct stress *stress = arg;
	uint32_t flags = 0;

	while (now_ns() < stress->until_ns) {
		int result = edu_rw(stress->file, KAPI_IOVA + 1, copied,
				    sizeof(copied), flags);

		if (result == 0)
			atomic_fetch_add(&stress->nother, 1);
		else if (result != -ENOENT && result != -EINVAL)
			atomic_fetch_add(&stress->nbad, 1);
		flags ^= EDU_TEST_KTHREAD;
	}
	return NULL;
}

static void *create_pin_and_destroy(void *arg)
{
	struct stress *stress = arg;
	int file = edu_file(LONE_0);

	while (now_ns() < stress->until_ns) {
		if (edu_access(file, kapi.fd, kapi.ioas,
			       EDU_TEST_ACCESS_PINS) <= 0)
			atomic_fetch_add(&stress->nbad, 1);
		edu_pin(file, KAPI_IOVA, PAGE, 0);
		if (edu_access_destroy(file))
			atomic_fetch_add(&stress->nbad, 1);
		atomic_fetch_add(&stress->nother, 1);
	}
	close(file);
	return NULL;
}

static void *replace_to_and_fro(void *arg)
{
	struct stress *stress = arg;

	while (now_ns() < stress->until_ns) {
		if (edu_access_replace(stress->file, stress->other_ioas))
			atomic_fetch_add(&stress->nbad, 1);
		if (edu_access_replace(stress->file, kapi.ioas))
			atomic_fetch_add(&stress->nbad, 1);
		edu_pin(stress->file, KAPI_IOVA, PAGE, 0);
		atomic_fetch_add(&stress->nother, 1);
	}
	return NULL;
}

#define MAX_THREADS	4U

static unsigned int start_threads(struct stress *stress, pthread_t *threads,
				  void *(*const *functions)(void *))
{
	unsigned int n;

	stress->file = open_mapped(EDU_TEST_ACCESS_PINS);
	stress->other_ioas = ioas_alloc(kapi.fd);
	for (n = 0; functions[n]; n++)
		require_eq(pthread_create(&threads[n], NULL, functions[n],
					  stress), 0);
	return n;
}

static void run_stress(void *(*const *functions)(void *))
{
	struct stress stress = { .until_ns = now_ns() + STRESS_NS };
	pthread_t threads[MAX_THREADS];
	unsigned int nthreads = start_threads(&stress, threads, functions);

	while (nthreads)
		require_eq(pthread_join(threads[--nthreads], NULL), 0);
	diag("%d unmaps, %d other calls", stress.nunmaps, stress.nother);
	check_eq(stress.nbad, 0);
	check_true(stress.nunmaps > 0);
	check_true(stress.nother > 0);
	check_eq(ioas_unmap_all(kapi.fd, kapi.ioas), KAPI_BYTES);
	check_eq(edu_access_info(stress.file).npins, 0);
	check_eq(vm_pin_kib(), 0);
	close_all(stress.file);
}

#define STRESS_TEST(name, ...) \
	static void name(void) \
	{ \
		static void *(*const functions[])(void *) = { \
			__VA_ARGS__, NULL \
		}; \
\
		run_stress(functions); \
	}

STRESS_TEST(unmaps_and_pins_in_parallel_lose_nothing,
	    map_and_unmap, pin_and_unpin, pin_and_unpin)
STRESS_TEST(unmaps_pins_and_attaches_in_parallel_lose_nothing,
	    map_and_unmap, pin_and_unpin, attach_and_detach)
STRESS_TEST(unmaps_and_copies_in_parallel_lose_nothing,
	    map_and_unmap, copy, copy)
STRESS_TEST(unmaps_and_accesses_that_come_and_go_lose_nothing,
	    map_and_unmap, create_pin_and_destroy, create_pin_and_destroy)
STRESS_TEST(unmaps_and_replaces_in_parallel_lose_nothing,
	    map_and_unmap, replace_to_and_fro, create_pin_and_destroy)

static bool has_unmapped_enough(void *arg)
{
	struct stress *stress = arg;

	return stress->nunmaps > ENOUGH_UNMAPS && stress->nother > 1;
}

static void do_everything_at_once(struct gate *ready)
{
	static void *(*const functions[])(void *) = {
		map_and_unmap, pin_and_unpin, attach_and_detach,
		replace_to_and_fro, NULL
	};
	struct stress stress = { .until_ns = UINT64_MAX };
	pthread_t threads[MAX_THREADS];

	start_threads(&stress, threads, functions);
	require_true(wait_until(has_unmapped_enough, &stress, EVENT_SECONDS));
	gate_open(ready);
	for (;;)
		pause();
}

/* --- copies */

static void check_copies(uint32_t flags)
{
	const uint64_t at = 100, nbytes = 3 * PAGE;
	int file = open_mapped(0);

	context("flags %u", flags);
	/* A second map, so that copies can cross the border of two. */
	require_eq(ioas_map(kapi.fd, kapi.ioas, KAPI_IOVA + KAPI_BYTES,
			    kapi.memory, PAGE, IOAS_RW), 0);
	check_eq(edu_rw(file, KAPI_IOVA + at, buffer, nbytes, flags), 0);
	check_mem(buffer, kapi.memory + at, nbytes);
	check_eq(edu_rw(file, KAPI_IOVA + KAPI_BYTES - 50, buffer, 100, flags),
		 0);
	check_mem(buffer, kapi.memory + KAPI_BYTES - 50, 50);
	check_mem(buffer + 50, kapi.memory, 50);
	fill(buffer, KAPI_BYTES, 5);
	check_eq(edu_rw(file, KAPI_IOVA + at, buffer, nbytes,
			flags | EDU_TEST_WRITE), 0);
	check_mem(kapi.memory + at, buffer, nbytes);
	check_eq(vm_pin_kib(), 0);
	context("%s", "");
	close_all(file);
}

static void caller_copies_from_and_to_an_ioas(void)
{
	check_copies(0);
}

static void kernel_thread_copies_from_and_to_an_ioas(void)
{
	check_copies(EDU_TEST_KTHREAD);
}

static void copy_that_cannot_be_is_refused(void)
{
	static const uint32_t who[] = { 0, EDU_TEST_KTHREAD };
	unsigned int i;
	int file = open_mapped(0);

	require_eq(ioas_map(kapi.fd, kapi.ioas, OTHER_IOVA, kapi.memory, PAGE,
			    IOAS_R), 0);
	for (i = 0; i < ARRAY_SIZE(who); i++) {
		context("flags %u", who[i]);
		check_eq(edu_rw(file, KAPI_IOVA, buffer, 0, who[i]), -EINVAL);
		check_eq(edu_rw(file, UINT64_MAX, buffer, 2, who[i]),
			 -EOVERFLOW);
		check_eq(edu_rw(file, KAPI_IOVA - 1, buffer, 2, who[i]),
			 -ENOENT);
		check_eq(edu_rw(file, KAPI_IOVA + KAPI_BYTES - 1, buffer, 2,
				who[i]), -ENOENT);
		check_eq(edu_rw(file, OTHER_IOVA, buffer, 1,
				who[i] | EDU_TEST_WRITE), -EPERM);
		check_eq(edu_rw(file, OTHER_IOVA, buffer, 1, who[i]), 0);
	}
	context("%s", "");
	close_all(file);
}

static void copy_from_memory_that_is_gone_faults(void)
{
	static const uint32_t who[] = { 0, EDU_TEST_KTHREAD };
	unsigned int i;
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = access_file(0);
	require_eq(or_errno(munmap(kapi.memory, KAPI_BYTES)), 0);
	for (i = 0; i < ARRAY_SIZE(who); i++) {
		check_eq(edu_rw(file, KAPI_IOVA, buffer, 8, who[i]), -EFAULT);
		check_eq(edu_rw(file, KAPI_IOVA, buffer, 8,
				who[i] | EDU_TEST_WRITE), -EFAULT);
	}
	kapi.memory = mem_alloc(KAPI_BYTES);
	close_all(file);
}

/* --- memory of another process */

struct owner {
	struct gate mapped;
	struct gate leave;
};

/* Maps memory of its own, with other contents. */
static void own_memory(void *arg)
{
	struct owner *owner = arg;

	kapi.memory = mem_alloc(KAPI_BYTES);
	fill(kapi.memory, KAPI_BYTES, 42);
	kapi_map(KAPI_IOVA);
	gate_open(&owner->mapped);
	gate_wait(&owner->leave);
	/* The writes of the other process are there. */
	check_eq(kapi.memory[PAGE + 1], 0xa5);
	check_eq(kapi.memory[PAGE + 2], 0xa6);
}

static void write_byte(int file, uint64_t iova, uint8_t byte, uint32_t flags)
{
	check_eq(edu_rw(file, iova, &byte, 1, flags | EDU_TEST_WRITE), 0);
}

static void memory_of_another_process_can_be_copied_until_it_exits(void)
{
	uint8_t expected[PAGE];
	struct owner owner;
	pid_t pid;
	int file;

	kapi_open();
	file = access_file(0);
	gate_make(&owner.mapped);
	gate_make(&owner.leave);
	pid = spawn(own_memory, &owner);
	gate_wait(&owner.mapped);
	fill(expected, PAGE, 42);
	check_eq(edu_rw(file, KAPI_IOVA, buffer, PAGE, 0), 0);
	check_mem(buffer, expected, PAGE);
	memset(buffer, 0, PAGE);
	check_eq(edu_rw(file, KAPI_IOVA, buffer, PAGE, EDU_TEST_KTHREAD), 0);
	check_mem(buffer, expected, PAGE);
	write_byte(file, KAPI_IOVA + PAGE + 1, 0xa5, 0);
	write_byte(file, KAPI_IOVA + PAGE + 2, 0xa6, EDU_TEST_KTHREAD);
	gate_open(&owner.leave);
	join(pid);
	check_eq(edu_rw(file, KAPI_IOVA, buffer, PAGE, 0), -EFAULT);
	check_eq(edu_rw(file, KAPI_IOVA, buffer, PAGE, EDU_TEST_KTHREAD),
		 -EFAULT);
	close_all(file);
}

/* --- replacing */

static void replace_takes_pins_back_and_leads_elsewhere(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);
	uint32_t other = ioas_alloc(kapi.fd);
	long long pin = pin_all(file);

	require_eq(ioas_map(kapi.fd, other, OTHER_IOVA, kapi.memory + PAGE,
			    PAGE, IOAS_RW), 0);
	check_eq(edu_access_replace(file, other), 0);
	check_eq(edu_unpin(file, pin), -ENOENT);
	check_eq(vm_pin_kib(), 0);
	check_eq(edu_pin(file, KAPI_IOVA, PAGE, 0), -ENOENT);
	pin = edu_pin(file, OTHER_IOVA, PAGE, 0);
	require_true(pin > 0);
	require_eq(edu_pin_copy(file, pin, buffer, 0), 0);
	check_mem(buffer, kapi.memory + PAGE, PAGE);
	check_eq(object_destroy(kapi.fd, kapi.ioas), 0);
	check_eq(object_destroy(kapi.fd, other), -EBUSY);
	close_all(file);
}

static void replace_by_what_is_not_there_changes_nothing(void)
{
	int file = open_mapped(EDU_TEST_ACCESS_PINS);
	long long pin = pin_all(file);

	check_eq(edu_access_replace(file, 1000), -ENOENT);
	check_eq(edu_access_replace(file, kapi.ioas), 0);
	check_eq(edu_access_info(file).nnotices, 0);
	check_pin_shows_memory(file, pin);
	close_all(file);
}

/* --- death */

static void pin_and_wait(struct gate *ready)
{
	pin_all(open_mapped(EDU_TEST_ACCESS_PINS));
	gate_open(ready);
}

/* After every test the harness looks for pins that are left. */
static void killed_owner_leaves_no_pin(void)
{
	kill_when_ready(pin_and_wait);
}

static void owner_killed_in_the_midst_of_it_leaves_nothing(void)
{
	int i;

	for (i = 0; i < 3; i++)
		kill_when_ready(do_everything_at_once);
}

static const struct test tests[] = {
	TEST(access_is_an_object_that_its_driver_uses, 0),
	TEST(access_needs_the_id_of_an_ioas, 0),
	TEST(access_keeps_its_context_open, 0),
	TEST(pinning_access_wants_maps_of_whole_pages, 0),
	TEST(pinned_pages_are_those_of_the_user, 0),
	TEST(only_what_is_asked_for_is_pinned, 0),
	TEST(range_can_be_pinned_again_and_again, 0),
	TEST(pin_that_cannot_be_is_refused, 0),
	TEST(pin_of_memory_that_is_gone_faults, 0),
	TEST(pin_beyond_the_limit_is_refused, 0),
	TEST(access_that_does_not_pin_must_not, 0),
	TEST(pin_costs_nothing_where_a_device_is_attached, 0),
	TEST(unmap_takes_pins_back, 0),
	TEST(unmap_elsewhere_leaves_pins, 0),
	TEST(unmap_takes_pins_of_every_access_back, 0),
	TEST(pinned_copy_is_unmapped_on_its_own, 0),
	TEST(replaced_access_drops_pins_that_the_driver_noted_late, 0),
	TEST(access_that_is_detached_gives_back_what_was_noted_late, 0),
	TEST(access_that_is_destroyed_gives_back_what_was_noted_late, 0),
	TEST(unmaps_and_pins_in_parallel_lose_nothing, 0),
	TEST(unmaps_pins_and_attaches_in_parallel_lose_nothing, 0),
	TEST(unmaps_and_copies_in_parallel_lose_nothing, 0),
	TEST(unmaps_and_accesses_that_come_and_go_lose_nothing, 0),
	TEST(unmaps_and_replaces_in_parallel_lose_nothing, 0),
	TEST(caller_copies_from_and_to_an_ioas, 0),
	TEST(kernel_thread_copies_from_and_to_an_ioas, 0),
	TEST(copy_that_cannot_be_is_refused, 0),
	TEST(copy_from_memory_that_is_gone_faults, 0),
	TEST(memory_of_another_process_can_be_copied_until_it_exits, 0),
	TEST(replace_takes_pins_back_and_leads_elsewhere, 0),
	TEST(replace_by_what_is_not_there_changes_nothing, 0),
	TEST(killed_owner_leaves_no_pin, 0),
	TEST(owner_killed_in_the_midst_of_it_leaves_nothing, 0),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
