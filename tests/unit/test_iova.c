// SPDX-License-Identifier: GPL-2.0-only
/*
 * iova, compared with a model: lists that are searched from end to end.
 */
#include "kernel.h"
#include "space/iova.h"
#include "lib_run.h"

#define MAX_AREAS	64
#define MAX_RESERVED	16
#define MAX_ALLOWED	4

static struct rw_semaphore domains_rwsem;	/* held for writing, except in allow() */
static struct task_struct task;
static struct iova_space space;
static struct ioas_area areas[MAX_AREAS];
static bool used[MAX_AREAS];

static struct {
	unsigned long first_iova;
	unsigned long last_iova;
	const void *owner;
} reserved[MAX_RESERVED];
static unsigned int nreserved;

static struct ioas_range allowed[MAX_ALLOWED];
static unsigned int nallowed;

static int owners[4];

static void setup(void)
{
	current = &task;
	memset(used, 0, sizeof(used));
	nreserved = 0;
	nallowed = 0;
	init_rwsem(&domains_rwsem);
	down_write(&domains_rwsem);
	/* iova_space_init() must not rely on zeroed memory. */
	memset(&space, 0xa5, sizeof(space));
	iova_space_init(&space, &domains_rwsem);
}

static void teardown(void)
{
	unsigned int i;

	spin_lock(&space.iova_lock);
	for (i = 0; i < MAX_AREAS; i++)
		if (used[i])
			iova_erase(&space, &areas[i]);
	spin_unlock(&space.iova_lock);
	for (i = 0; i < ARRAY_SIZE(owners); i++)
		iova_unreserve(&space, &owners[i]);
	iova_space_destroy(&space);
	up_write(&domains_rwsem);
	ck_assert_int_eq(shim_allocations, 0);
}

static bool overlap(unsigned long a_first, unsigned long a_last, unsigned long b_first,
		    unsigned long b_last)
{
	return a_first <= b_last && b_first <= a_last;
}

/* The lowest area of the model in a range, or NULL. */
static struct ioas_area *model_first(unsigned long first_iova, unsigned long last_iova)
{
	struct ioas_area *lowest = NULL;
	unsigned int i;

	for (i = 0; i < MAX_AREAS; i++)
		if (used[i] && overlap(areas[i].first_iova, areas[i].last_iova, first_iova,
				       last_iova) &&
		    (!lowest || areas[i].first_iova < lowest->first_iova))
			lowest = &areas[i];
	return lowest;
}

static bool model_is_reserved(unsigned long first_iova, unsigned long last_iova)
{
	unsigned int i;

	for (i = 0; i < nreserved; i++)
		if (overlap(reserved[i].first_iova, reserved[i].last_iova, first_iova,
			    last_iova))
			return true;
	return false;
}

static bool model_is_allowed(unsigned long first_iova, unsigned long last_iova)
{
	unsigned int i;

	for (i = 0; i < nallowed; i++)
		if (overlap(allowed[i].first_iova, allowed[i].last_iova, first_iova, last_iova))
			return true;
	return false;
}

static bool insert(unsigned int slot, unsigned long first_iova, unsigned long last_iova)
{
	struct ioas_area *other;

	areas[slot].first_iova = first_iova;
	areas[slot].last_iova = last_iova;
	spin_lock(&space.iova_lock);
	other = iova_insert(&space, &areas[slot]);
	spin_unlock(&space.iova_lock);
	ck_assert_ptr_eq(other, model_first(first_iova, last_iova));
	used[slot] = !other;
	return used[slot];
}

static int reserve(unsigned long first_iova, unsigned long last_iova, const void *owner)
{
	int ret = iova_reserve(&space, first_iova, last_iova, owner);

	if (!ret) {
		reserved[nreserved].first_iova = first_iova;
		reserved[nreserved].last_iova = last_iova;
		reserved[nreserved].owner = owner;
		nreserved++;
	}
	return ret;
}

static int allow(const struct ioas_range *ranges, unsigned int nranges)
{
	int ret;

	up_write(&domains_rwsem);
	ret = iova_allow(&space, ranges, nranges);
	down_write(&domains_rwsem);
	if (!ret) {
		memcpy(allowed, ranges, nranges * sizeof(*ranges));
		nallowed = nranges;
	}
	return ret;
}

static void erase(unsigned int slot)
{
	spin_lock(&space.iova_lock);
	iova_erase(&space, &areas[slot]);
	spin_unlock(&space.iova_lock);
	used[slot] = false;
}

static unsigned long nrounds;	/* how often searches have taken the lock */

static int find_free(unsigned long nbytes, unsigned long alignment, unsigned long offset,
		     unsigned long *iova)
{
	struct iova_request request = { nbytes, alignment, offset };
	int ret;

	do {
		spin_lock(&space.iova_lock);
		ret = iova_find_free(&space, &request, iova);
		spin_unlock(&space.iova_lock);
		nrounds++;
	} while (ret == -EINPROGRESS);
	return ret;
}

static struct ioas_area *first(unsigned long first_iova, unsigned long last_iova)
{
	struct ioas_area *area;

	spin_lock(&space.iova_lock);
	area = iova_first(&space, first_iova, last_iova);
	spin_unlock(&space.iova_lock);
	return area;
}

static bool usable(unsigned long from, unsigned long *first_iova, unsigned long *last_iova)
{
	bool found;

	spin_lock(&space.iova_lock);
	found = iova_usable(&space, from, first_iova, last_iova);
	spin_unlock(&space.iova_lock);
	return found;
}

START_TEST(areas_never_overlap)
{
	ck_assert(insert(0, 0x1000, 0x1fff));
	ck_assert(!insert(1, 0x1000, 0x1fff));
	ck_assert(!insert(1, 0x1fff, 0x2fff));
	ck_assert(!insert(1, 0, 0x1000));
	ck_assert(!insert(1, 0, ULONG_MAX));
	ck_assert(insert(1, 0x2000, 0x2fff));
	ck_assert(insert(2, 0, 0xfff));
	ck_assert_uint_eq(space.nareas, 3);
}
END_TEST

START_TEST(an_area_may_end_at_the_last_address)
{
	ck_assert(insert(0, ULONG_MAX - 0xfff, ULONG_MAX));
	ck_assert_ptr_eq(first(ULONG_MAX, ULONG_MAX), &areas[0]);
	ck_assert_ptr_eq(first(0, ULONG_MAX), &areas[0]);
	ck_assert_ptr_null(first(0, ULONG_MAX - 0x1000));
}
END_TEST

START_TEST(a_range_with_an_area_cannot_be_reserved)
{
	ck_assert(insert(0, 0x1000, 0x1fff));
	ck_assert_int_eq(reserve(0x1fff, 0x1fff, &owners[0]), -EADDRINUSE);
	ck_assert_int_eq(reserve(0, 0xfff, &owners[0]), 0);
	ck_assert_int_eq(reserve(0x2000, ULONG_MAX, &owners[0]), 0);
}
END_TEST

START_TEST(reserving_without_memory_changes_nothing)
{
	unsigned long first_iova, last_iova;

	shim_fail_in = 1;
	ck_assert_int_eq(reserve(0, 0xfff, &owners[0]), -ENOMEM);
	ck_assert(usable(0, &first_iova, &last_iova));
	ck_assert_uint_eq(first_iova, 0);
	ck_assert_uint_eq(last_iova, ULONG_MAX);
}
END_TEST

START_TEST(each_owner_takes_away_what_it_brought)
{
	unsigned long first_iova, last_iova;

	reserve(0x1000, 0x4fff, &owners[0]);
	reserve(0x2000, 0x2fff, &owners[1]);
	iova_unreserve(&space, &owners[0]);
	ck_assert(usable(0, &first_iova, &last_iova));
	ck_assert_uint_eq(last_iova, 0x1fff);
	ck_assert(usable(last_iova + 1, &first_iova, &last_iova));
	ck_assert_uint_eq(first_iova, 0x3000);
	ck_assert_uint_eq(last_iova, ULONG_MAX);
}
END_TEST

START_TEST(nothing_is_usable_where_all_is_reserved)
{
	unsigned long first_iova, last_iova;

	reserve(0, 0x7fffffff, &owners[0]);
	reserve(0x1000, ULONG_MAX, &owners[1]);
	ck_assert(!usable(0, &first_iova, &last_iova));
}
END_TEST

static void check_usable(unsigned long top)
{
	unsigned long iova = 0, first_iova, last_iova, seen = 0;

	/* Every address is either reserved or in a listed range. */
	while (usable(iova, &first_iova, &last_iova)) {
		for (; seen < first_iova && seen <= top; seen++)
			expect(model_is_reserved(seen, seen));
		for (; seen <= last_iova && seen <= top; seen++)
			expect(!model_is_reserved(seen, seen));
		if (last_iova == ULONG_MAX)
			return;
		ck_assert(model_is_reserved(last_iova + 1, last_iova + 1));
		iova = last_iova + 1;
	}
	for (; seen <= top; seen++)
		expect(model_is_reserved(seen, seen));
}

static void check_areas(unsigned long from, unsigned long to)
{
	struct ioas_area *area, *expected;

	spin_lock(&space.iova_lock);
	expected = model_first(from, to);
	area = iova_first(&space, from, to);
	expect(area == expected);
	while (area && area->last_iova < ULONG_MAX) {
		expected = model_first(area->last_iova + 1, ULONG_MAX);
		area = iova_next(&space, area);
		expect(area == expected);
	}
	spin_unlock(&space.iova_lock);
}

/* The search hint is always between two neighbours, or at an end. */
static void check_place(void)
{
	struct ioas_area *below = space.search_hint.below;
	struct rb_node *next = below ? rb_next(&below->node) : rb_first(&space.areas);

	expect(space.search_hint.above == rb_entry_safe(next, struct ioas_area, node));
}

/* The gaps that the tree has noted are the real ones. */
static void check_gaps(void)
{
	unsigned long first_free = 0;
	struct rb_node *rb;

	for (rb = rb_first(&space.areas); rb && space.gaps_known; rb = rb_next(rb)) {
		struct ioas_area *area = rb_entry(rb, struct ioas_area, node);
		unsigned long largest = area->gap;

		expect(area->gap == area->first_iova - first_free);
		if (rb->rb_left)
			largest = max(largest, rb_entry(rb->rb_left, struct ioas_area,
							node)->subtree_gap);
		if (rb->rb_right)
			largest = max(largest, rb_entry(rb->rb_right, struct ioas_area,
							node)->subtree_gap);
		expect(area->subtree_gap == largest);
		first_free = area->last_iova + 1;
	}
}

static bool model_fits(unsigned long iova, unsigned long nbytes)
{
	unsigned long last_iova = iova + nbytes - 1;
	unsigned int i;

	if (last_iova < iova || iova < PAGE_SIZE || last_iova > ULONG_MAX - PAGE_SIZE ||
	    model_first(iova, last_iova) || model_is_reserved(iova, last_iova))
		return false;
	for (i = 0; i < nallowed; i++)
		if (iova >= allowed[i].first_iova && last_iova <= allowed[i].last_iova)
			return true;
	return !nallowed;
}

/* Finds the lowest place by trying all of them. */
static int model_find_free(unsigned long base, unsigned long top, unsigned long nbytes,
			   unsigned long alignment, unsigned long *iova)
{
	unsigned long step;

	for (step = 0; step <= top; step++) {
		*iova = base + step;
		if (*iova % alignment == 0 && model_fits(*iova, nbytes))
			return 0;
	}
	return -ENOSPC;
}

static void random_unreserve(unsigned int owner)
{
	unsigned int i, kept = 0;

	iova_unreserve(&space, &owners[owner]);
	for (i = 0; i < nreserved; i++)
		if (reserved[i].owner != &owners[owner])
			reserved[kept++] = reserved[i];
	nreserved = kept;
}

static void random_allow(unsigned long *seed, unsigned long base, unsigned long top)
{
	struct ioas_range ranges[MAX_ALLOWED];
	unsigned int nranges = random_below(seed, MAX_ALLOWED + 1);
	bool overlaps = false, meets = false;
	unsigned int i, j;

	for (i = 0; i < nranges; i++) {
		ranges[i].first_iova = base + random_below(seed, top);
		ranges[i].last_iova = ranges[i].first_iova + random_below(seed, top / 4);
		meets |= model_is_reserved(ranges[i].first_iova, ranges[i].last_iova);
		for (j = 0; j < i; j++)
			overlaps |= overlap(ranges[i].first_iova, ranges[i].last_iova,
					    ranges[j].first_iova, ranges[j].last_iova);
	}
	expect(allow(ranges, nranges) == (overlaps ? -EINVAL : meets ? -EADDRINUSE : 0));
}

/* Makes one random change. Addresses are from @base on, and not much above @base + @top. */
static void random_step(unsigned long *seed, unsigned long base, unsigned long top)
{
	unsigned int slot = random_below(seed, MAX_AREAS);
	unsigned long from = base + random_below(seed, top);
	unsigned long to = from + random_below(seed, 20);
	bool free = !model_first(from, to);

	switch (random_below(seed, 5)) {
	case 0:
		if (used[slot])
			erase(slot);
		break;
	case 1:
		if (nreserved < MAX_RESERVED)
			expect(reserve(from, to, &owners[slot % 4]) ==
			       (free && !model_is_allowed(from, to) ? 0 : -EADDRINUSE));
		break;
	case 2:
		if (slot < 4)
			random_unreserve(slot);
		break;
	case 3:
		if (slot < 8)
			random_allow(seed, base, top);
		break;
	default:
		if (!used[slot])
			expect(insert(slot, from, to) == free);
	}
}

START_TEST(random_sequences_agree_with_the_model)
{
	const unsigned long top = 600;
	unsigned long seed = begin_random(_i + 1);
	unsigned int i;

	for (i = 0; i < 3000; i++) {
		unsigned long from = random_below(&seed, top);
		unsigned long to = from + random_below(&seed, 50);

		random_step(&seed, 0, top);
		check_areas(from, to);
		check_place();
		spin_lock(&space.iova_lock);
		expect(!iova_check(&space, from, to) == !model_is_reserved(from, to));
		spin_unlock(&space.iova_lock);
		if (i % 100 == 0)
			check_usable(top + 100);
	}
}
END_TEST

/* Searches for a place and compares it with the model's; see random_finds() for @base and @top. */
static void random_find(unsigned long *seed, unsigned long base, unsigned long top)
{
	unsigned long nbytes = 1 + random_below(seed, random_below(seed, 4) ? 12 : top);
	unsigned long alignment = 1UL << random_below(seed, 7);
	unsigned long found = 0, expected = 0;
	int ret;

	ret = find_free(nbytes, alignment, 0, &found);
	expect(ret == model_find_free(base, top, nbytes, alignment, &expected));
	expect(ret || found == expected);
}

/*
 * As random_find(), for an address that must have the bits of @offset. It need not be the lowest
 * possible one, but must be found at or below the lowest place with ample room.
 */
static void random_find_offset(unsigned long *seed, unsigned long base, unsigned long top)
{
	unsigned long nbytes = 1 + random_below(seed, 12);
	unsigned long alignment = 1UL << random_below(seed, 4);
	unsigned long offset = alignment * random_below(seed, 8);
	unsigned long slack = 16 * alignment;
	unsigned long found = 0, ample = 0;
	int ret;

	ret = find_free(nbytes, alignment, offset, &found);
	expect(ret || (found & offset) == offset);
	expect(ret || (found % alignment == 0 && model_fits(found, nbytes)));
	if (!model_find_free(base, top, nbytes + slack, 1, &ample))
		expect(!ret && found <= ample + slack);
}

/* All addresses but @top from @base on are reserved, so that the model can try all others. */
static void random_finds(unsigned long base, unsigned long top, unsigned long seed)
{
	static const int fence;
	unsigned long indexed_at = random_below(&seed, 500);
	unsigned int i;

	if (base)
		reserve(0, base - 1, &fence);
	if (base + top)
		reserve(base + top, ULONG_MAX, &fence);
	for (i = 0; i < 2000; i++) {
		random_step(&seed, base, top - 20);
		if (i == indexed_at)
			iova_index_gaps(&space);
		check_gaps();
		check_place();
		if (i >= indexed_at) {
			random_find(&seed, base, top);
			random_find_offset(&seed, base, top);
		}
	}
	iova_unreserve(&space, &fence);
}

START_TEST(the_lowest_place_that_fits_is_found)
{
	random_finds(0x10000, 500, begin_random(_i + 1));
}
END_TEST

START_TEST(the_lowest_place_is_found_next_to_the_first_page)
{
	random_finds(PAGE_SIZE - 50, 500, begin_random(_i + 1));
}
END_TEST

START_TEST(the_lowest_place_is_found_at_the_end_of_the_space)
{
	random_finds(-PAGE_SIZE - 400, 500, begin_random(_i + 1));
}
END_TEST

/* The range ends with the last address. It lies in the last page, which is never found. */
START_TEST(sums_that_wrap_find_nothing)
{
	random_finds(-500UL, 500, begin_random(_i + 1));
}
END_TEST

START_TEST(the_first_and_the_last_page_are_never_found)
{
	unsigned long iova;

	iova_index_gaps(&space);
	ck_assert_int_eq(find_free(1, 1, 0, &iova), 0);
	ck_assert_uint_eq(iova, PAGE_SIZE);
	ck_assert_int_eq(find_free(ULONG_MAX - 2 * PAGE_SIZE + 1, 1, 0, &iova), 0);
	ck_assert_int_eq(find_free(ULONG_MAX - 2 * PAGE_SIZE + 2, 1, 0, &iova), -ENOSPC);
	ck_assert_int_eq(find_free(ULONG_MAX, 1, 0, &iova), -ENOSPC);
}
END_TEST

START_TEST(nothing_is_found_behind_an_area_at_the_last_address)
{
	unsigned long iova;

	ck_assert(insert(0, PAGE_SIZE, ULONG_MAX));
	iova_index_gaps(&space);
	ck_assert_int_eq(find_free(1, 1, 0, &iova), -ENOSPC);
	erase(0);
	ck_assert_int_eq(find_free(1, 1, 0, &iova), 0);
	ck_assert(insert(1, 2 * PAGE_SIZE, ULONG_MAX));
	ck_assert_int_eq(find_free(PAGE_SIZE, 1, 0, &iova), 0);
	ck_assert_uint_eq(iova, PAGE_SIZE);
	ck_assert_int_eq(find_free(PAGE_SIZE + 1, 1, 0, &iova), -ENOSPC);
}
END_TEST

START_TEST(an_alignment_that_wraps_finds_nothing)
{
	unsigned long iova;

	reserve(0, 1UL << 63, &owners[0]);
	iova_index_gaps(&space);
	ck_assert_int_eq(find_free(1, 1UL << 63, 0, &iova), -ENOSPC);
}
END_TEST

START_TEST(a_place_is_found_inside_an_allowed_range_only)
{
	const struct ioas_range ranges[] = {
		{ 0x100000, 0x100fff }, { 0x300000, 0x301fff },
	};
	unsigned long iova;

	iova_index_gaps(&space);
	ck_assert_int_eq(allow(ranges, 2), 0);
	ck_assert_int_eq(find_free(0x1000, 0x1000, 0, &iova), 0);
	ck_assert_uint_eq(iova, 0x100000);
	ck_assert_int_eq(find_free(0x2000, 0x1000, 0, &iova), 0);
	ck_assert_uint_eq(iova, 0x300000);
	ck_assert_int_eq(find_free(0x3000, 0x1000, 0, &iova), -ENOSPC);
	ck_assert_int_eq(allow(ranges, 0), 0);
	ck_assert_int_eq(find_free(0x3000, 0x1000, 0, &iova), 0);
}
END_TEST

START_TEST(an_allowed_range_does_not_become_reserved)
{
	const struct ioas_range range = { 0x1000, 0x1fff };

	ck_assert_int_eq(allow(&range, 1), 0);
	ck_assert_int_eq(reserve(0x1fff, 0x2fff, &owners[0]), -EADDRINUSE);
	ck_assert_int_eq(reserve(0, ULONG_MAX, &owners[0]), -EADDRINUSE);
	ck_assert_int_eq(reserve(0x2000, ULONG_MAX, &owners[0]), 0);
}
END_TEST

START_TEST(allowed_ranges_that_overlap_are_refused)
{
	const struct ioas_range ranges[] = { { 0x1000, 0x2000 }, { 0x2000, 0x2fff } };

	ck_assert_int_eq(allow(ranges, 2), -EINVAL);
	ck_assert_int_eq(reserve(0, ULONG_MAX, &owners[0]), 0);
}
END_TEST

START_TEST(a_refused_list_leaves_the_former_one)
{
	const struct ioas_range former = { 0x1000, 0x1fff };
	const struct ioas_range ranges[] = { { 0x5000, 0x5fff }, { 0x8000, 0x9000 } };

	ck_assert_int_eq(allow(&former, 1), 0);
	ck_assert_int_eq(reserve(0x9000, 0x9fff, &owners[0]), 0);
	ck_assert_int_eq(allow(ranges, 2), -EADDRINUSE);
	ck_assert_int_eq(reserve(0x1000, 0x1000, &owners[0]), -EADDRINUSE);
	ck_assert_int_eq(reserve(0x5000, 0x5fff, &owners[0]), 0);
}
END_TEST

START_TEST(without_memory_the_former_list_stays)
{
	const struct ioas_range former = { 0x1000, 0x1fff };
	const struct ioas_range ranges[] = { { 0x5000, 0x5fff }, { 0x8000, 0x9000 } };

	ck_assert_int_eq(allow(&former, 1), 0);
	shim_fail_in = _i + 1;
	ck_assert_int_eq(allow(ranges, 2), -ENOMEM);
	ck_assert_int_eq(shim_allocations, 1);
	ck_assert_int_eq(reserve(0x1000, 0x1000, &owners[0]), -EADDRINUSE);
	ck_assert_int_eq(reserve(0x5000, 0x5fff, &owners[0]), 0);
}
END_TEST

START_TEST(a_process_that_is_killed_leaves_the_former_list)
{
	const struct ioas_range former = { 0x1000, 0x1fff };
	const struct ioas_range ranges[] = { { 0x5000, 0x5fff }, { 0x8000, 0x9000 } };

	ck_assert_int_eq(allow(&former, 1), 0);
	task.is_dying = true;
	ck_assert_int_eq(allow(ranges, 2), -EINTR);
	task.is_dying = false;
	ck_assert_int_eq(shim_allocations, 1);
	ck_assert_int_eq(reserve(0x1000, 0x1000, &owners[0]), -EADDRINUSE);
	ck_assert_int_eq(reserve(0x5000, 0x5fff, &owners[0]), 0);
}
END_TEST

START_TEST(ranges_change_only_with_nobody_in_the_ioas)
{
	up_write(&domains_rwsem);
	/* One warning is lockdep's, the other one comes in every build. */
	shim_expected_warnings = 2;
	ck_assert_int_eq(reserve(0x1000, 0x1fff, &owners[0]), 0);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	shim_expected_warnings = 2;
	iova_unreserve(&space, &owners[0]);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	down_write(&domains_rwsem);
}
END_TEST

static bool inside, replaced;

static void stay_inside(void *unused)
{
	unsigned int i;

	current = &task;
	down_read(&domains_rwsem);
	inside = true;
	for (i = 0; i < 20; i++)
		shim_pass_time();
	expect(!replaced);
	up_read(&domains_rwsem);
}

static void replace_allowed(void *unused)
{
	const struct ioas_range range = { 0x1000, 0x1fff };

	current = &task;
	while (!inside)
		shim_wait();
	expect(!iova_allow(&space, &range, 1));
	replaced = true;
}

START_TEST(a_list_is_replaced_with_nobody_in_the_ioas)
{
	const struct shim_thread threads[] = { { stay_inside }, { replace_allowed } };

	inside = false;
	replaced = false;
	up_write(&domains_rwsem);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	current = &task;
	down_write(&domains_rwsem);
	ck_assert(replaced);
}
END_TEST

START_TEST(a_search_begins_at_the_lowest_address_in_a_new_space)
{
	unsigned long iova;
	unsigned int i;

	for (i = 0; i < IOVA_NCURSORS; i++)
		space.cursors[i] = (struct iova_cursor){ 1, 1, ULONG_MAX };
	iova_space_init(&space, &domains_rwsem);
	iova_index_gaps(&space);
	ck_assert_int_eq(find_free(1, 1, 0, &iova), 0);
}
END_TEST

START_TEST(the_next_place_with_its_offset_is_found)
{
	unsigned long iova;

	reserve(0, 0x103ff, &owners[0]);
	iova_index_gaps(&space);
	ck_assert_int_eq(find_free(0x400, 0x400, 0x800, &iova), 0);
	ck_assert_uint_eq(iova, 0x10800);
}
END_TEST

START_TEST(the_highest_place_is_found_again)
{
	unsigned long iova;
	unsigned int i;

	reserve(0, ULONG_MAX - PAGE_SIZE - 1, &owners[0]);
	iova_index_gaps(&space);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(find_free(1, 1, 0, &iova), 0);
		ck_assert_uint_eq(iova, ULONG_MAX - PAGE_SIZE);
	}
}
END_TEST

START_TEST(the_last_byte_of_an_allowed_range_is_found)
{
	const struct ioas_range range = { 0x100000, 0x100fff };
	unsigned long iova;

	ck_assert_int_eq(allow(&range, 1), 0);
	ck_assert(insert(0, 0x100000, 0x100ffe));
	ck_assert(insert(1, 0x200000, 0x200fff));
	iova_index_gaps(&space);
	ck_assert_int_eq(find_free(1, 1, 0, &iova), 0);
	ck_assert_uint_eq(iova, 0x100fff);
}
END_TEST

/* --- cost of searches; the shims check that no lock is held for long, see steps.h */

#define MANY		3000U
#define MANY_SHIFT	12		/* steps of a descent into the tree, at most */
#define HUGE		(2UL << 20)

static struct ioas_area many[2 * MANY];
static unsigned int nmany;

static void add_one_of_many(unsigned long first_iova, unsigned long last_iova)
{
	struct ioas_area *area = &many[nmany++];

	area->first_iova = first_iova;
	area->last_iova = last_iova;
	spin_lock(&space.iova_lock);
	ck_assert_ptr_null(iova_insert(&space, area));
	spin_unlock(&space.iova_lock);
}

static void erase_many(void)
{
	while (nmany) {
		spin_lock(&space.iova_lock);
		iova_erase(&space, &many[--nmany]);
		spin_unlock(&space.iova_lock);
	}
}

/* Finds and occupies places for MANY areas. Returns the address of the first one. */
static unsigned long place_many(unsigned long nbytes, unsigned long alignment)
{
	unsigned long iova, first = 0;
	unsigned int i;

	iova_index_gaps(&space);
	shim_nsteps = 0;
	for (i = 0; i < MANY; i++) {
		ck_assert_int_eq(find_free(nbytes, alignment, 0, &iova), 0);
		add_one_of_many(iova, iova + nbytes - 1);
		if (!i)
			first = iova;
	}
	/* Steps of all searches together, not of each. */
	ck_assert_uint_lt(shim_nsteps, 16UL * MANY * MANY_SHIFT);
	return first;
}

/* Makes gaps of two huge pages less one small page. None begins at a multiple of a huge page. */
static void make_misaligned_gaps(void)
{
	unsigned long i;

	for (i = 1; i <= MANY; i++)
		add_one_of_many(i * 2 * HUGE, i * 2 * HUGE + PAGE_SIZE - 1);
}

START_TEST(gaps_that_are_misaligned_are_passed_once_and_in_pieces)
{
	make_misaligned_gaps();
	ck_assert_uint_eq(place_many(2 * HUGE - PAGE_SIZE, HUGE), MANY * 2 * HUGE + HUGE);
	erase_many();
}
END_TEST

/* The search goes down to each area and up again. After each step others may get the lock. */
START_TEST(each_visit_of_an_area_is_a_step)
{
	unsigned long iova;

	make_misaligned_gaps();
	iova_index_gaps(&space);
	nrounds = 0;
	ck_assert_int_eq(find_free(2 * HUGE - PAGE_SIZE, HUGE, 0, &iova), 0);
	ck_assert_uint_ge(nrounds, 2 * MANY / 500);
	erase_many();
}
END_TEST

START_TEST(reserved_ranges_in_one_gap_are_passed_in_pieces)
{
	unsigned long i, iova;

	for (i = 1; i <= MANY; i++)
		ck_assert_int_eq(iova_reserve(&space, i * 2 * PAGE_SIZE,
					      i * 2 * PAGE_SIZE + PAGE_SIZE - 1, &owners[0]), 0);
	iova_index_gaps(&space);
	ck_assert_int_eq(find_free(2 * PAGE_SIZE, PAGE_SIZE, 0, &iova), 0);
	ck_assert_uint_eq(iova, MANY * 2 * PAGE_SIZE + PAGE_SIZE);
}
END_TEST

START_TEST(gaps_with_something_reserved_are_passed_once_and_in_pieces)
{
	unsigned long i;

	for (i = 0; i < MANY; i++) {
		add_one_of_many(i * 2 * HUGE, i * 2 * HUGE + PAGE_SIZE - 1);
		ck_assert_int_eq(iova_reserve(&space, i * 2 * HUGE + HUGE,
					      i * 2 * HUGE + HUGE + PAGE_SIZE - 1,
					      &owners[0]), 0);
	}
	ck_assert_uint_ge(place_many(HUGE, HUGE), (MANY - 1) * 2 * HUGE);
	erase_many();
}
END_TEST

static void allow_many(unsigned long nbytes)
{
	static struct ioas_range ranges[MANY];
	unsigned long i;

	for (i = 0; i < MANY; i++)
		ranges[i] = (struct ioas_range){ (i + 1) * 2 * HUGE,
						 (i + 1) * 2 * HUGE + nbytes - 1 };
	up_write(&domains_rwsem);
	ck_assert_int_eq(iova_allow(&space, ranges, MANY), 0);
	down_write(&domains_rwsem);
}

START_TEST(allowed_ranges_that_are_full_are_passed_once_and_in_pieces)
{
	unsigned long iova;

	allow_many(HUGE);
	ck_assert_uint_eq(place_many(HUGE, HUGE), 2 * HUGE);
	/* Earlier searches have found that nothing is left: these are short. */
	shim_nsteps = 0;
	ck_assert_int_eq(find_free(HUGE, HUGE, 0, &iova), -ENOSPC);
	ck_assert_int_eq(find_free(HUGE, HUGE, 0, &iova), -ENOSPC);
	ck_assert_uint_lt(shim_nsteps, 16UL * MANY);
	erase_many();
}
END_TEST

START_TEST(allowed_ranges_that_are_too_short_are_passed_in_pieces)
{
	unsigned long iova;

	allow_many(PAGE_SIZE);
	iova_index_gaps(&space);
	ck_assert_int_eq(find_free(HUGE, HUGE, 0, &iova), -ENOSPC);
}
END_TEST

START_TEST(what_becomes_free_is_found_again)
{
	unsigned long iova;

	allow_many(HUGE);
	place_many(HUGE, HUGE);
	ck_assert_int_eq(find_free(HUGE, HUGE, 0, &iova), -ENOSPC);
	spin_lock(&space.iova_lock);
	iova_erase(&space, &many[7]);
	spin_unlock(&space.iova_lock);
	ck_assert_int_eq(find_free(HUGE, HUGE, 0, &iova), 0);
	ck_assert_uint_eq(iova, many[7].first_iova);
	spin_lock(&space.iova_lock);
	iova_insert(&space, &many[7]);
	spin_unlock(&space.iova_lock);
	/* Also if an earlier search found the place and did not use it. */
	erase_many();
	ck_assert_int_eq(find_free(HUGE, HUGE, 0, &iova), 0);
	ck_assert_int_eq(find_free(HUGE, HUGE, 0, &iova), 0);
	ck_assert_uint_eq(iova, 2 * HUGE);
}
END_TEST

/* There are more sizes than cursors. Each size comes so often that a wrong cursor would show. */
START_TEST(searches_of_all_sizes_find_the_lowest_place)
{
	unsigned long iova, nbytes, lowest = 2 * HUGE;
	unsigned int i;

	allow_many(HUGE);
	iova_index_gaps(&space);
	for (i = 0; i < 200; i++) {
		nbytes = PAGE_SIZE << (i % 10);
		ck_assert_int_eq(find_free(nbytes, nbytes, 0, &iova), 0);
		ck_assert_uint_eq(iova, lowest);
	}
}
END_TEST

START_TEST(a_search_beside_a_free_leaves_no_wrong_cursor)
{
	struct iova_request request = { HUGE, HUGE };
	int ret = -EINPROGRESS;
	unsigned long iova;
	unsigned int i;

	allow_many(HUGE);
	place_many(HUGE, HUGE);
	spin_lock(&space.iova_lock);
	iova_erase(&space, &many[0]);
	spin_unlock(&space.iova_lock);
	ck_assert_int_eq(find_free(HUGE, HUGE, 0, &iova), 0);
	ck_assert_uint_eq(iova, many[0].first_iova);
	spin_lock(&space.iova_lock);
	iova_insert(&space, &many[0]);
	spin_unlock(&space.iova_lock);
	for (i = 0; ret == -EINPROGRESS; i++) {
		if (i == 1) {
			spin_lock(&space.iova_lock);
			iova_erase(&space, &many[0]);
			spin_unlock(&space.iova_lock);
		}
		spin_lock(&space.iova_lock);
		ret = iova_find_free(&space, &request, &iova);
		spin_unlock(&space.iova_lock);
	}
	ck_assert_uint_gt(i, 1);
	/* Whatever the result of that search, the next one finds the place. */
	ck_assert_int_eq(find_free(HUGE, HUGE, 0, &iova), 0);
	ck_assert_uint_eq(iova, many[0].first_iova);
	spin_lock(&space.iova_lock);
	iova_insert(&space, &many[0]);
	spin_unlock(&space.iova_lock);
	erase_many();
}
END_TEST

/* Does one piece of a search, with the lock held. */
static int find_piece(struct iova_request *request, unsigned long *iova)
{
	int ret;

	spin_lock(&space.iova_lock);
	ret = iova_find_free(&space, request, iova);
	spin_unlock(&space.iova_lock);
	return ret;
}

static void erase_again(struct ioas_area *area)
{
	spin_lock(&space.iova_lock);
	iova_erase(&space, area);
	spin_unlock(&space.iova_lock);
}

static void insert_again(struct ioas_area *area)
{
	spin_lock(&space.iova_lock);
	ck_assert_ptr_null(iova_insert(&space, area));
	spin_unlock(&space.iova_lock);
}

/* Fills all allowed ranges. Searches then know nothing of what lies above the first area. */
static void fill_and_forget(void)
{
	unsigned long iova;

	allow_many(HUGE);
	place_many(HUGE, HUGE);
	erase_again(&many[0]);
	ck_assert_int_eq(find_free(HUGE, HUGE, 0, &iova), 0);
	insert_again(&many[0]);
}

START_TEST(a_search_overtaken_while_another_one_searches_is_not_believed)
{
	struct iova_request request = { HUGE, HUGE };
	unsigned long iova;
	int ret;

	fill_and_forget();
	ck_assert_int_eq(find_piece(&request, &iova), -EINPROGRESS);
	erase_again(&many[0]);
	/* The place is too small for this search, which resets freed_iova all the same. */
	ck_assert_int_eq(find_free(2 * HUGE, HUGE, 0, &iova), -ENOSPC);
	while ((ret = find_piece(&request, &iova)) == -EINPROGRESS)
		;
	ck_assert_int_eq(ret, -ENOSPC);
	ck_assert_int_eq(find_free(HUGE, HUGE, 0, &iova), 0);
	ck_assert_uint_eq(iova, many[0].first_iova);
	insert_again(&many[0]);
	erase_many();
}
END_TEST

START_TEST(a_search_beside_frees_above_it_leaves_a_cursor)
{
	struct iova_request request = { HUGE, HUGE };
	unsigned long iova;

	fill_and_forget();
	while (find_piece(&request, &iova) == -EINPROGRESS) {
		erase_again(&many[MANY - 1]);
		ck_assert_int_eq(find_free(2 * HUGE, HUGE, 0, &iova), -ENOSPC);
		insert_again(&many[MANY - 1]);
	}
	shim_nsteps = 0;
	ck_assert_int_eq(find_free(HUGE, HUGE, 0, &iova), -ENOSPC);
	ck_assert_uint_lt(shim_nsteps, MANY);
	erase_many();
}
END_TEST

START_TEST(a_search_goes_on_where_another_one_of_its_kind_ended)
{
	struct iova_request request = { HUGE, HUGE };
	unsigned long iova;

	fill_and_forget();
	ck_assert_int_eq(find_piece(&request, &iova), -EINPROGRESS);
	ck_assert_int_eq(find_free(HUGE, HUGE, 0, &iova), -ENOSPC);
	ck_assert_int_eq(find_piece(&request, &iova), -ENOSPC);
	erase_many();
}
END_TEST

/* The lowest free place of those that MANY areas fill; ULONG_MAX if none is free. */
static unsigned long lowest_free(const bool *is_free)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		if (is_free[i])
			return many[i].first_iova;
	return ULONG_MAX;
}

/* No cursor, together with freed_iova, passes over a place that fits. */
static void check_cursors(const bool *is_free)
{
	unsigned long lowest = lowest_free(is_free);
	unsigned int i;

	for (i = 0; i < IOVA_NCURSORS; i++)
		if (space.cursors[i].nbytes && space.cursors[i].nbytes <= HUGE)
			expect(min(space.cursors[i].from_iova, space.freed_iova) <= lowest);
}

START_TEST(searches_side_by_side_never_pass_over_a_free_place_for_good)
{
	static bool is_free[MANY];
	unsigned long seed = begin_random(_i + 1);
	struct iova_request wishes[4] = { };
	unsigned long iova;
	unsigned int i, n;

	fill_and_forget();
	for (i = 0; i < 20000; i++) {
		struct iova_request *request = &wishes[random_below(&seed, 4)];

		if (!request->nbytes)
			*request = (struct iova_request){ HUGE >> random_below(&seed, 3), HUGE };
		if (find_piece(request, &iova) != -EINPROGRESS)
			request->nbytes = 0;
		check_cursors(is_free);
		if (random_below(&seed, 20))
			continue;
		n = random_below(&seed, random_below(&seed, 2) ? MANY : 50);
		if (is_free[n])
			insert_again(&many[n]);
		else
			erase_again(&many[n]);
		is_free[n] = !is_free[n];
	}
	for (n = 0; n < MANY; n++)
		if (is_free[n])
			insert_again(&many[n]);
	erase_many();
}
END_TEST

START_TEST(freeing_many_ranges_pauses)
{
	static unsigned long before;

	allow_many(PAGE_SIZE);
	before = shim_npauses;
	up_write(&domains_rwsem);
	ck_assert_int_eq(iova_allow(&space, NULL, 0), 0);
	down_write(&domains_rwsem);
	ck_assert_uint_ge(shim_npauses - before, MANY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("iova");
	TCase *tcase = tcase_create("iova");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, areas_never_overlap);
	tcase_add_test(tcase, an_area_may_end_at_the_last_address);
	tcase_add_test(tcase, a_range_with_an_area_cannot_be_reserved);
	tcase_add_test(tcase, reserving_without_memory_changes_nothing);
	tcase_add_test(tcase, each_owner_takes_away_what_it_brought);
	tcase_add_test(tcase, nothing_is_usable_where_all_is_reserved);
	tcase_add_loop_test(tcase, random_sequences_agree_with_the_model, 0, 20);
	tcase_add_loop_test(tcase, the_lowest_place_that_fits_is_found, 0, 10);
	tcase_add_loop_test(tcase, the_lowest_place_is_found_next_to_the_first_page, 0, 10);
	tcase_add_loop_test(tcase, the_lowest_place_is_found_at_the_end_of_the_space, 0, 10);
	tcase_add_loop_test(tcase, sums_that_wrap_find_nothing, 0, 5);
	tcase_add_test(tcase, the_first_and_the_last_page_are_never_found);
	tcase_add_test(tcase, nothing_is_found_behind_an_area_at_the_last_address);
	tcase_add_test(tcase, an_alignment_that_wraps_finds_nothing);
	tcase_add_test(tcase, a_place_is_found_inside_an_allowed_range_only);
	tcase_add_test(tcase, an_allowed_range_does_not_become_reserved);
	tcase_add_test(tcase, allowed_ranges_that_overlap_are_refused);
	tcase_add_test(tcase, a_refused_list_leaves_the_former_one);
	tcase_add_loop_test(tcase, without_memory_the_former_list_stays, 0, 2);
	tcase_add_test(tcase, a_process_that_is_killed_leaves_the_former_list);
	tcase_add_test(tcase, ranges_change_only_with_nobody_in_the_ioas);
	tcase_add_loop_test(tcase, a_list_is_replaced_with_nobody_in_the_ioas, 0, 20);
	tcase_add_test(tcase, a_search_begins_at_the_lowest_address_in_a_new_space);
	tcase_add_test(tcase, the_next_place_with_its_offset_is_found);
	tcase_add_test(tcase, the_highest_place_is_found_again);
	tcase_add_test(tcase, the_last_byte_of_an_allowed_range_is_found);
	tcase_add_test(tcase, each_visit_of_an_area_is_a_step);
	tcase_add_test(tcase, reserved_ranges_in_one_gap_are_passed_in_pieces);
	tcase_add_test(tcase, allowed_ranges_that_are_too_short_are_passed_in_pieces);
	tcase_add_test(tcase, gaps_that_are_misaligned_are_passed_once_and_in_pieces);
	tcase_add_test(tcase, gaps_with_something_reserved_are_passed_once_and_in_pieces);
	tcase_add_test(tcase, allowed_ranges_that_are_full_are_passed_once_and_in_pieces);
	tcase_add_test(tcase, what_becomes_free_is_found_again);
	tcase_add_test(tcase, searches_of_all_sizes_find_the_lowest_place);
	tcase_add_test(tcase, a_search_beside_a_free_leaves_no_wrong_cursor);
	tcase_add_test(tcase, a_search_overtaken_while_another_one_searches_is_not_believed);
	tcase_add_test(tcase, a_search_beside_frees_above_it_leaves_a_cursor);
	tcase_add_test(tcase, a_search_goes_on_where_another_one_of_its_kind_ended);
	tcase_add_loop_test(tcase, searches_side_by_side_never_pass_over_a_free_place_for_good,
			    0, 5);
	tcase_add_test(tcase, freeing_many_ranges_pauses);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
