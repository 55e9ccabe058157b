// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_wait.c - native calls beside an attach, which has the IOAS to itself: they wait; and a map
 * beside a map that waits for memory: it does not wait
 *
 * A call is held up by memory that is not there; see lib_late.h.
 */
#define _GNU_SOURCE
#include "lib_call.h"
#include "lib_late.h"
#include "lib_native.h"

static struct late_memory late;

/* --- beside a device that is being attached, which pins the late memory */

#define LATE_IOVA	MOCK_APERTURE_START
#define PAGE_IOVA	(LATE_IOVA + PAGE)

static struct mock late_mock;
static uint32_t other_ioas;

static long long attach(void)
{
	return mock_attach(rig.fd, rig.ioas, &late_mock);
}

static long long ask_for_alignment(void)
{
	struct ranges ranges;
	int ret = ioas_ranges(rig.fd, rig.ioas, MAX_RANGES, &ranges);

	return ret ? ret : (long long)ranges.alignment;
}

static long long ask_for_coherency(void)
{
	return vfio_call(rig.fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU);
}

static long long allow_what_is_mapped(void)
{
	const struct iommu_iova_range range = { LATE_IOVA, LATE_IOVA + 0xffff };

	return ioas_allow(rig.fd, rig.ioas, &range, 1);
}

static long long unmap_page(void)
{
	return rig_unmap(PAGE_IOVA, PAGE);
}

static long long unmap_all(void)
{
	return ioas_unmap_all(rig.fd, rig.ioas);
}

/* Copies to another IOAS. Within one, the second half of the copy would wait, too. */
static long long copy_page(void)
{
	const struct iova_of to = { other_ioas, 0 };
	const struct iova_of from = { rig.ioas, PAGE_IOVA };

	return ioas_copy(rig.fd, to, from, PAGE, IOAS_RW);
}

static void check_waits_for_attach(long long (*function)(void), long long result)
{
	struct call attaching = { .function = attach };
	struct call call = { .function = function };

	need_pins_that_wait();
	late_memory_make(&late);
	other_ioas = ioas_alloc(rig.fd);
	require_eq(rig_map(LATE_IOVA, late.memory, PAGE), 0);
	require_eq(rig_map(PAGE_IOVA, rig.buffer, PAGE), 0);
	call_start(&attaching);
	late_memory_wanted(&late);
	call_start(&call);
	check_waits(&call);
	late_memory_release(&late);
	call_end(&attaching);
	call_end(&call);
	check_eq(attaching.result, 0);
	check_eq(call.result, result);
	check_eq(object_destroy(rig.fd, late_mock.device), 0);
	check_true(ioas_unmap_all(rig.fd, other_ioas) >= 0);
	check_true(ioas_unmap_all(rig.fd, rig.ioas) >= 0);
	late_memory_free(&late);
}

RIG_TEST_WITH(0, iova_ranges_waits_for_an_attach_under_way)
{
	check_waits_for_attach(ask_for_alignment, MOCK_IO_PAGE);
}

RIG_TEST_WITH(0, question_for_coherency_waits_for_a_device_that_comes)
{
	require_eq(vfio_ioas_set(rig.fd, rig.ioas), 0);
	check_waits_for_attach(ask_for_coherency, 0);
}

RIG_TEST_WITH(0, list_of_allowed_ranges_waits_for_a_device_that_comes)
{
	check_waits_for_attach(allow_what_is_mapped, 0);
}

RIG_TEST_WITH(0, unmap_waits_for_a_device_that_comes)
{
	check_waits_for_attach(unmap_page, PAGE);
}

RIG_TEST_WITH(0, unmap_of_everything_waits_for_a_device_that_comes)
{
	check_waits_for_attach(unmap_all, 2 * PAGE);
}

RIG_TEST_WITH(0, copy_waits_for_a_device_that_comes_to_its_source)
{
	check_waits_for_attach(copy_page, 0);
}

/* --- beside a map of the late memory */

static long long map_late(void)
{
	return dma_map(rig.fd, rig_page(0), late.memory, PAGE, RW);
}

static long long map_fixed(void)
{
	return rig_map(rig_page(16), rig.buffer, PAGE);
}

/*
 * The map under way is a container's, so that the other map is the first native one of the IOAS.
 * That one must not wait to be alone in the IOAS, either.
 */
RIG_TEST_WITH(1, map_at_a_fixed_iova_waits_for_no_map_under_way)
{
	struct call slow = { .function = map_late };
	struct call quick = { .function = map_fixed };

	need_pins_that_wait();
	late_memory_make(&late);
	require_eq(vfio_ioas_set(rig.fd, rig.ioas), 0);
	call_start(&slow);
	late_memory_wanted(&late);
	call_start(&quick);
	check_true(wait_until(call_is_over, &quick, SECONDS));
	late_memory_release(&late);
	call_end(&slow);
	call_end(&quick);
	check_eq(slow.result, 0);
	check_eq(quick.result, 0);
	check_eq(ioas_unmap_all(rig.fd, rig.ioas), 2 * PAGE);
	late_memory_free(&late);
}

static const struct test tests[] = {
	TEST(iova_ranges_waits_for_an_attach_under_way, 0),
	TEST(question_for_coherency_waits_for_a_device_that_comes, 0),
	TEST(list_of_allowed_ranges_waits_for_a_device_that_comes, 0),
	TEST(unmap_waits_for_a_device_that_comes, 0),
	TEST(unmap_of_everything_waits_for_a_device_that_comes, 0),
	TEST(copy_waits_for_a_device_that_comes_to_its_source, 0),
	TEST(map_at_a_fixed_iova_waits_for_no_map_under_way, 0),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
