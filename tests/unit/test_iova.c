// SPDX-License-Identifier: GPL-2.0-only
/*
 * iova against lists that are searched from end to end.
 */
#include "kernel.h"
#include "iova.h"
#include "lib_run.h"

#define MAX_AREAS	64
#define MAX_RESERVED	16

static struct iova_space space;
static struct ioas_area areas[MAX_AREAS];
static bool used[MAX_AREAS];

static struct {
	unsigned long first_iova;
	unsigned long last_iova;
	const void *owner;
} reserved[MAX_RESERVED];
static unsigned int nreserved;

static int owners[4];

static void setup(void)
{
	memset(used, 0, sizeof(used));
	nreserved = 0;
	iova_space_init(&space);
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

static bool insert(unsigned int slot, unsigned long first_iova, unsigned long last_iova)
{
	struct ioas_area *other;

	areas[slot].first_iova = first_iova;
	areas[slot].last_iova = last_iova;
	spin_lock(&space.iova_lock);
	other = iova_insert(&space, &areas[slot]);
	spin_unlock(&space.iova_lock);
	if (other)
		ck_assert(overlap(other->first_iova, other->last_iova, first_iova, last_iova));
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

	/* Every address is either in a range that was listed, or reserved. */
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

static void random_step(unsigned long *seed, unsigned long top)
{
	unsigned int slot = random_below(seed, MAX_AREAS);
	unsigned long from = random_below(seed, top);
	unsigned long to = from + random_below(seed, 20);
	bool free = !model_first(from, to);
	unsigned int i, kept = 0;

	switch (random_below(seed, 4)) {
	case 0:
		if (used[slot]) {
			spin_lock(&space.iova_lock);
			iova_erase(&space, &areas[slot]);
			spin_unlock(&space.iova_lock);
			used[slot] = false;
		}
		break;
	case 1:
		if (nreserved < MAX_RESERVED)
			ck_assert_int_eq(reserve(from, to, &owners[slot % 4]),
					 free ? 0 : -EADDRINUSE);
		break;
	case 2:
		if (slot >= 4)
			break;
		iova_unreserve(&space, &owners[slot]);
		for (i = 0; i < nreserved; i++)
			if (reserved[i].owner != &owners[slot])
				reserved[kept++] = reserved[i];
		nreserved = kept;
		break;
	default:
		if (!used[slot])
			ck_assert_int_eq(insert(slot, from, to), free);
	}
}

START_TEST(random_sequences_agree_with_the_model)
{
	const unsigned long top = 600;
	unsigned long seed = _i + 1;
	unsigned int i;

	for (i = 0; i < 3000; i++) {
		unsigned long from = random_below(&seed, top);
		unsigned long to = from + random_below(&seed, 50);

		random_step(&seed, top);
		check_areas(from, to);
		spin_lock(&space.iova_lock);
		ck_assert_int_eq(iova_is_reserved(&space, from, to),
				 model_is_reserved(from, to));
		spin_unlock(&space.iova_lock);
		if (i % 100 == 0)
			check_usable(top + 100);
	}
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
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
