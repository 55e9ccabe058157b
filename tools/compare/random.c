// SPDX-License-Identifier: GPL-2.0-only
/*
 * random.c - random sequences
 *
 * No model predicts results. Calls choose from few IOVAs and sizes, and often refer to an earlier
 * map, whether it succeeded or not. So they often affect each other.
 */
#include "random.h"

#include <linux/vfio.h>

#include "bounds.h"
#include "compare/op/devices.h"
#include "compare/op/kernel.h"
#include "compare/op/memory.h"
#include "compare/op/op_type.h"
#include "options.h"

#define MAX_MAPS	64U
#define MSI_START	0xfee00000ULL
#define MSI_END		0xfef00000ULL

enum weighted {
	DO_MAP, DO_UNMAP, DO_UNMAP_ALL, DO_MAP_VADDR, DO_UNMAP_VADDR, DO_TRACK,
	DO_GET, DO_UNMAP_GET, DO_INFO, DO_EXTENSION, DO_GROUPS, DO_SET_IOMMU,
	DO_CALL, DO_PIN, DO_UNPIN, DO_RW, DO_CALLBACKS, DO_BEHAVE, DO_PROTECT,
	DO_REPLACE, DO_ADVISE, DO_LIMIT, NWEIGHTED,
};

struct range {
	uint64_t iova;
	uint64_t nbytes;
};

struct generator {
	uint64_t state;
	unsigned int without;
	struct sequence *sequence;
	unsigned int weights[NWEIGHTED];
	struct range maps[MAX_MAPS];	/* requested so far */
	unsigned int nmaps;
	bool has_bar;
	bool emulates;
	struct range pins[MAX_MAPS];	/* nbytes: pages */
	unsigned int npins;
};

static uint64_t next(struct generator *g)
{
	uint64_t z = g->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static uint64_t below(struct generator *g, uint64_t n)
{
	return next(g) % n;
}

static bool chance(struct generator *g, unsigned int percent)
{
	return below(g, 100) < percent;
}

#define PICK(g, array)	((array)[below(g, ARRAY_SIZE(array))])

static void add(struct generator *g, struct op op)
{
	sequence_add(g->sequence, &op);
}

static void emit(struct generator *g, enum op_kind kind, uint64_t a, uint64_t b,
		 uint64_t c, uint64_t d)
{
	struct op op = { .kind = kind, .arg = { a, b, c, d } };

	add(g, op);
}

/* --- arguments of calls */

static uint64_t any_iova(struct generator *g)
{
	static const uint64_t bases[] = {
		0, 0, 0, 0, 0, 0, 0x40000, 0x40000, 2 * MIB, MSI_START,
		MSI_END, 1ULL << 39, 1ULL << 48, 0
	};
	uint64_t base = PICK(g, bases);
	uint64_t page = base ? below(g, 8) - 4 : below(g, 32);

	if (!base && chance(g, 2))
		page = -1ULL - below(g, 3);
	if (chance(g, 2))
		return base + page * PAGE + below(g, PAGE);
	return base + page * PAGE;
}

static uint64_t any_nbytes(struct generator *g)
{
	static const uint64_t pages[] = {
		1, 1, 1, 2, 2, 2, 3, 4, 4, 4, 5, 8, 8, 16, 64, 65, 512
	};
	static const uint64_t odd[] = {
		0, 1, PAGE - 1, PAGE + 1, 1ULL << 38, -PAGE, -8 * PAGE,
		1ULL << 63, UINT64_MAX
	};

	if (chance(g, 4))
		return PICK(g, odd);
	return PICK(g, pages) * PAGE;
}

static struct range any_range(struct generator *g)
{
	struct range range = { any_iova(g), any_nbytes(g) };

	/* Rare: before Linux 6.18 the calls behind such a range are not compared. */
	if (!below(g, 500))
		range.nbytes = -range.iova;
	return range;
}

static struct range earlier_map(struct generator *g)
{
	if (!g->nmaps)
		return any_range(g);
	return g->maps[below(g, g->nmaps < MAX_MAPS ? g->nmaps : MAX_MAPS)];
}

/* An earlier map's range, or one that is related to it. */
static struct range related_range(struct generator *g)
{
	struct range range = earlier_map(g);
	struct range other;

	switch (below(g, 10)) {
	case 0:
		range.nbytes /= 2;
		break;
	case 1:
		range.iova += PAGE;
		range.nbytes -= PAGE;
		break;
	case 2:
		range.nbytes += PAGE * (1 + below(g, 4));
		break;
	case 3:
		range.iova -= PAGE * (1 + below(g, 4));
		range.nbytes += PAGE * 4;
		break;
	case 4:
		other = earlier_map(g);
		if (other.iova > range.iova)
			range.nbytes = other.iova - range.iova + other.nbytes;
		break;
	case 5:
		return any_range(g);
	}
	return range;
}

static uint64_t any_argsz(struct generator *g, uint64_t usual)
{
	if (!chance(g, 2))
		return usual;
	return chance(g, 50) ? below(g, usual + 1) : usual + below(g, 4096);
}

/* Address space as large as a map that exceeds any memory. */
#define FAR_BYTES	(1ULL << 38)
#define EMULATED_BYTES	(1ULL << 28)	/* TiBs take a minute when a group joins */
#define NOWHERE		0x900000000000ULL	/* outside of any process */

static bool may_emulate(const struct generator *g)
{
	return device_present(GROUP_E) && !(g->without & WITHOUT_EMULATED);
}

/* False if both backends refuse the map: it wraps at any address that memory can have. */
static bool can_be_mapped(uint64_t nbytes)
{
	return nbytes <= -LOWEST_ADDRESS;
}

/* A device reaches only the sequence's own memory, even if a map of that size succeeds. */
static void stay_within(struct op *op)
{
	uint64_t nbytes = op->arg[1];

	if (!op->mem && is_void(op->arg[2], nbytes))
		return;
	if (op->mem && (nbytes <= GUARD_BYTES || !can_be_mapped(nbytes)))
		return;
	op->mem = op->mem && nbytes <= FAR_BYTES ? op_pack_name("far") : 0;
	op->arg[2] = op->mem ? 0 : NOWHERE;
}

/* Picks memory for a map of known size. */
static void pick_memory(struct generator *g, struct op *op)
{
	static const char *const names[] = {
		"buf", "buf", "buf", "buf", "buf", "buf", "ro", "hole", "none",
		"shm", "shm", "big", "bar"
	};
	static const uint64_t raw[] = {
		0, 0x1000, 0x900000000000ULL, 0xffff888000000000ULL, -PAGE
	};
	const char *name = PICK(g, names);

	if (chance(g, 2)) {
		op->arg[2] = PICK(g, raw);
		stay_within(op);
		return;
	}
	if (strcmp(name, "bar") == 0 && !g->has_bar)
		name = "buf";
	op->mem = op_pack_name(name);
	op->arg[2] = chance(g, 50) ? 0 : below(g, 8) * PAGE;
	if (chance(g, 1))
		op->arg[2] += below(g, PAGE);
	stay_within(op);
}

/* --- calls, by kind */

static void add_map(struct generator *g)
{
	static const uint64_t odd_flags[] = { 0, 4, 5, 7, 8, 11, 0x80000003 };
	struct range range = chance(g, 15) ? related_range(g) : any_range(g);
	struct op op = { .kind = OP_MAP };

	/* Stock type1 would accept this without an IOMMU, and lose the mapping. */
	if (g->emulates && range.iova + range.nbytes == 0)
		range.iova -= PAGE;
	/* With emulated devices only, any map succeeds: see bounds.c. */
	if (may_emulate(g) && range.nbytes > EMULATED_BYTES && can_be_mapped(range.nbytes))
		range.nbytes = EMULATED_BYTES;
	op.arg[0] = range.iova;
	op.arg[1] = range.nbytes;
	pick_memory(g, &op);
	op.arg[3] = chance(g, 2) ? PICK(g, odd_flags) :
		    chance(g, 70) ? 3 : 1 + below(g, 2);
	if (g->without & WITHOUT_VADDR && op.arg[3] & 4)
		op.arg[3] = 8;
	op.arg[4] = any_argsz(g, 32);
	g->maps[g->nmaps++ % MAX_MAPS] = range;
	add(g, op);
}

static void add_unmap(struct generator *g)
{
	static const uint64_t odd_flags[] = { 8, 2, 10, 0x80000000 };
	struct range range = related_range(g);

	emit(g, OP_UNMAP, range.iova, range.nbytes,
	     chance(g, 2) ? PICK(g, odd_flags) : 0, any_argsz(g, 24));
}

static void add_unmap_all(struct generator *g)
{
	uint64_t vaddr = !(g->without & WITHOUT_VADDR) && chance(g, 20) ? 4 : 0;

	emit(g, OP_UNMAP, chance(g, 5) ? PAGE : 0, chance(g, 5) ? PAGE : 0,
	     VFIO_DMA_UNMAP_FLAG_ALL | vaddr, 24);
}

static void add_map_vaddr(struct generator *g)
{
	struct range range = chance(g, 80) ? earlier_map(g) : related_range(g);
	struct op op = { .kind = OP_MAP };

	op.arg[0] = range.iova;
	op.arg[1] = range.nbytes;
	pick_memory(g, &op);
	op.arg[3] = VFIO_DMA_MAP_FLAG_VADDR;
	op.arg[4] = 32;
	add(g, op);
}

static void add_unmap_vaddr(struct generator *g)
{
	struct range range = related_range(g);

	emit(g, OP_UNMAP, range.iova, range.nbytes, VFIO_DMA_UNMAP_FLAG_VADDR,
	     24);
}

static void add_track(struct generator *g)
{
	uint64_t flags = chance(g, 60) ? 1 : 2;

	if (chance(g, 4))
		flags = below(g, 16);
	/* Bit 2 (GET_BITMAP) needs more data behind the struct: see add_get(). */
	emit(g, OP_DIRTY, flags & ~4ULL, any_argsz(g, 8), 0, 0);
}

/* Fills in the arguments of a bitmap, from op->arg[first] on. */
static void pick_bitmap(struct generator *g, struct op *op, unsigned int first,
			uint64_t nbytes)
{
	static const uint64_t odd_pgsizes[] = { 0, 2048, 8192, 2 * MIB };
	uint64_t needed = (nbytes / PAGE + 63) / 64 * 8;

	op->arg[first] = chance(g, 3) ? PICK(g, odd_pgsizes) : PAGE;
	if (!op->arg[first] && !stock_may_see_page_size_0())
		op->arg[first] = PAGE / 2;
	op->arg[first + 1] = chance(g, 90) ? needed : below(g, needed + 16);
	op->arg[first + 2] = chance(g, 90) ? BITS_ZEROED : BITS_ZEROED +
			     below(g, 5);
	/* With emulated devices, stock type1 forgets the bits that it could not write. */
	if (op->arg[first + 2] == BITS_NO_ACCESS)
		op->arg[first + 2] = BITS_ZEROED;
	if (op->arg[first + 2] == BITS_LOW && !is_void(0, 8 + op->arg[first + 1]))
		op->arg[first + 2] = BITS_ZEROED;
}

static void add_get(struct generator *g)
{
	struct range range = chance(g, 50) ? (struct range){ 0, 3 * MIB } :
					     related_range(g);
	struct op op = { .kind = OP_DIRTY_GET };

	op.arg[0] = range.iova;
	op.arg[1] = range.nbytes;
	pick_bitmap(g, &op, 2, range.nbytes);
	op.arg[5] = any_argsz(g, 48);
	add(g, op);
	/* The first report may or may not have cleaned its pages. */
	if (chance(g, 50))
		add(g, op);
}

static void add_unmap_get(struct generator *g)
{
	struct range range = related_range(g);
	struct op op = { .kind = OP_UNMAP_BITMAP };

	op.arg[0] = range.iova;
	op.arg[1] = range.nbytes;
	pick_bitmap(g, &op, 2, range.nbytes);
	op.arg[5] = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP |
		    (chance(g, 2) ? 2 : 0);
	op.arg[6] = any_argsz(g, 48);
	add(g, op);
}

/* Without dirty tracking the capability chain has another length. */
static void add_info(struct generator *g)
{
	uint64_t odd = below(g, g->without & WITHOUT_DIRTY ? 24 : 160);
	uint64_t argsz = chance(g, 80) ? 4096 : odd;

	emit(g, OP_INFO, argsz, 0, 0, 0);
}

static void add_extension(struct generator *g)
{
	uint64_t number = below(g, 12);

	if (number == VFIO_UPDATE_VADDR && g->without & WITHOUT_VADDR)
		number = 1;
	emit(g, OP_EXTENSION, number, 0, 0, 0);
}

static enum group any_group(struct generator *g)
{
	enum group group = below(g, NGROUPS - 1);

	if (group >= GROUP_E && g->without & WITHOUT_EMULATED)
		group = below(g, 2);
	if (device_present(group))
		return group;
	return device_present(GROUP_A) ? GROUP_A : GROUP_E;
}

static void add_groups(struct generator *g)
{
	static const enum op_kind kinds[] = {
		OP_JOIN, OP_JOIN, OP_JOIN, OP_GROUP, OP_LEAVE, OP_LEAVE,
		OP_STATUS, OP_CLOSE_GROUP, OP_DEVICE, OP_CLOSE_DEVICE
	};
	enum group group = any_group(g);
	enum op_kind kind = PICK(g, kinds);
	struct op op = { .kind = kind, .arg = { group } };

	if (kind == OP_STATUS)
		op.arg[1] = any_argsz(g, 8);
	if (kind == OP_DEVICE)
		op.arg[2] = true;
	/* A group must be open to join. */
	if (kind == OP_JOIN && chance(g, 80))
		emit(g, OP_GROUP, group, 0, 0, 0);
	add(g, op);
}

static void add_set_iommu(struct generator *g)
{
	static const uint64_t types[] = { 3, 3, 3, 1, 1, 6, 9, 4 };

	emit(g, OP_SET_IOMMU, PICK(g, types), 0, 0, 0);
}

static void add_call(struct generator *g)
{
	static const uint64_t commands[] = { 0x3b73, 0x3b74, 0x3b99, 0x3b70 };
	uint64_t command = PICK(g, commands);

	emit(g, OP_CALL, command, 8, 0, 0);
}

static enum group emulated(struct generator *g)
{
	return device_present(GROUP_F) && chance(g, 30) ? GROUP_F : GROUP_E;
}

static void add_pin(struct generator *g)
{
	struct range range = earlier_map(g);
	uint64_t npages = 1 + below(g, 4);
	uint64_t prot = chance(g, 80) ? 3 : below(g, 4);
	enum group group = emulated(g);

	range.iova &= ~(PAGE - 1);
	range.iova += below(g, 4) * PAGE;
	if (chance(g, 2))
		npages = chance(g, 50) ? 513 : 0;
	g->pins[g->npins++ % MAX_MAPS] = (struct range){ range.iova, npages };
	emit(g, OP_PIN, group, range.iova, npages, prot);
}

static void add_unpin(struct generator *g)
{
	struct range pin;

	if (!g->npins)
		return;
	pin = g->pins[below(g, g->npins < MAX_MAPS ? g->npins : MAX_MAPS)];
	emit(g, OP_UNPIN, emulated(g), pin.iova, pin.nbytes, 0);
}

static void add_rw(struct generator *g)
{
	struct range range = related_range(g);

	emit(g, OP_RW, emulated(g), range.iova + below(g, PAGE),
	     1 + below(g, 3 * PAGE), below(g, 2));
}

static void add_callbacks(struct generator *g)
{
	emit(g, OP_CALLBACKS, emulated(g), 0, 0, 0);
}

/* Ignoring more than ten in a row would crash stock type1. */
static void add_behave(struct generator *g)
{
	emit(g, OP_BEHAVE, emulated(g), below(g, 4), 0, 0);
}

static void add_protect(struct generator *g)
{
	struct op op = { .kind = OP_PROTECT, .mem = op_pack_name("buf") };

	op.arg[0] = below(g, 16) * PAGE;
	op.arg[1] = 2 * PAGE;
	op.arg[2] = chance(g, 70) ? 3 : below(g, 2);
	add(g, op);
}

/* The process now has other pages there than those that are mapped. */
static void add_replace(struct generator *g)
{
	static const enum memory_kind kinds[] = {
		MEMORY_TOUCHED, MEMORY_TOUCHED, MEMORY_ANON, MEMORY_SHARED, MEMORY_HOLE
	};
	struct op op = { .kind = OP_PART, .mem = op_pack_name("buf") };

	op.arg[0] = below(g, 16) * PAGE;
	op.arg[1] = (1 + below(g, 4)) * PAGE;
	op.arg[2] = PICK(g, kinds);
	op.arg[3] = op.arg[2] == MEMORY_HOLE ? 0 : chance(g, 80) ? PROT_R | PROT_W : PROT_R;
	add(g, op);
}

static void add_advise(struct generator *g)
{
	static const enum advice advices[] = {
		ADVICE_DONTNEED, ADVICE_DONTNEED, ADVICE_DONTNEED, ADVICE_NOHUGE, ADVICE_HUGE
	};
	bool is_big = chance(g, 30);
	struct op op = { .kind = OP_ADVISE, .mem = op_pack_name(is_big ? "big" : "buf") };

	op.arg[0] = is_big ? 0 : below(g, 16) * PAGE;
	op.arg[1] = is_big ? 2 * MIB : (1 + below(g, 8)) * PAGE;
	op.arg[2] = PICK(g, advices);
	add(g, op);
}

static void add_limit(struct generator *g)
{
	if (chance(g, 30))
		emit(g, OP_DROP_CAPABILITY, 0, 0, 0, 0);
	else
		emit(g, OP_LIMIT, below(g, 32), 0, 0, 0);
}

static void (*const makers[NWEIGHTED])(struct generator *g) = {
	[DO_MAP] = add_map,
	[DO_UNMAP] = add_unmap,
	[DO_UNMAP_ALL] = add_unmap_all,
	[DO_MAP_VADDR] = add_map_vaddr,
	[DO_UNMAP_VADDR] = add_unmap_vaddr,
	[DO_TRACK] = add_track,
	[DO_GET] = add_get,
	[DO_UNMAP_GET] = add_unmap_get,
	[DO_INFO] = add_info,
	[DO_EXTENSION] = add_extension,
	[DO_GROUPS] = add_groups,
	[DO_SET_IOMMU] = add_set_iommu,
	[DO_CALL] = add_call,
	[DO_PIN] = add_pin,
	[DO_UNPIN] = add_unpin,
	[DO_RW] = add_rw,
	[DO_CALLBACKS] = add_callbacks,
	[DO_BEHAVE] = add_behave,
	[DO_PROTECT] = add_protect,
	[DO_REPLACE] = add_replace,
	[DO_ADVISE] = add_advise,
	[DO_LIMIT] = add_limit,
};

/* --- sequences */

static void choose_weights(struct generator *g, bool has_emulated)
{
	static const unsigned int usual[NWEIGHTED] = {
		[DO_MAP] = 40, [DO_UNMAP] = 25, [DO_UNMAP_ALL] = 2,
		[DO_INFO] = 3, [DO_EXTENSION] = 2, [DO_CALL] = 1,
	};

	memcpy(g->weights, usual, sizeof(usual));
	if (!(g->without & WITHOUT_VADDR) && chance(g, 40)) {
		g->weights[DO_MAP_VADDR] = 8;
		g->weights[DO_UNMAP_VADDR] = 8;
	}
	if (!(g->without & WITHOUT_DIRTY) &&
	    chance(g, has_emulated ? 70 : 40)) {
		g->weights[DO_TRACK] = 4;
		g->weights[DO_GET] = 10;
		g->weights[DO_UNMAP_GET] = 6;
	}
	if (!(g->without & WITHOUT_GROUPS) && chance(g, 30)) {
		g->weights[DO_GROUPS] = 6;
		g->weights[DO_SET_IOMMU] = 2;
	}
	if (has_emulated) {
		g->weights[DO_PIN] = 12;
		g->weights[DO_UNPIN] = 8;
		g->weights[DO_RW] = 8;
		g->weights[DO_CALLBACKS] = 4;
		g->weights[DO_BEHAVE] = 1;
	}
	if (chance(g, 20))
		g->weights[DO_LIMIT] = 4;
	if (chance(g, 20))
		g->weights[DO_PROTECT] = 4;
	if (chance(g, 30)) {
		g->weights[DO_REPLACE] = 5;
		g->weights[DO_ADVISE] = 3;
	}
}

static void add_memory(struct generator *g, const char *name, uint64_t npages,
		       enum memory_kind kind, uint64_t prot)
{
	emit(g, OP_MEMORY, op_pack_name(name), npages * PAGE, kind, prot);
}

static void add_memories(struct generator *g)
{
	struct op hole = {
		.kind = OP_PART,
		.mem = op_pack_name("hole"),
		.arg = { 9 * PAGE, PAGE, MEMORY_HOLE, 0 },
	};

	add_memory(g, "buf", 80, MEMORY_TOUCHED, PROT_R | PROT_W);
	add_memory(g, "ro", 16, MEMORY_TOUCHED, PROT_R);
	add_memory(g, "none", 16, MEMORY_NONE, 0);
	add_memory(g, "shm", 16, MEMORY_SHARED, PROT_R | PROT_W);
	add_memory(g, "hole", 16, MEMORY_TOUCHED, PROT_R | PROT_W);
	add(g, hole);
	add_memory(g, "big", 520, MEMORY_HUGE, PROT_R | PROT_W);
	add_memory(g, "far", FAR_BYTES / PAGE, MEMORY_NONE, 0);
}

static void add_group(struct generator *g, enum group group)
{
	emit(g, OP_GROUP, group, 0, 0, 0);
	emit(g, OP_JOIN, group, 0, 0, 0);
}

static void add_device(struct generator *g, enum group group)
{
	emit(g, OP_DEVICE, group, 0, DEVICE_KNOWN, 0);
}

static void add_bar(struct generator *g)
{
	add_device(g, GROUP_A);
	emit(g, OP_DECODE, GROUP_A, chance(g, 90), 0, 0);
	add_memory(g, "bar", 16, MEMORY_BAR, PROT_R | PROT_W);
}

/* Opens PCI devices, emulated ones, or both; PCI devices most often. */
static bool add_groups_first(struct generator *g)
{
	bool can_emulate = may_emulate(g);
	bool pci = device_present(GROUP_A) && (!can_emulate || chance(g, 75));
	bool emulate = can_emulate && (!pci || chance(g, 30));

	if (pci)
		add_group(g, GROUP_A);
	if (pci && device_present(GROUP_B) && chance(g, 25))
		add_group(g, GROUP_B);
	if (emulate)
		add_group(g, GROUP_E);
	if (emulate && device_present(GROUP_F) && chance(g, 40))
		add_group(g, GROUP_F);
	emit(g, OP_SET_IOMMU,
	     chance(g, 70) ? VFIO_TYPE1v2_IOMMU : VFIO_TYPE1_IOMMU, 0, 0, 0);
	if (emulate) {
		add_device(g, GROUP_E);
		if (device_present(GROUP_F))
			add_device(g, GROUP_F);
	}
	g->emulates = emulate;
	g->has_bar = pci && !(g->without & WITHOUT_MMIO) && chance(g, 10);
	if (g->has_bar)
		add_bar(g);
	return emulate;
}

static void add_one(struct generator *g)
{
	unsigned int sum = 0;
	unsigned int i;
	uint64_t pick;

	for (i = 0; i < NWEIGHTED; i++)
		sum += g->weights[i];
	pick = below(g, sum);
	for (i = 0; pick >= g->weights[i]; i++)
		pick -= g->weights[i];
	makers[i](g);
}

void random_sequence(uint64_t seed, uint64_t n, unsigned int ncalls,
		     unsigned int without, struct sequence *sequence)
{
	struct generator g = {
		.state = seed * 0x2545f4914f6cdd1dULL + n,
		.without = without,
		.sequence = sequence,
	};
	unsigned int i;

	sequence->nops = 0;
	add_memories(&g);
	emit(&g, OP_CONTAINER, 0, 0, 0, 0);
	choose_weights(&g, add_groups_first(&g));
	if (g.weights[DO_TRACK] && chance(&g, 70))
		emit(&g, OP_DIRTY, VFIO_IOMMU_DIRTY_PAGES_FLAG_START, 8, 0, 0);
	for (i = 0; i < ncalls; i++)
		add_one(&g);
}
