// SPDX-License-Identifier: GPL-2.0-only
/*
 * extents: maps the page indexes of one run of user memory to PFNs, run-length coded.
 *
 * Runs cover all pages of a store without a gap: pages that are not pinned are a run of kind
 * EXTENT_HOLE. A run takes eight bytes. It has only the index where it begins, and ends where the
 * next one begins. Runs live in chunks of up to a page. Their start is relative to the chunk, so
 * that 22 bits are enough; extents.h has the layout.
 *
 * One rule makes removal safe: extents_clear() needs no memory. Before, a caller that will clear a
 * range cuts the runs at its borders by extents_cut(), at a time when it may still fail. So only
 * extents_join() puts cut runs together, once no caller will clear from there any more. Holes need
 * no borders: two holes never meet, so each hole is one stored run, however it was made.
 *
 * Removal frees memory: chunks that are empty, chunks whose runs fit into half a chunk together
 * with those of a neighbour, and all allocations once at most two runs are left.
 *
 * Locking: none here; the caller's lock guards every call.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "extents.h"

#define EXTENT_CHUNK_RUNS	512	/* one 4 KiB allocation */

/* The rest of @run from @npages pages into it, as a run that begins at @start within a chunk. */
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

	for (i = 0; i < extents->nchunks; i++) {
		if (extents->chunks[i].runs != extents->few)
			kfree(extents->chunks[i].runs);
		cond_resched();
	}
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

	/* While a store is filled, the last run is the rest of the hole. */
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

/* Makes room for one more run in @chunk, which is below its full size. */
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

/* Adds an empty chunk of full size behind chunk number @after. */
static int chunk_add(struct extents *extents, unsigned int after, unsigned long first_index)
{
	struct extent_chunk *chunk;
	u64 *runs;

	runs = kmalloc_array(EXTENT_CHUNK_RUNS, sizeof(*runs), GFP_KERNEL_ACCOUNT);
	if (!runs)
		return -ENOMEM;
	/*
	 * The directory grows last, so that a chunk without a second one stays in @only on failure,
	 * too.
	 */
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

/* Moves the upper half of the full chunk @number into a chunk of its own. */
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
 * Prepares a slot for a run that begins at @index, right behind the run at *@at. On success *@at is
 * that slot. The caller writes it, and then counts it in nruns.
 */
static int make_room(struct extents *extents, struct extent_cursor *at,
		     unsigned long index)
{
	struct extent_chunk *chunk = &extents->chunks[at->chunk];
	bool at_end = at->slot + 1 == chunk->nruns;
	bool full = chunk->nruns == EXTENT_CHUNK_RUNS;

	/* Only behind the last run can a start be too far from that of the chunk. */
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

/* Makes a run begin at @index, inside the run at @at. */
static int cut_slot(struct extents *extents, struct extent_cursor at, unsigned long index)
{
	unsigned long start = slot_index(extents, at);
	u64 run = extents->chunks[at.chunk].runs[at.slot];
	struct extent_chunk *chunk;

	if (make_room(extents, &at, index))
		return -ENOMEM;
	chunk = &extents->chunks[at.chunk];
	chunk->runs[at.slot] = run_tail(run, index - chunk->first_index, index - start);
	chunk->nruns++;
	return 0;
}

static inline enum extent_kind slot_kind(const struct extents *extents, struct extent_cursor at)
{
	return extent_run_kind(extents->chunks[at.chunk].runs[at.slot]);
}

int extents_cut(struct extents *extents, unsigned long index)
{
	struct extent_cursor at;

	if (index >= extents->npages)
		return 0;
	at = find_run(extents, index);
	if (slot_index(extents, at) == index || slot_kind(extents, at) == EXTENT_HOLE)
		return 0;
	return cut_slot(extents, at, index);
}

/* Moves to the run before. Returns false if there is none. */
static inline bool step_back(const struct extents *extents, struct extent_cursor *at)
{
	if (at->slot) {
		at->slot--;
		return true;
	}
	if (!at->chunk)
		return false;
	at->slot = extents->chunks[--at->chunk].nruns - 1;
	return true;
}

/* Moves to the run behind. Returns false if there is none. */
static inline bool step_on(const struct extents *extents, struct extent_cursor *at)
{
	if (at->slot + 1 < extents->chunks[at->chunk].nruns) {
		at->slot++;
		return true;
	}
	if (at->chunk + 1 == extents->nchunks)
		return false;
	at->chunk++;
	at->slot = 0;
	return true;
}

/* Removes @n chunks from chunk @first on, whose runs are not used any more. */
static void chunks_remove(struct extents *extents, unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = first; i < first + n; i++) {
		if (extents->chunks[i].runs != extents->few)
			kfree(extents->chunks[i].runs);
		cond_resched();
	}
	extents->nchunks -= n;
	memmove(&extents->chunks[first], &extents->chunks[first + n],
		(extents->nchunks - first) * sizeof(*extents->chunks));
}

/* Removes the first @nruns runs of @chunk, which then begins with the next one. */
static void chunk_behead(struct extent_chunk *chunk, unsigned int nruns)
{
	unsigned long shift = extent_run_start(chunk->runs[nruns]);
	unsigned int i;

	chunk->nruns -= nruns;
	for (i = 0; i < chunk->nruns; i++)
		chunk->runs[i] = chunk->runs[i + nruns] - extent_run_encode(shift, 0, 0);
	chunk->first_index += shift;
}

/* Merges chunk @number with the one behind, if they have few runs. */
static void chunk_merge(struct extents *extents, unsigned int number)
{
	struct extent_chunk *lower = &extents->chunks[number], *upper = lower + 1;
	unsigned long shift;
	unsigned int i, nruns;

	if (number + 1 >= extents->nchunks)
		return;
	shift = upper->first_index - lower->first_index;
	nruns = lower->nruns + upper->nruns;
	if (nruns > EXTENT_CHUNK_RUNS / 2 ||
	    shift + extent_run_start(upper->runs[upper->nruns - 1]) > EXTENT_MAX_START)
		return;
	/*
	 * Only the first chunk can be below full size. Until it was full, no other chunk begins
	 * within its reach, and the check above returns.
	 */
	if (WARN_ON_ONCE(nruns > lower->max_runs))
		return;
	memcpy(lower->runs + lower->nruns, upper->runs, upper->nruns * sizeof(*upper->runs));
	for (i = lower->nruns; i < nruns; i++)
		lower->runs[i] += extent_run_encode(shift, 0, 0);
	lower->nruns = nruns;
	chunks_remove(extents, number + 1, 1);
}

/* Frees memory after runs of chunk @number were removed. */
static void shrink(struct extents *extents, unsigned int number)
{
	struct extent_chunk *only = &extents->only;

	chunk_merge(extents, number);
	if (number)
		chunk_merge(extents, number - 1);
	if (extents->nchunks > 1)
		return;
	if (extents->chunks != only) {
		*only = extents->chunks[0];
		kvfree(extents->chunks);
		extents->chunks = only;
		extents->max_chunks = 1;
	}
	if (only->nruns <= ARRAY_SIZE(extents->few) && only->runs != extents->few) {
		memcpy(extents->few, only->runs, only->nruns * sizeof(*only->runs));
		kfree(only->runs);
		only->runs = extents->few;
		only->max_runs = ARRAY_SIZE(extents->few);
	}
}

/* Removes the runs behind @from up to @last, inclusive. The run at @from then extends over them. */
static void remove_behind(struct extents *extents, struct extent_cursor from,
			  struct extent_cursor last)
{
	struct extent_chunk *chunk = &extents->chunks[from.chunk];
	unsigned int nempty;

	if (from.chunk == last.chunk) {
		unsigned int behind = last.slot + 1;

		memmove(&chunk->runs[from.slot + 1], &chunk->runs[behind],
			(chunk->nruns - behind) * sizeof(*chunk->runs));
		chunk->nruns -= last.slot - from.slot;
	} else {
		chunk->nruns = from.slot + 1;
		chunk = &extents->chunks[last.chunk];
		nempty = last.chunk - from.chunk - 1;
		if (last.slot + 1 == chunk->nruns)
			nempty++;
		else
			chunk_behead(chunk, last.slot + 1);
		if (nempty)
			chunks_remove(extents, from.chunk + 1, nempty);
	}
	shrink(extents, from.chunk);
}

void extents_join(struct extents *extents, unsigned long index)
{
	struct extent_cursor at, lower;
	unsigned long npages;
	u64 run;

	if (index >= extents->npages)
		return;
	at = find_run(extents, index);
	lower = at;
	if (slot_index(extents, at) != index || !step_back(extents, &lower))
		return;
	npages = index - slot_index(extents, lower);
	run = extents->chunks[lower.chunk].runs[lower.slot];
	if (run_tail(run, 0, npages) ==
	    run_tail(extents->chunks[at.chunk].runs[at.slot], 0, 0))
		remove_behind(extents, lower, at);
}

int extents_set_part(struct extents *extents, const struct extent *run)
{
	struct extent_cursor at = find_run(extents, run->index);
	unsigned long end = run->index + run->npages;
	struct extent_chunk *chunk;

	if (WARN_ON_ONCE(run->kind == EXTENT_HOLE || slot_kind(extents, at) != EXTENT_HOLE ||
			 slot_end(extents, at) < end))
		return -EINVAL;
	if (slot_end(extents, at) > end && cut_slot(extents, at, end))
		return -ENOMEM;
	at = find_run(extents, run->index);
	if (slot_index(extents, at) < run->index) {
		if (cut_slot(extents, at, run->index)) {
			extents_join(extents, end);
			return -ENOMEM;
		}
		at = find_run(extents, run->index);
	}
	chunk = &extents->chunks[at.chunk];
	chunk->runs[at.slot] = extent_run_encode(run->index - chunk->first_index,
						 run->kind, run->pfn);
	return 0;
}

void extents_clear(struct extents *extents, unsigned long first_index,
		   unsigned long last_index)
{
	struct extent_cursor from, last, beside;
	struct extent_chunk *chunk;

	if (!first_index && last_index == extents->npages - 1) {
		extents_reset(extents);
		return;
	}

	from = find_run(extents, first_index);
	last = find_run(extents, last_index);
	WARN_ON_ONCE(slot_kind(extents, from) != EXTENT_HOLE &&
		     slot_index(extents, from) != first_index);
	WARN_ON_ONCE(slot_kind(extents, last) != EXTENT_HOLE &&
		     slot_end(extents, last) != last_index + 1);
	beside = from;
	if (step_back(extents, &beside) && slot_kind(extents, beside) == EXTENT_HOLE)
		from = beside;
	beside = last;
	if (step_on(extents, &beside) && slot_kind(extents, beside) == EXTENT_HOLE)
		last = beside;

	chunk = &extents->chunks[from.chunk];
	chunk->runs[from.slot] = extent_run_encode(extent_run_start(chunk->runs[from.slot]),
						   EXTENT_HOLE, 0);
	remove_behind(extents, from, last);
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
