// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_fail.c - makes things fail in the middle; lib_fail.h says how
 */
#include <fcntl.h>

#include "lib.h"
#include "lib_fail.h"
#include "lib_native.h"

#define OWN_COUNTER	"/sys/module/vfio_ioas_selftest/parameters/fail_nth"
#define KERNEL_COUNTER	"/proc/self/fail-nth"
#define KERNEL_SETTINGS	"/sys/kernel/debug"

/* More than any operation here has. */
#define MAX_FAILURES	2000U

static bool own_counter;
static int counter_fd = -1;

static void use_counter(const char *path)
{
	counter_fd = open(path, O_RDWR | O_CLOEXEC);
	require_true(counter_fd >= 0);
}

static long try_arm(unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	return or_errno(pwrite(counter_fd, text, strlen(text), 0));
}

static void arm(unsigned int n)
{
	require_true(try_arm(n) > 0);
}

/*
 * How many were still to come; nothing fails any more. To ask can be what
 * fails: then it was all the operation had not come to.
 */
static unsigned int disarm(void)
{
	char text[16] = "1";
	long ret = or_errno(pread(counter_fd, text, sizeof(text) - 1, 0));

	if (ret < 0)
		check_true(ret == -EFAULT || ret == -ENOMEM);
	/* That can be what fails, too, and then there is nothing left to fail. */
	if (try_arm(0) < 0)
		arm(0);
	return strtoul(text, NULL, 10);
}

/* What failing may not change. */
struct state {
	long pinned_kib;
	long locked_kib;
	long long pins;
};

static struct state state_now(void)
{
	return (struct state){
		.pinned_kib = status_kib(0, "VmPin"),
		.locked_kib = status_kib(0, "VmLck"),
		.pins = pins_outstanding(),
	};
}

static void check_state(const struct state *before)
{
	struct state now = state_now();

	check_eq(now.pinned_kib, before->pinned_kib);
	check_eq(now.locked_kib, before->locked_kib);
	check_eq(now.pins, before->pins);
}

/*
 * A copy to user space that fails does so when all is done, and a map then
 * stays: what is left after undoing counts.
 */
void sweep(const struct operation *operation)
{
	struct state before;
	unsigned int n, left = 0;
	int ret;

	/* What the first time allocates for good is not to be seen. */
	require_eq(operation->run(), 0);
	operation->undo();
	before = state_now();
	for (n = 1; !left && n < MAX_FAILURES; n++) {
		context("failure %u: ", n);
		arm(n);
		ret = operation->run();
		left = disarm();
		if (left)
			check_eq(ret, 0);
		else if (ret)
			check_true(ret == -ENOMEM || ret == -EFAULT);
		if (ret && own_counter)
			check_state(&before);
		operation->undo();
		check_state(&before);
	}
	context("%s", "");
	check_true(left);
	check_true(n > 2);
	diag("%u failures", n - 2);
}

void check_that_nothing_fails(int (*run)(void))
{
	arm(1);
	check_eq(run(), 0);
	check_eq(disarm(), 1);
}

/* Kernels need not be able to let all three fail. */
static void kernel_setting(const char *name, const char *value)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), KERNEL_SETTINGS "/%s", name);
	ret = write_text(path, value);
	require_true(!ret || ret == -ENOENT);
}

void use_kernel_counter(void)
{
	if (access(KERNEL_COUNTER, W_OK))
		skip("the kernel has no fault injection");
	use_counter(KERNEL_COUNTER);
	kernel_setting("failslab/ignore-gfp-wait", "N");
	kernel_setting("failslab/verbose", "0");
	kernel_setting("fail_page_alloc/ignore-gfp-wait", "N");
	kernel_setting("fail_page_alloc/ignore-gfp-highmem", "N");
	kernel_setting("fail_page_alloc/min-order", "0");
	kernel_setting("fail_page_alloc/verbose", "0");
	kernel_setting("fail_usercopy/verbose", "0");
}

void use_own_counter(void)
{
	if (access(OWN_COUNTER, W_OK))
		skip("no selftest build of vfio_ioas is loaded");
	use_counter(OWN_COUNTER);
	own_counter = true;
}
