// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirty: which pages of a container may have been written to.
 *
 * A device behind an IOMMU writes without telling: while a container has one (a "writer"),
 * every page is dirty, always, and nothing needs to be kept. Emulated devices are known to
 * write only to what they pin and by dma_rw: a page is dirty while it is held, once more
 * after it was let go, and once after a dma_rw. Only that is kept, in chunks of bits that are
 * made when the first one is set: so that starting to track costs nothing and cannot fail, and
 * a terabyte of which nothing is written costs no memory.
 *
 * A report takes the bits out as it goes. What user space then does not get is put back.
 *
 * Locking: the lock guards chunks, and is not held while user memory is touched. Tracking begins
 * and ends with domains_rwsem held for writing, as nobody is in the IOAS then. Bits of an
 * area are set by who keeps it busy or has pinned it, and so never after it was unmapped.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "area.h"
#include "dirty.h"
#include "emulated.h"
#include "ioas.h"
#include "kcompat.h"
#include "type1.h"
#include "vfio_ioas_trace.h"

#define CHUNK_NPAGES	4096UL

/* The pages of one CHUNK_NPAGES-aligned piece of IOVA. */
struct dirty_chunk {
	DECLARE_BITMAP(pages, CHUNK_NPAGES);
};

/* So many words of a bitmap are made at once, on the stack. */
#define REPORT_NWORDS	64UL

/* What most words of the bitmap of a large mapping are. */
static const unsigned long all_ones[PAGE_SIZE / sizeof(unsigned long)] = {
	[0 ... PAGE_SIZE / sizeof(unsigned long) - 1] = ULONG_MAX,
};

/* A report of a range of IOVA on its way to user space. */
struct dirty_report {
	struct ioas_unmap_watch watch;
	struct type1 *type1;
	struct ioas *ioas;
	unsigned long base_index;	/* of the page behind the first bit */
	unsigned long __user *ubitmap;	/* need not be aligned */
	unsigned long words[REPORT_NWORDS];
};

/* Forgets what is known of areas that go without a report. */
struct dirty_oblivion {
	struct ioas_unmap_watch watch;
	struct dirty *dirty;
};

void dirty_init(struct dirty *dirty)
{
	mutex_init(&dirty->lock);
	dirty->tracking = false;
	xa_init_flags(&dirty->chunks, XA_FLAGS_ACCOUNT);
	atomic_set(&dirty->nwriters, 0);
}

static void free_chunks(struct dirty *dirty)
{
	struct dirty_chunk *chunk;
	unsigned long number;

	xa_for_each(&dirty->chunks, number, chunk)
		kfree(chunk);
	xa_destroy(&dirty->chunks);
}

void dirty_destroy(struct dirty *dirty)
{
	free_chunks(dirty);
	mutex_destroy(&dirty->lock);
}

static struct dirty_chunk *make_chunk(struct dirty *dirty, unsigned long number)
{
	struct dirty_chunk *chunk = xa_load(&dirty->chunks, number);

	lockdep_assert_held(&dirty->lock);
	if (chunk)
		return chunk;
	chunk = kzalloc(sizeof(*chunk), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return NULL;
	if (!xa_err(xa_store(&dirty->chunks, number, chunk, GFP_KERNEL_ACCOUNT)))
		return chunk;
	kfree(chunk);
	return NULL;
}

/* Pages from @index to @last_index, inclusive. False without memory. */
static bool set_dirty(struct dirty *dirty, unsigned long index, unsigned long last_index)
{
	struct dirty_chunk *chunk;
	unsigned long in_chunk, n;

	for (;;) {
		chunk = make_chunk(dirty, index / CHUNK_NPAGES);
		if (!chunk)
			return false;
		in_chunk = index % CHUNK_NPAGES;
		n = min(last_index - index + 1, CHUNK_NPAGES - in_chunk);
		bitmap_set(chunk->pages, in_chunk, n);
		if (last_index - index < n)
			return true;
		index += n;
	}
}

static void mark_all_dirty(struct ioas *ioas, struct ioas_area *area)
{
	spin_lock(&ioas->iova_space.iova_lock);
	area->marks |= AREA_ALL_DIRTY;
	spin_unlock(&ioas->iova_space.iova_lock);
}

void dirty_note_write(struct dirty *dirty, struct ioas *ioas, struct ioas_area *area,
		      unsigned long iova, unsigned long nbytes)
{
	bool done = true;

	if (!dirty_is_tracking(dirty))
		return;
	mutex_lock(&dirty->lock);
	if (dirty->tracking)
		done = set_dirty(dirty, iova >> PAGE_SHIFT, (iova + nbytes - 1) >> PAGE_SHIFT);
	mutex_unlock(&dirty->lock);
	if (!done)
		mark_all_dirty(ioas, area);
}

void dirty_all(struct dirty *dirty, struct ioas *ioas)
{
	struct ioas_area *area;

	down_write(&ioas->domains_rwsem);
	if (dirty->tracking) {
		for (area = area_first(ioas, 0); area; area = area_next(ioas, area)) {
			mark_all_dirty(ioas, area);
			cond_resched();
		}
	}
	up_write(&ioas->domains_rwsem);
}

/* Clears what is known of an area. */
static void forget_area(struct dirty *dirty, struct ioas_area *area)
{
	unsigned long first = area->first_iova >> PAGE_SHIFT;
	unsigned long last = area->last_iova >> PAGE_SHIFT;
	struct dirty_chunk *chunk;
	unsigned long number;

	/* Nobody sets bits of the area meanwhile. */
	if (xa_empty(&dirty->chunks))
		return;
	mutex_lock(&dirty->lock);
	xa_for_each_range(&dirty->chunks, number, chunk, first / CHUNK_NPAGES,
			  last / CHUNK_NPAGES) {
		unsigned long chunk_index = number * CHUNK_NPAGES;
		unsigned long from = max(first, chunk_index) - chunk_index;
		unsigned long end = min(last - chunk_index + 1, CHUNK_NPAGES);

		bitmap_clear(chunk->pages, from, end - from);
	}
	mutex_unlock(&dirty->lock);
}

/* Of a report: the position of a page. */
static unsigned long report_bit(const struct dirty_report *report, unsigned long index)
{
	return index - report->base_index;
}

/* Takes the bits of some pages out of a chunk. */
static void take_from_chunk(struct dirty_report *report, struct dirty_chunk *chunk,
			    unsigned long chunk_index, unsigned long index,
			    unsigned long last_index, unsigned long first_bit)
{
	unsigned long from = max(index, chunk_index) - chunk_index;
	unsigned long end = min(last_index - chunk_index + 1, CHUNK_NPAGES);

	for_each_set_bit_from(from, chunk->pages, end) {
		__clear_bit(from, chunk->pages);
		__set_bit(report_bit(report, chunk_index + from) - first_bit,
			  report->words);
	}
}

/*
 * Collects what is known of pages from @index to @last_index into the words of the report, the
 * first of which has @first_bit.
 */
static void take_known(struct dirty_report *report, unsigned long index,
		       unsigned long last_index, unsigned long first_bit)
{
	struct dirty *dirty = &report->type1->dirty;
	struct dirty_chunk *chunk;
	unsigned long number;

	mutex_lock(&dirty->lock);
	xa_for_each_range(&dirty->chunks, number, chunk, index / CHUNK_NPAGES,
			  last_index / CHUNK_NPAGES)
		take_from_chunk(report, chunk, number * CHUNK_NPAGES, index, last_index,
				first_bit);
	mutex_unlock(&dirty->lock);
	/* Who lets a page go notes it as dirty before: so it is in here or there. */
	emulated_report_held(&report->type1->emulated, index, last_index,
			     report->words,
			     report_bit(report, index) - first_bit);
}

/* Undoes take_known(). False without memory. */
static bool put_back(const struct dirty_report *report, unsigned long index,
		     unsigned long last_index, unsigned long first_bit)
{
	struct dirty *dirty = &report->type1->dirty;
	unsigned long bit = report_bit(report, index) - first_bit;
	unsigned long end = report_bit(report, last_index) - first_bit + 1;
	bool done = true;

	mutex_lock(&dirty->lock);
	for_each_set_bit_from(bit, report->words, end) {
		index = report->base_index + first_bit + bit;
		/* An unmap that told in-kernel users may have missed the end of tracking. */
		if (dirty->tracking)
			done = done && set_dirty(dirty, index, index);
	}
	mutex_unlock(&dirty->lock);
	return done;
}

/*
 * Hands over words of a report from the one with @first_bit on. Where an area does not begin with
 * a word, what the user has there is kept: of another area, or his own.
 */
static int copy_words(struct dirty_report *report, unsigned long first_bit,
		      unsigned long nwords, bool keep_first)
{
	unsigned long __user *uwords = report->ubitmap + first_bit / BITS_PER_LONG;
	unsigned long first = report->words[0];
	unsigned long old = 0;
	int ret = 0;

	if (keep_first && copy_from_user(&old, uwords, sizeof(old)))
		return -EFAULT;
	report->words[0] |= old;
	if (copy_to_user(uwords, report->words, nwords * sizeof(*uwords)))
		ret = -EFAULT;
	report->words[0] = first;
	return ret;
}

/* Reports what is known of pages that fit into the words. Everything or nothing. */
static int report_step(struct dirty_report *report, struct ioas_area *area,
		       unsigned long index, unsigned long last_index)
{
	unsigned long bit = report_bit(report, index);
	unsigned long first_bit = round_down(bit, BITS_PER_LONG);
	unsigned long nwords = report_bit(report, last_index) / BITS_PER_LONG -
			       first_bit / BITS_PER_LONG + 1;
	int ret;

	memset(report->words, 0, nwords * sizeof(*report->words));
	take_known(report, index, last_index, first_bit);
	ret = copy_words(report, first_bit, nwords, bit != first_bit);
	if (ret && !put_back(report, index, last_index, first_bit))
		mark_all_dirty(report->ioas, area);
	return ret;
}

static int report_known(struct dirty_report *report, struct ioas_area *area)
{
	unsigned long first = area->first_iova >> PAGE_SHIFT;
	unsigned long last = area->last_iova >> PAGE_SHIFT;
	unsigned long index, step_last;
	int ret;

	for (index = first;; index = step_last + 1) {
		/* A step ends with a word, or with the area. */
		step_last = index + REPORT_NWORDS * BITS_PER_LONG - 1 -
			    report_bit(report, index) % BITS_PER_LONG;
		step_last = min(step_last, last);
		ret = report_step(report, area, index, step_last);
		if (ret || step_last == last)
			break;
		cond_resched();
	}
	/* What was taken out in earlier steps is not worth a place to keep it. */
	if (ret && index != first)
		mark_all_dirty(report->ioas, area);
	return ret;
}

/* Sets bits from the first one of a word, or not, to @last_bit; all of that word is ours. */
static int report_ones(unsigned long __user *ubitmap, unsigned long first_bit,
		       unsigned long last_bit)
{
	unsigned long word = first_bit / BITS_PER_LONG;
	unsigned long last_word = last_bit / BITS_PER_LONG;
	unsigned long bits = BITMAP_FIRST_WORD_MASK(first_bit);
	unsigned long old = 0;

	if (first_bit % BITS_PER_LONG && get_user(old, ubitmap + word))
		return -EFAULT;
	if (word < last_word) {
		if (put_user(bits | old, ubitmap + word))
			return -EFAULT;
		bits = ULONG_MAX;
		old = 0;
	}
	while (++word < last_word) {
		unsigned long n = min(last_word - word, ARRAY_SIZE(all_ones));

		if (copy_to_user(ubitmap + word, all_ones, n * sizeof(*ubitmap)))
			return -EFAULT;
		word += n - 1;
		cond_resched();
	}
	bits &= BITMAP_LAST_WORD_MASK(last_bit + 1);
	return put_user(bits | old, ubitmap + last_word) ? -EFAULT : 0;
}

/* Is all of an area dirty: for good, or, as @marked says, once more? */
static bool is_all_dirty(const struct dirty_report *report, bool marked)
{
	return marked || (atomic_read(&report->type1->dirty.nwriters) &&
			  !list_empty(&report->ioas->hwpts));
}

/* Reports an area that the caller owns or keeps busy, and has cleared its mark. */
static int report_area(struct dirty_report *report, struct ioas_area *area, bool marked)
{
	int ret;

	if (!is_all_dirty(report, marked))
		return report_known(report, area);
	forget_area(&report->type1->dirty, area);
	ret = report_ones(report->ubitmap, report_bit(report, area->first_iova >> PAGE_SHIFT),
			  report_bit(report, area->last_iova >> PAGE_SHIFT));
	if (ret)
		mark_all_dirty(report->ioas, area);
	return ret;
}

static int report_leaving(struct ioas_unmap_watch *watch, struct ioas_area *area)
{
	/* Nobody marks it any more. */
	return report_area(container_of(watch, struct dirty_report, watch), area,
			   area->marks & AREA_ALL_DIRTY);
}

static void report_init(struct dirty_report *report, struct type1 *type1, struct ioas *ioas,
			unsigned long iova, const struct vfio_bitmap *bitmap)
{
	report->watch.leaving = report_leaving;
	report->type1 = type1;
	report->ioas = ioas;
	report->base_index = iova >> PAGE_SHIFT;
	report->ubitmap = (unsigned long __user *)bitmap->data;
}

static int forget_leaving(struct ioas_unmap_watch *watch, struct ioas_area *area)
{
	forget_area(container_of(watch, struct dirty_oblivion, watch)->dirty, area);
	return 0;
}

int dirty_unmap(struct type1 *type1, struct ioas *ioas, unsigned long iova,
		unsigned long last_iova, const struct vfio_bitmap *bitmap,
		unsigned long *unmapped_nbytes)
{
	struct dirty_oblivion oblivion = {
		.watch.leaving = forget_leaving,
		.dirty = &type1->dirty,
	};
	struct ioas_unmap_watch *watch = &oblivion.watch;
	struct dirty_report report;

	if (bitmap) {
		report_init(&report, type1, ioas, iova, bitmap);
		watch = &report.watch;
	}
	return ioas_unmap_watched(ioas, iova, last_iova, UNMAP_WHOLE, watch,
				  unmapped_nbytes);
}

int dirty_check_bitmap(const struct vfio_bitmap *bitmap, u64 nbytes)
{
	u64 npages;

	if (!bitmap->pgsize)
		return -EINVAL;
	if (!access_ok(bitmap->data, bitmap->size))
		return -EINVAL;
	npages = nbytes >> __ffs64(bitmap->pgsize);
	if (!npages || !bitmap->size || bitmap->size > DIRTY_MAX_NBYTES ||
	    bitmap->size < DIV_ROUND_UP_ULL(npages, BITS_PER_LONG) * sizeof(u64))
		return -EINVAL;
	return 0;
}

static long dirty_start(struct type1 *type1, struct ioas *ioas)
{
	struct dirty *dirty = &type1->dirty;
	struct ioas_area *area;
	long ret = 0;

	down_write(&ioas->domains_rwsem);
	for (area = area_first(ioas, 0); area && !dirty->tracking;
	     area = area_next(ioas, area)) {
		if (area_nbytes(area) >> PAGE_SHIFT >= DIRTY_MAX_NPAGES)
			ret = -EINVAL;
		area->marks &= ~AREA_ALL_DIRTY;
		cond_resched();
	}
	if (!ret) {
		mutex_lock(&dirty->lock);
		WRITE_ONCE(dirty->tracking, true);
		mutex_unlock(&dirty->lock);
	}
	up_write(&ioas->domains_rwsem);
	return ret;
}

static long dirty_stop(struct type1 *type1, struct ioas *ioas)
{
	struct dirty *dirty = &type1->dirty;

	down_write(&ioas->domains_rwsem);
	mutex_lock(&dirty->lock);
	WRITE_ONCE(dirty->tracking, false);
	free_chunks(dirty);
	mutex_unlock(&dirty->lock);
	up_write(&ioas->domains_rwsem);
	return 0;
}

/*
 * The lowest area of a range, kept busy; or NULL. Waits for those who work on it. Takes its mark
 * that all of it is dirty. @previous is the area below, kept busy so far; or NULL.
 */
static struct ioas_area *hold_next(struct ioas *ioas, struct ioas_area *previous,
				   unsigned long iova, unsigned long last_iova, bool *marked)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;
	bool live;

	for (;;) {
		spin_lock(&space->iova_lock);
		if (previous) {
			area = iova_next(space, previous);
			if (area && area->first_iova > last_iova)
				area = NULL;
			previous->nbusy--;
			ioas_wake_waiters(ioas);
			previous = NULL;
		} else {
			area = iova_first(space, iova, last_iova);
		}
		live = area && area_is_live(area);
		if (live) {
			area->nbusy++;
			*marked = area->marks & AREA_ALL_DIRTY;
			area->marks &= ~AREA_ALL_DIRTY;
		} else if (area) {
			iova = max(iova, area->first_iova);
		}
		spin_unlock(&space->iova_lock);
		if (!area || live)
			return area;
		ioas_wait_until_settled(ioas, iova, iova);
	}
}

/* May a range begin and end where it does? */
static bool cuts_area(struct ioas *ioas, unsigned long iova, unsigned long last_iova)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;
	bool cuts;

	spin_lock(&space->iova_lock);
	area = iova_first(space, iova, iova);
	cuts = area && area->first_iova != iova;
	area = iova_first(space, last_iova, last_iova);
	cuts |= area && area->last_iova != last_iova;
	spin_unlock(&space->iova_lock);
	return cuts;
}

static long report_range(struct type1 *type1, struct ioas *ioas, unsigned long iova,
			 unsigned long last_iova, const struct vfio_bitmap *bitmap)
{
	struct dirty_report report;
	struct ioas_area *area = NULL;
	u64 begin_ns = trace_begin(dirty_read);
	unsigned long nareas = 0;
	bool marked;
	long ret = 0;

	if (cuts_area(ioas, iova, last_iova))
		return -EINVAL;
	report_init(&report, type1, ioas, iova, bitmap);
	while (!ret) {
		area = hold_next(ioas, area, iova, last_iova, &marked);
		if (!area)
			break;
		nareas++;
		/* One that came since then is somebody else's affair. */
		if (area->first_iova >= iova && area->last_iova <= last_iova)
			ret = report_area(&report, area, marked);
		else if (marked)
			mark_all_dirty(ioas, area);
		cond_resched();
	}
	if (area)
		area_unhold(ioas, area);
	trace_dirty_read(ioas->object.ctx->insight.id, ioas->object.id, iova, last_iova, nareas,
			 ret, trace_ns(begin_ns));
	return ret;
}

static long dirty_get(struct type1 *type1, struct ioas *ioas,
		      const struct vfio_iommu_type1_dirty_bitmap_get *range)
{
	u64 misfit = PAGE_SIZE - 1;
	long ret;

	if (!range->size)
		return -EINVAL;
	if (range->iova + range->size - 1 < range->iova)
		return KCOMPAT_WRAPS;
	/* What does not end below 2^64 is too much for older ones. */
	if (!KCOMPAT_TYPE1_INCLUSIVE && range->iova + range->size < range->iova)
		return -EINVAL;
	ret = dirty_check_bitmap(&range->bitmap, range->size);
	if (ret)
		return ret;
	if (range->bitmap.pgsize != PAGE_SIZE || (range->iova | range->size) & misfit)
		return -EINVAL;
	if (!dirty_is_tracking(&type1->dirty))
		return -EINVAL;
	return report_range(type1, ioas, range->iova, range->iova + range->size - 1,
			    &range->bitmap);
}

long dirty_ioctl(struct type1 *type1, struct ioas *ioas, void __user *udirty)
{
	struct vfio_iommu_type1_dirty_bitmap_get range;
	struct vfio_iommu_type1_dirty_bitmap head;

	if (!type1->v2)
		return -EACCES;
	if (copy_from_user(&head, udirty, sizeof(head)))
		return -EFAULT;
	if (head.argsz < sizeof(head))
		return -EINVAL;
	switch (head.flags) {
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
		return TYPE1_ALONE;
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP:
		if (head.argsz < sizeof(head) + sizeof(range))
			return -EINVAL;
		if (copy_from_user(&range, udirty + sizeof(head), sizeof(range)))
			return -EFAULT;
		return dirty_get(type1, ioas, &range);
	default:
		return -EINVAL;
	}
}

long dirty_ioctl_alone(struct type1 *type1, struct ioas *ioas, void __user *udirty)
{
	struct vfio_iommu_type1_dirty_bitmap head;

	if (copy_from_user(&head, udirty, sizeof(head)))
		return -EFAULT;
	switch (head.flags) {
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
		return dirty_start(type1, ioas);
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
		return dirty_stop(type1, ioas);
	default:
		return -EINVAL;
	}
}
