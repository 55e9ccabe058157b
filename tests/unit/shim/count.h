/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's counters. Threads of a test take turns: they are plain numbers.
 */
#ifndef SHIM_COUNT_H
#define SHIM_COUNT_H

typedef struct {
	long n;
} atomic_long_t;

typedef atomic_long_t atomic_t;
typedef atomic_long_t atomic64_t;
typedef atomic_long_t refcount_t;

#define atomic_set(count, value)	((void)((count)->n = (value)))
#define atomic_read(count)		((count)->n)
#define atomic_inc(count)		((void)(count)->n++)
#define atomic_dec_and_test(count)	(!--(count)->n)
#define atomic_long_read(count)		((count)->n)
#define atomic_long_inc(count)		((void)(count)->n++)
#define atomic_long_inc_return(count)	(++(count)->n)
#define atomic_long_dec(count)		((void)(count)->n--)
#define atomic_long_sub(value, count)	((void)((count)->n -= (value)))
#define atomic_long_sub_return(value, count)	((count)->n -= (value))
#define atomic64_add(value, count)	((void)((count)->n += (value)))
#define atomic64_sub(value, count)	((void)((count)->n -= (value)))

extern long shim_added_first;		/* added by another thread, just before the next cmpxchg */

static inline bool atomic_long_try_cmpxchg(atomic_long_t *count, long *old, long value)
{
	count->n += shim_added_first;
	shim_added_first = 0;
	if (count->n != *old) {
		*old = count->n;
		return false;
	}
	count->n = value;
	return true;
}

#define refcount_read(count)		((count)->n)
#define refcount_set(count, value)	((void)((count)->n = (value)))
#define refcount_inc(count)		((void)(WARN_ON(!(count)->n), (count)->n++))
#define refcount_dec_and_test(count)	(WARN_ON((count)->n <= 0), !--(count)->n)

#endif
