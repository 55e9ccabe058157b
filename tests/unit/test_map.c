// SPDX-License-Identifier: GPL-2.0-only
/*
 * map and copy: what random sequences hardly meet.
 */
#include "lib_ioas.h"
#include "lib_run.h"

START_TEST(a_map_that_wraps_is_refused)
{
	ck_assert_int_eq(map_pages(ioas, -PAGE_SIZE, 2, 0), -EOVERFLOW);
	ck_assert_int_eq(map_pages(ioas, -PAGE_SIZE, 1, 0), 0);
}
END_TEST

static int map_type1(unsigned long iova, unsigned long max_areas)
{
	struct ioas_map map = {
		.rule = MAP_TYPE1, .uptr = SHIM_USER_BASE, .iova = iova, .nbytes = PAGE_SIZE,
		.iommu_prot = IOMMU_READ, .account_mode = ACCOUNT_TYPE1,
		.min_granule = PAGE_SIZE, .max_areas = max_areas,
	};
	int ret;

	ioas_enter(ioas);
	ret = ioas_map(ioas, &map);
	ioas_leave(ioas);
	return ret;
}

START_TEST(type1_says_overlap_before_number_before_reserved)
{
	static const int owner;

	ck_assert_int_eq(iova_reserve(&ioas->iova_space, 0, PAGE_SIZE - 1, &owner), 0);
	ck_assert_int_eq(map_type1(IOVA, 1), 0);
	ck_assert_int_eq(map_type1(IOVA, 1), -EEXIST);
	ck_assert_int_eq(map_type1(0, 1), -ENOSPC);
	ck_assert_int_eq(map_type1(0, 2), -EINVAL);
	ck_assert_int_eq(map_type1(2 * IOVA, 2), 0);
	iova_unreserve(&ioas->iova_space, &owner);
}
END_TEST

START_TEST(too_much_for_any_place_overflows)
{
	struct ioas_map map = {
		.rule = MAP_ANYWHERE, .uptr = PAGE_SIZE, .nbytes = ULONG_MAX / 2 + 1,
		.iommu_prot = IOMMU_READ, .min_granule = 1,
	};

	ioas_prepare_search(ioas);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_map(ioas, &map), -EOVERFLOW);
	ioas_leave(ioas);
}
END_TEST

/* The second piece cannot be pinned: the first one goes again. */
START_TEST(a_copy_of_several_pieces_is_all_or_nothing)
{
	struct ioas *to = ioas_create(&ctx);
	struct ioas_hwpt *hwpt;

	ioas_object_publish(&to->object);
	hwpt = add_domain(to, PAGE_SIZE);
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA + 5 * PAGE_SIZE, 5, 5), 0);
	process.mm.pages[7] = NULL;
	ck_assert_int_eq(copy_pages(ioas, IOVA, 10, to, IOVA), -EFAULT);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_ptr_null(hwpt->domain->mappings);
	ck_assert_uint_eq(to->iova_space.nareas, 0);
	ck_assert_int_eq(copy_pages(ioas, IOVA, 7, to, IOVA), 0);
	ck_assert_uint_eq(shim_npinned, 7);
}
END_TEST

START_TEST(a_copy_of_a_hole_is_refused)
{
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(copy_pages(ioas, IOVA, 6, ioas, 2 * IOVA), -ENOENT);
	ck_assert_uint_eq(ioas->iova_space.nareas, 1);
}
END_TEST

START_TEST(a_copy_outlives_what_it_was_copied_from)
{
	unsigned long unmapped;

	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(copy_pages(ioas, IOVA + PAGE_SIZE, 3, ioas, 2 * IOVA), 0);
	ck_assert_uint_eq(shim_npinned, 5);
	ck_assert_uint_eq(process.mm.locked_vm, 5);
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_uint_eq(shim_npinned, 3);
	ck_assert_uint_eq(process.mm.locked_vm, 3);
}
END_TEST

static int fixed_ret, type1_ret;

static void map_missing_memory(void *unused)
{
	current = &process.task;
	fixed_ret = map_pages(ioas, IOVA, 2, 20);
}

static void map_like_type1(void *unused)
{
	current = &process.task;
	type1_ret = map_type1(IOVA, 10);
}

START_TEST(type1_waits_for_a_map_that_may_fail)
{
	const struct shim_thread threads[] = { { map_missing_memory }, { map_like_type1 } };

	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	process.mm.pages[21] = NULL;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(fixed_ret == -EFAULT || fixed_ret == -EEXIST);
	expect(type1_ret == 0);
}
END_TEST

static unsigned long unmapped_npages;

static void map_some(void *unused)
{
	current = &process.task;
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
}

static void unmap_some(void *unused)
{
	current = &process.task;
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped_npages), 0);
}

START_TEST(an_unmap_takes_all_of_a_map_or_nothing)
{
	const struct shim_thread threads[] = { { map_some }, { unmap_some } };

	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(unmapped_npages == 0 || unmapped_npages == 5);
	expect(ioas->iova_space.nareas == !unmapped_npages);
	expect(shim_npinned == 5 - unmapped_npages);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("map");
	TCase *tcase = tcase_create("map");

	tcase_add_checked_fixture(tcase, make_ioas, end_ioas);
	tcase_add_test(tcase, a_map_that_wraps_is_refused);
	tcase_add_test(tcase, type1_says_overlap_before_number_before_reserved);
	tcase_add_test(tcase, too_much_for_any_place_overflows);
	tcase_add_test(tcase, a_copy_of_several_pieces_is_all_or_nothing);
	tcase_add_test(tcase, a_copy_of_a_hole_is_refused);
	tcase_add_test(tcase, a_copy_outlives_what_it_was_copied_from);
	tcase_add_loop_test(tcase, type1_waits_for_a_map_that_may_fail, 0, 20);
	tcase_add_loop_test(tcase, an_unmap_takes_all_of_a_map_or_nothing, 0, 20);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
