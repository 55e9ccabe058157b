/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locks, waiting, and threads that take turns.
 *
 * A test has one thread, or those that it gives to shim_run_threads(). One runs at a time. It can
 * be another thread's turn only where the kernel could sleep or take a lock. Random numbers decide,
 * so that the same seed gives the same order; or a test goes through all orders.
 *
 * Checked: locks are held where they must be, nobody sleeps where that is not allowed, and not all
 * threads wait. Locks are fair: while a writer waits, no reader gets in. A thread that waits for an
 * event looks again when it is woken, and not before.
 *
 * Locks that are initialised by the same words are of one class. If a thread takes one class while
 * it holds another, no thread may ever take them in the opposite order, not even by way of further
 * classes. A thread holds one lock of a class at a time, and releases only locks that it has taken.
 */
#ifndef SHIM_LOCK_H
#define SHIM_LOCK_H

struct shim_lock {
	unsigned int nreaders;
	bool written;
	unsigned int nwriters_waiting;
	const char *name;		/* of its class; NULL: the order is not checked */
	unsigned int class;		/* 1 + its number; 0: not known yet */
};

/* How the calling thread holds a lock. */
enum shim_hold {
	HOLDS_NOTHING,
	HOLDS_READ,
	HOLDS_WRITE,
};

enum shim_hold shim_held(const struct shim_lock *lock);

/* Checks that the calling thread holds no lock and is in no RCU section. */
void shim_check_nothing_held(void);

struct shim_thread {
	void (*function)(void *data);
	void *data;
};

/* Runs at most 8 threads until all have returned. */
void shim_run_threads(const struct shim_thread *threads, unsigned int nthreads,
		      unsigned long seed);

/*
 * Runs threads in one order. The first thread begins. The next one gets its turn where a thread has
 * to wait, and at two occasions, @first and @second, counted from 0. Each point where it could be
 * another thread's turn is an occasion. Returns how many occasions there were.
 */
unsigned long shim_run_in_order(const struct shim_thread *threads, unsigned int nthreads,
				unsigned long first, unsigned long second);

/*
 * Executes the body for each pair of occasions. The body sets @noccasions to the result of
 * shim_run_in_order().
 */
#define shim_for_each_order(first, second, noccasions)			\
	for (first = 0, noccasions = 2; first + 1 < noccasions; first++)	\
		for (second = first + 1; second < noccasions; second++)

/* The number of the thread whose turn it is; 0 outside of shim_run_threads(). */
unsigned int shim_self(void);

/* The caller can go on: it may become another thread's turn. */
void shim_yield(void);

/* The caller has to wait: it becomes another thread's turn. */
void shim_wait(void);

/* Time passes: it becomes another thread's turn, if there is one. */
void shim_pass_time(void);
extern unsigned long shim_njiffies;	/* so far taken by waits with a time limit */

/* The caller gets further, at a point where it could sleep. */
void shim_might_sleep(void);

/* Return 0; or -EINTR if @killable, and the caller has to wait and is dying. */
int shim_lock_read(struct shim_lock *lock, bool killable);
int shim_lock_write(struct shim_lock *lock, bool killable);
bool shim_trylock_read(struct shim_lock *lock);
bool shim_trylock_write(struct shim_lock *lock);
void shim_downgrade(struct shim_lock *lock);
void shim_unlock_read(struct shim_lock *lock);

/*
 * A writer that waits can get the lock before this function last touches it, as in the kernel. Only
 * RCU then keeps the memory of the lock: the kernel has preemption disabled there.
 */
void shim_up_read(struct shim_lock *lock);
void shim_unlock_write(struct shim_lock *lock);

extern unsigned int shim_atomic;	/* spinlocks held */
extern unsigned long shim_npauses;	/* calls of cond_resched() */

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
#define shim_init_class(lock)		(shim_lock_init(lock), (void)((lock)->shim.name = #lock))
#define spin_lock_init(lock)		shim_init_class(lock)
#define mutex_init(lock)		shim_init_class(lock)
#define init_rwsem(lock)		shim_init_class(lock)

static inline void spin_lock(spinlock_t *lock)
{
	if (!shim_atomic)
		shim_yield();
	shim_lock_write(&lock->shim, false);
	shim_atomic++;
}

static inline void shim_gap(void)
{
	if (!shim_atomic)
		shim_yield();
}

static inline void spin_unlock(spinlock_t *lock)
{
	shim_atomic--;
	shim_unlock_write(&lock->shim);
	shim_gap();
}

static inline void mutex_lock(struct mutex *lock)
{
	shim_might_sleep();
	shim_lock_write(&lock->shim, false);
}

static inline bool mutex_trylock(struct mutex *lock)
{
	return shim_trylock_write(&lock->shim);
}

static inline bool down_read_trylock(struct rw_semaphore *lock)
{
	return shim_trylock_read(&lock->shim);
}

static inline void down_read(struct rw_semaphore *lock)
{
	shim_might_sleep();
	shim_lock_read(&lock->shim, false);
}

static inline int down_read_killable(struct rw_semaphore *lock)
{
	shim_might_sleep();
	return shim_lock_read(&lock->shim, true);
}

static inline void down_write(struct rw_semaphore *lock)
{
	shim_might_sleep();
	shim_lock_write(&lock->shim, false);
}

static inline int down_write_killable(struct rw_semaphore *lock)
{
	shim_might_sleep();
	return shim_lock_write(&lock->shim, true);
}

static inline void downgrade_write(struct rw_semaphore *lock)
{
	shim_downgrade(&lock->shim);
}

#define mutex_unlock(lock)		(shim_unlock_write(&(lock)->shim), shim_gap())
#define mutex_destroy(lock)		WARN_ON((lock)->shim.written)
#define up_read(lock)			shim_up_read(&(lock)->shim)
#define up_write(lock)			(shim_unlock_write(&(lock)->shim), shim_gap())
#define cond_resched()			((void)shim_npauses++, shim_might_sleep())

#define rwsem_is_locked(lock)		((lock)->shim.written || (lock)->shim.nreaders)

#define lockdep_is_held(lock)		(shim_held(&(lock)->shim) != HOLDS_NOTHING)
#define lockdep_assert_held(lock)	WARN_ON(shim_held(&(lock)->shim) == HOLDS_NOTHING)
#define lockdep_assert_held_read(lock)	WARN_ON(shim_held(&(lock)->shim) != HOLDS_READ)
#define lockdep_assert_held_write(lock)	WARN_ON(shim_held(&(lock)->shim) != HOLDS_WRITE)

typedef struct {
	unsigned long nwakes;
	unsigned int nwaiters;
} wait_queue_head_t;

#define init_waitqueue_head(queue)	shim_lock_init(queue)
#define waitqueue_active(queue)		((queue)->nwaiters > 0)
#define wq_has_sleeper(queue)		waitqueue_active(queue)

/* While a spinlock is held, each waiter that is woken counts as a step, see steps.h. */
void shim_wake(wait_queue_head_t *queue);
#define wake_up_all(queue)		shim_wake(queue)

/* Waits for another wake-up than the first @nwakes; for at most *@left turns, if that is not 0. */
void shim_sleep(wait_queue_head_t *queue, unsigned long nwakes, long *left, bool killable);
bool shim_is_dying(void);

#define ERESTARTSYS	512

/* 1, or with a limit the time that is left; 0 when the time is over; -ERESTARTSYS. */
#define shim_wait_event(queue, condition, jiffies, killable)		\
({									\
	long _left = (jiffies);						\
	bool _timed = _left;						\
	long _ret;							\
									\
	shim_might_sleep();						\
	(queue).nwaiters++;						\
	for (;;) {							\
		unsigned long _nwakes = (queue).nwakes;			\
									\
		_ret = _timed ? _left : 1;				\
		if (condition) {					\
			_ret = _ret ?: 1;				\
			break;						\
		}							\
		if ((killable) && shim_is_dying())			\
			_ret = -ERESTARTSYS;				\
		if (_ret <= 0)						\
			break;						\
		shim_sleep(&(queue), _nwakes, &_left, killable);	\
	}								\
	(queue).nwaiters--;						\
	_ret;								\
})

#define TASK_UNINTERRUPTIBLE	2
#define TASK_KILLABLE		258

/* Time passes only for threads that wait: each turn of another thread is a jiffy. */
#define HZ	1000

#define wait_event(queue, condition) \
	((void)shim_wait_event(queue, condition, 0, false))
#define wait_event_killable(queue, condition) \
	(shim_wait_event(queue, condition, 0, true) < 0 ? -ERESTARTSYS : 0)
#define wait_event_timeout(queue, condition, jiffies) \
	shim_wait_event(queue, condition, jiffies, false)
#define wait_event_killable_timeout(queue, condition, jiffies) \
	shim_wait_event(queue, condition, jiffies, true)

struct completion {
	wait_queue_head_t wait;
	bool done;
};

#define init_completion(completion)	shim_lock_init(completion)

static inline void complete(struct completion *completion)
{
	completion->done = true;
	wake_up_all(&completion->wait);
}

static inline void wait_for_completion(struct completion *completion)
{
	wait_event(completion->wait, completion->done);
}

#endif
