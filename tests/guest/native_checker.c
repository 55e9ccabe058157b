// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_checker.c - the invariant checker of the selftest build (docs/testing.md) notices
 * corrupted state, and nothing else
 */
#include "lib_native.h"

static struct {
	uint64_t iova;		/* of a mapping of two small pages of this process */
	uint8_t *memory;
} small;

static void open_small(void)
{
	rig_native_open(1);
	require_test_cmd(rig.fd);
	small.memory = mem_alloc(2 * PAGE);
	memset(small.memory, 1, 2 * PAGE);
	small.iova = rig_page(0);
	require_eq(rig_map(small.iova, small.memory, 2 * PAGE), 0);
}

/* Breaks something and returns the checker's answer: bits of enum rule, or -errno. */
static long said_of(enum corruption what, uint64_t iova)
{
	struct test_cmd command = {
		.size = sizeof(command),
		.op = TEST_OP_CORRUPT,
		.id = rig.ioas,
		.corrupt = { .iova = iova, .what = what },
	};
	int ret = test_call(rig.fd, &command);

	return ret ?: (long)command.corrupt.out_said;
}

static void check_said(enum corruption what, enum rule rule)
{
	open_small();
	check_eq(said_of(what, small.iova), 1L << rule);
	check_eq(said_of(CORRUPT_NOTHING, small.iova), 0);
	rig_native_close();
}

static void checker_says_nothing_when_all_is_well(void)
{
	open_small();
	check_eq(said_of(CORRUPT_NOTHING, small.iova), 0);
	rig_native_close();
}

static void checker_notices_a_claim_of_nobody(void)
{
	check_said(CORRUPT_STATE, RULE_AREAS);
}

static void checker_notices_an_area_that_is_busy_for_nobody(void)
{
	check_said(CORRUPT_BUSY, RULE_AREAS);
}

static void checker_notices_an_area_that_is_pinned_by_nobody(void)
{
	check_said(CORRUPT_NPINS, RULE_AREAS);
}

static void checker_notices_a_flag_without_a_front_end(void)
{
	check_said(CORRUPT_MARKS, RULE_AREAS);
}

/* Maps a huge page, whose pages form one run. Returns its IOVA. */
static uint64_t open_huge(void)
{
	uint8_t *memory = mem_alloc_hugetlb(HUGE_BYTES);
	uint64_t iova;

	if (!memory)
		skip("there is no huge page");
	open_small();
	iova = rig_page(HUGE_BYTES / PAGE);
	require_eq(rig_map(iova, memory, HUGE_BYTES), 0);
	return iova;
}

static void checker_notices_a_run_border_without_a_user(void)
{
	uint64_t iova = open_huge();

	check_eq(said_of(CORRUPT_BORDER, iova), 1L << RULE_STORES);
	check_eq(said_of(CORRUPT_NOTHING, iova), 0);
	rig_native_close();
}

static void borders_of_a_pin_go_with_it(void)
{
	uint64_t iova = open_huge();
	int access = access_create(rig.fd, rig.ioas, ACCESS_CREATE_NEEDS_PIN);
	long long pin;

	require_true(access >= 0);
	pin = access_pin(rig.fd, access, iova + 3 * PAGE, NULL, 2 * PAGE, 0);
	require_true(pin >= 0);
	check_eq(said_of(CORRUPT_NOTHING, iova), 0);
	check_eq(access_unpin(rig.fd, access, pin), 0);
	check_eq(said_of(CORRUPT_NOTHING, iova), 0);
	close(access);
	rig_native_close();
}

static void checker_notices_what_is_mapped_outside_of_areas(void)
{
	check_said(CORRUPT_MAP_MORE, RULE_DOMAINS);
}

static void checker_notices_what_is_not_mapped(void)
{
	check_said(CORRUPT_MAP_LESS, RULE_DOMAINS);
}

static void checker_notices_what_is_mapped_to_something_else(void)
{
	check_said(CORRUPT_MAP_OTHER, RULE_DOMAINS);
}

static void checker_notices_a_pin_too_many(void)
{
	check_said(CORRUPT_PIN_MORE, RULE_PINS);
}

static void checker_notices_a_pin_too_few(void)
{
	check_said(CORRUPT_PIN_LESS, RULE_PINS);
}

static void checker_notices_a_charge_too_many(void)
{
	check_said(CORRUPT_CHARGE_MORE, RULE_CHARGES);
}

static void checker_notices_a_charge_too_few(void)
{
	check_said(CORRUPT_CHARGE_LESS, RULE_CHARGES);
}

static void checker_notices_a_kernel_counter_that_is_too_low(void)
{
	check_said(CORRUPT_COUNTER, RULE_CHARGES);
}

/* Returns how often the checker looked, or had no time to look. */
static unsigned long count_looks(void)
{
	static const char *const names[] = { "nlooks", "npartial", "nomitted" };
	unsigned long n = 0;
	char text[32];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		require_eq(param_get("vfio_ioas_selftest", names[i], text, sizeof(text)), 0);
		n += strtoul(text, NULL, 10);
	}
	return n;
}

/* One look after the access has refused, and one after the ioctl that called it. */
static void check_two_looks(unsigned long *nbefore)
{
	check_eq(count_looks(), *nbefore + 2);
	*nbefore = count_looks();
}

static void checker_looks_after_calls_that_an_access_refuses_at_once(void)
{
	const uint64_t last_page = UINT64_MAX - PAGE + 1;
	unsigned long nlooks;
	int access;

	open_small();
	access = access_create(rig.fd, rig.ioas, ACCESS_CREATE_NEEDS_PIN);
	require_true(access >= 0);
	nlooks = count_looks();
	check_eq(access_pin(rig.fd, access, last_page, NULL, 2 * PAGE, 0), -EOVERFLOW);
	check_two_looks(&nlooks);
	check_eq(access_rw(rig.fd, access, last_page, small.memory, 2 * PAGE, 0), -EOVERFLOW);
	check_two_looks(&nlooks);
	check_eq(access_replace_ioas(rig.fd, access, 1000), -ENOENT);
	check_two_looks(&nlooks);
	close(access);
	rig_native_close();
}

static const struct test tests[] = {
	TEST(checker_says_nothing_when_all_is_well, 0),
	TEST(checker_notices_a_claim_of_nobody, 0),
	TEST(checker_notices_an_area_that_is_busy_for_nobody, 0),
	TEST(checker_notices_an_area_that_is_pinned_by_nobody, 0),
	TEST(checker_notices_a_flag_without_a_front_end, 0),
	TEST(checker_notices_a_run_border_without_a_user, 0),
	TEST(borders_of_a_pin_go_with_it, 0),
	TEST(checker_notices_what_is_mapped_outside_of_areas, 0),
	TEST(checker_notices_what_is_not_mapped, 0),
	TEST(checker_notices_what_is_mapped_to_something_else, 0),
	TEST(checker_notices_a_pin_too_many, 0),
	TEST(checker_notices_a_pin_too_few, 0),
	TEST(checker_notices_a_charge_too_many, 0),
	TEST(checker_notices_a_charge_too_few, 0),
	TEST(checker_notices_a_kernel_counter_that_is_too_low, 0),
	TEST(checker_looks_after_calls_that_an_access_refuses_at_once, 0),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
