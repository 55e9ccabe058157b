// SPDX-License-Identifier: GPL-2.0-only
/*
 * emul_pin.c - pages that emulated devices pin, and the callbacks that tell them to let go
 */
#define _GNU_SOURCE
#include "lib_emulated.h"

#include <pthread.h>
#include <stdatomic.h>

#define UNKNOWN_PROT	8U

static void open_with(uint64_t npages, uint32_t flags)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, npages, flags), 0);
}

/* --- which pages can be pinned */

static void pin_needs_a_mapping(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	check_eq(emul_pin(0, 1, RW), -EINVAL);
	require_eq(emul_map(0, 4, RW), 0);
	check_eq(emul_pin(4, 1, RW), -EINVAL);
	check_eq(emul_pin(0, 1, RW), 1);
	check_eq(emul_unmap(0, 4), 4);
	check_eq(emul_pin(0, 1, RW), -EINVAL);
	check_eq(npins_of(emul.device), 0);
	emul_close();
}

static void pin_asks_for_no_more_than_the_mapping_allows(void)
{
	open_with(4, RO);
	check_eq(emul_pin(0, 1, RW), -EPERM);
	check_eq(emul_pin(0, 1, WO), -EPERM);
	check_eq(emul_pin(0, 1, UNKNOWN_PROT), -EPERM);
	check_eq(emul_pin(0, 1, RO), 1);
	check_eq(emul_pin(1, 1, 0), 1);
	check_eq(vm_lck_kib(0), 2 * PAGE_KIB);
	/* An existing pin does not help. */
	check_eq(emul_pin(0, 1, RW), -EPERM);
	check_eq(emul_unmap(0, 4), 4);
	emul_close();
}

static void pinned_pages_are_the_memory_that_was_mapped(void)
{
	static uint8_t bytes[4 * PAGE];

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 2, RW), 0);
	require_eq(emul_map(2, 2, RW), 0);
	check_eq(emul_pin(0, 4, RW), 4);
	check_eq(vm_lck_kib(0), 4 * PAGE_KIB);
	check_eq(emulated_copy(emul.device, 0, bytes, sizeof(bytes), 0), 0);
	check_mem(bytes, emul.memory, sizeof(bytes));
	fill(bytes, sizeof(bytes), 77);
	check_eq(emulated_copy(emul.device, 0, bytes, sizeof(bytes),
			       EMULATED_WRITE), 0);
	check_mem(emul.memory, bytes, sizeof(bytes));
	check_eq(emul_unmap(0, 4), 4);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static void pin_that_fails_in_the_middle_leaves_no_trace(void)
{
	open_with(8, RW);
	require_eq(or_errno(munmap(emul.memory + 4 * PAGE, 2 * PAGE)), 0);
	require_eq(emul_pin(3, 1, RW), 1);
	check_eq(emul_pin(0, 8, RW), -EFAULT);
	check_eq(emul_pin(6, 4, RW), -EINVAL);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	check_eq(npins_of(emul.device), 1);
	/* The page that was pinned before still has one pin. */
	check_eq(emul_unpin(3, 1), 0);
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 8), 8);
	check_eq(ncallbacks_of(emul.device), 0);
	emul_close();
}

static void pin_of_too_many_pages_is_refused(void)
{
	open_with(8, RW);
	check_eq(emul_pin(0, 513, RW), -E2BIG);
	check_eq(emul_pin(0, -1, RW), -E2BIG);
	check_eq(emul_pin(0, 0, RW), -EINVAL);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static void pin_of_as_many_pages_as_go_is_one_call(void)
{
	uint8_t *large = mem_alloc_scattered(512 * PAGE);

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(dma_map(emul.container, 0, large, 512 * PAGE, RW), 0);
	check_eq(emulated_pin(emul.device, 0, 512, RW), 512);
	check_eq(vm_lck_kib(0), 512 * PAGE_KIB);
	check_eq(emulated_unpin(emul.device, 0, 512), 0);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
	mem_free(large, 512 * PAGE);
}

static void pin_does_not_wrap_around(void)
{
	open_with(8, RW);
	check_eq(emulated_pin(emul.device, 0ULL - PAGE, 2, RW), wrap_error());
	emul_close();
}

static void type1_pins_nothing(void)
{
	emul_open(VFIO_TYPE1_IOMMU);
	require_eq(emul_map(0, 4, RW), 0);
	check_eq(emul_pin(0, 1, RW), -EACCES);
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 4), 4);
	emul_close();
}

static void page_is_pinned_until_it_is_unpinned_as_often(void)
{
	open_with(4, RW);
	check_eq(emul_pin(1, 1, RW), 1);
	check_eq(emul_pin(1, 1, RO), 1);
	check_eq(emul_unpin(1, 1), 0);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	check_eq(emul_unpin(1, 1), 0);
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 4), 4);
	check_eq(ncallbacks_of(emul.device), 0);
	emul_close();
}

static void unpin_of_what_is_not_pinned_does_nothing(void)
{
	open_with(4, RW);
	check_eq(emul_unpin(1, 1), 0);
	check_eq(vm_lck_kib(0), 0);
	/* The pages around it are unpinned all the same. */
	check_eq(emul_pin(0, 1, RW), 1);
	check_eq(emul_pin(2, 1, RW), 1);
	check_eq(emul_unpin(0, 4), 0);
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 4), 4);
	emul_close();
}

static void device_without_a_callback_pins_nothing(void)
{
	int container = container_open();
	int group = emulated_group_add(container, EMULATED_MUTE);
	void *memory = mem_alloc(PAGE);
	int device;

	require_eq(set_iommu(container, VFIO_TYPE1v2_IOMMU), 0);
	require_backend(container);
	device = emulated_device_open(group, EMULATED_MUTE);
	require_eq(dma_map(container, 0, memory, PAGE, RW), 0);
	check_eq(emulated_pin(device, 0, 1, RW), -EINVAL);
	/* The device can still read and write. */
	check_eq(emulated_rw(device, 0, memory, PAGE, 0), 0);
	check_eq(dma_unmap(container, 0, PAGE), PAGE);
	require_eq(or_errno(close(device)), 0);
	emulated_group_remove(group);
	require_eq(or_errno(close(container)), 0);
	mem_free(memory, PAGE);
}

/*
 * Nothing could tell this device to let go. vfio.ko of 6.1 leaves the refusal to the backend, which
 * knows groups but not devices.
 */
static void device_without_a_callback_pins_beside_another_on_6_1_only(void)
{
	const int expected = kernel_at_least(6, 2) ? -EINVAL : 1;
	int group, device;

	open_with(4, RW);
	group = emulated_group_add(emul.container, EMULATED_MUTE);
	device = emulated_device_open(group, EMULATED_MUTE);
	check_eq(emulated_pin(device, 0, 1, RW), expected);
	check_eq(vm_lck_kib(0), expected > 0 ? PAGE_KIB : 0);
	require_eq(or_errno(close(device)), 0);
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 4), 4);
	emulated_group_remove(group);
	emul_close();
}

/* The backend of 6.1 does not know about this device. */
static void device_without_a_callback_keeps_its_pins_when_all_others_close(void)
{
	const bool pins = !kernel_at_least(6, 2);
	uint8_t bytes[PAGE];
	int group, device;

	open_with(4, RW);
	group = emulated_group_add(emul.container, EMULATED_MUTE);
	device = emulated_device_open(group, EMULATED_MUTE);
	check_eq(emulated_pin(device, 0, 1, RW), pins ? 1 : -EINVAL);
	emul_close_device();
	check_eq(vm_lck_kib(0), pins ? PAGE_KIB : 0);
	if (pins) {
		check_eq(emulated_copy(device, 0, bytes, sizeof(bytes), 0), 0);
		check_mem(bytes, emul.memory, sizeof(bytes));
		check_eq(emulated_unpin(device, 0, 1), 0);
	}
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 4), 4);
	require_eq(or_errno(close(device)), 0);
	emulated_group_remove(group);
	emul_close();
}

static void parts_of_a_huge_page_are_pinned_one_by_one(void)
{
	uint8_t *huge = mem_alloc_huge(HUGE_BYTES);
	static uint8_t bytes[2 * PAGE];

	fill(huge, HUGE_BYTES, 5);
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(dma_map(emul.container, 0, huge, HUGE_BYTES, RW), 0);
	check_eq(emul_pin(7, 2, RW), 2);
	check_eq(emul_pin(100, 1, RW), 1);
	check_eq(vm_lck_kib(0), 3 * PAGE_KIB);
	check_eq(emulated_copy(emul.device, 7 * PAGE, bytes, sizeof(bytes), 0), 0);
	check_mem(bytes, huge + 7 * PAGE, sizeof(bytes));
	check_eq(dma_unmap(emul.container, 0, HUGE_BYTES), HUGE_BYTES);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
	mem_free(huge, HUGE_BYTES);
}

/* --- callbacks */

static void device_is_told_of_each_mapping_with_pins(void)
{
	struct emulated_info info;

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, 4, RW), 0);
	require_eq(emul_map(4, 4, RW), 0);
	require_eq(emul_map(16, 4, RW), 0);
	require_eq(emul_pin(1, 1, RW), 1);
	require_eq(emul_pin(18, 2, RW), 2);
	check_eq(emul_unmap(0, 20), 12);
	info = emulated_info(emul.device);
	check_eq(info.ncallbacks, 2);
	check_eq(info.npins, 0);
	check_eq(info.log[1].iova, 0);
	check_eq(info.log[1].nbytes, 4 * PAGE);
	check_eq(info.log[0].iova, 16 * PAGE);
	check_eq(info.log[0].nbytes, 4 * PAGE);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static void device_is_told_until_it_lets_go(void)
{
	static const unsigned int nignored[] = { 0, 1, 3, 10 };
	unsigned int i, before = 0;

	emul_open(VFIO_TYPE1v2_IOMMU);
	for (i = 0; i < ARRAY_SIZE(nignored); i++) {
		context("%u ignored", nignored[i]);
		require_eq(emul_map(0, 4, RW), 0);
		require_eq(emul_pin(0, 4, RW), 4);
		emulated_behave(emul.device, nignored[i], 0);
		check_eq(emul_unmap(0, 4), 4);
		check_eq(ncallbacks_of(emul.device), before + nignored[i] + 1);
		before = ncallbacks_of(emul.device);
	}
	context("%s", "");
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static void device_without_pins_is_told_of_those_of_another(void)
{
	struct emulated_info info;
	int group, device;

	open_with(4, RW);
	group = emulated_group_add(emul.container, EMULATED_1);
	device = emulated_device_open(group, EMULATED_1);
	require_eq(emul_pin(0, 1, RW), 1);
	check_eq(emul_unmap(0, 4), 4);
	check_eq(ncallbacks_of(emul.device), 1);
	info = emulated_info(device);
	check_eq(info.ncallbacks, 1);
	check_eq(info.log[0].iova, 0);
	check_eq(info.log[0].nbytes, 4 * PAGE);
	require_eq(or_errno(close(device)), 0);
	emulated_group_remove(group);
	emul_close();
}

static void page_that_two_devices_pinned_is_let_go_of_by_both(void)
{
	int group, device;

	open_with(4, RW);
	group = emulated_group_add(emul.container, EMULATED_1);
	device = emulated_device_open(group, EMULATED_1);
	require_eq(emul_pin(0, 1, RW), 1);
	require_eq(emulated_pin(device, 0, 1, RW), 1);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	check_eq(emul_unmap(0, 4), 4);
	check_eq(ncallbacks_of(emul.device), 1);
	check_eq(ncallbacks_of(device), 1);
	check_eq(npins_of(device), 0);
	check_eq(vm_lck_kib(0), 0);
	require_eq(or_errno(close(device)), 0);
	emulated_group_remove(group);
	emul_close();
}

static void device_is_not_told_of_what_was_not_pinned(void)
{
	open_with(4, RW);
	require_eq(emul_map(4, 4, RW), 0);
	require_eq(emul_pin(4, 1, RW), 1);
	check_eq(emul_unmap(0, 4), 4);
	check_eq(ncallbacks_of(emul.device), 0);
	check_eq(npins_of(emul.device), 1);
	check_eq(emul_unpin(4, 1), 0);
	check_eq(emul_unmap(4, 4), 4);
	check_eq(ncallbacks_of(emul.device), 0);
	emul_close();
}

static void device_is_not_told_of_an_update_of_the_address(void)
{
	open_with(4, RW);
	require_eq(emul_pin(0, 1, RW), 1);
	check_true(dma_unmap_flags(emul.container, 0, 4 * PAGE,
				   VFIO_DMA_UNMAP_FLAG_VADDR) < 0);
	check_eq(ncallbacks_of(emul.device), 0);
	check_eq(vm_lck_kib(0), PAGE_KIB);
	emul_close();
}

static void device_is_not_told_of_an_unmap_that_is_refused(void)
{
	open_with(8, RW);
	require_eq(emul_pin(4, 1, RW), 1);
	check_eq(emul_unmap(0, 4), -EINVAL);
	check_eq(emul_unmap(4, 4), -EINVAL);
	check_eq(ncallbacks_of(emul.device), 0);
	check_eq(npins_of(emul.device), 1);
	emul_close();
}

static void device_keeps_its_pins_when_the_pci_group_leaves(void)
{
	static uint8_t bytes[2 * PAGE];

	emul_open_mixed();
	require_eq(emul_map(0, 8, RW), 0);
	require_eq(emul_pin(2, 2, RW), 2);
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB);
	emul_remove_pci();
	check_eq(ncallbacks_of(emul.device), 0);
	check_eq(vm_lck_kib(0), 2 * PAGE_KIB);
	check_eq(emulated_copy(emul.device, 2 * PAGE, bytes, sizeof(bytes), 0), 0);
	check_mem(bytes, emul.memory + 2 * PAGE, sizeof(bytes));
	check_eq(emul_unmap(0, 8), 8);
	check_eq(ncallbacks_of(emul.device), 1);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

/* --- devices that come and go */

static void mappings_outlive_the_first_of_two_devices(void)
{
	int group, device;

	open_with(4, RW);
	group = emulated_group_add(emul.container, EMULATED_1);
	device = emulated_device_open(group, EMULATED_1);
	require_eq(emul_pin(0, 2, RW), 2);
	emul_remove_group();
	check_eq(vm_lck_kib(0), 0);
	check_eq(emulated_pin(device, 0, 2, RW), 2);
	check_eq(vm_lck_kib(0), 2 * PAGE_KIB);
	check_eq(emul_unmap(0, 4), 4);
	check_eq(ncallbacks_of(device), 1);
	check_eq(vm_lck_kib(0), 0);
	require_eq(or_errno(close(device)), 0);
	emulated_group_remove(group);
	emul_close();
}

static void device_that_is_closed_returns_its_pins(void)
{
	open_with(8, RW);
	require_eq(emul_pin(0, 8, RW), 8);
	require_eq(emul_pin(0, 4, RW), 4);
	check_eq(vm_lck_kib(0), 8 * PAGE_KIB);
	emul_close_device();
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 8), 8);
	emul_close();
}

static void device_can_be_opened_again_and_pin(void)
{
	open_with(8, RW);
	require_eq(emul_pin(0, 8, RW), 8);
	emul_close_device();
	emul.device = emulated_device_open(emul.group, EMULATED_0);
	check_eq(emul_pin(0, 2, RW), 2);
	check_eq(emul_unmap(0, 8), 8);
	check_eq(ncallbacks_of(emul.device), 1);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

/* --- processes */

static void pin_for_the_parent(void *unused)
{
	(void)unused;
	check_eq(emul_pin(0, 2, RW), 2);
	check_eq(vm_lck_kib(0), 0);
	check_eq(vm_lck_kib(getppid()), 2 * PAGE_KIB);
}

static void pin_is_charged_to_the_process_that_mapped(void)
{
	uint8_t byte = 0;

	open_with(4, RW);
	join(spawn(pin_for_the_parent, NULL));
	check_eq(vm_lck_kib(0), 2 * PAGE_KIB);
	/* The pinned page is that of the process that has mapped it. */
	emul.memory[PAGE] = 0x5a;
	check_eq(emulated_copy(emul.device, PAGE, &byte, 1, 0), 0);
	check_eq(byte, 0x5a);
	check_eq(emul_unmap(0, 4), 4);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static void map_pin_and_exit(void *unused)
{
	(void)unused;
	require_eq(emul_map(0, 4, RW), 0);
	check_eq(emul_pin(0, 1, RW), 1);
	check_eq(vm_lck_kib(0), PAGE_KIB);
}

static void page_of_a_dead_process_stays_pinned_but_no_other_is(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	join(spawn(map_pin_and_exit, NULL));
	check_eq(emul_pin(0, 1, RW), 1);
	check_eq(emul_pin(1, 1, RW), -ENODEV);
	check_eq(emul_unpin(0, 1), 0);
	check_eq(emul_unpin(0, 1), 0);
	check_eq(emul_pin(0, 1, RW), -ENODEV);
	check_eq(vm_lck_kib(0), 0);
	check_eq(emul_unmap(0, 4), 4);
	emul_close();
}

static void page_of_a_dead_process_is_given_back_at_unmap(void)
{
	emul_open(VFIO_TYPE1v2_IOMMU);
	join(spawn(map_pin_and_exit, NULL));
	check_eq(emul_unmap(0, 4), 4);
	check_eq(ncallbacks_of(emul.device), 1);
	check_eq(npins_of(emul.device), 0);
	emul_close();
}

/* --- locks */

struct pinner {
	pthread_t thread;
	unsigned int nrounds;
	atomic_uint nstrange;
	atomic_bool done;
};

/* Pins where nothing is unmapped, and holds the lock of the device meanwhile. */
static void *pin_and_unpin(void *arg)
{
	struct pinner *pinner = arg;
	unsigned int i;

	for (i = 0; i < pinner->nrounds; i++) {
		pinner->nstrange += emul_pin(64, 32, RW) != 32;
		pinner->nstrange += emul_unpin(64, 32) != 0;
	}
	pinner->done = true;
	return NULL;
}

/* The callback needs a lock that the driver holds while it pins elsewhere. */
static void callback_may_wait_for_a_pin(void)
{
	struct pinner pinner = { .nrounds = scaled(2000, 200) };
	unsigned int nrounds = 0;

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(64, 32, RW), 0);
	require_eq(pthread_create(&pinner.thread, NULL, pin_and_unpin, &pinner), 0);
	do {
		require_eq(emul_map(0, 4, RW), 0);
		require_eq(emul_pin(0, 4, RW), 4);
		require_eq(emul_unmap(0, 4), 4);
		nrounds++;
	} while (!pinner.done);
	require_eq(pthread_join(pinner.thread, NULL), 0);
	check_eq(pinner.nstrange, 0);
	check_eq(ncallbacks_of(emul.device), nrounds);
	check_eq(emul_unmap(64, 32), 32);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static const struct test tests[] = {
	TEST(pin_needs_a_mapping, 0),
	TEST(pin_asks_for_no_more_than_the_mapping_allows, 0),
	TEST(pinned_pages_are_the_memory_that_was_mapped, 0),
	TEST(pin_that_fails_in_the_middle_leaves_no_trace, 0),
	TEST(pin_of_too_many_pages_is_refused, 0),
	TEST(pin_of_as_many_pages_as_go_is_one_call, 0),
	TEST(pin_does_not_wrap_around, 0),
	TEST(type1_pins_nothing, 0),
	TEST(page_is_pinned_until_it_is_unpinned_as_often, 0),
	TEST(unpin_of_what_is_not_pinned_does_nothing, 0),
	TEST(device_without_a_callback_pins_nothing, 0),
	TEST(device_without_a_callback_pins_beside_another_on_6_1_only, 0),
	TEST(device_without_a_callback_keeps_its_pins_when_all_others_close, 0),
	TEST(parts_of_a_huge_page_are_pinned_one_by_one, 0),
	TEST(device_is_told_of_each_mapping_with_pins, 0),
	TEST(device_is_told_until_it_lets_go, 0),
	TEST(device_without_pins_is_told_of_those_of_another, 0),
	TEST(page_that_two_devices_pinned_is_let_go_of_by_both, 0),
	TEST(device_is_not_told_of_what_was_not_pinned, 0),
	TEST(device_is_not_told_of_an_update_of_the_address, 0),
	TEST(device_is_not_told_of_an_unmap_that_is_refused, 0),
	TEST(device_keeps_its_pins_when_the_pci_group_leaves, NEEDS_ONE),
	TEST(mappings_outlive_the_first_of_two_devices, 0),
	TEST(device_that_is_closed_returns_its_pins, 0),
	TEST(device_can_be_opened_again_and_pin, 0),
	TEST(pin_is_charged_to_the_process_that_mapped, 0),
	TEST(page_of_a_dead_process_stays_pinned_but_no_other_is, 0),
	TEST(page_of_a_dead_process_is_given_back_at_unmap, 0),
	TEST(callback_may_wait_for_a_pin, 0),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
