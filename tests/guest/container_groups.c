// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_groups.c - several groups in a container, and all ways to leave it
 */
#define _GNU_SOURCE
#include "lib.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#define NPAGES		16U
#define NBYTES		(NPAGES * PAGE)
#define FIRST_IOVA	0x100000ULL
#define HIGH_IOVA	(1ULL << 34)
#define PROBE_IOVA	0x40000000ULL
#define DRIVER		"/sys/bus/pci/drivers/vfio-pci/"

static struct rig rig;
static uint8_t *memory;

static void open_rig(unsigned int ngroups)
{
	memory = mem_alloc(NBYTES);
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, ngroups);
}

static void close_rig(void)
{
	rig_close(&rig);
	mem_free(memory, NBYTES);
}

static void map(uint64_t iova)
{
	require_eq(dma_map(rig.container, iova, memory, NBYTES, RW), 0);
}

/* Checks that a device copies within the memory mapped at an IOVA. */
static void check_dma(unsigned int index, uint64_t iova)
{
	struct edu edu;

	context("device %u, iova 0x%llx", index, (unsigned long long)iova);
	edu_open(&edu, rig.group[index], index);
	check_copy(&edu, memory, iova, memory + 9 * PAGE, iova + 9 * PAGE);
	edu_close(&edu);
	context("%s", "");
}

static void late_group_sees_the_mappings_that_were_there(void)
{
	open_rig(1);
	map(FIRST_IOVA);
	map(HIGH_IOVA);
	check_dma(0, FIRST_IOVA);
	rig_add_group(&rig);
	check_dma(1, FIRST_IOVA);
	check_dma(1, HIGH_IOVA);
	check_eq(dma_unmap(rig.container, FIRST_IOVA, NBYTES), NBYTES);
	check_dma(0, HIGH_IOVA);
	map(2 * HIGH_IOVA);
	check_dma(1, 2 * HIGH_IOVA);
	check_dma(0, 2 * HIGH_IOVA);
	check_eq(dma_unmap_all(rig.container), 2 * NBYTES);
	close_rig();
}

static void late_group_adds_no_pin_and_no_charge(void)
{
	uint64_t nbytes = scaled(16, 2) * HUGE_BYTES;
	uint8_t *large = mem_alloc_scattered(nbytes);
	long long npins;

	open_rig(1);
	require_eq(dma_map(rig.container, HIGH_IOVA, large, nbytes, RW), 0);
	npins = pins_acquired();
	rig_add_group(&rig);
	check_eq(pins_acquired(), npins);
	check_eq(vm_lck_kib(0), nbytes >> 10);
	check_eq(dma_unmap_all(rig.container), nbytes);
	check_eq(vm_lck_kib(0), 0);
	close_rig();
	mem_free(large, nbytes);
}

static void unmap_takes_memory_out_of_reach_of_both_devices(void)
{
	struct edu edus[2];
	struct probe probe;
	uint8_t before[EDU_BYTES];
	unsigned int i;

	open_rig(2);
	map(FIRST_IOVA);
	for (i = 0; i < 2; i++) {
		edu_open(&edus[i], rig.group[i], i);
		check_copy(&edus[i], memory, FIRST_IOVA, memory + PAGE,
			   FIRST_IOVA + PAGE);
	}
	check_eq(dma_unmap(rig.container, FIRST_IOVA, NBYTES), NBYTES);
	for (i = 0; i < 2; i++) {
		probe_open(&probe, &edus[i], rig.container, PROBE_IOVA);
		probe_set(&probe, 40 + i);
		memcpy(before, memory, EDU_BYTES);
		edu_store(&edus[i], FIRST_IOVA, EDU_BYTES);
		check_mem(memory, before, EDU_BYTES);
		probe_close(&probe);
		edu_close(&edus[i]);
	}
	close_rig();
}

static void group_that_leaves_does_not_disturb_the_other(unsigned int leaver)
{
	unsigned int stayer = 1 - leaver;

	open_rig(2);
	map(FIRST_IOVA);
	check_eq(group_unset_container(rig.group[leaver]), 0);
	check_eq(vm_lck_kib(0), NPAGES * PAGE_KIB);
	check_dma(stayer, FIRST_IOVA);
	map(HIGH_IOVA);
	check_dma(stayer, HIGH_IOVA);
	check_eq(group_set_container(rig.group[leaver], rig.container), 0);
	check_dma(leaver, FIRST_IOVA);
	check_dma(leaver, HIGH_IOVA);
	check_eq(dma_unmap_all(rig.container), 2 * NBYTES);
	close_rig();
}

static void first_group_leaves_and_comes_back(void)
{
	group_that_leaves_does_not_disturb_the_other(0);
}

static void second_group_leaves_and_comes_back(void)
{
	group_that_leaves_does_not_disturb_the_other(1);
}

static void last_group_leaves_and_the_container_begins_anew(void)
{
	open_rig(2);
	map(FIRST_IOVA);
	check_eq(group_unset_container(rig.group[0]), 0);
	check_eq(group_unset_container(rig.group[1]), 0);
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_unmap_all(rig.container), -EINVAL);
	check_eq(group_set_container(rig.group[1], rig.container), 0);
	check_eq(set_iommu(rig.container, VFIO_TYPE1_IOMMU), 0);
	require_backend(rig.container);
	check_eq(dma_avail(rig.container), 65535);
	check_eq(group_set_container(rig.group[0], rig.container), 0);
	map(FIRST_IOVA);
	check_dma(0, FIRST_IOVA);
	check_dma(1, FIRST_IOVA);
	check_eq(dma_unmap_all(rig.container), NBYTES);
	close_rig();
}

/* In its new container a group cannot reach the memory of its former one. */
static void group_moved_to_another_container_leaves_its_memory_behind(void)
{
	uint8_t before[EDU_BYTES];
	struct probe probe;
	struct rig other;
	struct edu edu;

	open_rig(2);
	map(FIRST_IOVA);
	check_dma(1, FIRST_IOVA);
	check_eq(group_unset_container(rig.group[1]), 0);
	other.container = container_open();
	check_eq(group_set_container(rig.group[1], other.container), 0);
	check_eq(set_iommu(other.container, VFIO_TYPE1v2_IOMMU), 0);
	require_backend(other.container);
	edu_open(&edu, rig.group[1], 1);
	probe_open(&probe, &edu, other.container, PROBE_IOVA);
	probe_set(&probe, 50);
	memcpy(before, memory, EDU_BYTES);
	edu_store(&edu, FIRST_IOVA, EDU_BYTES);
	check_mem(memory, before, EDU_BYTES);
	/* The same IOVA leads to different memory in each container. */
	require_eq(dma_map(other.container, FIRST_IOVA, memory + PAGE, PAGE,
			   RW), 0);
	edu_store(&edu, FIRST_IOVA, EDU_BYTES);
	check_mem(memory + PAGE, probe.bytes, EDU_BYTES);
	check_dma(0, FIRST_IOVA);
	check_eq(dma_unmap(other.container, FIRST_IOVA, PAGE), PAGE);
	probe_close(&probe);
	edu_close(&edu);
	check_eq(group_unset_container(rig.group[1]), 0);
	close(other.container);
	check_eq(group_set_container(rig.group[1], rig.container), 0);
	check_eq(dma_unmap_all(rig.container), NBYTES);
	close_rig();
}

static void groups_join_and_leave_many_times(void)
{
	int nrounds = scaled(100, 15);
	int i;

	open_rig(2);
	map(FIRST_IOVA);
	for (i = 0; i < nrounds; i++) {
		int group = rig.group[i % 2];

		context("round %d", i);
		check_eq(group_unset_container(group), 0);
		check_eq(vm_lck_kib(0), NPAGES * PAGE_KIB);
		check_eq(group_set_container(group, rig.container), 0);
	}
	context("%s", "");
	check_dma(0, FIRST_IOVA);
	check_dma(1, FIRST_IOVA);
	check_eq(dma_unmap_all(rig.container), NBYTES);
	close_rig();
}

/* The descriptors of a rig with open devices, for the order in which a test closes them. */
enum descriptor { CONTAINER, GROUP_A, GROUP_B, DEVICE_A, DEVICE_B };

static void open_all(int *fds, unsigned int ngroups)
{
	unsigned int i;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, ngroups);
	map(FIRST_IOVA);
	map(HIGH_IOVA);
	fds[CONTAINER] = rig.container;
	for (i = 0; i < ngroups; i++) {
		fds[GROUP_A + i] = rig.group[i];
		fds[DEVICE_A + i] = group_get_device(rig.group[i],
						     device_nr(i)->address);
		require_true(fds[DEVICE_A + i] >= 0);
	}
}

/* Mappings live as long as any group or device is open. */
static void close_in_order(const enum descriptor *order, unsigned int count)
{
	unsigned int nalive = count - 1;
	int fds[5];
	unsigned int i;

	open_all(fds, nalive / 2);
	for (i = 0; i < count; i++) {
		context("order %d%d%d%d%d, step %u", order[0], order[1],
			order[2], count > 3 ? order[3] : 0,
			count > 3 ? order[4] : 0, i);
		check_eq(close(fds[order[i]]), 0);
		nalive -= order[i] != CONTAINER;
		check_eq(vm_lck_kib(0), nalive ? 2 * NPAGES * PAGE_KIB : 0);
	}
	context("%s", "");
}

/* Calls close_in_order() for every order, or for each stride-th one. */
static void permute(enum descriptor *order, unsigned int fixed,
		    unsigned int count, unsigned int stride)
{
	static unsigned int nth;
	unsigned int i;

	if (fixed == count) {
		if (nth++ % stride == 0 && failures() < 10)
			close_in_order(order, count);
		return;
	}
	for (i = fixed; i < count; i++) {
		enum descriptor first = order[fixed];

		order[fixed] = order[i];
		order[i] = first;
		permute(order, fixed + 1, count, stride);
		order[i] = order[fixed];
		order[fixed] = first;
	}
}

static void descriptors_of_one_group_close_in_every_order(void)
{
	enum descriptor order[] = { CONTAINER, GROUP_A, DEVICE_A };

	memory = mem_alloc(NBYTES);
	permute(order, 0, ARRAY_SIZE(order), 1);
	mem_free(memory, NBYTES);
}

static void descriptors_of_two_groups_close_in_every_order(void)
{
	enum descriptor order[] = {
		CONTAINER, GROUP_A, GROUP_B, DEVICE_A, DEVICE_B
	};

	memory = mem_alloc(NBYTES);
	permute(order, 0, ARRAY_SIZE(order), scaled(1, 11));
	mem_free(memory, NBYTES);
}

static void unbind_of_the_driver_ends_the_container(void)
{
	const char *address = device_nr(0)->address;

	open_rig(1);
	map(FIRST_IOVA);
	require_eq(write_text(DRIVER "unbind", address), 0);
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_map(rig.container, 0, memory, PAGE, RW), -EINVAL);
	check_eq(group_status(rig.group[0]), -ENODEV);
	check_eq(group_set_container(rig.group[0], rig.container), -ENODEV);
	check_eq(group_unset_container(rig.group[0]), -EINVAL);
	close(rig.group[0]);
	close(rig.container);
	require_eq(write_text(DRIVER "bind", address), 0);
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	map(FIRST_IOVA);
	check_dma(0, FIRST_IOVA);
	check_eq(dma_unmap_all(rig.container), NBYTES);
	close_rig();
}

static void unbind_of_one_of_two_leaves_the_other(void)
{
	const char *address = device_nr(1)->address;

	open_rig(2);
	map(FIRST_IOVA);
	require_eq(write_text(DRIVER "unbind", address), 0);
	check_eq(vm_lck_kib(0), NPAGES * PAGE_KIB);
	check_dma(0, FIRST_IOVA);
	close(rig.group[1]);
	rig.ngroups = 1;
	require_eq(write_text(DRIVER "bind", address), 0);
	rig_add_group(&rig);
	check_dma(1, FIRST_IOVA);
	check_eq(dma_unmap_all(rig.container), NBYTES);
	close_rig();
}

/* The call that a victim is in. Its death leaves the value as it is. */
enum doing { NOTHING, MAPS, UNMAPS, JOINS, NDOINGS };

/* State of a victim, shared with its killer. */
struct victim {
	uint8_t *bytes;
	uint64_t nbytes;
	uint64_t state;
	atomic_uint ncalls;		/* calls begun so far */
	unsigned int kill_at;		/* number of calls after which it is killed */
	atomic_uint doing;
};

static void begin(struct victim *victim, enum doing doing)
{
	atomic_store(&victim->doing, doing);
	atomic_fetch_add(&victim->ncalls, 1);
}

static void end(struct victim *victim)
{
	atomic_store(&victim->doing, NOTHING);
}

static void map_at_random(struct victim *victim)
{
	uint64_t npages = victim->nbytes / PAGE;
	uint64_t page = random_next(&victim->state) % npages;
	uint64_t room = npages - page;
	uint64_t count = 1 + random_next(&victim->state) % room;
	long long unmapped;
	int result;

	if (random_next(&victim->state) % 4)
		count = 1 + count % (room < 8 ? room : 8);
	if (random_next(&victim->state) % 3 == 0) {
		begin(victim, UNMAPS);
		unmapped = dma_unmap(rig.container, page * PAGE, count * PAGE);
		end(victim);
		/* No other thread maps. An unmap that would cut a mapping is refused. */
		check_true(unmapped >= 0 || unmapped == -EINVAL);
		check_true(unmapped <= (long long)(count * PAGE));
		return;
	}
	begin(victim, MAPS);
	result = dma_map(rig.container, page * PAGE,
			 victim->bytes + page * PAGE, count * PAGE, RW);
	end(victim);
	if (result)
		check_eq(result, -EEXIST);
}

static void work_until_killed(void *arg)
{
	struct victim *victim = arg;
	struct edu edu;
	int group;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	if (random_next(&victim->state) % 2)
		edu_open(&edu, rig.group[0], 0);
	for (;;) {
		if (random_next(&victim->state) % 64) {
			map_at_random(victim);
			continue;
		}
		group = group_open_wait(1);
		begin(victim, JOINS);
		check_eq(group_set_container(group, rig.container), 0);
		if (random_next(&victim->state) % 2)
			check_eq(group_unset_container(group), 0);
		close(group);
		end(victim);
	}
}

static bool has_come_to_its_end(void *arg)
{
	struct victim *victim = arg;

	return atomic_load(&victim->ncalls) >= victim->kill_at;
}

/* Returns the call in which the victim died. */
static enum doing kill_at_random(struct victim *victim)
{
	pid_t child;
	int status;

	victim->state = random_next(&victim->state);
	victim->kill_at = 1 + (unsigned int)(random_next(&victim->state) % scaled(400, 100));
	atomic_store(&victim->ncalls, 0);
	atomic_store(&victim->doing, NOTHING);
	child = spawn(work_until_killed, victim);
	require_true(wait_until(has_come_to_its_end, victim, EVENT_SECONDS));
	require_eq(kill(child, SIGKILL), 0);
	require_eq(waitpid(child, &status, 0), child);
	require_eq(WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGKILL);
	return atomic_load(&victim->doing);
}

struct leftovers {
	long refcnt;
	long long npins;
};

static bool nothing_is_left(void *arg)
{
	const struct leftovers *before = arg;

	return module_refcnt(backend_module()) == before->refcnt &&
	       pins_outstanding() == before->npins;
}

static void check_groups_are_free(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		int group = group_open_wait(i);

		check_true(group >= 0);
		close(group);
	}
}

static void killed_processes_leave_nothing_behind(void)
{
	struct victim *victim = mem_alloc_shared_page();
	unsigned int nhits[NDOINGS] = { 0 };
	struct leftovers before = { 0 };
	int nrounds = scaled(100, 10);
	int i;

	victim->nbytes = scaled(4, 1) * HUGE_BYTES;
	victim->bytes = mem_alloc_scattered(victim->nbytes);
	victim->state = random_seed();
	before.refcnt = module_refcnt(backend_module());
	before.npins = pins_outstanding();
	for (i = 0; i < nrounds && !failures(); i++) {
		context("round %d", i);
		nhits[kill_at_random(victim)]++;
		check_true(wait_until(nothing_is_left, &before, EVENT_SECONDS));
		check_eq(pins_outstanding(), before.npins);
		check_groups_are_free();
	}
	context("%s", "");
	diag("killed in %u maps, %u unmaps, %u joins", nhits[MAPS], nhits[UNMAPS], nhits[JOINS]);
	check_true(nhits[MAPS] > 0);
	mem_free(victim->bytes, victim->nbytes);
	mem_free(victim, PAGE);
}

/* The storm: groups come and go under threads that use the container. */
static atomic_bool storm_is_over;
static atomic_uint nstorm_maps;

static void check_only_invalid(long long result)
{
	if (result < 0)
		check_eq(result, -EINVAL);
}

static void *storm_map(void *arg)
{
	uint64_t iova = FIRST_IOVA + NBYTES * *(unsigned int *)arg;
	struct info info;

	while (!atomic_load(&storm_is_over) && failures() < 10) {
		int result = dma_map(rig.container, iova, memory, NBYTES, RW);

		check_only_invalid(result);
		if (result == 0)
			atomic_fetch_add(&nstorm_maps, 1);
		check_only_invalid(info_get(rig.container, &info));
		check_only_invalid(dma_unmap(rig.container, iova, NBYTES));
	}
	return NULL;
}

static void *storm_unmap_all(void *unused)
{
	while (!atomic_load(&storm_is_over) && failures() < 10)
		check_only_invalid(dma_unmap_all(rig.container));
	return unused;
}

static void come_and_go(unsigned int round)
{
	unsigned int i;

	for (i = 0; i < rig.ngroups; i++)
		require_eq(group_unset_container(rig.group[i]), 0);
	for (i = 0; i < rig.ngroups; i++)
		require_eq(group_set_container(rig.group[i], rig.container), 0);
	require_eq(set_iommu(rig.container, round % 2 ? VFIO_TYPE1v2_IOMMU :
							VFIO_TYPE1_IOMMU), 0);
	require_backend(rig.container);
}

static void group_that_comes_and_goes_in_a_storm_does_no_harm(void)
{
	unsigned int numbers[2] = { 0, 1 };
	unsigned int nrounds = scaled(300, 40);
	pthread_t threads[3];
	unsigned int i;

	open_rig(2);
	for (i = 0; i < 2; i++)
		require_eq(pthread_create(&threads[i], NULL, storm_map,
					  &numbers[i]), 0);
	require_eq(pthread_create(&threads[2], NULL, storm_unmap_all, NULL),
		   0);
	for (i = 0; i < nrounds; i++)
		come_and_go(i);
	atomic_store(&storm_is_over, true);
	for (i = 0; i < 3; i++)
		require_eq(pthread_join(threads[i], NULL), 0);
	diag("%u maps succeeded", atomic_load(&nstorm_maps));
	check_true(atomic_load(&nstorm_maps) > 0);
	dma_unmap_all(rig.container);
	check_eq(vm_lck_kib(0), 0);
	map(FIRST_IOVA);
	check_dma(0, FIRST_IOVA);
	close_rig();
}

static const struct test tests[] = {
	TEST(late_group_sees_the_mappings_that_were_there, NEEDS_TWO),
	TEST(late_group_adds_no_pin_and_no_charge, NEEDS_TWO),
	TEST(unmap_takes_memory_out_of_reach_of_both_devices, NEEDS_TWO),
	TEST(first_group_leaves_and_comes_back, NEEDS_TWO),
	TEST(second_group_leaves_and_comes_back, NEEDS_TWO),
	TEST(last_group_leaves_and_the_container_begins_anew, NEEDS_TWO),
	TEST(group_moved_to_another_container_leaves_its_memory_behind,
	     NEEDS_TWO),
	TEST(groups_join_and_leave_many_times, NEEDS_TWO),
	TEST(descriptors_of_one_group_close_in_every_order, NEEDS_ONE),
	TEST(descriptors_of_two_groups_close_in_every_order,
	     NEEDS_TWO | TAKES_LONG),
	TEST(unbind_of_the_driver_ends_the_container, NEEDS_ONE),
	TEST(unbind_of_one_of_two_leaves_the_other, NEEDS_TWO),
	TEST(killed_processes_leave_nothing_behind, NEEDS_TWO | TAKES_LONG),
	TEST(group_that_comes_and_goes_in_a_storm_does_no_harm,
	     NEEDS_TWO | ONLY_IOAS | TAKES_LONG),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
