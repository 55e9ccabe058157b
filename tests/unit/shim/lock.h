/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locks, waiting, and threads that take turns.
 *
 * A test has one thread, or those it gives to shim_run_threads(). One runs at a time; only
 * where the kernel could sleep or take a lock may it be another's turn, by a random
 * number, so that the same seed gives the same order. That locks are held where they must
 * be, and nobody sleeps where he must not, is checked; so is that not all wait.
 */
#ifndef SHIM_LOCK_H
#define SHIM_LOCK_H

struct shim_lock {
	unsigned int nreaders;
	bool written;
};

struct shim_thread {
	void (*function)(void *data);
	void *data;
};

/* Runs them until all have returned. At most 8. */
void shim_run_threads(const struct shim_thread *threads, unsigned int nthreads,
		      unsigned long seed);

/* It may be another thread's turn. */
void shim_yield(void);

/* It has to be another thread's turn. */
void shim_wait(void);

/* It is another thread's turn, if there is one. */
void shim_pass_time(void);

/* The caller gets further, and could sleep. */
void shim_might_sleep(void);

void shim_lock_read(struct shim_lock *lock);
void shim_lock_write(struct shim_lock *lock);
void shim_unlock_read(struct shim_lock *lock);
void shim_unlock_write(struct shim_lock *lock);

extern unsigned int shim_atomic;	/* spin locks held */

typedef struct {
	struct shim_lock shim;
} spinlock_t;

struct mutex {
	struct shim_lock shim;
};

struct rw_semaphore {
	struct shim_lock shim;
};

#define shim_lock_init(lock)		((void)memset(lock, 0, sizeof(*(lock))))
#define spin_lock_init(lock)		shim_lock_init(lock)
#define mutex_init(lock)		shim_lock_init(lock)
#define init_rwsem(lock)		shim_lock_init(lock)

static inline void spin_lock(spinlock_t *lock)
{
	if (!shim_atomic)
		shim_yield();
	shim_lock_write(&lock->shim);
	shim_atomic++;
}

static inline void spin_unlock(spinlock_t *lock)
{
	shim_atomic--;
	shim_unlock_write(&lock->shim);
}

static inline void cond_resched_lock(spinlock_t *lock)
{
	spin_unlock(lock);
	spin_lock(lock);
}

static inline void mutex_lock(struct mutex *lock)
{
	shim_might_sleep();
	shim_lock_write(&lock->shim);
}

static inline bool down_read_trylock(struct rw_semaphore *lock)
{
	if (lock->shim.written)
		return false;
	shim_lock_read(&lock->shim);
	return true;
}

static inline void down_read(struct rw_semaphore *lock)
{
	shim_might_sleep();
	shim_lock_read(&lock->shim);
}

static inline void down_write(struct rw_semaphore *lock)
{
	shim_might_sleep();
	shim_lock_write(&lock->shim);
}

static inline void downgrade_write(struct rw_semaphore *lock)
{
	shim_unlock_write(&lock->shim);
	shim_lock_read(&lock->shim);
}

#define mutex_unlock(lock)		shim_unlock_write(&(lock)->shim)
#define mutex_destroy(lock)		WARN_ON((lock)->shim.written)
#define up_read(lock)			shim_unlock_read(&(lock)->shim)
#define up_write(lock)			shim_unlock_write(&(lock)->shim)
#define cond_resched()			shim_might_sleep()

#define lockdep_assert_held(lock) \
	WARN_ON(!(lock)->shim.written && !(lock)->shim.nreaders)
#define lockdep_assert_held_read(lock)	WARN_ON(!(lock)->shim.nreaders)
#define lockdep_assert_held_write(lock)	WARN_ON(!(lock)->shim.written)

/* Who waits looks again whenever it is his turn, so nobody has to be woken. */
typedef struct {
	char unused;
} wait_queue_head_t;

#define init_waitqueue_head(queue)	((void)(queue))
#define waitqueue_active(queue)		((void)(queue), true)
#define wq_has_sleeper(queue)		((void)(queue), true)
#define wake_up_all(queue)		((void)(queue))
#define wake_up_var(variable)		((void)(variable))

#define wait_event(queue, condition)			\
	do {						\
		shim_might_sleep();			\
		while (!(condition))			\
			shim_wait();			\
	} while (0)
#define wait_var_event(variable, condition)	wait_event(variable, condition)

/* Time passes for who waits only: a jiffy a turn of others, if there are any. */
#define HZ	1000

#define wait_event_timeout(queue, condition, jiffies)	\
({							\
	long _left = (jiffies);				\
							\
	shim_might_sleep();				\
	while (!(condition) && --_left)			\
		shim_pass_time();			\
	_left;						\
})

#endif
