// SPDX-License-Identifier: GPL-2.0-only
/*
 * extents: page index to PFN for one run of user memory, run-length coded.
 *
 * A store of npages pages is covered by runs without a gap: what nobody pinned is
 * a run of kind EXTENT_HOLE. A run is eight bytes and says only where it begins;
 * it ends where the next one begins. Runs live in chunks of up to a page, and
 * their start is kept relative to the chunk, so that 22 bits are enough; extents.h
 * has the layout.
 *
 * One rule makes removal safe: extents_clear() needs no memory, because whoever
 * will clear a range has cut the runs at its borders before (extents_cut(), which
 * may fail, at a time when failing is still allowed). For the same reason runs
 * are never merged here: a border that somebody cut must stay.
 *
 * Locking: none here; the embedder's lock guards every call.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "extents.h"

#define EXTENT_CHUNK_RUNS	512	/* one 4 KiB allocation */

/* The run that begins @npages into @run, of what is left of it. */
static u64 run_tail(u64 run, unsigned long start, unsigned long npages)
{
	unsigned long pfn = run & EXTENT_PFN_MASK;

	if (extent_run_kind(run) == EXTENT_HOLE)
		return extent_run_encode(start, EXTENT_HOLE, 0);
	return extent_run_encode(start, extent_run_kind(run), pfn + npages);
}

void extents_free_chunks(struct extents *extents)
{
	unsigned int i;

	for (i = 0; i < extents->nchunks; i++)
		if (extents->chunks[i].runs != extents->few)
			kfree(extents->chunks[i].runs);
	if (extents->chunks != &extents->only)
		kvfree(extents->chunks);
}

/* The last chunk that begins at or before @index. */
static inline unsigned int find_chunk(const struct extents *extents, unsigned long index)
{
	unsigned int low = 0, high = extents->nchunks - 1;

	/* Stores are filled from front to back: try the end first. */
	if (extents->chunks[high].first_index <= index)
		return high;
	while (low < high) {
		unsigned int middle = low + (high - low + 1) / 2;

		if (extents->chunks[middle].first_index <= index)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* The last run of @chunk that begins at or before @index. */
static inline unsigned int find_slot(const struct extent_chunk *chunk, unsigned long index)
{
	unsigned long start = index - chunk->first_index;
	unsigned int low = 0, high = chunk->nruns - 1;

	/* While a store is filled the last run is the hole that is left. */
	if (extent_run_start(chunk->runs[high]) <= start)
		return high;
	if (extent_run_start(chunk->runs[high - 1]) <= start)
		return high - 1;
	while (low < high) {
		unsigned int middle = low + (high - low + 1) / 2;

		if (extent_run_start(chunk->runs[middle]) <= start)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static inline struct extent_cursor find_run(const struct extents *extents, unsigned long index)
{
	struct extent_cursor at = { .chunk = find_chunk(extents, index) };

	at.slot = find_slot(&extents->chunks[at.chunk], index);
	return at;
}

static inline unsigned long slot_index(const struct extents *extents, struct extent_cursor at)
{
	const struct extent_chunk *chunk = &extents->chunks[at.chunk];

	return chunk->first_index + extent_run_start(chunk->runs[at.slot]);
}

/* One past the last page of the run at @at. */
static inline unsigned long slot_end(const struct extents *extents, struct extent_cursor at)
{
	const struct extent_chunk *chunk = &extents->chunks[at.chunk];

	if (at.slot + 1 < chunk->nruns)
		return chunk->first_index + extent_run_start(chunk->runs[at.slot + 1]);
	if (at.chunk + 1 < extents->nchunks)
		return extents->chunks[at.chunk + 1].first_index;
	return extents->npages;
}

/* Makes room for one more run in @chunk, which is not yet of full size. */
static int chunk_grow(struct extents *extents, struct extent_chunk *chunk)
{
	unsigned int max_runs = chunk->max_runs < 8 ? 8 : 8 * chunk->max_runs;
	u64 *runs;

	max_runs = min_t(unsigned int, max_runs, EXTENT_CHUNK_RUNS);
	runs = kmalloc_array(max_runs, sizeof(*runs), GFP_KERNEL_ACCOUNT);
	if (!runs)
		return -ENOMEM;
	memcpy(runs, chunk->runs, chunk->nruns * sizeof(*runs));
	if (chunk->runs != extents->few)
		kfree(chunk->runs);
	chunk->runs = runs;
	chunk->max_runs = max_runs;
	return 0;
}

static int directory_grow(struct extents *extents)
{
	unsigned int max_chunks = max(2 * extents->max_chunks, 8U);
	struct extent_chunk *chunks;

	chunks = kvmalloc_array(max_chunks, sizeof(*chunks), GFP_KERNEL_ACCOUNT);
	if (!chunks)
		return -ENOMEM;
	memcpy(chunks, extents->chunks, extents->nchunks * sizeof(*chunks));
	if (extents->chunks != &extents->only)
		kvfree(extents->chunks);
	extents->chunks = chunks;
	extents->max_chunks = max_chunks;
	return 0;
}

/* Adds an empty chunk of full size behind number @after. */
static int chunk_add(struct extents *extents, unsigned int after, unsigned long first_index)
{
	struct extent_chunk *chunk;
	u64 *runs;

	runs = kmalloc_array(EXTENT_CHUNK_RUNS, sizeof(*runs), GFP_KERNEL_ACCOUNT);
	if (!runs)
		return -ENOMEM;
	/* Last, since only with a second chunk the first one may be elsewhere. */
	if (extents->nchunks == extents->max_chunks && directory_grow(extents)) {
		kfree(runs);
		return -ENOMEM;
	}
	chunk = &extents->chunks[after + 1];
	memmove(chunk + 1, chunk, (extents->nchunks - after - 1) * sizeof(*chunk));
	extents->nchunks++;
	chunk->runs = runs;
	chunk->first_index = first_index;
	chunk->nruns = 0;
	chunk->max_runs = EXTENT_CHUNK_RUNS;
	return 0;
}

/* Moves the upper half of the full chunk number @number into a chunk of its own. */
static int chunk_split(struct extents *extents, unsigned int number)
{
	struct extent_chunk *lower, *upper;
	unsigned int keep, i;
	unsigned long shift;

	lower = &extents->chunks[number];
	keep = lower->nruns / 2;
	shift = extent_run_start(lower->runs[keep]);
	if (chunk_add(extents, number, lower->first_index + shift))
		return -ENOMEM;

	lower = &extents->chunks[number];
	upper = lower + 1;
	for (i = keep; i < lower->nruns; i++)
		upper->runs[i - keep] = lower->runs[i] - extent_run_encode(shift, 0, 0);
	upper->nruns = lower->nruns - keep;
	lower->nruns = keep;
	return 0;
}

/*
 * Prepares a place for a run that begins at @index, right behind the run at *@at.
 * On success *@at is that place: a slot that may be written once it is counted.
 */
static int make_room(struct extents *extents, struct extent_cursor *at,
		     unsigned long index)
{
	struct extent_chunk *chunk = &extents->chunks[at->chunk];
	bool at_end = at->slot + 1 == chunk->nruns;
	bool full = chunk->nruns == EXTENT_CHUNK_RUNS;

	/* Only behind the last run can a start be too far from the chunk's own. */
	if (at_end && (full || index - chunk->first_index > EXTENT_MAX_START)) {
		if (chunk_add(extents, at->chunk, index))
			return -ENOMEM;
		*at = (struct extent_cursor){ .chunk = at->chunk + 1 };
		return 0;
	}
	if (full) {
		if (chunk_split(extents, at->chunk))
			return -ENOMEM;
		*at = find_run(extents, index);
	} else if (chunk->nruns == chunk->max_runs && chunk_grow(extents, chunk)) {
		return -ENOMEM;
	}
	chunk = &extents->chunks[at->chunk];
	at->slot++;
	memmove(&chunk->runs[at->slot + 1], &chunk->runs[at->slot],
		(chunk->nruns - at->slot) * sizeof(*chunk->runs));
	return 0;
}

int extents_cut(struct extents *extents, unsigned long index)
{
	struct extent_cursor at;
	struct extent_chunk *chunk;
	unsigned long start;
	u64 run;

	if (index >= extents->npages)
		return 0;
	at = find_run(extents, index);
	start = slot_index(extents, at);
	if (start == index)
		return 0;

	run = extents->chunks[at.chunk].runs[at.slot];
	if (make_room(extents, &at, index))
		return -ENOMEM;
	chunk = &extents->chunks[at.chunk];
	chunk->runs[at.slot] = run_tail(run, index - chunk->first_index, index - start);
	chunk->nruns++;
	return 0;
}

int extents_set_part(struct extents *extents, const struct extent *run)
{
	unsigned long end = run->index + run->npages;
	struct extent_chunk *chunk;
	struct extent_cursor at;

	at = find_run(extents, run->index);
	if (slot_index(extents, at) != run->index || slot_end(extents, at) != end) {
		if (extents_cut(extents, run->index) || extents_cut(extents, end))
			return -ENOMEM;
		at = find_run(extents, run->index);
	}
	chunk = &extents->chunks[at.chunk];
	WARN_ON_ONCE(extent_run_kind(chunk->runs[at.slot]) != EXTENT_HOLE);
	chunk->runs[at.slot] = extent_run_encode(run->index - chunk->first_index,
						 run->kind, run->pfn);
	return 0;
}

/* Turns the runs of @chunk from @slot up to page @last_index into one hole. */
static void chunk_clear(struct extent_chunk *chunk, unsigned int slot,
			unsigned long last_index)
{
	unsigned int behind = find_slot(chunk, last_index) + 1;

	chunk->runs[slot] = extent_run_encode(extent_run_start(chunk->runs[slot]),
					      EXTENT_HOLE, 0);
	if (behind == slot + 1)
		return;
	memmove(&chunk->runs[slot + 1], &chunk->runs[behind],
		(chunk->nruns - behind) * sizeof(*chunk->runs));
	chunk->nruns -= behind - slot - 1;
}

void extents_clear(struct extents *extents, unsigned long first_index,
		   unsigned long last_index)
{
	struct extent_cursor at;

	if (!first_index && last_index == extents->npages - 1) {
		extents_reset(extents);
		return;
	}

	at = find_run(extents, first_index);
	WARN_ON_ONCE(slot_index(extents, at) != first_index);
	for (; at.chunk < extents->nchunks; at.chunk++, at.slot = 0) {
		if (extents->chunks[at.chunk].first_index > last_index)
			break;
		chunk_clear(&extents->chunks[at.chunk], at.slot, last_index);
	}
}

static inline void slot_decode(const struct extents *extents, struct extent_cursor at,
			       unsigned long first_index, unsigned long last_index,
			       struct extent *run)
{
	unsigned long start = slot_index(extents, at);
	u64 code = extents->chunks[at.chunk].runs[at.slot];

	run->index = first_index;
	run->npages = min(slot_end(extents, at), last_index + 1) - first_index;
	run->kind = extent_run_kind(code);
	run->pfn = run_tail(code, 0, first_index - start) & EXTENT_PFN_MASK;
}

void extents_find(const struct extents *extents, struct extent_cursor *cursor,
		  unsigned long first_index, unsigned long last_index,
		  struct extent *run)
{
	*cursor = find_run(extents, first_index);
	slot_decode(extents, *cursor, first_index, last_index, run);
}

void extents_step_slowly(const struct extents *extents, struct extent_cursor *cursor,
			 unsigned long last_index, struct extent *run)
{
	if (++cursor->slot == extents->chunks[cursor->chunk].nruns) {
		cursor->chunk++;
		cursor->slot = 0;
	}
	slot_decode(extents, *cursor, run->index + run->npages, last_index, run);
}
