// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the tester: "vfio-ioas compare" gets transcripts and backends with one error each, and
 * has to find it.
 */
#define _GNU_SOURCE
#include "../unit/lib_run.h"

#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "compare/bounds.h"
#include "compare/child.h"
#include "compare/compare_sequences.h"
#include "compare/diff.h"
#include "compare/op/devices.h"
#include "compare/op/do.h"
#include "compare/op/kernel.h"
#include "compare/op/memory.h"
#include "compare/op/model.h"
#include "compare/op/op_format.h"
#include "compare/op/op_type.h"
#include "compare/op/transcript.h"
#include "compare/options.h"
#include "compare/random.h"
#include "compare/random_run.h"
#include "compare/replay.h"

unsigned long run_seed;

static struct comparison comparison;

static void forget_comparison(void)
{
	text_free(&comparison.excerpt);
	comparison = (struct comparison){ 0 };
}

static struct outcome outcome_of(enum ending ending, const char *lines)
{
	struct outcome outcome = { .ending = ending };

	if (ending == ENDED_BADLY)
		outcome.status = 11;
	text_add(&outcome.transcript, "%s", lines);
	return outcome;
}

static enum verdict compare_endings(const char *name, enum ending stock_ending, const char *stock,
				    enum ending ours_ending, const char *ours)
{
	struct outcome stock_outcome = outcome_of(stock_ending, stock);
	struct outcome ours_outcome = outcome_of(ours_ending, ours);

	forget_comparison();
	compare_outcomes(name, &stock_outcome, &ours_outcome, &comparison);
	outcome_free(&stock_outcome);
	outcome_free(&ours_outcome);
	return comparison.verdict;
}

static enum verdict compare(const char *name, const char *stock, const char *ours)
{
	return compare_endings(name, ENDED_WELL, stock, ENDED_WELL, ours);
}

/* --- transcripts */

START_TEST(equal_transcripts_are_the_same)
{
	ck_assert_int_eq(compare("any", "a = 0\nb = 1\n", "a = 0\nb = 1\n"), VERDICT_SAME);
}
END_TEST

START_TEST(a_line_that_differs_is_noticed_wherever_it_is)
{
	static const char *const wrong[] = {
		"a = 1\nb = 1\nc = 2\n", "a = 0\nb = 2\nc = 2\n", "a = 0\nb = 1\nc = 3\n",
		"a = 0\nb = 1\n", "a = 0\nb = 1\nc = 2\nd = 3\n", "",
	};

	ck_assert_int_eq(compare("any", "a = 0\nb = 1\nc = 2\n", wrong[_i]), VERDICT_DIFFERENT);
}
END_TEST

START_TEST(a_crash_or_a_hang_of_ours_is_noticed)
{
	enum ending ending = _i ? ENDED_LATE : ENDED_BADLY;

	ck_assert_int_eq(compare_endings("any", ENDED_WELL, "a = 0\n", ending, "a = 0\n"),
			 VERDICT_DIFFERENT);
}
END_TEST

START_TEST(two_that_fail_do_not_agree)
{
	static const enum ending endings[] = { ENDED_BADLY, ENDED_LATE, ENDED_GIVING_UP };

	ck_assert_int_eq(compare_endings("any", endings[_i], "a = 0\n", endings[_i], "a = 0\n"),
			 VERDICT_NOT_RUN);
}
END_TEST

/* A case that is meant to differ in two lines. */
#define TO_THE_END	"unmap_of_a_range_that_ends_with_the_numbers"
#define BEFORE		"map iova=0x1000 size=0x1000 vaddr=buf+0x0 flags=read|write argsz=32 " \
			"= 0 L=4 avail=65534\n"
#define UNMAP		"unmap iova=0x1000 size=0xfffffffffffff000 flags=0x0 argsz=24 = 0 "
#define UNMAP_ALL	"unmap iova=0x0 size=0x0 flags=all argsz=24 = 0 "
#define STOCK_LINES	BEFORE UNMAP "size=0x0 L=4 avail=65534\n" \
			UNMAP_ALL "size=0x1000 L=0 avail=65535\n"
#define OUR_LINES	BEFORE UNMAP "size=0x1000 L=0 avail=65535\n" \
			UNMAP_ALL "size=0x0 L=0 avail=65535\n"

START_TEST(a_case_may_differ_where_the_table_says)
{
	ck_assert_int_eq(compare(TO_THE_END, STOCK_LINES, OUR_LINES), VERDICT_INTENDED);
	find_absent(TO_THE_END, &comparison);
	ck_assert_int_eq(comparison.verdict, VERDICT_INTENDED);
}
END_TEST

START_TEST(nothing_else_is_forgiven_after_an_intended_difference)
{
	static const char *const wrong[] = {
		/* one line more on either side, one line less, another result, another charge */
		OUR_LINES "state L=0 avail=65535\n",
		BEFORE UNMAP "size=0x1000 L=0 avail=65535\n",
		BEFORE UNMAP "size=0x1000 L=0 avail=65535\n"
		UNMAP_ALL "size=0x2000 L=0 avail=65535\n",
		BEFORE UNMAP "size=0x1000 L=0 avail=65535\n"
		UNMAP_ALL "size=0x0 L=4 avail=65535\n",
		BEFORE UNMAP "size=0x1000 L=4 avail=65535\n"
		UNMAP_ALL "size=0x0 L=0 avail=65535\n",
	};

	ck_assert_int_eq(compare(TO_THE_END, STOCK_LINES, wrong[_i]), VERDICT_DIFFERENT);
}
END_TEST

START_TEST(a_crash_after_an_intended_difference_is_noticed)
{
	enum ending ending = _i ? ENDED_LATE : ENDED_BADLY;

	ck_assert_int_eq(compare_endings(TO_THE_END, ENDED_WELL, STOCK_LINES, ending, OUR_LINES),
			 VERDICT_DIFFERENT);
	ck_assert_int_eq(compare_endings(TO_THE_END, ENDED_WELL, STOCK_LINES, ending,
					 BEFORE UNMAP "size=0x1000 L=0 avail=65535\n"),
			 VERDICT_DIFFERENT);
}
END_TEST

START_TEST(an_intended_difference_that_does_not_appear_is_noticed)
{
	ck_assert_int_eq(compare(TO_THE_END, STOCK_LINES, STOCK_LINES), VERDICT_SAME);
	find_absent(TO_THE_END, &comparison);
	ck_assert_int_eq(comparison.verdict, VERDICT_DIFFERENT);
	ck_assert_uint_eq(comparison.nabsent, 2);
}
END_TEST

START_TEST(on_a_kernel_that_mended_it_the_difference_is_one)
{
	kernel_pretend(6, 18);
	ck_assert_int_eq(compare(TO_THE_END, STOCK_LINES, OUR_LINES), VERDICT_DIFFERENT);
	ck_assert_int_eq(compare(TO_THE_END, OUR_LINES, OUR_LINES), VERDICT_SAME);
	find_absent(TO_THE_END, &comparison);
	ck_assert_int_eq(comparison.verdict, VERDICT_SAME);
}
END_TEST

#define LOW_BITMAP	"pgsize=0x1000 nbytes=0x8 bits=low flags=bitmap argsz=48"

/* Ours refuses addresses that are invalid already, and a bitmap without access; stock does not. */
START_TEST(a_range_to_the_end_may_be_refused_by_ours)
{
	static const struct {
		const char *before, *call, *error;
		bool may;
	} lines[] = {
		{ "unmap iova=0x14000 size=0x2000 flags=vaddr argsz=24 = 0 size=0x2000",
		  "unmap iova=0x14000 size=0xfffffffffffec000 flags=vaddr argsz=24",
		  "EINVAL", true },
		{ "unmap iova=0x14000 size=0x2000 flags=vaddr argsz=24 = 0 size=0x0",
		  "unmap iova=0x14000 size=0xfffffffffffec000 flags=vaddr argsz=24",
		  "EINVAL", false },
		{ "unmap iova=0x14000 size=0x2000 flags=vaddr argsz=24 = 0 size=0x2000",
		  "unmap iova=0x14000 size=0xfffffffffffec000 flags=0x0 argsz=24",
		  "EINVAL", false },
		{ "unmap iova=0x14000 size=0x2000 flags=vaddr argsz=24 = 0 size=0x2000",
		  "unmap iova=0x14000 size=0x1000 flags=vaddr argsz=24",
		  "EINVAL", false },
		{ "state",
		  "unmap-bitmap iova=0xffffffffffffd000 size=0x3000 " LOW_BITMAP,
		  "EFAULT", true },
		{ "state",
		  "unmap-bitmap iova=0xffffffffffffd000 size=0x2000 " LOW_BITMAP,
		  "EFAULT", false },
	};
	static const char state[] = " L=16 avail=65534\n";
	char stock[512], ours[512];

	snprintf(stock, sizeof(stock), "%s%s%s = 0 size=0x0%s", lines[_i].before, state,
		 lines[_i].call, state);
	snprintf(ours, sizeof(ours), "%s%s%s = -%s size=0x14000%s", lines[_i].before, state,
		 lines[_i].call, lines[_i].error, state);
	kernel_pretend(6, 12);
	ck_assert_int_eq(compare("random", stock, ours),
			 lines[_i].may ? VERDICT_INTENDED : VERDICT_DIFFERENT);
	kernel_pretend(6, 18);
	ck_assert_int_eq(compare("random", stock, ours), VERDICT_DIFFERENT);
}
END_TEST

#define FAR		"map iova=0x1000000000000 size=0x1000 vaddr=buf+0x0 flags=read|write " \
			"argsz=32 = 0 L=0 avail=65534\n"
#define NEAR		"map iova=0x1000 size=0x1000 vaddr=buf+0x0 flags=read|write argsz=32 " \
			"= 0 L=0 avail=65534\n"
#define JOIN(error)	"join group=A = -" error " L=0 avail=65534\n"

/* Applies only if the mapping may be out of reach. */
START_TEST(a_group_may_hear_of_reach_before_it_hears_of_memory)
{
	static const char *const stock[] = { "ENOMEM", "EFAULT", "EINVAL" };
	char stock_lines[512], our_lines[512];
	bool may = _i < 2;

	snprintf(stock_lines, sizeof(stock_lines), FAR JOIN("%s"), stock[_i]);
	kernel_pretend(7, 2);
	ck_assert_int_eq(compare("random", stock_lines, FAR JOIN("ERANGE")),
			 may ? VERDICT_INTENDED : VERDICT_DIFFERENT);
	kernel_pretend(6, 1);
	ck_assert_int_eq(compare("random", FAR JOIN("ENOMEM"), FAR JOIN("EFAULT")),
			 VERDICT_INTENDED);
	snprintf(stock_lines, sizeof(stock_lines), NEAR JOIN("%s"), stock[_i]);
	snprintf(our_lines, sizeof(our_lines), NEAR JOIN("ERANGE"));
	ck_assert_int_eq(compare("random", stock_lines, our_lines), VERDICT_DIFFERENT);
	ck_assert_int_eq(compare("random", FAR JOIN("ENOMEM"), FAR JOIN("0")),
			 VERDICT_DIFFERENT);
}
END_TEST

START_TEST(behind_a_divergence_the_same_calls_are_made_to_the_end)
{
	static const char stock[] = STOCK_LINES "info argsz=24 = 0 flags=0x1\n";

	ck_assert_int_eq(compare("random", stock, OUR_LINES "info argsz=24 = 0 flags=0x3\n"),
			 VERDICT_INTENDED);
	ck_assert_ptr_nonnull(comparison.divergence);
	ck_assert_uint_eq(comparison.diverges_at, 1);
	ck_assert_int_eq(compare("random", stock, OUR_LINES), VERDICT_DIFFERENT);
	ck_assert_int_eq(compare("random", stock, OUR_LINES "info argsz=25 = 0 flags=0x1\n"),
			 VERDICT_DIFFERENT);
	ck_assert_int_eq(compare_endings("random", ENDED_WELL, stock, ENDED_BADLY,
					 OUR_LINES "info argsz=24 = 0 flags=0x1\n"),
			 VERDICT_DIFFERENT);
}
END_TEST

START_TEST(a_case_that_judges_for_itself_has_to_end_and_to_say_no_wrong)
{
	struct outcome good = outcome_of(ENDED_WELL, "as expected: x\n");
	struct outcome bad = outcome_of(ENDED_WELL, "NOT as expected: x\n");
	struct outcome late = outcome_of(ENDED_LATE, "as expected: x\n");

	judge_outcome(&good, &comparison);
	ck_assert_int_eq(comparison.verdict, VERDICT_SAME);
	judge_outcome(&bad, &comparison);
	ck_assert_int_eq(comparison.verdict, VERDICT_DIFFERENT);
	judge_outcome(&late, &comparison);
	ck_assert_int_eq(comparison.verdict, VERDICT_DIFFERENT);
	outcome_free(&good);
	outcome_free(&bad);
	outcome_free(&late);
}
END_TEST

/* --- wrong backends: a fake type1 that keeps maps by their IOVA */

enum wrong {
	RIGHT,
	WRONG_RESULT,		/* of the last call */
	WRONG_CHARGE,
	CRASHES,
	HANGS,
	ENDS_EARLY,
	SAYS_MORE,
	BOTH_CRASH,
	BOTH_HANG,
	CRASHES_ONCE,
	NWRONG,
};

static enum wrong how_wrong;
static unsigned int nruns_of_ours;

#define NSLOTS_OF_FAKE	8U

struct fake {
	enum backend backend;
	uint64_t iova[NSLOTS_OF_FAKE];
	uint64_t nbytes[NSLOTS_OF_FAKE];	/* 0: free */
};

static bool ends_at_the_end(const struct op *op)
{
	return op->arg[0] && op->arg[0] + op->arg[1] == 0;
}

static unsigned int count_maps(const struct fake *fake)
{
	unsigned int n = 0, i;

	for (i = 0; i < NSLOTS_OF_FAKE; i++)
		n += fake->nbytes[i] != 0;
	return n;
}

static int fake_map(struct fake *fake, const struct op *op)
{
	unsigned int i, room = NSLOTS_OF_FAKE;

	for (i = 0; i < NSLOTS_OF_FAKE; i++) {
		if (!fake->nbytes[i])
			room = i;
		else if (fake->iova[i] == op->arg[0])
			return -17;
	}
	if (room == NSLOTS_OF_FAKE)
		return -28;
	fake->iova[room] = op->arg[0];
	fake->nbytes[room] = op->arg[1];
	return 0;
}

/* For stock a range that ends at 2^64 is empty. */
static uint64_t fake_unmap(struct fake *fake, const struct op *op)
{
	uint64_t nbytes = 0;
	unsigned int i;

	if (fake->backend == STOCK && ends_at_the_end(op))
		return 0;
	for (i = 0; i < NSLOTS_OF_FAKE; i++) {
		if (!fake->nbytes[i] || fake->iova[i] < op->arg[0] ||
		    fake->iova[i] - op->arg[0] >= op->arg[1])
			continue;
		nbytes += fake->nbytes[i];
		fake->nbytes[i] = 0;
	}
	return nbytes;
}

static void fake_op(struct fake *fake, const struct op *op, bool wrong, struct text *line)
{
	op_format(op, line);
	if (op->kind == OP_MAP)
		text_add_result(line, fake_map(fake, op));
	else
		text_add(line, " = 0 size=0x%llx", (unsigned long long)fake_unmap(fake, op));
	if (wrong && how_wrong == WRONG_RESULT)
		text_add(line, "1");
	text_add(line, " L=%u avail=%u\n", 4 * count_maps(fake) +
		 (wrong && how_wrong == WRONG_CHARGE), 65535 - count_maps(fake));
}

static void run_fake(const struct sequence *sequence, enum backend backend,
		     struct outcome *outcome)
{
	struct fake fake = { .backend = backend };
	size_t nops = sequence->nops, i;

	nruns_of_ours += backend == OURS;
	text_clear(&outcome->transcript);
	*outcome = (struct outcome){ .transcript = outcome->transcript };
	if (how_wrong == ENDS_EARLY && backend == OURS && nops)
		nops--;
	for (i = 0; i < nops; i++)
		fake_op(&fake, &sequence->ops[i], backend == OURS && i == sequence->nops - 1,
			&outcome->transcript);
	if (backend == OURS && how_wrong == SAYS_MORE)
		text_add(&outcome->transcript, "state L=0 avail=65535\n");
	if (how_wrong == BOTH_HANG || (backend == OURS && how_wrong == HANGS))
		outcome->ending = ENDED_LATE;
	if (how_wrong == BOTH_CRASH || (backend == OURS && how_wrong == CRASHES) ||
	    (backend == OURS && how_wrong == CRASHES_ONCE && nruns_of_ours == 1)) {
		outcome->ending = ENDED_BADLY;
		outcome->status = 11;
	}
}

static bool always(enum backend backend)
{
	(void)backend;
	return true;
}

static void add_call(struct sequence *sequence, enum op_kind kind, uint64_t iova, uint64_t nbytes)
{
	struct op op = { .kind = kind, .arg = { iova, nbytes } };

	if (kind == OP_MAP)
		op.arg[4] = 32;
	else
		op.arg[3] = 24;
	sequence_add(sequence, &op);
}

enum course { CONVERGES, DIVERGES };

static void make_sequence(struct sequence *sequence, enum course course)
{
	add_call(sequence, OP_MAP, 0x1000, 0x1000);
	add_call(sequence, OP_MAP, 0x3000, 0x1000);
	if (course == DIVERGES)
		add_call(sequence, OP_UNMAP, 0x2000, -0x2000ULL);
	add_call(sequence, OP_MAP, 0x3000, 0x1000);
	add_call(sequence, OP_MAP, 0x5000, 0x1000);
	if (course == DIVERGES)
		add_call(sequence, OP_UNMAP, 0x4000, -0x4000ULL);
	add_call(sequence, OP_MAP, 0x7000, 0x1000);
	add_call(sequence, OP_UNMAP, 0x1000, 0x1000);
}

static enum verdict compare_fakes(enum wrong wrong, enum course course)
{
	struct sequence sequence = { 0 };
	enum verdict verdict;

	make_sequence(&sequence, course);
	how_wrong = wrong;
	nruns_of_ours = 0;
	forget_comparison();
	ck_assert(compare_sequences("random", &sequence, 1, &comparison));
	verdict = comparison.verdict;
	sequence_free(&sequence);
	return verdict;
}

START_TEST(a_right_backend_is_the_same)
{
	ck_assert_int_eq(compare_fakes(RIGHT, CONVERGES), VERDICT_SAME);
	ck_assert_uint_eq(nruns_of_ours, 1);
}
END_TEST

START_TEST(what_led_to_a_difference_is_left_out_and_the_rest_compared)
{
	ck_assert_int_eq(compare_fakes(RIGHT, DIVERGES), VERDICT_INTENDED);
	ck_assert_uint_eq(nruns_of_ours, 3);
	ck_assert_uint_eq(comparison.nintended, 1);
}
END_TEST

START_TEST(a_wrong_backend_is_noticed)
{
	enum wrong wrong = WRONG_RESULT + _i / 2;
	enum verdict verdict = compare_fakes(wrong, _i % 2 ? DIVERGES : CONVERGES);

	ck_assert_msg(verdict == VERDICT_DIFFERENT ||
		      ((wrong == BOTH_CRASH || wrong == BOTH_HANG) &&
		       (verdict == VERDICT_NOT_RUN || verdict == VERDICT_DIFFERENT)),
		      "wrong %d, diverges %d: verdict %d", wrong, _i % 2, verdict);
}
END_TEST

/*
 * The sequence maps 0x3000 twice. The second map fails, unless ours has unmapped it before, which
 * is intended and then left out. It also maps 0x7000 twice, in any case. In the recording all maps
 * succeed.
 */
START_TEST(a_map_that_fails_on_both_sides_though_it_was_recorded_is_noted)
{
	struct sequence sequence = { 0 };
	bool diverges = _i;
	size_t i;

	make_sequence(&sequence, diverges ? DIVERGES : CONVERGES);
	add_call(&sequence, OP_MAP, 0x7000, 0x2000);
	for (i = 0; i < sequence.nops; i++)
		sequence.ops[i].succeeded = true;
	how_wrong = RIGHT;
	forget_comparison();
	ck_assert(compare_sequences("random", &sequence, 1, &comparison));
	ck_assert_int_eq(comparison.verdict, diverges ? VERDICT_INTENDED : VERDICT_SAME);
	ck_assert_uint_eq(comparison.nlost, diverges ? 1 : 2);
	ck_assert_uint_eq(comparison.first_lost.arg[0], diverges ? 0x7000 : 0x3000);
	ck_assert_uint_eq(comparison.first_lost.arg[1], diverges ? 0x2000 : 0x1000);
	sequence_free(&sequence);
}
END_TEST

/* Runs all of --random and returns its exit status, which a test suite sees. */
static int random_status(enum wrong wrong)
{
	int null = open("/dev/null", O_WRONLY);
	int saved = dup(STDOUT_FILENO);
	int status;

	fflush(stdout);
	dup2(null, STDOUT_FILENO);
	how_wrong = wrong;
	nruns_of_ours = 0;
	options.iterations = 40;
	options.length = 20;
	options.output = "/nonexistent/difference";
	status = run_random();
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(null);
	return status;
}

/* Answers any sequence as if it were a single map, rightly or wrongly. */
static void run_any(const struct sequence *sequence, enum backend backend,
		    struct outcome *outcome)
{
	struct sequence few = { 0 };

	add_call(&few, OP_MAP, 0x1000, 0x1000);
	(void)sequence;
	run_fake(&few, backend, outcome);
	sequence_free(&few);
}

START_TEST(random_calls_end_with_a_status_that_says_so)
{
	strcpy(devices[GROUP_A].name, "0000:00:00.0");
	compare_run = run_any;
	ck_assert_int_eq(random_status(_i), _i == RIGHT ? EXIT_SAME :
			 _i == BOTH_CRASH || _i == BOTH_HANG ? EXIT_NOT_RUN : EXIT_DIFFERENT);
}
END_TEST

/* With emulated devices, a map without memory succeeds, and stock walks all of it. */
START_TEST(a_random_map_is_bounded_or_fails_where_devices_are_emulated)
{
	struct sequence sequence = { 0 };
	enum group group;
	unsigned long n;
	size_t i;

	for (group = 0; group < NGROUPS; group++)
		snprintf(devices[group].name, sizeof(devices[group].name), "device-%u", group);
	for (n = 0; n < 3000; n++) {
		random_sequence((uint64_t)time(NULL), n, 150, 0, &sequence);
		for (i = 0; i < sequence.nops; i++) {
			const struct op *op = &sequence.ops[i];

			/* A new address for an existing mapping maps nothing. */
			ck_assert(op->kind != OP_MAP || op->arg[3] == VFIO_DMA_MAP_FLAG_VADDR ||
				  op->arg[1] <= 1ULL << 28 || op->arg[1] > -LOWEST_ADDRESS);
		}
	}
	sequence_free(&sequence);
}
END_TEST

/* Otherwise a recording could change memory of others through the hole. */
START_TEST(nothing_is_put_into_a_hole_of_memory)
{
	const uint64_t nbytes = 64ULL << 20;
	struct op make = { .kind = OP_MEMORY, .arg = { op_pack_name("a"), nbytes, MEMORY_NONE } };
	struct op part = { .kind = OP_PART, .mem = op_pack_name("a"),
			   .arg = { 0, nbytes, MEMORY_HOLE } };
	struct text line = { 0 };
	uintptr_t hole;
	unsigned int i;

	do_memory(&make, &line);
	do_part(&part, &line);
	hole = (uintptr_t)memory_range(&part);
	text_free(&line);
	for (i = 0; i < 100; i++) {
		void *other = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		ck_assert_ptr_ne(other, MAP_FAILED);
		ck_assert((uintptr_t)other >= hole + nbytes ||
			  (uintptr_t)other + (1 << 20) <= hole);
	}
}
END_TEST

/* A sequence of --random can be replayed: no operation is refused or changes its meaning. */
START_TEST(a_random_sequence_can_be_written_and_read)
{
	struct sequence sequence = { 0 };
	unsigned long n;
	enum group group;

	for (group = 0; group < NGROUPS; group++)
		snprintf(devices[group].name, sizeof(devices[group].name), "device-%u", group);
	for (n = 0; n < 300; n++) {
		struct text text = { 0 }, problem = { 0 };
		struct sequences again;
		size_t i;

		random_sequence((uint64_t)time(NULL), n, n % 100 ? 150 : 10000, 0, &sequence);
		for (i = 0; i < sequence.nops; i++) {
			op_format(&sequence.ops[i], &text);
			text_add(&text, "\n");
		}
		ck_assert_msg(sequences_parse(&again, text_chars(&text), text.nchars, 0, &problem),
			      "sequence %lu: %s", n, text_chars(&problem));
		ck_assert_uint_eq(again.nsequences, 1);
		ck_assert_uint_eq(again.sequence[0].nops, sequence.nops);
		for (i = 0; i < sequence.nops; i++) {
			const struct op *op = &sequence.ops[i];

			ck_assert(again.sequence[0].ops[i].kind == op->kind &&
				  again.sequence[0].ops[i].mem == op->mem &&
				  !memcmp(again.sequence[0].ops[i].arg, op->arg,
					  sizeof(op->arg)));
		}
		sequences_free(&again);
		text_free(&text);
	}
	sequence_free(&sequence);
}
END_TEST

#define INFO(outcome)	"info argsz=24" outcome "\n"

START_TEST(a_recording_says_which_calls_succeeded)
{
	static const char lines[] = INFO(" # = 0") INFO("") INFO(" #") INFO(" # = -EINVAL")
				    INFO(" # = 1") INFO(" # = 0, or so") INFO(" # = 0");
	static const bool expected[] = { true, false, false, false, false, false, true };
	struct text problem = { 0 };
	struct sequences sequences;
	size_t i;

	ck_assert(sequences_parse(&sequences, lines, strlen(lines), 0, &problem));
	ck_assert_uint_eq(sequences.sequence->nops, ARRAY_SIZE(expected));
	for (i = 0; i < ARRAY_SIZE(expected); i++)
		ck_assert_int_eq(sequences.sequence->ops[i].succeeded, expected[i]);
	sequences_free(&sequences);
}
END_TEST

/* --- which bits of a bitmap are compared */

#define BITS_FROM(first, n)	(((n) == 64 ? UINT64_MAX : (1ULL << (n)) - 1) << (first))

#define SPARE	"0x40000000"	/* 1 GiB */
#define ANON	"memory name=m size=" SPARE " kind=anon prot=read|write\n"
#define TOUCHED	"memory name=m size=" SPARE " kind=touched prot=read|write\n"
#define SHARED	"memory name=m size=" SPARE " kind=shared prot=read|write\n"
#define NONE	"memory name=m size=0x80000000 kind=none prot=0x0\n"
#define HALF	"0x20000000"
#define MAP	"map iova=0x0 size=" SPARE " vaddr=m+0x0 flags=read|write argsz=32\n"
#define MORE	": more memory is touched, locked or mapped than this system can spare"

/* Sequences that take 1 GiB, or more. */
static const struct {
	const char *lines;
	const char *reason;	/* NULL: accepted */
} takers[] = {
	{ "memory name=m size=0x10000000000 kind=anon prot=read|write\n", NULL },
	{ TOUCHED, NULL },
	{ "memory name=m size=0x40001000 kind=touched prot=read|write\n", "1" MORE },
	{ "memory name=m size=0x40001000 kind=huge prot=read|write\n", "1" MORE },
	{ TOUCHED "memory name=n size=0x1000 kind=touched prot=read\n", "2" MORE },
	/* Pages are counted only once. */
	{ TOUCHED MAP "fill at=m+0x0 size=0x40000000 seed=1\nlock at=m+0x0 size=0x1000\n", NULL },
	{ TOUCHED "advise at=m+0x0 size=" HALF " advice=dontneed\n" MAP, NULL },
	/* Replaced memory is free, unless a device may still access it. */
	{ TOUCHED TOUCHED TOUCHED, NULL },
	{ ANON MAP "memory name=m size=0x1000 kind=touched prot=read\n", "3" MORE },
	{ ANON MAP "part at=m+0x0 size=0x1000 kind=touched prot=read\n", "3" MORE },
	{ ANON MAP "advise at=m+0x0 size=0x1000 advice=dontneed\n", "3" MORE },
	{ ANON MAP "advise at=m+0x0 size=0x1000 advice=huge\n", NULL },
	{ ANON "memory name=n size=0x1000 kind=anon prot=read|write\n" MAP
	  "lock at=n+0x0 size=0x1000\n", "4" MORE },
	{ "memory name=m size=0x80000000 kind=anon prot=read|write\n"
	  "fill at=m+0x0 size=0x40000000 seed=1\npeek at=m+0x40000000 size=0x1000\n", "3" MORE },
	/* Each sequence runs in a process of its own. */
	{ "sequence\n" TOUCHED "sequence\n" TOUCHED, NULL },
	/* Memory without access takes nothing until it gets access. */
	{ NONE "map iova=0x0 size=0x80000000 vaddr=m+0x0 flags=read|write argsz=32\n"
	  "part at=m+0x0 size=0x40000000 kind=touched prot=read\n", NULL },
	{ NONE "protect at=m+0x0 size=0x80000000 prot=read|write\n"
	  "map iova=0x0 size=0x80000000 vaddr=m+0x0 flags=read|write argsz=32\n", "3" MORE },
	{ NONE "lock at=m+0x0 size=0x80000000\n"
	  "protect at=m+0x0 size=0x80000000 prot=0x0\n"
	  "protect at=m+0x0 size=0x40000000 prot=read\n"
	  "protect at=m+0x0 size=0x1000 prot=read\n", "5" MORE },
	{ NONE "map iova=0x0 size=0x80000000 vaddr=m+0x0 flags=read argsz=32\n"
	  "part at=m+0x0 size=0x80000000 kind=hole prot=0x0\n"
	  "part at=m+0x0 size=0x40000000 kind=anon prot=read\n"
	  "part at=m+0x40000000 size=0x1000 kind=anon prot=read\n", "5" MORE },
	/* One page keeps all pages of its file. */
	{ SHARED "fill at=m+0x0 size=0x1000 seed=1\n" SHARED
	  "fill at=m+0x0 size=" SPARE " seed=1\n", NULL },
	{ SHARED "fill at=m+0x0 size=" SPARE " seed=1\n"
	  "advise at=m+0x0 size=" SPARE " advice=dontneed\n"
	  "part at=m+0x0 size=0x1000 kind=anon prot=read\n", "4" MORE },
	{ "memory name=m size=0x80000000 kind=bar prot=read|write\n"
	  "map iova=0x0 size=0x80000000 vaddr=m+0x0 flags=read|write argsz=32\n", NULL },
};

START_TEST(a_recording_that_takes_more_memory_than_there_is_is_refused)
{
	const char *lines = takers[_i].lines, *reason = takers[_i].reason;
	struct text problem = { 0 };
	struct sequences sequences;
	bool well = sequences_parse(&sequences, lines, strlen(lines), 1 << 30, &problem);

	ck_assert_str_eq(text_chars(&problem), reason ? reason : "");
	ck_assert_int_eq(well, !reason);
	/* Accepts everything if the memory of the system is unknown. */
	text_clear(&problem);
	sequences_free(&sequences);
	ck_assert(sequences_parse(&sequences, lines, strlen(lines), 0, &problem));
	sequences_free(&sequences);
	text_free(&problem);
}
END_TEST

/* Do calls at @n places, @step bytes apart, stay within 1 GiB? The second call may be NULL. */
static bool parse_calls(const char *head, const char *const calls[2], uint64_t step,
			unsigned int n)
{
	struct text lines = { 0 }, problem = { 0 };
	struct sequences sequences;
	unsigned int i, j;
	bool well;

	text_add(&lines, "%s", head);
	for (i = 0; i < n; i++)
		for (j = 0; j < 2 && calls[j]; j++) {
			text_add(&lines, calls[j], (unsigned long long)(i * step));
			text_add(&lines, "\n");
		}
	well = sequences_parse(&sequences, text_chars(&lines), lines.nchars, 1 << 30, &problem);
	ck_assert_msg(well || strstr(text_chars(&problem), MORE), "%s", text_chars(&problem));
	sequences_free(&sequences);
	text_free(&lines);
	text_free(&problem);
	return well;
}

/* Calls at a byte of each huge page: 512 take 1 GiB. */
static bool parse_bytes_in_huge_pages(const char *call, unsigned int n)
{
	const char *const calls[2] = { call };

	return parse_calls("memory name=m size=0x80000000 kind=anon prot=read|write\n"
			   "advise at=m+0x0 size=0x80000000 advice=huge\n", calls, 0x200000, n);
}

START_TEST(a_byte_counts_as_the_huge_page_that_it_may_take)
{
	static const char *const calls[] = {
		"fill at=m+0x%llx size=0x1 seed=1",
		"peek at=m+0x%llx size=0x1",
		"lock at=m+0x%llx size=0x1",
		"map iova=0x0 size=0x1000 vaddr=m+0x%llx flags=read|write argsz=32",
	};

	ck_assert(parse_bytes_in_huge_pages(calls[_i], 512));
	ck_assert(!parse_bytes_in_huge_pages(calls[_i], 513));
}
END_TEST

/* Calls at a byte of each page: 262,144 take 1 GiB. */
struct bytes {
	const char *head;
	const char *calls[2];	/* the second one may be NULL */
	unsigned int nmax;	/* most pages within the limit */
};

#define SPACE		"memory name=m size=0x10000000000 kind=none prot=0x0\n"
#define HALF_MAPPED	ANON \
	"map iova=0x0 size=" HALF " vaddr=m+0x0 flags=read|write argsz=32\n"

static const struct bytes bytes[] = {
	{ SPACE, { "part at=m+0x%llx size=0x1 kind=touched prot=read|write" }, 262144 },
	/* Each call also counts the page that it ends in. */
	{ SPACE, { "part at=m+0x%llx size=0x1001 kind=touched prot=read|write" }, 131072 },
	{ SPACE, { "protect at=m+0x%llx size=0x1 prot=read|write",
		   "fill at=m+0x%llx size=0x1 seed=1" }, 262144 },
	/* New pages replace pinned ones. */
	{ HALF_MAPPED, { "advise at=m+0x%llx size=0x1 advice=dontneed" }, 131072 },
};

static bool parse_bytes_in_pages(const struct bytes *what, unsigned int n)
{
	return parse_calls(what->head, what->calls, PAGE, n);
}

START_TEST(a_byte_counts_as_the_page_that_it_takes)
{
	ck_assert(parse_bytes_in_pages(&bytes[_i], bytes[_i].nmax));
	ck_assert(!parse_bytes_in_pages(&bytes[_i], bytes[_i].nmax + 1));
}
END_TEST

#define SPACE_MAP	"map iova=0x%llx size=0x10000000000 vaddr=m+0x0 flags=read argsz=32"
#define START		"dirty flags=start argsz=8"

/* With a bit for each page, 1 TiB takes 32 MiB of kernel memory: 32 mappings take 1 GiB. */
START_TEST(a_mapping_counts_with_its_bits_where_dirty_tracking_is_started)
{
	static const char *const maps[2] = { SPACE_MAP };
	static const char *const maps_before_start[2] = { SPACE_MAP, START };
	const uint64_t step = 1ULL << 40;

	ck_assert(parse_calls(SPACE START "\n", maps, step, 32));
	ck_assert(!parse_calls(SPACE START "\n", maps, step, 33));
	ck_assert(parse_calls(SPACE, maps_before_start, step, 32));
	ck_assert(!parse_calls(SPACE, maps_before_start, step, 33));
	ck_assert(parse_calls(SPACE "dirty flags=stop argsz=8\n", maps, step, 33));
}
END_TEST

START_TEST(a_recording_of_too_many_sequences_is_refused)
{
	struct text lines = { 0 }, problem = { 0 };
	struct sequences sequences;
	unsigned int i;

	for (i = 0; i < 100000; i++)
		text_add(&lines, "sequence\n");
	text_add(&lines, TOUCHED);
	ck_assert(sequences_parse(&sequences, text_chars(&lines), lines.nchars, 0, &problem));
	sequences_free(&sequences);
	text_add(&lines, "sequence\n");
	ck_assert(!sequences_parse(&sequences, text_chars(&lines), lines.nchars, 0, &problem));
	ck_assert_str_eq(text_chars(&problem), "100002: there are too many sequences");
	text_free(&lines);
	text_free(&problem);
}
END_TEST

START_TEST(what_can_be_spared_is_less_than_there_is)
{
	uint64_t nbytes = memory_to_spare();

	ck_assert_uint_gt(nbytes, 0);
	ck_assert_uint_lt(nbytes, (uint64_t)sysconf(_SC_PHYS_PAGES) * PAGE);
}
END_TEST

static void tell_whether_it_goes_first(void *unused)
{
	char line[32];

	(void)unused;
	_exit(read_line("/proc/self/oom_score_adj", line, sizeof(line)) || strcmp(line, "1000"));
}

START_TEST(a_run_is_the_first_to_end_where_memory_is_short)
{
	struct outcome outcome = { 0 };

	transcript_create();
	child_run(tell_whether_it_goes_first, NULL, 60, &outcome);
	ck_assert_int_eq(outcome.ending, ENDED_WELL);
	outcome_free(&outcome);
}
END_TEST

START_TEST(all_bits_are_compared_before_stock_has_shifted_any)
{
	model_set_type(true);
	model_map(2 * PAGE, 3 * PAGE);
	model_map(7 * PAGE, 4 * PAGE);
	ck_assert_uint_eq(model_reliable_bits(0), UINT64_MAX);
}
END_TEST

START_TEST(behind_a_mapping_that_stock_has_shifted_bits_are_not_compared)
{
	model_set_type(true);
	model_map(2 * PAGE, 3 * PAGE);
	model_map(7 * PAGE, 4 * PAGE);
	model_report(0, 64 * PAGE);
	ck_assert_uint_eq(model_reliable_bits(0), BITS_FROM(0, 5));
	/* The same holds in a report that begins with the mapping. */
	ck_assert_uint_eq(model_reliable_bits(2 * PAGE), BITS_FROM(0, 3));
}
END_TEST

START_TEST(a_mapping_that_begins_with_a_word_leaves_nothing_behind_it)
{
	model_set_type(true);
	model_map(0, 3 * PAGE);
	model_map(64 * PAGE, 70 * PAGE);
	model_report(0, 256 * PAGE);
	ck_assert_uint_eq(model_reliable_bits(0), UINT64_MAX);
	ck_assert_uint_eq(model_reliable_bits(128 * PAGE), UINT64_MAX);
}
END_TEST

START_TEST(a_new_mapping_has_no_past)
{
	model_set_type(true);
	model_map(2 * PAGE, 3 * PAGE);
	model_report(0, 64 * PAGE);
	model_unmap(2 * PAGE, 3 * PAGE);
	model_map(2 * PAGE, 3 * PAGE);
	ck_assert_uint_eq(model_reliable_bits(0), UINT64_MAX);
}
END_TEST

START_TEST(a_transcript_has_room_for_the_largest_recording)
{
	char line[101] = "";
	unsigned int i;

	/* Twice the length of a usual line, which has an address, a charge and a count. */
	memset(line, 'x', sizeof(line) - 1);
	transcript_create();
	for (i = 0; i < MAX_OPS; i++)
		transcript_add(line);
	ck_assert(!transcript_is_full());
}
END_TEST

/* --- files that are written */

START_TEST(a_difference_goes_into_a_new_file_and_follows_no_link)
{
	char directory[] = "/tmp/test_compare.XXXXXX";
	struct sequence sequence = { 0 };
	char path[512], name[128];
	struct stat status;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	make_sequence(&sequence, CONVERGES);
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(symlink("victim", "difference"), 0);
	ck_assert(sequence_write("difference", &sequence, "why\n", path, sizeof(path)));
	ck_assert_str_eq(path, "difference.2");
	ck_assert_int_ne(access("victim", F_OK), 0);
	ck_assert_int_eq(lstat("difference.2", &status), 0);
	ck_assert_uint_eq(status.st_mode, S_IFREG | 0600);
	ck_assert(sequence_write("difference", &sequence, "why\n", path, sizeof(path)));
	ck_assert_str_eq(path, "difference.3");
	sequence_free(&sequence);
	snprintf(name, sizeof(name), "rm -r %s", directory);
	ck_assert_int_eq(system(name), 0);
}
END_TEST

static void set_up(void)
{
	kernel_pretend(6, 12);
	compare_turn_to = always;
	compare_run = run_fake;
}

int main(void)
{
	Suite *suite = suite_create("compare");
	TCase *tcase = tcase_create("compare");

	/* Hanging backends are stopped after a while, which is longer on a busy machine. */
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, equal_transcripts_are_the_same);
	tcase_add_loop_test(tcase, a_line_that_differs_is_noticed_wherever_it_is, 0, 6);
	tcase_add_loop_test(tcase, a_crash_or_a_hang_of_ours_is_noticed, 0, 2);
	tcase_add_loop_test(tcase, two_that_fail_do_not_agree, 0, 3);
	tcase_add_test(tcase, a_case_may_differ_where_the_table_says);
	tcase_add_loop_test(tcase, nothing_else_is_forgiven_after_an_intended_difference, 0, 5);
	tcase_add_loop_test(tcase, a_crash_after_an_intended_difference_is_noticed, 0, 2);
	tcase_add_test(tcase, an_intended_difference_that_does_not_appear_is_noticed);
	tcase_add_test(tcase, on_a_kernel_that_mended_it_the_difference_is_one);
	tcase_add_loop_test(tcase, a_range_to_the_end_may_be_refused_by_ours, 0, 6);
	tcase_add_loop_test(tcase, a_group_may_hear_of_reach_before_it_hears_of_memory, 0, 3);
	tcase_add_test(tcase, behind_a_divergence_the_same_calls_are_made_to_the_end);
	tcase_add_test(tcase, a_case_that_judges_for_itself_has_to_end_and_to_say_no_wrong);
	tcase_add_test(tcase, a_right_backend_is_the_same);
	tcase_add_test(tcase, what_led_to_a_difference_is_left_out_and_the_rest_compared);
	tcase_add_loop_test(tcase, a_wrong_backend_is_noticed, 0, 2 * (BOTH_HANG - RIGHT));
	tcase_add_loop_test(tcase, a_map_that_fails_on_both_sides_though_it_was_recorded_is_noted,
			    0, 2);
	tcase_add_test(tcase, a_recording_says_which_calls_succeeded);
	tcase_add_loop_test(tcase, random_calls_end_with_a_status_that_says_so, 0, NWRONG);
	tcase_add_test(tcase, a_random_map_is_bounded_or_fails_where_devices_are_emulated);
	tcase_add_test(tcase, nothing_is_put_into_a_hole_of_memory);
	tcase_add_test(tcase, a_random_sequence_can_be_written_and_read);
	tcase_add_loop_test(tcase, a_recording_that_takes_more_memory_than_there_is_is_refused, 0,
			    ARRAY_SIZE(takers));
	tcase_add_loop_test(tcase, a_byte_counts_as_the_huge_page_that_it_may_take, 0, 4);
	tcase_add_loop_test(tcase, a_byte_counts_as_the_page_that_it_takes, 0, ARRAY_SIZE(bytes));
	tcase_add_test(tcase, a_mapping_counts_with_its_bits_where_dirty_tracking_is_started);
	tcase_add_test(tcase, a_recording_of_too_many_sequences_is_refused);
	tcase_add_test(tcase, what_can_be_spared_is_less_than_there_is);
	tcase_add_test(tcase, a_run_is_the_first_to_end_where_memory_is_short);
	tcase_add_test(tcase, all_bits_are_compared_before_stock_has_shifted_any);
	tcase_add_test(tcase, behind_a_mapping_that_stock_has_shifted_bits_are_not_compared);
	tcase_add_test(tcase, a_mapping_that_begins_with_a_word_leaves_nothing_behind_it);
	tcase_add_test(tcase, a_new_mapping_has_no_past);
	tcase_add_test(tcase, a_transcript_has_room_for_the_largest_recording);
	tcase_add_test(tcase, a_difference_goes_into_a_new_file_and_follows_no_link);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
