// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small worlds, exhaustively: a few stores of a few pages, two IOASs, and every sequence of a few
 * steps, each with every failure that it can have. After each step a naive model, an array of
 * pages, is compared with the mappings of the domains, the pins, the charges, and each run of the
 * extents.
 *
 * A *layout* states the memory of each page: ordinary, reserved, device memory or none, and whether
 * it continues the page before. All layouts are tried. The *steps* are those of make_steps(). Each
 * step is done once without a failure; once for each point at which an allocation, a pin or an
 * iommu_map() can fail; and once for each limit at which a charge fails. A step that fails must
 * leave everything as it was.
 *
 * Two sequences that lead to the same state continue alike, so only the first one is continued.
 * States are visited breadth first, and from each of them every step is tried. A state is the model
 * and two things that the model lacks: whether a store is shared, and the room in its extents.
 * A state is reached by its steps in a new world. As long as a step leaves the state as it was, the
 * next one is tried in the same world.
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
/* The engine has an enum value of this name. */
#undef MAP_FIXED

#include "compat/stock.h"
#include "lib_ioas.h"
#include "lib_run.h"

#define MAX_NPAGES	6
#define MAX_DEPTH	12
#define MAX_STORES	3
#define MAX_AREAS	12
#define MAX_PINS	2
#define NIOAS		2	/* the first has maps, cuts and pins, the second has copies */
#define MAX_DOMAINS	2	/* of one IOAS */
#define VERSION_PAGES	32	/* frames from one version of the memory to the next */
#define NVERSIONS	4

/* --- model, steps and states */

/* The structs of the model have no padding: states are compared byte by byte. */
struct model_store {
	u8 used;
	u8 pinned[MAX_NPAGES];		/* 1 + the version of memory that is pinned; 0: none */
};

struct model_area {
	u8 used;
	u8 ioas;
	u8 place;			/* pages from IOVA on */
	u8 npages;
	u8 store;
	u8 first;			/* page of the store */
};

struct model_pin {
	u8 used;
	u8 store;
	u8 first;
	u8 last;
	u8 place;			/* pages from IOVA on */
};

struct model {
	u8 version;			/* of the memory */
	u8 ndomains[NIOAS];
	struct model_store stores[MAX_STORES];
	struct model_area areas[MAX_AREAS];
	struct model_pin pins[MAX_PINS];
};

enum step_kind {
	STEP_MAP,
	STEP_ATTACH,			/* the first or the second domain */
	STEP_DETACH,			/* the oldest domain */
	STEP_PIN,
	STEP_UNPIN,
	STEP_COPY,
	STEP_CUT,
	STEP_UNMAP,
	STEP_UNMAP_LOWEST,		/* the part below a cut */
	STEP_REPLACE,			/* all memory, by another version of it */
};

struct step {
	enum step_kind kind;
	unsigned int a, b;
};

/* The failure in a step. */
struct fault {
	unsigned int at;		/* the at-th call that can fail does; 0: none */
	unsigned int limit;		/* 1 + pages that can be charged; 0: no limit */
};

struct move {
	struct step step;
	struct fault fault;
};

struct state {
	struct model model;
	struct move path[MAX_DEPTH];
	unsigned int depth;
};

/* The parameters of the current world. */
static struct world {
	unsigned int npages;
	bool small_pages;
	char layout[MAX_NPAGES + 1];	/* see next_layout() */
} world;

static struct model model;
static struct real {
	struct ioas *ioas[NIOAS];
	struct ioas_hwpt *hwpts[NIOAS][MAX_DOMAINS];	/* oldest first */
	struct ioas_store *stores[MAX_STORES];
	struct store_user pins[MAX_PINS];
} real;

static struct move path[MAX_DEPTH];		/* to the current state, and the current step */
static unsigned int depth;

/* All steps in this world, also those that failed. */
static struct move history[400];
static unsigned int nhistory;

/* --- versions of memory, each with a cell a page */

struct cell {
	enum extent_kind kind;		/* a hole: no memory */
	unsigned long pfn;
};

static struct cell cells[NVERSIONS][MAX_NPAGES];

/*
 * o, r, m: an ordinary, reserved or device page, apart from the one before; O, R, M: the same,
 * right behind the page before; x: no memory.
 */
static void lay_out(unsigned int version, const char *layout)
{
	unsigned long page = version * VERSION_PAGES, frame = 0x5000 + page;
	unsigned int i;

	for (i = 0; i < world.npages; i++) {
		struct cell *cell = &cells[version][i];

		switch (layout[i]) {
		case 'o': case 'r':
			page += 2;
			break;
		case 'O': case 'R':
			page++;
			break;
		case 'm':
			frame += 2;
			break;
		case 'M':
			frame++;
			break;
		}
		switch (layout[i]) {
		case 'o': case 'O':
			*cell = (struct cell){ EXTENT_CHARGED, page_to_pfn(&shim_pages[page]) };
			break;
		case 'r': case 'R':
			shim_pages[page].reserved = true;
			*cell = (struct cell){ EXTENT_RESERVED, page_to_pfn(&shim_pages[page]) };
			break;
		case 'm': case 'M':
			*cell = (struct cell){ EXTENT_MMIO, frame };
			break;
		default:
			*cell = (struct cell){ EXTENT_HOLE, 0 };
		}
	}
}

/* The versions: the layout; a folio; pages apart from each other; all pages but the last. */
static void lay_out_all(void)
{
	char all_but_last[] = "oOOOOO";

	shim_pages_reset();
	shim_process_init(&process);
	current = &process.task;
	lay_out(0, world.layout);
	lay_out(1, "oOOOOO");
	shim_make_folio(VERSION_PAGES + 2, world.npages);
	lay_out(2, "oooooo");
	all_but_last[world.npages - 1] = 'x';
	lay_out(3, all_but_last);
}

static void show_memory(unsigned int version)
{
	unsigned int i;

	for (i = 0; i < world.npages; i++) {
		const struct cell *cell = &cells[version][i];
		bool mmio = cell->kind == EXTENT_MMIO;

		process.mm.pages[i] = mmio || cell->kind == EXTENT_HOLE ? NULL :
							     pfn_to_page(cell->pfn);
		process.mm.mmio[i] = (struct shim_mmio){ .pfn = mmio ? cell->pfn : 0 };
	}
}

/* Makes the next layout, in the order of digits. False after the last one. */
static bool next_layout(char *layout, unsigned int npages)
{
	static const char digits[] = "ormxORM";
	unsigned int i = npages;

	while (i--) {
		const char *digit = strchr(digits, layout[i]);

		while (*++digit) {
			char before = i ? layout[i - 1] : 'x';

			if ((*digit == 'O' || *digit == 'R') && !strchr("orOR", before))
				continue;
			if (*digit == 'M' && !strchr("mM", before))
				continue;
			layout[i] = *digit;
			memset(layout + i + 1, 'o', npages - i - 1);
			return true;
		}
	}
	return false;
}

static void first_layout(char *layout, unsigned int npages)
{
	memset(layout, 'o', npages);
	layout[npages] = 0;
}

/* --- messages */

static const char *describe_path(void)
{
	static const char *const names[] = {
		"map", "attach", "detach", "pin", "unpin", "copy", "cut", "unmap",
		"unmap-lowest", "replace",
	};
	static char text[8000];
	int used = snprintf(text, sizeof(text), "pages %s%s:", world.layout,
			    world.small_pages ? ", one by one" : "");
	unsigned int i;

	for (i = nhistory > 50 ? nhistory - 50 : 0; i < nhistory; i++) {
		const struct move *move = &history[i];

		used += snprintf(text + used, sizeof(text) - used, " %s(%u, %u)",
				 names[move->step.kind], move->step.a, move->step.b);
		if (move->fault.at)
			used += snprintf(text + used, sizeof(text) - used, " failing at %u",
					 move->fault.at);
		if (move->fault.limit)
			used += snprintf(text + used, sizeof(text) - used, " with limit %u",
					 move->fault.limit - 1);
		used += snprintf(text + used, sizeof(text) - used, ";");
	}
	return text;
}

/* --- the model */

static const struct cell *pinned_cell(const struct model *m, unsigned int store,
				      unsigned int index)
{
	unsigned int version = m->stores[store].pinned[index];

	return version ? &cells[version - 1][index] : NULL;
}

static bool covers(unsigned int index, unsigned int first, unsigned int npages)
{
	return index >= first && index < first + npages;
}

static bool is_needed(const struct model *m, unsigned int store, unsigned int index)
{
	unsigned int i;

	for (i = 0; i < MAX_AREAS; i++)
		if (m->areas[i].used && m->areas[i].store == store &&
		    m->ndomains[m->areas[i].ioas] &&
		    covers(index, m->areas[i].first, m->areas[i].npages))
			return true;
	for (i = 0; i < MAX_PINS; i++)
		if (m->pins[i].used && m->pins[i].store == store &&
		    index >= m->pins[i].first && index <= m->pins[i].last)
			return true;
	return false;
}

/* Does the part that a user needs begin here, or end right before? */
static bool is_border(const struct model *m, unsigned int store, unsigned int index)
{
	unsigned int i;

	for (i = 0; i < MAX_AREAS; i++)
		if (m->areas[i].used && m->areas[i].store == store &&
		    m->ndomains[m->areas[i].ioas] &&
		    (m->areas[i].first == index ||
		     m->areas[i].first + m->areas[i].npages == index))
			return true;
	for (i = 0; i < MAX_PINS; i++)
		if (m->pins[i].used && m->pins[i].store == store &&
		    (m->pins[i].first == index || m->pins[i].last + 1 == index))
			return true;
	return false;
}

/*
 * Pins and unpins in the model, so that the pages that areas in domains and pins need are pinned.
 * False if memory is missing. @ncharged receives how many pages are charged then.
 */
static bool pin_needed(struct model *m, unsigned int *ncharged)
{
	unsigned int i, j;
	bool there = true;

	*ncharged = 0;
	for (i = 0; i < MAX_STORES; i++) {
		bool shown = false;

		for (j = 0; j < MAX_AREAS; j++)
			shown |= m->areas[j].used && m->areas[j].store == i;
		m->stores[i].used = shown;
		for (j = 0; j < world.npages; j++) {
			u8 *version = &m->stores[i].pinned[j];

			if (!is_needed(m, i, j))
				*version = 0;
			else if (!*version)
				*version = 1 + m->version;
			if (!*version)
				continue;
			there &= pinned_cell(m, i, j)->kind != EXTENT_HOLE;
			*ncharged += pinned_cell(m, i, j)->kind == EXTENT_CHARGED;
		}
	}
	return there;
}

static struct model_area *area_at(struct model *m, unsigned int ioas, unsigned int place)
{
	unsigned int i;

	for (i = 0; i < MAX_AREAS; i++)
		if (m->areas[i].used && m->areas[i].ioas == ioas &&
		    covers(place, m->areas[i].place, m->areas[i].npages))
			return &m->areas[i];
	return NULL;
}

static unsigned int count_areas(unsigned int ioas)
{
	unsigned int i, n = 0;

	for (i = 0; i < MAX_AREAS; i++)
		n += model.areas[i].used && model.areas[i].ioas == ioas;
	return n;
}

static void add_area(struct model *m, unsigned int ioas, unsigned int place,
		     unsigned int npages, unsigned int store, unsigned int first)
{
	unsigned int i = 0;

	while (m->areas[i].used)
		expect(++i < MAX_AREAS);
	m->areas[i] = (struct model_area){ 1, ioas, place, npages, store, first };
}

static void remove_area(struct model_area *area)
{
	memset(area, 0, sizeof(*area));
}

static unsigned int count_pins(const struct model *m)
{
	unsigned int i, n = 0;

	for (i = 0; i < MAX_PINS; i++)
		n += m->pins[i].used;
	return n;
}

/* Is it useful to try this step here? Unmaps of pinned areas are left to other tests. */
static bool is_applicable(const struct step *step)
{
	struct model_area *area;
	unsigned int i;

	switch (step->kind) {
	case STEP_MAP:
		for (i = 0; i < MAX_STORES && model.stores[i].used; i++)
			;
		return i < MAX_STORES && !area_at(&model, 0, 0) &&
		       !area_at(&model, 0, world.npages - 1);
	case STEP_ATTACH:
		return model.ndomains[step->a] < MAX_DOMAINS;
	case STEP_DETACH:
		return model.ndomains[step->a];
	case STEP_PIN:
		area = area_at(&model, 0, step->a);
		return area && area == area_at(&model, 0, step->b) &&
		       count_pins(&model) < MAX_PINS;
	case STEP_UNPIN:
		return model.pins[step->a].used;
	case STEP_CUT:
		area = area_at(&model, 0, step->a);
		return area && area->place + area->npages - 1 != step->a;
	case STEP_COPY:
	case STEP_REPLACE:
		return true;
	case STEP_UNMAP:
		return (step->a || !count_pins(&model)) &&
		       (area_at(&model, step->a, 0) || area_at(&model, step->a, world.npages - 1));
	case STEP_UNMAP_LOWEST:
		area = area_at(&model, 0, 0);
		return area && area->npages < world.npages && !count_pins(&model);
	}
	return false;
}

static bool expect_copy(struct model *m, const struct step *step)
{
	struct model_area *from;
	unsigned int place, n;

	for (place = step->a; place <= step->b; place++)
		if (!area_at(m, 0, place) || area_at(m, 1, place))
			return false;
	for (place = step->a; place <= step->b; place += n) {
		from = area_at(m, 0, place);
		n = min(from->place + from->npages, step->b + 1) - place;
		add_area(m, 1, place, n, from->store, from->first + place - from->place);
	}
	return true;
}

static bool expect_pin(struct model *m, const struct step *step)
{
	struct model_area *area = area_at(m, 0, step->a);
	struct model_pin *pin = m->pins;
	unsigned int i;

	if (pin->used)
		pin++;
	*pin = (struct model_pin){
		1, area->store, area->first + step->a - area->place,
		area->first + step->b - area->place, step->a,
	};
	/* Device memory has no struct page that a driver could get. */
	for (i = pin->first; i <= pin->last; i++) {
		const struct cell *cell = pinned_cell(m, pin->store, i);

		if ((cell ?: &cells[m->version][i])->kind == EXTENT_MMIO)
			return false;
	}
	return true;
}

static bool expect_cut(struct model *m, const struct step *step)
{
	struct model_area *area = area_at(m, 0, step->a);
	struct model_area old = *area;
	unsigned int i;

	if (m->ndomains[0] && !world.small_pages)
		return false;
	for (i = 0; i < MAX_PINS; i++)
		if (m->pins[i].used && covers(m->pins[i].place, old.place, old.npages))
			return false;
	area->npages = step->a + 1 - old.place;
	add_area(m, 0, step->a + 1, old.npages - area->npages, old.store,
		 old.first + area->npages);
	return true;
}

static unsigned int unused_store(const struct model *m)
{
	unsigned int i = 0;

	while (m->stores[i].used)
		i++;
	return i;
}

/* Does a step in the model. False if it should fail. */
static bool expect_step(struct model *m, const struct step *step, unsigned int *ncharged)
{
	bool possible = true;
	unsigned int i;

	switch (step->kind) {
	case STEP_MAP:
		add_area(m, 0, 0, world.npages, unused_store(m), 0);
		break;
	case STEP_ATTACH:
		m->ndomains[step->a]++;
		break;
	case STEP_DETACH:
		m->ndomains[step->a]--;
		break;
	case STEP_PIN:
		possible = expect_pin(m, step);
		break;
	case STEP_UNPIN:
		memset(&m->pins[step->a], 0, sizeof(m->pins[0]));
		break;
	case STEP_COPY:
		possible = expect_copy(m, step);
		break;
	case STEP_CUT:
		possible = expect_cut(m, step);
		break;
	case STEP_UNMAP:
		for (i = 0; i < MAX_AREAS; i++)
			if (m->areas[i].used && m->areas[i].ioas == step->a)
				remove_area(&m->areas[i]);
		break;
	case STEP_UNMAP_LOWEST:
		remove_area(area_at(m, 0, 0));
		break;
	case STEP_REPLACE:
		m->version = step->a;
		break;
	}
	return pin_needed(m, ncharged) && possible;
}

/* --- the steps in the engine */

static unsigned long iova_of(unsigned int place)
{
	return IOVA + place * PAGE_SIZE;
}

static struct ioas_area *hold_area(unsigned int place)
{
	struct ioas_area *area = area_get(real.ioas[0], iova_of(place));

	expect(area);
	return area;
}

static int do_map(void)
{
	struct ioas_map map = {
		.rule = MAP_OVERLAP_FIRST, .uptr = SHIM_USER_BASE, .iova = IOVA,
		.nbytes = world.npages * PAGE_SIZE, .iommu_prot = IOMMU_READ | IOMMU_WRITE,
		.account_mode = ACCOUNT_MLOCK, .pin_rules = STOCK_PIN_RULES,
		.min_alignment = 1,
	};
	struct ioas_area *area;
	int ret;

	ioas_enter(real.ioas[0]);
	ret = ioas_map(real.ioas[0], &map);
	if (!ret) {
		area = hold_area(0);
		real.stores[unused_store(&model)] = area->store;
		area_put(real.ioas[0], area);
	}
	ioas_leave(real.ioas[0]);
	return ret;
}

static int do_attach(unsigned int number)
{
	struct iommu_domain *domain = shim_domain_create(PAGE_SIZE);
	struct ioas *ioas = real.ioas[number];
	struct ioas_hwpt *hwpt = hwpt_create(ioas, domain);
	int ret;

	if (IS_ERR(hwpt)) {
		iommu_domain_free(domain);
		return PTR_ERR(hwpt);
	}
	down_write(&ioas->domains_rwsem);
	ret = hwpt_add(hwpt, false);
	up_write(&ioas->domains_rwsem);
	if (ret) {
		ioas_object_abort(&hwpt->object);
		hwpt_destroy(hwpt);
		return ret;
	}
	ioas_object_publish(&hwpt->object);
	real.hwpts[number][model.ndomains[number]] = hwpt;
	return 0;
}

static int do_detach(unsigned int number)
{
	remove_domain(real.hwpts[number][0]);
	real.hwpts[number][0] = real.hwpts[number][1];
	return 0;
}

static int do_pin(unsigned int first, unsigned int last)
{
	struct store_user *pin = &real.pins[model.pins[0].used];
	struct page *list[MAX_NPAGES];
	struct ioas_area *area;
	unsigned long index;
	int ret;

	ioas_enter(real.ioas[0]);
	area = hold_area(first);
	index = area_byte(area, iova_of(first)) / PAGE_SIZE;
	*pin = (struct store_user){
		.first_index = index, .last_index = index + last - first, .kind = USER_HOLD,
	};
	ret = area_add_pin(real.ioas[0], area, pin, list);
	area_put(real.ioas[0], area);
	ioas_leave(real.ioas[0]);
	return ret;
}

static int do_unpin(unsigned int number)
{
	struct account_refund refund = { };
	struct ioas_area *area;

	ioas_enter(real.ioas[0]);
	area = hold_area(model.pins[number].place);
	area_drop_pin(real.ioas[0], area, &real.pins[number], &refund);
	account_pay(&refund);
	area_put(real.ioas[0], area);
	ioas_leave(real.ioas[0]);
	return 0;
}

static int do_cut(unsigned int place)
{
	int ret;

	ioas_enter(real.ioas[0]);
	ret = ioas_cut(real.ioas[0], iova_of(place + 1) - 1);
	ioas_leave(real.ioas[0]);
	return ret;
}

static int do_unmap(unsigned int number, unsigned int npages)
{
	unsigned long nunmapped;

	return unmap_pages(real.ioas[number], IOVA, npages, UNMAP_WHOLE, &nunmapped);
}

static int do_step(const struct step *step)
{
	switch (step->kind) {
	case STEP_MAP:
		return do_map();
	case STEP_ATTACH:
		return do_attach(step->a);
	case STEP_DETACH:
		return do_detach(step->a);
	case STEP_PIN:
		return do_pin(step->a, step->b);
	case STEP_UNPIN:
		return do_unpin(step->a);
	case STEP_COPY:
		return copy_pages(real.ioas[0], iova_of(step->a), step->b - step->a + 1,
				  real.ioas[1], iova_of(step->a));
	case STEP_CUT:
		return do_cut(step->a);
	case STEP_UNMAP:
		return do_unmap(step->a, world.npages);
	case STEP_UNMAP_LOWEST:
		return do_unmap(0, area_at(&model, 0, 0)->npages);
	case STEP_REPLACE:
		show_memory(step->a);
		return 0;
	}
	return -EINVAL;
}

static int do_step_with(const struct step *step, const struct fault *fault, bool *reached)
{
	int ret;

	shim_fail_in = fault->at;
	process.task.memlock_nbytes = fault->limit ? (fault->limit - 1) * PAGE_SIZE : ULONG_MAX;
	ret = do_step(step);
	*reached = !shim_fail_in;
	shim_fail_in = 0;
	process.task.memlock_nbytes = ULONG_MAX;
	return ret;
}

/* --- comparison of engine and model */

/* Does a page of a store continue the one before: side by side, and of the same kind? */
static bool continues(unsigned int store, unsigned int index)
{
	const struct cell *before = pinned_cell(&model, store, index - 1);
	const struct cell *cell = pinned_cell(&model, store, index);

	return cell && before && cell->kind == before->kind && cell->pfn == before->pfn + 1;
}

/* The runs are those of the model, and are split only where a user's part begins or ends. */
static void check_extents(unsigned int store)
{
	const struct extents *extents = &real.stores[store]->extents;
	unsigned int index, next;
	struct extent_cursor cursor;
	struct extent run;
	bool more;

	more = extents_first(extents, &cursor, 0, world.npages - 1, &run);
	for (index = 0; index < world.npages; index = next) {
		const struct cell *cell = pinned_cell(&model, store, index);

		for (next = index + 1; next < world.npages; next++)
			if (cell ? is_border(&model, store, next) || !continues(store, next) :
				   !!pinned_cell(&model, store, next))
				break;
		expect(more && run.index == index);
		expect(run.npages == next - index);
		expect(run.kind == (cell ? cell->kind : EXTENT_HOLE));
		expect(run.pfn == (cell ? cell->pfn : 0));
		more = extents_next(extents, &cursor, world.npages - 1, &run);
	}
}

/* An area is mapped, with as few maps as possible. Returns the next mapping. */
static const struct shim_mapping *check_mappings(const struct model_area *area,
						 const struct shim_mapping *mapping)
{
	unsigned int i, n;

	for (i = 0; i < area->npages; i += n) {
		unsigned int index = area->first + i;

		n = 1;
		while (i + n < area->npages && !world.small_pages &&
		       continues(area->store, index + n))
			n++;
		expect(mapping && mapping->iova == iova_of(area->place + i));
		expect(mapping->last_iova == iova_of(area->place + i + n) - 1);
		expect(mapping->paddr == PFN_PHYS(pinned_cell(&model, area->store, index)->pfn));
		expect(mapping->prot == (IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE));
		mapping = mapping->next;
	}
	return mapping;
}

static void check_domain(unsigned int ioas, unsigned int number)
{
	const struct iommu_domain *domain = real.hwpts[ioas][number]->mirror.domain;
	const struct shim_mapping *mapping = domain->mappings;
	unsigned int place;

	expect(!domain->unflushed);
	for (place = 0; place < world.npages; place++) {
		struct model_area *area = area_at(&model, ioas, place);

		if (area && area->place == place)
			mapping = check_mappings(area, mapping);
	}
	expect(!mapping);
}

static void check_areas(unsigned int number)
{
	struct iova_space *space = &real.ioas[number]->iova_space;
	unsigned long n = 0;
	struct rb_node *rb;

	for (rb = rb_first(&space->areas); rb; rb = rb_next(rb)) {
		struct ioas_area *area = rb_entry(rb, struct ioas_area, node);
		unsigned int place = (area->first_iova - IOVA) / PAGE_SIZE;
		struct model_area *expected = area_at(&model, number, place);
		unsigned int i, npins = 0;

		expect(expected && expected->place == place);
		expect(area_nbytes(area) == expected->npages * PAGE_SIZE);
		expect(area->first_byte == expected->first * PAGE_SIZE);
		expect(area->store == real.stores[expected->store]);
		expect(area->state == AREA_LIVE && !area->nbusy);
		for (i = 0; i < MAX_PINS && !number; i++)
			npins += model.pins[i].used &&
				 covers(model.pins[i].place, place, expected->npages);
		expect(area->npins == npins);
		n++;
	}
	expect(space->nareas == n && count_areas(number) == n);
}

static void check_pins(void)
{
	unsigned int expected[NVERSIONS * VERSION_PAGES] = { };
	unsigned int i, j, n = 0, ncharged = 0;

	for (i = 0; i < MAX_STORES; i++) {
		for (j = 0; j < world.npages; j++) {
			const struct cell *cell = pinned_cell(&model, i, j);

			if (!cell || cell->kind == EXTENT_MMIO)
				continue;
			expected[pfn_to_page(cell->pfn) - shim_pages]++;
			n++;
			ncharged += cell->kind == EXTENT_CHARGED;
		}
	}
	for (i = 0; i < ARRAY_SIZE(expected); i++)
		expect(shim_pages[i].npins == expected[i]);
	expect(shim_npinned == n);
	expect(process.mm.locked_vm == ncharged);
}

static void check_all(void)
{
	unsigned int i, j;

	check_pins();
	for (i = 0; i < MAX_STORES; i++)
		if (model.stores[i].used)
			check_extents(i);
	for (i = 0; i < NIOAS; i++) {
		check_areas(i);
		for (j = 0; j < model.ndomains[i]; j++)
			check_domain(i, j);
	}
}

/* --- a world begins and ends */

static void begin_world(void)
{
	unsigned int i;

	memset(&model, 0, sizeof(model));
	memset(&real, 0, sizeof(real));
	depth = 0;
	nhistory = 0;
	ioas_ctx_init(&ctx, NULL);
	for (i = 0; i < NIOAS; i++) {
		real.ioas[i] = ioas_create(&ctx);
		ioas_object_publish(&real.ioas[i]->object);
		expect(!ioas_set_small_pages(real.ioas[i], world.small_pages));
	}
	show_memory(0);
	add_area(&model, 0, 0, world.npages, 0, 0);
	expect(!do_map());
	model.stores[0].used = 1;
}

static void end_world(void)
{
	unsigned int i;

	for (i = 0; i < MAX_PINS; i++)
		if (model.pins[i].used)
			do_unpin(i);
	ioas_ctx_destroy(&ctx);
	shim_process_check_clean(&process);
	expect(!shim_npinned);
	expect(!shim_allocations);
}

/* --- all states, breadth first */

static struct step steps[80];
static unsigned int nsteps;

static void add_step(enum step_kind kind, unsigned int a, unsigned int b)
{
	expect(nsteps < ARRAY_SIZE(steps));
	steps[nsteps++] = (struct step){ kind, a, b };
}

/* The steps of a world. */
enum steps_set {
	STEPS_FEW,			/* maps, domains, memory: users of a whole store */
	STEPS_MOST,			/* all, but with fewer versions of memory */
	STEPS_ALL,
};

static void make_steps(enum steps_set set)
{
	unsigned int i, j;

	nsteps = 0;
	for (i = 1; i < NVERSIONS; i++)
		if (i != 2 || set == STEPS_ALL)
			add_step(STEP_REPLACE, i, 0);
	add_step(STEP_MAP, 0, 0);
	for (i = 0; i < (set == STEPS_FEW ? 1 : NIOAS); i++) {
		add_step(STEP_ATTACH, i, 0);
		add_step(STEP_DETACH, i, 0);
		add_step(STEP_UNMAP, i, 0);
	}
	if (set == STEPS_FEW)
		return;
	for (i = 0; i < world.npages; i++) {
		for (j = i; j < world.npages; j++) {
			add_step(STEP_PIN, i, j);
			add_step(STEP_COPY, i, j);
		}
	}
	for (i = 0; i < MAX_PINS; i++)
		add_step(STEP_UNPIN, i, 0);
	for (i = 0; i + 1 < world.npages; i++)
		add_step(STEP_CUT, i, 0);
	add_step(STEP_UNMAP_LOWEST, 0, 0);
}

/* The hash of a state: the model, and the two things that it lacks. */
static u64 state_hash(void)
{
	const u8 *byte = (const u8 *)&model;
	u64 hash = 14695981039346656037UL;
	unsigned int i;

	for (i = 0; i < sizeof(model); i++)
		hash = (hash ^ byte[i]) * 1099511628211UL;
	for (i = 0; i < MAX_STORES; i++) {
		if (!model.stores[i].used)
			continue;
		hash = (hash ^ !!real.stores[i]->sharing) * 1099511628211UL;
		hash = (hash ^ real.stores[i]->extents.only.max_runs) * 1099511628211UL;
	}
	return hash ?: 1;
}

#define MAX_STATES	1000000U
#define NSLOTS		(4 * MAX_STATES)

static u64 *known;			/* a hash table of the states that were reached */
static struct state *queue;
static unsigned int *slots;		/* place in the table of each state of the queue */
static unsigned int nstates;
static unsigned long ndone;		/* all steps so far */

static void forget_states(void)
{
	while (nstates)
		known[slots[--nstates]] = 0;
}

/* Queues the current state, unless it was reached before. */
static void note_state(void)
{
	u64 hash = state_hash();
	unsigned int slot = hash % NSLOTS;

	while (known[slot] && known[slot] != hash)
		slot = (slot + 1) % NSLOTS;
	if (known[slot])
		return;
	expect(nstates < MAX_STATES);
	known[slot] = hash;
	slots[nstates] = slot;
	queue[nstates].model = model;
	queue[nstates].depth = depth;
	memcpy(queue[nstates].path, path, depth * sizeof(path[0]));
	nstates++;
}

static bool in_world;

static void go_to(const struct state *state)
{
	unsigned int i, ncharged;
	bool reached;

	if (in_world)
		end_world();
	in_world = true;
	begin_world();
	for (i = 0; i < state->depth; i++) {
		const struct move *move = &state->path[i];
		struct model after = model;
		bool possible = expect_step(&after, &move->step, &ncharged);

		path[depth++] = *move;
		history[nhistory++] = *move;
		if (!do_step_with(&move->step, &move->fault, &reached) && possible)
			model = after;
	}
	expect(!memcmp(&model, &state->model, sizeof(model)));
}

/* Does a step from the current state, and checks everything. Returns whether the fault came. */
static bool try_step(const struct state *state, const struct step *step,
		     const struct fault *fault, bool goes_on)
{
	struct model after = model;
	unsigned int ncharged;
	bool possible, reached;
	u64 hash = state_hash();
	int ret;

	path[depth++] = (struct move){ *step, *fault };
	history[nhistory++] = path[depth - 1];
	possible = expect_step(&after, step, &ncharged) &&
		   (!fault->limit || ncharged < fault->limit || ncharged <= process.mm.locked_vm);
	ret = do_step_with(step, fault, &reached);
	ndone++;
	expect(ret || possible);
	expect(!ret || !possible || (fault->at && reached));
	if (!ret)
		model = after;
	check_all();
	if (state_hash() == hash && nhistory < ARRAY_SIZE(history)) {
		depth--;
		return reached;
	}
	if (goes_on)
		note_state();
	go_to(state);
	return reached;
}

/* Tries a step without a fault, and then with each fault that it can have. */
static void try_from(const struct state *state, const struct step *step, bool goes_on)
{
	unsigned int ncharged, most;
	struct fault fault = { };
	struct model after;

	if (!is_applicable(step))
		return;
	while (try_step(state, step, &fault, goes_on))
		fault.at++;

	after = model;
	pin_needed(&after, &ncharged);
	expect_step(&after, step, &most);
	fault.at = 0;
	for (fault.limit = ncharged + 1; fault.limit <= most; fault.limit++)
		try_step(state, step, &fault, goes_on);
}

/* Tries all sequences of up to @max_depth steps. */
static void try_world(unsigned int max_depth)
{
	unsigned int next, i;

	lay_out_all();
	forget_states();
	begin_world();
	check_all();
	note_state();
	end_world();
	/* The queue grows, but its states stay where they are in memory. */
	for (next = 0; next < nstates && queue[next].depth < max_depth; next++) {
		go_to(&queue[next]);
		for (i = 0; i < nsteps; i++)
			try_from(&queue[next], &steps[i], queue[next].depth + 1 < max_depth);
	}
	end_world();
	in_world = false;
}

/* --- plans: which worlds, and how deep */

struct plan {
	unsigned int npages;
	unsigned int depth;
	bool small_pages;
	enum steps_set set;
};

/*
 * For make check: within two minutes of one CPU. In the last two plans all states are reached after
 * four steps: five steps cover sequences of any length.
 */
static const struct plan quick_plans[] = {
	{ 1, 5, false, STEPS_ALL },
	{ 1, 5, true, STEPS_ALL },
	{ 2, 4, false, STEPS_ALL },
	{ 2, 4, true, STEPS_ALL },
	{ 3, 3, false, STEPS_ALL },
	{ 3, 3, true, STEPS_ALL },
	{ 4, 2, false, STEPS_ALL },
	{ 5, 5, false, STEPS_FEW },
	{ 6, 5, false, STEPS_FEW },
};

/* For EXHAUSTIVE: two hours of two CPUs. */
static const struct plan deep_plans[] = {
	{ 1, 12, false, STEPS_ALL },
	{ 1, 12, true, STEPS_ALL },
	{ 2, 7, false, STEPS_ALL },
	{ 2, 7, true, STEPS_ALL },
	{ 3, 5, false, STEPS_ALL },
	{ 3, 5, true, STEPS_ALL },
	{ 4, 4, false, STEPS_MOST },
	{ 4, 3, true, STEPS_ALL },
	{ 5, 5, true, STEPS_FEW },
	{ 6, 5, true, STEPS_FEW },
	{ 5, 3, false, STEPS_MOST },
	{ 5, 2, true, STEPS_ALL },
	{ 6, 2, false, STEPS_ALL },
	{ 6, 2, true, STEPS_ALL },
};

static const struct plan *plans = quick_plans;
static unsigned int nplans = ARRAY_SIZE(quick_plans);

#define NWORKERS	2

/* Allocates zeroed memory, of which most is never used and so costs nothing. */
static void *reserve(size_t nbytes)
{
	void *room = mmap(NULL, nbytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	expect(room != MAP_FAILED);
	return room;
}

/* Tries every NWORKERS-th layout, from number @worker on. */
static void work(const struct plan *plan, unsigned int worker)
{
	unsigned long n = 0;

	known = reserve(NSLOTS * sizeof(*known));
	queue = reserve(MAX_STATES * sizeof(*queue));
	slots = reserve(MAX_STATES * sizeof(*slots));
	run_describe = describe_path;
	world.npages = plan->npages;
	world.small_pages = plan->small_pages;
	make_steps(plan->set);
	first_layout(world.layout, world.npages);
	do {
		if (n++ % NWORKERS == worker)
			try_world(plan->depth);
	} while (next_layout(world.layout, world.npages));
	if (getenv("VERBOSE"))
		fprintf(stderr, "%u pages, %u steps: %lu layouts, %lu steps done\n",
			plan->npages, plan->depth, n, ndone);
}

START_TEST(every_sequence_of_steps_agrees_with_the_model)
{
	pid_t workers[NWORKERS];
	bool passed = true;
	int status;
	unsigned int i;

	for (i = 0; i < NWORKERS; i++) {
		workers[i] = fork();
		ck_assert_int_ge(workers[i], 0);
		if (!workers[i]) {
			work(&plans[_i], i);
			exit(0);
		}
	}
	for (i = 0; i < NWORKERS; i++) {
		expect(waitpid(workers[i], &status, 0) == workers[i]);
		passed &= !status;
	}
	/* The worker has printed the reason. */
	if (!passed)
		_exit(1);
}
END_TEST

/* Chooses the plans that the environment asks for. False if there is no such plan. */
static bool choose_plans(void)
{
	const char *text = getenv("PLAN");
	unsigned long plan;
	char *end;

	if (getenv("EXHAUSTIVE")) {
		plans = deep_plans;
		nplans = ARRAY_SIZE(deep_plans);
	}
	if (!text)
		return true;
	plan = strtoul(text, &end, 10);
	if (*end || end == text || plan >= nplans) {
		fprintf(stderr, "PLAN=%s: plans are 0 to %u\n", text, nplans - 1);
		return false;
	}
	plans += plan;
	nplans = 1;
	return true;
}

int main(void)
{
	Suite *suite = suite_create("worlds");
	TCase *tcase = tcase_create("worlds");

	if (!choose_plans())
		return 2;
	tcase_set_timeout(tcase, getenv("EXHAUSTIVE") ? 0 : 600);
	tcase_add_loop_test(tcase, every_sequence_of_steps_agrees_with_the_model, 0, nplans);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
