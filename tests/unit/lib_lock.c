// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks, and threads that take turns; shim/lock.h declares them.
 *
 * The threads are stacks that are switched, not threads of the system: only one runs at a time, and
 * on a busy machine a switch between threads of the system takes milliseconds.
 */
#include <ucontext.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define __sanitizer_start_switch_fiber(save, bottom, size)	((void)(save))
#define __sanitizer_finish_switch_fiber(save, bottom, size)	((void)(bottom), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size)		((void)0)
#endif

#include "kernel.h"
#include "lib_run.h"
#include "base/steps.h"

#define MAX_THREADS	8
#define MANY_TURNS	100000
#define MAX_HELD	16
#define MAX_CLASSES	32

unsigned int shim_atomic;
unsigned long shim_npauses;

#define STACK_NBYTES	(1 << 19)

/* A thread; the last fiber is the caller of shim_run_threads(). */
struct fiber {
	ucontext_t context;
	volatile bool goes_on;		/* getcontext() returns again: not after saving */
	struct task_struct *current;
	unsigned int in_rcu;
	const void *stack;
	size_t stack_nbytes;
	void *fake_stack;		/* the sanitizer's */
};

#define CALLER	MAX_THREADS

static struct {
	struct fiber fibers[MAX_THREADS + 1];
	unsigned int nthreads;		/* 0: shim_run_threads() is not under way */
	unsigned int nleft;		/* threads that have not returned */
	bool done[MAX_THREADS];
	const struct shim_thread *threads;
	unsigned long seed;
	unsigned long idle_turns;	/* turns since a thread got further */
	bool in_order;			/* switches as in shim_run_in_order(), not at random */
	unsigned long noccasions;
	unsigned long switches[2];
} turns;

static char stacks[MAX_THREADS][STACK_NBYTES] __aligned(64);
static unsigned int self = CALLER;
static unsigned int last;		/* the fiber that ran before */

unsigned int shim_self(void)
{
	return self == CALLER ? 0 : self;
}

/* Runs on the new stack, right after a switch. */
static void begin_turn(void)
{
	struct fiber *before = &turns.fibers[last];

	__sanitizer_finish_switch_fiber(turns.fibers[self].fake_stack, &before->stack,
					&before->stack_nbytes);
	current = turns.fibers[self].current;
	shim_in_rcu = turns.fibers[self].in_rcu;
}

/* Switches to another fiber, for good if @over. */
static void switch_to(unsigned int next, bool over)
{
	struct fiber *from = &turns.fibers[self];
	struct fiber *to = &turns.fibers[next];

	if (next == self)
		return;
	from->current = current;
	from->in_rcu = shim_in_rcu;
	last = self;
	self = next;
	__sanitizer_start_switch_fiber(over ? NULL : &from->fake_stack, to->stack,
				       to->stack_nbytes);
	/* Not swapcontext(): the sanitizer's replacement is slow. */
	from->goes_on = false;
	getcontext(&from->context);
	if (!from->goes_on) {
		to->goes_on = true;
		setcontext(&to->context);
	}
	begin_turn();
}

/* Lets another thread run, if one is left. */
static void pass_turn(bool over)
{
	unsigned int next = (self + 1) % turns.nthreads;

	if (!turns.in_order)
		next = random_below(&turns.seed, turns.nthreads);
	if (!turns.nleft) {
		switch_to(CALLER, over);
		return;
	}
	while (turns.done[next] || (next == self && turns.nleft > 1))
		next = (next + 1) % turns.nthreads;
	switch_to(next, over);
}

static bool is_anothers_turn(void)
{
	unsigned long occasion = turns.noccasions++;

	if (turns.in_order)
		return occasion == turns.switches[0] || occasion == turns.switches[1];
	return !random_below(&turns.seed, 3);
}

void shim_yield(void)
{
	if (turns.nthreads && is_anothers_turn())
		pass_turn(false);
}

void shim_wait(void)
{
	WARN_ON(shim_atomic);
	if (turns.nthreads < 2 || turns.nleft < 2 || ++turns.idle_turns > MANY_TURNS)
		ck_abort_msg("waits for ever (SEED=%lu)", run_seed);
	pass_turn(false);
}

void shim_pass_time(void)
{
	if (turns.nthreads)
		pass_turn(false);
}

void shim_might_sleep(void)
{
	WARN_ON(shim_atomic || shim_in_rcu);
	turns.idle_turns = 0;
	shim_yield();
}

static void run_thread(void)
{
	begin_turn();
	turns.threads[self].function(turns.threads[self].data);
	shim_check_nothing_held();
	turns.done[self] = true;
	turns.nleft--;
	pass_turn(true);
}

bool shim_is_dying(void)
{
	return current && current->is_dying;
}

unsigned long shim_njiffies;

void shim_sleep(wait_queue_head_t *queue, unsigned long nwakes, long *left, bool killable)
{
	while (queue->nwakes == nwakes && !(killable && shim_is_dying())) {
		if (*left) {
			shim_njiffies++;
			if (!--*left)
				return;
			shim_pass_time();
		} else {
			shim_wait();
		}
	}
}

void shim_wake(wait_queue_head_t *queue)
{
	unsigned int i;

	queue->nwakes++;
	for (i = 0; shim_atomic && i < queue->nwaiters; i++)
		steps_count();
}

static void make_fiber(unsigned int number)
{
	struct fiber *fiber = &turns.fibers[number];

	ASAN_UNPOISON_MEMORY_REGION(stacks[number], STACK_NBYTES);
	getcontext(&fiber->context);
	fiber->context.uc_stack.ss_sp = stacks[number];
	fiber->context.uc_stack.ss_size = STACK_NBYTES;
	fiber->context.uc_link = NULL;
	fiber->current = NULL;
	fiber->in_rcu = 0;
	fiber->stack = stacks[number];
	fiber->stack_nbytes = STACK_NBYTES;
	fiber->fake_stack = NULL;
	makecontext(&fiber->context, run_thread, 0);
}

static void run_threads(const struct shim_thread *threads, unsigned int nthreads,
			unsigned int first)
{
	unsigned int i;

	turns.threads = threads;
	turns.nthreads = nthreads;
	turns.nleft = nthreads;
	turns.idle_turns = 0;
	turns.noccasions = 0;
	memset(turns.done, 0, sizeof(turns.done));
	for (i = 0; i < nthreads; i++)
		make_fiber(i);
	switch_to(first, false);
	turns.nthreads = 0;
}

void shim_run_threads(const struct shim_thread *threads, unsigned int nthreads,
		      unsigned long seed)
{
	turns.in_order = false;
	turns.seed = seed;
	run_threads(threads, nthreads, random_below(&turns.seed, nthreads));
}

unsigned long shim_run_in_order(const struct shim_thread *threads, unsigned int nthreads,
				unsigned long first, unsigned long second)
{
	turns.in_order = true;
	turns.switches[0] = first;
	turns.switches[1] = second;
	run_threads(threads, nthreads, 0);
	return turns.noccasions;
}

/* --- which thread holds which locks, and in which order they are taken */

struct held {
	struct shim_lock *lock;
	enum shim_hold hold;
};

static struct holder {
	struct held locks[MAX_HELD];
	unsigned int nlocks;
} holders[MAX_THREADS + 1];

static const char *classes[MAX_CLASSES];
static unsigned int nclasses;
static bool is_outside[MAX_CLASSES][MAX_CLASSES];	/* the first was held, the second taken */

static unsigned int class_of(struct shim_lock *lock)
{
	unsigned int i = 0;

	if (lock->class)
		return lock->class - 1;
	while (i < nclasses && strcmp(classes[i], lock->name))
		i++;
	expect(i < MAX_CLASSES);
	classes[i] = lock->name;
	nclasses = max(nclasses, i + 1);
	lock->class = i + 1;
	return i;
}

/* Notes that @inner was taken while @outer was held, and the orders that follow from that. */
static void note_order(unsigned int outer, unsigned int inner)
{
	unsigned int i, j;

	if (is_outside[outer][inner])
		return;
	if (outer == inner || is_outside[inner][outer])
		ck_abort_msg("%s is taken inside of %s, and the other way round (%s)",
			     classes[inner], classes[outer], run_where());
	for (i = 0; i < nclasses; i++)
		for (j = 0; j < nclasses; j++)
			is_outside[i][j] |= (i == outer || is_outside[i][outer]) &&
					    (j == inner || is_outside[inner][j]);
}

static void check_order(struct shim_lock *lock)
{
	struct holder *me = &holders[self];
	unsigned int i;

	for (i = 0; i < me->nlocks; i++)
		if (lock->name && me->locks[i].lock->name)
			note_order(class_of(me->locks[i].lock), class_of(lock));
}

static void note_hold(struct shim_lock *lock, enum shim_hold hold)
{
	struct holder *me = &holders[self];

	expect(me->nlocks < MAX_HELD);
	me->locks[me->nlocks++] = (struct held){ lock, hold };
}

static struct held *find_held(const struct shim_lock *lock)
{
	struct holder *me = &holders[self];
	unsigned int i = me->nlocks;

	while (i--)
		if (me->locks[i].lock == lock)
			return &me->locks[i];
	return NULL;
}

static void forget_hold(const struct shim_lock *lock, enum shim_hold hold)
{
	struct holder *me = &holders[self];
	struct held *one = find_held(lock);

	expect(one && one->hold == hold);
	me->nlocks--;
	memmove(one, one + 1, (char *)&me->locks[me->nlocks] - (char *)one);
}

enum shim_hold shim_held(const struct shim_lock *lock)
{
	const struct held *one = find_held(lock);

	return one ? one->hold : HOLDS_NOTHING;
}

void shim_check_nothing_held(void)
{
	const struct holder *me = &holders[self];

	if (me->nlocks)
		ck_abort_msg("%s stays locked (%s)", me->locks[0].lock->name ?: "a lock",
			     run_where());
	expect(!shim_in_rcu && !shim_atomic);
}

static void take_read(struct shim_lock *lock)
{
	lock->nreaders++;
	note_hold(lock, HOLDS_READ);
}

static void take_write(struct shim_lock *lock)
{
	lock->written = true;
	note_hold(lock, HOLDS_WRITE);
}

int shim_lock_read(struct shim_lock *lock, bool killable)
{
	check_order(lock);
	while (lock->written || lock->nwriters_waiting) {
		if (killable && shim_is_dying())
			return -EINTR;
		shim_wait();
	}
	take_read(lock);
	return 0;
}

int shim_lock_write(struct shim_lock *lock, bool killable)
{
	int ret = 0;

	check_order(lock);
	lock->nwriters_waiting++;
	while (!ret && (lock->written || lock->nreaders)) {
		if (killable && shim_is_dying())
			ret = -EINTR;
		else
			shim_wait();
	}
	lock->nwriters_waiting--;
	if (!ret)
		take_write(lock);
	return ret;
}

/* The order is not checked: a trylock does not wait. */
bool shim_trylock_read(struct shim_lock *lock)
{
	if (lock->written || lock->nwriters_waiting)
		return false;
	take_read(lock);
	return true;
}

bool shim_trylock_write(struct shim_lock *lock)
{
	if (lock->written || lock->nreaders)
		return false;
	take_write(lock);
	return true;
}

void shim_unlock_read(struct shim_lock *lock)
{
	forget_hold(lock, HOLDS_READ);
	lock->nreaders--;
}

void shim_up_read(struct shim_lock *lock)
{
	bool wakes = lock->nwriters_waiting;

	shim_unlock_read(lock);
	if (!wakes || shim_atomic)
		return;
	rcu_read_lock();
	shim_yield();
	expect(lock->nreaders + lock->nwriters_waiting < MAX_THREADS);
	rcu_read_unlock();
}

void shim_unlock_write(struct shim_lock *lock)
{
	forget_hold(lock, HOLDS_WRITE);
	lock->written = false;
}

/* No writer gets the lock in between. */
void shim_downgrade(struct shim_lock *lock)
{
	shim_unlock_write(lock);
	take_read(lock);
}
