// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_fail.c - makes operations fail in the middle; see lib_fail.h
 */
#define _GNU_SOURCE
#include <fcntl.h>

#include "lib.h"
#include "lib_fail.h"
#include "lib_native.h"

#define OWN_COUNTER	"/sys/module/vfio_ioas_selftest/parameters/fail_nth"
#define KERNEL_COUNTER	"/proc/self/fail-nth"
#define KERNEL_SETTINGS	"/sys/kernel/debug"

/* More points of failure than any operation here has. */
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
 * Disarms the counter. Returns how many failures were still to come. The read itself can be what
 * fails. Then one failure was still to come when the operation ended.
 */
static unsigned int disarm(void)
{
	char text[16] = "1";
	long ret = or_errno(pread(counter_fd, text, sizeof(text) - 1, 0));

	if (ret < 0)
		check_true(ret == -EFAULT || ret == -ENOMEM);
	/* This call can fail on purpose, too. Then no failure is left. */
	if (try_arm(0) < 0)
		arm(0);
	return strtoul(text, NULL, 10);
}

/* --- what is compared */

#define STATUS		"/sys/kernel/debug/vfio_ioas/status"
#define SELFTEST_STATUS	"/sys/kernel/debug/vfio_ioas_selftest/status"
#define STATUS_BYTES	8192U
#define STATUS_LINES	100U

struct picture {
	long pinned_kib;
	long locked_kib;
	long long pins;
	uint64_t contents;		/* as look() sees them, 0 if it was not called */
	char status[STATUS_BYTES];	/* all objects, areas, charges, runs */
};

/* Removes all words that begin with @name from the text, with the blank before each. */
static void forget(char *text, const char *name)
{
	char *at = text;

	while ((at = strstr(at, name))) {
		size_t nbytes = strcspn(at + 1, "\n ") + 1;

		memmove(at, at + nbytes, strlen(at + nbytes) + 1);
	}
}

static int compare_lines(const void *one, const void *two)
{
	return strcmp(*(char *const *)one, *(char *const *)two);
}

/* Objects are listed in the order of their numbers. */
static void sort_lines(char *text, size_t nbytes)
{
	char *copy = strdup(text), *rest = copy, *lines[STATUS_LINES];
	size_t nlines = 0, i;

	require_true(copy);
	while ((lines[nlines] = strsep(&rest, "\n"))) {
		nlines++;
		require_true(nlines < STATUS_LINES);
	}
	qsort(lines, nlines, sizeof(lines[0]), compare_lines);
	for (*text = '\0', i = 0; i < nlines; i++) {
		strncat(text, lines[i], nbytes - strlen(text) - 1);
		strncat(text, "\n", nbytes - strlen(text) - 1);
	}
	free(copy);
}

/* Objects made anew get other numbers. */
static void forget_numbers(char *text, const struct operation *operation)
{
	forget(text, " id=");
	forget(text, " hwpt=");
	forget(text, " ioas=");
	forget(text, " context=");
	for (size_t i = 0; i < ARRAY_SIZE(operation->ignore) && operation->ignore[i]; i++)
		forget(text, operation->ignore[i]);
}

static void take_picture(struct picture *picture, const struct operation *operation,
			 uint64_t (*look)(void))
{
	memset(picture, 0, sizeof(*picture));
	picture->contents = look ? look() : 0;
	picture->pinned_kib = status_kib(0, "VmPin");
	picture->locked_kib = status_kib(0, "VmLck");
	picture->pins = pins_outstanding();
	read_whole(access(STATUS, R_OK) ? SELFTEST_STATUS : STATUS, picture->status,
		   sizeof(picture->status));
	forget_numbers(picture->status, operation);
	sort_lines(picture->status, sizeof(picture->status));
}

/* Contents are compared only if both pictures have them. */
static bool same(const struct picture *one, const struct picture *two)
{
	return one->pinned_kib == two->pinned_kib && one->locked_kib == two->locked_kib &&
	       one->pins == two->pins && strcmp(one->status, two->status) == 0 &&
	       (!one->contents || !two->contents || one->contents == two->contents);
}

static void check_picture_at(int line, const struct picture *now, const struct picture *expected)
{
	check_eq_at(__FILE__, line, "VmPin", now->pinned_kib, expected->pinned_kib);
	check_eq_at(__FILE__, line, "VmLck", now->locked_kib, expected->locked_kib);
	check_eq_at(__FILE__, line, "pins", now->pins, expected->pins);
	if (now->contents && expected->contents)
		check_true_at(__FILE__, line, "contents are the same",
			      now->contents == expected->contents);
	if (!check_true_at(__FILE__, line, "status is the same",
			   strcmp(now->status, expected->status) == 0)) {
		diag("expected %s", expected->status);
		diag("got %s", now->status);
	}
}

#define check_picture(now, expected)	check_picture_at(__LINE__, now, expected)

/* --- sweeps */

struct sweep {
	const struct operation *operation;
	struct picture before, after;	/* without a failure */
};

/* look() may take long. It is always called if the operation has succeeded. */
static uint64_t (*look_of(const struct sweep *sweep, unsigned int n, int ret))(void)
{
	const struct operation *operation = sweep->operation;

	return !operation->look_is_slow || !ret || n % 8 == 1 ? operation->look : NULL;
}

/* Undo leaves nothing, and then the operation works as if it had never failed. */
static void check_use(struct sweep *sweep, unsigned int n)
{
	const struct operation *operation = sweep->operation;
	static struct picture now;

	operation->undo();
	take_picture(&now, operation, operation->look_is_slow ? NULL : operation->look);
	check_picture(&now, &sweep->before);
	require_eq(operation->run(), 0);
	take_picture(&now, sweep->operation, look_of(sweep, n, -1));
	check_picture(&now, &sweep->after);
	operation->undo();
	take_picture(&now, operation, NULL);
	check_picture(&now, &sweep->before);
}

/*
 * Lets the n-th thing fail. A failed operation has changed nothing, with one exception: if the last
 * step, a copy to user space, fails, a map stays. Returns how many failures were still to come.
 */
static unsigned int fail_once(struct sweep *sweep, unsigned int n)
{
	static struct picture now;
	unsigned int left;
	int ret;

	arm(n);
	ret = sweep->operation->run();
	left = disarm();
	if (left)
		check_eq(ret, 0);
	else if (ret)
		check_true(ret == -ENOMEM || ret == -EFAULT);
	take_picture(&now, sweep->operation, look_of(sweep, n, ret));
	if (!ret)
		check_picture(&now, &sweep->after);
	else if (own_counter || ret != -EFAULT || !same(&now, &sweep->after))
		check_picture(&now, &sweep->before);
	check_use(sweep, n);
	return left;
}

void sweep(const struct operation *operation)
{
	static struct sweep sweep;
	unsigned int n, left = 0;

	/* The first run makes lasting allocations, so it is not compared. */
	sweep.operation = operation;
	require_eq(operation->run(), 0);
	operation->undo();
	take_picture(&sweep.before, operation, operation->look);
	require_eq(operation->run(), 0);
	take_picture(&sweep.after, operation, operation->look);
	operation->undo();
	for (n = 1; !left && n < MAX_FAILURES; n++) {
		context("failure %u", n);
		left = fail_once(&sweep, n);
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

/* A kernel may lack some of the three kinds of failures. */
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
