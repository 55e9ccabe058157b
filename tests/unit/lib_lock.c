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
	unsigned int next = random_below(&turns.seed, turns.nthreads);

	if (!turns.nleft)
		return;
	while (turns.done[next] || (next == self && turns.nleft > 1))
		next = (next + 1) % turns.nthreads;
	turns.running = next;
	pthread_cond_broadcast(&turns.next_turn);
}

void shim_yield(void)
{
	if (turns.nthreads && !random_below(&turns.seed, 3)) {
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

void shim_run_threads(const struct shim_thread *threads, unsigned int nthreads,
		      unsigned long seed)
{
	pthread_t ids[MAX_THREADS];
	unsigned long i;

	turns.threads = threads;
	turns.nthreads = nthreads;
	turns.nleft = nthreads;
	turns.seed = seed;
	turns.idle_turns = 0;
	turns.running = random_below(&turns.seed, nthreads);
	memset(turns.done, 0, sizeof(turns.done));
	for (i = 0; i < nthreads; i++)
		if (pthread_create(&ids[i], NULL, run_thread, (void *)i))
			abort();
	for (i = 0; i < nthreads; i++)
		pthread_join(ids[i], NULL);
	turns.nthreads = 0;
}

void shim_lock_read(struct shim_lock *lock)
{
	while (lock->written)
		shim_wait();
	lock->nreaders++;
}

void shim_lock_write(struct shim_lock *lock)
{
	while (lock->written || lock->nreaders)
		shim_wait();
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
