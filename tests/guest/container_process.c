// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_process.c - fork, exec, exit and threads: whose memory is mapped, and which process is
 * charged
 */
#define _GNU_SOURCE
#include "lib_family.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

static int map(uint64_t first_page, uint64_t npages)
{
	return dma_map(family.rig.container, first_page * PAGE, family.memory,
		       npages * PAGE, RW);
}

static long long unmap(uint64_t first_page, uint64_t npages)
{
	long long result = dma_unmap(family.rig.container, first_page * PAGE,
				     npages * PAGE);

	return result < 0 ? result : result / (long long)PAGE;
}

static void child_of_its_own_account(void *unused)
{
	(void)unused;
	check_eq(vm_lck_kib(0), 0);
	check_eq(map(16, 2), 0);
	check_eq(vm_lck_kib(0), 2 * PAGE_KIB);
	/* The parent made this mapping, so the parent's charge goes down, not ours. */
	check_eq(unmap(0, 4), 4);
	check_eq(vm_lck_kib(0), 2 * PAGE_KIB);
	check_eq(vm_lck_kib(getppid()), 8 * PAGE_KIB);
	check_eq(unmap(16, 2), 2);
	check_eq(vm_lck_kib(0), 0);
}

static void forked_child_is_charged_for_its_own_maps_only(void)
{
	family_open();
	check_eq(map(0, 4), 0);
	check_eq(map(8, 8), 0);
	check_eq(vm_lck_kib(0), 12 * PAGE_KIB);
	join(spawn(child_of_its_own_account, NULL));
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB);
	check_eq(unmap(0, 4), 0);
	check_eq(unmap(8, 8), 8);
	check_eq(vm_lck_kib(0), 0);
	family_close();
}

static void unmap_for_parent(void *unused)
{
	(void)unused;
	gate_wait(&family.to_child);
	check_eq(unmap(0, 4), 4);
	check_eq(vm_lck_kib(0), 0);
	check_eq(vm_lck_kib(getppid()), 4 * PAGE_KIB);
	gate_open(&family.to_parent);
	gate_wait(&family.to_child);
}

static void child_unmaps_what_its_parent_mapped_after_the_fork(void)
{
	pid_t child;

	family_open();
	child = spawn(unmap_for_parent, NULL);
	check_eq(map(0, 4), 0);
	check_eq(map(4, 4), 0);
	gate_open(&family.to_child);
	gate_wait(&family.to_parent);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(unmap(4, 4), 4);
	check_eq(vm_lck_kib(0), 0);
	gate_open(&family.to_child);
	join(child);
	family_close();
}

static void hold_mapping(void *unused)
{
	(void)unused;
	check_eq(map(0, 8), 0);
	check_eq(map(32, 8), 0);
	gate_open(&family.to_parent);
	gate_wait(&family.to_child);
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB);
	gate_open(&family.to_parent);
	gate_wait(&family.to_child);
	check_eq(vm_lck_kib(0), 0);
}

static void parent_uncharges_its_living_child(void)
{
	pid_t child;

	family_open();
	child = spawn(hold_mapping, NULL);
	gate_wait(&family.to_parent);
	check_eq(vm_lck_kib(child), 16 * PAGE_KIB);
	check_eq(unmap(0, 8), 8);
	gate_open(&family.to_child);
	gate_wait(&family.to_parent);
	check_eq(dma_unmap_all(family.rig.container), 8 * PAGE);
	gate_open(&family.to_child);
	join(child);
	family_close();
}

/* Runs in the image that exec starts. */
static void check_inherited_container(void)
{
	int container = family_inherited();
	void *page = mem_alloc(PAGE);

	check_eq(vm_lck_kib(0), 0);
	check_eq(served_by_ioas(container), backend_is_ioas());
	check_eq(dma_avail(container), 65533);
	check_eq(dma_map(container, 0, page, PAGE, RW), -EEXIST);
	check_eq(dma_map(container, 64 * PAGE, page, PAGE, RW), 0);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	check_eq(dma_unmap(container, 0, 4 * PAGE), 4 * PAGE);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	check_eq(dma_unmap_all(container), 5 * PAGE);
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_avail(container), 65535);
}

static void exec_self(void *unused)
{
	(void)unused;
	check_eq(map(0, 4), 0);
	check_eq(map(8, 4), 0);
	family_exec();
}

static void container_lives_on_through_exec(void)
{
	family_open();
	join(spawn(exec_self, NULL));
	check_eq(dma_avail(family.rig.container), 65535);
	check_eq(vm_lck_kib(0), 0);
	family_close();
}

static bool leader_is_dead(void *unused)
{
	char path[64];
	char text[256] = "";

	(void)unused;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	read_text(path, text, sizeof(text));
	return strstr(text, ") Z ");
}

static void *map_and_end(void *unused)
{
	check_true(wait_until(leader_is_dead, NULL, EVENT_SECONDS));
	check_eq(map(0, FAMILY_PAGES), 0);
	return unused;
}

/* Charges belong to the process, which lives on after its first thread has died. */
static void leader_ends_before_its_thread(void *unused)
{
	static pthread_t thread;

	(void)unused;
	require_eq(pthread_create(&thread, NULL, map_and_end, NULL), 0);
	pthread_detach(thread);
	pthread_exit(NULL);
}

static void thread_of_a_process_without_its_leader_maps(void)
{
	family_open();
	join(spawn(leader_ends_before_its_thread, NULL));
	check_eq(unmap(0, FAMILY_PAGES), FAMILY_PAGES);
	check_eq(vm_lck_kib(0), 0);
	family_close();
}

static void own_everything(void *unused)
{
	int group;

	(void)unused;
	group = group_open_wait(0);
	require_true(group >= 0);
	require_eq(group_set_container(group, family.rig.container), 0);
	require_eq(set_iommu(family.rig.container, VFIO_TYPE1v2_IOMMU), 0);
	require_backend(family.rig.container);
	check_eq(map(0, 16), 0);
	/* The exit of this process drops the group and the mapping. */
}

static bool container_is_dead(void *unused)
{
	struct info info;

	(void)unused;
	return info_get(family.rig.container, &info) == -EINVAL;
}

static void container_whose_groups_died_is_empty(void)
{
	family.memory = mem_alloc(FAMILY_BYTES);
	family.rig.container = container_open();
	join(spawn(own_everything, NULL));
	check_true(wait_until(container_is_dead, NULL, EVENT_SECONDS));
	check_eq(map(0, 1), -EINVAL);
	check_eq(dma_unmap_all(family.rig.container), -EINVAL);
	check_eq(served_by_ioas(family.rig.container), -EINVAL);
	/* The container can be used again. */
	rig_add_group(&family.rig);
	check_eq(set_iommu(family.rig.container, VFIO_TYPE1v2_IOMMU), 0);
	require_backend(family.rig.container);
	check_eq(map(0, 16), 0);
	check_eq(dma_unmap_all(family.rig.container), 16 * PAGE);
	family_close();
}

/* Shared with the child, which may die at any moment. */
struct large {
	uint8_t *bytes;
	uint64_t nbytes;
	atomic_bool is_mapping;		/* the child is inside the call, or died there */
	pid_t child;
	long kill_at_kib;		/* kill the child once it is charged for this much */
};

static void map_with_death_near(void *arg)
{
	struct large *large = arg;
	int ret;

	for (;;) {
		atomic_store(&large->is_mapping, true);
		ret = dma_map(family.rig.container, 0, large->bytes, large->nbytes, RW);
		atomic_store(&large->is_mapping, false);
		if (ret || dma_unmap_all(family.rig.container) <= 0)
			break;
	}
}

/* Part of the memory is charged: the call has begun and has not ended yet. */
static bool map_is_under_way(void *arg)
{
	struct large *large = arg;

	return atomic_load(&large->is_mapping) && vm_lck_kib(large->child) >= large->kill_at_kib;
}

/* Kills the child during a map. Returns whether it died inside the call. */
static bool kill_in_map(struct large *large)
{
	int status;

	atomic_store(&large->is_mapping, false);
	large->child = spawn(map_with_death_near, large);
	require_true(wait_until(map_is_under_way, large, EVENT_SECONDS));
	kill(large->child, SIGKILL);
	require_eq(waitpid(large->child, &status, 0), large->child);
	check_eq(WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGKILL);
	return atomic_load(&large->is_mapping);
}

/*
 * The container survives the death of a process that maps into it. The mapping then exists as a
 * whole or not at all.
 */
static void map_of_a_killed_process_exists_whole_or_not_at_all(void)
{
	struct large *large = mem_alloc_shared_page();
	unsigned int nhits = 0, nrounds = scaled(10, 3), tries;
	uint64_t state = random_seed();

	large->nbytes = scaled(8, 2) * HUGE_BYTES;
	large->bytes = mem_alloc_scattered(large->nbytes);
	family_open();
	for (tries = 0; nhits < nrounds && tries < 20 * nrounds; tries++) {
		long long nbytes;

		large->kill_at_kib = (long)(random_next(&state) % (large->nbytes / 1024));
		nhits += kill_in_map(large);
		nbytes = dma_unmap_all(family.rig.container);
		if (nbytes)
			check_eq(nbytes, large->nbytes);
		check_eq(dma_avail(family.rig.container), 65535);
	}
	diag("%u of %u kills hit a map", nhits, tries);
	check_true(nhits >= nrounds);
	family_close();
	mem_free(large->bytes, large->nbytes);
	mem_free(large, PAGE);
}

static const struct test tests[] = {
	TEST(forked_child_is_charged_for_its_own_maps_only, NEEDS_ONE),
	TEST(child_unmaps_what_its_parent_mapped_after_the_fork, NEEDS_ONE),
	TEST(parent_uncharges_its_living_child, NEEDS_ONE),
	TEST(container_lives_on_through_exec, NEEDS_ONE),
	TEST(thread_of_a_process_without_its_leader_maps, NEEDS_ONE),
	TEST(container_whose_groups_died_is_empty, NEEDS_ONE),
	TEST(map_of_a_killed_process_exists_whole_or_not_at_all, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	if (family_inherited() >= 0)
		return run_alone(check_inherited_container);
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
