// SPDX-License-Identifier: GPL-2.0-only
/*
 * access: results of a driver's calls, alone and beside other calls, and drivers that misbehave.
 */
#include "kapi/access.h"
#include "lib_ioas.h"
#include "lib_run.h"

static struct ioas_access *access;
static struct page *list[64];

/* The driver's only pin, and how the driver reacts when it is told to unpin. */
static unsigned long pinned_npages;
static unsigned int nnotices;
static bool pins_again;
static int pinned_again;
static bool keeps_pin;
static bool notes_late;		/* it unpins only when it is told again */
static unsigned int nunder_way;
static struct mutex pin_mutex;

/* The IOAS to which an access moves. */
static struct ioas *other;

/* The order of threads, see for_each_order(). */
static unsigned long first_switch, second_switch, noccasions, norders;

static void unpin(void)
{
	vfio_ioas_access_unpin_pages(access, IOVA, pinned_npages * PAGE_SIZE);
	pinned_npages = 0;
}

static void let_go(void *data, unsigned long iova, unsigned long nbytes)
{
	nnotices++;
	nunder_way++;
	mutex_lock(&pin_mutex);
	if (pinned_npages && !keeps_pin && !notes_late)
		unpin();
	notes_late = false;
	if (pins_again)
		pinned_again = vfio_ioas_access_pin_pages(access, IOVA, PAGE_SIZE, list, 0);
	mutex_unlock(&pin_mutex);
	nunder_way--;
}

static const struct vfio_ioas_access_ops pinning_ops = {
	.needs_pin_pages = true,
	.unmap = let_go,
};

static const struct vfio_ioas_access_ops reading_ops = { };

static struct ioas_access *make_access(const struct vfio_ioas_access_ops *ops)
{
	struct ioas_access *made;
	u32 id;

	made = vfio_ioas_access_create(&ctx, ops, NULL, &id);
	ck_assert(!IS_ERR(made));
	return made;
}

static void setup(void)
{
	make_ioas();
	access = make_access(&pinning_ops);
	ck_assert_int_eq(vfio_ioas_access_attach(access, ioas->object.id), 0);
	pinned_npages = 0;
	nnotices = 0;
	keeps_pin = false;
	notes_late = false;
	pins_again = false;
	nunder_way = 0;
	norders = 0;
	mutex_init(&pin_mutex);
}

static void teardown(void)
{
	vfio_ioas_access_destroy(access);
	end_ioas();
}

static int pin(unsigned long npages)
{
	int ret = vfio_ioas_access_pin_pages(access, IOVA, npages * PAGE_SIZE, list, 0);

	if (!ret)
		pinned_npages = npages;
	return ret;
}

static struct ioas *make_other(void)
{
	struct ioas *other = ioas_create(&ctx);

	ck_assert(!IS_ERR(other));
	ioas_object_publish(&other->object);
	return other;
}

START_TEST(without_memory_there_is_no_access)
{
	u32 id;

	shim_fail_in = _i + 1;
	ck_assert_int_eq(PTR_ERR(vfio_ioas_access_create(&ctx, &pinning_ops, NULL, &id)),
			 -ENOMEM);
}
END_TEST

START_TEST(attach_to_a_missing_or_second_ioas_is_refused)
{
	struct ioas_access *second = make_access(&pinning_ops);

	ck_assert_int_eq(vfio_ioas_access_attach(second, 1000), -ENOENT);
	ck_assert_int_eq(vfio_ioas_access_replace(second, ioas->object.id), -ENOENT);
	ck_assert_int_eq(vfio_ioas_access_replace(second, 1000), -ENOENT);
	ck_assert_int_eq(vfio_ioas_access_attach(second, ioas->object.id), 0);
	ck_assert_int_eq(vfio_ioas_access_attach(second, ioas->object.id), -EINVAL);
	vfio_ioas_access_destroy(second);
}
END_TEST

START_TEST(an_ioas_with_an_access_is_not_destroyed)
{
	ck_assert_int_eq(ioas_object_destroy(&ctx, ioas->object.id), -EBUSY);
	vfio_ioas_access_detach(access);
	ck_assert_int_eq(ioas_object_destroy(&ctx, ioas->object.id), 0);
}
END_TEST

START_TEST(pins_make_the_granule_a_page)
{
	ck_assert_uint_eq(ioas->iova_alignment, PAGE_SIZE);
	vfio_ioas_access_detach(access);
	ck_assert_uint_eq(ioas->iova_alignment, 1);
	vfio_ioas_access_detach(access);
}
END_TEST

START_TEST(an_access_that_is_replaced_lets_go_and_leaves)
{
	other = make_other();
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	ck_assert_int_eq(vfio_ioas_access_replace(access, other->object.id), 0);
	ck_assert_uint_eq(nnotices, 1);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_int_eq(pin(5), -ENOENT);
	ck_assert_uint_eq(ioas->iova_alignment, 1);
	ck_assert_uint_eq(other->iova_alignment, PAGE_SIZE);
}
END_TEST

START_TEST(replaced_by_the_same_ioas_nothing_changes)
{
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	ck_assert_int_eq(vfio_ioas_access_replace(access, ioas->object.id), 0);
	ck_assert_uint_eq(nnotices, 0);
	ck_assert_uint_eq(shim_npinned, 5);
}
END_TEST

START_TEST(without_memory_an_access_stays_where_it_is)
{
	other = make_other();
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	shim_fail_in = 1;
	ck_assert_int_eq(vfio_ioas_access_replace(access, other->object.id), -ENOMEM);
	ck_assert_uint_eq(other->iova_alignment, 1);
	ck_assert_int_eq(pin(5), 0);
}
END_TEST

START_TEST(pins_stay_when_the_last_domain_ends)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(3), 0);
	ck_assert_uint_eq(shim_npinned, 5);
	remove_domain(hwpt);
	ck_assert_uint_eq(shim_npinned, 3);
	ck_assert_uint_eq(process.mm.locked_vm, 3);
}
END_TEST

START_TEST(a_pin_with_invalid_arguments_is_refused)
{
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(vfio_ioas_access_pin_pages(access, IOVA, 0, list, 0), -EINVAL);
	ck_assert_int_eq(vfio_ioas_access_pin_pages(access, -PAGE_SIZE, 2 * PAGE_SIZE, list, 0),
			 -EOVERFLOW);
	ck_assert_int_eq(vfio_ioas_access_pin_pages(access, IOVA + 1, 1, list, 0), -EINVAL);
	ck_assert_int_eq(vfio_ioas_access_pin_pages(access, IOVA, 1, list, 1 << 30), -EOPNOTSUPP);
}
END_TEST

START_TEST(an_access_made_without_pinning_cannot_pin)
{
	struct ioas_access *reading = make_access(&reading_ops);

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(vfio_ioas_access_attach(reading, ioas->object.id), 0);
	ck_assert_int_eq(vfio_ioas_access_pin_pages(reading, IOVA, PAGE_SIZE, list, 0),
			 -EOPNOTSUPP);
	vfio_ioas_access_destroy(reading);
}
END_TEST

START_TEST(a_pin_over_a_hole_leaves_nothing_pinned)
{
	ck_assert_int_eq(map_pages(ioas, IOVA, 2, 0), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA + 2 * PAGE_SIZE, 2, 10), 0);
	ck_assert_int_eq(pin(5), -ENOENT);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_int_eq(pin(4), 0);
	ck_assert_ptr_eq(list[3], &shim_pages[11]);
}
END_TEST

START_TEST(an_unmap_tells_the_driver_and_goes_on)
{
	unsigned long unmapped;

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 5, UNMAP_UPWARD, &unmapped), 0);
	ck_assert_uint_eq(unmapped, 5);
	ck_assert_uint_eq(nnotices, 1);
	ck_assert_uint_eq(shim_npinned, 0);
}
END_TEST

START_TEST(no_pin_gets_in_while_the_user_unmaps)
{
	unsigned long nbytes;

	ck_assert_int_eq(map_pages(ioas, IOVA, 1, 0), 0);
	ck_assert_int_eq(pin(1), 0);
	pins_again = true;
	pinned_again = 0;
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_unmap_all(ioas, &nbytes), 0);
	ioas_leave(ioas);
	ck_assert_int_eq(pinned_again, -EINVAL);
}
END_TEST

START_TEST(a_driver_that_does_not_let_go_is_told_a_hundred_times)
{
	unsigned long unmapped;

	ck_assert_int_eq(map_pages(ioas, IOVA - 3 * PAGE_SIZE, 3, 10), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA + 5 * PAGE_SIZE, 2, 20), 0);
	ck_assert_int_eq(pin(5), 0);
	keeps_pin = true;
	shim_expected_warnings = 1;
	ck_assert_int_eq(unmap_pages(ioas, IOVA - 3 * PAGE_SIZE, 10, UNMAP_WHOLE, &unmapped),
			 -EDEADLK);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(nnotices, 100);
	/* The area below is unmapped, the one above is still mapped. */
	ck_assert_uint_eq(unmapped, 3);
	ck_assert_uint_eq(ioas->iova_space.nareas, 2);
	ck_assert_uint_eq(shim_npinned, 5);
	keeps_pin = false;
}
END_TEST

/* Lets the access leave the IOAS by a replacement (0), a detach (1) or its destruction (2). */
static int leave_ioas(int how)
{
	if (how == 0)
		return vfio_ioas_access_replace(access, make_other()->object.id);
	if (how == 1) {
		vfio_ioas_access_detach(access);
		return 0;
	}
	vfio_ioas_access_destroy(access);
	access = make_access(&pinning_ops);
	return 0;
}

START_TEST(a_driver_that_notes_a_pin_late_is_told_again_before_it_leaves)
{
	unsigned long unmapped;

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	notes_late = true;
	ck_assert_int_eq(leave_ioas(_i), 0);
	ck_assert_uint_eq(nnotices, 2);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_int_eq(ioas_object_destroy(&ctx, ioas->object.id), 0);
}
END_TEST

START_TEST(a_replacement_that_the_driver_ignores_changes_nothing)
{
	other = make_other();
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(map_pages(other, IOVA, 5, 10), 0);
	ck_assert_int_eq(pin(5), 0);
	keeps_pin = true;
	shim_expected_warnings = 1;
	ck_assert_int_eq(vfio_ioas_access_replace(access, other->object.id), -EDEADLK);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(nnotices, 100);
	ck_assert(xa_empty(&other->notifiers) && !xa_empty(&ioas->notifiers));
	ck_assert_uint_eq(other->iova_alignment, 1);
	ck_assert_uint_eq(shim_npinned, 5);
	/* The access is still attached to the first IOAS. */
	ck_assert_int_eq(vfio_ioas_access_pin_pages(access, IOVA, PAGE_SIZE, list, 0), 0);
	ck_assert_ptr_eq(list[0], &shim_pages[0]);
	vfio_ioas_access_unpin_pages(access, IOVA, PAGE_SIZE);
	unpin();
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_int_eq(vfio_ioas_access_replace(access, other->object.id), 0);
}
END_TEST

START_TEST(an_unpin_after_a_detach_that_the_driver_ignored_still_finds_its_pin)
{
	struct ioas *other = make_other();
	unsigned long unmapped;

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(map_pages(other, IOVA, 5, 10), 0);
	ck_assert_int_eq(pin(5), 0);
	keeps_pin = true;
	shim_expected_warnings = 1;
	vfio_ioas_access_detach(access);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(nnotices, 100);
	/* The access is detached and not told of unmaps any more; only its pin is left. */
	ck_assert(xa_empty(&ioas->notifiers));
	ck_assert_int_eq(vfio_ioas_access_pin_pages(access, IOVA, PAGE_SIZE, list, 0), -ENOENT);
	ck_assert_int_eq(vfio_ioas_access_attach(access, other->object.id), -EBUSY);
	ck_assert_int_eq(ioas_object_destroy(&ctx, ioas->object.id), -EBUSY);
	vfio_ioas_access_detach(access);
	ck_assert_uint_eq(nnotices, 100);
	ck_assert_uint_eq(shim_npinned, 5);
	unpin();
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_int_eq(ioas_object_destroy(&ctx, ioas->object.id), 0);
	ck_assert_int_eq(vfio_ioas_access_attach(access, other->object.id), 0);
}
END_TEST

/* Unpins for a driver that cannot do that any more. */
static void drop_lost_pin(unsigned long npages)
{
	struct account_refund refund = { };
	struct store_user *lost;
	struct ioas_area *area;
	struct rb_node *last;

	ioas_enter(ioas);
	area = area_get_pinned(ioas, IOVA);
	ck_assert_ptr_nonnull(area);
	last = rb_first(&area->store->sharing->lasts);
	ck_assert_ptr_nonnull(last);
	lost = rb_entry(last, struct store_user, last_node);
	ck_assert_int_eq(lost->kind, USER_ACCESS_PIN);
	ck_assert_uint_eq(lost->last_index, npages - 1);
	area_drop_pin(ioas, area, lost, &refund);
	account_pay(&refund);
	area_put(ioas, area);
	ioas_leave(ioas);
	kfree(lost);
}

START_TEST(what_an_access_that_is_destroyed_has_pinned_stays_pinned)
{
	bool detached_before = _i;

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	keeps_pin = true;
	shim_expected_warnings = 2;
	if (detached_before)
		vfio_ioas_access_detach(access);
	vfio_ioas_access_destroy(access);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(nnotices, 100);
	ck_assert_uint_eq(shim_npinned, 5);
	access = make_access(&pinning_ops);
	pinned_npages = 0;
	drop_lost_pin(5);
}
END_TEST

static void unmap_all(void *unused)
{
	unsigned long nbytes;

	current = &process.task;
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_unmap_all(ioas, &nbytes), 0);
	ioas_leave(ioas);
}

/* Checks, while no call is under way, that no area is claimed or busy. */
static void check_unclaimed(void)
{
	struct rb_node *rb;

	for (rb = rb_first(&ioas->iova_space.areas); rb; rb = rb_next(rb)) {
		struct ioas_area *area = rb_entry(rb, struct ioas_area, node);

		expect(area->state == AREA_LIVE && !area->nbusy);
	}
}

static const unsigned long three_maps[] = { IOVA, IOVA + 16 * PAGE_SIZE, -5 * PAGE_SIZE };

static void map_three(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(three_maps); i++)
		ck_assert_int_eq(map_pages(ioas, three_maps[i], 5, 5 * i), 0);
}

static int pin_map(unsigned long iova)
{
	return vfio_ioas_access_pin_pages(access, iova, 5 * PAGE_SIZE, list, 0);
}

/* Frees an area that was left when its IOAS ended, and all that it needs. */
static void free_lost_area(struct ioas_area *area)
{
	struct account_refund refund = { };
	struct store_user *lost;

	lost = rb_entry(rb_first(&area->store->sharing->lasts), struct store_user, last_node);
	store_lock(area->store);
	store_unpin(area->store, lost, &refund);
	store_unlock(area->store);
	account_pay(&refund);
	kfree(lost);
	area_free(area);
}

START_TEST(an_ioas_that_ends_leaves_only_the_map_with_a_lost_pin)
{
	struct ioas_area *lost;

	map_three();
	ck_assert_int_eq(pin_map(three_maps[_i]), 0);
	keeps_pin = true;
	shim_expected_warnings = 2;
	vfio_ioas_access_destroy(access);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ioas_enter(ioas);
	lost = area_get_pinned(ioas, three_maps[_i]);
	area_put(ioas, lost);
	ioas_leave(ioas);
	/* One warning that not all can be unmapped, and one that something is still mapped. */
	shim_expected_warnings = 2;
	ck_assert_int_eq(ioas_object_destroy(&ctx, ioas->object.id), 0);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(nnotices, 100);
	ck_assert_uint_eq(shim_npinned, 5);
	ck_assert_uint_eq(process.mm.locked_vm, 5);
	free_lost_area(lost);
	ck_assert_int_eq(shim_allocations, 0);
	access = make_access(&pinning_ops);
}
END_TEST

START_TEST(all_maps_end_but_those_that_a_driver_keeps)
{
	unsigned long nbytes, i, before;

	map_three();
	for (i = 0; i < ARRAY_SIZE(three_maps); i++)
		if (i != _i)
			ck_assert_int_eq(pin_map(three_maps[i]), 0);
	shim_expected_warnings = 1;
	before = shim_njiffies;
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_unmap_all(ioas, &nbytes), -EDEADLK);
	ioas_leave(ioas);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(nbytes, 5 * PAGE_SIZE);
	ck_assert_uint_eq(ioas->iova_space.nareas, 2);
	/* The driver gets its two seconds for the first area only. */
	ck_assert_uint_eq(nnotices, 101);
	ck_assert_uint_eq(shim_njiffies - before, MAX_NOTICES * NOTICE_PAUSE);
	check_unclaimed();
	for (i = 0; i < ARRAY_SIZE(three_maps); i++)
		if (i != _i)
			vfio_ioas_access_unpin_pages(access, three_maps[i], 5 * PAGE_SIZE);
	unmap_all(NULL);
	ck_assert_uint_eq(ioas->iova_space.nareas, 0);
}
END_TEST

START_TEST(an_access_does_not_give_back_what_another_one_pinned)
{
	struct ioas_access *second = make_access(&pinning_ops);

	ck_assert_int_eq(vfio_ioas_access_attach(second, ioas->object.id), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	shim_expected_warnings = 1;
	vfio_ioas_access_unpin_pages(second, IOVA, 5 * PAGE_SIZE);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(shim_npinned, 5);
	unpin();
	vfio_ioas_access_destroy(second);
}
END_TEST

static int pin_page(struct ioas_access *access, unsigned long page)
{
	return vfio_ioas_access_pin_pages(access, IOVA + page * PAGE_SIZE, PAGE_SIZE, list, 0);
}

static void unpin_page(struct ioas_access *access, unsigned long page)
{
	vfio_ioas_access_unpin_pages(access, IOVA + page * PAGE_SIZE, PAGE_SIZE);
}

START_TEST(an_unpin_never_drops_the_pin_of_another_access)
{
	struct ioas_access *second = make_access(&pinning_ops);
	unsigned long page = _i, unmapped;

	ck_assert_int_eq(vfio_ioas_access_attach(second, ioas->object.id), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin_page(access, 0), 0);
	ck_assert_int_eq(pin_page(access, 4), 0);
	ck_assert_int_eq(pin_page(second, page), 0);
	unpin_page(access, 0);
	shim_expected_warnings = 1;
	unpin_page(access, page);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(shim_npinned, 2);
	/* Each access still has its own pins. */
	unpin_page(second, page);
	ck_assert_uint_eq(shim_npinned, 1);
	unpin_page(access, 4);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_uint_eq(nnotices, 0);
	vfio_ioas_access_destroy(second);
}
END_TEST

/* Also if the new access is at the same address in memory as the lost one. */
START_TEST(a_new_access_cannot_unpin_a_lost_pin)
{
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	keeps_pin = true;
	shim_expected_warnings = 2;
	vfio_ioas_access_destroy(access);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	access = make_access(&pinning_ops);
	ck_assert_int_eq(vfio_ioas_access_attach(access, ioas->object.id), 0);
	ck_assert_int_eq(pin_page(access, 1), 0);
	shim_expected_warnings = 1;
	vfio_ioas_access_unpin_pages(access, IOVA, 5 * PAGE_SIZE);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(shim_npinned, 5);
	unpin_page(access, 1);
	pinned_npages = 0;
	drop_lost_pin(5);
}
END_TEST

/* The same page of a store at another IOVA, in an area in which another access has pins. */
START_TEST(an_access_gives_back_no_pin_by_another_map_of_the_same_memory)
{
	struct ioas_access *second = make_access(&pinning_ops);
	const unsigned long iova = 2 * IOVA + 4 * PAGE_SIZE;

	ck_assert_int_eq(vfio_ioas_access_attach(second, ioas->object.id), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(copy_pages(ioas, IOVA, 5, ioas, 2 * IOVA), 0);
	ck_assert_int_eq(pin_page(access, 0), 0);
	ck_assert_int_eq(vfio_ioas_access_pin_pages(second, iova, PAGE_SIZE, list, 0), 0);
	shim_expected_warnings = 1;
	vfio_ioas_access_unpin_pages(access, 2 * IOVA, PAGE_SIZE);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(shim_npinned, 2);
	vfio_ioas_access_unpin_pages(second, iova, PAGE_SIZE);
	vfio_ioas_access_unpin_pages(access, IOVA, PAGE_SIZE);
	ck_assert_uint_eq(shim_npinned, 0);
	vfio_ioas_access_destroy(second);
}
END_TEST

START_TEST(an_unpin_of_what_is_not_pinned_is_complained_about)
{
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	shim_expected_warnings = 3;
	vfio_ioas_access_unpin_pages(access, IOVA, PAGE_SIZE);
	vfio_ioas_access_unpin_pages(access, 2 * IOVA, PAGE_SIZE);
	vfio_ioas_access_unpin_pages(access, IOVA, 0);
	ck_assert_uint_eq(shim_expected_warnings, 0);

	/* A length of 0 at IOVA 0 must not be taken for the whole range of addresses. */
	ck_assert_int_eq(map_pages(ioas, 0, 5, 10), 0);
	ck_assert_int_eq(vfio_ioas_access_pin_pages(access, 0, 5 * PAGE_SIZE, list, 0), 0);
	shim_expected_warnings = 1;
	vfio_ioas_access_unpin_pages(access, 0, 0);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(shim_npinned, 5);
	vfio_ioas_access_unpin_pages(access, 0, 5 * PAGE_SIZE);
}
END_TEST

START_TEST(the_last_page_there_is_can_be_pinned_and_unpinned)
{
	ck_assert_int_eq(map_pages(ioas, -PAGE_SIZE, 1, 3), 0);
	ck_assert_int_eq(vfio_ioas_access_pin_pages(access, -PAGE_SIZE, PAGE_SIZE, list, 0), 0);
	ck_assert_ptr_eq(list[0], &shim_pages[3]);
	ck_assert_uint_eq(shim_npinned, 1);
	vfio_ioas_access_unpin_pages(access, -PAGE_SIZE, PAGE_SIZE);
	ck_assert_uint_eq(shim_npinned, 0);
}
END_TEST

START_TEST(a_mapping_that_is_pinned_is_not_cut)
{
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(1), 0);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_cut(ioas, IOVA + 3 * PAGE_SIZE - 1), -EINVAL);
	ioas_leave(ioas);
	ck_assert_uint_eq(ioas->iova_space.nareas, 1);
}
END_TEST

START_TEST(an_unpin_of_less_than_was_pinned_leaves_the_pin)
{
	unsigned long unmapped;

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	shim_expected_warnings = 2;
	vfio_ioas_access_unpin_pages(access, IOVA, 2 * PAGE_SIZE);
	vfio_ioas_access_unpin_pages(access, IOVA + PAGE_SIZE, PAGE_SIZE);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(shim_npinned, 5);
	/* The pin is still there, so an unmap tells the driver. */
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_uint_eq(nnotices, 1);
	ck_assert_uint_eq(shim_npinned, 0);
}
END_TEST

/* A watch that lets @nleft areas go, and then none. */
struct doorman {
	struct ioas_unmap_watch watch;
	unsigned int nleft;
};

static int see_off(struct ioas_unmap_watch *watch, struct ioas_area *area)
{
	struct doorman *doorman = container_of(watch, struct doorman, watch);

	return doorman->nleft-- ? 0 : -EFAULT;
}

static int unmap_watched(unsigned int nleft)
{
	struct doorman doorman = { .watch.leaving = see_off, .nleft = nleft };
	unsigned long unmapped;
	int ret;

	ioas_enter(ioas);
	ret = ioas_unmap_watched(ioas, 0, ULONG_MAX, UNMAP_WHOLE, &doorman.watch, &unmapped);
	ioas_leave(ioas);
	return ret;
}

START_TEST(an_unmap_that_fails_below_a_pinned_area_leaves_that_as_it_was)
{
	ck_assert_int_eq(map_pages(ioas, IOVA - PAGE_SIZE, 1, 10), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	ck_assert_int_eq(unmap_watched(0), -EFAULT);
	ck_assert_uint_eq(nnotices, 0);
	check_unclaimed();
	unpin();
	ck_assert_int_eq(pin(5), 0);
}
END_TEST

START_TEST(an_unmap_that_fails_once_the_driver_let_go_leaves_the_area_as_it_was)
{
	ck_assert_int_eq(map_pages(ioas, IOVA, 6, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	ck_assert_int_eq(unmap_watched(0), -EFAULT);
	ck_assert_uint_eq(nnotices, 1);
	check_unclaimed();
	ck_assert_int_eq(pin(5), 0);
	unpin();
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_cut(ioas, IOVA + 3 * PAGE_SIZE - 1), 0);
	ioas_leave(ioas);
}
END_TEST

START_TEST(a_failed_unmap_leaves_the_area_live)
{
	unsigned long unmapped;

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	keeps_pin = true;
	shim_expected_warnings = 1;
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped), -EDEADLK);
	check_unclaimed();
	keeps_pin = false;
	unpin();
	ck_assert_int_eq(pin(5), 0);
}
END_TEST

static void call_of_driver(void)
{
	char byte = 1;

	ck_assert_int_eq(vfio_ioas_access_rw(access, IOVA, &byte, 1, VFIO_IOAS_ACCESS_WRITE), 0);
}

static void pin_and_unpin(void)
{
	ck_assert_int_eq(pin(5), 0);
	unpin();
}

static void cut_whole(void)
{
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_cut(ioas, IOVA + PAGE_SIZE - 1), 0);
	ioas_leave(ioas);
}

static void unmap_whole(void)
{
	unsigned long unmapped;

	ck_assert_int_eq(unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped), 0);
}

static void unmap_pinned(void)
{
	ck_assert_int_eq(pin(5), 0);
	unmap_whole();
	ck_assert_uint_eq(nnotices, 1);
}

static void unmap_in_vain(void)
{
	ck_assert_int_eq(unmap_watched(0), -EFAULT);
}

/* While iova_lock is held, no crowd of waiters must be woken: their number has no limit. */
START_TEST(no_crowd_is_woken_under_iova_lock)
{
	static void (*const calls[])(void) = {
		call_of_driver, pin_and_unpin, cut_whole, unmap_whole, unmap_pinned,
		unmap_in_vain,
	};
	unsigned long nwakes;

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ioas->area_waitq.nwaiters += STEPS_AT_ONCE + 1;
	nwakes = ioas->area_waitq.nwakes;
	calls[_i]();
	ck_assert_uint_gt(ioas->area_waitq.nwakes, nwakes);
	ioas->area_waitq.nwaiters -= STEPS_AT_ONCE + 1;
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
	char data[3 * PAGE_SIZE], again[3 * PAGE_SIZE];
	unsigned int flags = (_i & 1 ? VFIO_IOAS_ACCESS_SLOW_PATH : 0) |
			     (_i & 2 ? VFIO_IOAS_ACCESS_KTHREAD : 0);
	unsigned long i;

	ck_assert_int_eq(map_pages(ioas, IOVA, 2, 0), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA + 2 * PAGE_SIZE, 2, 10), 0);
	if (_i & 2)
		current->mm = NULL;
	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 3 + 1;
	ck_assert_int_eq(vfio_ioas_access_rw(access, IOVA + 5, data, sizeof(data),
					     flags | VFIO_IOAS_ACCESS_WRITE), 0);
	ck_assert_int_eq(vfio_ioas_access_rw(access, IOVA + 5, again, sizeof(again), flags), 0);
	ck_assert_mem_eq(data, again, sizeof(data));
	ck_assert_int_eq(shim_page_data(&shim_pages[10])[0], data[2 * PAGE_SIZE - 5]);
	ck_assert_int_eq(vfio_ioas_access_rw(access, IOVA + 2 * PAGE_SIZE, data, sizeof(data),
					     flags), -ENOENT);
	process.mm.pages[1] = NULL;
	ck_assert_int_eq(vfio_ioas_access_rw(access, IOVA, data, sizeof(data), flags), -EFAULT);
	process.task.mm = &process.mm;
}
END_TEST

/* So the owner's copy needs no lock that other calls want, and no memory. */
START_TEST(the_owner_copies_without_sharing_the_store)
{
	struct ioas_area *area;
	char data[8] = { };

	ck_assert_int_eq(map_pages(ioas, IOVA, 2, 0), 0);
	area = rb_entry(rb_first(&ioas->iova_space.areas), struct ioas_area, node);
	ck_assert_int_eq(vfio_ioas_access_rw(access, IOVA, data, sizeof(data), 0), 0);
	ck_assert_ptr_null(area->store->sharing);
	ck_assert_int_eq(vfio_ioas_access_rw(access, IOVA, data, sizeof(data),
					     VFIO_IOAS_ACCESS_SLOW_PATH), 0);
	ck_assert_ptr_nonnull(area->store->sharing);
}
END_TEST

static void detach(void *unused)
{
	current = &process.task;
	vfio_ioas_access_detach(access);
	ck_assert_uint_eq(nunder_way, 0);
}

START_TEST(after_detach_no_call_of_the_driver_is_under_way)
{
	const struct shim_thread threads[] = { { unmap_all }, { detach } };

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(shim_npinned == 0 && ioas->iova_space.nareas == 0);
}
END_TEST

static void leave(void *unused)
{
	current = &process.task;
	vfio_ioas_access_detach(access);
}

static void attach_again(void *unused)
{
	int ret;

	current = &process.task;
	ret = vfio_ioas_access_attach(access, ioas->object.id);
	ck_assert(ret == 0 || ret == -EBUSY || ret == -EINVAL);
}

START_TEST(an_access_about_to_leave_is_not_attached)
{
	const struct shim_thread threads[] = {
		{ attach_again }, { leave }, { attach_again }, { unmap_all },
	};

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(shim_npinned == 0 && ioas->iova_space.nareas == 0);
}
END_TEST

/*
 * --- threads, in all orders with two switches, see shim_run_in_order(). Before each order the
 * access is attached, and nothing is mapped or pinned.
 */

static void run_order(const struct shim_thread *threads, unsigned int nthreads)
{
	noccasions = shim_run_in_order(threads, nthreads, first_switch, second_switch);
	norders++;
}

#define for_each_order() \
	shim_for_each_order(first_switch, second_switch, noccasions)

static void end_order(void)
{
	unmap_all(NULL);
	check_unclaimed();
	expect(!shim_npinned && !ioas->iova_space.nareas);
	vfio_ioas_access_detach(access);
	ck_assert_int_eq(vfio_ioas_access_attach(access, ioas->object.id), 0);
	nnotices = 0;
}

/* A driver that notes its pin only after the call, and holds no lock during the call. */
static void pin_both_areas(void *unused)
{
	struct page *pages[8];
	int ret;

	current = &process.task;
	ret = vfio_ioas_access_pin_pages(access, IOVA, 8 * PAGE_SIZE, pages, 0);
	expect(!ret || ret == -EINVAL || ret == -ENOENT);
	shim_might_sleep();
	mutex_lock(&pin_mutex);
	if (!ret)
		pinned_npages = 8;
	mutex_unlock(&pin_mutex);
}

static void map_both_areas(void)
{
	ck_assert_int_eq(map_pages(ioas, IOVA, 4, 0), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA + 4 * PAGE_SIZE, 4, 10), 0);
}

START_TEST(an_unmap_waits_for_a_pin_that_is_under_way)
{
	const struct shim_thread threads[2][2] = {
		{ { pin_both_areas }, { unmap_all } }, { { unmap_all }, { pin_both_areas } },
	};

	for_each_order() {
		map_both_areas();
		run_order(threads[_i], 2);
		end_order();
	}
	ck_assert_uint_gt(norders, 100);
}
END_TEST

static void pin_and_give_back_two(void *unused)
{
	struct page *pages[8];
	unsigned int i;
	int ret[2];

	current = &process.task;
	for (i = 0; i < 2; i++)
		ret[i] = vfio_ioas_access_pin_pages(access, IOVA, PAGE_SIZE, pages, 0);
	for (i = 0; i < 2; i++)
		if (!ret[i])
			vfio_ioas_access_unpin_pages(access, IOVA, PAGE_SIZE);
}

static int leaves_how;

static void leave_for_good(void *unused)
{
	current = &process.task;
	if (leaves_how)
		vfio_ioas_access_detach(access);
	else
		expect(!vfio_ioas_access_replace(access, other->object.id));
}

/* The second driver keeps no list of its pins: the thread that pins unpins, too. */
START_TEST(an_access_leaves_an_ioas_only_without_pins)
{
	static void (*const others[])(void *data) = { pin_both_areas, pin_and_give_back_two };
	const struct shim_thread threads[2][2] = {
		{ { others[_i / 4] }, { leave_for_good } },
		{ { leave_for_good }, { others[_i / 4] } },
	};

	other = make_other();
	leaves_how = _i & 1;
	for_each_order() {
		map_both_areas();
		run_order(threads[_i >> 1 & 1], 2);
		ck_assert_uint_eq(shim_npinned, 0);
		ck_assert(xa_empty(&ioas->notifiers));
		end_order();
	}
	ck_assert_uint_gt(norders, 100);
}
END_TEST

static void unmap_again(void *unused)
{
	unmap_all(NULL);
}

/* Takes domains_rwsem for writing, and so waits until all other threads have left the IOAS. */
static void write_settings(void *unused)
{
	current = &process.task;
	ioas_set_small_pages(ioas, false);
}

START_TEST(two_unmaps_of_a_pinned_area_get_along_with_a_writer)
{
	const struct shim_thread threads[] = {
		{ unmap_all }, { unmap_again }, { write_settings },
	};

	for_each_order() {
		ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
		ck_assert_int_eq(pin(5), 0);
		run_order(threads, ARRAY_SIZE(threads));
		end_order();
	}
	ck_assert_uint_gt(norders, 100);
}
END_TEST

static bool detached;
static bool is_ending, is_told, is_refused;

static void complain_after_detach(void *data, unsigned long iova, unsigned long nbytes)
{
	shim_might_sleep();
	expect(!detached);
}

static const struct vfio_ioas_access_ops complaining_ops = {
	.needs_pin_pages = true,
	.unmap = complain_after_detach,
};

static void replace_access(void *unused)
{
	int ret;

	current = &process.task;
	ret = vfio_ioas_access_replace(access, other->object.id);
	expect(!ret || ret == -ENOENT || ret == -EBUSY);
}

static void detach_access(void *unused)
{
	current = &process.task;
	vfio_ioas_access_detach(access);
	detached = true;
}

static void destroy_access(void *unused)
{
	current = &process.task;
	is_ending = true;
	vfio_ioas_access_destroy(access);
	detached = true;
}

static void detach_first(void *unused)
{
	current = &process.task;
	vfio_ioas_access_detach(access);
}

START_TEST(a_detach_is_complete_whoever_else_changes_the_access)
{
	const struct shim_thread threads[][3] = {
		{ { replace_access }, { detach_access } },
		{ { detach_access }, { replace_access } },
		{ { detach_first }, { detach_access } },
		{ { replace_access }, { unmap_all }, { detach_access } },
		{ { replace_access }, { detach_access }, { unmap_all } },
	};

	vfio_ioas_access_detach(access);
	vfio_ioas_access_destroy(access);
	other = make_other();
	access = make_access(&complaining_ops);
	for_each_order() {
		detached = false;
		ck_assert_int_eq(vfio_ioas_access_attach(access, ioas->object.id), 0);
		run_order(threads[_i], _i < 3 ? 2 : 3);
		ck_assert_int_eq(pin(1), -ENOENT);
		ck_assert(xa_empty(&ioas->notifiers) && xa_empty(&other->notifiers));
		ck_assert_uint_eq(other->iova_alignment, 1);
	}
	ck_assert_uint_gt(norders, 20);
}
END_TEST

/* Runs threads with a new access with @ops, which the second thread destroys. */
static void destroy_beside(const struct shim_thread *threads, unsigned int nthreads,
			   const struct vfio_ioas_access_ops *ops)
{
	vfio_ioas_access_destroy(access);
	other = make_other();
	for_each_order() {
		access = make_access(ops);
		detached = false;
		is_ending = false;
		is_told = false;
		is_refused = false;
		ck_assert_int_eq(vfio_ioas_access_attach(access, ioas->object.id), 0);
		/* Not at occasion 0: the first thread must have begun its call. */
		noccasions = shim_run_in_order(threads, nthreads, first_switch + 1,
					       second_switch + 1) - 1;
		norders++;
		ck_assert(xa_empty(&ioas->notifiers) && xa_empty(&other->notifiers));
	}
	ck_assert_uint_gt(norders, 20);
	access = make_access(&pinning_ops);
}

START_TEST(an_access_is_destroyed_after_the_call_that_changes_it)
{
	const struct shim_thread threads[][2] = {
		{ { replace_access }, { destroy_access } },
		{ { detach_first }, { destroy_access } },
	};

	destroy_beside(threads[_i], 2, &complaining_ops);
}
END_TEST

/* Keeps the access in its IOAS until a third thread has tried to change it. */
static void wait_for_another_change(void *data, unsigned long iova, unsigned long nbytes)
{
	complain_after_detach(data, iova, nbytes);
	is_told = true;
	while (!is_refused)
		shim_wait();
	complain_after_detach(data, iova, nbytes);
}

static const struct vfio_ioas_access_ops waiting_ops = {
	.needs_pin_pages = true,
	.unmap = wait_for_another_change,
};

static void change_when_told(void *unused)
{
	current = &process.task;
	while (!is_told)
		shim_wait();
	/* The thread that destroys the access has had its turn before. */
	expect(is_ending);
	expect(vfio_ioas_access_attach(access, other->object.id) == -EBUSY);
	expect(vfio_ioas_access_replace(access, other->object.id) == -EBUSY);
	is_refused = true;
}

START_TEST(an_access_that_ends_is_not_changed)
{
	const struct shim_thread threads[] = {
		{ replace_access }, { destroy_access }, { change_when_told },
	};

	destroy_beside(threads, ARRAY_SIZE(threads), &waiting_ops);
}
END_TEST

static void pin_and_give_back(void *unused)
{
	struct page *pages[5];
	int ret;

	current = &process.task;
	ret = vfio_ioas_access_pin_pages(access, IOVA, 5 * PAGE_SIZE, pages, 0);
	expect(!ret || ret == -ENOENT);
	if (!ret)
		vfio_ioas_access_unpin_pages(access, IOVA, 5 * PAGE_SIZE);
}

static void give_back(void *unused)
{
	current = &process.task;
	unpin();
}

static void copy(void *unused)
{
	char byte;
	int ret;

	current = &process.task;
	ret = vfio_ioas_access_rw(access, IOVA, &byte, 1, 0);
	expect(!ret || ret == -ENOENT);
}

/* Calls that begin before the driver destroys the access, or that unpin what this waits for. */
START_TEST(an_access_is_there_until_its_calls_have_returned)
{
	const struct shim_thread threads[][2] = {
		{ { pin_and_give_back }, { destroy_access } }, { { copy }, { destroy_access } },
		{ { give_back }, { destroy_access } }, { { destroy_access }, { give_back } },
	};

	vfio_ioas_access_destroy(access);
	keeps_pin = true;
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	for_each_order() {
		access = make_access(&pinning_ops);
		ck_assert_int_eq(vfio_ioas_access_attach(access, ioas->object.id), 0);
		if (_i >= 2)
			ck_assert_int_eq(pin(5), 0);
		run_order(threads[_i], 2);
		ck_assert_uint_eq(shim_npinned, 0);
		ck_assert(xa_empty(&ioas->notifiers));
		check_unclaimed();
	}
	ck_assert_uint_gt(norders, 20);
	access = make_access(&pinning_ops);
}
END_TEST

/* The access was detached with a pin. A late unpin of it runs beside the end of the access. */
START_TEST(an_unpin_races_with_destroy_of_a_detached_access)
{
	const struct shim_thread threads[] = { { give_back }, { destroy_access } };

	vfio_ioas_access_destroy(access);
	keeps_pin = true;
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	for_each_order() {
		access = make_access(&pinning_ops);
		ck_assert_int_eq(vfio_ioas_access_attach(access, ioas->object.id), 0);
		ck_assert_int_eq(pin(5), 0);
		shim_expected_warnings = 3;
		vfio_ioas_access_detach(access);
		ck_assert_uint_eq(shim_expected_warnings, 2);
		run_order(threads, 2);
		/* Either the unpin came in time, or the pin is lost and both calls warn. */
		ck_assert(shim_npinned ? !shim_expected_warnings : shim_expected_warnings == 2);
		shim_expected_warnings = 0;
		if (shim_npinned)
			drop_lost_pin(5);
		ck_assert_uint_eq(ioas->object.nusers, 0);
	}
	ck_assert_uint_gt(norders, 20);
	access = make_access(&pinning_ops);
}
END_TEST

static struct ioas_area *held;
static int late_result;

static bool an_unmap_waits(void)
{
	return waitqueue_active(&ioas->area_waitq);
}

static void let_somebody_wait(void *unused)
{
	unsigned int i;

	current = &process.task;
	while (!an_unmap_waits())
		shim_wait();
	/* Time for a call that must not get in. */
	for (i = 0; i < 100; i++)
		shim_might_sleep();
	ioas_enter(ioas);
	area_put(ioas, held);
	ioas_leave(ioas);
}

static void come_late(void *unused)
{
	char byte = 1;

	current = &process.task;
	while (!an_unmap_waits())
		shim_wait();
	late_result = vfio_ioas_access_rw(access, IOVA, &byte, 1, VFIO_IOAS_ACCESS_WRITE);
}

START_TEST(an_unmap_waits_only_for_calls_that_are_inside)
{
	const struct shim_thread threads[] = {
		{ let_somebody_wait }, { come_late }, { unmap_all },
	};

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ioas_enter(ioas);
	held = area_get(ioas, IOVA);
	ioas_leave(ioas);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	/* The unmap came first. */
	ck_assert_int_eq(late_result, -ENOENT);
}
END_TEST

START_TEST(a_dying_process_waits_for_nobody)
{
	unsigned long unmapped;

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ioas_enter(ioas);
	held = area_get(ioas, IOVA);
	ioas_leave(ioas);
	current->is_dying = true;
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped), -EINTR);
	ck_assert_uint_eq(unmapped, 0);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_cut(ioas, IOVA + PAGE_SIZE - 1), -EINTR);
	area_put(ioas, held);
	ioas_leave(ioas);
	current->is_dying = false;
	check_unclaimed();
	ck_assert_int_eq(pin(5), 0);
}
END_TEST

static bool is_pinning, gave_up;

static void pin_until_another_gave_up(void *unused)
{
	struct ioas_notifier *notifier = xa_load(&ioas->notifiers, 0);

	current = &process.task;
	ioas_notifier_begin_pin(notifier);
	is_pinning = true;
	while (!gave_up)
		shim_wait();
	ioas_notifier_end_pin(notifier);
}

static void unmap_dying(void *unused)
{
	struct task_struct dying = process.task;
	unsigned long unmapped;

	dying.is_dying = true;
	current = &dying;
	while (!is_pinning)
		shim_wait();
	expect(unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped) == -EINTR);
	expect(!unmapped);
	gave_up = true;
}

START_TEST(a_dying_process_waits_for_no_pin_that_is_under_way)
{
	const struct shim_thread threads[] = { { pin_until_another_gave_up }, { unmap_dying } };

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	is_pinning = false;
	gave_up = false;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	ck_assert_uint_eq(nnotices, 0);
	check_unclaimed();
}
END_TEST

START_TEST(a_dying_process_does_not_wait_after_a_notice)
{
	unsigned long unmapped;

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	keeps_pin = true;
	current->is_dying = true;
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped), -EINTR);
	current->is_dying = false;
	keeps_pin = false;
	ck_assert_uint_eq(nnotices, 1);
	check_unclaimed();
}
END_TEST

START_TEST(an_access_without_a_callback_is_not_told)
{
	struct ioas_access *reading = make_access(&reading_ops);
	unsigned long unmapped;

	ck_assert_int_eq(vfio_ioas_access_attach(reading, ioas->object.id), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_uint_eq(nnotices, 1);
	vfio_ioas_access_destroy(reading);
}
END_TEST

START_TEST(a_shared_store_is_read_without_memory)
{
	char byte;

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	shim_fail_in = 1;
	ck_assert_int_eq(vfio_ioas_access_rw(access, IOVA, &byte, 1,
					     VFIO_IOAS_ACCESS_SLOW_PATH), 0);
	ck_assert_int_eq(shim_fail_in, 1);
	shim_fail_in = 0;
}
END_TEST

/* The area is not live, or another thread has claimed it. */
START_TEST(a_mapping_that_somebody_else_has_is_not_cut)
{
	static const u8 states[] = { AREA_FILLING, AREA_EMPTYING, AREA_TELLING, AREA_ALONE };
	struct ioas_area *area;

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ioas_enter(ioas);
	area = area_get(ioas, IOVA);
	area_put(ioas, area);
	area->state = states[_i];
	current->is_dying = true;
	ck_assert_int_eq(ioas_cut(ioas, IOVA + PAGE_SIZE - 1),
			 states[_i] == AREA_ALONE ? -EINTR : -EBUSY);
	current->is_dying = false;
	area->state = AREA_LIVE;
	ioas_leave(ioas);
}
END_TEST

static void cut_behind(void *npages)
{
	current = &process.task;
	ioas_enter(ioas);
	expect(!ioas_cut(ioas, IOVA + (unsigned long)npages * PAGE_SIZE - 1));
	ioas_leave(ioas);
}

START_TEST(two_cuts_of_one_mapping_are_both_made)
{
	const struct shim_thread threads[] = {
		{ cut_behind, (void *)2 }, { cut_behind, (void *)5 },
	};

	for_each_order() {
		ck_assert_int_eq(map_pages(ioas, IOVA, 8, 0), 0);
		run_order(threads, 2);
		ck_assert_uint_eq(ioas->iova_space.nareas, 3);
		end_order();
	}
}
END_TEST

static void keep_memory_locked(void *unused)
{
	unsigned int i;

	down_write(&process.mm.mmap_lock);
	/* Longer than the time that a notice has to take effect. */
	for (i = 0; i < 10 * NOTICE_PAUSE; i++)
		shim_pass_time();
	up_write(&process.mm.mmap_lock);
}

static void give_back_when_told(void *unused)
{
	current = &process.task;
	while (!nnotices)
		shim_wait();
	unpin();
}

/* The pin is no longer counted, but its charge has not been given back yet. */
START_TEST(an_access_leaves_only_when_the_last_unpin_is_over)
{
	const struct shim_thread threads[] = {
		{ keep_memory_locked }, { detach }, { give_back_when_told },
	};

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	keeps_pin = true;
	shim_run_in_order(threads, ARRAY_SIZE(threads), ULONG_MAX, ULONG_MAX);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_uint_eq(ioas->object.nusers, 0);
}
END_TEST

static int attached_again;

static void give_back_one(void *unused)
{
	current = &process.task;
	unpin_page(access, 0);
}

static void give_back_one_and_attach(void *unused)
{
	give_back_one(NULL);
	attached_again = vfio_ioas_access_attach(access, other->object.id);
	expect(!attached_again || attached_again == -EBUSY);
}

START_TEST(late_unpins_of_two_threads_get_along)
{
	const struct shim_thread threads[2][3] = {
		{ { keep_memory_locked }, { give_back_one }, { give_back_one } },
		{ { give_back_one }, { give_back_one_and_attach } },
	};

	other = make_other();
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(map_pages(other, IOVA, 5, 10), 0);
	vfio_ioas_access_detach(access);
	for_each_order() {
		attached_again = -1;
		ck_assert_int_eq(vfio_ioas_access_attach(access, ioas->object.id), 0);
		ck_assert_int_eq(pin_page(access, 0), 0);
		ck_assert_int_eq(pin_page(access, 0), 0);
		shim_expected_warnings = 1;
		vfio_ioas_access_detach(access);
		ck_assert_uint_eq(shim_expected_warnings, 0);
		run_order(threads[_i], _i ? 2 : 3);
		ck_assert_uint_eq(shim_npinned, 0);
		ck_assert_uint_eq(ioas->object.nusers, 0);
		if (!attached_again) {
			ck_assert_int_eq(pin_page(access, 0), 0);
			unpin_page(access, 0);
		}
		vfio_ioas_access_detach(access);
	}
	ck_assert_uint_gt(norders, 20);
}
END_TEST

static void detach_once_told_again(void *unused)
{
	while (nnotices < 2)
		shim_wait();
	detach(NULL);
}

START_TEST(a_detach_waits_for_each_call_of_the_driver)
{
	const struct shim_thread threads[2][2] = {
		{ { unmap_all }, { detach } }, { { unmap_all }, { detach_once_told_again } },
	};

	for_each_order() {
		ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
		ck_assert_int_eq(pin(5), 0);
		notes_late = _i;
		run_order(threads[_i], 2);
		end_order();
	}
	ck_assert_uint_gt(norders, 20);
}
END_TEST

START_TEST(an_access_leaves_as_soon_as_its_last_pin_goes)
{
	const struct shim_thread threads[] = { { detach }, { give_back_when_told } };
	unsigned long before = shim_njiffies;

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	keeps_pin = true;
	shim_run_in_order(threads, ARRAY_SIZE(threads), ULONG_MAX, ULONG_MAX);
	ck_assert_uint_eq(nnotices, 1);
	ck_assert_uint_lt(shim_njiffies - before, NOTICE_PAUSE);
}
END_TEST

static void empty_dying(void *unused)
{
	struct task_struct dying = process.task;
	unsigned long nbytes;

	dying.is_dying = true;
	current = &dying;
	ioas_enter(ioas);
	expect(ioas_unmap_all(ioas, &nbytes) == 0);
	expect(nbytes == 5 * PAGE_SIZE);
	ioas_leave(ioas);
}

/* As when the kernel closes the last descriptor of a killed process. */
START_TEST(an_unmap_of_everything_waits_though_its_process_dies)
{
	const struct shim_thread threads[] = { { let_somebody_wait }, { empty_dying } };

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ioas_enter(ioas);
	held = area_get(ioas, IOVA);
	ioas_leave(ioas);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
}
END_TEST

static void unmap_all_dying(void *unused)
{
	struct task_struct dying = process.task;
	unsigned long nbytes;

	dying.is_dying = true;
	current = &dying;
	ioas_enter(ioas);
	expect(ioas_unmap_all(ioas, &nbytes) == 0);
	ioas_leave(ioas);
}

START_TEST(an_unmap_of_everything_waits_for_another_though_its_process_dies)
{
	const struct shim_thread threads[] = { { unmap_all }, { unmap_all_dying } };

	for_each_order() {
		ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
		ck_assert_int_eq(pin(5), 0);
		notes_late = _i;
		run_order(threads, ARRAY_SIZE(threads));
		end_order();
	}
	ck_assert_uint_gt(norders, 100);
}
END_TEST

static void pin_for_a_while(void *unused)
{
	struct ioas_notifier *notifier = xa_load(&ioas->notifiers, 0);
	unsigned int i;

	current = &process.task;
	ioas_notifier_begin_pin(notifier);
	is_pinning = true;
	for (i = 0; i < 100; i++)
		shim_might_sleep();
	ioas_notifier_end_pin(notifier);
}

static void empty_dying_beside_a_pin(void *unused)
{
	while (!is_pinning)
		shim_wait();
	empty_dying(NULL);
}

START_TEST(an_unmap_of_everything_waits_for_a_pin_though_its_process_dies)
{
	const struct shim_thread threads[] = { { pin_for_a_while }, { empty_dying_beside_a_pin } };

	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(pin(5), 0);
	is_pinning = false;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
}
END_TEST

static struct ioas_access *interrupted;
static bool interrupted_pins;

/* While the driver is told of an unmap, a dying process begins another unmap, which would wait. */
static void let_a_dying_process_unmap(void *data, unsigned long iova, unsigned long nbytes)
{
	unsigned long unmapped;

	if (!interrupted_pins)
		return;
	current->is_dying = true;
	late_result = unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped);
	current->is_dying = false;
	ck_assert_uint_eq(unmapped, 0);
	vfio_ioas_access_unpin_pages(interrupted, IOVA, 5 * PAGE_SIZE);
	interrupted_pins = false;
}

static const struct vfio_ioas_access_ops interrupted_ops = {
	.needs_pin_pages = true,
	.unmap = let_a_dying_process_unmap,
};

START_TEST(a_dying_process_waits_for_no_other_unmap)
{
	unsigned long unmapped;

	interrupted = make_access(&interrupted_ops);
	ck_assert_int_eq(map_pages(ioas, IOVA, 5, 0), 0);
	ck_assert_int_eq(vfio_ioas_access_attach(interrupted, ioas->object.id), 0);
	ck_assert_int_eq(vfio_ioas_access_pin_pages(interrupted, IOVA, 5 * PAGE_SIZE, list, 0), 0);
	interrupted_pins = true;
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 5, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_int_eq(late_result, -EINTR);
	ck_assert_uint_eq(unmapped, 5);
	vfio_ioas_access_destroy(interrupted);
}
END_TEST

static void cut_in_the_middle(void *unused)
{
	int ret;

	current = &process.task;
	ioas_enter(ioas);
	ret = ioas_cut(ioas, IOVA + 4 * PAGE_SIZE - 1);
	ioas_leave(ioas);
	/* The other thread may be removing the area, or have it pinned. */
	expect(!ret || ret == -EBUSY || ret == -EINVAL);
}

static void read_all(void *unused)
{
	char data[8 * PAGE_SIZE];

	current = &process.task;
	expect(!vfio_ioas_access_rw(access, IOVA, data, sizeof(data), 0));
}

static void pin_and_unpin_part(void *unused)
{
	struct page *pages[2];

	current = &process.task;
	expect(!vfio_ioas_access_pin_pages(access, IOVA + 6 * PAGE_SIZE, 2 * PAGE_SIZE, pages, 0));
	vfio_ioas_access_unpin_pages(access, IOVA + 6 * PAGE_SIZE, 2 * PAGE_SIZE);
}

static void capture_all(void *unused)
{
	struct ioas_area *copies;

	current = &process.task;
	ioas_enter(ioas);
	expect(!ioas_capture(ioas, IOVA, 8 * PAGE_SIZE, IOMMU_READ, &copies));
	ioas_leave(ioas);
	area_free_list(copies);
}

static void unmap_upward(void *unused)
{
	unsigned long unmapped;

	current = &process.task;
	expect(!unmap_pages(ioas, IOVA, 8, UNMAP_UPWARD, &unmapped));
	expect(unmapped == 8);
}

START_TEST(a_cut_is_not_seen_half_done)
{
	static void (*const others[])(void *data) = {
		read_all, capture_all, unmap_upward, pin_and_unpin_part,
	};
	const struct shim_thread threads[2][2] = {
		{ { cut_in_the_middle }, { others[_i / 2] } },
		{ { others[_i / 2] }, { cut_in_the_middle } },
	};

	for_each_order() {
		ck_assert_int_eq(map_pages(ioas, IOVA, 8, 0), 0);
		run_order(threads[_i % 2], 2);
		end_order();
	}
	ck_assert_uint_gt(norders, 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access");
	TCase *tcase = tcase_create("access");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, without_memory_there_is_no_access, 0, 2);
	tcase_add_test(tcase, attach_to_a_missing_or_second_ioas_is_refused);
	tcase_add_test(tcase, an_ioas_with_an_access_is_not_destroyed);
	tcase_add_test(tcase, pins_make_the_granule_a_page);
	tcase_add_test(tcase, an_access_that_is_replaced_lets_go_and_leaves);
	tcase_add_test(tcase, replaced_by_the_same_ioas_nothing_changes);
	tcase_add_test(tcase, without_memory_an_access_stays_where_it_is);
	tcase_add_test(tcase, pins_stay_when_the_last_domain_ends);
	tcase_add_test(tcase, a_pin_with_invalid_arguments_is_refused);
	tcase_add_test(tcase, an_access_made_without_pinning_cannot_pin);
	tcase_add_test(tcase, a_pin_over_a_hole_leaves_nothing_pinned);
	tcase_add_test(tcase, an_unmap_tells_the_driver_and_goes_on);
	tcase_add_test(tcase, no_pin_gets_in_while_the_user_unmaps);
	tcase_add_test(tcase, a_driver_that_does_not_let_go_is_told_a_hundred_times);
	tcase_add_loop_test(tcase, a_driver_that_notes_a_pin_late_is_told_again_before_it_leaves,
			    0, 3);
	tcase_add_test(tcase, a_replacement_that_the_driver_ignores_changes_nothing);
	tcase_add_test(tcase,
		       an_unpin_after_a_detach_that_the_driver_ignored_still_finds_its_pin);
	tcase_add_loop_test(tcase, what_an_access_that_is_destroyed_has_pinned_stays_pinned, 0, 2);
	tcase_add_loop_test(tcase, an_ioas_that_ends_leaves_only_the_map_with_a_lost_pin, 0, 3);
	tcase_add_loop_test(tcase, all_maps_end_but_those_that_a_driver_keeps, 0, 3);
	tcase_add_test(tcase, an_access_does_not_give_back_what_another_one_pinned);
	tcase_add_loop_test(tcase, an_unpin_never_drops_the_pin_of_another_access, 0, 2);
	tcase_add_test(tcase, a_new_access_cannot_unpin_a_lost_pin);
	tcase_add_test(tcase, an_access_gives_back_no_pin_by_another_map_of_the_same_memory);
	tcase_add_test(tcase, an_unpin_of_what_is_not_pinned_is_complained_about);
	tcase_add_test(tcase, an_unpin_of_less_than_was_pinned_leaves_the_pin);
	tcase_add_test(tcase, an_unmap_that_fails_below_a_pinned_area_leaves_that_as_it_was);
	tcase_add_test(tcase, an_unmap_that_fails_once_the_driver_let_go_leaves_the_area_as_it_was);
	tcase_add_test(tcase, a_failed_unmap_leaves_the_area_live);
	tcase_add_test(tcase, the_last_page_there_is_can_be_pinned_and_unpinned);
	tcase_add_test(tcase, a_mapping_that_is_pinned_is_not_cut);
	tcase_add_loop_test(tcase, no_crowd_is_woken_under_iova_lock, 0, 6);
	tcase_add_loop_test(tcase, what_is_written_is_read_again, 0, 4);
	tcase_add_test(tcase, the_owner_copies_without_sharing_the_store);
	tcase_add_loop_test(tcase, after_detach_no_call_of_the_driver_is_under_way, 0, 30);
	tcase_add_loop_test(tcase, an_access_about_to_leave_is_not_attached, 0, 30);
	tcase_add_loop_test(tcase, an_unmap_waits_for_a_pin_that_is_under_way, 0, 2);
	tcase_add_loop_test(tcase, an_access_leaves_an_ioas_only_without_pins, 0, 8);
	tcase_add_test(tcase, two_unmaps_of_a_pinned_area_get_along_with_a_writer);
	tcase_add_loop_test(tcase, a_detach_is_complete_whoever_else_changes_the_access, 0, 5);
	tcase_add_loop_test(tcase, an_access_is_destroyed_after_the_call_that_changes_it, 0, 2);
	tcase_add_test(tcase, an_access_that_ends_is_not_changed);
	tcase_add_loop_test(tcase, an_access_is_there_until_its_calls_have_returned, 0, 4);
	tcase_add_test(tcase, an_unpin_races_with_destroy_of_a_detached_access);
	tcase_add_loop_test(tcase, an_unmap_waits_only_for_calls_that_are_inside, 0, 10);
	tcase_add_test(tcase, a_dying_process_waits_for_nobody);
	tcase_add_loop_test(tcase, a_dying_process_waits_for_no_pin_that_is_under_way, 0, 10);
	tcase_add_loop_test(tcase, an_unmap_of_everything_waits_though_its_process_dies, 0, 10);
	tcase_add_test(tcase, a_dying_process_waits_for_no_other_unmap);
	tcase_add_test(tcase, a_dying_process_does_not_wait_after_a_notice);
	tcase_add_test(tcase, an_access_without_a_callback_is_not_told);
	tcase_add_test(tcase, a_shared_store_is_read_without_memory);
	tcase_add_loop_test(tcase, a_mapping_that_somebody_else_has_is_not_cut, 0, 4);
	tcase_add_test(tcase, two_cuts_of_one_mapping_are_both_made);
	tcase_add_test(tcase, an_access_leaves_only_when_the_last_unpin_is_over);
	tcase_add_loop_test(tcase, late_unpins_of_two_threads_get_along, 0, 2);
	tcase_add_loop_test(tcase, a_detach_waits_for_each_call_of_the_driver, 0, 2);
	tcase_add_test(tcase, an_access_leaves_as_soon_as_its_last_pin_goes);
	tcase_add_loop_test(tcase, an_unmap_of_everything_waits_for_another_though_its_process_dies,
			    0, 2);
	tcase_add_loop_test(tcase, an_unmap_of_everything_waits_for_a_pin_though_its_process_dies,
			    0, 10);
	tcase_add_loop_test(tcase, a_cut_is_not_seen_half_done, 0, 8);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
