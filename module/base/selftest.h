/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * selftest: hooks of the selftest build (tests/kmod/selftest/). They are empty in the module that
 * is installed.
 */
#ifndef VFIO_IOAS_SELFTEST_H
#define VFIO_IOAS_SELFTEST_H

struct ioas_ctx;

#ifdef VFIO_IOAS_SELFTEST

#include <linux/atomic.h>

/* Notes of the invariant checker on a store, an account or a context. All but @count is its own. */
struct selftest_tally {
	unsigned long look;	/* the last look that met it */
	void *next;		/* what that look had met before */
	unsigned long nseen;	/* areas of a store; charged pages of an account */
	unsigned long npins;	/* of these areas */
	atomic_long_t count;	/* pages charged to an account; IOASs of a context */
};

static inline void selftest_tally_init(struct selftest_tally *tally)
{
	*tally = (struct selftest_tally){ };
}

/* Casts const away: an account is constant for the code that charges it, except for this count. */
static inline void selftest_count(const struct selftest_tally *tally, long change)
{
	atomic_long_add(change, (atomic_long_t *)&tally->count);
}

static inline long selftest_counted(const struct selftest_tally *tally)
{
	return atomic_long_read(&tally->count);
}

/**
 * selftest_note_ctx() - count a context
 * @change: 1: it begins; -1: it has ended
 */
void selftest_note_ctx(int change);

/**
 * selftest_look() - check invariants after a call that used a context
 * @ctx: the context, which the caller keeps
 *
 * Everything must be as it is while no thread is inside.
 *
 * Context: may sleep. The caller may hold locks of its own, as when it calls the module, but none
 * of the module's.
 */
void selftest_look(struct ioas_ctx *ctx);

/**
 * selftest_look_at_container() - as selftest_look(), for a container
 * @handle: the container, if it still exists
 */
void selftest_look_at_container(void *handle);

#else

struct selftest_tally { };

static inline void selftest_tally_init(struct selftest_tally *tally) { }
static inline void selftest_count(const struct selftest_tally *tally, long change) { }
static inline long selftest_counted(const struct selftest_tally *tally) { return 0; }
static inline void selftest_note_ctx(int change) { }
static inline void selftest_look(struct ioas_ctx *ctx) { }
static inline void selftest_look_at_container(void *handle) { }

#endif
#endif
