// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirty: the pages that a container reports as written to, compared with a model: an array of pages
 * for each IOAS.
 */
#include "lib_container.h"
#include "lib_group.h"
#include "lib_run.h"

#include "compat/container.h"
#include "space/ioas.h"
#include "space/map.h"
#include "space/unmap.h"

#define NPAGES		48UL	/* of IOVA: their bitmap is one word */
#define NIOAS		2
#define NSTEPS		400
#define START		VFIO_IOMMU_DIRTY_PAGES_FLAG_START
#define STOP		VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP

/* A page, and the mapping in which it lies. */
struct model_page {
	unsigned long first, end;	/* pages of the mapping: [first, end); end is 0: none */
	unsigned int npins;
	bool dirty;
	bool once_more;			/* the next report has all pages of the mapping */
};

/* Words of a larger bitmap. */
#define NWORDS_OF_MANY	5U

struct model_ioas {
	struct ioas *ioas;
	struct model_page pages[NPAGES];
	unsigned int nwriters;
};

static struct model_ioas model[NIOAS];
static struct model_ioas *selected;
static bool tracking;
static unsigned long seed;

static struct iommu_group *emulated_group;
static struct iommu_group *groups[2];		/* with an IOMMU */
static struct model_ioas *group_is_in[2];	/* NULL: not attached */
static struct device device;

/* The device unpins all its pages in a range. Its pins are in the first IOAS. */
static void let_go(struct vfio_device *vdev, u64 iova, u64 length)
{
	unsigned long i;

	for (i = iova / PAGE_SIZE; i <= (iova + length - 1) / PAGE_SIZE && i < NPAGES; i++) {
		while (model[0].pages[i].npins) {
			model[0].pages[i].npins--;
			shim_first_driver()->unpin_pages(handle, i * PAGE_SIZE, 1);
			if (!model[0].pages[i].npins)
				model[0].pages[i].dirty = tracking;
		}
	}
}

static const struct vfio_device_ops device_ops = { .dma_unmap = let_go };
static struct vfio_device vdev = { .dev = &device, .ops = &device_ops };

static void select_ioas(struct model_ioas *to)
{
	selected = to;
	ioas_set_default(&container_unreleased(handle)->ctx, to->ioas);
}

static void set_up(void)
{
	struct ioas_ctx *ctx;
	unsigned int i;

	make_process();
	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ctx = &container_unreleased(handle)->ctx;
	memset(model, 0, sizeof(model));
	model[0].ioas = ctx->default_ioas;
	model[1].ioas = ioas_create(ctx);
	ck_assert(!IS_ERR(model[1].ioas));
	ioas_object_publish(&model[1].ioas->object);
	selected = &model[0];
	tracking = false;
	emulated_group = shim_group_create();
	device.iommu_group = emulated_group;
	ck_assert_int_eq(shim_first_driver()->attach_group(handle, emulated_group,
							   VFIO_EMULATED_IOMMU), 0);
	shim_first_driver()->register_device(handle, &vdev);
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		groups[i] = shim_group_create();
		group_is_in[i] = NULL;
	}
}

static void detach(unsigned int which)
{
	struct model_ioas *in = group_is_in[which];
	unsigned long i;

	shim_first_driver()->detach_group(handle, groups[which]);
	in->nwriters--;
	group_is_in[which] = NULL;
	for (i = 0; i < NPAGES; i++)
		in->pages[i].once_more |= tracking && in->pages[i].end;
}

static void tear_down(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (group_is_in[i])
			detach(i);
	let_go(&vdev, 0, NPAGES * PAGE_SIZE);
	shim_first_driver()->unregister_device(handle, &vdev);
	shim_first_driver()->detach_group(handle, emulated_group);
	close_container();
	stop_backend();
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		shim_group_destroy(groups[i]);
	shim_group_destroy(emulated_group);
	end_process();
}

/* --- the model */

/* The lowest page of a range that is mapped, or NULL. */
static struct model_page *first_in(unsigned long first, unsigned long npages)
{
	unsigned long i;

	for (i = first; i < first + npages; i++)
		if (selected->pages[i].end)
			return &selected->pages[i];
	return NULL;
}

static bool cuts(unsigned long first, unsigned long npages)
{
	struct model_page *page = &selected->pages[first];
	struct model_page *last = &selected->pages[first + npages - 1];

	return (page->end && page->first != first) || (last->end && last->end != first + npages);
}

/* The bits of a report of a range; clears them. */
static u64 take_bits(unsigned long first, unsigned long npages)
{
	u64 bits = 0;
	unsigned long i;

	for (i = first; i < first + npages; i++) {
		struct model_page *page = &selected->pages[i];

		if (page->end && (selected->nwriters || page->once_more || page->dirty ||
				  page->npins))
			bits |= 1UL << (i - first);
		page->dirty = false;
		page->once_more = false;
	}
	return bits;
}

/* --- steps, each with a range of pages */

static void step_map(unsigned long first, unsigned long npages)
{
	int ret = map_dma(first, npages, first);
	unsigned long i;

	expect(ret == (first_in(first, npages) ? -EEXIST : 0));
	for (i = first; !ret && i < first + npages; i++)
		selected->pages[i] = (struct model_page){
			.first = first, .end = first + npages,
		};
}

static void unmap(unsigned long first, unsigned long npages, bool reports)
{
	unsigned long i, nmapped = 0;
	u64 bits = 0, expected = 0;
	long ret;

	for (i = first; i < first + npages; i++)
		nmapped += selected->pages[i].end != 0;
	if (reports && tracking && !cuts(first, npages))
		expected = take_bits(first, npages);
	ret = unmap_dma(first, npages, reports ? &bits : NULL);
	if (cuts(first, npages) || (reports && !tracking)) {
		expect(ret == -EINVAL);
		return;
	}
	expect(ret == (long)nmapped);
	expect(bits == expected);
	for (i = first; i < first + npages; i++)
		selected->pages[i] = (struct model_page){ 0 };
}

static void step_unmap(unsigned long first, unsigned long npages)
{
	unmap(first, npages, false);
}

static void step_unmap_and_report(unsigned long first, unsigned long npages)
{
	unmap(first, npages, true);
}

static void step_report(unsigned long first, unsigned long npages)
{
	u64 bits;
	int ret = report_dirty(first, npages, &bits);

	if (!tracking || cuts(first, npages)) {
		expect(ret == -EINVAL);
		return;
	}
	expect(!ret);
	expect(bits == take_bits(first, npages));
}

static void step_pin(unsigned long first, unsigned long npages)
{
	struct page *page;
	int ret;

	ret = shim_first_driver()->pin_pages(handle, emulated_group, first * PAGE_SIZE, 1,
					     IOMMU_READ | IOMMU_WRITE, &page);
	expect(ret == (model[0].pages[first].end ? 1 : -EINVAL));
	model[0].pages[first].npins += ret == 1;
}

static void step_unpin(unsigned long first, unsigned long npages)
{
	struct model_page *page = &model[0].pages[first];

	shim_first_driver()->unpin_pages(handle, first * PAGE_SIZE, 1);
	if (page->npins && !--page->npins)
		page->dirty = tracking;
}

static void step_write(unsigned long first, unsigned long npages)
{
	struct model_page *page = &selected->pages[first];
	char byte = 1;
	int ret;

	ret = shim_first_driver()->dma_rw(handle, first * PAGE_SIZE + 5, &byte, 1, true);
	expect(ret == (page->end ? 0 : -EINVAL));
	if (!ret && tracking)
		page->dirty = true;
}

static void step_start(unsigned long first, unsigned long npages)
{
	expect(!dirty_flag(START));
	tracking = true;
}

static void step_stop(unsigned long first, unsigned long npages)
{
	unsigned long i;

	expect(!dirty_flag(STOP));
	tracking = false;
	for (i = 0; i < NIOAS * NPAGES; i++) {
		struct model_page *page = &model[i / NPAGES].pages[i % NPAGES];

		page->dirty = false;
		page->once_more = false;
	}
}

static void step_select(unsigned long first, unsigned long npages)
{
	select_ioas(&model[first % NIOAS]);
}

static void step_group(unsigned long first, unsigned long npages)
{
	unsigned int which = first % ARRAY_SIZE(groups);

	if (group_is_in[which]) {
		detach(which);
		return;
	}
	expect(!shim_first_driver()->attach_group(handle, groups[which], VFIO_IOMMU));
	group_is_in[which] = selected;
	selected->nwriters++;
}

static void (*const steps[])(unsigned long first, unsigned long npages) = {
	step_map, step_map, step_unmap, step_unmap_and_report, step_report, step_report, step_pin,
	step_unpin, step_write, step_start, step_stop, step_select, step_group,
};

START_TEST(reports_are_those_of_a_simple_model)
{
	unsigned long first, npages;
	unsigned int i;

	seed = begin_random(_i);
	for (i = 0; i < NSTEPS; i++) {
		first = random_below(&seed, NPAGES);
		npages = 1 + random_below(&seed, NPAGES - first);
		/* Half of the ranges are exactly a mapping, if there is one. */
		if (random_below(&seed, 2) && selected->pages[first].end) {
			npages = selected->pages[first].end - selected->pages[first].first;
			first = selected->pages[first].first;
		}
		steps[random_below(&seed, ARRAY_SIZE(steps))](first, npages);
	}
}
END_TEST

/* --- failures, and calls at the same time */

START_TEST(write_that_cannot_be_noted_makes_the_whole_mapping_dirty)
{
	unsigned int n, nmarked = 0;
	char byte = 1;
	u64 bits;

	step_map(8, 8);
	for (n = 1; n <= 4; n++) {
		ck_assert_int_eq(dirty_flag(START), 0);
		shim_fail_in = n;
		ck_assert_int_eq(shim_first_driver()->dma_rw(handle, 9 * PAGE_SIZE, &byte, 1,
							     true), 0);
		shim_fail_in = 0;
		ck_assert_int_eq(report_dirty(0, NPAGES, &bits), 0);
		ck_assert(bits == 0xff00 || bits == 0x200);
		nmarked += bits == 0xff00;
		ck_assert_int_eq(report_dirty(0, NPAGES, &bits), 0);
		ck_assert_uint_eq(bits, 0);
		ck_assert_int_eq(dirty_flag(STOP), 0);
	}
	/* Two allocations: the chunk, and its place in the xarray. */
	ck_assert_uint_eq(nmarked, 2);
}
END_TEST

/* The report has several words. */
START_TEST(mapping_of_many_pages_is_reported_as_dirty)
{
	u64 words[NWORDS_OF_MANY];
	unsigned int i;
	char byte = 1;

	ck_assert_int_eq(map_dma(0, NWORDS_OF_MANY * 64 - 1, 0), 0);
	ck_assert_int_eq(dirty_flag(START), 0);
	shim_fail_in = 1;
	ck_assert_int_eq(shim_first_driver()->dma_rw(handle, 0, &byte, 1, true), 0);
	shim_fail_in = 0;
	ck_assert_int_eq(report_dirty_words(0, NWORDS_OF_MANY, words), 0);
	for (i = 0; i < NWORDS_OF_MANY - 1; i++)
		ck_assert_uint_eq(words[i], ULONG_MAX);
	ck_assert_uint_eq(words[i], ULONG_MAX >> 1);
	ck_assert_int_eq(unmap_dma(0, NWORDS_OF_MANY * 64 - 1, NULL), NWORDS_OF_MANY * 64 - 1);
}
END_TEST

/* A chunk has the bits of 4,096 pages. */
START_TEST(write_across_two_pieces_of_bits_is_reported)
{
	char bytes[2] = { 1, 1 };
	u64 words[2];

	ck_assert_int_eq(map_dma(4096 - 64, 128, 0), 0);
	ck_assert_int_eq(dirty_flag(START), 0);
	ck_assert_int_eq(shim_first_driver()->dma_rw(handle, 4096 * PAGE_SIZE - 1, bytes, 2, true),
			 0);
	ck_assert_int_eq(report_dirty_words(4096 - 64, 2, words), 0);
	ck_assert_uint_eq(words[0], BIT(63));
	ck_assert_uint_eq(words[1], BIT(0));
	ck_assert_int_eq(unmap_dma(4096 - 64, 128, NULL), 128);

	/* A write is not reported for a later mapping. */
	ck_assert_int_eq(map_dma(4096 - 64, 128, 0), 0);
	ck_assert_int_eq(shim_first_driver()->dma_rw(handle, 4096 * PAGE_SIZE - 1, bytes, 2, true),
			 0);
	ck_assert_int_eq(unmap_dma(4096 - 64, 128, NULL), 128);
	ck_assert_int_eq(map_dma(4096 - 64, 128, 0), 0);
	ck_assert_int_eq(report_dirty_words(4096 - 64, 2, words), 0);
	ck_assert_uint_eq(words[0] | words[1], 0);
	ck_assert_int_eq(unmap_dma(4096 - 64, 128, NULL), 128);
}
END_TEST

static void write_byte(unsigned long index)
{
	char byte = 1;

	ck_assert_int_eq(shim_first_driver()->dma_rw(handle, index * PAGE_SIZE, &byte, 1, true),
			 0);
}

/* There is no memory for the bit of the page: all of its mapping becomes dirty. */
static void write_without_memory(unsigned long index)
{
	shim_fail_in = 1;
	write_byte(index);
	ck_assert_int_eq(shim_fail_in, 0);
}

/* Reports into a bitmap at a user address that the test chooses. */
static int report_into(unsigned long bitmap, unsigned long index, unsigned long npages)
{
	const unsigned long where = SHIM_USER_BASE + 512 * PAGE_SIZE;
	struct dirty_argument report = {
		.head.argsz = sizeof(report),
		.head.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
		.range.iova = index * PAGE_SIZE, .range.size = npages * PAGE_SIZE,
		.range.bitmap.pgsize = PAGE_SIZE, .range.bitmap.size = (npages + 63) / 64 * 8,
		.range.bitmap.data = (void *)bitmap,
	};

	ck_assert_uint_eq(copy_to_user((void *)where, &report, sizeof(report)), 0);
	return container_call(VFIO_IOMMU_DIRTY_PAGES, where);
}

/* The bitmap has a word in one page, a whole second page, and two words in a third one. */
START_TEST(all_of_a_large_bitmap_is_written_or_the_report_fails)
{
	const unsigned long npages = 515 * 64, bitmap = SHIM_USER_BASE + 10 * PAGE_SIZE - 8;
	static u64 words[515];
	unsigned int missing, i;

	ck_assert_int_eq(map_dma(0, npages, 0), 0);
	step_start(0, 0);
	write_without_memory(0);
	for (missing = 9; missing < 12; missing++) {
		process.mm.pages[missing] = NULL;
		ck_assert_int_eq(report_into(bitmap, 0, npages), -EFAULT);
		process.mm.pages[missing] = &shim_pages[missing];
	}
	ck_assert_int_eq(report_into(bitmap, 0, npages), 0);
	ck_assert_uint_eq(copy_from_user(words, (void *)bitmap, sizeof(words)), 0);
	for (i = 0; i < ARRAY_SIZE(words); i++)
		ck_assert_uint_eq(words[i], ULONG_MAX);
	ck_assert_int_eq(unmap_dma(0, npages, NULL), npages);
}
END_TEST

#define NSTEPPED	6000UL		/* pages that are reported in two steps ... */
#define STEPPED_WORDS	94U
#define NO_MEMORY	(-4000UL)	/* ... of which only those from 4,000 on have memory */

START_TEST(writes_to_a_mapping_that_is_reported_in_steps_are_reported)
{
	static const unsigned long written[] = { 4095, 4096, 5000 };
	u64 words[STEPPED_WORDS];
	unsigned int i;

	ck_assert_int_eq(map_dma(0, NSTEPPED, NO_MEMORY), 0);
	step_start(0, 0);
	for (i = 0; i < ARRAY_SIZE(written); i++)
		write_byte(written[i]);
	ck_assert_int_eq(report_dirty_words(0, ARRAY_SIZE(words), words), 0);
	for (i = 0; i < ARRAY_SIZE(words); i++)
		ck_assert_uint_eq(words[i], i == 63 ? BIT(63) : i == 64 ? BIT(0) :
					    i == 78 ? BIT(8) : 0);
	ck_assert_int_eq(unmap_dma(0, NSTEPPED, NULL), NSTEPPED);
}
END_TEST

/* User memory has only the part of the bitmap that the first step writes. */
START_TEST(report_that_fails_in_its_middle_loses_nothing)
{
	const unsigned long end = SHIM_USER_BASE + SHIM_USER_NPAGES * PAGE_SIZE;
	u64 words[STEPPED_WORDS];
	unsigned int i;

	ck_assert_int_eq(map_dma(0, NSTEPPED, NO_MEMORY), 0);
	step_start(0, 0);
	write_byte(4095);
	/* The first report is of single pages, the second one of all pages. */
	ck_assert_int_eq(report_into(end - 64 * 8, 0, NSTEPPED), -EFAULT);
	ck_assert_int_eq(report_into(end - 64 * 8, 0, NSTEPPED), -EFAULT);
	ck_assert_int_eq(report_dirty_words(0, ARRAY_SIZE(words), words), 0);
	for (i = 0; i < NSTEPPED / 64; i++)
		ck_assert_uint_eq(words[i], ULONG_MAX);
	ck_assert_int_eq(report_dirty_words(0, ARRAY_SIZE(words), words), 0);
	ck_assert_uint_eq(words[63], 0);
	ck_assert_int_eq(unmap_dma(0, NSTEPPED, NULL), NSTEPPED);
}
END_TEST

/* One page is held and has no chunk; another one was written to and has a chunk. */
START_TEST(report_that_cannot_put_bits_back_makes_the_mapping_dirty)
{
	const unsigned long first = 4096 - 32;
	struct page *page;
	u64 word;

	ck_assert_int_eq(map_dma(first, 64, 0), 0);
	step_start(0, 0);
	ck_assert_int_eq(shim_first_driver()->pin_pages(handle, emulated_group, 4095 * PAGE_SIZE, 1,
							IOMMU_READ, &page), 1);
	write_byte(4096);
	shim_fail_in = 1;
	ck_assert_int_eq(report_into(8, first, 64), -EFAULT);
	shim_fail_in = 0;
	ck_assert_int_eq(report_dirty_words(first, 1, &word), 0);
	ck_assert_uint_eq(word, ULONG_MAX);
	ck_assert_int_eq(report_dirty_words(first, 1, &word), 0);
	ck_assert_uint_eq(word, BIT(31));
	shim_first_driver()->unpin_pages(handle, 4095 * PAGE_SIZE, 1);
	ck_assert_int_eq(unmap_dma(first, 64, NULL), 64);
}
END_TEST

#define NKEPT		100UL
#define NGONE		300UL

/* Each of these pages is the first or the last one of a chunk of its own. */
static unsigned long index_of_kept(unsigned long i)
{
	return i * 4096 + (i % 2 ? 4095 : 0);
}

static void map_and_write(unsigned long index)
{
	char byte = 1;

	ck_assert_int_eq(map_dma(index, 1, 0), 0);
	ck_assert_int_eq(shim_first_driver()->dma_rw(handle, index * PAGE_SIZE, &byte, 1, true),
			 0);
}

START_TEST(bits_of_what_is_unmapped_do_not_pile_up)
{
	long before, npieces = 0;
	unsigned long i;
	u64 bits;

	/* From now on the IOAS has an account, which it keeps. */
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	ck_assert_int_eq(unmap_dma(0, 1, NULL), 1);
	before = shim_allocations;
	ck_assert_int_eq(dirty_flag(START), 0);
	for (i = 0; i < NKEPT; i++)
		map_and_write(index_of_kept(i));
	for (; i < NKEPT + NGONE; i++) {
		map_and_write(i * 4096);
		ck_assert_int_eq(unmap_dma(i * 4096, 1, NULL), 1);
		npieces = max(npieces, shim_allocations - before);
	}
	/* Mappings, and at most twice as many chunks as are needed. */
	ck_assert_int_le(npieces, NKEPT + 2 * NKEPT);
	for (i = 0; i < NKEPT; i++) {
		ck_assert_int_eq(report_dirty(index_of_kept(i), 1, &bits), 0);
		ck_assert_uint_eq(bits, 1);
		ck_assert_int_eq(unmap_dma(index_of_kept(i), 1, NULL), 1);
	}
	/* STOP resets the number of chunks, too. */
	for (i = 0; i < 5 * NGONE; i++) {
		if (!(i % NGONE)) {
			ck_assert_int_eq(dirty_flag(STOP), 0);
			ck_assert_int_eq(shim_allocations, before);
			ck_assert_int_eq(dirty_flag(START), 0);
		}
		map_and_write(i * 4096);
		ck_assert_int_eq(unmap_dma(i * 4096, 1, NULL), 1);
		ck_assert_int_le(shim_allocations - before, 64);
	}
}
END_TEST

static void unmap_with_bits(void *unused)
{
	u64 bits;

	current = &process.task;
	expect(unmap_dma(0, 2, &bits) == 2);
	expect(bits == 3);
}

static void write_far_away(void *unused)
{
	char byte = 1;

	current = &process.task;
	expect(!shim_first_driver()->dma_rw(handle, NKEPT * 4096 * PAGE_SIZE, &byte, 1, true));
}

/* The write makes the chunk before which unused chunks are searched. */
START_TEST(bits_of_what_is_being_unmapped_stay)
{
	const struct shim_thread threads[] = {
		{ unmap_with_bits, NULL }, { write_far_away, NULL },
	};
	unsigned long i;

	step_start(0, 0);
	map_and_write(0);
	map_and_write(1);
	for (i = 1; i < 64; i++) {
		map_and_write(i * 4096);
		ck_assert_int_eq(unmap_dma(i * 4096, 1, NULL), 1);
	}
	ck_assert_int_eq(map_dma(NKEPT * 4096, 1, 0), 0);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i));
	ck_assert_int_eq(unmap_dma(NKEPT * 4096, 1, NULL), 1);
}
END_TEST

/* One of the two IOASs has a mapping with too many pages for a bitmap. */
START_TEST(start_that_one_ioas_refuses_starts_in_none)
{
	unsigned int i;

	select_ioas(&model[_i]);
	ck_assert_int_eq(map_dma(NPAGES, 1UL << 31, 0), 0);
	ck_assert_int_eq(dirty_flag(START), -EINVAL);
	for (i = 0; i < NIOAS; i++)
		ck_assert(!dirty_is_tracking(model[i].ioas));
	ck_assert_int_eq(unmap_dma(NPAGES, 1UL << 31, NULL), 1UL << 31);
	ck_assert_int_eq(dirty_flag(START), 0);
	for (i = 0; i < NIOAS; i++)
		ck_assert(dirty_is_tracking(model[i].ioas));
}
END_TEST

/* A crowd of threads waits for a map that takes long. */
START_TEST(report_wakes_no_crowd_with_iova_lock_held)
{
	wait_queue_head_t *settled = &model[0].ioas->area_waitq;
	u64 bits;

	step_start(0, 0);
	step_map(0, 4);
	step_map(8, 4);
	settled->nwaiters += STEPS_AT_ONCE + 1;
	ck_assert_int_eq(report_dirty(0, NPAGES, &bits), 0);
	settled->nwaiters -= STEPS_AT_ONCE + 1;
}
END_TEST

START_TEST(ioas_made_while_tracking_is_tracked)
{
	struct ioas_ctx *ctx = &container_unreleased(handle)->ctx;
	struct model_ioas late = { 0 };

	step_start(0, 0);
	late.ioas = ioas_create(ctx);
	ck_assert(!IS_ERR(late.ioas));
	ioas_object_publish(&late.ioas->object);
	select_ioas(&late);
	step_map(0, 8);
	step_write(3, 1);
	step_report(0, NPAGES);
	step_report(0, NPAGES);
	ck_assert_int_eq(ioas_object_destroy(ctx, late.ioas->object.id), 0);
	selected = &model[0];
}
END_TEST

/* A page whose bit is in another chunk than that of page 0. */
#define FAR	(1UL << 20)

/* Maps the two halves of page 0, and a page far away. The driver writes to one half and to that. */
static void map_halves(unsigned int written)
{
	struct ioas_map map = {
		.rule = MAP_FIXED, .uptr = SHIM_USER_BASE, .nbytes = PAGE_SIZE / 2,
		.iommu_prot = IOMMU_READ | IOMMU_WRITE, .account_mode = ACCOUNT_MLOCK,
		.min_alignment = 1,
	};
	struct ioas *ioas = model[1].ioas;
	unsigned int i;
	char byte = 1;

	select_ioas(&model[1]);
	ck_assert_int_eq(map_dma(FAR, 1, 5), 0);
	ioas_enter(ioas);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(ioas_map(ioas, &map), 0);
		map.iova += map.nbytes;
		map.uptr += map.nbytes;
	}
	ioas_leave(ioas);
	step_start(0, 0);
	ck_assert_int_eq(shim_first_driver()->dma_rw(handle, written * PAGE_SIZE / 2 + 16, &byte,
						     1, true), 0);
	ck_assert_int_eq(shim_first_driver()->dma_rw(handle, FAR * PAGE_SIZE, &byte, 1, true),
			 0);
}

START_TEST(write_to_a_page_of_two_mappings_is_reported)
{
	unsigned int written = _i % 2, unmapped = !written;
	unsigned long nbytes;
	u64 bits;

	map_halves(written);
	if (_i / 2) {
		ioas_enter(model[1].ioas);
		ck_assert_int_eq(ioas_unmap(model[1].ioas, unmapped * PAGE_SIZE / 2,
					    (unmapped + 1) * PAGE_SIZE / 2 - 1, UNMAP_WHOLE,
					    &nbytes), 0);
		ioas_leave(model[1].ioas);
	}
	ck_assert_int_eq(report_dirty(0, 1, &bits), 0);
	ck_assert_uint_eq(bits, 1);
	ck_assert_int_eq(report_dirty(FAR, 1, &bits), 0);
	ck_assert_uint_eq(bits, 1);
	ck_assert_int_eq(report_dirty(0, 1, &bits), 0);
	ck_assert_uint_eq(bits, 0);
	ioas_enter(model[1].ioas);
	ck_assert_int_eq(ioas_unmap_all(model[1].ioas, &nbytes), 0);
	ioas_leave(model[1].ioas);
	selected = &model[0];
}
END_TEST

static void leave(void *unused)
{
	current = &process.task;
	shim_first_driver()->detach_group(handle, groups[0]);
}

static void unmap_beside(void *unmapped)
{
	u64 bits;

	current = &process.task;
	/* This is the first report: all that the group wrote must be in it. */
	expect(unmap_dma(0, 8, &bits) == 8);
	expect(bits == 0xff);
}

static void report_beside(void *unused)
{
	u64 bits;

	current = &process.task;
	expect(!report_dirty(8, 8, &bits));
	expect(bits == 0xff);
}

START_TEST(pages_of_a_group_that_leaves_are_never_reported_clean)
{
	const struct shim_thread threads[] = {
		{ leave, NULL }, { unmap_beside, NULL }, { report_beside, NULL },
	};
	u64 bits;

	step_map(0, 8);
	step_map(8, 8);
	step_map(16, 8);
	step_group(0, 0);
	step_start(0, 0);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i));
	group_is_in[0] = NULL;
	selected->nwriters = 0;
	/* They are reported once more, and then not again. */
	ck_assert_int_eq(report_dirty(16, 8, &bits), 0);
	ck_assert_uint_eq(bits, 0xff);
	ck_assert_int_eq(report_dirty(16, 8, &bits), 0);
	ck_assert_uint_eq(bits, 0);
}
END_TEST

static void fail_to_map(void *unused)
{
	current = &process.task;
	expect(map_dma(0, 16, 0) == -EFAULT);
}

/* Reports the low end of the range that is being mapped, its middle, or its high end. */
static void report_a_part(void *first)
{
	u64 bits;

	current = &process.task;
	expect(!report_dirty(*(unsigned long *)first, 4, &bits));
	expect(!bits);
}

/* As the map fails, nothing is mapped before or after it. */
START_TEST(map_that_fails_is_not_in_the_way_of_a_report)
{
	unsigned long first = _i % 3 * 6;
	const struct shim_thread threads[] = {
		{ fail_to_map, NULL }, { report_a_part, &first },
	};

	step_group(0, 0);
	step_start(0, 0);
	process.mm.pages[15] = NULL;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i));
	process.mm.pages[15] = &shim_pages[15];
}
END_TEST

static void unpin_beside(void *unused)
{
	current = &process.task;
	shim_first_driver()->unpin_pages(handle, 3 * PAGE_SIZE, 1);
}

static void report_held_beside(void *unused)
{
	u64 bits;

	current = &process.task;
	expect(!report_dirty(0, 8, &bits));
	/* The page was dirty while it was held, and is dirty since it was let go. */
	expect(bits == BIT(3));
}

START_TEST(page_let_go_beside_a_report_is_in_it)
{
	const struct shim_thread threads[] = {
		{ unpin_beside, NULL }, { report_held_beside, NULL },
	};

	step_map(0, 8);
	step_pin(3, 1);
	step_start(0, 0);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i));
	model[0].pages[3].npins = 0;
}
END_TEST

/* The group has an IOMMU. Its device can write to all pages until its driver pins one. */
START_TEST(group_whose_driver_pins_writes_to_nothing_else)
{
	struct page *page;
	unsigned int i;
	u64 bits;

	step_map(0, 8);
	step_group(0, 0);
	step_start(0, 0);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(report_dirty(0, 8, &bits), 0);
		ck_assert_uint_eq(bits, 0xff);
	}
	ck_assert_int_eq(shim_first_driver()->pin_pages(handle, groups[0], 2 * PAGE_SIZE, 1,
							IOMMU_READ | IOMMU_WRITE, &page), 1);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(report_dirty(0, 8, &bits), 0);
		ck_assert_uint_eq(bits, BIT(2));
	}
	shim_first_driver()->unpin_pages(handle, 2 * PAGE_SIZE, 1);
	model[0].nwriters--;
}
END_TEST

static bool is_mapping, is_reported;

static void let_others_report(unsigned long iova, phys_addr_t paddr, size_t nbytes)
{
	is_mapping = true;
	while (!is_reported)
		shim_wait();
}

static void map_slowly(void *unused)
{
	current = &process.task;
	step_map(3, 3);
}

/* Reports all, and then a range that begins inside the area that is being mapped. */
static void report_dying(void *unused)
{
	struct task_struct dying = process.task;
	u64 bits;

	dying.is_dying = true;
	current = &dying;
	while (!is_mapping)
		shim_wait();
	expect(report_dirty(0, 8, &bits) == -EINTR);
	expect(report_dirty(4, 4, &bits) == -EINTR);
	is_reported = true;
}

START_TEST(dying_process_waits_for_no_map_to_report)
{
	const struct shim_thread threads[] = {
		{ map_slowly, NULL }, { report_dying, NULL },
	};

	step_map(7, 1);
	step_group(0, 0);
	step_start(0, 0);
	is_mapping = false;
	is_reported = false;
	shim_on_map = let_others_report;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i));
	shim_on_map = NULL;
}
END_TEST

static void report_below(void *unused)
{
	u64 bits;

	current = &process.task;
	while (!is_mapping)
		shim_wait();
	expect(!report_dirty(0, 2, &bits));
	expect(bits == 3);
	is_reported = true;
}

START_TEST(report_does_not_wait_for_a_map_above_it)
{
	const struct shim_thread threads[] = {
		{ map_slowly, NULL }, { report_below, NULL },
	};

	step_map(0, 2);
	step_group(0, 0);
	step_start(0, 0);
	is_mapping = false;
	is_reported = false;
	shim_on_map = let_others_report;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i));
	shim_on_map = NULL;
}
END_TEST

static bool writes;

static void map_over_the_border(void *unused)
{
	current = &process.task;
	expect(!map_dma(2, 4, 0));
	if (writes)
		write_without_memory(2);
}

/* The mapping across the border was there before, or comes meanwhile and is not reported. */
static void report_what_is_below(void *unused)
{
	u64 bits;
	int ret;

	current = &process.task;
	ret = report_dirty(0, 4, &bits);
	expect(ret == -EINVAL || (!ret && !bits));
}

START_TEST(report_leaves_alone_what_comes_meanwhile_over_its_border)
{
	const struct shim_thread threads[] = { { report_what_is_below }, { map_over_the_border } };
	unsigned long first, second, noccasions;
	u64 bits;

	writes = _i;
	step_start(0, 0);
	shim_for_each_order(first, second, noccasions) {
		noccasions = shim_run_in_order(threads, ARRAY_SIZE(threads), first, second);
		expect(!report_dirty(2, 4, &bits));
		expect(bits == (writes ? 0xf : 0));
		expect(unmap_dma(2, 4, NULL) == 4);
	}
}
END_TEST

static struct ioas *made_beside;

static void make_beside(void *unused)
{
	current = &process.task;
	made_beside = ioas_create(&container_unreleased(handle)->ctx);
	expect(!IS_ERR(made_beside));
	ioas_object_publish(&made_beside->object);
}

static void start_beside(void *unused)
{
	current = &process.task;
	expect(!dirty_flag(START));
}

START_TEST(ioas_made_beside_start_is_tracked)
{
	const struct shim_thread threads[] = { { start_beside }, { make_beside } };

	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i));
	expect(dirty_is_tracking(made_beside));
	ck_assert_int_eq(ioas_object_destroy(made_beside->object.ctx, made_beside->object.id), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dirty");
	TCase *tcase = tcase_create("dirty");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, reports_are_those_of_a_simple_model, 1, 101);
	tcase_add_test(tcase, write_that_cannot_be_noted_makes_the_whole_mapping_dirty);
	tcase_add_test(tcase, mapping_of_many_pages_is_reported_as_dirty);
	tcase_add_test(tcase, write_across_two_pieces_of_bits_is_reported);
	tcase_add_test(tcase, bits_of_what_is_unmapped_do_not_pile_up);
	tcase_add_loop_test(tcase, bits_of_what_is_being_unmapped_stay, 1, 31);
	tcase_add_loop_test(tcase, start_that_one_ioas_refuses_starts_in_none, 0, NIOAS);
	tcase_add_test(tcase, report_wakes_no_crowd_with_iova_lock_held);
	tcase_add_test(tcase, ioas_made_while_tracking_is_tracked);
	tcase_add_loop_test(tcase, write_to_a_page_of_two_mappings_is_reported, 0, 4);
	tcase_add_loop_test(tcase, pages_of_a_group_that_leaves_are_never_reported_clean, 1, 301);
	tcase_add_loop_test(tcase, map_that_fails_is_not_in_the_way_of_a_report, 1, 101);
	tcase_add_loop_test(tcase, page_let_go_beside_a_report_is_in_it, 1, 301);
	tcase_add_test(tcase, group_whose_driver_pins_writes_to_nothing_else);
	tcase_add_test(tcase, dying_process_waits_for_no_map_to_report);
	tcase_add_test(tcase, all_of_a_large_bitmap_is_written_or_the_report_fails);
	tcase_add_test(tcase, writes_to_a_mapping_that_is_reported_in_steps_are_reported);
	tcase_add_test(tcase, report_that_fails_in_its_middle_loses_nothing);
	tcase_add_test(tcase, report_that_cannot_put_bits_back_makes_the_mapping_dirty);
	tcase_add_test(tcase, report_does_not_wait_for_a_map_above_it);
	tcase_add_loop_test(tcase, report_leaves_alone_what_comes_meanwhile_over_its_border, 0, 2);
	tcase_add_loop_test(tcase, ioas_made_beside_start_is_tracked, 1, 101);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
