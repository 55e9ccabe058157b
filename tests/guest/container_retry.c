// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_retry.c - an attach that failed for lack of memory, tried again once there is some
 *
 * A device must never see anything but the memory of the process, whatever failed before.
 */
#define _GNU_SOURCE
#include "lib_native.h"

#define TORN_IOVA	(16 * HUGE_BYTES)
#define TORN_PAGES	(HUGE_BYTES / PAGE)
#define PROBE_IOVA	(24 * HUGE_BYTES)

static struct rig vfio;
static uint8_t *torn;
static long long npinned;
static int second;		/* group of the second device */

/* A container with a group. It selects another IOAS, whose memory lacks a page. */
static void open_retry(unsigned int missing)
{
	uint32_t ioas;

	rig_open(&vfio, VFIO_TYPE1v2_IOMMU, 1);
	torn = mem_alloc_torn(missing);
	npinned = pins_outstanding();
	ioas = ioas_alloc(vfio.container);
	require_eq(ioas_map(vfio.container, ioas, TORN_IOVA, torn, HUGE_BYTES, IOAS_RW), 0);
	require_eq(vfio_ioas_set(vfio.container, ioas), 0);
	second = group_open(1);
	require_true(second >= 0);
	expect_in_log("cannot attach: error");
}

static void check_attach_fails(void)
{
	check_eq(group_set_container(second, vfio.container), -EFAULT);
	check_eq(pins_outstanding(), npinned);
	check_eq(vm_lck_kib(0), 0);
}

static void close_retry(void)
{
	check_eq(dma_unmap(vfio.container, TORN_IOVA, HUGE_BYTES), HUGE_BYTES);
	check_eq(pins_outstanding(), npinned);
	check_eq(group_unset_container(second), 0);
	require_eq(or_errno(close(second)), 0);
	rig_close(&vfio);
	mem_free(torn, HUGE_BYTES);
}

/* Attaches the second group and checks the memory that its device sees. */
static void check_device(void)
{
	struct probe probe;
	struct edu edu;

	fill(torn, HUGE_BYTES, 1);
	require_eq(group_set_container(second, vfio.container), 0);
	edu_open(&edu, second, 1);
	probe_open(&probe, &edu, vfio.container, PROBE_IOVA);
	check_reads(&edu, &probe, TORN_IOVA, torn, HUGE_BYTES);
	/* The device may write only if its reads were right. */
	if (!failures())
		check_copy(&edu, torn, TORN_IOVA, torn + (TORN_PAGES - 1) * PAGE,
			   TORN_IOVA + (TORN_PAGES - 1) * PAGE);
	probe_close(&probe);
	edu_close(&edu);
}

static void check_retries(unsigned int missing, unsigned int ntimes)
{
	unsigned int i;

	open_retry(missing);
	for (i = 0; i < ntimes; i++)
		check_attach_fails();
	if (!mem_mend(torn))
		skip("no huge page");
	check_device();
	close_retry();
}

static void device_sees_only_the_memory_after_an_attach_that_failed(void)
{
	check_retries(2, 1);
}

static void device_sees_only_the_memory_after_several_attaches_that_failed(void)
{
	check_retries(TORN_PAGES - 1, 3);
}

static const struct test tests[] = {
	TEST(device_sees_only_the_memory_after_an_attach_that_failed, ONLY_IOAS | NEEDS_TWO),
	TEST(device_sees_only_the_memory_after_several_attaches_that_failed,
	     ONLY_IOAS | NEEDS_TWO),
};

int main(int argc, char **argv)
{
	return run_tests(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
