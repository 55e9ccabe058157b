// SPDX-License-Identifier: GPL-2.0-only
/*
 * map and copy: cases that random sequences hardly meet.
 */
#include "compat/stock.h"
#include "lib_ioas.h"
#include "lib_run.h"

START_TEST(a_map_that_wraps_is_refused)
{
	ck_assert_int_eq(map_pages(ioas, -PAGE_SIZE, 2, 0), -EOVERFLOW);
	ck_assert_int_eq(map_pages(ioas, -PAGE_SIZE, 1, 0), 0);
}
END_TEST

/* Replaces the context and its IOAS by new ones with a limit of areas. */
static void limit_areas(unsigned long nareas)
{
	ioas_ctx_destroy(&ctx);
	ioas_ctx_init(&ctx, NULL);
	ioas_ctx_limit_areas(&ctx, nareas);
	ioas = ioas_create(&ctx);
	ioas_object_publish(&ioas->object);
}

static int map_type1(unsigned long iova)
{
	struct ioas_map map = {
		.rule = MAP_OVERLAP_FIRST, .uptr = SHIM_USER_BASE,
		.iova = iova, .nbytes = PAGE_SIZE,
		.iommu_prot = IOMMU_READ, .account_mode = ACCOUNT_MLOCK,
		.pin_rules = STOCK_PIN_RULES,
		.min_alignment = PAGE_SIZE,
	};
	int ret;

	ioas_enter(ioas);
	ret = ioas_map(ioas, &map);
	ioas_leave(ioas);
	return ret;
}

static int reserve_first_page(const void *owner)
{
	int ret;

	down_write(&ioas->domains_rwsem);
	ret = iova_reserve(&ioas->iova_space, 0, PAGE_SIZE - 1, owner);
	up_write(&ioas->domains_rwsem);
	return ret;
}

static void unreserve(const void *owner)
{
	down_write(&ioas->domains_rwsem);
	iova_unreserve(&ioas->iova_space, owner);
	up_write(&ioas->domains_rwsem);
}

START_TEST(type1_says_overlap_before_number_before_reserved)
{
	static const int owner;
	unsigned long unmapped;

	limit_areas(1);
	ck_assert_int_eq(reserve_first_page(&owner), 0);
	ck_assert_int_eq(map_type1(0), -EINVAL);
	ck_assert_int_eq(map_type1(IOVA), 0);
	ck_assert_int_eq(map_type1(IOVA), -EEXIST);
	ck_assert_int_eq(map_type1(0), -ENOSPC);
	ck_assert_int_eq(map_type1(2 * IOVA), -ENOSPC);
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 1, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_int_eq(map_type1(2 * IOVA), 0);
	unreserve(&owner);
}
END_TEST

START_TEST(a_map_anywhere_of_half_the_space_overflows)
{
	struct ioas_map map = {
		.rule = MAP_ANYWHERE, .uptr = PAGE_SIZE, .nbytes = ULONG_MAX / 2 + 1,
		.iommu_prot = IOMMU_READ, .min_alignment = 1,
	};

	ioas_prepare_search(ioas);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_map(ioas, &map), -EOVERFLOW);
	ioas_leave(ioas);
}
END_TEST

/* The second piece cannot be pinned: the first one is removed again. */
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
	ck_assert_ptr_null(hwpt->mirror.domain->mappings);
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

#define LEVELS_3	(1UL << 39)	/* the first address beyond a table of three levels */
#define LEVELS_4	(1UL << 48)
#define LEVELS_5	(1UL << 57)

static enum shim_hold held_at_map;

static void note_hold(unsigned long iova, phys_addr_t paddr, size_t nbytes)
{
	(void)iova, (void)paddr, (void)nbytes;
	held_at_map = shim_held(&ioas->domains_rwsem.shim);
}

static void check_hold(bool is_type1, unsigned long iova, enum shim_hold hold)
{
	held_at_map = HOLDS_NOTHING;
	if (is_type1)
		ck_assert_int_eq(map_type1(iova), 0);
	else
		ck_assert_int_eq(map_pages(ioas, iova, 1, 0), 0);
	ck_assert_int_eq(held_at_map, hold);
}

/* An IOMMU driver must not add a level to the table of a domain while other calls use it. */
START_TEST(a_map_that_needs_more_levels_is_alone)
{
	struct ioas_hwpt *hwpt;
	unsigned long unmapped;

	hwpt = add_domain(ioas, PAGE_SIZE);
	shim_on_map = note_hold;
	check_hold(_i, LEVELS_3 - PAGE_SIZE, HOLDS_READ);
	check_hold(_i, LEVELS_3, HOLDS_WRITE);
	check_hold(_i, LEVELS_3 + PAGE_SIZE, HOLDS_READ);
	ck_assert_int_eq(unmap_pages(ioas, LEVELS_3, 2, UNMAP_UPWARD, &unmapped), 0);
	check_hold(_i, LEVELS_4 - PAGE_SIZE, HOLDS_READ);
	check_hold(_i, LEVELS_5, HOLDS_WRITE);
	check_hold(_i, LEVELS_4, HOLDS_READ);
	check_hold(_i, LEVELS_5 - PAGE_SIZE, HOLDS_READ);
	check_hold(_i, -PAGE_SIZE, HOLDS_READ);
	/* A new domain has only the levels that the existing areas needed. */
	ck_assert_int_eq(unmap_pages(ioas, LEVELS_5, 1, UNMAP_UPWARD, &unmapped), 0);
	ck_assert_int_eq(unmap_pages(ioas, -PAGE_SIZE, 1, UNMAP_UPWARD, &unmapped), 0);
	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	check_hold(_i, LEVELS_4 + PAGE_SIZE, HOLDS_READ);
	check_hold(_i, LEVELS_5, HOLDS_WRITE);
	remove_domain(hwpt);
	shim_on_map = NULL;
}
END_TEST

START_TEST(a_map_that_fails_may_have_left_the_levels_out)
{
	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	shim_on_map = note_hold;
	process.mm.pages[7] = NULL;
	ck_assert_int_eq(map_pages(ioas, LEVELS_3, 1, 7), -EFAULT);
	ck_assert_uint_eq(ioas->iova_space.nareas, 0);
	check_hold(false, LEVELS_3, HOLDS_WRITE);
	check_hold(false, LEVELS_3 + PAGE_SIZE, HOLDS_READ);
	shim_on_map = NULL;
}
END_TEST

/* Without a domain there is no page table. */
START_TEST(a_map_without_a_domain_is_never_alone)
{
	ck_assert_uint_eq(ioas->iova_space.reach, ULONG_MAX);
	ck_assert_int_eq(map_pages(ioas, LEVELS_5, 1, 0), 0);
	ck_assert_uint_eq(ioas->iova_space.reach, ULONG_MAX);
}
END_TEST

static void map_low(void *unused)
{
	unsigned int i;

	current = &process.task;
	for (i = 0; i < 4; i++)
		expect(!map_pages(ioas, IOVA + i * PAGE_SIZE, 1, 0));
}

static void map_high(void *unused)
{
	current = &process.task;
	expect(!map_pages(ioas, LEVELS_3, 1, 1));
	expect(!map_pages(ioas, LEVELS_5, 1, 2));
}

static void map_and_unmap(void *unused)
{
	unsigned long unmapped;

	current = &process.task;
	expect(!map_pages(ioas, 2 * IOVA, 1, 3));
	expect(!unmap_pages(ioas, 2 * IOVA, 1, UNMAP_WHOLE, &unmapped));
}

/* The domain of the shim warns if other calls are at work when it gets a level. */
START_TEST(levels_are_added_beside_no_map_and_no_unmap)
{
	const struct shim_thread threads[] = { { map_low }, { map_high }, { map_and_unmap } };

	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
}
END_TEST

static bool begun, ended;
static unsigned int nmade;

static void empty(void *unused)
{
	current = &process.task;
	down_write(&ioas->domains_rwsem);
	begun = true;
	ioas_empty(ioas);
	ended = true;
	ioas_leave(ioas);
}

static void map_on(void *start)
{
	unsigned long iova = (unsigned long)start;
	unsigned int i;

	current = &process.task;
	for (i = 0; i < 100 && !ended; i++) {
		expect(!map_pages(ioas, iova + i * PAGE_SIZE, 1, 0));
		nmade += begun && !ended;
	}
}

/* Otherwise the walk over all areas would not end while others map ahead of it. */
START_TEST(nothing_is_mapped_while_an_ioas_is_emptied)
{
	const struct shim_thread threads[] = {
		{ map_on, (void *)LEVELS_3 }, { map_on, (void *)LEVELS_4 }, { empty },
		{ map_on, (void *)LEVELS_5 },
	};
	unsigned long unmapped, seed;

	for (seed = 1; seed <= 100; seed++) {
		begun = false;
		ended = false;
		nmade = 0;
		shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(seed));
		expect(ended);
		/* Each thread may have had one map under way. */
		expect(nmade <= 3);
		/* The IOAS can be used as before. */
		expect(!map_pages(ioas, IOVA, 1, 0));
		expect(ioas->iova_space.reach == ULONG_MAX);
		expect(!unmap_pages(ioas, 0, ULONG_MAX / PAGE_SIZE, UNMAP_ALL, &unmapped));
	}
}
END_TEST

static int fixed_ret, type1_ret;

static void kill_those_who_wait(void *unused)
{
	unsigned int i;

	down_write(&ioas->domains_rwsem);
	process.task.is_dying = true;
	for (i = 0; i < 10; i++)
		shim_might_sleep();
	process.task.is_dying = false;
	up_write(&ioas->domains_rwsem);
}

static void map_beyond(void *unused)
{
	current = &process.task;
	fixed_ret = map_pages(ioas, LEVELS_3, 1, 0);
}

START_TEST(a_dying_process_does_not_wait_to_be_alone)
{
	const struct shim_thread threads[] = { { map_beyond }, { kill_those_who_wait } };
	unsigned long unmapped, seed;
	unsigned int ndied = 0;

	for (seed = 1; seed <= 100; seed++) {
		struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);

		shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(seed));
		ck_assert(fixed_ret == 0 || fixed_ret == -EINTR);
		ck_assert_uint_eq(ioas->iova_space.nareas, fixed_ret == 0);
		ndied += fixed_ret == -EINTR;
		if (!fixed_ret)
			ck_assert_int_eq(unmap_pages(ioas, LEVELS_3, 1, UNMAP_WHOLE, &unmapped), 0);
		remove_domain(hwpt);
	}
	ck_assert_uint_gt(ndied, 0);
}
END_TEST

static void map_missing_memory(void *unused)
{
	current = &process.task;
	fixed_ret = map_pages(ioas, IOVA, 2, 20);
}

static void map_like_type1(void *unused)
{
	current = &process.task;
	type1_ret = map_type1(IOVA);
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

static void map_across_border(void *iova)
{
	current = &process.task;
	expect(!map_pages(ioas, (unsigned long)iova, 2, 0));
}

static int unmap_two_ret;

static void unmap_two(void *unused)
{
	unsigned long unmapped;

	current = &process.task;
	unmap_two_ret = unmap_pages(ioas, IOVA, 2, UNMAP_WHOLE, &unmapped);
	expect(unmap_two_ret == -EINVAL || (!unmap_two_ret && unmapped == 1));
}

/*
 * In some orders both switches are over when the unmap meets the map. The map then goes on only if
 * the unmap sleeps: an unmap that tries again without sleeping would never end.
 */
START_TEST(an_unmap_waits_for_a_map_across_either_border)
{
	const struct shim_thread threads[] = {
		{ unmap_two },
		{ map_across_border, (void *)(_i ? IOVA + PAGE_SIZE : IOVA - PAGE_SIZE) },
	};
	unsigned long first, second, noccasions, unmapped, nrefused = 0, norders = 0;

	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	shim_for_each_order(first, second, noccasions) {
		expect(!map_pages(ioas, _i ? IOVA : IOVA + PAGE_SIZE, 1, 0));
		noccasions = shim_run_in_order(threads, ARRAY_SIZE(threads), first, second);
		expect(!unmap_pages(ioas, IOVA - PAGE_SIZE, 4, UNMAP_WHOLE, &unmapped));
		expect(unmapped == (unmap_two_ret ? 3 : 2));
		nrefused += unmap_two_ret != 0;
		norders++;
	}
	ck_assert_uint_gt(nrefused, 0);
	ck_assert_uint_lt(nrefused, norders);
}
END_TEST

static unsigned int half;
static unsigned long unmapped_npages;

static void unmap_half(void *unused)
{
	current = &process.task;
	type1_ret = unmap_pages(ioas, IOVA + half * PAGE_SIZE, 1, UNMAP_WHOLE, &unmapped_npages);
}

/* The unmap comes before the map, during the map or after it: no area is divided. */
START_TEST(an_unmap_of_half_of_a_map_that_fails_finds_nothing)
{
	const struct shim_thread threads[] = { { map_missing_memory }, { unmap_half } };

	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	process.mm.pages[21] = NULL;
	half = _i % 2;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(fixed_ret == -EFAULT);
	expect(type1_ret == 0 && unmapped_npages == 0);
}
END_TEST

static void unmap_half_upward(void *unused)
{
	current = &process.task;
	type1_ret = unmap_pages(ioas, IOVA + half * PAGE_SIZE, 1, UNMAP_UPWARD, &unmapped_npages);
}

/* As in iommufd, the borders of an area that is not live do not matter: -EBUSY. */
START_TEST(an_upward_unmap_of_half_of_a_map_under_way_is_told_so)
{
	const struct shim_thread threads[] = { { map_missing_memory }, { unmap_half_upward } };

	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	process.mm.pages[21] = NULL;
	half = _i % 2;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(fixed_ret == -EFAULT);
	expect(type1_ret == 0 || type1_ret == -EBUSY);
	expect(!unmapped_npages);
}
END_TEST

/* As in stock type1, where the second map waits for a mutex. */
static void map_the_last_one(void *unused)
{
	current = &process.task;
	type1_ret = map_type1(2 * IOVA);
}

START_TEST(failing_map_does_not_use_up_the_last_entry)
{
	const struct shim_thread threads[] = { { map_missing_memory }, { map_the_last_one } };

	limit_areas(1);
	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	process.mm.pages[21] = NULL;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(fixed_ret == -EFAULT || fixed_ret == -ENOSPC);
	expect(type1_ret == 0);
	expect(map_type1(3 * IOVA) == -ENOSPC);
}
END_TEST

static int last_check;

static int check_last(struct ioas *checked)
{
	struct ioas_area *area;

	ck_assert_ptr_eq(checked, ioas);
	/* The area is in all domains, but is not live yet: no call can use it. */
	spin_lock(&ioas->iova_space.iova_lock);
	area = iova_first(&ioas->iova_space, IOVA, IOVA);
	ck_assert(area && !area_is_live(area));
	spin_unlock(&ioas->iova_space.iova_lock);
	return last_check;
}

/* The last check of the front end refuses the map, in an IOAS with no domain or with two. */
START_TEST(a_map_refused_by_check_last_leaves_nothing)
{
	struct ioas_map map = {
		.rule = MAP_OVERLAP_FIRST, .uptr = SHIM_USER_BASE,
		.iova = IOVA, .nbytes = 4 * PAGE_SIZE,
		.iommu_prot = IOMMU_READ, .account_mode = ACCOUNT_MLOCK,
		.pin_rules = STOCK_PIN_RULES,
		.min_alignment = PAGE_SIZE, .check_last = check_last,
	};
	struct ioas_hwpt *hwpts[2];
	unsigned int i, round;

	for (i = 0; i < 2 * _i; i++)
		hwpts[i] = add_domain(ioas, PAGE_SIZE);
	for (round = 0; round < 4; round++) {
		last_check = round % 2 ? 0 : -EINVAL;
		ioas_enter(ioas);
		ck_assert_int_eq(ioas_map(ioas, &map), last_check);
		ioas_leave(ioas);
		for (i = 0; i < 2 * _i; i++)
			ck_assert_int_eq(!shim_domain_find(hwpts[i]->mirror.domain, IOVA),
					 !!last_check);
		ck_assert_uint_eq(process.mm.locked_vm, last_check || !_i ? 0 : 4);
		if (!last_check)
			ck_assert_int_eq(unmap_pages(ioas, IOVA, 4, UNMAP_WHOLE,
						     &(unsigned long){0}), 0);
	}
}
END_TEST

START_TEST(a_copy_of_one_byte_too_many_is_refused)
{
	struct ioas_area *copies;

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_capture(ioas, IOVA, 5 * PAGE_SIZE + 1, IOMMU_READ, &copies), -ENOENT);
	ioas_leave(ioas);
}
END_TEST

static bool destroyed;

static void destroy_ioas(void *unused)
{
	destroyed = !ioas_object_destroy(&ctx, ioas->object.id);
}

static bool is_out;

static void leave_and_come_back(void *unused)
{
	unsigned int i;

	ioas_enter(ioas);
	ioas_keep(ioas);
	ioas_leave(ioas);
	is_out = true;
	for (i = 0; i < 100; i++)
		shim_pass_time();
	expect(!destroyed);
	ioas_enter(ioas);
	expect(ioas->dead);
	ioas_unkeep(ioas);
	ioas_leave(ioas);
}

static void destroy_while_out(void *unused)
{
	while (!is_out)
		shim_wait();
	destroy_ioas(NULL);
}

START_TEST(an_ioas_waits_for_a_call_that_has_left_it_for_a_while)
{
	const struct shim_thread threads[] = { { leave_and_come_back }, { destroy_while_out } };

	is_out = false;
	destroyed = false;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(destroyed);
}
END_TEST

static bool dead_after_map;	/* the IOAS was dead after the map */

/* As a call of a container: only the lock keeps the IOAS, which may be dead already. */
static void map_unless_dead(void *unused)
{
	current = &process.task;
	ioas_enter(ioas);
	type1_ret = -ENODEV;
	if (!ioas->dead) {
		struct ioas_map map = {
			.rule = MAP_OVERLAP_FIRST, .uptr = SHIM_USER_BASE, .iova = 2 * IOVA,
			.nbytes = PAGE_SIZE, .iommu_prot = IOMMU_READ,
			.account_mode = ACCOUNT_MLOCK, .pin_rules = STOCK_PIN_RULES,
			.min_alignment = PAGE_SIZE,
		};

		type1_ret = ioas_map(ioas, &map);
		dead_after_map = ioas->dead;
	}
	ioas_leave(ioas);
}

/*
 * Runs threads while there is one area, and no room for another one. Memory given to kfree_rcu()
 * stays until all threads have returned.
 */
static void run_at_limit(const struct shim_thread *threads, unsigned int nthreads,
			 unsigned long seed)
{
	limit_areas(1);
	expect(map_type1(IOVA) == 0);
	destroyed = false;
	shim_defer_rcu = true;
	shim_run_threads(threads, nthreads, begin_random(seed));
	shim_end_rcu();
}

START_TEST(an_ioas_does_not_end_below_a_map_that_waits_for_room)
{
	const struct shim_thread threads[] = { { map_unless_dead }, { destroy_ioas } };

	run_at_limit(threads, ARRAY_SIZE(threads), _i + 1);
	expect(destroyed);
	expect(type1_ret == -ENOSPC || type1_ret == -ENODEV || type1_ret == -ESHUTDOWN);
}
END_TEST

static void unmap_first(void *unused)
{
	unsigned long unmapped;

	current = &process.task;
	ioas_enter(ioas);
	if (!ioas->dead)
		expect(ioas_unmap(ioas, IOVA, IOVA + PAGE_SIZE - 1, UNMAP_WHOLE, &unmapped) == 0);
	ioas_leave(ioas);
}

/* In some orders a map that waits gets room when the IOAS is dead: it returns -ESHUTDOWN. */
START_TEST(a_dead_ioas_has_room_for_no_map)
{
	const struct shim_thread threads[] = {
		{ map_unless_dead }, { unmap_first }, { destroy_ioas },
	};
	unsigned long seed, ntoo_late = 0;

	/* Only few orders show a bug. */
	for (seed = 1; seed <= 1000; seed++) {
		run_at_limit(threads, ARRAY_SIZE(threads), seed);
		expect(destroyed);
		expect(type1_ret ?
		       type1_ret == -ENOSPC || type1_ret == -ENODEV || type1_ret == -ESHUTDOWN :
		       !dead_after_map);
		ntoo_late += type1_ret == -ESHUTDOWN;
	}
	expect(ntoo_late);
}
END_TEST

static struct ioas *ending;
static unsigned int nmapped;

static void destroy_ending(void *unused)
{
	destroyed = !ioas_object_destroy(&ctx, ending->object.id);
}

static unsigned long get_room(void)
{
	struct ioas_space_info info;

	ioas_enter(ioas);
	expect(ioas_get_space_info(ioas, &info) == 0);
	ioas_leave(ioas);
	kvfree(info.ranges);
	return info.room;
}

static void use_all_room(void *unused)
{
	current = &process.task;
	expect(get_room() >= 3);
	while (map_pages(ioas, IOVA + nmapped * PAGE_SIZE, 1, 0) == 0)
		nmapped++;
}

static void use_all_room_and_put(void *unused)
{
	use_all_room(NULL);
	ioas_put(ending);
}

/* Makes an IOAS with one area and a share of two, of the four areas of its context. */
static void make_ending(void)
{
	limit_areas(4);
	ending = ioas_create(&ctx);
	ioas_object_publish(&ending->object);
	expect(map_pages(ending, IOVA, 1, 0) == 0);
	expect(ending->iova_space.max_areas == 2);
	nmapped = 0;
}

START_TEST(an_ioas_that_waits_for_its_end_keeps_no_room)
{
	const struct shim_thread threads[] = { { destroy_ending }, { use_all_room_and_put } };

	make_ending();
	expect(ioas_get(&ctx, ending->object.id) == ending);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(destroyed);
	expect(nmapped == 3);
}
END_TEST

START_TEST(an_ioas_that_ends_keeps_no_room)
{
	const struct shim_thread threads[] = { { destroy_ending }, { use_all_room } };

	make_ending();
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(destroyed);
	expect(nmapped == 3 || nmapped == 4);
}
END_TEST

static void end_context(void *unused)
{
	ioas_ctx_destroy(&ctx);
}

/* A container is released during a call. */
START_TEST(a_context_does_not_end_below_a_map_that_waits_for_room)
{
	const struct shim_thread threads[] = { { map_unless_dead }, { end_context } };
	unsigned long seed;

	/* Only few orders show a bug. */
	for (seed = 1; seed <= 1000; seed++) {
		run_at_limit(threads, ARRAY_SIZE(threads), seed);
		expect(type1_ret == -ENOSPC || type1_ret == -ENODEV ||
		       type1_ret == -ESHUTDOWN);
		expect(shim_allocations == 0);
		ioas_ctx_init(&ctx, NULL);
	}
}
END_TEST

/* Inserts an area that is not live until the test calls set_live(). */
static struct ioas_area *occupy(unsigned long iova)
{
	struct ioas_area *area = area_create(SHIM_USER_BASE, PAGE_SIZE, IOMMU_READ);
	struct ioas_account *spare = account_create(ACCOUNT_MM);

	area->first_iova = iova;
	area->last_iova = iova + PAGE_SIZE - 1;
	spin_lock(&ioas->iova_space.iova_lock);
	ck_assert_ptr_null(iova_insert(&ioas->iova_space, area));
	ck_assert(area_use_account(ioas, area, ACCOUNT_MM, &spare));
	spin_unlock(&ioas->iova_space.iova_lock);
	if (spare)
		account_put(spare);
	return area;
}

static void set_live(void *area)
{
	ioas_enter(ioas);
	spin_lock(&ioas->iova_space.iova_lock);
	((struct ioas_area *)area)->state = AREA_LIVE;
	ioas_unlock_and_wake(ioas);
	ioas_leave(ioas);
}

static void map_over_both(void *unused)
{
	struct ioas_map map = {
		.rule = MAP_OVERLAP_FIRST, .uptr = SHIM_USER_BASE,
		.iova = IOVA, .nbytes = 2 * PAGE_SIZE,
		.iommu_prot = IOMMU_READ, .account_mode = ACCOUNT_MLOCK,
		.pin_rules = STOCK_PIN_RULES,
		.min_alignment = PAGE_SIZE,
	};

	current = &process.task;
	ioas_enter(ioas);
	type1_ret = ioas_map(ioas, &map);
	ioas_leave(ioas);
}

START_TEST(a_map_waits_only_for_the_lowest_area_in_its_way)
{
	struct ioas_area *lower = occupy(IOVA);
	struct ioas_area *upper = occupy(IOVA + PAGE_SIZE);
	const struct shim_thread threads[] = { { map_over_both }, { set_live, lower } };

	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(type1_ret == -EEXIST);
	set_live(upper);
}
END_TEST

/* So many areas that a walk which recursed for each would overflow its stack. */
#define NCOMING		20000

static struct ioas_area *coming[NCOMING];

static void walk_over_all(void *unused)
{
	current = &process.task;
	ioas_enter(ioas);
	expect(!area_get_next(ioas, NULL, IOVA, IOVA + NCOMING * PAGE_SIZE - 1));
	ioas_leave(ioas);
}

static void let_all_go(void *unused)
{
	unsigned int i;

	current = &process.task;
	for (i = 0; i < NCOMING; i++) {
		ioas_enter(ioas);
		ioas_erase_areas(ioas, coming[i]);
		ioas_leave(ioas);
		shim_might_sleep();
	}
}

START_TEST(a_walk_over_areas_that_are_not_to_be_had_takes_no_stack)
{
	const struct shim_thread threads[] = { { walk_over_all }, { let_all_go } };
	unsigned int i;

	for (i = 0; i < NCOMING; i++)
		coming[i] = occupy(IOVA + i * PAGE_SIZE);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(1));
}
END_TEST

START_TEST(a_dying_process_does_not_wait_to_map)
{
	struct ioas_area *other = occupy(IOVA);

	current->is_dying = true;
	map_over_both(NULL);
	process.task.is_dying = false;
	ck_assert_int_eq(type1_ret, -EINTR);
	set_live(other);
}
END_TEST

START_TEST(all_areas_of_a_context_count)
{
	struct ioas_space_info info;
	struct ioas *other;
	unsigned long unmapped;

	limit_areas(4);
	other = ioas_create(&ctx);
	ioas_object_publish(&other->object);
	ck_assert_int_eq(map_pages(ioas, IOVA, 2, 0), 0);
	ck_assert_int_eq(map_pages(other, IOVA, 1, 0), 0);
	ck_assert_int_eq(copy_pages(ioas, IOVA, 1, other, 2 * IOVA), 0);
	ck_assert_int_eq(copy_pages(ioas, IOVA, 1, other, 3 * IOVA), 0);
	ck_assert_int_eq(copy_pages(ioas, IOVA, 1, other, 4 * IOVA), -ENOSPC);
	ck_assert_int_eq(map_pages(ioas, 2 * IOVA, 1, 0), -ENOSPC);
	/* Other errors come first. */
	ck_assert_int_eq(map_pages(ioas, IOVA, 1, 0), -EEXIST);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_get_space_info(ioas, &info), 0);
	ioas_leave(ioas);
	ck_assert_uint_eq(info.room, 0);
	kvfree(info.ranges);
	/* Room that one IOAS gives back can be used by the other one. */
	ck_assert_int_eq(unmap_pages(other, 2 * IOVA, 1, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_int_eq(map_pages(ioas, 2 * IOVA, 1, 0), 0);
	ck_assert_int_eq(map_pages(other, 2 * IOVA, 1, 0), -ENOSPC);
	ck_assert_int_eq(ioas_object_destroy(&ctx, other->object.id), 0);
	ck_assert_int_eq(map_pages(ioas, 3 * IOVA, 1, 0), 0);
	ck_assert_int_eq(map_pages(ioas, 4 * IOVA, 1, 0), 0);
	ck_assert_int_eq(map_pages(ioas, 5 * IOVA, 1, 0), -ENOSPC);
}
END_TEST

START_TEST(the_pieces_of_a_copy_count_and_are_refused_together)
{
	unsigned long i;

	limit_areas(7);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(map_pages(ioas, IOVA + i * PAGE_SIZE, 1, i), 0);
	ck_assert_int_eq(copy_pages(ioas, IOVA, 4, ioas, 2 * IOVA), -ENOSPC);
	ck_assert_uint_eq(ioas->iova_space.nareas, 4);
	ck_assert_int_eq(copy_pages(ioas, IOVA, 3, ioas, 2 * IOVA), 0);
	ck_assert_uint_eq(ioas->iova_space.nareas, 7);
}
END_TEST

START_TEST(a_cut_at_the_limit_is_refused)
{
	unsigned long unmapped;

	limit_areas(2);
	ck_assert_int_eq(ioas_set_small_pages(ioas, true), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA, 4, 0), 0);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_cut(ioas, IOVA + PAGE_SIZE - 1), 0);
	ck_assert_int_eq(ioas_cut(ioas, IOVA + 2 * PAGE_SIZE - 1), -ENOSPC);
	ioas_leave(ioas);
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 1, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_uint_eq(unmapped, 1);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_cut(ioas, IOVA + 2 * PAGE_SIZE - 1), 0);
	ioas_leave(ioas);
}
END_TEST

START_TEST(a_cut_keeps_the_flags_on_both_sides)
{
	struct ioas_area *area;

	ck_assert_int_eq(map_pages(ioas, IOVA, 4, 0), 0);
	down_write(&ioas->domains_rwsem);
	area_first(ioas, IOVA)->flags = 3;
	up_write(&ioas->domains_rwsem);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_cut(ioas, IOVA + PAGE_SIZE - 1), 0);
	ioas_leave(ioas);
	down_write(&ioas->domains_rwsem);
	for (area = area_first(ioas, 0); area; area = area_next(ioas, area))
		ck_assert_uint_eq(area->flags, 3);
	up_write(&ioas->domains_rwsem);
}
END_TEST

/* More areas than can be inserted, or erased, while a spinlock is held once: see steps.h. */
#define NPIECES		1500UL

static void map_pieces(void)
{
	unsigned long i;

	for (i = 0; i < NPIECES; i++)
		ck_assert_int_eq(map_pages(ioas, IOVA + i * PAGE_SIZE, 1, i % 100), 0);
}

static struct ioas *make_another(bool indexed)
{
	struct ioas *to = ioas_create(&ctx);

	ioas_object_publish(&to->object);
	if (indexed)
		ioas_prepare_search(to);
	return to;
}

START_TEST(a_copy_of_many_pieces_comes_and_goes_in_steps)
{
	struct ioas *to = make_another(_i);
	struct ioas_area *area;
	unsigned long unmapped, n = 0;

	map_pieces();
	ck_assert_int_eq(map_pages(to, 0, 1, 0), 0);
	ck_assert_int_eq(map_pages(to, IOVA + NPIECES * PAGE_SIZE, 1, 0), 0);
	ck_assert_int_eq(copy_pages(ioas, IOVA, NPIECES, to, IOVA), 0);
	ck_assert_uint_eq(to->iova_space.nareas, NPIECES + 2);
	down_write(&to->domains_rwsem);
	for (area = area_first(to, IOVA); area; area = area_next(to, area)) {
		expect(area->first_iova == IOVA + n++ * PAGE_SIZE);
		expect(area_nbytes(area) == PAGE_SIZE && area_is_live(area));
	}
	up_write(&to->domains_rwsem);
	ck_assert_uint_eq(n, NPIECES + 1);
	ck_assert_int_eq(unmap_pages(to, IOVA, NPIECES, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_uint_eq(unmapped, NPIECES);
}
END_TEST

START_TEST(a_copy_of_many_pieces_that_fails_goes_in_steps)
{
	struct ioas *to = make_another(_i);
	struct ioas_hwpt *hwpt = add_domain(to, PAGE_SIZE);

	map_pieces();
	process.mm.pages[(NPIECES - 1) % 100] = NULL;
	ck_assert_int_eq(copy_pages(ioas, IOVA, NPIECES, to, IOVA), -EFAULT);
	ck_assert_uint_eq(to->iova_space.nareas, 0);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_ptr_null(hwpt->mirror.domain->mappings);
}
END_TEST

static struct ioas *copy_to;

static void copy_all(void *unused)
{
	current = &process.task;
	fixed_ret = copy_pages(ioas, IOVA, NPIECES, copy_to, IOVA);
}

static void map_into_the_copy(void *unused)
{
	current = &process.task;
	type1_ret = map_pages(copy_to, IOVA + (NPIECES - 2) * PAGE_SIZE, 1, 0);
}

START_TEST(a_copy_has_all_of_its_place_from_the_beginning)
{
	const struct shim_thread threads[] = { { copy_all }, { map_into_the_copy } };

	copy_to = make_another(_i % 2);
	map_pieces();
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect((fixed_ret == 0 && type1_ret == -EEXIST) ||
	       (fixed_ret == -EEXIST && type1_ret == 0));
	expect(copy_to->iova_space.nareas == (fixed_ret ? 1 : NPIECES));
}
END_TEST

START_TEST(an_attach_checks_alignment_without_iova_lock)
{
	struct ioas_hwpt *hwpt;

	map_pieces();
	hwpt = add_domain(ioas, PAGE_SIZE);
	ck_assert_ptr_nonnull(hwpt);
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

START_TEST(an_upward_unmap_of_a_map_under_way_is_told_so)
{
	struct ioas_area *other = occupy(IOVA);
	unsigned long unmapped;

	ck_assert_int_eq(unmap_pages(ioas, IOVA, 1, UNMAP_UPWARD, &unmapped), -EBUSY);
	set_live(other);
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 1, UNMAP_UPWARD, &unmapped), 0);
}
END_TEST

/* First the map ends with the last address of four levels, then it begins right above. */
START_TEST(a_map_up_to_a_border_reaches_no_further)
{
	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	shim_on_map = note_hold;
	check_hold(_i, LEVELS_4 - PAGE_SIZE, HOLDS_WRITE);
	check_hold(_i, LEVELS_4, HOLDS_WRITE);
	shim_on_map = NULL;
}
END_TEST

/* An area that is not live lies in the range, or reaches over its lower border. */
START_TEST(a_dying_process_does_not_wait_to_unmap)
{
	struct ioas_area *other = occupy(IOVA);
	unsigned long last_iova = IOVA + 2 * PAGE_SIZE - 1, nbytes;

	current->is_dying = true;
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_unmap(ioas, IOVA, last_iova, UNMAP_WHOLE, &nbytes), -EINTR);
	ck_assert_int_eq(ioas_unmap(ioas, IOVA + 1, last_iova, UNMAP_WHOLE, &nbytes), -EINTR);
	ioas_leave(ioas);
	process.task.is_dying = false;
	set_live(other);
}
END_TEST

START_TEST(a_dying_process_does_not_fill_a_second_piece)
{
	struct ioas *to = make_another(false);

	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	ck_assert_int_eq(map_pages(ioas, IOVA, 1, 0), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA + PAGE_SIZE, 1, 1), 0);
	current->is_dying = true;
	ck_assert_int_eq(copy_pages(ioas, IOVA, 2, to, IOVA), -EINTR);
	ck_assert_uint_eq(to->iova_space.nareas, 0);
	ck_assert_int_eq(copy_pages(ioas, IOVA, 1, to, IOVA), 0);
	process.task.is_dying = false;
	ck_assert_uint_eq(shim_npinned, 2);
}
END_TEST

START_TEST(a_place_chosen_beyond_the_reach_is_filled_alone)
{
	static const int owner;
	struct ioas_map map = {
		.rule = MAP_ANYWHERE, .uptr = SHIM_USER_BASE, .nbytes = PAGE_SIZE,
		.iommu_prot = IOMMU_READ, .account_mode = ACCOUNT_MM, .min_alignment = 1,
	};

	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	down_write(&ioas->domains_rwsem);
	ck_assert_int_eq(iova_reserve(&ioas->iova_space, 0, LEVELS_3 - 1, &owner), 0);
	up_write(&ioas->domains_rwsem);
	ioas_prepare_search(ioas);
	held_at_map = HOLDS_NOTHING;
	shim_on_map = note_hold;
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_map(ioas, &map), 0);
	ioas_leave(ioas);
	shim_on_map = NULL;
	ck_assert_uint_eq(map.iova, LEVELS_3);
	ck_assert_int_eq(held_at_map, HOLDS_WRITE);
	unreserve(&owner);
}
END_TEST

START_TEST(a_place_for_uptr_0_is_aligned_to_the_length)
{
	struct ioas_map map = {
		.rule = MAP_ANYWHERE, .nbytes = 3 * PAGE_SIZE, .iommu_prot = IOMMU_READ,
		.account_mode = ACCOUNT_MM, .min_alignment = 1,
	};

	ioas_prepare_search(ioas);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_map(ioas, &map), 0);
	ioas_leave(ioas);
	ck_assert_uint_eq(map.iova, 4 * PAGE_SIZE);
}
END_TEST

static unsigned int nacross;

/*
 * Unmaps pages 2 to 5, and maps an area over a border of what the other thread still has to unmap:
 * over the end of its range, or over the place that it has reached.
 */
static void unmap_and_map_across(void *upper)
{
	unsigned long unmapped;

	current = &process.task;
	expect(!unmap_pages(ioas, IOVA + 2 * PAGE_SIZE, 4, UNMAP_WHOLE, &unmapped));
	nacross += !map_pages(ioas, IOVA + (upper ? 4 : 1) * PAGE_SIZE, upper ? 4 : 3, 0);
}

static void unmap_from_first(void *npages)
{
	unsigned long unmapped;
	int ret;

	current = &process.task;
	ret = unmap_pages(ioas, IOVA, (unsigned long)npages, UNMAP_WHOLE, &unmapped);
	expect(!ret || ret == -EINVAL);
}

START_TEST(an_unmap_that_waited_leaves_what_lies_across_its_border_now)
{
	const struct shim_thread threads[] = {
		{ unmap_and_map_across, (void *)(unsigned long)_i },
		{ unmap_from_first, (void *)(_i ? 6UL : 8UL) },
	};
	unsigned long first, second, noccasions, unmapped;

	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	nacross = 0;
	shim_for_each_order(first, second, noccasions) {
		expect(!map_pages(ioas, IOVA, 2, 0));
		expect(!map_pages(ioas, IOVA + 2 * PAGE_SIZE, 4, 2));
		if (!_i)
			expect(!map_pages(ioas, IOVA + 6 * PAGE_SIZE, 2, 6));
		noccasions = shim_run_in_order(threads, ARRAY_SIZE(threads), first, second);
		expect(!unmap_pages(ioas, IOVA + 4 * PAGE_SIZE, 4, UNMAP_WHOLE, &unmapped));
		expect(unmapped == (_i ? 4 : 0));
		expect(!unmap_pages(ioas, IOVA, 8, UNMAP_WHOLE, &unmapped));
	}
	ck_assert_uint_gt(nacross, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("map");
	TCase *tcase = tcase_create("map");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, make_ioas, end_ioas);
	tcase_add_test(tcase, a_map_that_wraps_is_refused);
	tcase_add_loop_test(tcase, a_map_that_needs_more_levels_is_alone, 0, 2);
	tcase_add_test(tcase, a_map_that_fails_may_have_left_the_levels_out);
	tcase_add_test(tcase, a_map_without_a_domain_is_never_alone);
	tcase_add_loop_test(tcase, levels_are_added_beside_no_map_and_no_unmap, 0, 20);
	tcase_add_test(tcase, nothing_is_mapped_while_an_ioas_is_emptied);
	tcase_add_test(tcase, a_dying_process_does_not_wait_to_be_alone);
	tcase_add_test(tcase, type1_says_overlap_before_number_before_reserved);
	tcase_add_test(tcase, a_map_anywhere_of_half_the_space_overflows);
	tcase_add_test(tcase, a_copy_of_several_pieces_is_all_or_nothing);
	tcase_add_test(tcase, a_copy_of_a_hole_is_refused);
	tcase_add_test(tcase, a_copy_outlives_what_it_was_copied_from);
	tcase_add_loop_test(tcase, type1_waits_for_a_map_that_may_fail, 0, 20);
	tcase_add_loop_test(tcase, an_unmap_takes_all_of_a_map_or_nothing, 0, 20);
	tcase_add_loop_test(tcase, an_unmap_waits_for_a_map_across_either_border, 0, 2);
	tcase_add_loop_test(tcase, an_unmap_of_half_of_a_map_that_fails_finds_nothing, 0, 40);
	tcase_add_loop_test(tcase, an_upward_unmap_of_half_of_a_map_under_way_is_told_so, 0, 200);
	tcase_add_loop_test(tcase, a_map_refused_by_check_last_leaves_nothing, 0, 2);
	tcase_add_test(tcase, an_upward_unmap_of_a_map_under_way_is_told_so);
	tcase_add_loop_test(tcase, a_map_up_to_a_border_reaches_no_further, 0, 2);
	tcase_add_test(tcase, a_dying_process_does_not_wait_to_unmap);
	tcase_add_test(tcase, a_dying_process_does_not_fill_a_second_piece);
	tcase_add_test(tcase, a_place_chosen_beyond_the_reach_is_filled_alone);
	tcase_add_test(tcase, a_place_for_uptr_0_is_aligned_to_the_length);
	tcase_add_loop_test(tcase, an_unmap_that_waited_leaves_what_lies_across_its_border_now,
			    0, 2);
	tcase_add_test(tcase, a_copy_of_one_byte_too_many_is_refused);
	tcase_add_loop_test(tcase, failing_map_does_not_use_up_the_last_entry, 0, 50);
	tcase_add_loop_test(tcase, an_ioas_waits_for_a_call_that_has_left_it_for_a_while, 0, 20);
	tcase_add_loop_test(tcase, an_ioas_does_not_end_below_a_map_that_waits_for_room, 0, 50);
	tcase_add_test(tcase, a_dead_ioas_has_room_for_no_map);
	tcase_add_loop_test(tcase, an_ioas_that_waits_for_its_end_keeps_no_room, 0, 50);
	tcase_add_loop_test(tcase, an_ioas_that_ends_keeps_no_room, 0, 50);
	tcase_add_test(tcase, a_context_does_not_end_below_a_map_that_waits_for_room);
	tcase_add_loop_test(tcase, a_map_waits_only_for_the_lowest_area_in_its_way, 0, 20);
	tcase_add_test(tcase, a_walk_over_areas_that_are_not_to_be_had_takes_no_stack);
	tcase_add_test(tcase, a_dying_process_does_not_wait_to_map);
	tcase_add_test(tcase, all_areas_of_a_context_count);
	tcase_add_test(tcase, the_pieces_of_a_copy_count_and_are_refused_together);
	tcase_add_test(tcase, a_cut_at_the_limit_is_refused);
	tcase_add_test(tcase, a_cut_keeps_the_flags_on_both_sides);
	tcase_add_loop_test(tcase, a_copy_of_many_pieces_comes_and_goes_in_steps, 0, 2);
	tcase_add_loop_test(tcase, a_copy_of_many_pieces_that_fails_goes_in_steps, 0, 2);
	tcase_add_loop_test(tcase, a_copy_has_all_of_its_place_from_the_beginning, 0, 20);
	tcase_add_test(tcase, an_attach_checks_alignment_without_iova_lock);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
