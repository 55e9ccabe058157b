// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks, and threads that take turns; shim/lock.h declares them.
 */
#include <pthread.h>

#include "kernel.h"
#include "lib_run.h"

#define MAX_THREADS	8
#define MANY_TURNS	1000000

unsigned int shim_atomic;
unsigned long shim_npauses;

/* All of it is changed only by the thread whose turn it is. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t next_turn;
	unsigned int running;
	unsigned int nthreads;		/* 0: shim_run_threads() is not under way */
	unsigned int nleft;		/* that have not returned */
	bool done[MAX_THREADS];
	const struct shim_thread *threads;
	unsigned long seed;
	unsigned long idle_turns;	/* since somebody got further */
	bool in_order;			/* as shim_run_in_order() says, not by a random number */
	unsigned long noccasions;
	unsigned long switches[2];
} turns = {
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.next_turn = PTHREAD_COND_INITIALIZER,
};

static __thread unsigned int self;

static void wait_for_turn(void)
{
	while (turns.running != self)
		pthread_cond_wait(&turns.next_turn, &turns.mutex);
}

/* Lets another thread run, if one is left. */
static void pass_turn(void)
{
	unsigned int next = (self + 1) % turns.nthreads;

	if (!turns.in_order)
		next = random_below(&turns.seed, turns.nthreads);
	if (!turns.nleft)
		return;
	while (turns.done[next] || (next == self && turns.nleft > 1))
		next = (next + 1) % turns.nthreads;
	turns.running = next;
	pthread_cond_broadcast(&turns.next_turn);
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
	if (turns.nthreads && is_anothers_turn()) {
		pass_turn();
		wait_for_turn();
	}
}

void shim_wait(void)
{
	WARN_ON(shim_atomic);
	if (turns.nthreads < 2 || turns.nleft < 2 || ++turns.idle_turns > MANY_TURNS)
		ck_abort_msg("waits for ever (SEED=%lu)", run_seed);
	pass_turn();
	wait_for_turn();
}

void shim_pass_time(void)
{
	if (turns.nthreads) {
		pass_turn();
		wait_for_turn();
	}
}

void shim_might_sleep(void)
{
	WARN_ON(shim_atomic);
	turns.idle_turns = 0;
	shim_yield();
}

static void *run_thread(void *number)
{
	self = (unsigned long)number;
	pthread_mutex_lock(&turns.mutex);
	wait_for_turn();
	turns.threads[self].function(turns.threads[self].data);
	turns.done[self] = true;
	turns.nleft--;
	pass_turn();
	pthread_mutex_unlock(&turns.mutex);
	return NULL;
}

bool shim_is_dying(void)
{
	return current && current->is_dying;
}

void shim_sleep(wait_queue_head_t *queue, unsigned long nwakes, long *left, bool killable)
{
	while (queue->nwakes == nwakes && !(killable && shim_is_dying())) {
		if (*left) {
			if (!--*left)
				return;
			shim_pass_time();
		} else {
			shim_wait();
		}
	}
}

static void run_threads(const struct shim_thread *threads, unsigned int nthreads)
{
	pthread_t ids[MAX_THREADS];
	unsigned long i;

	turns.threads = threads;
	turns.nthreads = nthreads;
	turns.nleft = nthreads;
	turns.idle_turns = 0;
	turns.noccasions = 0;
	memset(turns.done, 0, sizeof(turns.done));
	for (i = 0; i < nthreads; i++)
		if (pthread_create(&ids[i], NULL, run_thread, (void *)i))
			abort();
	for (i = 0; i < nthreads; i++)
		pthread_join(ids[i], NULL);
	turns.nthreads = 0;
}

void shim_run_threads(const struct shim_thread *threads, unsigned int nthreads,
		      unsigned long seed)
{
	turns.in_order = false;
	turns.seed = seed;
	turns.running = random_below(&turns.seed, nthreads);
	run_threads(threads, nthreads);
}

unsigned long shim_run_in_order(const struct shim_thread *threads, unsigned int nthreads,
				unsigned long first, unsigned long second)
{
	turns.in_order = true;
	turns.switches[0] = first;
	turns.switches[1] = second;
	turns.running = 0;
	run_threads(threads, nthreads);
	return turns.noccasions;
}

void shim_lock_read(struct shim_lock *lock)
{
	while (lock->written || lock->nwriters_waiting)
		shim_wait();
	lock->nreaders++;
}

void shim_lock_write(struct shim_lock *lock)
{
	lock->nwriters_waiting++;
	while (lock->written || lock->nreaders)
		shim_wait();
	lock->nwriters_waiting--;
	lock->written = true;
}

void shim_unlock_read(struct shim_lock *lock)
{
	WARN_ON(!lock->nreaders);
	lock->nreaders--;
}

void shim_unlock_write(struct shim_lock *lock)
{
	WARN_ON(!lock->written);
	lock->written = false;
}
