// SPDX-License-Identifier: GPL-2.0-only
/*
 * Warnings and memory; shim/kernel.h declares them.
 */
#include "kernel.h"
#include "lib_run.h"

unsigned long run_seed;
const char *(*run_describe)(void);
unsigned int shim_expected_warnings;
unsigned long shim_nmessages;
long shim_allocations;
long shim_npids;
size_t shim_allocated_nbytes;
long shim_fail_in;
long shim_added_first;
unsigned int shim_fail_one_in;
unsigned long shim_fail_seed;

const char *run_where(void)
{
	static char text[40];

	if (run_describe)
		return run_describe();
	snprintf(text, sizeof(text), "SEED=%lu", run_seed);
	return text;
}

bool shim_warn_if(bool bad, const char *condition)
{
	if (bad && !shim_expected_warnings--)
		ck_abort_msg("WARN_ON(%s) (%s)", condition, run_where());
	return bad;
}

struct block {
	size_t nbytes;
	struct block *next;	/* also waits for the end of RCU sections */
};

bool shim_fail_now(void)
{
	if (shim_fail_one_in && !random_below(&shim_fail_seed, shim_fail_one_in))
		return true;
	return shim_fail_in && !--shim_fail_in;
}

void *shim_alloc(size_t nbytes)
{
	struct block *block;

	shim_might_sleep();
	if (shim_fail_now())
		return NULL;
	block = malloc(sizeof(*block) + nbytes);
	if (!block)
		abort();
	memset(block, 0xa5, sizeof(*block) + nbytes);
	block->nbytes = nbytes;
	shim_allocations++;
	shim_allocated_nbytes += nbytes;
	return block + 1;
}

void shim_free(void *memory)
{
	struct block *block = (struct block *)memory - 1;

	if (!memory)
		return;
	shim_allocations--;
	shim_allocated_nbytes -= block->nbytes;
	free(block);
}

bool shim_defer_rcu;
unsigned int shim_in_rcu;
static void *deferred;
static struct block *waiting;		/* freed when no thread is in an RCU section */
static unsigned int nin_rcu;

void rcu_read_lock(void)
{
	shim_in_rcu++;
	nin_rcu++;
}

void rcu_read_unlock(void)
{
	struct block *block;

	expect(shim_in_rcu && nin_rcu);
	shim_in_rcu--;
	if (--nin_rcu)
		return;
	while ((block = waiting)) {
		waiting = block->next;
		shim_free(block + 1);
	}
}

void shim_free_rcu(void *memory)
{
	struct block *block = (struct block *)memory - 1;

	if (shim_defer_rcu) {
		ck_assert_ptr_null(deferred);
		deferred = memory;
	} else if (nin_rcu) {
		block->next = waiting;
		waiting = block;
	} else {
		shim_free(memory);
	}
}

void shim_end_rcu(void)
{
	shim_free(deferred);
	deferred = NULL;
	shim_defer_rcu = false;
}
