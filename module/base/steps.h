/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * steps: how much is done between the lock and the unlock of a spinlock.
 *
 * Walks and searches under a spinlock say count_step() for each node that they visit. Test
 * builds complain about more than STEPS_AT_ONCE of them in one go; other builds do not count.
 *
 * Also: how the code of long walks is aligned.
 */
#ifndef VFIO_IOAS_STEPS_H
#define VFIO_IOAS_STEPS_H

#include <linux/spinlock.h>

#define STEPS_AT_ONCE	1000

/*
 * Functions with long walks are aligned to this, and smaller except on debug kernels. So each lies
 * on one page of code, wherever the linker puts it. Where a loop lies on two pages, TCG looks up
 * the other page each time it gets there, which takes longer than our own part of a step.
 */
#define WALK_NBYTES	2048

#ifdef VFIO_IOAS_COUNT_STEPS

/* A test build has these. */
void steps_begin(void);
void steps_count(void);

#define spin_lock(lock)			\
	do {				\
		(spin_lock)(lock);	\
		steps_begin();		\
	} while (0)
#define count_step()	steps_count()

#else

#define count_step()	((void)0)

#endif
#endif
