// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_crowd.c - very many native areas of an unprivileged user do not slow down others
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib_native.h"
#include "lib_tool.h"

#define USER		1000
#define NTHREADS	2		/* as many as the VM has CPUs */
#define NAREAS		scaled(300000U, 5000U)
#define NROUNDS		3
#define HUGE		(2ULL << 20)

/* Without a device nothing reads this memory. */
#define NOWHERE		((const void *)(1UL << 31))

struct crowd {
	struct gate filled;		/* all areas are there */
	struct gate may_search;
	struct gate searching;
	atomic_bool *is_over;		/* shared */
	pid_t child;
	int fd;
	uint32_t ioas;
};

static struct crowd crowd;

static int open_node(void)
{
	int fd = open("/dev/iommu-ioas", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fd = native_open();
	return fd;
}

/* Each search for an IOVA passes many gaps that are long enough but misaligned. */
static void *search(void *own_page)
{
	uint64_t low = (uintptr_t)own_page;
	uint64_t iova;

	while (!atomic_load(crowd.is_over)) {
		/* A page that comes and goes below all areas makes the search begin there. */
		require_eq(ioas_map(crowd.fd, crowd.ioas, low, NOWHERE, PAGE, IOAS_RW), 0);
		require_eq(ioas_unmap(crowd.fd, crowd.ioas, low, PAGE), PAGE);
		require_eq(ioas_map_auto(crowd.fd, crowd.ioas, NOWHERE, 2 * HUGE - PAGE, IOAS_RW,
					 &iova), 0);
		require_eq(ioas_unmap(crowd.fd, crowd.ioas, iova, 2 * HUGE - PAGE),
			   2 * HUGE - PAGE);
	}
	return NULL;
}

static void be_a_crowd(void *unused)
{
	pthread_t threads[NTHREADS];
	unsigned int i;

	(void)unused;
	require_eq(or_errno(setresuid(USER, USER, USER)), 0);
	for (i = 0; i < NAREAS; i++)
		require_eq(ioas_map(crowd.fd, crowd.ioas, i * 2 * HUGE, NOWHERE, PAGE, IOAS_RW),
			   0);
	gate_open(&crowd.filled);
	gate_wait(&crowd.may_search);
	for (i = 0; i < NTHREADS; i++)
		require_eq(pthread_create(&threads[i], NULL, search,
					  (void *)(uintptr_t)((i + 1) * PAGE)), 0);
	gate_open(&crowd.searching);
	for (i = 0; i < NTHREADS; i++)
		pthread_join(threads[i], NULL);
	check_eq(ioas_unmap_all(crowd.fd, crowd.ioas), NAREAS * PAGE);
}

/* Root's first action that must stay fast; the others follow. */
static void use_a_container(void)
{
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	require_eq(dma_map(rig.container, 0, crowd.is_over, PAGE, RW), 0);
	rig_close(&rig);
}

static void ask_for_status(void)
{
	check_eq(run_tool("status"), 0);
}

static void ask_who_serves(void)
{
	/* The exit status is 1 while the switch is off. */
	check_true(run_tool("switch status") < 2);
}

static const struct {
	const char *name;
	void (*run)(void);
} actions[] = {
	{ "a container", use_a_container },
	{ "status", ask_for_status },
	{ "switch status", ask_who_serves },
};

/* Returns the shortest of several times in ns, since another machine may have the CPU. */
static uint64_t measure(void (*run)(void))
{
	uint64_t begin, time, least = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < NROUNDS; i++) {
		begin = now_ns();
		run();
		time = now_ns() - begin;
		if (time < least)
			least = time;
	}
	return least;
}

static void root_is_served_promptly_beside_many_areas(void)
{
	uint64_t alone[ARRAY_SIZE(actions)], beside;
	unsigned int i;

	crowd.is_over = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			     0);
	require_true(crowd.is_over != MAP_FAILED);
	for (i = 0; i < ARRAY_SIZE(actions); i++)
		alone[i] = measure(actions[i].run);
	gate_make(&crowd.filled);
	gate_make(&crowd.may_search);
	gate_make(&crowd.searching);
	crowd.fd = open_node();
	crowd.ioas = ioas_alloc(crowd.fd);
	crowd.child = spawn(be_a_crowd, NULL);
	gate_wait(&crowd.filled);
	gate_open(&crowd.may_search);
	gate_wait(&crowd.searching);
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		beside = measure(actions[i].run);
		diag("%s: %llu us alone, %llu us beside", actions[i].name,
		     (unsigned long long)alone[i] / 1000, (unsigned long long)beside / 1000);
		check_true(beside < 10 * alone[i] + 3000000000ULL);
	}
	atomic_store(crowd.is_over, true);
	join(crowd.child);
	close(crowd.fd);
	munmap(crowd.is_over, PAGE);
}

static const struct test tests[] = {
	TEST(root_is_served_promptly_beside_many_areas, ONLY_IOAS | NEEDS_ONE | TAKES_LONG),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
