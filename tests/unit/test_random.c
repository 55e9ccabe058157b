// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls of several threads on a container and its IOASs, by all interfaces. Memory changes
 * between and during calls, and some allocations fail. The calls are:
 *
 * - ioctls of the container;
 * - attaches and detaches of groups; some attaches fail and are tried again;
 * - pins of emulated devices, which note a pin only after it has returned;
 * - in-kernel users, and a device of a kernel driver;
 * - native maps, copies, cuts and unmaps.
 *
 * Checked: each map of a domain leads to the memory of its address (lib_judge.h). No page is
 * unpinned that a device can reach. Writes are reported as dirty. When no call is under way, areas,
 * extents, pins, charges and domains agree. At the end nothing is left.
 *
 * The seed of a sequence also gives the order of its threads. These variables of the environment
 * are read:
 *
 * - SEED=n is the seed of the first sequence; no two tests of a kind have the same seeds.
 * - SEQUENCES=n runs n sequences of each kind, in one test.
 * - RANDOM_SECONDS=n lets each test run for n seconds.
 * - THREADS=1 runs only the tests with one thread, THREADS=4 only those with four.
 */
#include <time.h>

#include "compat/area_flags.h"
#include "lib_container.h"
#include "lib_group.h"
#include "lib_judge.h"
#include "lib_run.h"

#include "compat/container.h"
#include "kapi/vfio_ioas.h"

#define NTHREADS	4
#define NTESTS		10
#define NSEQUENCES	100		/* in a test */
#define SEEDS_FOR_SECONDS	100000000UL	/* more than a test can use up */
#define NROUNDS		3
#define NSTEPS		30		/* of each thread in a round */
#define NGROUPS		3		/* groups of the container with an IOMMU */
#define NTOYS		2
#define NUSERS		2
#define MAX_USER_PINS	8
#define MAX_MAP_NPAGES	12UL
#define BAD_ADDRESS	0x1000UL

static struct ioas_ctx *ctx;
static u32 ids[NIOAS];
static struct ioas *ioass[NIOAS];	/* the last one is created and destroyed meanwhile */
static unsigned int selected;		/* number of the IOAS of container ioctls */

/* vfio.ko's lock for attach, detach, and open and close of devices. */
static struct mutex vfio_mutex;
static unsigned int nattached;		/* groups; the last one stays until the end */

/* Events that must happen in each test: without one of them the test would show nothing. */
enum event {
	MAPPED, UNMAPPED, UNMAPPED_REPORTING, REPORTED, WRITES_REPORTED, ADDRESS_TAKEN,
	ADDRESS_GIVEN, TOY_PINNED, TOY_READ, TOY_TAKEN_FROM, ATTACHED, ATTACH_FAILED,
	ATTACHED_AGAIN, DRIVER_ATTACHED, USER_PINNED, USER_READ, USER_MOVED, MAPPED_NATIVELY,
	UNMAPPED_NATIVELY, COPIED, CUT, ENDED_IOAS, HELD_COVERED, HELD_CHARGED, NEVENTS
};

static unsigned long nevents[NEVENTS];

static void note(enum event event, bool happened)
{
	nevents[event] += happened;
}

static unsigned long seeds[NTHREADS];	/* of each thread */

static unsigned long pick(unsigned long limit)
{
	return random_below(&seeds[shim_self()], limit);
}

/* A random range of pages. Returns its length; *@index is the first page. */
static unsigned long pick_range(unsigned long *index)
{
	*index = pick(NSLOTS);
	return 1 + pick(min(MAX_MAP_NPAGES, NSLOTS - *index));
}

/* A range that is an area or a part of one; sometimes any other range. */
static unsigned long pick_mapped(const struct ioas *ioas, unsigned long *index)
{
	unsigned long npages, skipped, nareas = ioas ? ioas->iova_space.nareas : 0;
	struct ioas_area *area;
	struct rb_node *rb;

	if (!nareas || !pick(6))
		return pick_range(index);
	nareas = pick(nareas);
	for (rb = rb_first(&ioas->iova_space.areas); rb && nareas--; rb = rb_next(rb))
		;
	if (!rb)
		return pick_range(index);
	area = rb_entry(rb, struct ioas_area, node);
	*index = area->first_iova / PAGE_SIZE - FIRST_INDEX;
	npages = area_nbytes(area) / PAGE_SIZE;
	if (pick(2))
		return npages;
	skipped = pick(npages);
	*index += skipped;
	return 1 + pick(npages - skipped);
}

/* A range from the beginning of an area to its end, or to the end of one of the next two areas. */
static unsigned long pick_areas(const struct ioas *ioas, unsigned long *index)
{
	unsigned long npages = pick_mapped(ioas, index), end = *index + npages, more = pick(3);
	struct rb_node *rb;

	for (rb = rb_first(&ioas->iova_space.areas); rb; rb = rb_next(rb)) {
		struct ioas_area *area = rb_entry(rb, struct ioas_area, node);
		unsigned long first = area->first_iova / PAGE_SIZE - FIRST_INDEX;
		unsigned long last = area->last_iova / PAGE_SIZE - FIRST_INDEX;

		if (first <= *index && last >= *index)
			*index = first;
		if (last < end - 1)
			continue;
		if (first < end)
			end = last + 1;
		else if (more && more--)
			end = last + 1;
	}
	return end - *index;
}

static unsigned long pick_place(const struct ioas *ioas)
{
	unsigned long index;

	pick_mapped(ioas, &index);
	return index;
}

/* A slot that may be mapped at page @index of IOVA, the first one of @npages. */
static unsigned long pick_slot(unsigned long index, unsigned long npages)
{
	unsigned long first = index % PERIOD;

	return first + PERIOD * pick((NSLOTS - npages - first) / PERIOD + 1);
}

/* Is it 0, or one of up to four errors? */
static bool is_result(long ret, int a, int b, int c, int d)
{
	return !ret || ret == -a || ret == -b || ret == -c || ret == -d;
}

/* --- pages that must be reported as dirty */

struct dirty_page {
	bool written;			/* since it was last reported */
	unsigned int nwrites;
	unsigned int age;		/* changes when the mapping of the page changes */
	unsigned int nchanging;		/* calls under way that may change the mapping */
};

static struct dirty_page dirty[2][NSLOTS];	/* for the IOASs that can be selected */
static bool tracking;
static unsigned int tracking_age;
static unsigned int nreporting;
static unsigned int report_age;

struct write {
	struct dirty_page *page;	/* NULL: it cannot be told whether it must be reported */
	unsigned int age;
	unsigned int tracking_age;
	unsigned int report_age;
};

/* A write counts only if no report is made meanwhile, which may have it already. */
static struct write begin_write(const struct ioas *ioas, unsigned long index)
{
	unsigned int i = ioas == ioass[1];
	struct dirty_page *page = &dirty[i][index];

	return (struct write){
		.page = ioas == ioass[i] && tracking && !page->nchanging && !nreporting ?
			page : NULL,
		.age = page->age,
		.tracking_age = tracking_age,
		.report_age = report_age,
	};
}

static void end_write(const struct write *write)
{
	struct dirty_page *page = write->page;

	if (!page || page->nchanging || page->age != write->age || !tracking ||
	    tracking_age != write->tracking_age || report_age != write->report_age)
		return;
	page->written = true;
	page->nwrites++;
}

/* A call may change the mappings of a range, in all IOASs if @which is negative. */
static void begin_change(long which, unsigned long index, unsigned long npages)
{
	unsigned long i, j;

	for (i = 0; i < 2; i++)
		for (j = index; j < index + npages && (which < 0 || which == (long)i); j++)
			dirty[i][j].nchanging++;
}

static void end_change(long which, unsigned long index, unsigned long npages, bool changed)
{
	unsigned long i, j;

	for (i = 0; i < 2; i++) {
		for (j = index; j < index + npages && (which < 0 || which == (long)i); j++) {
			struct dirty_page *page = &dirty[i][j];

			page->nchanging--;
			page->age += changed;
			page->written &= !changed;
		}
	}
}

struct report {
	struct dirty_page before[NSLOTS];
	unsigned int age;
	unsigned int tracking_age;
	bool is_alone;
};

static void begin_report(struct report *report)
{
	memcpy(report->before, dirty[selected], sizeof(report->before));
	report->age = ++report_age;
	report->tracking_age = tracking_age;
	report->is_alone = !nreporting++;
}

/* Checks the bits of a report. @nchanging: the caller's own calls that change the range. */
static void end_report(struct report *report, unsigned long index, unsigned long npages,
		       u64 bits, unsigned int nchanging)
{
	unsigned long i;

	nreporting--;
	for (i = 0; i < npages; i++) {
		struct dirty_page *before = &report->before[index + i];
		struct dirty_page *page = &dirty[selected][index + i];
		bool is_dirty = bits >> i & 1;

		expect(is_dirty || !before->written || !page->written || !tracking ||
		       before->nwrites != page->nwrites || before->age != page->age ||
		       before->nchanging != nchanging || page->nchanging != nchanging ||
		       report->tracking_age != tracking_age || report->age != report_age ||
		       !report->is_alone);
		note(WRITES_REPORTED, page->written && is_dirty);
		page->written &= !is_dirty;
	}
}

/* --- ioctls of the container */

struct unmap_args {
	struct vfio_iommu_type1_dma_unmap head;
	struct vfio_bitmap bitmap;
};

struct dirty_args {
	struct vfio_iommu_type1_dirty_bitmap head;
	struct vfio_iommu_type1_dirty_bitmap_get range;
};

#define BITMAP_OFFSET	2048

static long call(unsigned int cmd, const void *args, size_t nbytes)
{
	unsigned long where = judge_arguments(shim_self());
	u64 zero = 0;

	expect(!copy_to_user((void *)where, args, nbytes));
	expect(!copy_to_user((void *)(where + BITMAP_OFFSET), &zero, sizeof(zero)));
	return container_call(cmd, where);
}

/* One bitmap in four is at an address without memory. */
static struct vfio_bitmap pick_bitmap(void)
{
	return (struct vfio_bitmap){
		.pgsize = PAGE_SIZE, .size = sizeof(u64),
		.data = (void *)(pick(4) ? judge_arguments(shim_self()) + BITMAP_OFFSET :
				 BAD_ADDRESS),
	};
}

static u64 get_bits(void)
{
	u64 bits;

	expect(!copy_from_user(&bits, (void *)(judge_arguments(shim_self()) + BITMAP_OFFSET),
			       sizeof(bits)));
	return bits;
}

static void step_map(void)
{
	struct vfio_iommu_type1_dma_map map = { .argsz = sizeof(map) };
	unsigned long index, npages = pick_range(&index);
	long ret;

	map.flags = pick(6) ? VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE :
			      VFIO_DMA_MAP_FLAG_READ;
	map.iova = index_iova(index);
	map.vaddr = slot_address(pick_slot(index, npages));
	map.size = npages * PAGE_SIZE;
	ret = call(VFIO_IOMMU_MAP_DMA, &map, sizeof(map));
	note(MAPPED, !ret);
	expect(is_result(ret, EEXIST, EINVAL, ENOMEM, EFAULT));
}

static void step_unmap(void)
{
	unsigned long index, npages = pick_mapped(ioass[selected], &index);
	struct unmap_args unmap = { .head.argsz = sizeof(unmap.head) };
	bool all = !pick(20);
	long ret;

	if (all) {
		unmap.head.flags = VFIO_DMA_UNMAP_FLAG_ALL;
		index = 0;
		npages = NSLOTS;
	} else {
		unmap.head.iova = index_iova(index);
		unmap.head.size = npages * PAGE_SIZE;
	}
	begin_change(selected, index, npages);
	ret = call(VFIO_IOMMU_UNMAP_DMA, &unmap, sizeof(unmap));
	end_change(selected, index, npages, !ret);
	note(UNMAPPED, !ret);
	expect(!ret || (ret == -EINVAL && !all));
}

static void step_unmap_and_report(void)
{
	unsigned long index, npages = pick_areas(ioass[selected], &index);
	struct unmap_args unmap = {
		.head.argsz = sizeof(unmap), .head.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
		.head.iova = index_iova(index), .head.size = npages * PAGE_SIZE,
		.bitmap = pick_bitmap(),
	};
	struct report report;
	long ret;

	begin_report(&report);
	begin_change(selected, index, npages);
	ret = call(VFIO_IOMMU_UNMAP_DMA, &unmap, sizeof(unmap));
	if (!ret)
		end_report(&report, index, npages, get_bits(), 1);
	else
		nreporting--;
	note(UNMAPPED_REPORTING, !ret);
	/* A call that fails in the middle has reported and removed a part. */
	end_change(selected, index, npages, ret != -EINVAL);
	expect(is_result(ret, EINVAL, EFAULT, ENOMEM, 0));
}

static void step_report(void)
{
	unsigned long index, npages = pick_areas(ioass[selected], &index);
	struct dirty_args get = {
		.head.argsz = sizeof(get),
		.head.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
		.range.iova = index_iova(index), .range.size = npages * PAGE_SIZE,
		.range.bitmap = pick_bitmap(),
	};
	struct report report;
	long ret;

	if (pick(2)) {
		get.range.iova = index_iova(index = 0);
		get.range.size = (npages = NSLOTS) * PAGE_SIZE;
	}
	begin_report(&report);
	ret = call(VFIO_IOMMU_DIRTY_PAGES, &get, sizeof(get));
	if (!ret)
		end_report(&report, index, npages, get_bits(), 0);
	else
		nreporting--;
	note(REPORTED, !ret);
	expect(is_result(ret, EINVAL, EFAULT, ENOMEM, 0));
}

static void forget_writes(void)
{
	unsigned int i, j;

	tracking_age++;
	for (i = 0; i < 2; i++)
		for (j = 0; j < NSLOTS; j++)
			dirty[i][j].written = false;
}

/* Only the first thread does this step, so that the test knows whether tracking is on. */
static void step_track(void)
{
	bool start = pick(8);
	struct vfio_iommu_type1_dirty_bitmap flag = {
		.argsz = sizeof(flag),
		.flags = start ? VFIO_IOMMU_DIRTY_PAGES_FLAG_START :
				 VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP,
	};

	if (shim_self())
		return;
	forget_writes();
	tracking &= start;
	expect(!call(VFIO_IOMMU_DIRTY_PAGES, &flag, sizeof(flag)));
	tracking = start;
	forget_writes();
}

/*
 * Only the first thread does this step. No other thread declares an address void, so that the
 * address that is set is always that of the same memory.
 */
static void step_address(void)
{
	unsigned long index, npages = pick_mapped(ioass[selected], &index);
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_VADDR,
	};
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .flags = VFIO_DMA_UNMAP_FLAG_VADDR,
		.iova = index_iova(index), .size = npages * PAGE_SIZE,
	};
	struct ioas *ioas = ioass[selected];
	struct rb_node *rb;
	struct ioas_area *area;
	long ret;

	if (shim_self())
		return;
	ret = call(VFIO_IOMMU_UNMAP_DMA, &unmap, sizeof(unmap));
	note(ADDRESS_TAKEN, !ret);
	expect(is_result(ret, EINVAL, EBUSY, 0, 0));
	if (!pick(4))
		return;
	/* Sets the address of each area that has none. */
	for (index = 0; index < NSLOTS; index++) {
		for (rb = rb_first(&ioas->iova_space.areas); rb; rb = rb_next(rb)) {
			area = rb_entry(rb, struct ioas_area, node);
			if (area->first_iova == index_iova(index) && area->flags & AREA_NO_VADDR)
				break;
		}
		if (!rb)
			continue;
		map.iova = area->first_iova;
		map.size = area_nbytes(area);
		map.vaddr = area->store->uptr + area->first_byte;
		ret = call(VFIO_IOMMU_MAP_DMA, &map, sizeof(map));
		note(ADDRESS_GIVEN, !ret);
		expect(is_result(ret, EINVAL, ENOENT, ENOMEM, EBUSY));
	}
}

/* --- emulated devices */

struct toy {
	struct vfio_device vdev;
	struct device device;
	struct iommu_group *group;
	bool is_attached;		/* vfio_mutex */
	bool is_open;			/* open_rwsem */
	struct rw_semaphore open_rwsem;	/* held for reading while it is used, to keep it open */
	bool locks;			/* it takes its mutex to pin and to unpin */
	struct mutex mutex;
	unsigned int nheld[NSLOTS];
};

static struct toy toys[NTOYS];
static bool has_toys;			/* without them addresses can be declared void */
static struct page *held[NSLOTS];	/* the page that devices got; valid while it is held */

static struct ioas *toys_ioas(void)
{
	return type1_of(container_unreleased(handle))->emulated.ioas;
}

static unsigned int count_held(unsigned long index)
{
	unsigned int i, n = 0;

	for (i = 0; i < NTOYS; i++)
		n += toys[i].nheld[index];
	return n;
}

static const struct store_hold *find_hold(unsigned long index)
{
	struct emulated *emulated = &type1_of(container_unreleased(handle))->emulated;
	const struct held_page *hold = xa_load(&emulated->holds, FIRST_INDEX + index);

	expect(hold && hold->pin.page == held[index]);
	note(HELD_COVERED, hold->pin.covered);
	note(HELD_CHARGED, hold->pin.payer);
	return &hold->pin;
}

static void toy_unpin(struct toy *toy, unsigned long index)
{
	judge_page(held[index], index);
	find_hold(index);
	toy->nheld[index]--;
	shim_first_driver()->unpin_pages(handle, index_iova(index), 1);
}

static void toy_let_go(struct vfio_device *vdev, u64 iova, u64 nbytes)
{
	struct toy *toy = container_of(vdev, struct toy, vdev);
	unsigned long i;

	/* Some devices do not react at once, and are told again. */
	if (!pick(4))
		return;
	if (toy->locks)
		mutex_lock(&toy->mutex);
	for (i = 0; i < NSLOTS; i++)
		while (toy->nheld[i] && index_iova(i) >= iova && index_iova(i) - iova < nbytes)
			toy_unpin(toy, i);
	if (toy->locks)
		mutex_unlock(&toy->mutex);
}

static const struct vfio_device_ops toy_ops = { .dma_unmap = toy_let_go };

static void toy_pin(struct toy *toy)
{
	unsigned long index, npages = min(pick_mapped(toys_ioas(), &index), 4UL), i;
	struct page *pages[4];
	int ret;

	ret = shim_first_driver()->pin_pages(handle, toy->group, index_iova(index), npages,
					     IOMMU_READ | (pick(2) ? IOMMU_WRITE : 0), pages);
	note(TOY_PINNED, ret > 0);
	expect(ret != 0);
	expect(ret == (int)npages ||
	       (ret < 0 && ret != -EBUSY && ret != -EINTR && ret != -EDEADLK));
	for (i = 0; ret > 0 && i < npages; i++) {
		judge_page(pages[i], index + i);
		expect(!count_held(index + i) || held[index + i] == pages[i]);
		held[index + i] = pages[i];
		toy->nheld[index + i]++;
	}
}

/* A page that the device holds, if it holds one; else any. */
static unsigned long pick_held(const struct toy *toy)
{
	unsigned long index = pick(NSLOTS), i;

	for (i = 0; i < NSLOTS; i++, index = (index + 1) % NSLOTS)
		if (toy->nheld[index])
			break;
	return index;
}

static void toy_write(struct toy *toy)
{
	unsigned long index = pick_held(toy);
	struct write write;

	if (!toy->nheld[index])
		return;
	judge_page(held[index], index);
	write = begin_write(toys_ioas(), index);
	end_write(&write);
}

static void toy_rw(void)
{
	unsigned long index = pick_place(ioass[selected]);
	bool crosses = pick(4);
	char bytes[PAGE_SIZE + 16];
	struct write write;
	u64 first;
	int ret;

	if (pick(2)) {
		write = begin_write(ioass[selected], index);
		ret = shim_first_driver()->dma_rw(handle, index_iova(index) + 64, bytes, 8, true);
		if (!ret)
			end_write(&write);
	} else {
		ret = shim_first_driver()->dma_rw(handle, index_iova(index), bytes,
						  crosses ? sizeof(bytes) : 8, false);
		memcpy(&first, bytes, sizeof(first));
		if (!ret)
			judge_bytes(first, index);
		memcpy(&first, bytes + PAGE_SIZE, sizeof(first));
		if (!ret && crosses)
			judge_bytes(first, index + 1);
		note(TOY_READ, !ret);
	}
	expect(is_result(ret, EINVAL, EFAULT, EPERM, EBUSY));
}

static void toy_use(struct toy *toy)
{
	unsigned long index = pick_held(toy);

	if (toy->locks)
		mutex_lock(&toy->mutex);
	switch (pick(8)) {
	case 0: case 1: case 2: case 3:
		toy_pin(toy);
		break;
	case 4: case 5:
		if (toy->nheld[index])
			toy_unpin(toy, index);
		break;
	default:
		toy_write(toy);
	}
	if (toy->locks)
		mutex_unlock(&toy->mutex);
}

static void step_toy(void)
{
	struct toy *toy = &toys[pick(NTOYS)];

	down_read(&toy->open_rwsem);
	if (toy->is_open && pick(4))
		toy_use(toy);
	else if (toy->is_open)
		toy_rw();
	up_read(&toy->open_rwsem);
}

/* Closes a device. The last open one may still hold pages, which are then unpinned for it. */
static void toy_close(struct toy *toy)
{
	bool last = !toys[0].is_open || !toys[1].is_open;
	unsigned long i;

	for (i = 0; i < NSLOTS && !(last && pick(2)); i++)
		while (toy->nheld[i])
			toy_unpin(toy, i);
	while (i < NSLOTS)
		note(TOY_TAKEN_FROM, toy->nheld[i++]);
	shim_first_driver()->unregister_device(handle, &toy->vdev);
	memset(toy->nheld, 0, sizeof(toy->nheld));
	toy->is_open = false;
}

static void toy_open(struct toy *toy)
{
	shim_first_driver()->register_device(handle, &toy->vdev);
	toy->is_open = true;
}

static void toy_attach(struct toy *toy)
{
	int ret = shim_first_driver()->attach_group(handle, toy->group, VFIO_EMULATED_IOMMU);

	expect(is_result(ret, ENOMEM, EBUSY, EADDRINUSE, EINVAL));
	toy->is_attached = !ret;
	nattached += !ret;
}

/* Mappings end with the last group of an IOAS. */
static void detach(struct iommu_group *group)
{
	begin_change(-1, 0, NSLOTS);
	shim_first_driver()->detach_group(handle, group);
	end_change(-1, 0, NSLOTS, true);
	nattached--;
}

static void step_toy_comes_or_goes(void)
{
	struct toy *toy = &toys[pick(NTOYS)];

	if (!has_toys)
		return;
	mutex_lock(&vfio_mutex);
	down_write(&toy->open_rwsem);
	if (!toy->is_attached) {
		toy_attach(toy);
	} else if (!toy->is_open) {
		if (pick(6) || nattached == 1) {
			toy_open(toy);
		} else {
			detach(toy->group);
			toy->is_attached = false;
		}
	} else if (!pick(4)) {
		toy_close(toy);
	}
	up_write(&toy->open_rwsem);
	mutex_unlock(&vfio_mutex);
}

/* --- groups behind an IOMMU */

static struct iommu_group *groups[NGROUPS];
static bool group_is_attached[NGROUPS];

static void attach_group(unsigned int which)
{
	unsigned int ntries = 1 + pick(3);
	bool failed = false;
	int ret = -1;

	while (ret && ntries--) {
		shim_fail_attach_in = pick(3);
		shim_fail_attaches = !pick(3);
		ret = shim_first_driver()->attach_group(handle, groups[which], VFIO_IOMMU);
		shim_fail_attaches = 0;
		expect(ret <= 0 && ret != -ENODEV && ret != -ENOENT);
		note(ATTACHED_AGAIN, !ret && failed);
		failed |= ret;
		if (ret)
			judge_change_memory(&seeds[shim_self()]);
	}
	note(ret ? ATTACH_FAILED : ATTACHED, true);
	group_is_attached[which] = !ret;
	nattached += !ret;
}

static void attach_first_group(void)
{
	while (!group_is_attached[0])
		attach_group(0);
}

static void step_group_comes_or_goes(void)
{
	unsigned int which = pick(NGROUPS);

	mutex_lock(&vfio_mutex);
	if (!group_is_attached[which]) {
		attach_group(which);
	} else if (nattached > 1) {
		detach(groups[which]);
		group_is_attached[which] = false;
	}
	mutex_unlock(&vfio_mutex);
}

/* --- a device of a kernel driver */

static struct iommu_group *driver_group;
static struct ioas_device *idev;	/* driver_mutex, as is idev_is_attached */
static bool idev_is_attached;
static struct mutex driver_mutex;

static void unbind(void)
{
	if (idev_is_attached)
		vfio_ioas_device_detach(idev);
	idev_is_attached = false;
	vfio_ioas_device_unbind(idev);
	idev = NULL;
}

static void step_driver(void)
{
	u32 id = ids[pick(NIOAS)];

	mutex_lock(&driver_mutex);
	if (!idev) {
		idev = vfio_ioas_device_bind(ctx, driver_group->devices[0], &id);
		if (IS_ERR(idev))
			idev = NULL;
	} else if (!pick(8)) {
		unbind();
	} else if (!idev_is_attached) {
		idev_is_attached = !vfio_ioas_device_attach(idev, &id);
		note(DRIVER_ATTACHED, idev_is_attached);
	} else if (pick(2)) {
		vfio_ioas_device_replace(idev, &id);
	} else {
		vfio_ioas_device_detach(idev);
		idev_is_attached = false;
	}
	mutex_unlock(&driver_mutex);
}

/* --- in-kernel users */

struct user {
	struct ioas_access *access;
	struct mutex attach_mutex;
	int ioas;			/* attach_mutex; negative: not attached */
	struct mutex pins_mutex;	/* held when it unpins */
	struct {
		unsigned long index;
		unsigned long npages;	/* 0: none */
		struct page *pages[MAX_MAP_NPAGES];
	} pins[MAX_USER_PINS];
};

static struct user users[NUSERS];

static void user_unpin(struct user *user, unsigned int pin)
{
	unsigned long npages = user->pins[pin].npages, i;

	for (i = 0; i < npages; i++)
		judge_page(user->pins[pin].pages[i], user->pins[pin].index + i);
	user->pins[pin].npages = 0;
	vfio_ioas_access_unpin_pages(user->access, index_iova(user->pins[pin].index),
				     npages * PAGE_SIZE);
}

static void user_let_go(void *data, unsigned long iova, unsigned long nbytes)
{
	struct user *user = data;
	unsigned int i;

	mutex_lock(&user->pins_mutex);
	for (i = 0; i < MAX_USER_PINS; i++) {
		unsigned long first = index_iova(user->pins[i].index);
		unsigned long last = first + user->pins[i].npages * PAGE_SIZE - 1;

		if (user->pins[i].npages && last >= iova && first <= iova + nbytes - 1)
			user_unpin(user, i);
	}
	mutex_unlock(&user->pins_mutex);
}

static const struct vfio_ioas_access_ops user_ops = {
	.needs_pin_pages = true, .unmap = user_let_go,
};

static void user_pin(struct user *user)
{
	unsigned long index, npages = pick_mapped(ioass[pick(2)], &index), i;
	struct page *pages[MAX_MAP_NPAGES];
	unsigned int pin = 0;
	int ret;

	ret = vfio_ioas_access_pin_pages(user->access, index_iova(index), npages * PAGE_SIZE,
					 pages, pick(2) * VFIO_IOAS_ACCESS_WRITE);
	note(USER_PINNED, !ret);
	expect(ret <= 0 && ret != -EBUSY && ret != -EDEADLK);
	if (ret)
		return;
	for (i = 0; i < npages; i++)
		judge_page(pages[i], index + i);
	/* Other threads may run between a pin and its note. */
	shim_might_sleep();
	while (pin < MAX_USER_PINS - 1 && user->pins[pin].npages)
		pin++;
	/* The last place may be in use: then the new pin is given back at once. */
	expect(!user->pins[pin].npages || pin == MAX_USER_PINS - 1);
	if (user->pins[pin].npages) {
		vfio_ioas_access_unpin_pages(user->access, index_iova(index), npages * PAGE_SIZE);
		return;
	}
	user->pins[pin].index = index;
	user->pins[pin].npages = npages;
	memcpy(user->pins[pin].pages, pages, npages * sizeof(pages[0]));
}

static void user_rw(struct user *user)
{
	unsigned long index = pick_place(ioass[pick(2)]);
	u64 bytes = 0;
	int ret;

	ret = vfio_ioas_access_rw(user->access, index_iova(index), &bytes, sizeof(bytes),
				  pick(2) * VFIO_IOAS_ACCESS_SLOW_PATH);
	if (!ret)
		judge_bytes(bytes, index);
	note(USER_READ, !ret);
	expect(ret <= 0 && ret != -EBUSY && ret != -EDEADLK);
}

static void user_move(struct user *user)
{
	int to = pick(NIOAS);

	mutex_lock(&user->attach_mutex);
	if (user->ioas < 0) {
		if (!vfio_ioas_access_attach(user->access, ids[to]))
			user->ioas = to;
	} else if (pick(4)) {
		if (!vfio_ioas_access_replace(user->access, ids[to])) {
			note(USER_MOVED, user->ioas != to);
			user->ioas = to;
		}
	} else {
		vfio_ioas_access_detach(user->access);
		user->ioas = -1;
	}
	mutex_unlock(&user->attach_mutex);
}

static void step_user(void)
{
	struct user *user = &users[pick(NUSERS)];
	unsigned int pin = pick(MAX_USER_PINS);

	switch (pick(8)) {
	case 0: case 1: case 2:
		user_pin(user);
		break;
	case 3: case 4:
		mutex_lock(&user->pins_mutex);
		if (user->pins[pin].npages)
			user_unpin(user, pin);
		mutex_unlock(&user->pins_mutex);
		break;
	case 5: case 6:
		user_rw(user);
		break;
	default:
		user_move(user);
	}
}

/* --- native calls */

/* Gets and keeps a random IOAS; NULL if it does not exist just now. */
static struct ioas *get_any_ioas(unsigned int *which)
{
	*which = pick(NIOAS);
	return ids[*which] ? ioas_get(ctx, ids[*which]) : NULL;
}

static void step_native_map(void)
{
	unsigned long index, npages = pick_range(&index);
	struct ioas_map map = {
		.rule = MAP_FIXED, .iova = index_iova(index), .nbytes = npages * PAGE_SIZE,
		.uptr = slot_address(pick_slot(index, npages)),
		.iommu_prot = IOMMU_READ | (pick(6) ? IOMMU_WRITE : 0),
		.account_mode = ACCOUNT_MM, .min_alignment = 1,
	};
	unsigned int which;
	struct ioas *ioas = get_any_ioas(&which);
	int ret;

	if (!ioas)
		return;
	ioas_enter(ioas);
	ret = ioas_map(ioas, &map);
	ioas_leave(ioas);
	ioas_put(ioas);
	note(MAPPED_NATIVELY, !ret);
	expect(ret <= 0 && ret != -EBUSY && ret != -EDEADLK);
}

static void step_native_unmap(void)
{
	unsigned long index, npages, nbytes;
	unsigned int which;
	struct ioas *ioas = get_any_ioas(&which);
	int ret;

	if (!ioas)
		return;
	npages = pick_mapped(ioas, &index);
	if (!pick(20)) {
		index = 0;
		npages = NSLOTS;
	}
	begin_change(which, index, npages);
	ioas_enter(ioas);
	ret = ioas_unmap(ioas, index_iova(index), index_iova(index + npages) - 1, UNMAP_UPWARD,
			 &nbytes);
	ioas_leave(ioas);
	end_change(which, index, npages, true);
	ioas_put(ioas);
	note(UNMAPPED_NATIVELY, nbytes);
	expect(is_result(ret, ENOENT, EBUSY, 0, 0));
}

static void copy(struct ioas *from, struct ioas *to)
{
	unsigned long index, npages = pick_mapped(from, &index);
	struct ioas_map map = {
		.rule = MAP_FIXED, .nbytes = npages * PAGE_SIZE,
		.iova = index_iova(pick_slot(index, npages)),
		.iommu_prot = IOMMU_READ | (pick(3) ? IOMMU_WRITE : 0), .min_alignment = 1,
	};
	struct ioas_area *copies;
	int ret;

	ioas_enter(from);
	ret = ioas_capture(from, index_iova(index), map.nbytes, map.iommu_prot, &copies);
	ioas_leave(from);
	if (!ret) {
		ioas_enter(to);
		ret = ioas_map_copies(to, &map, copies);
		ioas_leave(to);
		note(COPIED, !ret);
	}
	expect(ret <= 0 && ret != -EBUSY && ret != -EDEADLK);
}

static void step_copy(void)
{
	unsigned int which;
	struct ioas *from = get_any_ioas(&which);
	struct ioas *to = get_any_ioas(&which);

	if (from && to)
		copy(from, to);
	if (from)
		ioas_put(from);
	if (to)
		ioas_put(to);
}

static void step_cut(void)
{
	unsigned int which;
	struct ioas *ioas = get_any_ioas(&which);
	unsigned long nareas;
	int ret;

	if (!ioas)
		return;
	ioas_enter(ioas);
	nareas = ioas->iova_space.nareas;
	ret = ioas_cut(ioas, index_iova(1 + pick(NSLOTS - 1)) - 1);
	note(CUT, ioas->iova_space.nareas > nareas);
	ioas_leave(ioas);
	ioas_put(ioas);
	expect(is_result(ret, EINVAL, EBUSY, ENOMEM, 0));
}

static void step_small_pages(void)
{
	unsigned int which;
	struct ioas *ioas = get_any_ioas(&which);

	if (!ioas)
		return;
	expect(is_result(ioas_set_small_pages(ioas, pick(2)), EINVAL, 0, 0, 0));
	ioas_put(ioas);
}

static int make_ioas(unsigned int which)
{
	struct ioas *ioas = ioas_create(ctx);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ioass[which] = ioas;
	ids[which] = ioas->object.id;
	ioas_object_publish(&ioas->object);
	return 0;
}

static struct mutex third_mutex;

static void step_ioas_comes_or_goes(void)
{
	const unsigned int which = NIOAS - 1;
	struct ioas *ioas;
	int ret;

	mutex_lock(&third_mutex);
	if (!ioass[which]) {
		ret = make_ioas(which);
		expect(is_result(ret, ENOMEM, 0, 0, 0));
	} else {
		ioas = ioass[which];
		ioass[which] = NULL;
		ret = ioas_object_destroy(ctx, ids[which]);
		expect(is_result(ret, EBUSY, 0, 0, 0));
		if (ret)
			ioass[which] = ioas;
		note(ENDED_IOAS, !ret);
	}
	mutex_unlock(&third_mutex);
}

/* --- other steps */

static void step_memory(void)
{
	judge_change_memory(&seeds[shim_self()]);
}

static void step_limit(void)
{
	static const unsigned long limits[] = { 5, 30, 100, 200 };
	struct task_struct *task = &processes[pick(NPROCESSES)].task;

	task->memlock_nbytes = pick(2) ? ULONG_MAX :
			       limits[pick(ARRAY_SIZE(limits))] * PAGE_SIZE;
}

static const struct {
	void (*step)(void);
	unsigned int weight;
} steps[] = {
	{ step_map, 14 }, { step_unmap, 6 }, { step_unmap_and_report, 4 }, { step_report, 5 },
	{ step_track, 4 }, { step_address, 3 }, { step_toy, 14 }, { step_toy_comes_or_goes, 4 },
	{ step_group_comes_or_goes, 5 }, { step_driver, 4 }, { step_user, 12 },
	{ step_native_map, 6 }, { step_native_unmap, 4 }, { step_copy, 6 }, { step_cut, 3 },
	{ step_small_pages, 1 }, { step_ioas_comes_or_goes, 2 }, { step_memory, 12 },
	{ step_limit, 2 },
};

static void do_step(void)
{
	unsigned int i, sum = 0, chosen;

	for (i = 0; i < ARRAY_SIZE(steps); i++)
		sum += steps[i].weight;
	chosen = pick(sum);
	for (i = 0; chosen >= steps[i].weight; i++)
		chosen -= steps[i].weight;
	current = &processes[!pick(5)].task;
	steps[i].step();
}

/* --- sequences */

static void run_steps(void *data)
{
	unsigned int i;

	for (i = 0; i < NSTEPS; i++)
		do_step();
}

static unsigned int list_pins(struct judge_pin *pins)
{
	unsigned int i, j, n = 0;

	for (i = 0; i < NSLOTS; i++)
		if (count_held(i))
			pins[n++] = (struct judge_pin){
				toys_ioas(), i, 1, find_hold(i),
			};
	for (i = 0; i < NUSERS; i++)
		for (j = 0; j < MAX_USER_PINS; j++)
			if (users[i].pins[j].npages)
				pins[n++] = (struct judge_pin){
					ioass[users[i].ioas], users[i].pins[j].index,
					users[i].pins[j].npages, NULL,
				};
	return n;
}

static void look_at_all(void)
{
	struct judge_pin pins[NSLOTS + NUSERS * MAX_USER_PINS];

	expect(!nreporting);
	judge_all(ioass, pins, list_pins(pins));
}

/* With one thread everything is checked after each step, else at the end of the round. */
static void run_round(unsigned int nthreads)
{
	static const unsigned int rates[] = { 0, 0, 50, 12, 4 };
	static const unsigned int batches[] = { 0, 1, 3 };
	struct shim_thread threads[NTHREADS];
	unsigned int i;

	shim_fail_seed = pick(1UL << 30);
	shim_fail_one_in = rates[pick(ARRAY_SIZE(rates))];
	shim_pin_at_most = batches[pick(ARRAY_SIZE(batches))];
	for (i = 0; i < nthreads; i++) {
		seeds[i] = pick(1UL << 30);
		threads[i] = (struct shim_thread){ run_steps, NULL };
	}
	if (nthreads > 1)
		shim_run_threads(threads, nthreads, pick(1UL << 30));
	for (i = 0; nthreads == 1 && i < NTHREADS * NSTEPS; i++) {
		do_step();
		look_at_all();
	}
	shim_fail_one_in = 0;
	shim_check_nothing_held();
	look_at_all();
}

static struct iommu_group *make_group(void)
{
	struct iommu_group *group = shim_group_create();

	group->unit.finishes_late = pick(2);
	group->unit.changes = !pick(3);
	if (!pick(3))
		group->unit.aperture_end = index_iova(NSLOTS * 3 / 4) - 1;
	return group;
}

static void begin_toys(void)
{
	unsigned int i;

	memset(toys, 0, sizeof(toys));
	for (i = 0; i < NTOYS; i++) {
		toys[i].vdev.dev = &toys[i].device;
		toys[i].vdev.ops = &toy_ops;
		toys[i].group = shim_group_create();
		toys[i].device.iommu_group = toys[i].group;
		toys[i].locks = i;
		init_rwsem(&toys[i].open_rwsem);
		mutex_init(&toys[i].mutex);
	}
}

static void begin_users(void)
{
	unsigned int i;
	u32 id;

	memset(users, 0, sizeof(users));
	for (i = 0; i < NUSERS; i++) {
		users[i].access = vfio_ioas_access_create(ctx, &user_ops, &users[i], &id);
		expect(!IS_ERR(users[i].access));
		users[i].ioas = -1;
		mutex_init(&users[i].attach_mutex);
		mutex_init(&users[i].pins_mutex);
	}
}

static void begin(void)
{
	unsigned int i;

	judge_make_memory(&seeds[0], ioass);
	current = &processes[0].task;
	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ctx = &container_unreleased(handle)->ctx;
	memset(ioass, 0, sizeof(ioass));
	memset(ids, 0, sizeof(ids));
	ioass[0] = ctx->default_ioas;
	ids[0] = ioass[0]->object.id;
	expect(!make_ioas(1));
	selected = 0;
	memset(dirty, 0, sizeof(dirty));
	tracking = false;
	nattached = 0;
	mutex_init(&vfio_mutex);
	mutex_init(&driver_mutex);
	mutex_init(&third_mutex);
	for (i = 0; i < NGROUPS; i++)
		groups[i] = make_group();
	driver_group = make_group();
	begin_toys();
	begin_users();
	has_toys = pick(4);
	if (has_toys)
		toy_attach(&toys[0]);
	else
		attach_first_group();
}

static void end_users(void)
{
	unsigned int i;

	for (i = 0; i < NUSERS; i++)
		vfio_ioas_access_destroy(users[i].access);
}

static void end_groups(void)
{
	unsigned int i;

	for (i = 0; i < NGROUPS; i++) {
		if (group_is_attached[i])
			detach(groups[i]);
		group_is_attached[i] = false;
		shim_group_destroy(groups[i]);
	}
	if (idev)
		unbind();
	shim_group_destroy(driver_group);
	for (i = 0; i < NTOYS; i++) {
		if (toys[i].is_open)
			toy_close(&toys[i]);
		if (toys[i].is_attached)
			detach(toys[i].group);
		shim_group_destroy(toys[i].group);
	}
	expect(!nattached);
}

/* Ends everything without memory: nothing that ends may need any. */
static void end(void)
{
	bool users_first = pick(2);

	shim_fail_one_in = 1;
	if (users_first)
		end_users();
	end_groups();
	if (!users_first)
		end_users();
	close_container();
	shim_fail_one_in = 0;
	stop_backend();
	judge_end_memory();
}

static void run_sequence(unsigned long first_seed, unsigned int nthreads)
{
	unsigned int i;

	run_seed = first_seed;
	seeds[0] = first_seed;
	begin();
	for (i = 0; i < NROUNDS; i++) {
		run_round(nthreads);
		selected = pick(2);
		ioas_set_default(ctx, ioass[selected]);
	}
	end();
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}

/* Each test has its own seeds, which follow those of the test before. */
static void run_sequences(unsigned int test, unsigned int nthreads)
{
	unsigned long nseconds = setting("RANDOM_SECONDS", 0), i;
	unsigned long n = setting("SEQUENCES", nseconds ? SEEDS_FOR_SECONDS : NSEQUENCES);
	unsigned long first_seed = setting("SEED", 1) + test * n;
	time_t begun = time(NULL);
	unsigned int event;

	for (i = 0; i < n && !(nseconds && time(NULL) - begun >= (time_t)nseconds); i++)
		run_sequence(first_seed + i, nthreads);
	if (getenv("VERBOSE")) {
		fprintf(stderr, "%lu sequences, SEED=%lu and up:", i, first_seed);
		for (event = 0; event < NEVENTS; event++)
			fprintf(stderr, " %lu", nevents[event]);
		fprintf(stderr, "\n");
	}
	for (event = 0; event < NEVENTS && i >= NSEQUENCES; event++)
		expect(nevents[event]);
}

START_TEST(calls_of_one_thread_leave_everything_consistent)
{
	run_sequences(_i, 1);
}
END_TEST

START_TEST(calls_of_several_threads_leave_everything_consistent)
{
	run_sequences(_i, NTHREADS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("random");
	TCase *tcase = tcase_create("random");
	unsigned int ntests = getenv("SEQUENCES") ? 1 : NTESTS;

	tcase_set_timeout(tcase, 0);
	if (setting("THREADS", 1) == 1)
		tcase_add_loop_test(tcase, calls_of_one_thread_leave_everything_consistent, 0,
				    ntests);
	if (setting("THREADS", NTHREADS) > 1)
		tcase_add_loop_test(tcase, calls_of_several_threads_leave_everything_consistent,
				    0, ntests);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
