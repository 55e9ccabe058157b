// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_stress.c - many threads at once: maps, unmaps, copies, devices and in-kernel users that
 * come and go
 */
#define _GNU_SOURCE
#include "lib_native.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define MAX_WORKERS	8U

/* Each worker has a range of IOVAs of its own, this far from the next. */
#define SLICE_PAGES	(4 * BUFFER_PAGES)

struct worker {
	pthread_t thread;
	unsigned int number;
	uint64_t random;
	void (*round)(struct worker *worker);
	unsigned int nrounds;	/* 0: until all workers with rounds have ended */
};

static struct worker workers[MAX_WORKERS];
static unsigned int nworkers;
static atomic_uint nbusy;
static uint32_t shared_ioas;	/* a second IOAS, the destination of copies */

static void *work(void *arg)
{
	struct worker *worker = arg;
	unsigned int i;

	if (worker->nrounds) {
		for (i = 0; i < worker->nrounds && !failures(); i++)
			worker->round(worker);
		atomic_fetch_sub(&nbusy, 1);
		return NULL;
	}
	do {
		worker->round(worker);
	} while (atomic_load(&nbusy) && !failures());
	return NULL;
}

static void add_worker(void (*round)(struct worker *worker),
		       unsigned int nrounds)
{
	struct worker *worker = &workers[nworkers];

	require_true(nworkers < MAX_WORKERS);
	*worker = (struct worker){
		.number = nworkers++,
		.round = round,
		.nrounds = nrounds,
	};
}

static void run_workers(void)
{
	uint64_t seed = random_seed();
	unsigned int i;

	for (i = 0; i < nworkers; i++) {
		workers[i].random = seed + i;
		if (workers[i].nrounds)
			atomic_fetch_add(&nbusy, 1);
	}
	for (i = 0; i < nworkers; i++)
		require_eq(pthread_create(&workers[i].thread, NULL, work,
					  &workers[i]), 0);
	for (i = 0; i < nworkers; i++)
		pthread_join(workers[i].thread, NULL);
}

static uint64_t below(struct worker *worker, uint64_t limit)
{
	return random_next(&worker->random) % limit;
}

static uint64_t slice(unsigned int number)
{
	return MOCK_APERTURE_START + number * SLICE_PAGES * PAGE;
}

/* Is it 0, or one of these errors? The list ends with 0. */
#define check_one_of(got, ...) \
	check_listed(__LINE__, #got, (got), \
		     (const int[]){ __VA_ARGS__, 0 })

static void check_listed(int line, const char *what, long long got,
			 const int *errors)
{
	if (got >= 0)
		return;
	for (; *errors; errors++)
		if (got == *errors)
			return;
	check_eq_at(__FILE__, line, what, got, 0);
}

/* --- what a worker does in a round */

/* Makes several maps in the worker's own slice. */
static void map_and_unmap(struct worker *worker)
{
	uint64_t first = slice(worker->number);
	unsigned int i;

	for (i = 0; i < 4; i++) {
		uint64_t npages = 1 + below(worker, BUFFER_PAGES);
		uint64_t start = below(worker, BUFFER_PAGES - npages + 1);

		check_eq(rig_map(first + i * BUFFER_BYTES,
				 rig.buffer + start * PAGE, npages * PAGE), 0);
		rig_check_map(first + i * BUFFER_BYTES,
			      rig.buffer + start * PAGE, npages * PAGE);
	}
	if (below(worker, 2))
		check_true(rig_unmap(first, SLICE_PAGES * PAGE) > 0);
	else
		for (i = 4; i-- > 0;)
			check_true(rig_unmap(first + i * BUFFER_BYTES,
					     BUFFER_BYTES) > 0);
}

static void map_and_unmap_somewhere(struct worker *worker)
{
	uint64_t nbytes = (1 + below(worker, BUFFER_PAGES)) * PAGE;
	uint64_t iova;

	if (!check_eq(rig_map_auto(rig.buffer, nbytes, &iova), 0))
		return;
	rig_check_map(iova, rig.buffer, nbytes);
	check_eq(rig_unmap(iova, nbytes), nbytes);
}

static void attach_and_detach(struct worker *worker)
{
	struct mock mock;

	(void)worker;
	if (!check_eq(mock_attach(rig.fd, rig.ioas, &mock), 0))
		return;
	check_eq(object_destroy(rig.fd, mock.device), 0);
}

/* Copies memory that another worker maps to the second IOAS. */
static void copy_and_unmap(struct worker *worker)
{
	struct iova_of from = { rig.ioas, slice(below(worker, nworkers)) };
	uint64_t nbytes = (1 + below(worker, 4)) * PAGE;
	uint64_t iova;
	int result;

	result = ioas_copy_auto(rig.fd, shared_ioas, from, nbytes, IOAS_RW,
				&iova);
	check_one_of(result, -ENOENT);
	if (result == 0)
		check_eq(ioas_unmap(rig.fd, shared_ioas, iova, nbytes), nbytes);
}

/* Pins memory that another worker maps and may unmap meanwhile. */
static void pin_and_unpin(struct worker *worker)
{
	uint64_t iova = slice(below(worker, nworkers));
	int access = access_create(rig.fd, rig.ioas, ACCESS_CREATE_NEEDS_PIN);
	unsigned int i;

	if (!check_true(access >= 0))
		return;
	for (i = 0; i < 20; i++) {
		uint64_t nbytes = (1 + below(worker, 4)) * PAGE;
		long long pin = access_pin(rig.fd, access, iova, NULL, nbytes,
					   ACCESS_PAGES_WRITE);

		/* EINVAL: an unmap is telling the users of the mapping. */
		check_one_of(pin, -ENOENT, -EINVAL);
		if (pin >= 0 && below(worker, 2))
			check_one_of(access_unpin(rig.fd, access,
						  (uint32_t)pin), -ENOENT);
	}
	close(access);
}

/* All pages of the buffer have the same contents, wherever they are mapped. */
static uint8_t page_bytes[PAGE];

static void fill_buffer(void)
{
	unsigned int i;

	fill(page_bytes, PAGE, 23);
	for (i = 0; i < BUFFER_PAGES; i++)
		memcpy(rig.buffer + i * PAGE, page_bytes, PAGE);
}

static bool is_of_buffer(const uint8_t *bytes, uint64_t iova, uint64_t nbytes)
{
	uint64_t i;

	for (i = 0; i < nbytes; i++)
		if (bytes[i] != page_bytes[(iova + i) % PAGE])
			return false;
	return true;
}

/* Reads, or writes the contents that are there already. A part of the range may be gone. */
static void read_some(struct worker *worker, int access, uint64_t iova, uint64_t nbytes,
		      uint32_t flags)
{
	uint8_t bytes[3 * PAGE];
	uint64_t i;
	int result;

	memset(bytes, 0, nbytes);
	if (below(worker, 2)) {
		flags |= ACCESS_RW_WRITE;
		for (i = 0; i < nbytes; i++)
			bytes[i] = page_bytes[(iova + i) % PAGE];
	}
	result = access_rw(rig.fd, access, iova, bytes, nbytes, flags);
	check_one_of(result, -ENOENT, -EINVAL);
	if (!result)
		check_true(is_of_buffer(bytes, iova, nbytes));
}

static void read_and_write(struct worker *worker)
{
	uint64_t iova = slice(below(worker, nworkers));
	int access = access_create(rig.fd, rig.ioas, 0);
	unsigned int i;

	if (!check_true(access >= 0))
		return;
	for (i = 0; i < 20; i++) {
		uint32_t flags = 0;

		if (below(worker, 2))
			flags |= ACCESS_RW_SLOW_PATH;
		read_some(worker, access, iova + 100, 1 + below(worker, 3 * PAGE), flags);
	}
	close(access);
}

static void look_at_ranges(struct worker *worker)
{
	struct ranges ranges;

	(void)worker;
	check_eq(ioas_ranges(rig.fd, rig.ioas, MAX_RANGES, &ranges), 0);
	check_eq(ranges.number, 1);
	check_eq(option_get(rig.fd, IOMMU_OPTION_HUGE_PAGES, rig.ioas), 1);
}

/* --- combinations */

static unsigned int nrounds(void)
{
	return scaled(300U, 20U);
}

/* Users in the kernel that are told of each unmap make unmaps slow. */
static unsigned int few_rounds(void)
{
	return scaled(30U, 5U);
}

/* Runs the workers. Afterwards all must be as before. */
static void run_to_nothing(void)
{
	unsigned int i;

	shared_ioas = ioas_alloc(rig.fd);
	fill_buffer();
	run_workers();
	for (i = 0; i < BUFFER_PAGES; i++)
		check_mem(rig.buffer + i * PAGE, page_bytes, PAGE);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 0);
	check_eq(ioas_unmap_all(rig.fd, shared_ioas), 0);
	rig_check_refs(0);
	check_eq(status_kib(0, "VmPin"), 0);
}

RIG_TEST(threads_map_and_unmap_in_parallel)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		add_worker(map_and_unmap, nrounds());
	add_worker(look_at_ranges, 0);
	run_to_nothing();
}

RIG_TEST(threads_get_iova_of_their_own)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		add_worker(map_and_unmap_somewhere, 2 * nrounds());
	run_to_nothing();
}

RIG_TEST(devices_come_and_go_while_threads_map)
{
	add_worker(map_and_unmap, nrounds());
	add_worker(map_and_unmap, nrounds());
	add_worker(attach_and_detach, 0);
	add_worker(attach_and_detach, 0);
	run_to_nothing();
}

RIG_TEST(threads_copy_what_others_map)
{
	add_worker(map_and_unmap, nrounds());
	add_worker(map_and_unmap, nrounds());
	add_worker(copy_and_unmap, 0);
	add_worker(copy_and_unmap, 0);
	run_to_nothing();
}

RIG_TEST(in_kernel_users_pin_what_others_map)
{
	/* The peer passes, but too slowly. */
	not_on_peer("closing an access that is in use takes 60 seconds");
	add_worker(map_and_unmap, few_rounds());
	add_worker(map_and_unmap, few_rounds());
	add_worker(pin_and_unpin, 0);
	add_worker(pin_and_unpin, 0);
	add_worker(read_and_write, 0);
	run_to_nothing();
}

RIG_TEST(everything_happens_at_once)
{
	/* The peer passes, but too slowly. */
	not_on_peer("closing an access that is in use takes 60 seconds");
	add_worker(map_and_unmap, few_rounds());
	add_worker(map_and_unmap, few_rounds());
	add_worker(attach_and_detach, 0);
	add_worker(copy_and_unmap, 0);
	add_worker(pin_and_unpin, 0);
	add_worker(read_and_write, 0);
	run_to_nothing();
}

/* --- the same place, the same object */

static atomic_uint nmapped;	/* number of workers that have the mapping */

/* Only one worker can have the range. */
static void map_the_same(struct worker *worker)
{
	int result = rig_map(slice(0), rig.buffer, BUFFER_BYTES);

	(void)worker;
	check_one_of(result, -EEXIST);
	if (result)
		return;
	check_eq(atomic_fetch_add(&nmapped, 1), 0);
	atomic_fetch_sub(&nmapped, 1);
	check_eq(rig_unmap(slice(0), BUFFER_BYTES), BUFFER_BYTES);
}

RIG_TEST(one_thread_at_a_time_can_map_an_iova)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		add_worker(map_the_same, 2 * nrounds());
	run_to_nothing();
}

static void map_what_is_unmapped(struct worker *worker)
{
	uint64_t iova = slice(worker->number);

	check_eq(rig_map(iova, rig.buffer, 4 * PAGE), 0);
	check_one_of(rig_unmap(iova, 4 * PAGE), -ENOENT, -EBUSY);
	/* EBUSY: the other worker is unmapping the range. */
	while (rig_unmap(iova, 4 * PAGE) != -ENOENT && !failures())
		sched_yield();
}

static void unmap_everything(struct worker *worker)
{
	(void)worker;
	check_one_of(ioas_unmap_all(rig.fd, rig.ioas), -EBUSY);
}

RIG_TEST(one_thread_unmaps_what_others_map)
{
	add_worker(map_what_is_unmapped, nrounds());
	add_worker(map_what_is_unmapped, nrounds());
	add_worker(unmap_everything, 0);
	run_to_nothing();
}

/* The IOAS in use; 0 while there is none. */
static atomic_uint victim;

static void use_the_victim(struct worker *worker)
{
	uint32_t ioas = atomic_load(&victim);
	struct ranges ranges;
	uint64_t iova;

	(void)worker;
	check_one_of(ioas_map_auto(rig.fd, ioas, rig.buffer, PAGE, IOAS_RW,
				   &iova), -ENOENT);
	check_one_of(ioas_ranges(rig.fd, ioas, MAX_RANGES, &ranges), -ENOENT);
	check_one_of(ioas_unmap_all(rig.fd, ioas), -ENOENT, -EBUSY);
}

static void destroy_the_victim(struct worker *worker)
{
	uint32_t ioas = ioas_alloc(rig.fd);

	(void)worker;
	atomic_store(&victim, ioas);
	sched_yield();
	/* The call waits for calls that use the IOAS. */
	check_eq(object_destroy(rig.fd, ioas), 0);
}

RIG_TEST_WITH(0, ioas_can_be_destroyed_while_it_is_used)
{
	not_on_peer("DESTROY of an object in use can be EBUSY");
	add_worker(destroy_the_victim, 4 * nrounds());
	add_worker(use_the_victim, 0);
	add_worker(use_the_victim, 0);
	run_to_nothing();
}

static void destroy_at_random(struct worker *worker)
{
	check_one_of(object_destroy(rig.fd, 3 + below(worker, 4)), -ENOENT,
		     -EBUSY);
	check_true(ioas_alloc(rig.fd) >= 3);
}

RIG_TEST_WITH(0, objects_are_destroyed_by_one_thread_only)
{
	uint32_t id, nleft = 0;

	add_worker(destroy_at_random, 4 * nrounds());
	add_worker(destroy_at_random, 4 * nrounds());
	add_worker(destroy_at_random, 4 * nrounds());
	run_to_nothing();
	/* Each IOAS was either destroyed or is still there. */
	for (id = 3; id < 3 + 3 * 4 * nrounds(); id++)
		nleft += object_destroy(rig.fd, id) == 0;
	check_true(nleft >= 1);
	check_eq(object_destroy(rig.fd, shared_ioas), 0);
	check_eq(object_destroy(rig.fd, rig.ioas), 0);
	check_eq(option_set(rig.fd, IOMMU_OPTION_RLIMIT_MODE, 0, 0), 0);
}

static const struct test tests[] = {
	RIG_ROWS(threads_map_and_unmap_in_parallel, TAKES_LONG),
	RIG_ROWS(threads_get_iova_of_their_own, TAKES_LONG),
	RIG_ROWS(devices_come_and_go_while_threads_map, TAKES_LONG),
	RIG_ROWS(threads_copy_what_others_map, TAKES_LONG),
	RIG_ROWS(in_kernel_users_pin_what_others_map, TAKES_LONG),
	RIG_ROWS(everything_happens_at_once, TAKES_LONG),
	RIG_ROWS(one_thread_at_a_time_can_map_an_iova, TAKES_LONG),
	RIG_ROWS(one_thread_unmaps_what_others_map, TAKES_LONG),
	TEST(ioas_can_be_destroyed_while_it_is_used, TAKES_LONG),
	TEST(objects_are_destroyed_by_one_thread_only, TAKES_LONG),
};

int main(int argc, char **argv)
{
	after_each_test = restore_temp_limit;
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
