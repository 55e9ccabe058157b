// SPDX-License-Identifier: GPL-2.0-only
/*
 * extents, compared with a simple model: an array with an entry for each page.
 */
#include "kernel.h"
#include "memory/extents.h"
#include "lib_run.h"

#define MODEL_PAGES	6000

struct model {
	struct extents extents;
	unsigned long npages;
	unsigned long pfn[MODEL_PAGES];
	enum extent_kind kind[MODEL_PAGES];
};

static struct model model;

static void model_init(unsigned long npages)
{
	memset(&model, 0, sizeof(model));
	model.npages = npages;
	extents_init(&model.extents, npages);
}

static void model_exit(void)
{
	extents_destroy(&model.extents);
	ck_assert_int_eq(shim_allocations, 0);
}

static void model_set(unsigned long index, unsigned long npages, unsigned long pfn,
		      enum extent_kind kind)
{
	struct extent run = {
		.index = index, .npages = npages, .pfn = pfn, .kind = kind,
	};
	unsigned long i;

	if (extents_set(&model.extents, &run)) {
		ck_assert_int_eq(shim_fail_in, 0);
		return;
	}
	for (i = 0; i < npages; i++) {
		model.pfn[index + i] = pfn + i;
		model.kind[index + i] = kind;
	}
}

static void model_clear(unsigned long first_index, unsigned long last_index)
{
	unsigned long i;

	extents_clear(&model.extents, first_index, last_index);
	for (i = first_index; i <= last_index; i++) {
		model.pfn[i] = 0;
		model.kind[i] = EXTENT_HOLE;
	}
}

/* Walks a range and compares every page with the model. Neighbouring holes are one hole. */
static void check_range(unsigned long first_index, unsigned long last_index)
{
	unsigned long index = first_index;
	struct extent_cursor cursor;
	struct extent run;
	bool more, behind_hole = false;

	for (more = extents_first(&model.extents, &cursor, first_index, last_index, &run);
	     more; more = extents_next(&model.extents, &cursor, last_index, &run)) {
		unsigned long i;

		expect(run.index == index && run.npages >= 1);
		expect(!behind_hole || run.kind != EXTENT_HOLE);
		behind_hole = run.kind == EXTENT_HOLE;
		for (i = 0; i < run.npages; i++) {
			expect(run.kind == model.kind[index + i]);
			expect(run.kind == EXTENT_HOLE || run.pfn + i == model.pfn[index + i]);
		}
		index += run.npages;
	}
	ck_assert_uint_eq(index, last_index + 1);
}

static void check_all(void)
{
	check_range(0, model.npages - 1);
}

START_TEST(a_new_store_is_one_hole)
{
	model_init(100);
	check_all();
	check_range(7, 7);
	model_exit();
}
END_TEST

START_TEST(one_run_over_the_whole_store_needs_no_memory)
{
	model_init(MODEL_PAGES);
	model_set(0, MODEL_PAGES, 0x1000, EXTENT_CHARGED);
	ck_assert_int_eq(shim_allocations, 0);
	check_all();
	model_exit();
}
END_TEST

START_TEST(runs_that_are_neighbours_are_not_merged)
{
	struct extent_cursor cursor;
	struct extent run;

	model_init(10);
	model_set(0, 5, 0x1000, EXTENT_CHARGED);
	model_set(5, 5, 0x1005, EXTENT_CHARGED);
	ck_assert(extents_first(&model.extents, &cursor, 0, 9, &run));
	ck_assert_uint_eq(run.npages, 5);
	/* The border stays: one side can be cleared without the other. */
	model_clear(5, 9);
	check_all();
	model_exit();
}
END_TEST

START_TEST(the_largest_pfn_survives)
{
	unsigned long pfn = (1UL << 40) - 3;

	model_init(3);
	model_set(0, 3, pfn, EXTENT_RESERVED);
	check_all();
	model_exit();
}
END_TEST

START_TEST(pages_scattered_in_memory_cost_at_most_eight_and_a_half_bytes)
{
	unsigned long i;

	model_init(MODEL_PAGES);
	for (i = 0; i < MODEL_PAGES; i++)
		model_set(i, 1, 2 * i + 1, EXTENT_CHARGED);
	check_all();
	/* The last chunk of 512 may be half empty. */
	ck_assert_uint_le(shim_allocated_nbytes, MODEL_PAGES * 17 / 2 + 4096);
	model_exit();
}
END_TEST

START_TEST(huge_pages_cost_at_most_sixteen_bytes_each)
{
	const unsigned long nhuge = 4096;
	struct extents extents;
	unsigned long i;

	extents_init(&extents, nhuge * 512);
	for (i = 0; i < nhuge; i++) {
		struct extent run = {
			.index = i * 512, .npages = 512, .pfn = i * 1024,
			.kind = EXTENT_CHARGED,
		};

		ck_assert_int_eq(extents_set(&extents, &run), 0);
	}
	ck_assert_uint_le(shim_allocated_nbytes, nhuge * 16);
	extents_destroy(&extents);
	ck_assert_int_eq(shim_allocations, 0);
}
END_TEST

static unsigned long count_runs(void)
{
	struct extent_cursor cursor;
	struct extent run;
	unsigned long n = 0;
	bool more;

	for (more = extents_first(&model.extents, &cursor, 0, model.npages - 1, &run);
	     more; more = extents_next(&model.extents, &cursor, model.npages - 1, &run))
		n++;
	return n;
}

START_TEST(a_run_that_is_not_all_in_a_hole_is_refused)
{
	struct extent run = { .index = 3, .npages = 4, .pfn = 7, .kind = EXTENT_CHARGED };
	static const struct extent wrong[] = {
		{ .index = 0, .npages = 4, .pfn = 20, .kind = EXTENT_CHARGED },
		{ .index = 0, .npages = 10, .pfn = 20, .kind = EXTENT_MMIO },
		{ .index = 6, .npages = 2, .pfn = 20, .kind = EXTENT_RESERVED },
		{ .index = 4, .npages = 1, .pfn = 20, .kind = EXTENT_CHARGED },
		{ .index = 8, .npages = 3, .pfn = 20, .kind = EXTENT_CHARGED },
		{ .index = 8, .npages = 1, .pfn = 0, .kind = EXTENT_HOLE },
	};
	unsigned int i;

	model_init(10);
	model_set(run.index, run.npages, run.pfn, run.kind);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		shim_expected_warnings = 1;
		ck_assert_int_eq(extents_set(&model.extents, &wrong[i]), -EINVAL);
		ck_assert_uint_eq(shim_expected_warnings, 0);
		check_all();
		ck_assert_uint_eq(count_runs(), 3);
	}
	model_exit();
}
END_TEST

/* A fill is undone in the middle. A later run may reach over the old border. */
START_TEST(cleared_runs_merge_into_one_hole)
{
	model_init(10);
	model_set(0, 2, 0x1000, EXTENT_CHARGED);
	model_set(2, 1, 0x2000, EXTENT_CHARGED);
	model_clear(0, 2);
	ck_assert_uint_eq(count_runs(), 1);
	model_set(0, 10, 0x3000, EXTENT_CHARGED);
	check_all();
	model_exit();
}
END_TEST

/* A run in the middle of a hole needs several allocations. When one fails, nothing is left. */
START_TEST(a_run_that_finds_no_memory_leaves_no_trace)
{
	struct extent run = { .index = 3, .npages = 4, .pfn = 7, .kind = EXTENT_CHARGED };
	unsigned long fail_in;
	int ret;

	model_init(1UL << 24);
	run.index = _i ? 1UL << 23 : 3;
	for (fail_in = 1; ; fail_in++) {
		shim_fail_in = fail_in;
		ret = extents_set(&model.extents, &run);
		if (!ret)
			break;
		ck_assert_int_eq(ret, -ENOMEM);
		ck_assert_int_eq(shim_fail_in, 0);
		ck_assert_uint_eq(count_runs(), 1);
		ck_assert_int_eq(shim_allocations, 0);
	}
	shim_fail_in = 0;
	ck_assert_uint_gt(fail_in, 1);
	ck_assert_uint_eq(count_runs(), 3);
	extents_clear(&model.extents, run.index, run.index + 3);
	ck_assert_uint_eq(count_runs(), 1);
	ck_assert_int_eq(shim_allocations, 0);
	model_exit();
}
END_TEST

START_TEST(joining_undoes_a_cut_and_nothing_else)
{
	model_init(12);
	model_set(2, 4, 0x1000, EXTENT_CHARGED);
	model_set(6, 2, 0x1004, EXTENT_RESERVED);
	model_set(8, 2, 0x2000, EXTENT_RESERVED);
	ck_assert_int_eq(extents_cut(&model.extents, 4), 0);
	ck_assert_int_eq(extents_cut(&model.extents, 1), 0);
	ck_assert_uint_eq(count_runs(), 6);
	/* Another kind, frames not consecutive, no border, the border of a hole, the two ends. */
	extents_join(&model.extents, 6);
	extents_join(&model.extents, 8);
	extents_join(&model.extents, 5);
	extents_join(&model.extents, 2);
	extents_join(&model.extents, 0);
	extents_join(&model.extents, 12);
	ck_assert_uint_eq(count_runs(), 6);
	extents_join(&model.extents, 4);
	ck_assert_uint_eq(count_runs(), 5);
	check_all();
	model_exit();
}
END_TEST

START_TEST(a_walk_tells_what_was_cut_in_one_piece)
{
	struct extent_cursor cursor;
	struct extent run, next;
	unsigned long i;

	model_init(MODEL_PAGES);
	model_set(0, MODEL_PAGES - 1, 0x1000, EXTENT_CHARGED);
	for (i = 1; i < MODEL_PAGES; i++)
		ck_assert_int_eq(extents_cut(&model.extents, i), 0);
	ck_assert(extents_first(&model.extents, &cursor, 5, MODEL_PAGES - 1, &next));
	ck_assert(extents_next_whole(&model.extents, &cursor, MODEL_PAGES - 1, &next, &run));
	ck_assert_uint_eq(run.index, 5);
	ck_assert_uint_eq(run.npages, MODEL_PAGES - 6);
	ck_assert_uint_eq(run.pfn, 0x1005);
	ck_assert(!extents_next_whole(&model.extents, &cursor, MODEL_PAGES - 1, &next, &run));
	ck_assert_int_eq(run.kind, EXTENT_HOLE);
	ck_assert_uint_eq(run.npages, 1);
	model_exit();
}
END_TEST

/* Makes a random order of the numbers from 0 to @n - 1. */
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

/* The number of pairs of neighbouring chunks that together have at most half a chunk of runs. */
static unsigned int count_mergeable(void)
{
	const struct extents *extents = &model.extents;
	const struct extent_chunk *chunk = extents->chunks;
	unsigned int i, n = 0;

	for (i = 1; i < extents->nchunks; i++, chunk++)
		n += chunk[0].nruns + chunk[1].nruns <= 4096 / sizeof(*chunk->runs) / 2;
	return n;
}

/* Single pages are set and cleared, or cut and joined, in random order. Memory is given back. */
START_TEST(what_is_cleared_or_joined_gives_its_memory_back)
{
	static unsigned long order[MODEL_PAGES];
	unsigned long seed = begin_random(_i + 300);
	bool cut = _i % 2;
	unsigned long i, nmergeable = 0;

	model_init(MODEL_PAGES);
	if (cut)
		model_set(0, MODEL_PAGES, 0x1000, EXTENT_CHARGED);
	shuffle(order, MODEL_PAGES, &seed);
	for (i = 0; i < MODEL_PAGES; i++) {
		if (cut)
			ck_assert_int_eq(extents_cut(&model.extents, order[i]), 0);
		else
			model_set(order[i], 1, 2 * order[i] + 1, EXTENT_CHARGED);
	}
	shuffle(order, MODEL_PAGES, &seed);
	for (i = 0; i < MODEL_PAGES; i++) {
		if (cut)
			extents_join(&model.extents, order[i]);
		else
			model_clear(order[i], order[i]);
		nmergeable += count_mergeable();
		/* At most 32 bytes a run, and some for the list of chunks. */
		if (i % 100 == 0)
			expect(shim_allocated_nbytes <= count_runs() * 32 + 3 * 4096);
	}
	/* A removal merges chunks only at its beginning; a pair at its end can stay for a while. */
	ck_assert_uint_lt(nmergeable, MODEL_PAGES / 200);
	ck_assert_uint_eq(count_runs(), 1);
	ck_assert_int_eq(shim_allocations, 0);
	check_all();
	model_exit();
}
END_TEST

/* Runs that begin more than 2^22 pages apart cannot share a chunk. */
START_TEST(runs_may_be_any_distance_apart)
{
	const unsigned long npages = 1UL << 40;
	const unsigned long step = (1UL << 22) + 1;
	struct extent_cursor cursor;
	struct extents extents;
	struct extent run;
	unsigned long i;

	extents_init(&extents, npages);
	for (i = 0; i < 600; i++) {
		run = (struct extent){
			.index = i * step, .npages = 3, .pfn = i, .kind = EXTENT_CHARGED,
		};
		ck_assert_int_eq(extents_set(&extents, &run), 0);
	}
	for (i = 0; i < 600; i++) {
		ck_assert(extents_first(&extents, &cursor, i * step + 1, i * step + 10, &run));
		ck_assert_uint_eq(run.npages, 2);
		ck_assert_uint_eq(run.pfn, i + 1);
		ck_assert(extents_next(&extents, &cursor, i * step + 10, &run));
		ck_assert_int_eq(run.kind, EXTENT_HOLE);
	}
	extents_clear(&extents, 0, npages - 1);
	ck_assert_int_eq(shim_allocations, 0);
	extents_destroy(&extents);
}
END_TEST

START_TEST(an_empty_range_has_no_run)
{
	struct extent_cursor cursor;
	struct extent run;

	model_init(10);
	ck_assert(!extents_first(&model.extents, &cursor, 5, 4, &run));
	ck_assert(!extents_first(&model.extents, &cursor, 5, 10, &run));
	model_exit();
}
END_TEST

/* Finds the hole around @index: [*first, *end). False if the page is in no hole. */
static bool find_hole(unsigned long index, unsigned long *first, unsigned long *end)
{
	if (model.kind[index] != EXTENT_HOLE)
		return false;
	for (*first = index; *first && model.kind[*first - 1] == EXTENT_HOLE; --*first)
		;
	for (*end = index; *end < model.npages && model.kind[*end] == EXTENT_HOLE; ++*end)
		;
	return true;
}

static void random_set(unsigned long *seed, unsigned long max_run)
{
	unsigned long first, end, npages;
	unsigned long index = random_below(seed, model.npages);

	if (!find_hole(index, &first, &end))
		return;
	npages = 1 + random_below(seed, min(end - index, max_run));
	model_set(index, npages, 1 + random_below(seed, 1UL << 30),
		  random_below(seed, 8) ? EXTENT_CHARGED : EXTENT_RESERVED);
}

static void random_clear(unsigned long *seed)
{
	unsigned long first = random_below(seed, model.npages);
	unsigned long last = first + random_below(seed, min(model.npages - first, 700UL));

	if (extents_cut(&model.extents, first))
		return;
	if (extents_cut(&model.extents, last + 1)) {
		extents_join(&model.extents, first);
		return;
	}
	model_clear(first, last);
}

static void random_check(unsigned long *seed)
{
	unsigned long first = random_below(seed, model.npages);

	check_range(first, first + random_below(seed, model.npages - first));
}

static void random_sequence(unsigned long seed, unsigned long max_run, bool failing)
{
	unsigned int i;

	model_init(1 + random_below(&seed, MODEL_PAGES));
	for (i = 0; i < 4000; i++) {
		shim_fail_in = failing ? random_below(&seed, 3) : 0;
		switch (random_below(&seed, 64)) {
		case 0:
			random_clear(&seed);
			break;
		case 1 ... 3:
			extents_cut(&model.extents, random_below(&seed, model.npages + 1));
			break;
		case 4:
			random_check(&seed);
			break;
		case 5 ... 7:
			extents_join(&model.extents, random_below(&seed, model.npages + 1));
			break;
		default:
			random_set(&seed, max_run);
		}
		shim_fail_in = 0;
		if (i % 500 == 0)
			check_all();
	}
	check_all();
	model_exit();
}

START_TEST(random_sequences_of_single_pages_agree_with_the_model)
{
	random_sequence(begin_random(_i + 1), 1, false);
}
END_TEST

START_TEST(random_sequences_of_runs_agree_with_the_model)
{
	random_sequence(begin_random(_i + 100), 40, false);
}
END_TEST

START_TEST(random_sequences_without_memory_now_and_then_agree_with_the_model)
{
	random_sequence(begin_random(_i + 200), 2, true);
}
END_TEST

START_TEST(a_cut_at_either_end_of_a_store_does_nothing)
{
	model_init(10);
	model_set(0, 5, 0x1000, EXTENT_CHARGED);
	model_set(5, 5, 0x2000, EXTENT_CHARGED);
	ck_assert_int_eq(extents_cut(&model.extents, 0), 0);
	ck_assert_int_eq(extents_cut(&model.extents, 10), 0);
	ck_assert_int_eq(shim_allocations, 0);
	model_exit();
}
END_TEST

START_TEST(two_runs_need_no_memory)
{
	model_init(10);
	model_set(0, 2, 0x1000, EXTENT_CHARGED);
	model_set(2, 2, 0x2000, EXTENT_CHARGED);
	ck_assert_int_eq(shim_allocations, 1);
	model_clear(2, 3);
	ck_assert_int_eq(shim_allocations, 0);
	check_all();
	model_exit();
}
END_TEST

/* A run begins at the largest distance that a chunk can have. Runs in between come and go. */
START_TEST(a_chunk_reaches_as_far_as_a_start_can_say)
{
	struct extent run = {
		.index = EXTENT_MAX_START, .npages = 3, .pfn = 7, .kind = EXTENT_CHARGED,
	};
	struct extents extents;
	unsigned long i;

	extents_init(&extents, EXTENT_MAX_START + 3);
	ck_assert_int_eq(extents_set(&extents, &run), 0);
	ck_assert_int_eq(shim_allocations, 0);
	run.npages = 1;
	for (i = 1; i <= 300; i++) {
		run.index = 2 * i;
		ck_assert_int_eq(extents_set(&extents, &run), 0);
	}
	for (i = 1; i <= 300; i++)
		extents_clear(&extents, 2 * i, 2 * i);
	ck_assert_int_eq(shim_allocations, 0);
	extents_destroy(&extents);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("extents");
	TCase *tcase = tcase_create("extents");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, a_new_store_is_one_hole);
	tcase_add_test(tcase, one_run_over_the_whole_store_needs_no_memory);
	tcase_add_test(tcase, runs_that_are_neighbours_are_not_merged);
	tcase_add_test(tcase, the_largest_pfn_survives);
	tcase_add_test(tcase, pages_scattered_in_memory_cost_at_most_eight_and_a_half_bytes);
	tcase_add_test(tcase, huge_pages_cost_at_most_sixteen_bytes_each);
	tcase_add_test(tcase, a_run_that_is_not_all_in_a_hole_is_refused);
	tcase_add_test(tcase, cleared_runs_merge_into_one_hole);
	tcase_add_loop_test(tcase, a_run_that_finds_no_memory_leaves_no_trace, 0, 2);
	tcase_add_test(tcase, joining_undoes_a_cut_and_nothing_else);
	tcase_add_test(tcase, a_walk_tells_what_was_cut_in_one_piece);
	tcase_add_loop_test(tcase, what_is_cleared_or_joined_gives_its_memory_back, 0, 6);
	tcase_add_test(tcase, runs_may_be_any_distance_apart);
	tcase_add_test(tcase, an_empty_range_has_no_run);
	tcase_add_loop_test(tcase, random_sequences_of_single_pages_agree_with_the_model, 0, 10);
	tcase_add_loop_test(tcase, random_sequences_of_runs_agree_with_the_model, 0, 10);
	tcase_add_loop_test(tcase,
			    random_sequences_without_memory_now_and_then_agree_with_the_model,
			    0, 10);
	tcase_add_test(tcase, a_cut_at_either_end_of_a_store_does_nothing);
	tcase_add_test(tcase, two_runs_need_no_memory);
	tcase_add_test(tcase, a_chunk_reaches_as_far_as_a_start_can_say);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
