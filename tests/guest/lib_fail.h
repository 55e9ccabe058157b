/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_fail.h - what fails in the middle leaves nothing behind: for an operation, the n-th
 * thing that can fail is made to fail, for all n until nothing does.
 *
 * The selftest build counts allocations, pins and domain maps of the engine
 * itself (its parameter fail_nth). A kernel with fault injection does the same
 * for all slab and page allocations and user copies (/proc/self/fail-nth).
 */
#ifndef GUEST_LIB_FAIL_H
#define GUEST_LIB_FAIL_H

struct operation {
	int (*run)(void);	/* 0 or -errno */
	void (*undo)(void);	/* also after a failure, when there is nothing */
};

/* Who counts; skips the test where it cannot. */
void use_kernel_counter(void);
void use_own_counter(void);

/* Checks that nothing is left pinned or charged, and an error says what happened. */
void sweep(const struct operation *operation);

/* Checks that an operation works even if the first thing in it that can fail would. */
void check_that_nothing_fails(int (*run)(void));

#endif
