// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two IOASs, compared with a model: random maps, copies, cuts and unmaps, with domains and
 * in-kernel users. After each step every area is as in the model, and a domain translates exactly
 * what the areas show. A page is pinned and charged once for each store in which a user needs it.
 */
#include "compat/stock.h"
#include "lib_model.h"
#include "lib_run.h"

/* Limit of the areas of both IOASs together. */
#define LIMIT		18

static unsigned long seed;
static bool failing;				/* some steps are made to fail */

static unsigned long roll(unsigned long limit)
{
	return random_below(&seed, limit);
}

/* --- the steps */

static void begin_step(void)
{
	current = &model_processes[roll(NPROCESSES)].task;
	shim_fail_in = failing && !roll(3) ? 1 + roll(8) : 0;
	shim_pin_at_most = roll(2) ? 0 : 1 + roll(4);
}

/*
 * @possible: the step should have worked. Returns whether it did. A step that should have worked
 * may fail only if failures are made.
 */
static bool end_step(int ret, bool possible)
{
	expect(ret || possible);
	expect(!ret || !possible || failing);
	shim_fail_in = 0;
	return !ret;
}

/* Mostly whole pages. */
static unsigned long random_alignment(void)
{
	return roll(3) ? PAGE_SIZE : UNIT << roll(2);
}

static void random_range(unsigned long alignment, unsigned long max_nbytes,
			 unsigned long *iova, unsigned long *nbytes)
{
	unsigned long offset = roll(WINDOW_NBYTES / alignment) * alignment;

	*iova = window + offset;
	max_nbytes = min(max_nbytes, WINDOW_NBYTES - offset);
	*nbytes = alignment * (1 + roll(max_nbytes / alignment));
}

static bool fits(const struct model_ioas *m, unsigned long bits)
{
	return !(bits & (granule_of(m) - 1));
}

static bool is_in_window(unsigned long iova, unsigned long nbytes)
{
	return iova >= window && iova - window <= WINDOW_NBYTES - nbytes;
}

static int call_map(struct model_ioas *m, struct ioas_map *map)
{
	int ret;

	if (map->rule == MAP_ANYWHERE)
		ioas_prepare_search(m->ioas);
	ioas_enter(m->ioas);
	ret = ioas_map(m->ioas, map);
	ioas_leave(m->ioas);
	return ret;
}

static void step_map(unsigned int number)
{
	unsigned long alignment = random_alignment();
	struct model_ioas *m = &ioass[number];
	struct ioas_map map = {
		.rule = roll(3), .account_mode = ACCOUNT_MLOCK, .min_alignment = 1,
		.iommu_prot = 1 + roll(3), .single_pages = !roll(4),
	};
	struct model_store *store = unused_store();
	struct model_area *area = NULL;
	bool possible;
	int ret;

	if (map.rule == MAP_OVERLAP_FIRST)
		map.pin_rules = STOCK_PIN_RULES;
	random_range(alignment, MAX_NPAGES * PAGE_SIZE, &map.iova, &map.nbytes);
	map.uptr = SHIM_USER_BASE + roll((WINDOW_NBYTES - map.nbytes) / alignment) * alignment;
	*store = (struct model_store){
		.process = container_of(current, struct shim_process, task),
		.uptr = map.uptr & PAGE_MASK, .writable = map.iommu_prot & IOMMU_WRITE,
		.npages = (offset_in_page(map.uptr) + map.nbytes - 1) / PAGE_SIZE + 1,
	};
	possible = fits(m, map.nbytes | map.uptr | (map.rule == MAP_ANYWHERE ? 0 : map.iova)) &&
		   count_areas(-1) < LIMIT;
	if (map.rule != MAP_ANYWHERE) {
		possible &= !model_first(number, map.iova, map.iova + map.nbytes - 1);
		area = model_add(number, map.iova, map.nbytes, store, offset_in_page(map.uptr),
				 map.iommu_prot);
		possible &= can_get_needed();
		area->used = false;
		ret = call_map(m, &map);
	} else {
		ret = call_map(m, &map);
		/* Whether there is a place is checked by test_iova.c. */
		possible &= ret != -ENOSPC && ret != -EINVAL &&
			    is_in_window(map.iova, map.nbytes) &&
			    !model_first(number, map.iova, map.iova + map.nbytes - 1);
		area = model_add(number, map.iova, map.nbytes, store, offset_in_page(map.uptr),
				 map.iommu_prot);
		possible &= can_get_needed();
	}
	area->used = end_step(ret, possible);
}

/* Adds the copies of a range to the model. False if nothing is mapped at an address. */
static bool model_copy(unsigned int from, unsigned long iova, unsigned long nbytes,
		       unsigned int to, unsigned long to_iova, int prot, bool *possible,
		       struct model_area **added)
{
	while (nbytes) {
		struct model_area *area = model_first(from, iova, iova);
		unsigned long step;

		if (!area)
			return false;
		step = min(nbytes, area->last_iova - iova + 1);
		*possible &= fits(&ioass[to], step |
				  (area->first_byte + iova - area->first_iova));
		*possible &= !(prot & IOMMU_WRITE && !area->store->writable);
		/* The IOAS is invalid until all are added: a copy is not copied again. */
		*added = model_add(NIOAS, to_iova, step, area->store,
				   area->first_byte + iova - area->first_iova, prot);
		added++;
		iova += step;
		to_iova += step;
		nbytes -= step;
	}
	return true;
}

static int call_copy(struct model_ioas *from, unsigned long iova, struct model_ioas *to,
		     struct ioas_map *map)
{
	struct ioas_area *copies;
	int ret;

	ioas_enter(from->ioas);
	ret = ioas_capture(from->ioas, iova, map->nbytes, map->iommu_prot, &copies);
	ioas_leave(from->ioas);
	if (ret)
		return ret;
	ioas_enter(to->ioas);
	ret = ioas_map_copies(to->ioas, map, copies);
	ioas_leave(to->ioas);
	return ret;
}

static void step_copy(unsigned int from)
{
	struct model_area *added[MAX_AREAS] = { };
	unsigned int to = roll(NIOAS), i;
	struct ioas_map map = {
		.rule = MAP_FIXED, .iommu_prot = 1 + roll(3), .min_alignment = 1,
	};
	unsigned long iova, unused, alignment = random_alignment();
	bool possible, done;

	random_range(alignment, 2 * MAX_NPAGES * PAGE_SIZE, &iova, &map.nbytes);
	random_range(alignment, alignment, &map.iova, &unused);
	if (!is_in_window(map.iova, map.nbytes))
		return;
	possible = fits(&ioass[to], map.iova | map.nbytes) &&
		   !model_first(to, map.iova, map.iova + map.nbytes - 1);
	possible &= model_copy(from, iova, map.nbytes, to, map.iova, map.iommu_prot, &possible,
			       added);
	for (i = 0; added[i]; i++)
		added[i]->ioas = to;
	possible = possible && count_areas(-1) <= LIMIT && can_get_needed();
	done = end_step(call_copy(&ioass[from], iova, &ioass[to], &map), possible);
	for (i = 0; added[i] && !done; i++)
		added[i]->used = false;
}

/* Checks the borders of an unmap. @first is the lowest area in its range. */
static int model_borders(enum ioas_unmap_rule rule, unsigned int number,
			 const struct model_area *first, unsigned long iova,
			 unsigned long last_iova)
{
	const struct model_area *last = model_first(number, last_iova, last_iova);

	if (rule == UNMAP_STARTING && first->first_iova < iova)
		return -ENOENT;
	if (rule == UNMAP_WHOLE && (first->first_iova < iova ||
				    (last && last->last_iova != last_iova)))
		return -EINVAL;
	return 0;
}

static int model_unmap(enum ioas_unmap_rule rule, unsigned int number, unsigned long iova,
		       unsigned long last_iova, unsigned long *nbytes)
{
	struct model_area *area = model_first(number, iova, last_iova);
	int ret = area ? model_borders(rule, number, area, iova, last_iova) : 0;

	*nbytes = 0;
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	for (; area; area = model_first(number, iova, last_iova)) {
		if (rule == UNMAP_UPWARD &&
		    (area->first_iova < iova || area->last_iova > last_iova))
			return -ENOENT;
		*nbytes += area->last_iova - area->first_iova + 1;
		area->used = false;
		if (area->last_iova >= last_iova)
			break;
		iova = area->last_iova + 1;
	}
	return 0;
}

static void step_unmap(unsigned int number)
{
	enum ioas_unmap_rule rule = roll(3);
	struct ioas *ioas = ioass[number].ioas;
	unsigned long iova, last_iova, nbytes, expected;
	struct model_area *area;
	int ret, expected_ret;

	random_range(random_alignment(), WINDOW_NBYTES / 2, &iova, &nbytes);
	last_iova = iova + nbytes - 1;
	area = model_first(number, iova, last_iova);
	if (area && roll(2)) {
		iova = area->first_iova;
		last_iova = area->last_iova;
	}
	/* An unmap must neither need memory nor pin. */
	shim_fail_in = 1;
	ioas_enter(ioas);
	ret = ioas_unmap(ioas, iova, last_iova, rule, &nbytes);
	ioas_leave(ioas);
	expect(shim_fail_in == 1);
	shim_fail_in = 0;
	expected_ret = model_unmap(rule, number, iova, last_iova, &expected);
	/* An upward unmap whose first area does not fit removes nothing. */
	if (expected_ret == -ENOENT && ret == 0)
		expect(!nbytes && !expected);
	else
		expect(ret == expected_ret);
	expect(nbytes == expected);
}

static bool has_pin(unsigned int number, unsigned long iova, unsigned long last_iova)
{
	unsigned int i;

	for (i = 0; i < MAX_PINS; i++) {
		const struct model_pin *pin = &model_pins[i];

		if (pin->used && pin->ioas == number && pin->iova <= last_iova &&
		    pin->iova + pin->nbytes - 1 >= iova)
			return true;
	}
	return false;
}

static void step_cut(unsigned int number)
{
	struct model_ioas *m = &ioass[number];
	unsigned long last_iova = window + roll(WINDOW_NBYTES / UNIT) * UNIT + UNIT - 1;
	struct model_area *area = model_first(number, last_iova, last_iova);
	bool possible = true, crosses;
	unsigned long byte = 0;
	int ret;

	crosses = area && area->last_iova != last_iova;
	if (crosses) {
		byte = area->first_byte + last_iova + 1 - area->first_iova;
		possible = fits(m, byte | (last_iova + 1)) &&
			   !has_pin(number, area->first_iova, area->last_iova) &&
			   (!count_domains(m) || m->small_pages) && count_areas(-1) < LIMIT;
	}
	ioas_enter(m->ioas);
	ret = ioas_cut(m->ioas, last_iova);
	ioas_leave(m->ioas);
	if (!end_step(ret, possible) || !crosses)
		return;
	model_add(number, last_iova + 1, area->last_iova - last_iova, area->store, byte,
		  area->prot);
	area->last_iova = last_iova;
}

static int call_add_domain(struct model_ioas *m, struct ioas_hwpt *hwpt, bool single_pages)
{
	int ret;

	down_write(&m->ioas->domains_rwsem);
	ret = hwpt_add(hwpt, single_pages);
	up_write(&m->ioas->domains_rwsem);
	return ret;
}

static void step_add_domain(unsigned int number, unsigned int slot)
{
	struct iommu_domain *domain = shim_domain_create(UNIT << roll(3));
	unsigned long pgsize = 1UL << __ffs(domain->pgsize_bitmap);
	struct model_ioas *m = &ioass[number];
	struct ioas_hwpt *hwpt = hwpt_create(m->ioas, domain);
	bool possible;

	if (IS_ERR(hwpt)) {
		expect(failing);
		iommu_domain_free(domain);
		return;
	}
	possible = all_fit(number, pgsize);
	m->hwpts[slot] = hwpt;
	possible = possible && can_get_needed();
	if (end_step(call_add_domain(m, hwpt, roll(2)), possible)) {
		ioas_object_publish(&hwpt->object);
		return;
	}
	m->hwpts[slot] = NULL;
	ioas_object_abort(&hwpt->object);
	hwpt_destroy(hwpt);
}

static void step_domain(unsigned int number)
{
	struct model_ioas *m = &ioass[number];
	unsigned int slot = roll(MAX_DOMAINS);

	if (!m->hwpts[slot]) {
		step_add_domain(number, slot);
		return;
	}
	/* The end of a domain must not need memory. */
	shim_fail_in = 1;
	expect(ioas_object_destroy(&ctx, m->hwpts[slot]->object.id) == 0);
	shim_fail_in = 0;
	m->hwpts[slot] = NULL;
}

static void step_small_pages(unsigned int number)
{
	struct model_ioas *m = &ioass[number];
	bool small_pages = roll(2);
	bool possible = true;

	if (small_pages && !m->small_pages)
		possible = (!count_domains(m) || !count_areas(number)) &&
			   all_fit(number, PAGE_SIZE);
	if (end_step(ioas_set_small_pages(m->ioas, small_pages), possible))
		m->small_pages = small_pages;
}

/* --- in-kernel users */

static void unpin(struct model_pin *pin)
{
	vfio_ioas_access_unpin_pages(ioass[pin->ioas].access, pin->iova, pin->nbytes);
	pin->used = false;
}

static void let_go(void *data, unsigned long iova, unsigned long nbytes)
{
	struct model_ioas *m = data;
	unsigned int i;

	for (i = 0; i < MAX_PINS; i++)
		if (model_pins[i].used && &ioass[model_pins[i].ioas] == m &&
		    model_pins[i].iova <= iova + nbytes - 1 &&
		    model_pins[i].iova + model_pins[i].nbytes - 1 >= iova)
			unpin(&model_pins[i]);
}

static const struct vfio_ioas_access_ops access_ops = {
	.needs_pin_pages = true,
	.unmap = let_go,
};

static void step_attach(unsigned int number)
{
	struct model_ioas *m = &ioass[number];
	bool possible = all_fit(number, PAGE_SIZE);

	if (!m->attached) {
		m->attached = end_step(vfio_ioas_access_attach(m->access, m->id), possible);
		return;
	}
	vfio_ioas_access_detach(m->access);
	m->attached = false;
}

/* Is every byte of a range mapped, with a protection that allows the access? */
static bool is_shown(unsigned int number, unsigned long iova, unsigned long nbytes, int prot)
{
	struct model_area *area;

	for (; nbytes; nbytes -= min(nbytes, UNIT), iova += UNIT) {
		area = model_first(number, iova, iova);
		if (!area || !(area->prot & prot))
			return false;
	}
	return true;
}

static void check_list(const struct model_pin *pin, struct page **list)
{
	unsigned long i;

	for (i = 0; i < (pin->nbytes + PAGE_SIZE - 1) / PAGE_SIZE; i++) {
		unsigned long iova = pin->iova + i * PAGE_SIZE;
		struct model_area *area = model_first(pin->ioas, iova, iova);

		expect(list[i] == page_of(area->store, (area->first_byte + iova -
							area->first_iova) / PAGE_SIZE));
	}
}

static void step_pin(unsigned int number)
{
	struct model_pin *pin = &model_pins[roll(MAX_PINS)];
	struct page *list[NPAGES];
	bool write = roll(2), possible;
	int ret;

	if (pin->used) {
		unpin(pin);
		return;
	}
	if (!ioass[number].attached && roll(4)) {
		step_attach(number);
		return;
	}
	*pin = (struct model_pin){ .ioas = number };
	random_range(PAGE_SIZE, (roll(3) ? 3 : NPAGES / 2) * PAGE_SIZE, &pin->iova,
		     &pin->nbytes);
	/* A pin can end inside a page. */
	pin->nbytes -= roll(4) ? 0 : roll(UNIT);
	possible = ioass[number].attached &&
		   is_shown(number, pin->iova, pin->nbytes, write ? IOMMU_WRITE : IOMMU_READ);
	pin->used = true;
	possible = possible && can_get_needed();
	ret = vfio_ioas_access_pin_pages(ioass[number].access, pin->iova, pin->nbytes, list,
					 write ? VFIO_IOAS_ACCESS_WRITE : 0);
	pin->used = end_step(ret, possible);
	if (pin->used)
		check_list(pin, list);
}

/* The byte of memory at an IOVA. */
static char *byte_of(unsigned int number, unsigned long iova)
{
	struct model_area *area = model_first(number, iova, iova);
	unsigned long byte = area->first_byte + iova - area->first_iova;

	return shim_page_data(page_of(area->store, byte / PAGE_SIZE)) + byte % PAGE_SIZE;
}

static void step_rw(unsigned int number)
{
	static char data[4 * PAGE_SIZE];
	unsigned long iova, nbytes, i;
	unsigned int flags = roll(2) * VFIO_IOAS_ACCESS_WRITE +
			     roll(2) * VFIO_IOAS_ACCESS_SLOW_PATH;
	bool write = flags & VFIO_IOAS_ACCESS_WRITE;
	struct mm_struct *mm = current->mm;
	int ret;

	random_range(UNIT, sizeof(data), &iova, &nbytes);
	memset(data, 1 + roll(100), sizeof(data));
	if (!roll(3)) {
		flags |= VFIO_IOAS_ACCESS_KTHREAD;
		current->mm = NULL;
	}
	ret = vfio_ioas_access_rw(ioass[number].access, iova, data, nbytes, flags);
	current->mm = mm;
	shim_fail_in = 0;
	if (ret)
		return;
	expect(ioass[number].attached);
	expect(is_shown(number, iova, nbytes, write ? IOMMU_WRITE : IOMMU_READ));
	for (i = 0; i < nbytes; i++)
		expect(*byte_of(number, iova + i) == data[i] || write);
	/* Two addresses can show the same byte: the write to the last one is the one that stays. */
	expect(!write || *byte_of(number, iova + nbytes - 1) == data[0]);
}

/* --- setup, random steps, end */

static void make_model_ioas(unsigned int number)
{
	const struct ioas_range range = { window, window + WINDOW_NBYTES - 1 };
	struct model_ioas *m = &ioass[number];

	*m = (struct model_ioas){ .ioas = ioas_create(&ctx) };
	ck_assert(!IS_ERR(m->ioas));
	m->id = m->ioas->object.id;
	ioas_object_publish(&m->ioas->object);
	ck_assert_int_eq(iova_allow(&m->ioas->iova_space, &range, 1), 0);
}

static void make_memory(void)
{
	unsigned long i, j, page = 0;

	for (i = 0; i < 200; i += 8)
		if (roll(2))
			shim_make_folio(i, 8);
	for (i = 0; i < NPROCESSES; i++) {
		for (j = 0; j < NPAGES; j++) {
			if (!roll(6))
				page = roll(200);
			model_processes[i].mm.read_only[j] = !roll(20);
			model_processes[i].mm.pages[j] = roll(30) ? &shim_pages[page++] : NULL;
		}
		model_processes[i].task.memlock_nbytes = LIMIT_NPAGES * PAGE_SIZE;
	}
	for (i = 0; i < 200; i++)
		if (!shim_pages[i].to_head && shim_pages[i].folio_npages == 1)
			shim_pages[i].reserved = !roll(20);
}

static void begin(unsigned long number, unsigned long window_begin)
{
	unsigned int i;

	seed = begin_random(number);
	window = window_begin;
	shim_pages_reset();
	for (i = 0; i < NPROCESSES; i++)
		shim_process_init(&model_processes[i]);
	current = &model_processes[0].task;
	make_memory();
	ioas_ctx_init(&ctx, NULL);
	ioas_ctx_limit_areas(&ctx, LIMIT);
	for (i = 0; i < NIOAS; i++) {
		u32 id;

		make_model_ioas(i);
		ioass[i].access = vfio_ioas_access_create(&ctx, &access_ops, &ioass[i], &id);
		ck_assert(!IS_ERR(ioass[i].access));
	}
}

/* In-kernel users end; the end of the context ends all else. */
static void end(void)
{
	unsigned int i;

	current = &model_processes[0].task;
	for (i = 0; i < NIOAS; i++)
		vfio_ioas_access_destroy(ioass[i].access);
	ioas_ctx_destroy(&ctx);
	for (i = 0; i < NPROCESSES; i++)
		shim_process_check_clean(&model_processes[i]);
	expect(shim_npinned == 0);
	expect(shim_allocations == 0);
}

static void random_step(void)
{
	static void (*const steps[])(unsigned int) = {
		step_map, step_map, step_map, step_map, step_copy, step_copy, step_unmap,
		step_unmap, step_cut, step_pin, step_pin, step_rw, step_domain,
	};
	static void (*const rare_steps[])(unsigned int) = {
		step_small_pages, step_small_pages, step_attach,
	};
	unsigned int number = roll(NIOAS);
	unsigned int step = roll(ARRAY_SIZE(steps) + 1);

	/* The model cannot have more areas. */
	if (count_areas(-1) > MAX_AREAS - 16) {
		begin_step();
		step_unmap(number);
		return;
	}
	begin_step();
	if (step < ARRAY_SIZE(steps))
		steps[step](number);
	else
		rare_steps[roll(ARRAY_SIZE(rare_steps))](number);
	shim_fail_in = 0;
}

static void random_sequence(unsigned long number, unsigned long window_begin, bool fails)
{
	unsigned int i;

	begin(number, window_begin);
	failing = fails;
	for (i = 0; i < 1000; i++) {
		random_step();
		check_all();
	}
	end();
}

START_TEST(random_sequences_agree_with_the_model)
{
	random_sequence(_i + 1, 0x100000, false);
}
END_TEST

START_TEST(random_sequences_at_the_end_of_the_space_agree_with_the_model)
{
	random_sequence(_i + 1, -WINDOW_NBYTES, false);
}
END_TEST

START_TEST(random_sequences_where_things_fail_agree_with_the_model)
{
	random_sequence(_i + 1, 0, true);
}
END_TEST

/* --- single calls */

START_TEST(without_memory_there_is_no_ioas)
{
	struct ioas *other;

	shim_fail_in = _i + 1;
	other = ioas_create(&ctx);
	ck_assert_int_eq(PTR_ERR(other), -ENOMEM);
}
END_TEST

START_TEST(container_calls_find_the_ioas_that_was_chosen)
{
	ck_assert_ptr_null(ioas_get_default(&ctx));
	ioas_set_default(&ctx, ioas);
	ck_assert_ptr_eq(ioas_get_default(&ctx), ioas);
	ioas_put(ioas);
	ck_assert_int_eq(ioas_object_destroy(&ctx, ioas->object.id), 0);
	ck_assert_ptr_null(ioas_get_default(&ctx));
}
END_TEST

START_TEST(an_ioas_about_to_end_is_not_found)
{
	ioas_set_default(&ctx, ioas);
	ioas->object.ending = true;
	ck_assert_ptr_null(ioas_get_default(&ctx));
	ck_assert_ptr_null(ioas_get(&ctx, ioas->object.id));
	ioas->object.ending = false;
}
END_TEST

START_TEST(space_info_lists_the_unreserved_ranges)
{
	static const int owner;
	struct ioas_space_info info;

	down_write(&ioas->domains_rwsem);
	iova_reserve(&ioas->iova_space, 0, 0xfff, &owner);
	iova_reserve(&ioas->iova_space, 0x5000, 0x5fff, &owner);
	up_write(&ioas->domains_rwsem);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_get_space_info(ioas, &info), 0);
	ck_assert_uint_eq(info.nranges, 2);
	ck_assert_uint_eq(info.iova_alignment, 1);
	ck_assert_uint_eq(info.ranges[0].first_iova, 0x1000);
	ck_assert_uint_eq(info.ranges[0].last_iova, 0x4fff);
	ck_assert_uint_eq(info.ranges[1].first_iova, 0x6000);
	ck_assert_uint_eq(info.ranges[1].last_iova, ULONG_MAX);
	kvfree(info.ranges);
	shim_fail_in = 1;
	ck_assert_int_eq(ioas_get_space_info(ioas, &info), -ENOMEM);
	ioas_leave(ioas);
	down_write(&ioas->domains_rwsem);
	iova_unreserve(&ioas->iova_space, &owner);
	up_write(&ioas->domains_rwsem);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ioas");
	TCase *tcase = tcase_create("random");
	TCase *single = tcase_create("single");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, random_sequences_agree_with_the_model, 0, 20);
	tcase_add_loop_test(tcase,
			    random_sequences_at_the_end_of_the_space_agree_with_the_model,
			    0, 10);
	tcase_add_loop_test(tcase, random_sequences_where_things_fail_agree_with_the_model,
			    0, 20);
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(single, make_ioas, end_ioas);
	tcase_add_loop_test(single, without_memory_there_is_no_ioas, 0, 2);
	tcase_add_test(single, container_calls_find_the_ioas_that_was_chosen);
	tcase_add_test(single, an_ioas_about_to_end_is_not_found);
	tcase_add_test(single, space_info_lists_the_unreserved_ranges);
	suite_add_tcase(suite, single);
	return run_suite(suite);
}
