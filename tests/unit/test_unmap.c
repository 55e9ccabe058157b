// SPDX-License-Identifier: GPL-2.0-only
/*
 * unmap: which areas each rule removes, and which ones stay if a watch refuses to let them go.
 */
#include "lib_ioas.h"
#include "lib_run.h"

/* Maps areas of 2, 4 and 2 pages, side by side, in an IOAS with a domain. */
static void make_three(void)
{
	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	ck_assert_int_eq(map_pages(ioas, IOVA, 2, 0), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA + 2 * PAGE_SIZE, 4, 2), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA + 6 * PAGE_SIZE, 2, 6), 0);
}

/* Unmaps pages @first to @first + @npages - 1. Returns how many were unmapped, or -errno. */
static int unmap(unsigned long first, unsigned long npages, enum ioas_unmap_rule rule)
{
	unsigned long unmapped;
	int ret;

	ret = unmap_pages(ioas, IOVA + first * PAGE_SIZE, npages, rule, &unmapped);
	ck_assert_uint_eq(shim_npinned, process.mm.locked_vm);
	return ret ? ret : (int)unmapped;
}

START_TEST(whole_areas_are_unmapped_or_none)
{
	make_three();
	ck_assert_int_eq(unmap(1, 2, UNMAP_WHOLE), -EINVAL);
	ck_assert_int_eq(unmap(0, 3, UNMAP_WHOLE), -EINVAL);
	ck_assert_int_eq(unmap(1, 5, UNMAP_WHOLE), -EINVAL);
	ck_assert_uint_eq(ioas->iova_space.nareas, 3);
	ck_assert_int_eq(unmap(2, 4, UNMAP_WHOLE), 4);
	ck_assert_int_eq(unmap(0, 8, UNMAP_WHOLE), 4);
}
END_TEST

START_TEST(areas_that_begin_in_a_range_are_unmapped_unless_one_began_before)
{
	make_three();
	ck_assert_int_eq(unmap(1, 5, UNMAP_STARTING), 0);
	ck_assert_uint_eq(ioas->iova_space.nareas, 3);
	ck_assert_int_eq(unmap(2, 3, UNMAP_STARTING), 4);
	ck_assert_int_eq(unmap(0, 1, UNMAP_STARTING), 2);
}
END_TEST

START_TEST(areas_are_unmapped_upward_until_one_does_not_fit)
{
	make_three();
	ck_assert_int_eq(unmap(1, 5, UNMAP_UPWARD), -ENOENT);
	ck_assert_uint_eq(ioas->iova_space.nareas, 3);
	ck_assert_int_eq(unmap(0, 5, UNMAP_UPWARD), -ENOENT);
	ck_assert_uint_eq(ioas->iova_space.nareas, 2);
	ck_assert_int_eq(unmap(0, 8, UNMAP_UPWARD), 6);
}
END_TEST

START_TEST(an_empty_range_is_unmapped)
{
	make_three();
	ck_assert_int_eq(unmap(8, 8, _i), 0);
	ck_assert_uint_eq(ioas->iova_space.nareas, 3);
}
END_TEST

START_TEST(more_areas_than_are_taken_over_at_once_are_unmapped)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);
	unsigned long i, unmapped;

	for (i = 0; i < 600; i++)
		ck_assert_int_eq(map_pages(ioas, IOVA + i * PAGE_SIZE, 1, i), 0);
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 600, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_uint_eq(unmapped, 600);
	ck_assert_uint_eq(ioas->iova_space.nareas, 0);
	ck_assert_ptr_null(hwpt->mirror.domain->mappings);
}
END_TEST

/* A watch that lets @nleft areas go, and then refuses. */
struct doorman {
	struct ioas_unmap_watch watch;
	unsigned int nleft;
	unsigned long last_iova;	/* of the last area so far */
};

static int see_off(struct ioas_unmap_watch *watch, struct ioas_area *area)
{
	struct doorman *doorman = container_of(watch, struct doorman, watch);

	ck_assert(!area_is_live(area));
	ck_assert_uint_gt(area->last_iova, doorman->last_iova);
	doorman->last_iova = area->last_iova;
	return doorman->nleft-- ? 0 : -EFAULT;
}

static int unmap_range_watched(unsigned long last_iova, enum ioas_unmap_rule rule,
			       unsigned int nleft, unsigned long *unmapped)
{
	struct doorman doorman = { .watch.leaving = see_off, .nleft = nleft };
	int ret;

	ioas_enter(ioas);
	ret = ioas_unmap_watched(ioas, 0, last_iova, rule, &doorman.watch, unmapped);
	ioas_leave(ioas);
	ck_assert_uint_eq(shim_npinned, process.mm.locked_vm);
	return ret;
}

static int unmap_watched(unsigned int nleft, unsigned long *unmapped)
{
	return unmap_range_watched(ULONG_MAX, UNMAP_WHOLE, nleft, unmapped);
}

START_TEST(an_area_that_has_to_stay_stays_with_those_above)
{
	unsigned long unmapped;

	make_three();
	ck_assert_int_eq(unmap_watched(1, &unmapped), -EFAULT);
	ck_assert_uint_eq(unmapped, 2 * PAGE_SIZE);
	ck_assert_uint_eq(ioas->iova_space.nareas, 2);
	ck_assert_uint_eq(shim_npinned, 6);
	ck_assert_int_eq(unmap_watched(0, &unmapped), -EFAULT);
	ck_assert_uint_eq(unmapped, 0);
	ck_assert_int_eq(unmap_watched(2, &unmapped), 0);
	ck_assert_uint_eq(unmapped, 6 * PAGE_SIZE);
}
END_TEST

START_TEST(an_area_that_does_not_fit_is_an_error_when_those_below_have_left)
{
	unsigned long unmapped;

	make_three();
	ck_assert_int_eq(unmap_range_watched(IOVA + 3 * PAGE_SIZE - 1, UNMAP_UPWARD, 1, &unmapped),
			 -ENOENT);
	ck_assert_uint_eq(unmapped, 2 * PAGE_SIZE);
	ck_assert_uint_eq(ioas->iova_space.nareas, 2);
}
END_TEST

START_TEST(each_of_many_areas_is_seen_once)
{
	unsigned long i, unmapped;

	for (i = 0; i < 600; i++)
		ck_assert_int_eq(map_pages(ioas, IOVA + i * PAGE_SIZE, 1, i), 0);
	ck_assert_int_eq(unmap_watched(400, &unmapped), -EFAULT);
	ck_assert_uint_eq(unmapped, 400 * PAGE_SIZE);
	ck_assert_uint_eq(ioas->iova_space.nareas, 200);
	ck_assert_int_eq(unmap_watched(200, &unmapped), 0);
	ck_assert_uint_eq(ioas->iova_space.nareas, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unmap");
	TCase *tcase = tcase_create("unmap");

	tcase_add_checked_fixture(tcase, make_ioas, end_ioas);
	tcase_add_test(tcase, whole_areas_are_unmapped_or_none);
	tcase_add_test(tcase, areas_that_begin_in_a_range_are_unmapped_unless_one_began_before);
	tcase_add_test(tcase, areas_are_unmapped_upward_until_one_does_not_fit);
	tcase_add_loop_test(tcase, an_empty_range_is_unmapped, UNMAP_WHOLE, UNMAP_UPWARD + 1);
	tcase_add_test(tcase, more_areas_than_are_taken_over_at_once_are_unmapped);
	tcase_add_test(tcase, an_area_that_has_to_stay_stays_with_those_above);
	tcase_add_test(tcase, an_area_that_does_not_fit_is_an_error_when_those_below_have_left);
	tcase_add_test(tcase, each_of_many_areas_is_seen_once);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
