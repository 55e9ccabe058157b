/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * extents: page index to PFN for one run of user memory, run-length coded.
 *
 * Owns: struct extents and its memory. Takes no lock: whoever embeds one guards it.
 * Knows nothing of pins or domains.
 */
#ifndef VFIO_IOAS_EXTENTS_H
#define VFIO_IOAS_EXTENTS_H

#include <linux/kernel.h>
#include <linux/types.h>

/* What stands behind the pages of a run; two bits of a stored run. */
enum extent_kind {
	EXTENT_HOLE,		/* nothing: not pinned */
	EXTENT_CHARGED,		/* pinned, counted against RLIMIT_MEMLOCK */
	EXTENT_RESERVED,	/* pinned, but a reserved page: never counted */
};

/* A run of physically consecutive pages of one kind, as callers see it. */
struct extent {
	unsigned long index;	/* of the first page */
	unsigned long npages;
	unsigned long pfn;	/* of the first page; 0 for a hole */
	enum extent_kind kind;
};

/*
 * A stored run says where it begins, not where it ends:
 *
 *   63                 42 41  40 39                   0
 *   [ start within chunk | kind | pfn of the first page ]
 *
 * A hole at the start of a chunk is all zero.
 */
#define EXTENT_PFN_BITS		40
#define EXTENT_KIND_BITS	2
#define EXTENT_START_SHIFT	(EXTENT_PFN_BITS + EXTENT_KIND_BITS)
#define EXTENT_PFN_MASK		((1UL << EXTENT_PFN_BITS) - 1)

static inline enum extent_kind extent_run_kind(u64 run)
{
	return run >> EXTENT_PFN_BITS & ((1 << EXTENT_KIND_BITS) - 1);
}

/* Up to EXTENT_CHUNK_RUNS sorted runs; the last one ends where the next chunk begins. */
struct extent_chunk {
	u64 *runs;
	unsigned long first_index;	/* where runs[0] begins */
	unsigned int nruns;
	unsigned int max_runs;
};

struct extents {
	unsigned long npages;
	struct extent_chunk *chunks;	/* &only, or an array of max_chunks */
	unsigned int nchunks;
	unsigned int max_chunks;
	struct extent_chunk only;	/* most stores never need a second one */
	u64 few[2];			/* the runs of a store that needs no memory */
};

/* A position inside struct extents; any change of the extents makes it stale. */
struct extent_cursor {
	unsigned int chunk;
	unsigned int slot;
};

void extents_free_chunks(struct extents *extents);
int extents_cut(struct extents *extents, unsigned long index);
int extents_set(struct extents *extents, const struct extent *run);
void extents_clear(struct extents *extents, unsigned long first_index,
		   unsigned long last_index);
void extents_find(const struct extents *extents, struct extent_cursor *cursor,
		  unsigned long first_index, unsigned long last_index,
		  struct extent *run);
void extents_step(const struct extents *extents, struct extent_cursor *cursor,
		  unsigned long last_index, struct extent *run);

/* Makes a store of @npages pages, at least 1, that is one hole. Allocates nothing. */
static inline void extents_init(struct extents *extents, unsigned long npages)
{
	extents->npages = npages;
	extents->chunks = &extents->only;
	extents->nchunks = 1;
	extents->max_chunks = 1;
	extents->only.runs = extents->few;
	extents->only.first_index = 0;
	extents->only.nruns = 1;
	extents->only.max_runs = ARRAY_SIZE(extents->few);
	extents->few[0] = 0;
}

/* Gives back the memory of a store; it must be initialised again before use. */
static inline void extents_destroy(struct extents *extents)
{
	/* Most stores have none. */
	if (extents->chunks != &extents->only || extents->only.runs != extents->few)
		extents_free_chunks(extents);
}

/* Makes a store one hole again. Never fails, allocates nothing. */
static inline void extents_reset(struct extents *extents)
{
	extents_destroy(extents);
	extents_init(extents, extents->npages);
}

/*
 * Begins a walk over the runs, holes too, of the pages from @first_index to @last_index,
 * inclusive: sets @cursor and @run, clipped to the range. False if the range is empty.
 */
static inline bool extents_first(const struct extents *extents,
				 struct extent_cursor *cursor, unsigned long first_index,
				 unsigned long last_index, struct extent *run)
{
	if (first_index > last_index || last_index >= extents->npages)
		return false;
	if (extents->nchunks > 1 || extents->only.nruns > 1) {
		extents_find(extents, cursor, first_index, last_index, run);
		return true;
	}
	/* One run over everything is by far the most frequent store. */
	run->index = first_index;
	run->npages = last_index - first_index + 1;
	run->kind = extent_run_kind(extents->only.runs[0]);
	run->pfn = (extents->only.runs[0] & EXTENT_PFN_MASK) +
		   (run->kind == EXTENT_HOLE ? 0 : first_index);
	return true;
}

/*
 * Goes on with a walk: turns @run from the previous run into the next one, clipped to
 * the range. False if the previous one was the last.
 */
static inline bool extents_next(const struct extents *extents,
				struct extent_cursor *cursor, unsigned long last_index,
				struct extent *run)
{
	if (run->index + run->npages > last_index)
		return false;
	extents_step(extents, cursor, last_index, run);
	return true;
}

#endif
