// SPDX-License-Identifier: GPL-2.0-only
/*
 * store, compared with a list of users and the pages that they need. A page is pinned and charged
 * once if at least one user needs it, and else not at all.
 */
#include "compat/stock.h"
#include "kernel.h"
#include "lib_run.h"
#include "memory/store.h"
#include "memory/pin.h"

#define STORE_NPAGES	40
#define MAX_USERS	10
#define LIMIT_NPAGES	30

static struct shim_process process, other;
static struct ioas_store pages;
static struct account_refund refund;
static struct store_user users[MAX_USERS];
static bool used[MAX_USERS];

static void setup(void)
{
	shim_pages_reset();
	shim_process_init(&process);
	shim_process_init(&other);
	current = &process.task;
	refund = (struct account_refund){ };
	memset(used, 0, sizeof(used));
}

static void teardown(void)
{
	account_pay(&refund);
	if (pages.sharing)
		store_sharing_destroy(pages.sharing);
	store_exit(&pages);
	account_put(pages.account);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_int_eq(shim_allocations, 0);
	shim_process_check_clean(&process);
	shim_process_check_clean(&other);
}

/* Makes a store of the first @npages pages of memory, in ascending order. */
static void make_store(unsigned long npages, bool writable)
{
	unsigned long i;

	for (i = 0; i < npages; i++)
		process.mm.pages[i] = &shim_pages[i];
	store_init(&pages, SHIM_USER_BASE, npages * PAGE_SIZE, writable);
	pages.account = account_create(ACCOUNT_MLOCK);
}

static void share_store(void)
{
	pages.sharing = store_sharing_create(&pages, false);
	ck_assert_ptr_nonnull(pages.sharing);
}

static int pin(struct store_user *user)
{
	int ret;

	store_lock(&pages);
	ret = store_pin(&pages, user);
	store_unlock(&pages);
	return ret;
}

static void unpin(struct store_user *user)
{
	store_lock(&pages);
	store_unpin(&pages, user, &refund);
	store_unlock(&pages);
}

/* Finds a user of pages 3 to @last_index. */
static struct store_user *find_user(enum store_user_kind kind, unsigned long owner,
				    unsigned long last_index)
{
	const struct store_user wanted = {
		.kind = kind, .owner = owner, .first_index = 3, .last_index = last_index,
	};

	return store_find_user(&pages, &wanted);
}

START_TEST(a_store_that_is_not_shared_is_pinned_as_a_whole)
{
	make_store(STORE_NPAGES, true);
	ck_assert_int_eq(pin(NULL), 0);
	ck_assert_uint_eq(shim_npinned, STORE_NPAGES);
	ck_assert_uint_eq(process.mm.locked_vm, STORE_NPAGES);
	unpin(NULL);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert(shim_pages[3].dirty);
}
END_TEST

START_TEST(memory_that_no_device_writes_to_does_not_become_dirty)
{
	make_store(3, false);
	process.mm.read_only[1] = true;
	ck_assert_int_eq(pin(NULL), 0);
	unpin(NULL);
	ck_assert(!shim_pages[0].dirty);
}
END_TEST

START_TEST(memory_that_must_not_be_written_is_not_pinned_for_a_device_that_may)
{
	make_store(3, true);
	process.mm.read_only[2] = true;
	ck_assert_int_eq(pin(NULL), -EFAULT);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_uint_eq(process.mm.locked_vm, 0);
}
END_TEST

START_TEST(one_page_over_the_limit_is_not_pinned)
{
	make_store(1, true);
	process.task.memlock_nbytes = 0;
	ck_assert_int_eq(pin(NULL), -ENOMEM);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_uint_eq(process.mm.locked_vm, 0);
}
END_TEST

START_TEST(a_partial_first_and_last_page_belong_to_the_store)
{
	store_init(&pages, SHIM_USER_BASE + PAGE_SIZE - 1, 2, true);
	ck_assert_uint_eq(pages.extents.npages, 2);
	ck_assert_uint_eq(pages.uptr, SHIM_USER_BASE);
	pages.account = account_create(ACCOUNT_MLOCK);
}
END_TEST

START_TEST(without_memory_for_a_list_batches_are_small)
{
	make_store(SHIM_USER_NPAGES, true);
	shim_fail_in = 1;
	ck_assert_int_eq(pin(NULL), 0);
	ck_assert_int_eq(shim_fail_in, 0);
	ck_assert_uint_eq(shim_npinned, SHIM_USER_NPAGES);
	unpin(NULL);
}
END_TEST

START_TEST(the_folio_that_crosses_the_limit_leaves_no_trace)
{
	make_store(STORE_NPAGES, true);
	process.task.memlock_nbytes = 20 * PAGE_SIZE;
	ck_assert_int_eq(pin(NULL), -ENOMEM);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_uint_eq(process.mm.locked_vm, 0);
	ck_assert(!shim_pages[0].dirty);
}
END_TEST

START_TEST(reserved_pages_are_pinned_but_not_charged)
{
	make_store(STORE_NPAGES, true);
	shim_pages[0].reserved = true;
	shim_pages[7].reserved = true;
	shim_pages[8].reserved = true;
	ck_assert_int_eq(pin(NULL), 0);
	ck_assert_uint_eq(shim_npinned, STORE_NPAGES);
	ck_assert_uint_eq(process.mm.locked_vm, STORE_NPAGES - 3);
	unpin(NULL);
}
END_TEST

/* Shows device memory at slots @first to @end - 1, with consecutive frames from @pfn on. */
static void make_mmio(unsigned int first, unsigned int end, unsigned long pfn)
{
	for (; first < end; first++) {
		process.mm.pages[first] = NULL;
		process.mm.mmio[first] = (struct shim_mmio){
			.pfn = pfn++, .absent = first % 3, .clean = first % 3,
		};
	}
}

/* Frame 0x5000 has no struct page. Frames with a reserved page can be device memory, too. */
START_TEST(device_memory_is_neither_pinned_nor_charged)
{
	struct extent_cursor cursor;
	struct extent run;
	struct page *page;

	make_store(STORE_NPAGES, true);
	pages.pin_rules = STOCK_PIN_RULES;
	make_mmio(4, 9, 0x5000);
	shim_pages[3000].reserved = true;
	make_mmio(20, 21, page_to_pfn(&shim_pages[3000]));
	ck_assert_int_eq(store_pin(&pages, NULL), 0);
	ck_assert_uint_eq(shim_npinned, STORE_NPAGES - 6);
	ck_assert_uint_eq(process.mm.locked_vm, STORE_NPAGES - 6);
	extents_first(&pages.extents, &cursor, 6, 6, &run);
	ck_assert_int_eq(run.kind, EXTENT_MMIO);
	ck_assert_uint_eq(run.pfn, 0x5002);
	ck_assert_int_eq(store_list(&pages, 6, 6, &page), -EINVAL);
	store_unpin(&pages, NULL, &refund);
	account_pay(&refund);
}
END_TEST

START_TEST(a_sum_tells_what_is_pinned_and_charged_and_where_it_stopped)
{
	struct store_sum sum = { };
	unsigned long next;

	make_store(STORE_NPAGES, true);
	pages.pin_rules = STOCK_PIN_RULES;
	make_mmio(4, 9, 0x5000);
	ck_assert_uint_eq(store_sum(&pages, 0, STORE_NPAGES - 1, ULONG_MAX, &sum), STORE_NPAGES);
	ck_assert_uint_eq(sum.nruns + sum.npinned + sum.ncharged, 0);
	ck_assert_int_eq(store_pin(&pages, NULL), 0);
	ck_assert_uint_eq(store_sum(&pages, 2, 8, 1, &sum), 4);
	ck_assert_uint_eq(sum.nruns, 1);
	ck_assert_uint_eq(sum.npinned, 2);
	next = store_sum(&pages, 4, STORE_NPAGES - 1, 1, &sum);
	ck_assert_uint_eq(next, 9);
	ck_assert_uint_eq(sum.nruns, 2);
	ck_assert_uint_eq(sum.npinned, 2);
	ck_assert_uint_eq(store_sum(&pages, next, STORE_NPAGES - 1, ULONG_MAX, &sum),
			  STORE_NPAGES);
	ck_assert_uint_eq(sum.npinned, STORE_NPAGES - 9 + 2);
	ck_assert_uint_eq(sum.ncharged, sum.npinned);
	store_unpin(&pages, NULL, &refund);
	account_pay(&refund);
}
END_TEST

START_TEST(device_memory_that_goes_on_behind_a_store_is_not_part_of_it)
{
	struct extent_cursor cursor;
	struct extent run;

	make_store(3, true);
	pages.pin_rules = STOCK_PIN_RULES;
	make_mmio(1, 9, 0x5000);
	ck_assert_int_eq(store_pin(&pages, NULL), 0);
	extents_first(&pages.extents, &cursor, 0, 2, &run);
	ck_assert_uint_eq(run.npages, 1);
	ck_assert(extents_next(&pages.extents, &cursor, 2, &run));
	ck_assert_int_eq(run.kind, EXTENT_MMIO);
	ck_assert_uint_eq(run.npages, 2);
	ck_assert(!extents_next(&pages.extents, &cursor, 2, &run));
	store_unpin(&pages, NULL, &refund);
}
END_TEST

START_TEST(pfnmap_of_unpinnable_or_read_only_memory_is_refused)
{
	make_store(STORE_NPAGES, true);
	make_mmio(4, 9, 0x5000);
	ck_assert_int_eq(store_pin(&pages, NULL), -EFAULT);
	pages.pin_rules = STOCK_PIN_RULES;
	process.mm.read_only[5] = true;
	ck_assert_int_eq(store_pin(&pages, NULL), -EFAULT);
	process.mm.read_only[5] = false;
	make_mmio(7, 8, page_to_pfn(&shim_pages[3000]));
	ck_assert_int_eq(store_pin(&pages, NULL), -EFAULT);
	make_mmio(7, 8, 0x5003);
	ck_assert_int_eq(store_pin(&pages, NULL), 0);
	store_unpin(&pages, NULL, &refund);
	account_pay(&refund);
}
END_TEST

START_TEST(one_page_of_device_memory_is_a_store)
{
	make_store(1, true);
	pages.pin_rules = STOCK_PIN_RULES;
	make_mmio(0, 1, 0x5000);
	ck_assert_int_eq(store_pin(&pages, NULL), 0);
	ck_assert_uint_eq(extents_only_pfn(&pages.extents), 0x5000);
	ck_assert_uint_eq(shim_npinned, 0);
	store_unpin(&pages, NULL, &refund);
	account_pay(&refund);
	ck_assert_int_eq(extents_only_kind(&pages.extents), EXTENT_HOLE);
}
END_TEST

START_TEST(want_of_memory_to_fault_in_device_memory_is_told)
{
	unsigned int n;
	int ret;

	make_store(2, true);
	pages.pin_rules = STOCK_PIN_RULES;
	for (n = 1;; n++) {
		make_mmio(1, 2, 0x5000);
		shim_fail_in = n;
		ret = store_pin(&pages, NULL);
		shim_fail_in = 0;
		if (!ret)
			break;
		ck_assert_int_eq(ret, -ENOMEM);
	}
	/* One of the failures was that of the page fault. */
	ck_assert(!process.mm.mmio[1].absent);
	ck_assert_uint_gt(n, 1);
	store_unpin(&pages, NULL, &refund);
	account_pay(&refund);
}
END_TEST

/* The error of the page fault, and the one that a pin returns for it. */
static const struct {
	int fault, pin;
} faults[] = {
	{ -EINTR, -EINTR },
	{ -ENOMEM, -ENOMEM },
	{ -EFAULT, -EFAULT },
	{ -EHWPOISON, -EFAULT },
};

START_TEST(a_map_says_why_device_memory_cannot_be_faulted_in)
{
	make_store(2, true);
	pages.pin_rules = STOCK_PIN_RULES;
	make_mmio(1, 2, 0x5000);
	process.mm.mmio[1].fault_ret = faults[_i].fault;
	ck_assert_int_eq(store_pin(&pages, NULL), faults[_i].pin);
	ck_assert_uint_eq(shim_npinned, 0);
}
END_TEST

START_TEST(device_memory_is_found_at_a_tagged_address)
{
	make_store(STORE_NPAGES, true);
	pages.pin_rules = STOCK_PIN_RULES;
	pages.uptr |= SHIM_TAG(0x2a);
	make_mmio(4, 9, 0x5000);
	ck_assert_int_eq(store_pin(&pages, NULL), 0);
	ck_assert_uint_eq(shim_npinned, STORE_NPAGES - 5);
	store_unpin(&pages, NULL, &refund);
	account_pay(&refund);
}
END_TEST

/* With the rules of type1. A native map, without them, obeys protection keys. */
START_TEST(type1_maps_what_a_protection_key_forbids_the_caller)
{
	make_store(_i % 2 ? 1 : STORE_NPAGES, _i < 2);
	process.mm.key_disabled[_i % 2 ? 0 : 5] = true;
	ck_assert_int_eq(store_pin(&pages, NULL), -EFAULT);
	ck_assert_uint_eq(shim_npinned, 0);
	pages.pin_rules = STOCK_PIN_RULES;
	ck_assert_int_eq(store_pin(&pages, NULL), 0);
	ck_assert_uint_eq(shim_npinned, pages.extents.npages);
	ck_assert_uint_eq(process.mm.locked_vm, pages.extents.npages);
	store_unpin(&pages, NULL, &refund);
	account_pay(&refund);
}
END_TEST

/* The page is present, so that the fast walk, which does not check this, would pin it. */
START_TEST(type1_refuses_to_read_what_the_process_may_not_read)
{
	make_store(_i ? 1 : STORE_NPAGES, false);
	process.mm.write_only[_i ? 0 : 5] = true;
	pages.pin_rules = STOCK_PIN_RULES;
	ck_assert_int_eq(store_pin(&pages, NULL), -EFAULT);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_uint_eq(process.mm.locked_vm, 0);
	pages.writable = true;
	ck_assert_int_eq(store_pin(&pages, NULL), 0);
	ck_assert_uint_eq(shim_npinned, pages.extents.npages);
	store_unpin(&pages, NULL, &refund);
	account_pay(&refund);
}
END_TEST

START_TEST(type1_maps_registers_that_a_protection_key_forbids_the_caller)
{
	make_store(STORE_NPAGES, true);
	pages.pin_rules = STOCK_PIN_RULES;
	make_mmio(4, 9, 0x5000);
	memset(process.mm.key_disabled + 4, true, 5);
	ck_assert_int_eq(store_pin(&pages, NULL), 0);
	ck_assert_uint_eq(shim_npinned, STORE_NPAGES - 5);
	store_unpin(&pages, NULL, &refund);
	account_pay(&refund);
}
END_TEST

/* A kernel that counts pins of the zero page would overflow after two million of them. */
START_TEST(the_zero_page_is_not_pinned)
{
	struct page *zero = &shim_pages[SHIM_ZERO_PAGE];
	unsigned int i;

	make_store(_i % 2 ? 1 : STORE_NPAGES, false);
	/* With the rules of type1 pages are not pinned by the fast walk. */
	pages.pin_rules = _i / 2 ? STOCK_PIN_RULES : 0;
	zero->reserved = true;
	for (i = 0; i < pages.extents.npages; i += 2)
		process.mm.pages[i] = zero;
	ck_assert_int_eq(store_pin(&pages, NULL), 0);
	ck_assert_uint_eq(zero->npins, 0);
	ck_assert_uint_eq(shim_npinned, pages.extents.npages / 2);
	store_unpin(&pages, NULL, &refund);
	account_pay(&refund);
	ck_assert_uint_eq(zero->npins, 0);
}
END_TEST

/* A failure unpins the pages that were pinned before it, and no others. */
START_TEST(the_zero_page_is_not_unpinned_by_a_failure)
{
	unsigned int i;

	make_store(STORE_NPAGES, false);
	shim_pages[SHIM_ZERO_PAGE].reserved = true;
	for (i = 0; i < STORE_NPAGES; i += 2)
		process.mm.pages[i] = &shim_pages[SHIM_ZERO_PAGE];
	shim_fail_in = 2 + _i;
	ck_assert_int_lt(store_pin(&pages, NULL), 0);
	shim_fail_in = 0;
	ck_assert_uint_eq(shim_npinned, 0);
}
END_TEST

START_TEST(a_fatal_signal_stops_a_pin)
{
	make_store(STORE_NPAGES, true);
	process.task.is_dying = true;
	ck_assert_int_eq(pin(NULL), -EINTR);
	process.task.is_dying = false;
	ck_assert_uint_eq(shim_npinned, 0);
}
END_TEST

START_TEST(memory_at_the_last_address_faults)
{
	make_store(1, true);
	pages.uptr = -PAGE_SIZE;
	ck_assert_int_eq(pin(NULL), -EFAULT);
}
END_TEST

START_TEST(another_process_pins_the_memory_of_the_owner)
{
	make_store(STORE_NPAGES, true);
	current = &other.task;
	ck_assert_int_eq(pin(NULL), 0);
	ck_assert_uint_eq(process.mm.locked_vm, STORE_NPAGES);
	ck_assert_int_eq(process.mm.mm_users, 1);
	unpin(NULL);
}
END_TEST

START_TEST(memory_of_a_dead_process_cannot_be_pinned)
{
	make_store(_i ? 1 : STORE_NPAGES, true);
	current = &other.task;
	process.mm.mm_users = 0;
	ck_assert_int_eq(pin(NULL), -EFAULT);
}
END_TEST

START_TEST(what_is_pinned_already_can_be_pinned_when_the_owner_is_dead)
{
	struct store_user first = { .first_index = 3, .last_index = 9 };
	struct store_user second = { .first_index = 5, .last_index = 9 };
	struct store_user third = { .first_index = 5, .last_index = 10 };

	make_store(STORE_NPAGES, true);
	share_store();
	ck_assert_int_eq(pin(&first), 0);
	account_pay(&refund);
	process.mm.locked_vm = 0;
	current = &other.task;
	process.mm.mm_users = 0;
	ck_assert_int_eq(pin(&second), 0);
	ck_assert_int_eq(pin(&third), -EFAULT);
	unpin(&first);
	ck_assert_uint_eq(shim_npinned, 5);
	unpin(&second);
}
END_TEST

/* The store is marked as leaked, as after an IOMMU driver left a part of it mapped. */
START_TEST(a_store_that_is_stuck_stays_pinned)
{
	struct store_user user = { .first_index = 3, .last_index = 9 };

	make_store(STORE_NPAGES, true);
	share_store();
	ck_assert_int_eq(pin(&user), 0);
	pages.leaked = true;
	unpin(&user);
	ck_assert_uint_eq(shim_npinned, 7);
	pages.leaked = false;
	store_lock(&pages);
	ck_assert_int_eq(store_pin(&pages, &user), 0);
	store_unlock(&pages);
	unpin(&user);
}
END_TEST

START_TEST(a_pin_is_found_by_exactly_its_range)
{
	struct store_user area = { .first_index = 3, .last_index = 9 };
	struct store_user pinner = { .first_index = 3, .last_index = 9, .kind = USER_ACCESS_PIN };
	struct store_user longer = { .first_index = 3, .last_index = 10, .kind = USER_ACCESS_PIN };
	struct store_user later = { .first_index = 4, .last_index = 9, .kind = USER_ACCESS_PIN };

	make_store(STORE_NPAGES, true);
	share_store();
	ck_assert_int_eq(pin(&area), 0);
	ck_assert_int_eq(pin(&longer), 0);
	ck_assert_int_eq(pin(&later), 0);
	store_lock(&pages);
	ck_assert_ptr_null(find_user(USER_ACCESS_PIN, 0, 9));
	ck_assert_ptr_eq(find_user(USER_ACCESS_PIN, 0, 10), &longer);
	store_unlock(&pages);
	ck_assert_int_eq(pin(&pinner), 0);
	store_lock(&pages);
	ck_assert_ptr_eq(find_user(USER_ACCESS_PIN, 0, 9), &pinner);
	store_unlock(&pages);
	unpin(&area);
	unpin(&pinner);
	unpin(&longer);
	unpin(&later);
}
END_TEST

/* The number of runs of the store, holes included. */
static unsigned long count_runs(void)
{
	struct extent_cursor cursor;
	struct extent run;
	unsigned long n = 0;
	bool more;

	for (more = extents_first(&pages.extents, &cursor, 0, pages.extents.npages - 1, &run);
	     more; more = extents_next(&pages.extents, &cursor, pages.extents.npages - 1, &run))
		n++;
	return n;
}

/* Some pages are pinned before one is found missing. */
START_TEST(after_a_pin_that_failed_the_next_gets_all_its_pages)
{
	unsigned long i;

	make_store(STORE_NPAGES, true);
	shim_pin_at_most = 1 + _i;
	swap(process.mm.pages[0], process.mm.pages[1]);
	process.mm.pages[9] = NULL;
	ck_assert_int_eq(pin(NULL), -EFAULT);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_uint_eq(count_runs(), 1);
	for (i = 0; i < STORE_NPAGES; i++)
		process.mm.pages[i] = &shim_pages[100 + i];
	ck_assert_int_eq(pin(NULL), 0);
	ck_assert_uint_eq(shim_npinned, STORE_NPAGES);
	ck_assert(extents_is_one_run(&pages.extents));
	ck_assert_uint_eq(extents_only_pfn(&pages.extents), page_to_pfn(&shim_pages[100]));
	unpin(NULL);
	shim_pin_at_most = 0;
}
END_TEST

START_TEST(a_shared_pin_that_failed_leaves_the_runs_as_they_were)
{
	struct store_user all = { .last_index = STORE_NPAGES - 1 };
	struct store_user middle = { .first_index = 10, .last_index = 12 };
	unsigned long fail_in;

	make_store(STORE_NPAGES, true);
	share_store();
	ck_assert_int_eq(pin(&middle), 0);
	process.mm.pages[20] = NULL;
	ck_assert_int_eq(pin(&all), -EFAULT);
	ck_assert_uint_eq(count_runs(), 3);
	process.mm.pages[20] = &shim_pages[20];
	for (fail_in = 1; ; fail_in++) {
		shim_fail_in = fail_in;
		if (!pin(&all))
			break;
		/* The runs and pins are those from before. */
		ck_assert_uint_eq(count_runs(), 3);
		ck_assert_uint_eq(shim_npinned, 3);
		ck_assert_uint_eq(process.mm.locked_vm, 3);
	}
	shim_fail_in = 0;
	unpin(&all);
	ck_assert_uint_eq(count_runs(), 3);
	unpin(&middle);
	ck_assert_uint_eq(count_runs(), 1);
}
END_TEST

START_TEST(a_border_stays_as_long_as_somebody_needs_it)
{
	struct store_user all = { .last_index = STORE_NPAGES - 1 };
	struct store_user lower = { .first_index = 4, .last_index = 9 };
	struct store_user same = { .first_index = 4, .last_index = 9, .kind = USER_HOLD };
	struct store_user upper = { .first_index = 10, .last_index = 12 };

	make_store(STORE_NPAGES, true);
	share_store();
	ck_assert_int_eq(pin(&all), 0);
	ck_assert_int_eq(pin(&lower), 0);
	ck_assert_uint_eq(count_runs(), 3);
	ck_assert_int_eq(pin(&upper), 0);
	ck_assert_int_eq(pin(&same), 0);
	ck_assert_uint_eq(count_runs(), 4);
	unpin(&upper);
	ck_assert_uint_eq(count_runs(), 3);
	unpin(&lower);
	ck_assert_uint_eq(count_runs(), 3);
	/* An unpin must not need memory. */
	shim_fail_in = 1;
	unpin(&all);
	ck_assert_int_eq(shim_fail_in, 1);
	shim_fail_in = 0;
	ck_assert_uint_eq(shim_npinned, 6);
	unpin(&same);
	ck_assert_uint_eq(count_runs(), 1);
}
END_TEST

/* One user needs all pages, others need a page each. When the first one leaves, all stay pinned. */
START_TEST(an_unpin_beside_many_users_pauses)
{
	static struct store_user all, singles[STORE_NPAGES];
	unsigned long i, before;

	make_store(STORE_NPAGES, true);
	share_store();
	all = (struct store_user){ .last_index = STORE_NPAGES - 1 };
	ck_assert_int_eq(pin(&all), 0);
	for (i = 0; i < STORE_NPAGES; i++) {
		singles[i] = (struct store_user){ .first_index = i, .last_index = i };
		ck_assert_int_eq(pin(&singles[i]), 0);
	}
	before = shim_npauses;
	unpin(&all);
	ck_assert_uint_ge(shim_npauses - before, STORE_NPAGES);
	ck_assert_uint_eq(shim_npinned, STORE_NPAGES);
	for (i = 0; i < STORE_NPAGES; i++)
		unpin(&singles[i]);
}
END_TEST

/*
 * All users begin with the same page, and each needs one page more than the one before. The unpin
 * of the longest one takes a few steps, and not one for each user that is left.
 */
START_TEST(an_unpin_takes_no_step_for_users_that_lie_in_others)
{
	static struct store_user nested[SHIM_USER_NPAGES];
	unsigned long i, before;

	make_store(SHIM_USER_NPAGES, true);
	share_store();
	for (i = 0; i < SHIM_USER_NPAGES; i++) {
		nested[i] = (struct store_user){ .last_index = i };
		ck_assert_int_eq(pin(&nested[i]), 0);
	}
	before = shim_npauses;
	for (i = SHIM_USER_NPAGES; i--; ) {
		unpin(&nested[i]);
		ck_assert_uint_eq(shim_npinned, i);
	}
	ck_assert_uint_le(shim_npauses - before, 8 * SHIM_USER_NPAGES);
}
END_TEST

static unsigned long unpinned_until;

static void note_unpin(unsigned long pfn, unsigned long npages, bool dirty)
{
	ck_assert_uint_eq(pfn, unpinned_until);
	ck_assert_uint_le(npages, UNPIN_AT_ONCE);
	ck_assert(dirty);
	unpinned_until += npages;
}

/* The run is longer than the memory of tests: its pages do not exist. */
START_TEST(an_unpin_of_a_long_run_pauses)
{
	unsigned long before;

	make_store(1, true);
	before = shim_npauses;
	unpinned_until = SHIM_FIRST_PFN;
	shim_unpin_instead = note_unpin;
	unpin_run(SHIM_FIRST_PFN, _i, true);
	shim_unpin_instead = NULL;
	ck_assert_uint_eq(unpinned_until, SHIM_FIRST_PFN + _i);
	ck_assert_uint_eq(shim_npauses - before, (_i - 1) / UNPIN_AT_ONCE);
}
END_TEST

/* Each page is a run. Functions that look at all runs call cond_resched() now and then. */
START_TEST(a_look_at_all_runs_of_a_store_pauses)
{
	struct store_user first = { .last_index = SHIM_USER_NPAGES - 1 }, second = first;
	struct store_sum sum = { };
	unsigned long i, before;

	make_store(SHIM_USER_NPAGES, true);
	for (i = 0; i < SHIM_USER_NPAGES; i++)
		process.mm.pages[i] = &shim_pages[SHIM_USER_NPAGES - 1 - i];
	share_store();
	ck_assert_int_eq(pin(&first), 0);
	before = shim_npauses;
	store_lock(&pages);
	store_sum_all(&pages, 1, SHIM_USER_NPAGES - 1, &sum);
	store_unlock(&pages);
	ck_assert_uint_eq(sum.nruns, SHIM_USER_NPAGES - 1);
	ck_assert_uint_eq(sum.npinned, SHIM_USER_NPAGES - 1);
	ck_assert_uint_eq(sum.ncharged, SHIM_USER_NPAGES - 1);
	ck_assert_uint_ge(shim_npauses - before, SHIM_USER_NPAGES / SUM_AT_ONCE);
	/* The owner is dead. That matters only if a page is missing, so all runs are searched. */
	current = &other.task;
	process.mm.mm_users = 0;
	before = shim_npauses;
	ck_assert_int_eq(pin(&second), 0);
	ck_assert_uint_ge(shim_npauses - before, SHIM_USER_NPAGES + SHIM_USER_NPAGES / 64 - 1);
	process.mm.mm_users = 1;
	current = &process.task;
	unpin(&second);
	unpin(&first);
}
END_TEST

static void shuffle(unsigned long *numbers, unsigned long n, unsigned long *seed)
{
	unsigned long i;

	for (i = 0; i < n; i++)
		numbers[i] = i;
	for (i = n; i > 1; i--) {
		unsigned long other = random_below(seed, i);

		swap(numbers[i - 1], numbers[other]);
	}
}

/* Holds of single pages, in random order, with and without an area that needs all pages. */
START_TEST(pins_of_every_page_leave_nothing_behind)
{
	static struct store_user pins[SHIM_USER_NPAGES];
	struct store_user all = { .last_index = SHIM_USER_NPAGES - 1 };
	unsigned long order[SHIM_USER_NPAGES];
	unsigned long seed = begin_random(_i + 1);
	unsigned long i, round, nbytes;

	make_store(SHIM_USER_NPAGES, true);
	share_store();
	nbytes = shim_allocated_nbytes;
	if (_i % 2)
		ck_assert_int_eq(pin(&all), 0);
	for (round = 0; round < 3; round++) {
		shuffle(order, SHIM_USER_NPAGES, &seed);
		for (i = 0; i < SHIM_USER_NPAGES; i++) {
			struct store_user *user = &pins[order[i]];

			*user = (struct store_user){
				.first_index = order[i], .last_index = order[i],
				.kind = USER_HOLD,
			};
			ck_assert_int_eq(pin(user), 0);
		}
		ck_assert_uint_eq(count_runs(), SHIM_USER_NPAGES);
		shuffle(order, SHIM_USER_NPAGES, &seed);
		for (i = 0; i < SHIM_USER_NPAGES; i++)
			unpin(&pins[order[i]]);
		ck_assert_uint_eq(count_runs(), 1);
		ck_assert_uint_eq(shim_allocated_nbytes, nbytes);
	}
	if (_i % 2)
		unpin(&all);
	ck_assert_uint_eq(shim_allocated_nbytes, nbytes);
}
END_TEST

START_TEST(a_list_of_what_is_not_pinned_is_refused)
{
	struct page *list[3];

	make_store(STORE_NPAGES, true);
	shim_expected_warnings = 1;
	ck_assert_int_eq(store_list(&pages, 3, 5, list), -EFAULT);
	ck_assert_uint_eq(shim_expected_warnings, 0);
}
END_TEST

START_TEST(a_part_of_a_store_that_is_not_shared_is_refused)
{
	struct store_user user = { .first_index = 3, .last_index = 9 };

	make_store(STORE_NPAGES, true);
	shim_expected_warnings = 2;
	ck_assert_int_eq(store_pin(&pages, &user), -EINVAL);
	share_store();
	ck_assert_int_eq(pin(NULL), -EINVAL);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(shim_npinned, 0);
}
END_TEST

START_TEST(a_pin_of_another_kind_is_not_found)
{
	struct store_user hold = { .first_index = 3, .last_index = 9, .kind = USER_HOLD };
	struct store_user pinner = { .first_index = 3, .last_index = 9, .kind = USER_ACCESS_PIN };

	make_store(STORE_NPAGES, true);
	share_store();
	ck_assert_int_eq(pin(&hold), 0);
	store_lock(&pages);
	ck_assert_ptr_null(find_user(USER_ACCESS_PIN, 0, 9));
	store_unlock(&pages);
	ck_assert_int_eq(pin(&pinner), 0);
	store_lock(&pages);
	ck_assert_ptr_eq(find_user(USER_ACCESS_PIN, 0, 9), &pinner);
	ck_assert_ptr_eq(find_user(USER_HOLD, 0, 9), &hold);
	store_unlock(&pages);
	unpin(&hold);
	unpin(&pinner);
}
END_TEST

START_TEST(a_pin_of_another_owner_or_another_area_is_not_found)
{
	struct store_user pins[] = {
		{ .first_index = 3, .last_index = 9, .kind = USER_ACCESS_PIN, .owner = 2 },
		{ .first_index = 3, .last_index = 9, .kind = USER_ACCESS_PIN, .owner = 5 },
		{ .first_index = 3, .last_index = 9, .kind = USER_ACCESS_PIN, .owner = 1 },
		{ .first_index = 3, .last_index = 9, .kind = USER_ACCESS_PIN, .owner = 2,
		  .iova = 7 * PAGE_SIZE },
	};
	struct store_user wanted = pins[2];
	unsigned int i;

	make_store(STORE_NPAGES, true);
	share_store();
	for (i = 0; i < ARRAY_SIZE(pins); i++)
		ck_assert_int_eq(pin(&pins[i]), 0);
	store_lock(&pages);
	for (i = 0; i < ARRAY_SIZE(pins); i++)
		ck_assert_ptr_eq(store_find_user(&pages, &pins[i]), &pins[i]);
	ck_assert_ptr_null(find_user(USER_ACCESS_PIN, 3, 9));
	wanted.iova = 7 * PAGE_SIZE;
	ck_assert_ptr_null(store_find_user(&pages, &wanted));
	store_unlock(&pages);
	for (i = 0; i < ARRAY_SIZE(pins); i++)
		unpin(&pins[i]);
}
END_TEST

/* --- holds beside the store, with a page of their own */

#define HELD		5UL		/* the index of the page that is held */

static struct store_user all;		/* needs all pages, as an area in a domain does */
static struct store_beside beside;

/* Makes a store with all pages pinned. @reserved: its page at HELD is reserved. */
static void make_filled_store(bool reserved)
{
	make_store(STORE_NPAGES, true);
	share_store();
	shim_pages[HELD].reserved = reserved;
	beside = (struct store_beside){ };
	all = (struct store_user){ .last_index = STORE_NPAGES - 1 };
	ck_assert_int_eq(pin(&all), 0);
}

/* Makes a hold while the process has @page at HELD, or nothing there. */
static int hold(struct store_hold *held, struct page *page)
{
	int ret;

	*held = (struct store_hold){
		.user = { .first_index = HELD, .last_index = HELD, .kind = USER_HOLD },
	};
	process.mm.pages[HELD] = page;
	store_lock(&pages);
	ret = store_hold(&pages, held, &beside);
	store_unlock(&pages);
	return ret;
}

static void let_go(struct store_hold *held)
{
	store_lock(&pages);
	store_drop_beside(&pages, held);
	store_unlock(&pages);
}

static void check_beside(long npinned, long ncharged, unsigned long nlocked)
{
	account_pay(&refund);
	ck_assert_int_eq(beside.npinned.n, npinned);
	ck_assert_int_eq(beside.ncharged.n, ncharged);
	ck_assert_uint_eq(process.mm.locked_vm, nlocked);
}

/* An unpin must not need memory. */
static void unpin_without_memory(struct store_user *user)
{
	shim_fail_one_in = 1;
	unpin(user);
	shim_fail_one_in = 0;
}

START_TEST(a_hold_of_the_page_that_the_store_has_is_not_beside)
{
	struct store_hold held;

	make_filled_store(false);
	ck_assert_int_eq(hold(&held, &shim_pages[HELD]), 0);
	ck_assert_ptr_null(held.beside);
	ck_assert_uint_eq(shim_pages[HELD].npins, 1);
	unpin(&all);
	ck_assert_uint_eq(shim_pages[HELD].npins, 1);
	unpin(&held.user);
	check_beside(0, 0, 0);
}
END_TEST

/* The first hold brings its page into the store. The second one gets what the owner has by then. */
START_TEST(a_hold_follows_the_owner_past_another_hold)
{
	struct store_hold first, second;

	make_store(STORE_NPAGES, true);
	share_store();
	beside = (struct store_beside){ };
	ck_assert_int_eq(hold(&first, &shim_pages[HELD]), 0);
	ck_assert_ptr_null(first.beside);
	ck_assert_int_eq(hold(&second, &shim_pages[100]), 0);
	ck_assert_ptr_eq(first.page, &shim_pages[HELD]);
	ck_assert_ptr_eq(second.page, &shim_pages[100]);
	check_beside(1, 0, 1);
	unpin(&first.user);
	check_beside(1, 1, 1);
	let_go(&second);
	check_beside(0, 0, 0);
	ck_assert_uint_eq(count_runs(), 1);
}
END_TEST

/* When the store is pinned again, the process has a third page there. */
START_TEST(a_page_beside_keeps_the_charge_of_one_that_goes)
{
	struct store_hold held;

	make_filled_store(false);
	ck_assert_int_eq(hold(&held, &shim_pages[100]), 0);
	ck_assert_ptr_eq(held.page, &shim_pages[100]);
	check_beside(1, 0, STORE_NPAGES);
	unpin_without_memory(&all);
	ck_assert_uint_eq(shim_npinned, 1);
	check_beside(1, 1, 1);
	process.mm.pages[HELD] = &shim_pages[101];
	ck_assert_int_eq(pin(&all), 0);
	ck_assert_uint_eq(shim_pages[101].npins, 1);
	check_beside(1, 1, STORE_NPAGES + 1);
	if (_i) {
		let_go(&held);
		check_beside(0, 0, STORE_NPAGES);
		unpin_without_memory(&all);
	} else {
		unpin_without_memory(&all);
		check_beside(1, 1, 1);
		let_go(&held);
	}
	check_beside(0, 0, 0);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_uint_eq(count_runs(), 1);
}
END_TEST

START_TEST(a_page_beside_is_covered_as_long_as_anybody_needs_the_other)
{
	struct store_user pinner = { .first_index = 3, .last_index = 9, .kind = USER_ACCESS_PIN };
	struct store_hold held;

	make_filled_store(false);
	ck_assert_int_eq(hold(&held, &shim_pages[100]), 0);
	ck_assert_int_eq(pin(&pinner), 0);
	unpin_without_memory(&all);
	check_beside(1, 0, 7);
	ck_assert_uint_eq(shim_pages[HELD].npins, 1);
	if (_i) {
		let_go(&held);
		check_beside(0, 0, 7);
		unpin_without_memory(&pinner);
	} else {
		unpin_without_memory(&pinner);
		check_beside(1, 1, 1);
		ck_assert_uint_eq(shim_pages[HELD].npins, 0);
		let_go(&held);
	}
	check_beside(0, 0, 0);
	ck_assert_uint_eq(count_runs(), 1);
}
END_TEST

/*
 * The first hold whose page is not reserved is covered by the page of the store, unless that one is
 * reserved.
 */
START_TEST(holds_beside_one_page_are_charged_once_each_in_any_order)
{
	static const unsigned int orders[][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	const unsigned int *order = orders[_i / 2 % ARRAY_SIZE(orders)];
	bool reserved = _i % 2;
	struct store_hold holds[3];
	unsigned int i;

	shim_pages[101].reserved = true;
	make_filled_store(reserved);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(hold(&holds[order[i]], &shim_pages[100 + order[i]]), 0);
	check_beside(3, reserved ? 2 : 1, STORE_NPAGES + 1);
	unpin_without_memory(&all);
	check_beside(3, 2, 2);
	order = orders[_i / 2 / ARRAY_SIZE(orders)];
	for (i = 0; i < 3; i++)
		let_go(&holds[order[i]]);
	check_beside(0, 0, 0);
	ck_assert_uint_eq(shim_npinned, 0);
}
END_TEST

START_TEST(a_hold_of_a_dead_process_is_refused)
{
	struct store_hold held;

	make_filled_store(false);
	process.mm.mm_users = 0;
	ck_assert_int_eq(hold(&held, &shim_pages[100]), -EFAULT);
	ck_assert_int_eq(process.mm.mm_users, 0);
	check_beside(0, 0, STORE_NPAGES);
	process.mm.mm_users = 1;
	unpin(&all);
}
END_TEST

START_TEST(a_hold_that_cannot_have_its_page_leaves_no_trace)
{
	struct store_hold covered, held;

	make_filled_store(false);
	ck_assert_int_eq(hold(&held, NULL), -EFAULT);
	check_beside(0, 0, STORE_NPAGES);
	process.task.memlock_nbytes = STORE_NPAGES * PAGE_SIZE;
	ck_assert_int_eq(hold(&covered, &shim_pages[100]), 0);
	ck_assert_int_eq(hold(&held, &shim_pages[101]), -ENOMEM);
	check_beside(1, 0, STORE_NPAGES);
	ck_assert_uint_eq(shim_npinned, STORE_NPAGES + 1);
	let_go(&covered);
	ck_assert_int_eq(hold(&held, &shim_pages[101]), 0);
	let_go(&held);
	ck_assert_uint_eq(shim_npinned, STORE_NPAGES);
	ck_assert_uint_eq(count_runs(), 1);
	unpin(&all);
}
END_TEST

START_TEST(a_hold_beside_a_store_that_is_stuck_stays_covered)
{
	struct store_hold held;

	make_filled_store(false);
	ck_assert_int_eq(hold(&held, &shim_pages[100]), 0);
	pages.leaked = true;
	unpin(&all);
	check_beside(1, 0, STORE_NPAGES);
	let_go(&held);
	check_beside(0, 0, STORE_NPAGES);
	ck_assert_uint_eq(shim_npinned, STORE_NPAGES);
	pages.leaked = false;
	ck_assert_int_eq(pin(&all), 0);
	unpin(&all);
}
END_TEST

static void copy(unsigned long byte, char *data, unsigned long nbytes, bool write, int ret)
{
	store_lock(&pages);
	ck_assert_int_eq(store_copy(&pages, byte, data, nbytes, write), ret);
	store_unlock(&pages);
}

START_TEST(device_memory_is_one_run_however_small_the_batches_are)
{
	make_store(STORE_NPAGES, true);
	pages.pin_rules = STOCK_PIN_RULES;
	make_mmio(0, STORE_NPAGES, 0x5000);
	/* The large list of pages cannot be allocated: batches are small. */
	shim_fail_in = 1;
	ck_assert_int_eq(store_pin(&pages, NULL), 0);
	ck_assert_int_eq(shim_fail_in, 0);
	ck_assert_uint_eq(count_runs(), 1);
	store_unpin(&pages, NULL, &refund);
}
END_TEST

START_TEST(an_unpin_of_all_of_a_shared_store_is_refused)
{
	struct store_user user = { .first_index = 3, .last_index = 9 };

	make_store(STORE_NPAGES, true);
	share_store();
	ck_assert_int_eq(pin(&user), 0);
	shim_expected_warnings = 1;
	unpin(NULL);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(shim_npinned, 7);
	unpin(&user);
}
END_TEST

START_TEST(a_dying_process_does_not_wait_for_an_mm)
{
	unsigned long pfn;
	struct page *page;

	make_store(2, true);
	make_mmio(1, 2, 0x5000);
	process.task.is_dying = true;
	ck_assert_int_eq(pin_one(&process.mm, SHIM_USER_BASE, FOLL_WRITE, &page), -EINTR);
	ck_assert_int_eq(pin_find_mmio(&process.mm, SHIM_USER_BASE + PAGE_SIZE, 1, true, &pfn),
			 -EINTR);
	process.task.is_dying = false;
	ck_assert_uint_eq(shim_npinned, 0);
}
END_TEST

/* First it is present, so that no page fault comes; then it must not be written. */
START_TEST(device_memory_that_is_there_is_taken_as_it_is)
{
	make_store(2, true);
	pages.pin_rules = STOCK_PIN_RULES;
	make_mmio(0, 1, 0x5000);
	process.mm.mmio[0].fault_ret = -EFAULT;
	ck_assert_int_eq(store_pin(&pages, NULL), 0);
	store_unpin(&pages, NULL, &refund);
	process.mm.read_only[0] = true;
	ck_assert_int_eq(store_pin(&pages, NULL), -EFAULT);
}
END_TEST

START_TEST(a_hold_of_what_must_not_be_written_any_more_is_refused)
{
	struct store_hold held;

	make_filled_store(false);
	pages.pin_rules = STOCK_PIN_RULES;
	process.mm.read_only[HELD] = true;
	ck_assert_int_eq(hold(&held, &shim_pages[100]), -EFAULT);
	process.mm.read_only[HELD] = false;
	check_beside(0, 0, STORE_NPAGES);
	unpin(&all);
}
END_TEST

START_TEST(a_hold_of_device_memory_is_invalid_whoever_may_write)
{
	struct store_hold held;

	make_filled_store(false);
	pages.pin_rules = STOCK_PIN_RULES;
	pages.writable = _i;
	make_mmio(HELD, HELD + 1, 0x5000);
	ck_assert_int_eq(hold(&held, NULL), -EINVAL);
	check_beside(0, 0, STORE_NPAGES);
	unpin(&all);
}
END_TEST

START_TEST(a_copy_reaches_what_is_pinned_and_what_is_not)
{
	struct store_user user = { .first_index = 1, .last_index = 1 };
	char data[2 * PAGE_SIZE];
	unsigned long i;

	make_store(4, true);
	share_store();
	ck_assert_int_eq(pin(&user), 0);
	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 7;
	copy(PAGE_SIZE / 2, data, sizeof(data), true, 0);
	memset(data, 0, sizeof(data));
	copy(PAGE_SIZE / 2, data, sizeof(data), false, 0);
	for (i = 0; i < sizeof(data); i++)
		expect(data[i] == (char)(i * 7));
	ck_assert_int_eq(shim_page_data(&shim_pages[1])[0], (char)(PAGE_SIZE / 2 * 7));
	ck_assert(shim_pages[0].dirty && shim_pages[1].dirty && !shim_pages[3].dirty);
	ck_assert_uint_eq(shim_npinned, 1);
	unpin(&user);
}
END_TEST

START_TEST(a_copy_of_a_dead_process_reaches_only_what_is_pinned)
{
	struct store_user user = { .first_index = 1, .last_index = 1 };
	char data[PAGE_SIZE];

	make_store(4, true);
	share_store();
	ck_assert_int_eq(pin(&user), 0);
	process.mm.locked_vm = 0;
	process.mm.mm_users = 0;
	current = &other.task;
	copy(PAGE_SIZE, data, PAGE_SIZE, false, 0);
	copy(PAGE_SIZE + 1, data, PAGE_SIZE, false, -EFAULT);
	ck_assert(!shim_pages[1].dirty);
	unpin(&user);
}
END_TEST

START_TEST(a_copy_of_device_memory_is_refused)
{
	struct store_user user = { .first_index = 0, .last_index = 2 };
	char data[PAGE_SIZE] = { };

	make_store(3, true);
	pages.pin_rules = STOCK_PIN_RULES;
	make_mmio(1, 2, 0x5000);
	share_store();
	ck_assert_int_eq(pin(&user), 0);
	copy(PAGE_SIZE, data, 8, false, -EFAULT);
	copy(PAGE_SIZE, data, 8, true, -EFAULT);
	copy(2 * PAGE_SIZE, data, 8, true, 0);
	unpin(&user);
}
END_TEST

START_TEST(a_copy_fails_as_its_pin_does)
{
	char data[PAGE_SIZE];

	make_store(4, true);
	share_store();
	process.mm.pages[2] = NULL;
	copy(2 * PAGE_SIZE, data, PAGE_SIZE, false, -EFAULT);
	shim_fail_in = 1;
	copy(PAGE_SIZE, data, PAGE_SIZE, false, -ENOMEM);
	ck_assert_uint_eq(shim_npinned, 0);
}
END_TEST

/* --- random sequences */

static bool is_needed(unsigned long index)
{
	unsigned int i;

	for (i = 0; i < MAX_USERS; i++)
		if (used[i] && index >= users[i].first_index && index <= users[i].last_index)
			return true;
	return false;
}

static bool is_border(unsigned long index)
{
	unsigned int i;

	for (i = 0; i < MAX_USERS; i++)
		if (used[i] && (users[i].first_index == index ||
				users[i].last_index + 1 == index))
			return true;
	return false;
}

/* Runs are split at each border of a user's part, and nowhere else. */
static void check_borders(void)
{
	struct extent_cursor cursor;
	struct extent run, next;
	unsigned long index = 0;
	bool more;

	more = extents_first(&pages.extents, &cursor, 0, STORE_NPAGES - 1, &next);
	while (more) {
		run = next;
		more = extents_next(&pages.extents, &cursor, STORE_NPAGES - 1, &next);
		expect(!more || is_border(next.index) || !extent_continues(&run, &next));
		while (++index < run.index + run.npages)
			expect(run.kind == EXTENT_HOLE || !is_border(index));
	}
}

static void check_all(void)
{
	unsigned int expected[SHIM_NPAGES] = { };
	unsigned long ncharged = 0;
	unsigned long i;

	for (i = 0; i < STORE_NPAGES; i++) {
		if (!is_needed(i))
			continue;
		expected[process.mm.pages[i] - shim_pages]++;
		ncharged += !process.mm.pages[i]->reserved;
	}
	for (i = 0; i < SHIM_NPAGES; i++)
		expect(shim_pages[i].npins == expected[i]);
	account_pay(&refund);
	expect(process.mm.locked_vm == ncharged);
	expect(process.mm.mm_users == 1);
	check_borders();
}

/* Checks that store_list() lists the pages of a user in their order. */
static void check_list(const struct store_user *user)
{
	struct page *list[STORE_NPAGES];
	unsigned long i;

	store_lock(&pages);
	store_list(&pages, user->first_index, user->last_index, list);
	store_unlock(&pages);
	for (i = user->first_index; i <= user->last_index; i++)
		expect(list[i - user->first_index] == process.mm.pages[i]);
}

/* Shows pieces of memory: parts of folios, reserved pages, and pages that are shown twice. */
static void scatter(unsigned long *seed)
{
	unsigned long i, page = 0;

	for (i = 0; i < SHIM_NPAGES; i += 16)
		if (random_below(seed, 2))
			shim_make_folio(i, 16);
	for (i = 0; i < STORE_NPAGES; i++) {
		if (!random_below(seed, 4))
			page = random_below(seed, 200);
		process.mm.pages[i] = &shim_pages[page++];
	}
	/* Only folios of one page can be reserved. */
	for (i = 0; i < 200; i++)
		if (!shim_pages[i].to_head && shim_pages[i].folio_npages == 1)
			shim_pages[i].reserved = !random_below(seed, 4);
}

/* Can all pages that a user needs be pinned? */
static bool is_there(const struct store_user *user)
{
	unsigned long i;

	for (i = user->first_index; i <= user->last_index; i++)
		if (process.mm.read_only[i] && !is_needed(i))
			return false;
	return true;
}

static unsigned long nmore_charged(const struct store_user *user)
{
	unsigned long i, n = 0;

	for (i = user->first_index; i <= user->last_index; i++)
		n += !is_needed(i) && !process.mm.pages[i]->reserved;
	return n;
}

static void random_pin(unsigned long *seed, unsigned int slot, bool failing)
{
	struct store_user *user = &users[slot];
	bool possible;
	int ret;

	memset(user, 0xa5, sizeof(*user));
	user->kind = random_below(seed, 3);
	user->first_index = random_below(seed, STORE_NPAGES);
	user->last_index = user->first_index +
			   random_below(seed, STORE_NPAGES - user->first_index);
	shim_fail_in = failing ? random_below(seed, 12) : 0;
	shim_pin_at_most = random_below(seed, 2) ? 0 : 1 + random_below(seed, 5);
	current = random_below(seed, 2) ? &process.task : &other.task;
	possible = is_there(user) &&
		   process.mm.locked_vm + nmore_charged(user) <= LIMIT_NPAGES;
	ret = pin(user);
	expect(!ret || !possible || failing);
	expect(ret || possible);
	used[slot] = !ret;
	shim_fail_in = 0;
}

static void random_divide(unsigned long *seed, unsigned int slot, bool failing)
{
	struct store_user *lower = &users[slot];
	unsigned int other_slot = random_below(seed, MAX_USERS);
	unsigned long border, npages = lower->last_index - lower->first_index;
	bool same_page = random_below(seed, 2);
	int ret;

	if (used[other_slot] || !npages)
		return;
	border = lower->first_index + random_below(seed, npages);
	shim_fail_in = failing ? random_below(seed, 4) : 0;
	store_lock(&pages);
	ret = store_divide(&pages, lower, &users[other_slot], border, border + !same_page);
	store_unlock(&pages);
	shim_fail_in = 0;
	expect(!ret || failing);
	used[other_slot] = !ret;
}

static void random_step(unsigned long *seed, bool failing)
{
	unsigned int slot = random_below(seed, MAX_USERS);

	if (!used[slot]) {
		random_pin(seed, slot, failing);
	} else if (random_below(seed, 3)) {
		current = random_below(seed, 2) ? &process.task : &other.task;
		unpin(&users[slot]);
		used[slot] = false;
	} else {
		random_divide(seed, slot, failing);
	}
}

static void random_sequence(unsigned long seed, bool failing)
{
	unsigned int i;

	make_store(STORE_NPAGES, true);
	scatter(&seed);
	process.task.memlock_nbytes = LIMIT_NPAGES * PAGE_SIZE;
	share_store();
	for (i = 0; i < 1000; i++) {
		unsigned long index = random_below(&seed, STORE_NPAGES);

		/* A page that is read-only cannot be pinned any more; a pin that exists stays. */
		process.mm.read_only[index] = !random_below(&seed, 10);
		random_step(&seed, failing);
		check_all();
	}
	for (i = 0; i < MAX_USERS; i++) {
		if (!used[i])
			continue;
		check_list(&users[i]);
		unpin(&users[i]);
		used[i] = false;
		check_all();
	}
}

START_TEST(random_users_get_what_they_need)
{
	random_sequence(begin_random(_i + 1), false);
}
END_TEST

START_TEST(random_users_get_all_or_nothing_where_things_fail)
{
	random_sequence(begin_random(_i + 1), true);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *tcase = tcase_create("store");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_store_that_is_not_shared_is_pinned_as_a_whole);
	tcase_add_test(tcase, memory_that_no_device_writes_to_does_not_become_dirty);
	tcase_add_test(tcase,
		       memory_that_must_not_be_written_is_not_pinned_for_a_device_that_may);
	tcase_add_test(tcase, one_page_over_the_limit_is_not_pinned);
	tcase_add_test(tcase, a_partial_first_and_last_page_belong_to_the_store);
	tcase_add_test(tcase, without_memory_for_a_list_batches_are_small);
	tcase_add_test(tcase, the_folio_that_crosses_the_limit_leaves_no_trace);
	tcase_add_test(tcase, reserved_pages_are_pinned_but_not_charged);
	tcase_add_test(tcase, device_memory_is_neither_pinned_nor_charged);
	tcase_add_test(tcase,
		       a_sum_tells_what_is_pinned_and_charged_and_where_it_stopped);
	tcase_add_test(tcase, device_memory_that_goes_on_behind_a_store_is_not_part_of_it);
	tcase_add_test(tcase, pfnmap_of_unpinnable_or_read_only_memory_is_refused);
	tcase_add_test(tcase, one_page_of_device_memory_is_a_store);
	tcase_add_test(tcase, a_fatal_signal_stops_a_pin);
	tcase_add_test(tcase, memory_at_the_last_address_faults);
	tcase_add_test(tcase, another_process_pins_the_memory_of_the_owner);
	tcase_add_loop_test(tcase, memory_of_a_dead_process_cannot_be_pinned, 0, 2);
	tcase_add_test(tcase, what_is_pinned_already_can_be_pinned_when_the_owner_is_dead);
	tcase_add_test(tcase, want_of_memory_to_fault_in_device_memory_is_told);
	tcase_add_loop_test(tcase, a_map_says_why_device_memory_cannot_be_faulted_in, 0,
			    ARRAY_SIZE(faults));
	tcase_add_test(tcase, device_memory_is_found_at_a_tagged_address);
	tcase_add_loop_test(tcase, type1_maps_what_a_protection_key_forbids_the_caller, 0, 4);
	tcase_add_loop_test(tcase, type1_refuses_to_read_what_the_process_may_not_read, 0, 2);
	tcase_add_test(tcase, type1_maps_registers_that_a_protection_key_forbids_the_caller);
	tcase_add_loop_test(tcase, the_zero_page_is_not_pinned, 0, 4);
	tcase_add_loop_test(tcase, the_zero_page_is_not_unpinned_by_a_failure, 0, 3);
	tcase_add_test(tcase, a_store_that_is_stuck_stays_pinned);
	tcase_add_test(tcase, a_pin_is_found_by_exactly_its_range);
	tcase_add_test(tcase, a_part_of_a_store_that_is_not_shared_is_refused);
	tcase_add_test(tcase, a_pin_of_another_kind_is_not_found);
	tcase_add_test(tcase, a_pin_of_another_owner_or_another_area_is_not_found);
	tcase_add_loop_test(tcase, after_a_pin_that_failed_the_next_gets_all_its_pages, 0, 12);
	tcase_add_test(tcase, a_shared_pin_that_failed_leaves_the_runs_as_they_were);
	tcase_add_test(tcase, a_border_stays_as_long_as_somebody_needs_it);
	tcase_add_test(tcase, an_unpin_beside_many_users_pauses);
	tcase_add_test(tcase, an_unpin_takes_no_step_for_users_that_lie_in_others);
	tcase_add_loop_test(tcase, an_unpin_of_a_long_run_pauses, 2 * UNPIN_AT_ONCE,
			    2 * UNPIN_AT_ONCE + 2);
	tcase_add_test(tcase, a_look_at_all_runs_of_a_store_pauses);
	tcase_add_loop_test(tcase, pins_of_every_page_leave_nothing_behind, 0, 4);
	tcase_add_test(tcase, a_list_of_what_is_not_pinned_is_refused);
	tcase_add_test(tcase, a_hold_of_the_page_that_the_store_has_is_not_beside);
	tcase_add_test(tcase, a_hold_follows_the_owner_past_another_hold);
	tcase_add_loop_test(tcase, a_page_beside_keeps_the_charge_of_one_that_goes, 0, 2);
	tcase_add_loop_test(tcase, a_page_beside_is_covered_as_long_as_anybody_needs_the_other,
			    0, 2);
	tcase_add_loop_test(tcase,
			    holds_beside_one_page_are_charged_once_each_in_any_order,
			    0, 72);
	tcase_add_test(tcase, a_hold_of_a_dead_process_is_refused);
	tcase_add_test(tcase, a_hold_that_cannot_have_its_page_leaves_no_trace);
	tcase_add_test(tcase, a_hold_beside_a_store_that_is_stuck_stays_covered);
	tcase_add_test(tcase, device_memory_is_one_run_however_small_the_batches_are);
	tcase_add_test(tcase, an_unpin_of_all_of_a_shared_store_is_refused);
	tcase_add_test(tcase, a_dying_process_does_not_wait_for_an_mm);
	tcase_add_test(tcase, device_memory_that_is_there_is_taken_as_it_is);
	tcase_add_test(tcase, a_hold_of_what_must_not_be_written_any_more_is_refused);
	tcase_add_loop_test(tcase, a_hold_of_device_memory_is_invalid_whoever_may_write, 0, 2);
	tcase_add_test(tcase, a_copy_reaches_what_is_pinned_and_what_is_not);
	tcase_add_test(tcase, a_copy_of_a_dead_process_reaches_only_what_is_pinned);
	tcase_add_test(tcase, a_copy_of_device_memory_is_refused);
	tcase_add_test(tcase, a_copy_fails_as_its_pin_does);
	tcase_add_loop_test(tcase, random_users_get_what_they_need, 0, 10);
	tcase_add_loop_test(tcase, random_users_get_all_or_nothing_where_things_fail, 0, 20);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
