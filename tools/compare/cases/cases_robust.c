// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases_robust.c - calls that stock type1 may not survive (docs/type1.md, 13.15)
 *
 * Most of these cases run only on ours, and judge for themselves.
 */
#define _GNU_SOURCE
#include "calls.h"
#include "case_groups.h"
#include "compare/op/memory.h"
#include "compare/op/modules.h"
#include "compare/op/setup.h"
#include "compare/op/transcript.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define STORM_CALLS	2000U
#define NMOVES		40U

static atomic_int storm_is_over;
static atomic_int nunexpected;
static atomic_int nsuccessful;

static int raw_map(uint64_t iova, const void *memory, uint64_t nbytes)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = RW,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = nbytes,
	};

	return vfio_call(current_container(), VFIO_IOMMU_MAP_DMA,
			 (unsigned long)&map);
}

static int raw_unmap(uint64_t iova, uint64_t nbytes)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = nbytes,
	};

	return vfio_call(current_container(), VFIO_IOMMU_UNMAP_DMA,
			 (unsigned long)&unmap);
}

static void count(int result)
{
	if (!result)
		atomic_fetch_add(&nsuccessful, 1);
	else if (result != -EINVAL)
		atomic_fetch_add(&nunexpected, 1);
}

static void *storm(void *argument)
{
	while (!atomic_load(&storm_is_over)) {
		count(raw_map(0, buf, 4 * PAGE));
		mappings_left(current_container());
		count(raw_unmap(0, 4 * PAGE));
	}
	return argument;
}

/* A container without a group returns EINVAL. No other error is allowed: each move works. */
static void groups_come_and_go_in_a_storm_of_calls(void)
{
	unsigned int nfailed = 0, i;
	pthread_t thread;
	int container;

	setup_p();
	container = current_container();
	pthread_create(&thread, NULL, storm, NULL);
	for (i = 0; i < NMOVES || atomic_load(&nsuccessful) < (int)NMOVES; i++) {
		nfailed += vfio_call(setup.group[A], VFIO_GROUP_UNSET_CONTAINER, 0) != 0;
		nfailed += vfio_call(setup.group[A], VFIO_GROUP_SET_CONTAINER,
				     (unsigned long)&container) != 0;
		nfailed += vfio_call(container, VFIO_SET_IOMMU, V2) != 0;
	}
	atomic_store(&storm_is_over, 1);
	pthread_join(thread, NULL);
	expect(!nfailed, "the group leaves and joins each time");
	expect(!atomic_load(&nunexpected), "calls fail with EINVAL only");
	raw_unmap(0, 4 * PAGE);
	expect(raw_map(0, buf, 4 * PAGE) == 0, "then a map works");
	expect(raw_unmap(0, 4 * PAGE) == 0, "and an unmap");
	expect(locked_kib() == 0, "nothing is charged any more");
}

static void stubborn_device_never_answers(void)
{
	setup_e();
	map(0, 4, RW);
	pin(E, 0, 2, 3);
	behave(E, UINT32_MAX, 0);
	expect(raw_unmap(0, 4 * PAGE) == -EDEADLK, "UNMAP gives up: EDEADLK");
	expect(mappings_left(current_container()) == 65534, "the mapping stays");
	expect(locked_kib() == 8, "as do its charges");
	behave(E, 0, 0);
	expect(raw_unmap(0, 4 * PAGE) == 0, "once the device answers it can be unmapped");
	expect(mappings_left(current_container()) == 65535, "then it is gone");
	expect(locked_kib() == 0, "nothing is charged any more");
}

static void stubborn_device_pins_again_from_its_callback(void)
{
	setup_e();
	map(0, 4, RW);
	behave(E, 0, 2);
	pin(E, 0, 1, 3);
	expect(raw_unmap(0, 4 * PAGE) == 0, "UNMAP works");
	expect(mappings_left(current_container()) == 65535, "the mapping is gone");
	expect(locked_kib() == 0, "nothing is charged any more");
	behave(E, 0, 0);
}

static void stubborn_device_keeps_its_pins(void)
{
	setup_e();
	map(0, 4, RW);
	pin(E, 0, 2, 3);
	behave(E, 0, 1);
	close_device(E);
	expect(raw_unmap(0, 4 * PAGE) == 0, "UNMAP works");
	leave(E);
	expect(locked_kib() == 0, "nothing is charged any more");
}

static void *remap(void *argument)
{
	while (!atomic_load(&storm_is_over)) {
		raw_map(0, buf, 64 * PAGE);
		raw_unmap(0, 64 * PAGE);
	}
	return argument;
}

static int raw_get(uint64_t *words)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		struct vfio_iommu_type1_dirty_bitmap_get get;
	} call = {
		.head.argsz = sizeof(call),
		.head.flags = DIRTY_GET,
		.get.size = 64 * PAGE,
		.get.bitmap = { .pgsize = PAGE, .size = 8, .data = (void *)words },
	};

	return vfio_call(current_container(), VFIO_IOMMU_DIRTY_PAGES,
			 (unsigned long)&call);
}

static void reports_of_mappings_that_come_and_go(void)
{
	bool only_expected = true, has_seen_all = false;
	pthread_t thread;
	unsigned int i;

	setup_p();
	dirty(DIRTY_START);
	pthread_create(&thread, NULL, remap, NULL);
	for (i = 0; i < STORM_CALLS || !has_seen_all; i++) {
		uint64_t words = 0;
		int result = raw_get(&words);

		if (result || (words != 0 && words != UINT64_MAX))
			only_expected = false;
		has_seen_all = has_seen_all || words;
	}
	atomic_store(&storm_is_over, 1);
	pthread_join(thread, NULL);
	expect(only_expected, "each report is of all pages or of none");
	raw_unmap(0, 64 * PAGE);
	expect(locked_kib() == 0, "nothing is charged any more");
}

/* --- memory whose pages another thread provides, which makes a container call first */

static int fault_fd;
static int over_fd;	/* signals that no more faults come */

static int open_faults(void *memory, uint64_t nbytes)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = {
		.range = { .start = (uintptr_t)memory, .len = nbytes },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	fault_fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (fault_fd < 0 || ioctl(fault_fd, UFFDIO_API, &api))
		return -1;
	return ioctl(fault_fd, UFFDIO_REGISTER, &area);
}

static void *serve_faults(void *argument)
{
	struct pollfd poll_for[] = {
		{ .fd = fault_fd, .events = POLLIN },
		{ .fd = over_fd, .events = POLLIN },
	};
	struct uffd_msg message;

	while (poll(poll_for, 2, -1) > 0 && !poll_for[1].revents) {
		struct uffdio_zeropage zero = { .range.len = PAGE };

		if (read(fault_fd, &message, sizeof(message)) < 0)
			continue;
		/* A call on the container that is not waiting for the fault. */
		mappings_left(setup.container[1]);
		zero.range.start = message.arg.pagefault.address & ~(PAGE - 1);
		ioctl(fault_fd, UFFDIO_ZEROPAGE, &zero);
	}
	return argument;
}

/* Runs @use with 8 such pages. Container 0 is set up; container 1 is the other one. */
static void with_lazy_memory(void (*use)(uint8_t *lazy))
{
	pthread_t thread;
	uint8_t *lazy;

	open_container(1);
	open_group(B);
	join(B);
	set_iommu(V2);
	use_container(0);
	lazy = memory("lazy", 8 * PAGE, MEMORY_ANON, PROT_R | PROT_W);
	if (open_faults(lazy, 8 * PAGE))
		skip("no userfaultfd");
	over_fd = eventfd(0, EFD_CLOEXEC);
	pthread_create(&thread, NULL, serve_faults, NULL);
	use(lazy);
	eventfd_write(over_fd, 1);
	pthread_join(thread, NULL);
}

static void map_lazy(uint8_t *lazy)
{
	map_at(0, 8 * PAGE, lazy, RW);
	unmap(0, 8 * PAGE);
}

static void memory_that_is_paged_in_by_the_process(void)
{
	setup_p();
	with_lazy_memory(map_lazy);
}

static void pin_lazy(uint8_t *lazy)
{
	map_at(0, 8 * PAGE, lazy, RW);
	pin(E, 0, 1, 3);
	unmap(0, 8 * PAGE);
}

static void pin_of_memory_that_is_paged_in_by_the_process(void)
{
	setup_e();
	with_lazy_memory(pin_lazy);
}

static void join_with_lazy(uint8_t *lazy)
{
	map_at(0, 8 * PAGE, lazy, RW);
	open_group(A);
	join(A);
	unmap(0, 8 * PAGE);
}

static void late_attach_with_memory_that_is_paged_in_by_the_process(void)
{
	setup_e();
	with_lazy_memory(join_with_lazy);
}

#define FAIL_PATH	"/sys/kernel/debug/failslab/"

static bool set_failslab(const char *name, const char *value)
{
	char path[96];
	int fd;
	bool well;

	snprintf(path, sizeof(path), FAIL_PATH "%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	well = fd >= 0 && write(fd, value, strlen(value)) > 0;
	if (fd >= 0)
		close(fd);
	return well;
}

/* Makes the n-th next allocation of this process fail; 0: none. */
static bool fail_nth(unsigned int n)
{
	char number[16];
	int fd = open("/proc/self/fail-nth", O_WRONLY | O_CLOEXEC);
	bool well;

	snprintf(number, sizeof(number), "%u", n);
	well = fd >= 0 && write(fd, number, strlen(number)) > 0;
	if (fd >= 0)
		close(fd);
	return well;
}

static void allocations_fail_while_memory_is_mapped(void)
{
	bool only_expected = true;
	unsigned int nfailed = 0, nworked = 0, n;

	if (!set_failslab("ignore-gfp-wait", "N") || !fail_nth(0))
		skip("this kernel injects no faults");
	setup_p();
	for (n = 1; n < 64; n++) {
		int result;

		fail_nth(n);
		result = raw_map(0, buf, 64 * PAGE);
		fail_nth(0);
		if (result && result != -ENOMEM && result != -EFAULT)
			only_expected = false;
		if (result && (locked_kib() ||
			       mappings_left(current_container()) != 65535))
			only_expected = false;
		nfailed += result != 0;
		nworked += !result && !raw_unmap(0, 64 * PAGE);
	}
	expect(only_expected, "a map that fails leaves no trace");
	expect(nfailed && nworked && nfailed + nworked == 63,
	       "some fail, the others work and can be unmapped");
}

static void module_stays_while_it_is_used(void)
{
	setup_p();
	expect(module_users(OURS) > 0, "the module has users");
	expect(syscall(SYS_delete_module, backend_modules[OURS], O_NONBLOCK) < 0 &&
	       errno == EAGAIN, "it cannot be unloaded: EAGAIN");
}

static const struct test_case cases[] = {
	CASE(groups_come_and_go_in_a_storm_of_calls, "219",
	     NEEDS_A | NEEDS_ALONE | ONLY_IOAS,
	     "UNSET_CONTAINER while another thread maps and unmaps"),
	CASE(stubborn_device_never_answers, "220", NEEDS_E | ONLY_IOAS,
	     "UNMAP of pages that a device does not give back"),
	CASE(stubborn_device_pins_again_from_its_callback, "184", NEEDS_E | ONLY_IOAS,
	     "UNMAP of pages that a device pins again from its callback"),
	CASE(stubborn_device_keeps_its_pins, "221", NEEDS_E | ONLY_IOAS,
	     "a device that is closed with its pins"),
	CASE(reports_of_mappings_that_come_and_go, "222", ABOUT_DIRTY | NEEDS_A | ONLY_IOAS,
	     "GET_BITMAP while another thread maps and unmaps"),
	CASE(memory_that_is_paged_in_by_the_process, "223",
	     NEEDS_A | NEEDS_B, "userfaultfd, whose thread asks another container"),
	CASE(pin_of_memory_that_is_paged_in_by_the_process, "",
	     NEEDS_B | NEEDS_E, "the same, where a driver pins"),
	CASE(late_attach_with_memory_that_is_paged_in_by_the_process, "",
	     NEEDS_A | NEEDS_B | NEEDS_E, "the same, where a PCI group joins"),
	CASE(allocations_fail_while_memory_is_mapped, "224",
	     NEEDS_A | ONLY_IOAS, "MAP without memory in the kernel"),
	CASE(module_stays_while_it_is_used, "225", NEEDS_A | ONLY_IOAS,
	     "rmmod with a container in use"),
};

const struct case_group case_group_robust = CASE_GROUP("robust", cases);
