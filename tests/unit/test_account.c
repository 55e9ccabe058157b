// SPDX-License-Identifier: GPL-2.0-only
/*
 * account: which counters are charged, up to which limit, and that refunds undo it.
 */
#include "memory/account.h"
#include "kernel.h"
#include "lib_run.h"

static struct shim_process process, other;
static struct ioas_account *account;
static struct account_refund refund;

static void setup(void)
{
	shim_process_init(&process);
	shim_process_init(&other);
	current = &process.task;
	account = NULL;
	refund = (struct account_refund){ };
}

static void teardown(void)
{
	account_pay(&refund);
	if (account)
		account_put(account);
	shim_process_check_clean(&process);
	shim_process_check_clean(&other);
	ck_assert_int_eq(shim_allocations, 0);
}

static void create(enum account_mode mode, bool unlimited, unsigned long limit_npages)
{
	process.cred.has_ipc_lock = unlimited;
	process.task.memlock_nbytes = limit_npages * PAGE_SIZE;
	account = account_create(mode);
	ck_assert_ptr_nonnull(account);
}

static int charge(unsigned long npages)
{
	int ret = account_charge(account, npages);

	if (!ret)
		account_refund(&refund, account, npages);
	return ret;
}

static void check_counters(unsigned long mm, unsigned long user, unsigned long pinned)
{
	ck_assert_uint_eq(process.mm.locked_vm, mm);
	ck_assert_int_eq(process.user.locked_vm.n, user);
	ck_assert_int_eq(process.mm.pinned_vm.n, pinned);
}

/* The counters that each mode charges. */
static const struct {
	enum account_mode mode;
	bool mm, user, pinned;
} counters[] = {
	{ ACCOUNT_MLOCK, true, false, false },
	{ ACCOUNT_MM, true, false, true },
	{ ACCOUNT_USER, false, true, true },
};

static void check_mode(unsigned int i, unsigned long npages)
{
	check_counters(npages * counters[i].mm, npages * counters[i].user,
		       npages * counters[i].pinned);
}

START_TEST(each_mode_counts_where_it_has_to_up_to_the_limit)
{
	create(counters[_i].mode, false, 10);
	ck_assert_int_eq(charge(7), 0);
	check_mode(_i, 7);
	ck_assert_int_eq(charge(4), -ENOMEM);
	check_mode(_i, 7);
	ck_assert_int_eq(charge(3), 0);
	check_mode(_i, 10);
}
END_TEST

START_TEST(the_capability_lifts_the_limit_of_a_container_but_not_the_count)
{
	create(ACCOUNT_MLOCK, true, 10);
	ck_assert_int_eq(charge(1000), 0);
	check_counters(1000, 0, 0);
}
END_TEST

START_TEST(the_capability_makes_native_maps_count_as_pinned_only)
{
	create(_i ? ACCOUNT_USER : ACCOUNT_MM, true, 0);
	ck_assert_int_eq(charge(1000), 0);
	check_counters(0, 0, 1000);
}
END_TEST

static const enum account_mode modes[] = { ACCOUNT_USER, ACCOUNT_MM, ACCOUNT_MLOCK };

START_TEST(a_charge_of_zero_pages_always_succeeds)
{
	create(modes[_i], false, 0);
	process.task.is_dying = true;
	ck_assert_int_eq(charge(0), 0);
	check_counters(0, 0, 0);
}
END_TEST

START_TEST(a_sum_that_overflows_is_over_the_limit)
{
	create(modes[_i], false, 10);
	ck_assert_int_eq(charge(10), 0);
	ck_assert_int_eq(charge(ULONG_MAX - 4), -ENOMEM);
	ck_assert_int_eq(charge(ULONG_MAX), -ENOMEM);
}
END_TEST

/* mlock() uses the same counter, and the limit can have been higher then. */
START_TEST(a_counter_that_is_over_the_limit_takes_no_more)
{
	create(modes[_i], false, 10);
	process.mm.locked_vm = 20;
	process.user.locked_vm.n = 20;
	ck_assert_int_eq(charge(1), -ENOMEM);
	/* A charge of 0 succeeds: memory that is never charged can be mapped. */
	ck_assert_int_eq(charge(0), 0);
	check_counters(20, 20, 0);
	process.mm.locked_vm = 0;
	process.user.locked_vm.n = 0;
}
END_TEST

START_TEST(whoever_runs_into_the_limit_is_told)
{
	create(modes[_i], false, 1);
	ck_assert_int_eq(charge(1), 0);
	ck_assert_uint_eq(shim_nmessages, 0);
	ck_assert_int_eq(charge(1), -ENOMEM);
	ck_assert_uint_eq(shim_nmessages, 1);
}
END_TEST

START_TEST(a_charge_uses_the_current_rlimit)
{
	create(modes[_i], false, 1);
	ck_assert_int_eq(charge(2), -ENOMEM);
	process.task.memlock_nbytes = 2 * PAGE_SIZE;
	ck_assert_int_eq(charge(2), 0);
}
END_TEST

START_TEST(another_process_charges_whom_the_account_is_of)
{
	create(modes[_i], false, 10);
	current = &other.task;
	other.task.memlock_nbytes = 0;
	ck_assert_int_eq(charge(10), 0);
	ck_assert_int_eq(charge(1), -ENOMEM);
	ck_assert_uint_eq(other.mm.locked_vm, 0);
	account_pay(&refund);
	check_counters(0, 0, 0);
}
END_TEST

static bool is_locked;

static void charge_for_a_lock(void *unused)
{
	current = &process.task;
	ck_assert_int_eq(charge(1), 0);
	ck_assert(!is_locked);
}

static void hold_the_lock(void *unused)
{
	down_write(&process.mm.mmap_lock);
	is_locked = true;
	shim_might_sleep();
	is_locked = false;
	up_write(&process.mm.mmap_lock);
}

START_TEST(a_charge_waits_for_the_mmap_lock)
{
	const struct shim_thread threads[] = { { hold_the_lock }, { charge_for_a_lock } };

	create(ACCOUNT_MLOCK, false, 10);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(process.mm.locked_vm == 1);
}
END_TEST

START_TEST(a_fatal_signal_ends_the_wait_for_the_mm)
{
	create(ACCOUNT_MLOCK, false, 10);
	process.task.is_dying = true;
	process.mm.mmap_lock.shim.written = true;
	ck_assert_int_eq(charge(1), -EINTR);
	process.mm.mmap_lock.shim.written = false;
	check_counters(0, 0, 0);
}
END_TEST

START_TEST(refunds_are_paid_together)
{
	create(modes[_i], false, 10);
	ck_assert_int_eq(charge(4), 0);
	ck_assert_int_eq(charge(5), 0);
	ck_assert_uint_eq(refund.npages, 9);
	account_pay(&refund);
	check_counters(0, 0, 0);
	ck_assert_uint_eq(refund.npages, 0);
	account_pay(&refund);
	check_counters(0, 0, 0);
}
END_TEST

START_TEST(a_refund_of_another_account_pays_the_first)
{
	struct ioas_account *second;

	create(modes[_i], false, 10);
	ck_assert_int_eq(charge(4), 0);
	current = &other.task;
	second = account_create(modes[_i]);
	ck_assert_int_eq(account_charge(second, 3), 0);
	account_refund(&refund, second, 3);
	check_counters(0, 0, 0);
	account_pay(&refund);
	account_put(second);
}
END_TEST

START_TEST(a_dead_mm_is_not_touched)
{
	create(modes[_i], false, 10);
	ck_assert_int_eq(charge(4), 0);
	current = &other.task;
	process.mm.mm_users = 0;
	account_pay(&refund);
	ck_assert_uint_eq(process.mm.locked_vm, modes[_i] == ACCOUNT_USER ? 0 : 4);
	ck_assert_int_eq(process.user.locked_vm.n, 0);
	ck_assert_int_eq(process.mm.pinned_vm.n, 0);
}
END_TEST

START_TEST(without_memory_there_is_no_account)
{
	shim_fail_in = 1;
	ck_assert_ptr_null(account_create(ACCOUNT_MLOCK));
}
END_TEST

START_TEST(the_last_reference_lets_the_process_go)
{
	create(ACCOUNT_USER, false, 10);
	refcount_inc(&account->refs);
	account_put(account);
	ck_assert_int_eq(process.mm.mm_count, 1);
	ck_assert_int_eq(process.task.nrefs, 1);
	ck_assert_int_eq(process.cred.nrefs, 1);
}
END_TEST

START_TEST(an_account_is_that_of_the_caller_or_not)
{
	struct task_struct thread;
	struct cred changed;

	create(ACCOUNT_USER, false, 10);
	ck_assert(account_is_current(account, ACCOUNT_USER));
	ck_assert(!account_is_current(account, ACCOUNT_MM));
	ck_assert(!account_is_current(NULL, ACCOUNT_USER));
	thread = process.task;
	current = &thread;
	ck_assert(account_is_current(account, ACCOUNT_USER));
	changed = process.cred;
	thread.cred = &changed;
	ck_assert(!account_is_current(account, ACCOUNT_USER));
	current = &other.task;
	ck_assert(!account_is_current(account, ACCOUNT_USER));
}
END_TEST

START_TEST(a_concurrent_charge_is_counted)
{
	long *counter = counters[_i].user ? &process.user.locked_vm.n :
					    (long *)&process.mm.locked_vm;

	create(counters[_i].mode, false, 10);
	shim_added_first = 4;
	ck_assert_int_eq(charge(3), 0);
	ck_assert_int_eq(shim_added_first, 0);
	ck_assert_int_eq(*counter, 7);
	shim_added_first = 3;
	ck_assert_int_eq(charge(1), -ENOMEM);
	*counter -= 7;
}
END_TEST

int main(void)
{
	const int nmodes = ARRAY_SIZE(modes);
	Suite *suite = suite_create("account");
	TCase *tcase = tcase_create("account");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, each_mode_counts_where_it_has_to_up_to_the_limit, 0,
			    ARRAY_SIZE(counters));
	tcase_add_test(tcase, the_capability_lifts_the_limit_of_a_container_but_not_the_count);
	tcase_add_loop_test(tcase, the_capability_makes_native_maps_count_as_pinned_only, 0, 2);
	tcase_add_loop_test(tcase, a_charge_of_zero_pages_always_succeeds, 0, nmodes);
	tcase_add_loop_test(tcase, a_sum_that_overflows_is_over_the_limit, 0, nmodes);
	tcase_add_loop_test(tcase, a_counter_that_is_over_the_limit_takes_no_more, 0, nmodes);
	tcase_add_loop_test(tcase, whoever_runs_into_the_limit_is_told, 0, nmodes);
	tcase_add_loop_test(tcase, a_charge_uses_the_current_rlimit, 0, nmodes);
	tcase_add_loop_test(tcase, another_process_charges_whom_the_account_is_of, 0, nmodes);
	tcase_add_loop_test(tcase, a_charge_waits_for_the_mmap_lock, 0, 10);
	tcase_add_test(tcase, a_fatal_signal_ends_the_wait_for_the_mm);
	tcase_add_loop_test(tcase, refunds_are_paid_together, 0, nmodes);
	tcase_add_loop_test(tcase, a_refund_of_another_account_pays_the_first, 0, nmodes);
	tcase_add_loop_test(tcase, a_dead_mm_is_not_touched, 0, nmodes);
	tcase_add_test(tcase, without_memory_there_is_no_account);
	tcase_add_test(tcase, the_last_reference_lets_the_process_go);
	tcase_add_test(tcase, an_account_is_that_of_the_caller_or_not);
	tcase_add_loop_test(tcase, a_concurrent_charge_is_counted, 0,
			    ARRAY_SIZE(counters));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
