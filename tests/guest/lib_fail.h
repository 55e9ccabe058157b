/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_fail.h - an operation that fails in the middle leaves nothing behind. The n-th thing in it
 * that can fail is made to fail, for all n until nothing fails.
 *
 * The selftest build counts allocations, pins and domain maps of the engine itself (its parameter
 * fail_nth). A kernel with fault injection counts all slab and page allocations and user copies
 * (/proc/self/fail-nth).
 */
#ifndef GUEST_LIB_FAIL_H
#define GUEST_LIB_FAIL_H

#include <stdbool.h>
#include <stdint.h>

struct operation {
	int (*run)(void);	/* 0 or -errno */
	void (*undo)(void);	/* also called after a failure, when there is nothing to undo */
	uint64_t (*look)(void);	/* optional: a hash of what devices and accesses see, not 0 */
	bool look_is_slow;
	const char *ignore[2];	/* words of the status file that may differ */
};

/* Selects the kernel's counter, or our own. Skips the test where that one is missing. */
void use_kernel_counter(void);
void use_own_counter(void);

/*
 * Lets an operation fail at each point, and checks that
 * - the errno is -ENOMEM or -EFAULT;
 * - a failure leaves pins, charges, the status file and contents as they were;
 * - a success has the usual effect;
 * - the operation can then be undone, done, and undone once more.
 */
void sweep(const struct operation *operation);

/* Checks that an operation succeeds even if its first thing that can fail does. */
void check_that_nothing_fails(int (*run)(void));

#endif
