// SPDX-License-Identifier: GPL-2.0-only
/*
 * A model of two IOASs; lib_model.h declares it.
 */
#include "lib_model.h"
#include "lib_run.h"

struct shim_process model_processes[NPROCESSES];
struct model_ioas ioass[NIOAS];
struct model_area model_areas[MAX_AREAS];
struct model_store model_stores[MAX_STORES];
struct model_pin model_pins[MAX_PINS];
unsigned long window;

bool areas_meet(const struct model_area *area, unsigned int ioas,
		unsigned long iova, unsigned long last_iova)
{
	return area->used && area->ioas == ioas && area->first_iova <= last_iova &&
	       area->last_iova >= iova;
}

struct model_area *model_first(unsigned int ioas, unsigned long iova,
			       unsigned long last_iova)
{
	struct model_area *first = NULL;
	unsigned int i;

	for (i = 0; i < MAX_AREAS; i++)
		if (areas_meet(&model_areas[i], ioas, iova, last_iova) &&
		    (!first || model_areas[i].first_iova < first->first_iova))
			first = &model_areas[i];
	return first;
}

struct model_area *model_add(unsigned int ioas, unsigned long iova,
			     unsigned long nbytes, struct model_store *store,
			     unsigned long first_byte, int prot)
{
	unsigned int i = 0;

	while (model_areas[i].used)
		ck_assert_uint_lt(++i, MAX_AREAS);
	model_areas[i] = (struct model_area){
		true, ioas, iova, iova + nbytes - 1, store, first_byte, prot,
	};
	return &model_areas[i];
}

unsigned int count_areas(int ioas)
{
	unsigned int i, n = 0;

	for (i = 0; i < MAX_AREAS; i++)
		n += model_areas[i].used && (ioas < 0 || model_areas[i].ioas == ioas);
	return n;
}

struct model_store *unused_store(void)
{
	bool shown[MAX_STORES] = { };
	unsigned int i;

	for (i = 0; i < MAX_AREAS; i++)
		if (model_areas[i].used)
			shown[model_areas[i].store - model_stores] = true;
	for (i = 0; shown[i]; i++)
		ck_assert_uint_lt(i + 1, MAX_STORES);
	memset(&model_stores[i], 0, sizeof(model_stores[i]));
	return &model_stores[i];
}

unsigned int count_domains(const struct model_ioas *m)
{
	unsigned int i, n = 0;

	for (i = 0; i < MAX_DOMAINS; i++)
		n += !!m->hwpts[i];
	return n;
}

unsigned long granule_of(const struct model_ioas *m)
{
	unsigned long granule = m->small_pages || m->attached ? PAGE_SIZE : 1;
	unsigned int i;

	for (i = 0; i < MAX_DOMAINS; i++)
		if (m->hwpts[i])
			granule = max(granule,
				      1UL << __ffs(m->hwpts[i]->mirror.domain->pgsize_bitmap));
	return granule;
}

bool all_fit(unsigned int ioas, unsigned long granule)
{
	unsigned int i;

	for (i = 0; i < MAX_AREAS; i++) {
		const struct model_area *area = &model_areas[i];

		if (area->used && area->ioas == ioas &&
		    (area->first_iova | (area->last_iova + 1) | area->first_byte) % granule)
			return false;
	}
	return true;
}

/* --- pages that areas in domains, and pins, need */

typedef bool needed_pages[MAX_STORES][MAX_NPAGES + 1];

static void need_part(needed_pages needed, const struct model_area *area,
		      unsigned long iova, unsigned long last_iova)
{
	unsigned long first_byte = area->first_byte + max(iova, area->first_iova) -
				   area->first_iova;
	unsigned long last_byte = area->first_byte + min(last_iova, area->last_iova) -
				  area->first_iova;
	unsigned long i;

	for (i = first_byte / PAGE_SIZE; i <= last_byte / PAGE_SIZE; i++)
		needed[area->store - model_stores][i] = true;
}

static void find_needed(needed_pages needed)
{
	unsigned int i, j;

	memset(needed, 0, sizeof(needed_pages));
	for (i = 0; i < MAX_AREAS; i++)
		if (model_areas[i].used && count_domains(&ioass[model_areas[i].ioas]))
			need_part(needed, &model_areas[i], 0, ULONG_MAX);
	for (j = 0; j < MAX_PINS; j++) {
		const struct model_pin *pin = &model_pins[j];
		unsigned long last_iova = pin->iova + pin->nbytes - 1;

		for (i = 0; pin->used && i < MAX_AREAS; i++)
			if (areas_meet(&model_areas[i], pin->ioas, pin->iova, last_iova))
				need_part(needed, &model_areas[i], pin->iova, last_iova);
	}
}

struct page *page_of(const struct model_store *store, unsigned long index)
{
	unsigned long slot = (store->uptr - SHIM_USER_BASE) / PAGE_SIZE + index;

	return store->process->mm.pages[slot];
}

static bool can_pin(const struct model_store *store, unsigned long index)
{
	unsigned long slot = (store->uptr - SHIM_USER_BASE) / PAGE_SIZE + index;

	return page_of(store, index) &&
	       !(store->writable && store->process->mm.read_only[slot]);
}

bool can_get_needed(void)
{
	unsigned long npages[NPROCESSES] = { };
	needed_pages needed;
	unsigned int i, j;

	find_needed(needed);
	for (i = 0; i < MAX_STORES; i++) {
		for (j = 0; j <= MAX_NPAGES; j++) {
			if (!needed[i][j])
				continue;
			if (!model_stores[i].needed[j] && !can_pin(&model_stores[i], j))
				return false;
			npages[model_stores[i].process - model_processes] +=
				!page_of(&model_stores[i], j)->reserved;
		}
	}
	return npages[0] <= LIMIT_NPAGES && npages[1] <= LIMIT_NPAGES;
}

static void check_pages(void)
{
	unsigned int expected[SHIM_NPAGES] = { };
	unsigned long ncharged[NPROCESSES] = { };
	needed_pages needed;
	unsigned int i, j;

	find_needed(needed);
	for (i = 0; i < MAX_STORES; i++) {
		memcpy(model_stores[i].needed, needed[i], sizeof(needed[i]));
		for (j = 0; j <= MAX_NPAGES; j++) {
			if (!needed[i][j])
				continue;
			expected[page_of(&model_stores[i], j) - shim_pages]++;
			ncharged[model_stores[i].process - model_processes] +=
				!page_of(&model_stores[i], j)->reserved;
		}
	}
	for (i = 0; i < SHIM_NPAGES; i++)
		expect(shim_pages[i].npins == expected[i]);
	for (i = 0; i < NPROCESSES; i++)
		expect(model_processes[i].mm.locked_vm == ncharged[i]);
}

/* --- areas, and the mappings of domains */

static void check_domain(const struct iommu_domain *domain, unsigned int ioas)
{
	unsigned long step;

	for (step = 0; step < WINDOW_NBYTES; step += UNIT) {
		unsigned long iova = window + step;
		const struct shim_mapping *mapping = shim_domain_find(domain, iova);
		struct model_area *area = model_first(ioas, iova, iova);
		unsigned long byte;

		expect(!mapping == !area);
		if (!area)
			continue;
		byte = area->first_byte + iova - area->first_iova;
		expect(mapping->prot == (area->prot | IOMMU_CACHE));
		expect(mapping->paddr + iova - mapping->iova ==
		       PFN_PHYS(page_to_pfn(page_of(area->store, byte / PAGE_SIZE))) +
		       byte % PAGE_SIZE);
	}
}

static void check_areas(unsigned int number)
{
	struct ioas *ioas = ioass[number].ioas;
	struct iova_space *space = &ioas->iova_space;
	unsigned long misfit = ioas->iova_alignment - 1;
	unsigned long first_free = 0;
	struct rb_node *rb;

	expect(ioas->iova_alignment == granule_of(&ioass[number]));
	expect(space->nareas == count_areas(number));
	for (rb = rb_first(&space->areas); rb; rb = rb_next(rb)) {
		struct ioas_area *area = rb_entry(rb, struct ioas_area, node);
		struct model_area *model = model_first(number, area->first_iova,
						       area->last_iova);

		expect(model && model->first_iova == area->first_iova);
		expect(model->last_iova == area->last_iova);
		expect(model->prot == area->iommu_prot);
		expect(area->store->uptr == model->store->uptr);
		expect(area->first_byte == model->first_byte);
		expect(area->state == AREA_LIVE && !area->nbusy);
		expect(!((area->first_iova | area_nbytes(area) | area->first_byte) & misfit));
		expect(!space->gaps_known || area->gap == area->first_iova - first_free);
		first_free = area->last_iova + 1;
	}
}

void check_all(void)
{
	unsigned int i, j;

	check_pages();
	for (i = 0; i < NIOAS; i++) {
		check_areas(i);
		for (j = 0; j < MAX_DOMAINS; j++)
			if (ioass[i].hwpts[j])
				check_domain(ioass[i].hwpts[j]->mirror.domain, i);
	}
}
