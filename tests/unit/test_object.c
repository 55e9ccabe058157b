// SPDX-License-Identifier: GPL-2.0-only
/*
 * object: ids, and how objects end.
 */
#include "kernel.h"
#include "lib_run.h"
#include "base/object.h"

struct thing {
	struct ioas_object object;
	bool destroyed;
	struct thing *uses;
};

static struct shim_process process;
static struct ioas_ctx ctx;
static struct thing things[8];

static void thing_destroy(struct ioas_object *object)
{
	struct thing *thing = container_of(object, struct thing, object);

	ck_assert(!thing->destroyed);
	ck_assert_uint_eq(object->nbusy, 0);
	ck_assert_uint_eq(object->nusers, 0);
	thing->destroyed = true;
	if (thing->uses)
		ioas_object_unuse(&thing->uses->object);
}

static const struct ioas_object_ops thing_ops = { .destroy = thing_destroy };
static const struct ioas_object_ops other_ops = { .destroy = thing_destroy };

static void setup(void)
{
	memset(things, 0, sizeof(things));
	shim_process_init(&process);
	current = &process.task;
	ioas_ctx_init(&ctx, NULL);
}

static void teardown(void)
{
	ioas_ctx_destroy(&ctx);
	ck_assert(ioas_ctx_is_empty(&ctx));
	ck_assert_int_eq(shim_npids, 0);
}

static void reserve(unsigned int i)
{
	ck_assert_int_eq(ioas_object_reserve(&ctx, &things[i].object, &thing_ops), 0);
}

static u32 publish(unsigned int i)
{
	reserve(i);
	ioas_object_publish(&things[i].object);
	return things[i].object.id;
}

static bool can_be_found(u32 id)
{
	struct ioas_object *object = ioas_object_get(&ctx, id, NULL);

	if (object)
		ioas_object_put(object);
	return object;
}

START_TEST(ids_begin_with_one_and_the_lowest_is_used_again)
{
	ck_assert_uint_eq(publish(0), 1);
	ck_assert_uint_eq(publish(1), 2);
	ck_assert_uint_eq(publish(2), 3);
	ck_assert_int_eq(ioas_object_destroy(&ctx, 2), 0);
	ck_assert_uint_eq(publish(3), 2);
	ck_assert_uint_eq(publish(4), 4);
}
END_TEST

START_TEST(without_memory_no_id_is_reserved)
{
	shim_fail_in = 1;
	ck_assert_int_eq(ioas_object_reserve(&ctx, &things[0].object, &thing_ops), -ENOMEM);
	ck_assert(ioas_ctx_is_empty(&ctx));
}
END_TEST

START_TEST(an_object_that_is_only_reserved_is_not_found)
{
	reserve(0);
	ck_assert(!can_be_found(things[0].object.id));
	ck_assert_int_eq(ioas_object_destroy(&ctx, things[0].object.id), -ENOENT);
	ioas_object_publish(&things[0].object);
	ck_assert(can_be_found(things[0].object.id));
}
END_TEST

START_TEST(an_aborted_object_leaves_its_id)
{
	reserve(0);
	ioas_object_abort(&things[0].object);
	ck_assert(ioas_ctx_is_empty(&ctx));
	ck_assert_uint_eq(publish(1), 1);
}
END_TEST

START_TEST(an_object_of_another_kind_is_not_found)
{
	u32 id = publish(0);

	ck_assert_ptr_null(ioas_object_get(&ctx, id, &other_ops));
	ck_assert_ptr_eq(ioas_object_get(&ctx, id, &thing_ops), &things[0].object);
	ioas_object_put(&things[0].object);
}
END_TEST

START_TEST(no_object_has_an_id_that_was_not_given_out)
{
	publish(0);
	ck_assert(!can_be_found(0));
	ck_assert(!can_be_found(2));
	ck_assert(!can_be_found(UINT_MAX));
	ck_assert_int_eq(ioas_object_destroy(&ctx, 0), -ENOENT);
}
END_TEST

START_TEST(an_object_with_a_user_is_not_destroyed)
{
	u32 id = publish(0);

	ioas_object_use(&things[0].object);
	ck_assert_int_eq(ioas_object_destroy(&ctx, id), -EBUSY);
	ck_assert(can_be_found(id));
	ioas_object_unuse(&things[0].object);
	ck_assert_int_eq(ioas_object_destroy(&ctx, id), 0);
	ck_assert(things[0].destroyed);
	ck_assert(!can_be_found(id));
}
END_TEST

START_TEST(one_unuse_too_many_warns)
{
	publish(0);
	shim_expected_warnings = 1;
	ioas_object_unuse(&things[0].object);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	things[0].object.nusers = 0;
}
END_TEST

/* The only thread waits, so the call that keeps the object busy never ends, and time passes. */
START_TEST(an_object_that_is_busy_for_too_long_is_not_destroyed)
{
	u32 id = publish(0);

	ck_assert(ioas_object_try_busy(&things[0].object));
	ck_assert_int_eq(ioas_object_destroy(&ctx, id), -EBUSY);
	ck_assert_uint_eq(shim_nmessages, 1);
	ck_assert(!things[0].destroyed);
	ck_assert(can_be_found(id));
	ioas_object_put(&things[0].object);
	ck_assert_int_eq(ioas_object_destroy(&ctx, id), 0);
}
END_TEST

/* If it waited until it gives up, it would log that. */
START_TEST(a_dying_process_does_not_wait_to_destroy)
{
	struct task_struct task = { .is_dying = true };
	unsigned int nmessages = shim_nmessages;
	u32 id = publish(0);

	ck_assert(ioas_object_try_busy(&things[0].object));
	current = &task;
	ck_assert_int_eq(ioas_object_destroy(&ctx, id), -EBUSY);
	current = &process.task;
	ck_assert_uint_eq(shim_nmessages, nmessages);
	ck_assert(can_be_found(id));
	ioas_object_put(&things[0].object);
	ck_assert_int_eq(ioas_object_destroy(&ctx, id), 0);
}
END_TEST

START_TEST(the_account_mode_changes_in_an_empty_context_only)
{
	ck_assert_int_eq(ioas_ctx_set_charge_mm(&ctx, true), 0);
	ck_assert(ctx.charge_mm);
	reserve(0);
	ck_assert_int_eq(ioas_ctx_set_charge_mm(&ctx, false), -EBUSY);
	ck_assert(ctx.charge_mm);
	ioas_object_abort(&things[0].object);
	ck_assert_int_eq(ioas_ctx_set_charge_mm(&ctx, false), 0);
}
END_TEST

/*
 * Each object uses the next one, or the one before. So they can only end in one order: that of the
 * ids, or the opposite.
 */
START_TEST(a_context_ends_its_objects_whatever_uses_what)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		publish(i);
	for (i = 1; i < 4; i++) {
		things[_i ? i : i - 1].uses = &things[_i ? i - 1 : i];
		ioas_object_use(&things[_i ? i - 1 : i].object);
	}
	ioas_ctx_destroy(&ctx);
	for (i = 0; i < 4; i++)
		ck_assert(things[i].destroyed);
	setup();
}
END_TEST

static void destroy_in_vain(void *unused)
{
	expect(ioas_object_destroy(&ctx, things[0].object.id) == -EBUSY);
}

static void use_and_retire(void *unused)
{
	while (!things[0].object.ending)
		shim_pass_time();
	ioas_object_use(&things[0].object);
	ioas_object_put(&things[0].object);
	ioas_object_retire(&things[0].object);
}

START_TEST(a_retire_is_woken_by_a_destroy_that_gives_up)
{
	const struct shim_thread threads[] = { { destroy_in_vain }, { use_and_retire } };

	publish(0);
	ck_assert(ioas_object_try_busy(&things[0].object));
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	ck_assert(ioas_ctx_is_empty(&ctx));
}
END_TEST

/* One object that several threads find and destroy. */
static struct {
	u32 id;
	unsigned int nfound;
	unsigned int ndestroyed;
	unsigned int nbusy;		/* times that DESTROY returned -EBUSY */
	bool ended;			/* no call may work on it any more */
	unsigned int nworking;
} race;

static void find_and_work(void *unused)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		struct ioas_object *object = ioas_object_get(&ctx, race.id, &thing_ops);

		if (!object)
			return;
		race.nfound++;
		race.nworking++;
		shim_might_sleep();
		ck_assert(!race.ended);
		race.nworking--;
		ioas_object_put(object);
	}
}

static void destroy(void *unused)
{
	int ret = ioas_object_destroy(&ctx, race.id);

	if (ret == -EBUSY) {
		race.nbusy++;
		return;
	}
	race.ndestroyed += !ret;
	if (ret)
		ck_assert_int_eq(ret, -ENOENT);
	else
		ck_assert_uint_eq(race.nworking, 0);
}

static void use_for_a_while(void *unused)
{
	struct ioas_object *object = ioas_object_get(&ctx, race.id, &thing_ops);
	unsigned int i;

	if (!object)
		return;
	ioas_object_use(object);
	ioas_object_put(object);
	for (i = 0; i < 10; i++)
		shim_might_sleep();
	ck_assert(!things[0].destroyed);
	ioas_object_unuse(object);
}

static void retire(void *unused)
{
	shim_might_sleep();
	ioas_object_retire(&things[0].object);
	ck_assert_uint_eq(race.nworking, 0);
	race.ended = true;
}

static void run_race(void (*last)(void *data), unsigned long seed)
{
	const struct shim_thread threads[] = {
		{ last }, { find_and_work }, { last }, { destroy }, { destroy }, { last },
	};

	memset(&race, 0, sizeof(race));
	race.id = publish(0);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(seed));
}

static void destroy_first(void *data)
{
	expect(!ioas_object_destroy(&ctx, things[0].object.id));
}

static void use_others_then_end(void *data)
{
	unsigned long nwakes;
	unsigned int i;

	while (!things[0].object.ending)
		shim_pass_time();
	nwakes = things[0].object.idle.nwakes;
	for (i = 0; i < 100; i++) {
		expect(ioas_object_try_busy(&things[1].object));
		ioas_object_put(&things[1].object);
	}
	expect(things[0].object.idle.nwakes == nwakes);
	ioas_object_put(&things[0].object);
}

/* A wake-up has the lock of the table: it must not run through waiters for other objects. */
START_TEST(a_call_that_ends_wakes_only_who_waits_for_its_object)
{
	const struct shim_thread threads[] = {
		{ destroy_first, NULL }, { use_others_then_end, NULL },
	};

	publish(0);
	publish(1);
	ck_assert(ioas_object_try_busy(&things[0].object));
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i));
	ck_assert_int_eq(ioas_object_destroy(&ctx, things[1].object.id), 0);
}
END_TEST

START_TEST(destroy_waits_for_calls_and_happens_once)
{
	run_race(find_and_work, _i + 1);
	expect(race.ndestroyed == 1 && race.nbusy == 0);
	expect(things[0].destroyed);
	expect(!can_be_found(race.id));
}
END_TEST

START_TEST(destroy_gives_up_where_a_call_made_a_user)
{
	run_race(use_for_a_while, _i + 1);
	expect(race.ndestroyed <= 1);
	expect(things[0].destroyed == (race.ndestroyed == 1));
	expect(race.ndestroyed || race.nbusy);
}
END_TEST

/* The owner of the object is a user of it, so that DESTROY always fails. */
START_TEST(retire_waits_for_calls_whatever_destroy_does)
{
	const struct shim_thread threads[] = {
		{ find_and_work }, { find_and_work }, { destroy }, { retire },
	};

	memset(&race, 0, sizeof(race));
	race.id = publish(0);
	ioas_object_use(&things[0].object);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(race.ended && race.ndestroyed == 0);
	expect(!can_be_found(race.id));
	expect(ioas_ctx_is_empty(&ctx));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("object");
	TCase *tcase = tcase_create("object");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, ids_begin_with_one_and_the_lowest_is_used_again);
	tcase_add_test(tcase, without_memory_no_id_is_reserved);
	tcase_add_test(tcase, an_object_that_is_only_reserved_is_not_found);
	tcase_add_test(tcase, an_aborted_object_leaves_its_id);
	tcase_add_test(tcase, an_object_of_another_kind_is_not_found);
	tcase_add_test(tcase, no_object_has_an_id_that_was_not_given_out);
	tcase_add_test(tcase, an_object_with_a_user_is_not_destroyed);
	tcase_add_test(tcase, one_unuse_too_many_warns);
	tcase_add_test(tcase, an_object_that_is_busy_for_too_long_is_not_destroyed);
	tcase_add_loop_test(tcase, a_retire_is_woken_by_a_destroy_that_gives_up, 0, 50);
	tcase_add_test(tcase, a_dying_process_does_not_wait_to_destroy);
	tcase_add_test(tcase, the_account_mode_changes_in_an_empty_context_only);
	tcase_add_loop_test(tcase, a_context_ends_its_objects_whatever_uses_what, 0, 2);
	tcase_add_loop_test(tcase, a_call_that_ends_wakes_only_who_waits_for_its_object, 1, 21);
	tcase_add_loop_test(tcase, destroy_waits_for_calls_and_happens_once, 0, 50);
	tcase_add_loop_test(tcase, destroy_gives_up_where_a_call_made_a_user, 0, 50);
	tcase_add_loop_test(tcase, retire_waits_for_calls_whatever_destroy_does, 0, 50);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
