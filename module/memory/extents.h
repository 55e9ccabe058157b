/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * extents: maps the page indexes of one run of user memory to PFNs, run-length coded.
 *
 * Owns: struct extents and its memory. It takes no lock: the lock of the structure that embeds it
 * guards it. It pins nothing, and knows nothing of domains.
 */
#ifndef VFIO_IOAS_EXTENTS_H
#define VFIO_IOAS_EXTENTS_H

#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/types.h>

/* The kind of memory behind the pages of a run; two bits of a stored run. */
enum extent_kind {
	EXTENT_HOLE,		/* no memory: not pinned */
	EXTENT_CHARGED,		/* pinned, charged against RLIMIT_MEMLOCK */
	EXTENT_RESERVED,	/* pinned, but a reserved page: never charged */
	EXTENT_MMIO,		/* device memory: neither pinned nor charged */
};

static inline bool extent_is_pinned(enum extent_kind kind)
{
	return kind == EXTENT_CHARGED || kind == EXTENT_RESERVED;
}

/* A run of physically consecutive pages of one kind, in the form that callers see. */
struct extent {
	unsigned long index;	/* of the first page */
	unsigned long npages;
	unsigned long pfn;	/* of the first page; 0 for a hole */
	enum extent_kind kind;
};

/*
 * A stored run has the index where it begins, not where it ends:
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
#define EXTENT_MAX_START	((1UL << (64 - EXTENT_START_SHIFT)) - 1)

static inline u64 extent_run_encode(unsigned long start, enum extent_kind kind,
				    unsigned long pfn)
{
	return (u64)start << EXTENT_START_SHIFT | (u64)kind << EXTENT_PFN_BITS | pfn;
}

static inline unsigned long extent_run_start(u64 run)
{
	return run >> EXTENT_START_SHIFT;
}

static inline enum extent_kind extent_run_kind(u64 run)
{
	return run >> EXTENT_PFN_BITS & ((1 << EXTENT_KIND_BITS) - 1);
}

/*
 * Up to EXTENT_CHUNK_RUNS runs in ascending order. The last one ends where the next chunk begins.
 */
struct extent_chunk {
	u64 *runs;
	unsigned long first_index;	/* of the page at which runs[0] begins */
	unsigned int nruns;
	unsigned int max_runs;
};

struct extents {
	unsigned long npages;
	struct extent_chunk *chunks;	/* &only, or an array of max_chunks */
	unsigned int nchunks;
	unsigned int max_chunks;
	struct extent_chunk only;	/* most stores never need a second one */
	u64 few[2];			/* runs of a store that needs no allocation */
};

/* A position in struct extents; any change of the extents invalidates it. */
struct extent_cursor {
	unsigned int chunk;
	unsigned int slot;
};

/**
 * extents_free_chunks() - the part of extents_destroy() for extents that have allocated memory
 * @extents: the extents
 *
 * Context: may sleep.
 */
void extents_free_chunks(struct extents *extents);

/**
 * extents_cut() - make a run begin at a page
 * @extents: the extents
 * @index: of the page; at most the number of pages
 *
 * This only changes the number of pieces that a walk by extents_first() and extents_next() returns.
 * It does nothing at either end of the extents, or in a hole, which is never in pieces.
 *
 * Context: may sleep, allocates (charged to the caller's memory cgroup).
 * Return: 0, or -ENOMEM with nothing changed.
 */
int extents_cut(struct extents *extents, unsigned long index);

/**
 * extents_join() - undo extents_cut()
 * @extents: the extents
 * @index: as given to extents_cut()
 *
 * Joins the two runs that meet there, if the upper one is of the same kind and continues the lower
 * one in memory. Frees memory that is not needed any more.
 *
 * Context: may sleep. Never fails, never allocates.
 */
void extents_join(struct extents *extents, unsigned long index);

/**
 * extents_set_part() - the part of extents_set() that has to search
 * @extents: the extents
 * @run: as given to extents_set()
 *
 * Context: may sleep, allocates (charged to the caller's memory cgroup).
 * Return: as extents_set().
 */
int extents_set_part(struct extents *extents, const struct extent *run);

/**
 * extents_clear() - make a range a hole
 * @extents: the extents
 * @first_index: first page of the range
 * @last_index: last page of the range, inclusive
 *
 * A run that is no hole must have been cut at both ends of the range. The new hole merges with the
 * holes beside it. Frees memory that is not needed any more.
 *
 * Context: may sleep. Never fails, never allocates.
 */
void extents_clear(struct extents *extents, unsigned long first_index,
		   unsigned long last_index);

/**
 * extents_find() - the part of extents_first() that has to search
 * @extents: the extents
 * @cursor: of the walk, set here
 * @first_index: first page of the range
 * @last_index: last page of the range, inclusive, not below @first_index
 * @run: receives the first run, clipped to the range
 *
 * Context: any.
 */
void extents_find(const struct extents *extents, struct extent_cursor *cursor,
		  unsigned long first_index, unsigned long last_index,
		  struct extent *run);

/**
 * extents_step_slowly() - the part of extents_next() for the last runs of a chunk
 * @extents: the extents, unchanged since extents_first()
 * @cursor: of the walk
 * @last_index: as given to extents_first()
 * @run: in: the previous run, not the last of the range; out: the next one
 *
 * Context: any.
 */
void extents_step_slowly(const struct extents *extents, struct extent_cursor *cursor,
			 unsigned long last_index, struct extent *run);

/* Makes a hole of @npages pages, at least 1. Allocates nothing. */
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

/* Frees the memory of the extents, which must be initialised again before use. */
static inline void extents_destroy(struct extents *extents)
{
	/* Most stores have no allocated memory. */
	if (extents->chunks != &extents->only || extents->only.runs != extents->few)
		extents_free_chunks(extents);
}

/* By far most stores are one run. */
static inline bool extents_is_one_run(const struct extents *extents)
{
	return extents->nchunks == 1 && extents->only.nruns == 1;
}

/* The first PFN of that one run; 0 for a hole. */
static inline unsigned long extents_only_pfn(const struct extents *extents)
{
	return extents->only.runs[0] & EXTENT_PFN_MASK;
}

static inline enum extent_kind extents_only_kind(const struct extents *extents)
{
	return extent_run_kind(extents->only.runs[0]);
}

/* Replaces the memory behind extents that are one run. */
static inline void extents_set_only(struct extents *extents, enum extent_kind kind,
				    unsigned long pfn)
{
	extents->only.runs[0] = extent_run_encode(0, kind, pfn);
}

/* Makes the extents one hole again. Never fails, allocates nothing. */
static inline void extents_reset(struct extents *extents)
{
	if (extents_is_one_run(extents)) {
		extents_set_only(extents, EXTENT_HOLE, 0);
		return;
	}
	extents_destroy(extents);
	extents_init(extents, extents->npages);
}

/*
 * Stores are filled from front to back, so a new run mostly lies at the start of a hole that
 * extends to the end of the extents. Returns false if it does not, or if there is no room for the
 * rest of that hole.
 */
static inline bool extents_append(struct extents *extents, const struct extent *run)
{
	struct extent_chunk *chunk = &extents->chunks[extents->nchunks - 1];
	unsigned long start = run->index - chunk->first_index;
	u64 *last = &chunk->runs[chunk->nruns - 1];

	if (run->index < chunk->first_index ||
	    *last != extent_run_encode(start, EXTENT_HOLE, 0) || start > EXTENT_MAX_START)
		return false;
	if (run->index + run->npages < extents->npages) {
		if (chunk->nruns == chunk->max_runs ||
		    start + run->npages > EXTENT_MAX_START)
			return false;
		last[1] = extent_run_encode(start + run->npages, EXTENT_HOLE, 0);
		chunk->nruns++;
	}
	*last = extent_run_encode(start, run->kind, run->pfn);
	return true;
}

/*
 * Records the memory behind the pages of @run, which must all lie in one hole. Returns 0, or with
 * nothing changed: -ENOMEM; -EINVAL and a warning if they do not lie in one hole. May sleep.
 */
static inline int extents_set(struct extents *extents, const struct extent *run)
{
	return extents_append(extents, run) ? 0 : extents_set_part(extents, run);
}

/*
 * Begins a walk over the runs, holes included, of the pages from @first_index to @last_index,
 * inclusive. Sets @cursor and @run, which is clipped to the range. Returns false if the range is
 * empty, or reaches beyond the extents.
 */
static inline bool extents_first(const struct extents *extents,
				 struct extent_cursor *cursor, unsigned long first_index,
				 unsigned long last_index, struct extent *run)
{
	if (first_index > last_index || last_index >= extents->npages)
		return false;
	if (!extents_is_one_run(extents)) {
		extents_find(extents, cursor, first_index, last_index, run);
		return true;
	}
	run->index = first_index;
	run->npages = last_index - first_index + 1;
	run->kind = extents_only_kind(extents);
	run->pfn = extents_only_pfn(extents) +
		   (run->kind == EXTENT_HOLE ? 0 : first_index);
	return true;
}

/*
 * Continues a walk: replaces @run, the previous run, by the next one, clipped to the range. Returns
 * false if the previous run was the last.
 */
static inline bool extents_next(const struct extents *extents,
				struct extent_cursor *cursor, unsigned long last_index,
				struct extent *run)
{
	const struct extent_chunk *chunk;
	u64 *next;

	if (run->index + run->npages > last_index)
		return false;
	/* Extents of one run have returned above, so extents_find() has set the cursor. */
	chunk = &extents->chunks[cursor->chunk];
	if (cursor->slot + 2 >= chunk->nruns) {
		extents_step_slowly(extents, cursor, last_index, run);
		return true;
	}
	next = &chunk->runs[++cursor->slot];
	run->index += run->npages;
	run->npages = min(chunk->first_index + extent_run_start(next[1]), last_index + 1) -
		      run->index;
	run->kind = extent_run_kind(next[0]);
	run->pfn = next[0] & EXTENT_PFN_MASK;
	return true;
}

/* Does @next, which begins where @run ends, continue it with the same kind of memory? */
static inline bool extent_continues(const struct extent *run, const struct extent *next)
{
	return next->kind == run->kind &&
	       (run->kind == EXTENT_HOLE || next->pfn == run->pfn + run->npages);
}

/*
 * As extents_next(), but returns cut runs in one piece. On entry @next is the next stored run. Sets
 * @run to the whole run that begins there, and moves @next to the stored run behind it. Returns
 * false if there is none. May sleep.
 */
static inline bool extents_next_whole(const struct extents *extents,
				      struct extent_cursor *cursor, unsigned long last_index,
				      struct extent *next, struct extent *run)
{
	*run = *next;
	while (extents_next(extents, cursor, last_index, next)) {
		if (likely(!extent_continues(run, next)))
			return true;
		run->npages += next->npages;
		cond_resched();
	}
	return false;
}

#endif
