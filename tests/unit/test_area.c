// SPDX-License-Identifier: GPL-2.0-only
/*
 * area: a new owner for its memory, and what it shares of its store.
 */
#include "lib_ioas.h"
#include "lib_run.h"

#define NPAGES	4UL

static struct shim_process heir;
static struct ioas_hwpt *hwpt;

static void setup(void)
{
	make_ioas();
	shim_process_init(&heir);
	hwpt = add_domain(ioas, PAGE_SIZE);
	ck_assert_ptr_nonnull(hwpt);
	ck_assert_int_eq(map_pages(ioas, IOVA, NPAGES, 0), 0);
}

static void teardown(void)
{
	current = &process.task;
	end_ioas();
	shim_process_check_clean(&heir);
}

static int hand_over_from(unsigned long iova, unsigned long uptr)
{
	int ret;

	current = &heir.task;
	down_write(&ioas->domains_rwsem);
	ret = area_change_owner(ioas, area_first(ioas, iova), uptr);
	up_write(&ioas->domains_rwsem);
	current = &process.task;
	return ret;
}

static int hand_over(unsigned long uptr)
{
	return hand_over_from(IOVA, uptr);
}

static void check_charges(unsigned long npages, unsigned long nheir_pages)
{
	ck_assert_uint_eq(process.mm.locked_vm, npages);
	ck_assert_uint_eq(heir.mm.locked_vm, nheir_pages);
	ck_assert_uint_eq(shim_npinned, npages + nheir_pages);
}

static void unmap(void)
{
	unsigned long nunmapped;

	ck_assert_int_eq(unmap_pages(ioas, IOVA, NPAGES, UNMAP_WHOLE, &nunmapped), 0);
	ck_assert_uint_eq(nunmapped, NPAGES);
}

START_TEST(charges_move_to_the_new_owner)
{
	ck_assert_int_eq(map_pages(ioas, IOVA + NPAGES * PAGE_SIZE, 1, 8), 0);
	check_charges(NPAGES + 1, 0);
	ck_assert_int_eq(hand_over(SHIM_USER_BASE), 0);
	check_charges(1, NPAGES);
	unmap();
	check_charges(1, 0);
}
END_TEST

/* The selftest build counts charges by account, and relies on this. */
START_TEST(the_account_that_is_charged_is_the_one_that_pays_from_then_on)
{
	const unsigned long other = IOVA + NPAGES * PAGE_SIZE;
	struct ioas_account *payer;
	unsigned long nunmapped;

	ck_assert_int_eq(map_pages(ioas, other, 1, 8), 0);
	ck_assert_int_eq(hand_over(SHIM_USER_BASE), 0);
	payer = ioas->account;
	/* The second area uses the same account: none is allocated. */
	shim_fail_in = 1;
	ck_assert_int_eq(hand_over_from(other, SHIM_USER_BASE), 0);
	shim_fail_in = 0;
	ck_assert_ptr_eq(ioas->account, payer);
	ck_assert_uint_eq(payer->nareas, 2);
	check_charges(0, NPAGES + 1);
	ck_assert_int_eq(unmap_pages(ioas, other, 1, UNMAP_WHOLE, &nunmapped), 0);
	unmap();
	check_charges(0, 0);
}
END_TEST

START_TEST(a_new_owner_over_his_limit_changes_nothing)
{
	heir.task.memlock_nbytes = (NPAGES - 1) * PAGE_SIZE;
	ck_assert_int_eq(hand_over(SHIM_USER_BASE), -ENOMEM);
	check_charges(NPAGES, 0);
	heir.task.memlock_nbytes += PAGE_SIZE;
	ck_assert_int_eq(hand_over(SHIM_USER_BASE), 0);
	check_charges(0, NPAGES);
}
END_TEST

START_TEST(a_new_owner_without_memory_changes_nothing)
{
	shim_fail_in = 1;
	ck_assert_int_eq(hand_over(SHIM_USER_BASE), -ENOMEM);
	shim_fail_in = 0;
	check_charges(NPAGES, 0);
}
END_TEST

START_TEST(what_is_pinned_later_comes_from_the_new_owner)
{
	unsigned long i;

	for (i = 0; i < NPAGES; i++)
		heir.mm.pages[10 + i] = &shim_pages[100 + i];
	ck_assert_int_eq(hand_over(SHIM_USER_BASE + 10 * PAGE_SIZE), 0);
	ck_assert_uint_eq(shim_pages[0].npins, 1);
	remove_domain(hwpt);
	check_charges(0, 0);
	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	check_charges(0, NPAGES);
	ck_assert_uint_eq(shim_pages[0].npins, 0);
	ck_assert_uint_eq(shim_pages[100].npins, 1);
}
END_TEST

START_TEST(memory_that_other_areas_show_keeps_its_owner)
{
	unsigned long nunmapped;

	ck_assert_int_eq(copy_pages(ioas, IOVA, NPAGES, ioas, 2 * IOVA), 0);
	ck_assert_int_eq(hand_over(SHIM_USER_BASE), -EBUSY);
	check_charges(NPAGES, 0);
	ck_assert_int_eq(unmap_pages(ioas, 2 * IOVA, NPAGES, UNMAP_WHOLE, &nunmapped), 0);
	/* The store stays shared, but only this area shows it now. */
	ck_assert_int_eq(hand_over(SHIM_USER_BASE), 0);
	check_charges(0, NPAGES);
	unmap();
	check_charges(0, 0);
}
END_TEST

/* The store is pinned for a domain of another IOAS; since then the process has another page. */
START_TEST(a_hold_in_a_copy_has_what_the_owner_has_by_now)
{
	struct ioas *other = ioas_create(&ctx);
	struct account_refund refund = { };
	struct store_hold hold = { };
	struct ioas_area *area;

	ck_assert(!IS_ERR(other));
	ioas_object_publish(&other->object);
	ck_assert_int_eq(copy_pages(ioas, IOVA, NPAGES, other, IOVA), 0);
	process.mm.pages[0] = &shim_pages[100];
	ioas_enter(other);
	area = area_get(other, IOVA);
	ck_assert_int_eq(area_add_hold(other, area, &hold, 0), 0);
	ck_assert_ptr_eq(hold.page, &shim_pages[100]);
	area_drop_hold(other, area, &hold, &refund);
	account_pay(&refund);
	area_put(other, area);
	ioas_leave(other);
	check_charges(NPAGES, 0);
}
END_TEST

START_TEST(a_dead_owner_is_not_paid)
{
	process.mm.mm_users = 0;
	process.mm.locked_vm = 0;
	ck_assert_int_eq(hand_over(SHIM_USER_BASE), 0);
	check_charges(0, NPAGES);
	process.mm.mm_users = 1;
}
END_TEST

/* Otherwise the owner of the area could be working on the store without its lock. */
START_TEST(a_store_is_shared_only_while_its_area_is_live_and_busy)
{
	struct ioas_area *area;

	ioas_enter(ioas);
	area = area_get(ioas, IOVA);
	area_put(ioas, area);
	shim_expected_warnings = 1;
	ck_assert_int_eq(area_share(ioas, area), -EBUSY);
	area = area_get(ioas, IOVA);
	area->state = AREA_EMPTYING;
	shim_expected_warnings++;
	ck_assert_int_eq(area_share(ioas, area), -EBUSY);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	area->state = AREA_LIVE;
	ck_assert_ptr_null(area->store->sharing);
	ck_assert_int_eq(area_share(ioas, area), 0);
	area_put(ioas, area);
	ioas_leave(ioas);
}
END_TEST

START_TEST(a_pin_of_kind_area_is_refused)
{
	struct account_refund refund = { };
	struct store_user pin = { .first_index = 1, .last_index = 1 };
	struct ioas_area *area;
	struct page *page;

	ioas_enter(ioas);
	area = area_get(ioas, IOVA);
	shim_expected_warnings = 1;
	ck_assert_int_eq(area_add_pin(ioas, area, &pin, &page), -EINVAL);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	pin.kind = USER_HOLD;
	ck_assert_int_eq(area_add_pin(ioas, area, &pin, &page), 0);
	area_drop_pin(ioas, area, &pin, &refund);
	account_pay(&refund);
	area_put(ioas, area);
	ioas_leave(ioas);
}
END_TEST

START_TEST(freeing_many_areas_pauses)
{
	const unsigned long nareas = 100;
	struct ioas_area *areas = NULL;
	unsigned long i, before;

	for (i = 0; i < nareas; i++) {
		struct ioas_area *area = area_create(SHIM_USER_BASE, PAGE_SIZE, IOMMU_READ);

		ck_assert_ptr_nonnull(area);
		area->next = areas;
		areas = area;
	}
	before = shim_npauses;
	area_free_list(areas);
	ck_assert_uint_ge(shim_npauses - before, nareas - 1);
}
END_TEST

START_TEST(memory_that_begins_inside_a_page_keeps_its_owner)
{
	struct ioas_map map = {
		.rule = MAP_FIXED, .uptr = SHIM_USER_BASE + 100, .iova = 2 * IOVA, .nbytes = 100,
		.iommu_prot = IOMMU_READ, .account_mode = ACCOUNT_MM, .min_alignment = 1,
	};

	remove_domain(hwpt);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_map(ioas, &map), 0);
	ioas_leave(ioas);
	ck_assert_int_eq(hand_over_from(2 * IOVA, SHIM_USER_BASE), -EINVAL);
}
END_TEST

START_TEST(a_new_address_of_the_same_owner_charges_nothing)
{
	int ret;

	process.task.memlock_nbytes = NPAGES * PAGE_SIZE;
	down_write(&ioas->domains_rwsem);
	ret = area_change_owner(ioas, area_first(ioas, IOVA), SHIM_USER_BASE + 10 * PAGE_SIZE);
	up_write(&ioas->domains_rwsem);
	ck_assert_int_eq(ret, 0);
	check_charges(NPAGES, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("area");
	TCase *tcase = tcase_create("area");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, charges_move_to_the_new_owner);
	tcase_add_test(tcase, the_account_that_is_charged_is_the_one_that_pays_from_then_on);
	tcase_add_test(tcase, a_new_owner_over_his_limit_changes_nothing);
	tcase_add_test(tcase, a_new_owner_without_memory_changes_nothing);
	tcase_add_test(tcase, what_is_pinned_later_comes_from_the_new_owner);
	tcase_add_test(tcase, memory_that_other_areas_show_keeps_its_owner);
	tcase_add_test(tcase, a_hold_in_a_copy_has_what_the_owner_has_by_now);
	tcase_add_test(tcase, a_dead_owner_is_not_paid);
	tcase_add_test(tcase, a_store_is_shared_only_while_its_area_is_live_and_busy);
	tcase_add_test(tcase, a_pin_of_kind_area_is_refused);
	tcase_add_test(tcase, freeing_many_areas_pauses);
	tcase_add_test(tcase, memory_that_begins_inside_a_page_keeps_its_owner);
	tcase_add_test(tcase, a_new_address_of_the_same_owner_charges_nothing);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
