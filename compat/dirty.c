// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirty: which pages of a container may have been written to.
 *
 * A device behind an IOMMU writes unnoticed. While an IOAS has the group of such a device (a
 * "writer"), every page is always dirty, and nothing needs to be kept.
 *
 * Emulated devices write only to pages that they pin, and by dma_rw. A page is dirty while it is
 * held, once more after it was let go, and once after a dma_rw. Only these writes are kept, a bit a
 * page, in chunks. A chunk is made when its first bit is set: so the start of tracking needs no
 * memory, and a terabyte to which nothing is written costs none.
 *
 * An unmap clears bits and leaves their chunks. When there are at least 64 chunks, and twice as
 * many as the last search left, the next new chunk begins with a search that frees chunks where
 * nothing is mapped.
 *
 * A report clears bits as it goes. Those that do not reach user memory are set again.
 *
 * Bits belong to the IOAS of their IOVAs, whichever IOAS the user of the container selects. START
 * and STOP are for all IOASs of the container.
 *
 * Locking: dirty->lock -> domains_rwsem -> lock of a space. The last one guards chunks, and is not
 * held while user memory is touched. Tracking of an IOAS begins and ends with domains_rwsem held
 * for writing: then nobody is inside. Bits of an area are set by a caller that keeps the area busy
 * or owns it, and so never after the area was unmapped.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "area_flags.h"
#include "base/steps.h"
#include "base/vfio_ioas_trace.h"
#include "dirty.h"
#include "space/area.h"
#include "space/unmap.h"
#include "stock.h"

#define CHUNK_NPAGES	4096UL

/* With fewer chunks than this no search for unused ones begins. */
#define CHUNKS_AT_FIRST	64UL

/* The pages of one CHUNK_NPAGES-aligned piece of IOVA. */
struct dirty_chunk {
	DECLARE_BITMAP(pages, CHUNK_NPAGES);
};

/* Dirty pages of one IOAS. "lock" is the one below; domains_rwsem held for writing will do, too. */
struct dirty_space {
	struct dirty_state state;	/* ioas->front */
	struct ioas_unmap_watch watch;	/* clears bits of areas that leave without a report */
	struct ioas *ioas;		/* constant */
	struct list_head item;		/* lock of struct dirty */
	struct mutex lock;		/* innermost of the mutexes */
	struct xarray chunks;		/* lock; struct dirty_chunk by its number */
	unsigned long nchunks;		/* lock */
	unsigned long max_chunks;	/* lock; with so many, drop_unused() comes first */
	atomic_t nwriter_groups;		/* groups whose devices may write to anything */
};

/* A report makes so many words of its bitmap at once, on the stack. */
#define REPORT_NWORDS	64UL

/* A piece of a bitmap in which all pages are dirty. */
static const unsigned long all_ones[PAGE_SIZE / sizeof(unsigned long)] = {
	[0 ... PAGE_SIZE / sizeof(unsigned long) - 1] = ULONG_MAX,
};

/* A report of a range of IOVA, while it is written to user memory. */
struct dirty_report {
	struct ioas_unmap_watch watch;
	struct dirty *dirty;
	struct dirty_space *space;
	unsigned long base_index;	/* page of the first bit, as IOVA in pages */
	unsigned long __user *ubitmap;	/* need not be aligned */
	unsigned long words[REPORT_NWORDS];
};

static struct dirty_space *space_of(struct ioas *ioas)
{
	return container_of((struct dirty_state *)ioas->front, struct dirty_space, state);
}

void dirty_init(struct dirty *dirty, dirty_held_fn report_held)
{
	mutex_init(&dirty->lock);
	INIT_LIST_HEAD(&dirty->spaces);
	dirty->tracking = false;
	dirty->report_held = report_held;
}

void dirty_destroy(struct dirty *dirty)
{
	WARN_ON(!list_empty(&dirty->spaces));
	mutex_destroy(&dirty->lock);
}

/* Native maps can begin and end inside a page, which other areas may then have a part of. */
static bool begins_in_page(const struct ioas_area *area)
{
	return offset_in_page(area->first_iova);
}

static bool ends_in_page(const struct ioas_area *area)
{
	return offset_in_page(area->last_iova + 1);
}

/* Clears the bits of an area, but for pages of which other areas may have a part. */
static void forget_area(struct dirty_space *space, struct ioas_area *area)
{
	unsigned long first = (area->first_iova >> PAGE_SHIFT) + begins_in_page(area);
	unsigned long last = area->last_iova >> PAGE_SHIFT;
	struct dirty_chunk *chunk;
	unsigned long number;

	/* In a live area bits may be set meanwhile. Those cleared here belong to this report. */
	if (xa_empty(&space->chunks) || first + ends_in_page(area) > last)
		return;
	last -= ends_in_page(area);
	mutex_lock(&space->lock);
	xa_for_each_range(&space->chunks, number, chunk, first / CHUNK_NPAGES,
			  last / CHUNK_NPAGES) {
		unsigned long chunk_index = number * CHUNK_NPAGES;
		unsigned long from = max(first, chunk_index) - chunk_index;
		unsigned long end = min(last - chunk_index + 1, CHUNK_NPAGES);

		bitmap_clear(chunk->pages, from, end - from);
	}
	mutex_unlock(&space->lock);
}

static int forget_leaving(struct ioas_unmap_watch *watch, struct ioas_area *area)
{
	forget_area(container_of(watch, struct dirty_space, watch), area);
	return 0;
}

int dirty_add_ioas(struct dirty *dirty, struct ioas *ioas)
{
	struct dirty_space *space = kzalloc(sizeof(*space), GFP_KERNEL_ACCOUNT);

	if (!space)
		return -ENOMEM;
	space->ioas = ioas;
	mutex_init(&space->lock);
	xa_init_flags(&space->chunks, XA_FLAGS_ACCOUNT);
	space->max_chunks = CHUNKS_AT_FIRST;
	space->watch.leaving = forget_leaving;
	ioas->front = &space->state;
	ioas->forgets = &space->watch;
	mutex_lock(&dirty->lock);
	space->state.tracking = dirty->tracking;
	list_add(&space->item, &dirty->spaces);
	mutex_unlock(&dirty->lock);
	return 0;
}

static void free_chunks(struct dirty_space *space)
{
	struct dirty_chunk *chunk;
	unsigned long number;

	xa_for_each(&space->chunks, number, chunk) {
		kfree(chunk);
		cond_resched();
	}
	xa_destroy(&space->chunks);
	space->nchunks = 0;
	space->max_chunks = CHUNKS_AT_FIRST;
}

void dirty_remove_ioas(struct dirty *dirty, struct ioas *ioas)
{
	struct dirty_space *space = space_of(ioas);

	mutex_lock(&dirty->lock);
	list_del(&space->item);
	mutex_unlock(&dirty->lock);
	WARN_ON(atomic_read(&space->nwriter_groups));
	free_chunks(space);
	mutex_destroy(&space->lock);
	kfree(space);
}

/* Is anything mapped in the range of a chunk? A map that comes later has no bits set there yet. */
static bool is_of_use(struct dirty_space *space, unsigned long number)
{
	unsigned long first_iova = number * CHUNK_NPAGES << PAGE_SHIFT;

	return area_any(space->ioas, first_iova, first_iova + (CHUNK_NPAGES << PAGE_SHIFT) - 1);
}

static void drop_unused(struct dirty_space *space)
{
	struct dirty_chunk *chunk;
	unsigned long number;

	lockdep_assert_held(&space->lock);
	xa_for_each(&space->chunks, number, chunk) {
		if (!is_of_use(space, number)) {
			xa_erase(&space->chunks, number);
			kfree(chunk);
			space->nchunks--;
		}
		cond_resched();
	}
	space->max_chunks = max(2 * space->nchunks, CHUNKS_AT_FIRST);
}

static struct dirty_chunk *make_chunk(struct dirty_space *space, unsigned long number)
{
	struct dirty_chunk *chunk = xa_load(&space->chunks, number);

	lockdep_assert_held(&space->lock);
	if (chunk)
		return chunk;
	if (space->nchunks >= space->max_chunks)
		drop_unused(space);
	chunk = kzalloc(sizeof(*chunk), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return NULL;
	if (xa_err(xa_store(&space->chunks, number, chunk, GFP_KERNEL_ACCOUNT))) {
		kfree(chunk);
		return NULL;
	}
	space->nchunks++;
	return chunk;
}

/* Sets the bits of pages from @index to @last_index, inclusive. False without memory. */
static bool set_dirty(struct dirty_space *space, unsigned long index, unsigned long last_index)
{
	struct dirty_chunk *chunk;
	unsigned long in_chunk, n;

	for (;;) {
		chunk = make_chunk(space, index / CHUNK_NPAGES);
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
	area_set_flags(ioas, area, AREA_ALL_DIRTY);
}

/* Clears AREA_ALL_DIRTY. True if the area had it. */
static bool take_mark(struct ioas *ioas, struct ioas_area *area)
{
	/* A flag that is set in between is for the next report. */
	return READ_ONCE(area->flags) & AREA_ALL_DIRTY &&
	       area_take_flags(ioas, area, AREA_ALL_DIRTY);
}

void dirty_note_write(struct ioas *ioas, struct ioas_area *area, unsigned long iova,
		      unsigned long nbytes)
{
	struct dirty_space *space = space_of(ioas);
	bool done;

	/* Tracking cannot begin or end meanwhile: the caller is in the IOAS. */
	lockdep_assert_held(&ioas->domains_rwsem);
	if (!space->state.tracking)
		return;
	mutex_lock(&space->lock);
	done = set_dirty(space, iova >> PAGE_SHIFT, (iova + nbytes - 1) >> PAGE_SHIFT);
	mutex_unlock(&space->lock);
	if (!done)
		mark_all_dirty(ioas, area);
}

void dirty_add_writer(struct ioas *ioas)
{
	atomic_inc(&space_of(ioas)->nwriter_groups);
}

void dirty_forget_writer(struct ioas *ioas)
{
	WARN_ON(atomic_dec_return(&space_of(ioas)->nwriter_groups) < 0);
}

void dirty_remove_writer(struct ioas *ioas)
{
	struct dirty_space *space = space_of(ioas);
	struct ioas_area *area;

	down_write(&ioas->domains_rwsem);
	if (space->state.tracking) {
		for (area = area_first(ioas, 0); area; area = area_next(ioas, area)) {
			mark_all_dirty(ioas, area);
			cond_resched();
		}
	}
	/* No report can come between the two: each sees the flags or the writer. */
	dirty_forget_writer(ioas);
	up_write(&ioas->domains_rwsem);
}

/* The bit of a page in the bitmap of a report. */
static unsigned long report_bit(const struct dirty_report *report, unsigned long index)
{
	return index - report->base_index;
}

/* Moves the bits of some pages from a chunk to the words of a report. */
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
 * Fills the words of a report with the bits of pages from @index to @last_index, inclusive. The
 * first word begins with @first_bit of the report.
 */
static void take_known(struct dirty_report *report, unsigned long index,
		       unsigned long last_index, unsigned long first_bit)
{
	struct dirty_space *space = report->space;
	struct dirty_chunk *chunk;
	unsigned long number;

	/* Holds come first: a page that is let go is noted as dirty before its hold ends. */
	report->dirty->report_held(report->dirty, space->ioas, index, last_index, report->words,
				   report_bit(report, index) - first_bit);
	mutex_lock(&space->lock);
	xa_for_each_range(&space->chunks, number, chunk, index / CHUNK_NPAGES,
			  last_index / CHUNK_NPAGES)
		take_from_chunk(report, chunk, number * CHUNK_NPAGES, index, last_index,
				first_bit);
	mutex_unlock(&space->lock);
}

/* Undoes take_known(). False without memory. */
static bool put_back(const struct dirty_report *report, unsigned long index,
		     unsigned long last_index, unsigned long first_bit)
{
	struct dirty_space *space = report->space;
	unsigned long bit = report_bit(report, index) - first_bit;
	unsigned long end = report_bit(report, last_index) - first_bit + 1;
	bool done = true;

	mutex_lock(&space->lock);
	for_each_set_bit_from(bit, report->words, end) {
		index = report->base_index + first_bit + bit;
		/* An unmap may have left the IOAS to tell drivers; tracking may have ended then. */
		if (space->state.tracking)
			done = done && set_dirty(space, index, index);
	}
	mutex_unlock(&space->lock);
	return done;
}

/*
 * Copies words of a report to user memory, from the word with @first_bit on. With @keep_first the
 * bits that user memory has in the first word are kept: they are the user's, or of another area.
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

/* Reports pages whose bits fit into the words, from @index to @last_index: all of them or none. */
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
	ret = copy_words(report, first_bit, nwords,
			 bit != first_bit || (index == area->first_iova >> PAGE_SHIFT &&
					      begins_in_page(area)));
	if (ret && !put_back(report, index, last_index, first_bit))
		mark_all_dirty(report->space->ioas, area);
	return ret;
}

static int report_known(struct dirty_report *report, struct ioas_area *area)
{
	unsigned long first = area->first_iova >> PAGE_SHIFT;
	unsigned long last = area->last_iova >> PAGE_SHIFT;
	unsigned long index, step_last;
	int ret;

	for (index = first;; index = step_last + 1) {
		/* A step ends where a word ends, or the area. */
		step_last = index + REPORT_NWORDS * BITS_PER_LONG - 1 -
			    report_bit(report, index) % BITS_PER_LONG;
		step_last = min(step_last, last);
		ret = report_step(report, area, index, step_last);
		if (ret || step_last == last)
			break;
		cond_resched();
	}
	/* The bits of earlier steps are not worth the memory to keep them: all is dirty instead. */
	if (ret && index != first)
		mark_all_dirty(report->space->ioas, area);
	return ret;
}

/*
 * Sets bits from @first_bit to @last_bit, inclusive. Keeps the lower bits of the first word; may
 * overwrite the rest of the last word, which belongs to the report.
 */
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

/* Is all of an area dirty: always, or once more since it had AREA_ALL_DIRTY (@marked)? */
static bool is_all_dirty(const struct dirty_report *report, bool marked)
{
	return marked || atomic_read(&report->space->nwriter_groups);
}

/*
 * Reports an area that the caller owns or keeps busy. @marked: it had AREA_ALL_DIRTY, which the
 * caller has cleared, or which goes with the area.
 */
static int report_area(struct dirty_report *report, struct ioas_area *area, bool marked)
{
	int ret;

	if (!is_all_dirty(report, marked))
		return report_known(report, area);
	forget_area(report->space, area);
	ret = report_ones(report->ubitmap, report_bit(report, area->first_iova >> PAGE_SHIFT),
			  report_bit(report, area->last_iova >> PAGE_SHIFT));
	if (ret)
		mark_all_dirty(report->space->ioas, area);
	return ret;
}

static int report_leaving(struct ioas_unmap_watch *watch, struct ioas_area *area)
{
	/* Its owner is alone with it: the flag cannot be set meanwhile. */
	return report_area(container_of(watch, struct dirty_report, watch), area,
			   area->flags & AREA_ALL_DIRTY);
}

static void report_init(struct dirty_report *report, struct dirty *dirty, struct ioas *ioas,
			unsigned long iova, const struct vfio_bitmap *bitmap)
{
	report->watch.leaving = report_leaving;
	report->dirty = dirty;
	report->space = space_of(ioas);
	report->base_index = iova >> PAGE_SHIFT;
	report->ubitmap = (unsigned long __user *)bitmap->data;
}

int dirty_unmap(struct dirty *dirty, struct ioas *ioas, unsigned long iova,
		unsigned long last_iova, const struct vfio_bitmap *bitmap,
		unsigned long *unmapped_nbytes)
{
	struct dirty_report report;

	report_init(&report, dirty, ioas, iova, bitmap);
	return ioas_unmap_watched(ioas, iova, last_iova, UNMAP_WHOLE, &report.watch,
				  unmapped_nbytes);
}

static void stop_in_space(struct dirty *dirty, struct dirty_space *space)
{
	lockdep_assert_held(&dirty->lock);
	down_write(&space->ioas->domains_rwsem);
	WRITE_ONCE(space->state.tracking, false);
	free_chunks(space);
	up_write(&space->ioas->domains_rwsem);
}

/* -EINVAL, with tracking still off, if a mapping has STOCK_MAX_BITMAP_NPAGES pages or more. */
static int start_in_space(struct dirty *dirty, struct dirty_space *space)
{
	struct ioas *ioas = space->ioas;
	struct ioas_area *area;
	int ret = 0;

	lockdep_assert_held(&dirty->lock);
	down_write(&ioas->domains_rwsem);
	for (area = area_first(ioas, 0); area; area = area_next(ioas, area)) {
		if (area_nbytes(area) >> PAGE_SHIFT >= STOCK_MAX_BITMAP_NPAGES)
			ret = -EINVAL;
		take_mark(ioas, area);
		cond_resched();
	}
	if (!ret)
		WRITE_ONCE(space->state.tracking, true);
	up_write(&ioas->domains_rwsem);
	return ret;
}

long dirty_start(struct dirty *dirty)
{
	struct dirty_space *space;
	int ret = 0;

	mutex_lock(&dirty->lock);
	if (dirty->tracking)
		goto unlock;
	list_for_each_entry(space, &dirty->spaces, item) {
		ret = start_in_space(dirty, space);
		if (ret)
			break;
	}
	if (!ret)
		dirty->tracking = true;
	else
		list_for_each_entry_continue_reverse(space, &dirty->spaces, item)
			stop_in_space(dirty, space);
unlock:
	mutex_unlock(&dirty->lock);
	return ret;
}

void dirty_stop(struct dirty *dirty)
{
	struct dirty_space *space;

	mutex_lock(&dirty->lock);
	dirty->tracking = false;
	list_for_each_entry(space, &dirty->spaces, item)
		stop_in_space(dirty, space);
	mutex_unlock(&dirty->lock);
}

__aligned(WALK_NBYTES)
long dirty_report(struct dirty *dirty, struct ioas *ioas,
		  const struct vfio_iommu_type1_dirty_bitmap_get *range)
{
	unsigned long last_iova = range->iova + range->size - 1;
	u64 begin_ns = trace_begin(dirty_read);
	unsigned long iova = range->iova;
	struct ioas_area *area = NULL;
	struct dirty_report report;
	unsigned long nareas = 0;
	bool marked;
	long ret;

	ret = ioas_check_borders(ioas, iova, last_iova, UNMAP_WHOLE);
	if (ret && ret != -ENOENT)
		return ret;
	ret = 0;
	report_init(&report, dirty, ioas, iova, &range->bitmap);
	while (!ret) {
		area = area_get_next(ioas, area, iova, last_iova);
		if (IS_ERR(area)) {
			ret = PTR_ERR(area);
			area = NULL;
		}
		if (!area)
			break;
		nareas++;
		/* One that reaches over a border was mapped since the check: it is not ours. */
		if (area->first_iova >= iova && area->last_iova <= last_iova) {
			marked = take_mark(ioas, area);
			ret = report_area(&report, area, marked);
		}
		cond_resched();
	}
	if (area)
		area_put(ioas, area);
	trace_dirty_read(ioas->object.ctx->id, ioas->object.id, iova, last_iova, nareas,
			 ret, trace_ns(begin_ns));
	return ret;
}
