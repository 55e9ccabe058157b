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

/* Notes of the invariant checker on a store, an account or a context; its own but for @count. */
struct selftest_tally {
	unsigned long look;	/* the last one that met it */
	void *next;		/* what that one had met before */
	unsigned long nseen;	/* areas of a store; charged pages of an account */
	unsigned long npins;	/* of these areas */
	atomic_long_t count;	/* pages charged to an account; IOASs of a context */
};

static inline void selftest_tally_init(struct selftest_tally *tally)
{
	*tally = (struct selftest_tally){ };
}

/* An account is constant to those who charge it, but for this. */
static inline void selftest_count(const struct selftest_tally *tally, long change)
{
	atomic_long_add(change, (atomic_long_t *)&tally->count);
}

static inline long selftest_counted(const struct selftest_tally *tally)
{
	return atomic_long_read(&tally->count);
}

/* A context begins, or has ended. */
void selftest_note_ctx(int change);

/*
 * A call is over that had to do with a context, which the caller keeps: all must be as it is when
 * nobody is inside. The caller may hold what it may hold when it calls us, but nothing of ours.
 */
void selftest_look(struct ioas_ctx *ctx);

/* The same for a container, which is found if it is still there. */
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
