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
size_t shim_allocated_nbytes;
long shim_fail_in;

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
	size_t unused;		/* keeps the memory behind it aligned */
};

bool shim_fail_now(void)
{
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
static void *deferred;

void shim_free_rcu(void *block)
{
	if (!shim_defer_rcu) {
		shim_free(block);
		return;
	}
	ck_assert_ptr_null(deferred);
	deferred = block;
}

void shim_end_rcu(void)
{
	shim_free(deferred);
	deferred = NULL;
	shim_defer_rcu = false;
}
