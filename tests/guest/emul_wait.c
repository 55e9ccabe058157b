// SPDX-License-Identifier: GPL-2.0-only
/*
 * emul_wait.c - an unmap beside calls of emulated devices that are under way
 *
 * The unmap waits for calls that are there, not for later ones. It does not blame a driver for pins
 * whose call has not returned yet. A call is held up by memory that is not there; see lib_late.h.
 */
#define _GNU_SOURCE
#include "lib_call.h"
#include "lib_emulated.h"
#include "lib_late.h"

#include <signal.h>
#include <sys/wait.h>

#define NPAGES		8U	/* of the mapping at IOVA 0 */
#define LATE_PAGE	NPAGES	/* the page behind it, whose memory is not there */

static long long unmap_all_pages(void)
{
	return emul_unmap(0, NPAGES);
}

/* --- the setup: two mappings, the second one of late memory */

static struct late_memory late;

static void open_late(void)
{
	late_memory_make(&late);
	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, NPAGES, RW), 0);
	require_eq(dma_map(emul.container, LATE_PAGE * PAGE, late.memory, PAGE, RW), 0);
}

static void close_late(void)
{
	check_true(dma_unmap_all(emul.container) >= 0);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
	late_memory_free(&late);
}

/* --- pins */

static long long pin_last_and_late(void)
{
	return emul_pin(NPAGES - 1, 2, RW);
}

static void unmap_waits_for_a_pin_that_is_under_way(void)
{
	struct call pin = { .function = pin_last_and_late };
	struct call unmap = { .function = unmap_all_pages };

	need_pins_that_wait();
	open_late();
	emulated_behave(emul.device, 0, EMULATED_NOTES_LATER);
	call_start(&pin);
	late_memory_wanted(&late);
	/* Page 7 has its pin, and no call uses its mapping any more. */
	call_start(&unmap);
	check_waits(&unmap);
	check_eq(ncallbacks_of(emul.device), 0);
	late_memory_release(&late);
	call_end(&pin);
	call_end(&unmap);
	check_eq(pin.result, 2);
	check_eq(unmap.result, NPAGES);
	check_eq(npins_of(emul.device), 1);
	close_late();
}

static long long pin_half(void)
{
	return emul_pin(0, NPAGES / 2, RW);
}

static bool has_unnoted_pins(void *unused)
{
	(void)unused;
	return emulated_info(emul.device).nunnoted;
}

static void unmap_gives_a_driver_time_to_note_its_pins(void)
{
	struct call pin = { .function = pin_half };

	emul_open(VFIO_TYPE1v2_IOMMU);
	require_eq(emul_map(0, NPAGES, RW), 0);
	emulated_behave(emul.device, 0, EMULATED_NOTES_LATER);
	call_start(&pin);
	require_true(wait_until(has_unnoted_pins, NULL, SECONDS));
	check_eq(emul_unmap(0, NPAGES), NPAGES);
	call_end(&pin);
	check_eq(pin.result, NPAGES / 2);
	check_eq(npins_of(emul.device), 0);
	check_eq(vm_lck_kib(0), 0);
	emul_close();
}

static int other_device;

static long long pin_late_by_other(void)
{
	return emulated_pin(other_device, LATE_PAGE * PAGE, 1, RW);
}

static long long close_first_device(void)
{
	return or_errno(close(emul.device));
}

/* The device gets no more callbacks, and the pins that it kept are not yet taken from it. */
static void unmap_waits_for_a_device_that_is_being_closed(void)
{
	struct call pin = { .function = pin_late_by_other };
	struct call closing = { .function = close_first_device };
	struct call unmap = { .function = unmap_all_pages };
	int other_group;

	need_pins_that_wait();
	open_late();
	other_group = emulated_group_add(emul.container, EMULATED_1);
	other_device = emulated_device_open(other_group, EMULATED_1);
	require_eq(emul_pin(0, NPAGES, RW), NPAGES);
	emulated_behave(emul.device, 0, EMULATED_KEEPS_ON_CLOSE);
	call_start(&pin);
	late_memory_wanted(&late);
	call_start(&closing);
	check_waits(&closing);
	call_start(&unmap);
	check_waits(&unmap);
	late_memory_release(&late);
	call_end(&pin);
	call_end(&closing);
	call_end(&unmap);
	emul.device = -1;
	check_eq(pin.result, 1);
	check_eq(closing.result, 0);
	check_eq(unmap.result, NPAGES);
	require_eq(or_errno(close(other_device)), 0);
	emulated_group_remove(other_group);
	close_late();
}

/* --- calls that use a mapping only while they run */

static long long read_late(void)
{
	uint8_t byte;

	return emulated_rw(emul.device, LATE_PAGE * PAGE, &byte, 1, 0);
}

static long long unmap_late(void)
{
	return emul_unmap(LATE_PAGE, 1);
}

static void unmap_is_not_held_up_by_calls_that_come_later(void)
{
	struct call reading = { .function = read_late };
	struct call unmap = { .function = unmap_late };
	struct call reading_later = { .function = read_late };

	open_late();
	call_start(&reading);
	late_memory_wanted(&late);
	call_start(&unmap);
	check_waits(&unmap);
	call_start(&reading_later);
	check_waits(&reading_later);
	late_memory_release(&late);
	call_end(&reading);
	call_end(&unmap);
	call_end(&reading_later);
	check_eq(reading.result, 0);
	check_eq(unmap.result, 1);
	/* This call came after the unmap. */
	check_eq(reading_later.result, -EINVAL);
	close_late();
}

static void unmap_in_child(void *unused)
{
	(void)unused;
	unmap_late();
}

static bool process_waits(void *arg)
{
	const pid_t *pid = arg;
	char path[64], text[512];
	const char *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", *pid);
	if (read_text(path, text, sizeof(text)))
		return false;
	state = strrchr(text, ')');
	return state && !strncmp(state, ") D", 3);
}

static bool process_is_dead(void *arg)
{
	const pid_t *pid = arg;
	int status;

	return waitpid(*pid, &status, WNOHANG) == *pid;
}

static void process_that_waits_to_unmap_can_be_killed(void)
{
	struct call reading = { .function = read_late };
	pid_t pid;

	open_late();
	call_start(&reading);
	late_memory_wanted(&late);
	pid = spawn(unmap_in_child, NULL);
	require_true(wait_until(process_waits, &pid, SECONDS));
	require_eq(or_errno(kill(pid, SIGKILL)), 0);
	check_true(wait_until(process_is_dead, &pid, SECONDS));
	check_true(!reading.over);
	late_memory_release(&late);
	call_end(&reading);
	check_eq(reading.result, 0);
	/* The unmap that was killed has changed nothing. */
	check_eq(emul_pin(LATE_PAGE, 1, RW), 1);
	check_eq(emul_unpin(LATE_PAGE, 1), 0);
	check_eq(unmap_late(), 1);
	close_late();
}

static const struct test tests[] = {
	TEST(unmap_waits_for_a_pin_that_is_under_way, ONLY_IOAS),
	TEST(unmap_gives_a_driver_time_to_note_its_pins, ONLY_IOAS),
	TEST(unmap_waits_for_a_device_that_is_being_closed, ONLY_IOAS),
	TEST(unmap_is_not_held_up_by_calls_that_come_later, ONLY_IOAS),
	TEST(process_that_waits_to_unmap_can_be_killed, ONLY_IOAS),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
