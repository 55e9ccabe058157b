// SPDX-License-Identifier: GPL-2.0-only
/*
 * driver_device.c - the kernel interface for devices: binding, attaching, DMA
 */
#define _GNU_SOURCE
#include "lib_driver.h"
#include "lib_late.h"

#include <pthread.h>

static const struct iommu_iova_range msi_window = {
	.start = MSI_IOVA,
	.last = MSI_IOVA + PAGE - 1,
};

/* --- binding */

static void bind_of_what_is_no_context_is_refused(void)
{
	int file = edu_file(LONE_0);
	int null = open_fd("/dev/null");
	int container = container_open();

	check_eq(edu_bind(file, -1), -EBADF);
	check_eq(edu_bind(file, null), -EBADFD);
	check_eq(edu_bind(file, container), -EBADFD);
	close(container);
	close(null);
	close(file);
}

static void bound_device_is_an_object_that_its_driver_uses(void)
{
	int file = edu_file(LONE_0);
	long long device;

	kapi_open();
	device = edu_bind(file, kapi.fd);
	require_true(device > 0);
	check_eq(object_destroy(kapi.fd, (uint32_t)device), -EBUSY);
	check_eq(edu_unbind(file), 0);
	check_eq(object_destroy(kapi.fd, (uint32_t)device), -ENOENT);
	close(file);
	kapi_close();
}

static void device_is_bound_to_one_context_at_a_time(void)
{
	int other = edu_file(LONE_0);
	int file;

	kapi_open();
	file = edu_file(LONE_0);
	for (int i = 0; i < 2; i++) {
		int fd = native_open();

		require_true(edu_bind(file, kapi.fd) > 0);
		check_eq(edu_bind(other, fd), -EPERM);
		require_eq(edu_unbind(file), 0);
		check_true(edu_bind(other, fd) > 0);
		check_eq(edu_bind(file, kapi.fd), -EPERM);
		require_eq(edu_unbind(other), 0);
		close(fd);
	}
	close(file);
	close(other);
	kapi_close();
}

static void device_can_be_bound_twice_to_a_context(void)
{
	int file[2] = { edu_file(LONE_0), edu_file(LONE_0) };
	long long device[2];

	kapi_open();
	kapi_map(KAPI_IOVA);
	device[0] = edu_bind(file[0], kapi.fd);
	device[1] = edu_bind(file[1], kapi.fd);
	require_true(device[0] > 0);
	require_true(device[1] > 0);
	check_true(device[0] != device[1]);
	require_true(edu_attach(file[0], kapi.ioas) > 0);
	check_true(edu_attach(file[1], kapi.ioas) > 0);
	check_dma(file[1], KAPI_IOVA);
	kapi_detach(file[0]);
	check_dma(file[1], KAPI_IOVA);
	kapi_detach(file[1]);
	kapi_close();
}

static void bound_device_reaches_nothing_before_it_is_attached(void)
{
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = kapi_bound(LONE_0);
	check_no_store(file, KAPI_IOVA);
	check_eq(vm_pin_kib(), 0);
	check_eq(edu_unbind(file), 0);
	close(file);
	kapi_close();
}

static void device_keeps_its_context_open(void)
{
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = kapi_attached(LONE_0);
	require_eq(or_errno(close(kapi.fd)), 0);
	check_dma(file, KAPI_IOVA);
	check_eq(vm_pin_kib(), KAPI_KIB);
	require_eq(or_errno(close(file)), 0);
	kapi.fd = native_open();
	kapi_close();
}

static void driver_can_be_taken_off_an_attached_device(void)
{
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = kapi_attached(LONE_0);
	require_eq(edu_set_driver(LONE_0, DRIVER_PLAIN), 0);
	check_eq(edu_unbind(file), -ENODEV);
	check_eq(vm_pin_kib(), 0);
	check_eq(object_destroy(kapi.fd, kapi.ioas), 0);
	require_eq(edu_set_driver(LONE_0, DRIVER_TEST), 0);
	check_eq(edu_unbind(file), -ENODEV);
	close(file);
	kapi_close();
}

/* --- attaching */

static void device_reaches_what_the_ioas_shows(void)
{
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = kapi_attached(LONE_0);
	check_dma(file, KAPI_IOVA);
	kapi_map(OTHER_IOVA);
	check_dma(file, OTHER_IOVA);
	check_dma(file, KAPI_IOVA);
	kapi_detach(file);
	kapi_close();
}

static void attach_pins_and_detach_unpins(void)
{
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	check_eq(vm_pin_kib(), 0);
	file = kapi_attached(LONE_0);
	check_eq(vm_pin_kib(), KAPI_KIB);
	check_eq(edu_detach(file), 0);
	check_eq(vm_pin_kib(), 0);
	require_true(edu_attach(file, kapi.ioas) > 0);
	check_eq(vm_pin_kib(), KAPI_KIB);
	kapi_detach(file);
	kapi_close();
}

static void unmap_takes_memory_out_of_reach(void)
{
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = kapi_attached(LONE_0);
	check_dma(file, KAPI_IOVA);
	check_eq(ioas_unmap(kapi.fd, kapi.ioas, KAPI_IOVA, KAPI_BYTES),
		 KAPI_BYTES);
	check_no_store(file, KAPI_IOVA);
	kapi_detach(file);
	kapi_close();
}

/* The device loads through one IOVA, and a store elsewhere shows what it loaded. */
static void unmapped_memory_is_not_read(void)
{
	uint8_t *shown;
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	shown = mem_alloc(PAGE);
	file = kapi_attached(LONE_0);
	require_eq(ioas_map(kapi.fd, kapi.ioas, OTHER_IOVA, shown, PAGE,
			    IOAS_RW), 0);
	edu_dma_load(file, KAPI_IOVA);
	edu_dma_store(file, OTHER_IOVA);
	check_mem(shown, kapi.memory, EDU_TEST_DMA_BYTES);
	check_eq(ioas_unmap(kapi.fd, kapi.ioas, KAPI_IOVA, KAPI_BYTES),
		 KAPI_BYTES);
	fill(kapi.memory, KAPI_BYTES, 2);
	edu_dma_load(file, KAPI_IOVA);
	edu_dma_store(file, OTHER_IOVA);
	check_true(memcmp(shown, kapi.memory, EDU_TEST_DMA_BYTES));
	kapi_detach(file);
	kapi_close();
	mem_free(shown, PAGE);
}

static void detach_takes_memory_out_of_reach(void)
{
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = kapi_attached(LONE_0);
	check_dma(file, KAPI_IOVA);
	check_eq(edu_detach(file), 0);
	check_no_store(file, KAPI_IOVA);
	check_eq(edu_unbind(file), 0);
	close(file);
	kapi_close();
}

static void read_only_map_is_not_written_to(void)
{
	int file;

	kapi_open();
	require_eq(ioas_map(kapi.fd, kapi.ioas, KAPI_IOVA, kapi.memory,
			    KAPI_BYTES, IOAS_R), 0);
	file = kapi_attached(LONE_0);
	check_no_store(file, KAPI_IOVA);
	kapi_detach(file);
	kapi_close();
}

static void attached_device_is_not_attached_again(void)
{
	uint32_t other;
	int file;

	kapi_open();
	other = ioas_alloc(kapi.fd);
	kapi_map(KAPI_IOVA);
	file = kapi_attached(LONE_0);
	check_eq(edu_attach(file, kapi.ioas), -EBUSY);
	check_eq(edu_attach(file, other), -EBUSY);
	check_eq(object_destroy(kapi.fd, other), 0);
	check_dma(file, KAPI_IOVA);
	kapi_detach(file);
	kapi_close();
}

static void attach_needs_the_id_of_an_ioas_or_a_hwpt(void)
{
	int file = edu_file(LONE_0);
	long long device, access;

	kapi_open();
	device = edu_bind(file, kapi.fd);
	require_true(device > 0);
	access = edu_access(file, kapi.fd, kapi.ioas, 0);
	require_true(access > 0);
	check_eq(edu_attach(file, 0), -ENOENT);
	check_eq(edu_attach(file, 1000), -ENOENT);
	check_eq(edu_attach(file, UINT32_MAX), -ENOENT);
	check_eq(edu_attach(file, (uint32_t)device), -EINVAL);
	check_eq(edu_attach(file, (uint32_t)access), -EINVAL);
	require_true(edu_attach(file, kapi.ioas) > 0);
	check_eq(edu_replace(file, 1000), -ENOENT);
	check_eq(edu_replace(file, (uint32_t)device), -EINVAL);
	kapi_detach(file);
	kapi_close();
}

static void ioas_of_another_context_is_not_to_be_had(void)
{
	int fd = native_open();
	uint32_t foreign, i;
	int file;

	kapi_open();
	file = kapi_bound(LONE_0);
	/* Allocates until the id is one that the context kapi.fd does not have. */
	for (i = 0; i < 4; i++)
		foreign = ioas_alloc(fd);
	check_eq(edu_attach(file, foreign), -ENOENT);
	check_eq(edu_unbind(file), 0);
	close(file);
	close(fd);
	kapi_close();
}

static void ioas_with_a_device_is_not_destroyed(void)
{
	int file;

	kapi_open();
	file = kapi_attached(LONE_0);
	check_eq(object_destroy(kapi.fd, kapi.ioas), -EBUSY);
	check_eq(edu_detach(file), 0);
	check_eq(object_destroy(kapi.fd, kapi.ioas), 0);
	check_eq(edu_attach(file, kapi.ioas), -ENOENT);
	check_eq(edu_unbind(file), 0);
	close(file);
	kapi_close();
}

/* Attaching pins all mapped memory. */
static void attach_that_cannot_pin_is_undone(void)
{
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	require_eq(or_errno(munmap(kapi.memory + PAGE, PAGE)), 0);
	file = kapi_bound(LONE_0);
	check_eq(edu_attach(file, kapi.ioas), -EFAULT);
	check_eq(vm_pin_kib(), 0);
	check_true(iova_is_usable(kapi.ioas, MSI_IOVA));
	require_eq(ioas_unmap_all(kapi.fd, kapi.ioas), KAPI_BYTES);
	kapi.memory = mem_alloc(KAPI_BYTES);
	kapi_map(KAPI_IOVA);
	require_true(edu_attach(file, kapi.ioas) > 0);
	check_dma(file, KAPI_IOVA);
	kapi_detach(file);
	kapi_close();
}

static void attach_beyond_the_limit_is_undone(void)
{
	int file;

	/* Before the map, which records the credentials of its caller. */
	drop_ipc_lock();
	set_memlock_pages(KAPI_PAGES - 1);
	kapi_open();
	kapi_map(KAPI_IOVA);
	file = kapi_bound(LONE_0);
	check_eq(edu_attach(file, kapi.ioas), -ENOMEM);
	check_eq(vm_pin_kib(), 0);
	set_memlock_pages(KAPI_PAGES);
	require_true(edu_attach(file, kapi.ioas) > 0);
	check_dma(file, KAPI_IOVA);
	kapi_detach(file);
	kapi_close();
}

/* --- reserved ranges */

static void msi_window_is_no_iova_while_a_device_is_attached(void)
{
	int file;

	kapi_open();
	check_true(iova_is_usable(kapi.ioas, MSI_IOVA));
	file = kapi_attached(LONE_0);
	check_true(!iova_is_usable(kapi.ioas, MSI_IOVA));
	check_eq(ioas_map(kapi.fd, kapi.ioas, MSI_IOVA, kapi.memory, PAGE,
			  IOAS_RW), -EINVAL);
	kapi_detach(file);
	check_true(iova_is_usable(kapi.ioas, MSI_IOVA));
	check_true(iova_is_usable(kapi.ioas, UINT64_MAX - PAGE));
	kapi_map(MSI_IOVA);
	kapi_close();
}

static void msi_window_is_back_only_after_the_last_device(void)
{
	int file[2], first;

	kapi_open();
	for (first = 0; first < 2; first++) {
		file[0] = kapi_attached(LONE_0);
		file[1] = kapi_attached(LONE_1);
		kapi_detach(file[first]);
		check_true(!iova_is_usable(kapi.ioas, MSI_IOVA));
		kapi_detach(file[!first]);
		check_true(iova_is_usable(kapi.ioas, MSI_IOVA));
	}
	kapi_close();
}

static void map_in_the_msi_window_keeps_the_device_out(void)
{
	int file;

	kapi_open();
	kapi_map(MSI_IOVA);
	file = kapi_bound(LONE_0);
	check_eq(edu_attach(file, kapi.ioas), -EADDRINUSE);
	check_eq(vm_pin_kib(), 0);
	check_eq(ioas_unmap(kapi.fd, kapi.ioas, MSI_IOVA, KAPI_BYTES),
		 KAPI_BYTES);
	check_true(edu_attach(file, kapi.ioas) > 0);
	kapi_detach(file);
	kapi_close();
}

static void allowed_iova_in_the_msi_window_keeps_the_device_out(void)
{
	int file;

	kapi_open();
	require_eq(ioas_allow(kapi.fd, kapi.ioas, &msi_window, 1), 0);
	file = kapi_bound(LONE_0);
	check_eq(edu_attach(file, kapi.ioas), -EADDRINUSE);
	require_eq(ioas_allow(kapi.fd, kapi.ioas, NULL, 0), 0);
	check_true(iova_is_usable(kapi.ioas, UINT64_MAX - PAGE));
	require_true(edu_attach(file, kapi.ioas) > 0);
	check_eq(ioas_allow(kapi.fd, kapi.ioas, &msi_window, 1), -EADDRINUSE);
	kapi_detach(file);
	kapi_close();
}

static void map_of_half_a_page_keeps_the_device_out(void)
{
	int file;

	kapi_open();
	require_eq(ioas_map(kapi.fd, kapi.ioas, KAPI_IOVA + 1, kapi.memory + 1,
			    100, IOAS_RW), 0);
	file = kapi_bound(LONE_0);
	check_eq(edu_attach(file, kapi.ioas), -EADDRINUSE);
	check_eq(ioas_alignment(kapi.fd, kapi.ioas), 1);
	check_eq(ioas_unmap_all(kapi.fd, kapi.ioas), 100);
	require_true(edu_attach(file, kapi.ioas) > 0);
	check_eq(ioas_alignment(kapi.fd, kapi.ioas), PAGE);
	kapi_detach(file);
	check_eq(ioas_alignment(kapi.fd, kapi.ioas), 1);
	kapi_close();
}

/* --- HWPTs */

static void devices_share_the_automatic_table(void)
{
	int file[2], last;

	kapi_open();
	for (last = 0; last < 2; last++) {
		long long hwpt;

		file[0] = kapi_bound(LONE_0);
		file[1] = kapi_bound(LONE_1);
		hwpt = edu_attach(file[0], kapi.ioas);
		require_true(hwpt > 0);
		check_eq(edu_attach(file[1], kapi.ioas), hwpt);
		kapi_detach(file[!last]);
		check_eq(object_destroy(kapi.fd, (uint32_t)hwpt), -EBUSY);
		kapi_detach(file[last]);
		check_eq(object_destroy(kapi.fd, (uint32_t)hwpt), -ENOENT);
	}
	kapi_close();
}

static void device_can_be_attached_to_the_automatic_table_of_another(void)
{
	long long hwpt;
	int file[2];

	kapi_open();
	kapi_map(KAPI_IOVA);
	file[0] = kapi_bound(LONE_0);
	file[1] = kapi_bound(LONE_1);
	hwpt = edu_attach(file[0], kapi.ioas);
	require_true(hwpt > 0);
	check_eq(edu_attach(file[1], (uint32_t)hwpt), hwpt);
	kapi_detach(file[0]);
	check_dma(file[1], KAPI_IOVA);
	kapi_detach(file[1]);
	kapi_close();
}

/* Binds a device and allocates an HWPT for it. */
static int bound_with_table(unsigned int device, uint32_t *hwpt)
{
	int file = edu_file(device);
	long long id = edu_bind(file, kapi.fd);

	require_true(id > 0);
	id = hwpt_alloc(kapi.fd, (uint32_t)id, kapi.ioas);
	require_true(id > 0);
	*hwpt = (uint32_t)id;
	return file;
}

static void allocated_table_stays_until_it_is_destroyed(void)
{
	uint32_t hwpt;
	int file, i;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = bound_with_table(LONE_0, &hwpt);
	/* The HWPT is filled even while no device uses it. */
	check_eq(vm_pin_kib(), KAPI_KIB);
	for (i = 0; i < 2; i++) {
		require_eq(edu_attach(file, hwpt), hwpt);
		check_dma(file, KAPI_IOVA);
		check_eq(object_destroy(kapi.fd, hwpt), -EBUSY);
		require_eq(edu_detach(file), 0);
	}
	check_eq(object_destroy(kapi.fd, kapi.ioas), -EBUSY);
	check_eq(object_destroy(kapi.fd, hwpt), 0);
	check_eq(object_destroy(kapi.fd, hwpt), -ENOENT);
	check_eq(vm_pin_kib(), 0);
	check_eq(object_destroy(kapi.fd, kapi.ioas), 0);
	check_eq(edu_unbind(file), 0);
	close(file);
	kapi_close();
}

/* GET_HW_INFO tells nothing about a real device, whatever type is asked for. */
static void get_hw_info_is_all_zero(void)
{
	uint8_t info[8], zeroes[8] = { 0 };
	uint32_t type;
	int file;

	kapi_open();
	file = edu_file(LONE_0);
	for (type = 0; type < 3; type++) {
		struct iommu_hw_info command = {
			.size = sizeof(command),
			.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
			.dev_id = (uint32_t)edu_bind(file, kapi.fd),
			.in_data_type = type,
			.data_uptr = (uintptr_t)info,
			.data_len = sizeof(info),
		};

		memset(info, 0xa5, sizeof(info));
		check_eq(native_call(kapi.fd, IOMMU_GET_HW_INFO, &command), 0);
		check_eq(command.out_data_type, IOMMU_HW_INFO_TYPE_NONE);
		check_eq(command.data_len, 0);
		check_eq(memcmp(info, zeroes, sizeof(info)), 0);
		check_eq(edu_unbind(file), 0);
	}
	close(file);
	kapi_close();
}

static int late_result;

static void *allocate_late(void *command)
{
	late_result = native_call(kapi.fd, IOMMU_HWPT_ALLOC, command);
	return NULL;
}

static void failed_copy_of_an_answer_does_not_delay_unbind(void)
{
	struct iommu_hwpt_alloc command = { .size = sizeof(command) };
	struct late_memory late;
	pthread_t thread;
	int file;

	kapi_open();
	file = edu_file(LONE_0);
	command.dev_id = (uint32_t)edu_bind(file, kapi.fd);
	command.pt_id = kapi.ioas;
	late_memory_make_for_writing(&late, &command, sizeof(command));
	require_eq(pthread_create(&thread, NULL, allocate_late, late.memory), 0);
	late_memory_wanted(&late);
	check_eq(edu_unbind(file), 0);
	late_memory_release(&late);
	pthread_join(thread, NULL);
	check_eq(late_result, 0);
	memcpy(&command, late.memory, sizeof(command));
	check_eq(object_destroy(kapi.fd, command.out_hwpt_id), 0);
	late_memory_free(&late);
	close(file);
	kapi_close();
}

static void allocated_table_outlives_its_device(void)
{
	uint32_t hwpt;
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = bound_with_table(LONE_0, &hwpt);
	require_eq(edu_unbind(file), 0);
	require_eq(or_errno(close(file)), 0);
	file = kapi_bound(LONE_1);
	check_eq(edu_attach(file, hwpt), hwpt);
	check_dma(file, KAPI_IOVA);
	kapi_detach(file);
	kapi_close();
}

static void allocated_table_is_not_chosen_automatically(void)
{
	long long automatic;
	uint32_t hwpt;
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = bound_with_table(LONE_0, &hwpt);
	automatic = edu_attach(file, kapi.ioas);
	check_true(automatic > 0);
	check_true(automatic != hwpt);
	check_dma(file, KAPI_IOVA);
	/* Two HWPTs share one pin. */
	check_eq(vm_pin_kib(), KAPI_KIB);
	check_eq(edu_replace(file, hwpt), hwpt);
	check_dma(file, KAPI_IOVA);
	check_eq(object_destroy(kapi.fd, (uint32_t)automatic), -ENOENT);
	kapi_detach(file);
	kapi_close();
}

static void map_in_the_msi_window_keeps_the_device_off_a_table(void)
{
	uint32_t hwpt;
	int file;

	kapi_open();
	kapi_map(MSI_IOVA);
	file = bound_with_table(LONE_0, &hwpt);
	check_eq(edu_attach(file, hwpt), -EADDRINUSE);
	check_eq(ioas_unmap_all(kapi.fd, kapi.ioas), KAPI_BYTES);
	check_eq(edu_attach(file, hwpt), hwpt);
	kapi_map(KAPI_IOVA);
	check_dma(file, KAPI_IOVA);
	kapi_detach(file);
	kapi_close();
}

static void table_is_allocated_while_the_device_is_attached(void)
{
	long long device, hwpt, i;
	int file = edu_file(LONE_0);

	kapi_open();
	kapi_map(KAPI_IOVA);
	device = edu_bind(file, kapi.fd);
	require_true(device > 0);
	require_true(edu_attach(file, kapi.ioas) > 0);
	for (i = 0; i < 3; i++) {
		hwpt = hwpt_alloc(kapi.fd, (uint32_t)device, kapi.ioas);
		require_true(hwpt > 0);
		check_dma(file, KAPI_IOVA);
		check_eq(edu_replace(file, (uint32_t)hwpt), hwpt);
		check_dma(file, KAPI_IOVA);
	}
	kapi_detach(file);
	kapi_close();
}

static void two_devices_on_two_tables_see_the_same(void)
{
	uint32_t hwpt[2];
	int file[2], i;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file[0] = bound_with_table(LONE_0, &hwpt[0]);
	file[1] = bound_with_table(LONE_1, &hwpt[1]);
	for (i = 0; i < 2; i++)
		require_eq(edu_attach(file[i], hwpt[i]), hwpt[i]);
	check_eq(vm_pin_kib(), KAPI_KIB);
	kapi_map(OTHER_IOVA);
	for (i = 0; i < 2; i++) {
		check_dma(file[i], KAPI_IOVA);
		check_dma(file[i], OTHER_IOVA);
	}
	check_eq(ioas_unmap_all(kapi.fd, kapi.ioas), 2 * KAPI_BYTES);
	for (i = 0; i < 2; i++)
		check_no_store(file[i], KAPI_IOVA);
	kapi_detach(file[0]);
	kapi_detach(file[1]);
	kapi_close();
}

/* --- replacing */

static void device_follows_a_copy_into_another_ioas(void)
{
	struct iova_of from, to;
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = kapi_attached(LONE_0);
	check_dma(file, KAPI_IOVA);
	from = (struct iova_of){ kapi.ioas, KAPI_IOVA };
	to = (struct iova_of){ ioas_alloc(kapi.fd), OTHER_IOVA };
	require_eq(ioas_copy(kapi.fd, to, from, KAPI_BYTES, IOAS_RW), 0);
	check_eq(vm_pin_kib(), KAPI_KIB);
	require_true(edu_replace(file, to.ioas) > 0);
	check_eq(vm_pin_kib(), KAPI_KIB);
	check_dma(file, OTHER_IOVA);
	check_no_store(file, KAPI_IOVA);
	check_true(iova_is_usable(kapi.ioas, MSI_IOVA));
	check_true(!iova_is_usable(to.ioas, MSI_IOVA));
	check_eq(object_destroy(kapi.fd, kapi.ioas), 0);
	check_dma(file, OTHER_IOVA);
	kapi_detach(file);
	kapi_close();
}

static void replace_by_the_same_ioas_changes_nothing(void)
{
	long long hwpt;
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = kapi_bound(LONE_0);
	hwpt = edu_attach(file, kapi.ioas);
	require_true(hwpt > 0);
	check_eq(edu_replace(file, kapi.ioas), hwpt);
	check_eq(edu_replace(file, (uint32_t)hwpt), hwpt);
	check_dma(file, KAPI_IOVA);
	kapi_detach(file);
	kapi_close();
}

static void replace_needs_an_attached_device(void)
{
	int file;

	kapi_open();
	file = kapi_bound(LONE_0);
	check_eq(edu_replace(file, kapi.ioas), -EINVAL);
	check_true(edu_attach(file, kapi.ioas) > 0);
	kapi_detach(file);
	kapi_close();
}

static void replace_that_fails_leaves_the_device_where_it_was(void)
{
	uint32_t other;
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = kapi_attached(LONE_0);
	other = ioas_alloc(kapi.fd);
	require_eq(ioas_allow(kapi.fd, other, &msi_window, 1), 0);
	check_eq(edu_replace(file, other), -EADDRINUSE);
	check_dma(file, KAPI_IOVA);
	check_true(!iova_is_usable(kapi.ioas, MSI_IOVA));
	check_eq(object_destroy(kapi.fd, other), 0);
	check_eq(object_destroy(kapi.fd, kapi.ioas), -EBUSY);
	kapi_detach(file);
	check_true(iova_is_usable(kapi.ioas, MSI_IOVA));
	kapi_close();
}

static void replace_that_cannot_pin_leaves_the_device_where_it_was(void)
{
	void *gone = mem_alloc(PAGE);
	uint32_t other;
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = kapi_attached(LONE_0);
	other = ioas_alloc(kapi.fd);
	require_eq(ioas_map(kapi.fd, other, KAPI_IOVA, gone, PAGE, IOAS_RW), 0);
	mem_free(gone, PAGE);
	check_eq(edu_replace(file, other), -EFAULT);
	check_dma(file, KAPI_IOVA);
	check_true(iova_is_usable(other, MSI_IOVA));
	check_eq(vm_pin_kib(), KAPI_KIB);
	kapi_detach(file);
	kapi_close();
}

/* --- death */

static void attach_and_wait(struct gate *ready)
{
	int file;

	kapi_open();
	kapi_map(KAPI_IOVA);
	file = kapi_attached(LONE_0);
	kapi_attached(PAIR_0);
	kapi_attached(PAIR_1);
	require_true(edu_access(file, kapi.fd, kapi.ioas,
				EDU_TEST_ACCESS_PINS) > 0);
	require_true(edu_pin(file, KAPI_IOVA, KAPI_BYTES, 0) > 0);
	check_dma(file, KAPI_IOVA);
	gate_open(ready);
}

static bool device_is_free(void *arg)
{
	const unsigned int *device = arg;
	int file = edu_file(*device);
	bool is_free = edu_bind(file, kapi.fd) > 0;

	close(file);
	return is_free;
}

/* After every test the harness looks for pins that are left. */
static void killed_owner_leaves_everything_as_it_was(void)
{
	static const unsigned int device[] = { LONE_0, PAIR_0, PAIR_1 };
	unsigned int i;
	int round;

	kapi_open();
	kapi_map(KAPI_IOVA);
	for (round = 0; round < 2; round++) {
		kill_when_ready(attach_and_wait);
		for (i = 0; i < ARRAY_SIZE(device); i++) {
			int file;

			require_true(wait_until(device_is_free,
						(void *)&device[i], EVENT_SECONDS));
			file = kapi_attached(device[i]);
			check_dma(file, KAPI_IOVA);
			kapi_detach(file);
		}
	}
	kapi_close();
}

/* --- the file "status" */

#define STATUS		"/sys/kernel/debug/vfio_ioas/status"
#define SELFTEST_STATUS	"/sys/kernel/debug/vfio_ioas_selftest/status"

static char text[1 << 16];

/* Returns the first line that begins with @head, or NULL. */
static const char *status_line(const char *head)
{
	const char *line;

	read_whole(access(STATUS, F_OK) ? SELFTEST_STATUS : STATUS, text, sizeof(text));
	for (line = text; *line; line = strchr(line, '\n') + 1)
		if (!strncmp(line, head, strlen(head)))
			return line;
	return NULL;
}

static bool line_ends_in(const char *line, const char *words)
{
	size_t nbytes = strcspn(line, "\n");

	return nbytes >= strlen(words) && !strncmp(line + nbytes - strlen(words), words,
						   strlen(words));
}

/* Is the name in the comma-separated list that follows @head to the end of the line? */
static bool line_lists(const char *line, const char *head, const char *name)
{
	const char *item = line_has(line, head) ? strstr(line, head) + strlen(head) : "\n";

	for (;; item++) {
		if (!strncmp(item, name, strlen(name)) && strchr(",\n", item[strlen(name)]))
			return true;
		item += strcspn(item, ",\n");
		if (*item != ',')
			return false;
	}
}

static void status_tells_of_devices_and_their_groups(void)
{
	char name[64];
	long long context, device;
	const char *line;
	int file[2];

	kapi_open();
	/* Makes the ids of devices and contexts differ. */
	ioas_alloc(kapi.fd);
	context = word_value(status_line("context "), "id");
	file[0] = edu_file(PAIR_0);
	device = edu_bind(file[0], kapi.fd);
	require_true(device > 0 && device != context);
	line = status_line("device ");
	require_true(line);
	check_eq(word_value(line, "context"), context);
	check_eq(word_value(line, "id"), device);
	snprintf(name, sizeof(name), " name=%s", edu_address(PAIR_0));
	check_true(line_ends_in(line, name));
	check_true(!status_line("group "));

	require_true(edu_attach(file[0], kapi.ioas) > 0);
	file[1] = kapi_attached(PAIR_1);
	line = status_line("group ");
	require_true(line);
	check_eq(word_value(line, "context"), context);
	check_eq(word_value(line, "number"), edu_group(PAIR_0));
	/* The bridge is in the group, too, so the devices are found by name. */
	check_true(line_lists(line, " devices=", edu_address(PAIR_0)));
	check_true(line_lists(line, " devices=", edu_address(PAIR_1)));
	check_true(!line_lists(line, " devices=", edu_address(LONE_0)));
	kapi_detach(file[1]);
	kapi_detach(file[0]);
	kapi_close();
}

static const struct test tests[] = {
	TEST(bind_of_what_is_no_context_is_refused, 0),
	TEST(bound_device_is_an_object_that_its_driver_uses, 0),
	TEST(device_is_bound_to_one_context_at_a_time, 0),
	TEST(device_can_be_bound_twice_to_a_context, 0),
	TEST(bound_device_reaches_nothing_before_it_is_attached, 0),
	TEST(device_keeps_its_context_open, 0),
	TEST(driver_can_be_taken_off_an_attached_device, 0),
	TEST(device_reaches_what_the_ioas_shows, 0),
	TEST(attach_pins_and_detach_unpins, 0),
	TEST(unmap_takes_memory_out_of_reach, 0),
	TEST(unmapped_memory_is_not_read, 0),
	TEST(detach_takes_memory_out_of_reach, 0),
	TEST(read_only_map_is_not_written_to, 0),
	TEST(attached_device_is_not_attached_again, 0),
	TEST(attach_needs_the_id_of_an_ioas_or_a_hwpt, 0),
	TEST(ioas_of_another_context_is_not_to_be_had, 0),
	TEST(ioas_with_a_device_is_not_destroyed, 0),
	TEST(attach_that_cannot_pin_is_undone, 0),
	TEST(attach_beyond_the_limit_is_undone, 0),
	TEST(msi_window_is_no_iova_while_a_device_is_attached, 0),
	TEST(msi_window_is_back_only_after_the_last_device, 0),
	TEST(map_in_the_msi_window_keeps_the_device_out, 0),
	TEST(allowed_iova_in_the_msi_window_keeps_the_device_out, 0),
	TEST(map_of_half_a_page_keeps_the_device_out, 0),
	TEST(devices_share_the_automatic_table, 0),
	TEST(device_can_be_attached_to_the_automatic_table_of_another, 0),
	TEST(allocated_table_stays_until_it_is_destroyed, 0),
	TEST(allocated_table_outlives_its_device, 0),
	TEST(failed_copy_of_an_answer_does_not_delay_unbind, 0),
	TEST(get_hw_info_is_all_zero, 0),
	TEST(allocated_table_is_not_chosen_automatically, 0),
	TEST(map_in_the_msi_window_keeps_the_device_off_a_table, 0),
	TEST(table_is_allocated_while_the_device_is_attached, 0),
	TEST(two_devices_on_two_tables_see_the_same, 0),
	TEST(device_follows_a_copy_into_another_ioas, 0),
	TEST(replace_by_the_same_ioas_changes_nothing, 0),
	TEST(replace_needs_an_attached_device, 0),
	TEST(replace_that_fails_leaves_the_device_where_it_was, 0),
	TEST(replace_that_cannot_pin_leaves_the_device_where_it_was, 0),
	TEST(killed_owner_leaves_everything_as_it_was, 0),
	TEST(status_tells_of_devices_and_their_groups, 0),
};

int main(int argc, char **argv)
{
	after_each_test = edu_restore_drivers;
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
