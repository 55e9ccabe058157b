// SPDX-License-Identifier: GPL-2.0-only
/*
 * driver_group.c - the kernel interface for devices: two devices that share a group
 */
#define _GNU_SOURCE
#include "lib_driver.h"

#include <pthread.h>
#include <stdatomic.h>

#define STRESS_NS	3000000000ULL

static int file[2];

static void bind_pair(void)
{
	file[0] = kapi_bound(PAIR_0);
	file[1] = kapi_bound(PAIR_1);
}

static void attach_pair(void)
{
	file[0] = kapi_attached(PAIR_0);
	file[1] = kapi_attached(PAIR_1);
}

static void unbind_pair(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		check_eq(edu_unbind(file[i]), 0);
		require_eq(or_errno(close(file[i])), 0);
	}
}

static void check_full_ranges(uint32_t ioas)
{
	struct ranges ranges;

	require_eq(ioas_ranges(kapi.fd, ioas, MAX_RANGES, &ranges), 0);
	check_eq(ranges.number, 1);
	check_eq(ranges.range[0].start, 0);
	check_eq(ranges.range[0].last, UINT64_MAX);
	check_eq(ranges.alignment, 1);
}

static void devices_of_a_group_are_detached_in_both_orders(void)
{
	int first;

	kapi_open();
	kapi_map(KAPI_IOVA);
	for (first = 0; first < 2; first++) {
		attach_pair();
		check_dma(file[0], KAPI_IOVA);
		check_dma(file[1], KAPI_IOVA);
		kapi_detach(file[first]);
		check_true(!iova_is_usable(kapi.ioas, MSI_IOVA));
		check_eq(vm_pin_kib(), KAPI_KIB);
		check_dma(file[!first], KAPI_IOVA);
		kapi_detach(file[!first]);
		check_full_ranges(kapi.ioas);
		check_eq(vm_pin_kib(), 0);
	}
	check_eq(object_destroy(kapi.fd, kapi.ioas), 0);
	kapi_close();
}

static void detached_device_can_return_while_its_group_is_attached(void)
{
	int i;

	kapi_open();
	kapi_map(KAPI_IOVA);
	attach_pair();
	for (i = 0; i < 2; i++) {
		require_eq(edu_detach(file[i]), 0);
		check_true(edu_attach(file[i], kapi.ioas) > 0);
		check_dma(file[i], KAPI_IOVA);
	}
	kapi_detach(file[0]);
	kapi_detach(file[1]);
	check_full_ranges(kapi.ioas);
	kapi_close();
}

static void group_is_attached_to_one_table(void)
{
	long long hwpt;

	kapi_open();
	bind_pair();
	hwpt = edu_attach(file[0], kapi.ioas);
	require_true(hwpt > 0);
	check_eq(edu_attach(file[1], ioas_alloc(kapi.fd)), -EINVAL);
	check_eq(edu_attach(file[1], kapi.ioas), hwpt);
	require_eq(edu_detach(file[1]), 0);
	check_eq(edu_attach(file[1], (uint32_t)hwpt), hwpt);
	kapi_detach(file[0]);
	kapi_detach(file[1]);
	kapi_close();
}

static void group_on_the_automatic_table_is_not_on_an_allocated_one(void)
{
	long long device, hwpt;

	kapi_open();
	file[0] = kapi_attached(PAIR_0);
	file[1] = edu_file(PAIR_1);
	device = edu_bind(file[1], kapi.fd);
	require_true(device > 0);
	hwpt = hwpt_alloc(kapi.fd, (uint32_t)device, kapi.ioas);
	require_true(hwpt > 0);
	check_eq(edu_attach(file[1], (uint32_t)hwpt), -EINVAL);
	require_eq(edu_detach(file[0]), 0);
	check_eq(edu_attach(file[1], (uint32_t)hwpt), hwpt);
	check_eq(edu_attach(file[0], kapi.ioas), -EINVAL);
	check_eq(edu_attach(file[0], (uint32_t)hwpt), hwpt);
	kapi_detach(file[0]);
	kapi_detach(file[1]);
	kapi_close();
}

static void replace_moves_the_whole_group(void)
{
	uint32_t other;
	int i;

	kapi_open();
	kapi_map(KAPI_IOVA);
	other = ioas_alloc(kapi.fd);
	require_eq(ioas_map(kapi.fd, other, OTHER_IOVA, kapi.memory, KAPI_BYTES,
			    IOAS_RW), 0);
	attach_pair();
	require_true(edu_replace(file[1], other) > 0);
	check_full_ranges(kapi.ioas);
	check_true(!iova_is_usable(other, MSI_IOVA));
	for (i = 0; i < 2; i++) {
		check_dma(file[i], OTHER_IOVA);
		check_no_store(file[i], KAPI_IOVA);
	}
	check_eq(object_destroy(kapi.fd, kapi.ioas), 0);
	kapi_detach(file[0]);
	check_dma(file[1], OTHER_IOVA);
	kapi_detach(file[1]);
	check_full_ranges(other);
	kapi_close();
}

static void group_that_cannot_be_moved_stays(void)
{
	static const struct iommu_iova_range window = {
		.start = MSI_IOVA,
		.last = MSI_IOVA + PAGE - 1,
	};
	uint32_t other;
	int i;

	kapi_open();
	kapi_map(KAPI_IOVA);
	other = ioas_alloc(kapi.fd);
	require_eq(ioas_allow(kapi.fd, other, &window, 1), 0);
	attach_pair();
	check_eq(edu_replace(file[0], other), -EADDRINUSE);
	for (i = 0; i < 2; i++)
		check_dma(file[i], KAPI_IOVA);
	require_eq(ioas_allow(kapi.fd, other, NULL, 0), 0);
	check_full_ranges(other);
	kapi_detach(file[0]);
	check_true(!iova_is_usable(kapi.ioas, MSI_IOVA));
	kapi_detach(file[1]);
	check_full_ranges(kapi.ioas);
	kapi_close();
}

static void group_is_bound_to_one_context_until_its_last_device_leaves(void)
{
	int first;

	kapi_open();
	for (first = 0; first < 2; first++) {
		int fd = native_open();
		int other = edu_file(first ? PAIR_1 : PAIR_0);

		bind_pair();
		require_eq(edu_unbind(file[first]), 0);
		check_eq(edu_bind(other, fd), -EPERM);
		require_eq(edu_unbind(file[!first]), 0);
		check_true(edu_bind(other, fd) > 0);
		close(other);
		close(file[0]);
		close(file[1]);
		close(fd);
	}
	kapi_close();
}

/* The device's own DMA would go through the domain of the context. */
static void no_kernel_driver_gets_a_device_of_a_bound_group(void)
{
	kapi_open();
	file[0] = kapi_bound(PAIR_0);
	check_eq(edu_set_driver(PAIR_1, DRIVER_PLAIN), -EBUSY);
	require_eq(edu_unbind(file[0]), 0);
	close(file[0]);
	check_eq(edu_set_driver(PAIR_1, DRIVER_PLAIN), 0);
	kapi_close();
}

static void group_with_a_kernel_driver_is_not_bound(void)
{
	kapi_open();
	require_eq(edu_set_driver(PAIR_1, DRIVER_PLAIN), 0);
	file[0] = edu_file(PAIR_0);
	check_eq(edu_bind(file[0], kapi.fd), -EPERM);
	require_eq(edu_set_driver(PAIR_1, DRIVER_TEST), 0);
	check_true(edu_bind(file[0], kapi.fd) > 0);
	close(file[0]);
	kapi_close();
}

static int open_vfio_group(unsigned int device)
{
	char path[32];
	int group;

	snprintf(path, sizeof(path), "/dev/vfio/%d", edu_group(device));
	group = open_fd(path);
	require_true(group >= 0);
	return group;
}

static void group_is_bound_or_in_a_container(void)
{
	int container, group;

	kapi_open();
	container = container_open();
	require_eq(edu_set_driver(PAIR_1, DRIVER_VFIO), 0);
	group = open_vfio_group(PAIR_1);
	file[0] = kapi_bound(PAIR_0);
	check_eq(group_set_container(group, container), -EPERM);
	require_eq(edu_unbind(file[0]), 0);
	require_eq(group_set_container(group, container), 0);
	check_eq(edu_bind(file[0], kapi.fd), -EPERM);
	require_eq(set_iommu(container, VFIO_TYPE1v2_IOMMU), 0);
	check_eq(edu_bind(file[0], kapi.fd), -EPERM);
	require_eq(group_unset_container(group), 0);
	close(group);
	close(container);
	check_true(edu_bind(file[0], kapi.fd) > 0);
	close(file[0]);
	kapi_close();
}

static void both_devices_end_with_the_context_in_any_order(void)
{
	int first;

	kapi_open();
	kapi_map(KAPI_IOVA);
	for (first = 0; first < 2; first++) {
		attach_pair();
		require_eq(or_errno(close(file[first])), 0);
		check_dma(file[!first], KAPI_IOVA);
		require_eq(or_errno(close(file[!first])), 0);
		check_full_ranges(kapi.ioas);
	}
	bind_pair();
	unbind_pair();
	kapi_close();
}

struct stress {
	uint64_t until_ns;
	uint32_t other_ioas;
	atomic_int nattaches;
	atomic_int nbad;
};

struct stresser {
	struct stress *stress;
	int file;
};

/* The other device may have moved the group to the other IOAS. */
static void *attach_replace_and_detach(void *arg)
{
	struct stresser *stresser = arg;
	struct stress *stress = stresser->stress;

	while (now_ns() < stress->until_ns) {
		long long hwpt = edu_attach(stresser->file, kapi.ioas);

		if (hwpt == -EINVAL)
			hwpt = edu_attach(stresser->file, stress->other_ioas);
		if (hwpt == -EINVAL)
			continue;
		if (hwpt <= 0 ||
		    edu_replace(stresser->file, stress->other_ioas) <= 0 ||
		    edu_detach(stresser->file))
			atomic_fetch_add(&stress->nbad, 1);
		atomic_fetch_add(&stress->nattaches, 1);
	}
	return NULL;
}

static void devices_come_and_go_in_parallel(void)
{
	struct stress stress = { .until_ns = now_ns() + STRESS_NS };
	struct stresser stresser[2];
	pthread_t threads[2];
	int i;

	kapi_open();
	kapi_map(KAPI_IOVA);
	stress.other_ioas = ioas_alloc(kapi.fd);
	bind_pair();
	for (i = 0; i < 2; i++) {
		stresser[i] = (struct stresser){ &stress, file[i] };
		require_eq(pthread_create(&threads[i], NULL,
					  attach_replace_and_detach,
					  &stresser[i]), 0);
	}
	for (i = 0; i < 2; i++)
		require_eq(pthread_join(threads[i], NULL), 0);
	diag("%d attaches", stress.nattaches);
	check_true(stress.nattaches > 0);
	check_eq(stress.nbad, 0);
	check_full_ranges(kapi.ioas);
	check_full_ranges(stress.other_ioas);
	check_eq(vm_pin_kib(), 0);
	unbind_pair();
	kapi_close();
}

static const struct test tests[] = {
	TEST(devices_of_a_group_are_detached_in_both_orders, 0),
	TEST(detached_device_can_return_while_its_group_is_attached, 0),
	TEST(group_is_attached_to_one_table, 0),
	TEST(group_on_the_automatic_table_is_not_on_an_allocated_one, 0),
	TEST(replace_moves_the_whole_group, 0),
	TEST(group_that_cannot_be_moved_stays, 0),
	TEST(group_is_bound_to_one_context_until_its_last_device_leaves, 0),
	TEST(no_kernel_driver_gets_a_device_of_a_bound_group, 0),
	TEST(group_with_a_kernel_driver_is_not_bound, 0),
	TEST(group_is_bound_or_in_a_container, 0),
	TEST(both_devices_end_with_the_context_in_any_order, 0),
	TEST(devices_come_and_go_in_parallel, 0),
};

int main(int argc, char **argv)
{
	after_each_test = edu_restore_drivers;
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
