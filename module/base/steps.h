/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * steps: bounds the work that is done under a spinlock.
 *
 * Walks and searches under a spinlock call count_step() for each node that they visit. Test builds
 * complain if there are more than STEPS_AT_ONCE steps under one lock. Other builds do not count.
 *
 * The alignment of functions with long walks is defined here, too.
 */
#ifndef VFIO_IOAS_STEPS_H
#define VFIO_IOAS_STEPS_H

#include <linux/spinlock.h>

#define STEPS_AT_ONCE	1000

/*
 * Functions with long walks are aligned to this, and are smaller than this except on debug kernels.
 * So each lies on one page of code, wherever the linker puts it. If a loop lies on two pages, TCG
 * looks up the other page on each iteration, which takes longer than our own part of a step.
 */
#define WALK_NBYTES	2048

#ifdef VFIO_IOAS_COUNT_STEPS

/* Only test builds define these: the lock was taken, and one node was visited. */
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
