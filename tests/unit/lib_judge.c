// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that carries its slots, and the judge; lib_judge.h declares both.
 *
 * Pages come in chunks. The pages of a chunk are all free, or one folio, or single pages side by
 * side. A page is free if no process shows it, nobody has pinned it and no device can reach it.
 * Only then can it be shown at another slot.
 */
#include "lib_judge.h"
#include "lib_run.h"

#define CHUNK_NPAGES	8U
#define NCHUNKS		200U
#define CHUNKS_NPAGES	(NCHUNKS * CHUNK_NPAGES)
#define FIRST_ARGUMENT	1000U		/* slot of the first argument; its page has number 4,000 */
#define MAGIC		0x7e57ab1e00000000ULL
#define FIRST_MMIO	0x5000UL
#define MAX_AREAS	256
#define MAX_STORE_NPAGES 32U

struct shim_process processes[NPROCESSES];
static u8 slots[CHUNKS_NPAGES];		/* 1 + the slot at which a page is, or was last, shown */
static u8 nshown[CHUNKS_NPAGES];
static struct ioas *const *judged;	/* NIOAS pointers */

static void judge_map(unsigned long iova, phys_addr_t paddr, size_t nbytes);

/* --- memory */

unsigned long judge_arguments(unsigned int thread)
{
	return slot_address(FIRST_ARGUMENT + thread);
}

static bool is_free(unsigned int chunk)
{
	unsigned int i = chunk * CHUNK_NPAGES;

	for (; i < (chunk + 1) * CHUNK_NPAGES; i++)
		if (nshown[i] || shim_pages[i].npins || shim_pages[i].nreaching)
			return false;
	return true;
}

/* Makes the pages of a free chunk anew. Returns the number of the first one. */
static unsigned int take_chunk(unsigned long *seed)
{
	unsigned int chunk = random_below(seed, NCHUNKS), i;
	bool reserved = !random_below(seed, 5);

	while (!is_free(chunk))
		chunk = (chunk + 1) % NCHUNKS;
	for (i = chunk * CHUNK_NPAGES; i < (chunk + 1) * CHUNK_NPAGES; i++) {
		shim_pages[i].to_head = 0;
		shim_pages[i].folio_npages = 1;
		shim_pages[i].reserved = reserved;
		slots[i] = 0;
	}
	if (random_below(seed, 2))
		shim_make_folio(chunk * CHUNK_NPAGES, CHUNK_NPAGES);
	return chunk * CHUNK_NPAGES;
}

/* Shows a page at a slot; nothing if @page is negative. */
static void show(struct mm_struct *mm, unsigned long slot, long page)
{
	u64 bytes = MAGIC | slot;

	if (mm->pages[slot])
		nshown[mm->pages[slot] - shim_pages]--;
	mm->pages[slot] = NULL;
	mm->mmio[slot] = (struct shim_mmio){ 0 };
	mm->read_only[slot] = false;
	mm->key_disabled[slot] = false;
	if (page < 0)
		return;
	mm->pages[slot] = &shim_pages[page];
	nshown[page]++;
	slots[page] = 1 + slot;
	memcpy(shim_page_data(&shim_pages[page]), &bytes, sizeof(bytes));
}

enum change {
	CHANGE_TOGETHER,		/* pages side by side */
	CHANGE_BACKWARDS,
	CHANGE_APART,
	CHANGE_NOTHING,			/* no memory there */
	CHANGE_MMIO,
	CHANGE_PROTECTION,
	CHANGE_KEY,
};

static void show_mmio(struct mm_struct *mm, unsigned long slot, unsigned long *seed)
{
	show(mm, slot, -1);
	mm->mmio[slot] = (struct shim_mmio){
		.pfn = FIRST_MMIO + slot + NSLOTS * random_below(seed, 2),
		.absent = random_below(seed, 2),
	};
}

static void change(struct mm_struct *mm, unsigned long slot, unsigned long npages,
		   enum change change, unsigned long *seed)
{
	unsigned int chunk = 0;
	unsigned long i;

	for (i = slot; i < slot + npages; i++) {
		unsigned int offset = i % CHUNK_NPAGES;

		if (change <= CHANGE_APART && (i == slot || !offset || change == CHANGE_APART))
			chunk = take_chunk(seed);
		if (change == CHANGE_TOGETHER)
			show(mm, i, chunk + offset);
		else if (change == CHANGE_BACKWARDS)
			show(mm, i, chunk + CHUNK_NPAGES - 1 - offset);
		else if (change == CHANGE_APART)
			show(mm, i, chunk + random_below(seed, CHUNK_NPAGES));
		else if (change == CHANGE_NOTHING)
			show(mm, i, -1);
		else if (change == CHANGE_MMIO)
			show_mmio(mm, i, seed);
		else if (change == CHANGE_PROTECTION)
			mm->read_only[i] = random_below(seed, 2);
		else
			mm->key_disabled[i] = random_below(seed, 2);
	}
}

void judge_make_memory(unsigned long *seed, struct ioas *const ioass[NIOAS])
{
	unsigned int i, j;

	judged = ioass;
	shim_on_map = judge_map;
	shim_pages_reset();
	memset(nshown, 0, sizeof(nshown));
	shim_add_mmio(FIRST_MMIO, 2 * NSLOTS);
	for (i = 0; i < NPROCESSES; i++) {
		shim_process_init(&processes[i]);
		for (j = 0; j < 8; j++)
			processes[i].mm.pages[FIRST_ARGUMENT + j] = &shim_pages[4000 + j];
		for (j = 0; j < NSLOTS; j += CHUNK_NPAGES)
			change(&processes[i].mm, j, CHUNK_NPAGES, random_below(seed, 3), seed);
	}
}

void judge_end_memory(void)
{
	unsigned int i;

	for (i = 0; i < NPROCESSES; i++)
		shim_process_check_clean(&processes[i]);
	expect(!shim_npinned);
	expect(!shim_allocations);
}

void judge_change_memory(unsigned long *seed)
{
	static const enum change changes[] = {
		CHANGE_TOGETHER, CHANGE_TOGETHER, CHANGE_TOGETHER, CHANGE_BACKWARDS,
		CHANGE_APART, CHANGE_APART, CHANGE_NOTHING, CHANGE_MMIO,
		CHANGE_PROTECTION, CHANGE_KEY,
	};
	struct mm_struct *mm = &processes[!random_below(seed, 4)].mm;
	unsigned long slot = random_below(seed, NSLOTS);
	unsigned long npages = 1 + random_below(seed, min(NSLOTS - slot, 12UL));
	enum change what = changes[random_below(seed, ARRAY_SIZE(changes))];

	/* Changes that make pins fail are small. */
	if (what >= CHANGE_NOTHING)
		npages = min(npages, 1 + random_below(seed, 4));
	down_write(&mm->mmap_lock);
	change(mm, slot, npages, what, seed);
	up_write(&mm->mmap_lock);
}

/* --- pages and bytes that drivers get, and pages that are mapped */

static bool may_be_at(unsigned long slot, unsigned long index)
{
	return slot < NSLOTS && slot % PERIOD == index % PERIOD;
}

/* The slot of a frame; negative if it has none. */
static long slot_of(unsigned long pfn)
{
	if (pfn - FIRST_MMIO < 2 * NSLOTS)
		return (pfn - FIRST_MMIO) % NSLOTS;
	return pfn - SHIM_FIRST_PFN < CHUNKS_NPAGES ? slots[pfn - SHIM_FIRST_PFN] - 1L : -1;
}

void judge_page(const struct page *page, unsigned long index)
{
	long slot = slot_of(page_to_pfn(page));

	expect(slot >= 0 && may_be_at(slot, index));
	expect(page->npins);
}

void judge_bytes(u64 bytes, unsigned long index)
{
	expect(bytes >> 32 == MAGIC >> 32);
	expect(may_be_at(bytes & 0xffffffff, index));
}

static unsigned long slot_in_area(const struct ioas_area *area, unsigned long iova)
{
	return (area->store->uptr - SHIM_USER_BASE) / PAGE_SIZE +
	       area_byte(area, iova) / PAGE_SIZE;
}

/* Does an area show this slot at this address? */
static bool is_shown(struct ioas *ioas, unsigned long iova, unsigned long slot)
{
	struct rb_node *rb;

	for (rb = rb_first(&ioas->iova_space.areas); rb; rb = rb_next(rb)) {
		struct ioas_area *area = rb_entry(rb, struct ioas_area, node);

		if (area->first_iova <= iova && iova <= area->last_iova)
			return slot_in_area(area, iova) == slot;
	}
	return false;
}

static void judge_map(unsigned long iova, phys_addr_t paddr, size_t nbytes)
{
	unsigned long done;

	for (done = 0; done < nbytes; done += PAGE_SIZE) {
		long slot = slot_of((paddr + done) / PAGE_SIZE);
		bool shown = false;
		unsigned int i;

		expect(slot >= 0 && may_be_at(slot, (iova + done) / PAGE_SIZE - FIRST_INDEX));
		for (i = 0; i < NIOAS; i++)
			shown |= !judged[i] || is_shown(judged[i], iova + done, slot);
		expect(shown);
	}
}

/* --- pages that stores have pinned, and who needs them */

struct judged_store {
	struct ioas_store *store;
	bool needed[MAX_STORE_NPAGES];
	bool covers[MAX_STORE_NPAGES];	/* its charge is also for a page beside the store */
	bool border[MAX_STORE_NPAGES + 1];	/* the part that a user needs begins or ends here */
};

static struct judged_store stores[MAX_AREAS];
static unsigned int nstores;
static unsigned int nhave[CHUNKS_NPAGES];	/* pins that stores have of a page */
static unsigned long ncharged;

static struct judged_store *find_store(struct ioas_store *store)
{
	unsigned int i = 0;

	while (i < nstores && stores[i].store != store)
		i++;
	if (i < nstores)
		return &stores[i];
	expect(nstores < MAX_AREAS && store->extents.npages <= MAX_STORE_NPAGES);
	stores[nstores] = (struct judged_store){ .store = store };
	return &stores[nstores++];
}

static void need(struct judged_store *store, const struct ioas_area *area, unsigned long iova,
		 unsigned long last_iova)
{
	unsigned long first = area_byte(area, max(iova, area->first_iova)) / PAGE_SIZE;
	unsigned long last = area_byte(area, min(last_iova, area->last_iova)) / PAGE_SIZE;
	unsigned long i;

	for (i = first; i <= last; i++)
		store->needed[i] = true;
	store->border[first] = true;
	store->border[last + 1] = true;
}

static struct extent find_run(const struct ioas_area *area, unsigned long iova)
{
	unsigned long index = area_byte(area, iova) / PAGE_SIZE;
	struct extent_cursor cursor;
	struct extent run;

	expect(extents_first(&area->store->extents, &cursor, index, index, &run));
	return run;
}

/* Unless reserved, a page beside a store is charged once: by itself, or by the store's page. */
static void check_beside(const struct ioas_area *area, unsigned long iova,
			 const struct store_hold *hold)
{
	unsigned long index = area_byte(area, iova) / PAGE_SIZE;

	expect(hold->page->reserved == (!hold->payer && !hold->covered));
	expect(!hold->payer || !hold->covered);
	if (!hold->covered)
		return;
	expect(find_run(area, iova).kind == EXTENT_CHARGED);
	expect(!find_store(area->store)->covers[index]);
	find_store(area->store)->covers[index] = true;
}

static void visit_area(struct ioas *ioas, struct ioas_area *area,
		       const struct judge_pin *pins, unsigned int npins)
{
	struct judged_store *store = find_store(area->store);
	unsigned int i, n = 0;

	expect(area->state == AREA_LIVE && !area->nbusy && !area->store->leaked);
	expect(may_be_at(slot_in_area(area, area->first_iova),
			 area->first_iova / PAGE_SIZE - FIRST_INDEX));
	if (!list_empty(&ioas->mirrors))
		need(store, area, 0, ULONG_MAX);
	for (i = 0; i < npins; i++) {
		unsigned long iova = index_iova(pins[i].index);
		unsigned long last_iova = iova + pins[i].npages * PAGE_SIZE - 1;

		if (pins[i].ioas != ioas || iova > area->last_iova ||
		    last_iova < area->first_iova)
			continue;
		n++;
		if (pins[i].hold && pins[i].hold->beside) {
			check_beside(area, iova, pins[i].hold);
			continue;
		}
		need(store, area, iova, last_iova);
		expect(!pins[i].hold ||
		       page_to_pfn(pins[i].hold->page) == find_run(area, iova).pfn);
	}
	expect(area->npins == n);
}

static void check_run(const struct judged_store *store, const struct extent *run)
{
	unsigned long slot = (store->store->uptr - SHIM_USER_BASE) / PAGE_SIZE;
	unsigned long i;

	for (i = run->index; i < run->index + run->npages; i++) {
		unsigned long pfn = run->pfn + i - run->index;

		expect(store->needed[i] == (run->kind != EXTENT_HOLE));
		if (run->kind == EXTENT_HOLE)
			continue;
		expect(slot_of(pfn) == slot + i);
		expect(pfn_valid(pfn) == (run->kind != EXTENT_MMIO));
		if (run->kind == EXTENT_MMIO)
			continue;
		expect(pfn_to_page(pfn)->reserved == (run->kind == EXTENT_RESERVED));
		nhave[pfn - SHIM_FIRST_PFN]++;
		ncharged += run->kind == EXTENT_CHARGED;
	}
}

/* A page is pinned if and only if a user needs it. Runs are split only where a user's part is. */
static void check_store(const struct judged_store *store)
{
	const struct extents *extents = &store->store->extents;
	unsigned long last = extents->npages - 1;
	struct extent_cursor cursor;
	struct extent run, before;
	bool more = extents_first(extents, &cursor, 0, last, &run);

	while (more) {
		check_run(store, &run);
		before = run;
		more = extents_next(extents, &cursor, last, &run);
		expect(!more || store->border[run.index] || !extent_continues(&before, &run));
		expect(!more || before.kind != EXTENT_HOLE || run.kind != EXTENT_HOLE);
	}
}

/* --- domains */

/* The domain maps all that areas show, and nothing else. */
static void check_domain(struct ioas *ioas, const struct iommu_domain *domain)
{
	const struct shim_mapping *mapping = domain->mappings;
	struct rb_node *rb;

	expect(!domain->unflushed);
	for (rb = rb_first(&ioas->iova_space.areas); rb; rb = rb_next(rb)) {
		struct ioas_area *area = rb_entry(rb, struct ioas_area, node);
		unsigned long iova = area->first_iova;

		while (iova < area->last_iova) {
			expect(mapping && mapping->iova <= iova && iova <= mapping->last_iova);
			expect(mapping->last_iova <= area->last_iova);
			expect(mapping->prot == (area->iommu_prot | IOMMU_CACHE));
			expect(mapping->paddr + iova - mapping->iova ==
			       PFN_PHYS(find_run(area, iova).pfn));
			iova += PAGE_SIZE;
			if (iova > mapping->last_iova)
				mapping = mapping->next;
		}
	}
	expect(!mapping);
}

static void check_domains(struct ioas *ioas)
{
	struct ioas_hwpt *hwpt;

	list_for_each_entry(hwpt, &ioas->mirrors, mirror.item)
		check_domain(ioas, hwpt->mirror.domain);
}

/* --- all together */

static void check_ioas(struct ioas *ioas, const struct judge_pin *pins, unsigned int npins)
{
	unsigned long nareas = 0;
	struct rb_node *rb;

	for (rb = rb_first(&ioas->iova_space.areas); rb; rb = rb_next(rb)) {
		visit_area(ioas, rb_entry(rb, struct ioas_area, node), pins, npins);
		nareas++;
	}
	expect(ioas->iova_space.nareas == nareas);
	expect(!ioas->domains_rwsem.shim.nreaders && !ioas->domains_rwsem.shim.written);
	expect(ioas->keepers.n == 1);
	expect(!ioas->area_waitq.nwaiters);
}

/* Each pin of a page is of a store, or of a hold beside a store. */
static void check_pages(unsigned long nbeside, const struct judge_pin *pins, unsigned int npins)
{
	static unsigned int nheld[CHUNKS_NPAGES];
	unsigned long n = 0, npinned = 0;
	unsigned int i;

	memset(nheld, 0, sizeof(nheld));
	for (i = 0; i < npins; i++)
		if (pins[i].hold && pins[i].hold->beside) {
			nheld[pins[i].hold->page - shim_pages]++;
			n++;
		}
	for (i = 0; i < CHUNKS_NPAGES; i++) {
		npinned += shim_pages[i].npins;
		expect(shim_pages[i].npins == nhave[i] + nheld[i]);
		expect(!shim_pages[i].nreaching || nhave[i]);
	}
	expect(n == nbeside);
	expect(npinned == shim_npinned);
}

void judge_all(struct ioas *const ioass[NIOAS], const struct judge_pin *pins,
	       unsigned int npins)
{
	unsigned long nbeside = 0, nlocked = 0;
	unsigned int i;

	nstores = 0;
	ncharged = 0;
	memset(nhave, 0, sizeof(nhave));
	for (i = 0; i < NIOAS; i++) {
		if (!ioass[i])
			continue;
		check_ioas(ioass[i], pins, npins);
		nbeside += atomic_long_read(&ioass[i]->beside.npinned);
		ncharged += atomic_long_read(&ioass[i]->beside.ncharged);
	}
	for (i = 0; i < nstores; i++)
		check_store(&stores[i]);
	for (i = 0; i < NIOAS; i++)
		if (ioass[i])
			check_domains(ioass[i]);
	check_pages(nbeside, pins, npins);
	for (i = 0; i < NPROCESSES; i++)
		nlocked += processes[i].mm.locked_vm;
	expect(nlocked == ncharged);
}
