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

#include <stdbool.h>
#include <stdint.h>

struct operation {
	int (*run)(void);	/* 0 or -errno */
	void (*undo)(void);	/* also after a failure, when there is nothing */
	uint64_t (*look)(void);	/* a hash of what devices and accesses see, not 0; may be none */
	bool look_is_slow;
	const char *ignore[2];	/* words of the file status that may differ, and nobody else sees */
};

/* The kernel counts, or the selftest build; skips the test where that cannot. */
void use_kernel_counter(void);
void use_own_counter(void);

/*
 * Checks that an error says what happened; that what fails leaves all as it was (pins, charges,
 * what the file status shows, contents), and what does not fail has done the same as ever; and
 * that the operation then can be undone, done, and undone once more.
 */
void sweep(const struct operation *operation);

/* Checks that an operation works even if the first thing in it that can fail would. */
void check_that_nothing_fails(int (*run)(void));

#endif
