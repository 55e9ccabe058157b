// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_memory.c - calls that leave no kernel memory behind, also if they fail
 *
 * A call is repeated until a leak would be far larger than other changes of the machine's memory.
 * Kernels with kmemleak, or with KASAN, which keeps freed memory, are left out: kmemleak checks
 * each program there.
 */
#define _GNU_SOURCE
#include "lib_native.h"

#define NRANGES		4096U
#define NO_ID		1000U

static struct iommu_iova_range ranges[NRANGES];

/* A call that leaks would leave @nbytes. Caches grow in the first round only. */
static void check_leaves_nothing(int (*run)(void), int result, unsigned int ncalls, uint64_t nbytes)
{
	uint64_t before = 0;
	unsigned int round, i;

	if (debug_kernel())
		skip("kmemleak looks for leaks in this kernel, or it keeps what was freed");
	for (round = 0; round < 2; round++) {
		before = kernel_memory();
		for (i = 0; i < ncalls; i++)
			if (!check_eq(run(), result))
				return;
	}
	check_true((int64_t)(kernel_memory() - before) < (int64_t)(ncalls * nbytes / 2));
}

static int allow(void)
{
	return ioas_allow(rig.fd, rig.ioas, ranges, NRANGES);
}

static void fill_ranges(void)
{
	unsigned int i;

	for (i = 0; i < NRANGES; i++) {
		ranges[i].start = rig_page(2 * i);
		ranges[i].last = rig_page(2 * i + 1) - 1;
	}
}

RIG_TEST_WITH(0, list_that_is_wrong_leaves_nothing)
{
	fill_ranges();
	ranges[NRANGES - 1].last = ranges[NRANGES - 1].start;
	check_leaves_nothing(allow, -EINVAL, 200, sizeof(ranges));
}

RIG_TEST_WITH(0, list_that_overlaps_leaves_nothing)
{
	fill_ranges();
	ranges[1] = ranges[0];
	check_leaves_nothing(allow, -EINVAL, 200, sizeof(ranges));
}

static int ask_for_ranges(void)
{
	struct ranges few;

	return ioas_ranges(rig.fd, rig.ioas, 0, &few);
}

RIG_TEST_WITH(0, question_for_ranges_leaves_nothing)
{
	unsigned int i;

	for (i = 0; i < 255; i++)
		require_eq(add_reserved(rig.fd, rig.ioas, rig_page(2 * i + 1), PAGE), 0);
	check_leaves_nothing(ask_for_ranges, -EMSGSIZE, 2000,
			     256 * sizeof(struct iommu_iova_range));
}

static int open_and_close(void)
{
	return or_errno(close(native_open()));
}

static void file_that_is_closed_leaves_nothing(void)
{
	check_leaves_nothing(open_and_close, 0, 10000, 256);
}

static int copy_to_nowhere(void)
{
	const struct iova_of to = { NO_ID, 0 };
	const struct iova_of from = { rig.ioas, 0 };

	return ioas_copy(rig.fd, to, from, PAGE, IOAS_RW);
}

RIG_TEST_WITH(0, copy_to_nowhere_leaves_nothing)
{
	require_eq(rig_map(0, rig.buffer, PAGE), 0);
	check_leaves_nothing(copy_to_nowhere, -ENOENT, 20000, 128);
}

static const struct test tests[] = {
	TEST(list_that_is_wrong_leaves_nothing, 0),
	TEST(list_that_overlaps_leaves_nothing, 0),
	TEST(question_for_ranges_leaves_nothing, 0),
	TEST(file_that_is_closed_leaves_nothing, 0),
	TEST(copy_to_nowhere_leaves_nothing, 0),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
