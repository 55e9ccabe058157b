/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_tap.h - test tables, checks and their TAP output
 *
 * Each test runs in a process of its own. The exit of the process closes everything that a failed
 * test leaves behind, and a crash or a hang costs one test only. Any thread or descendant of that
 * process may make checks.
 */
#ifndef GUEST_LIB_TAP_H
#define GUEST_LIB_TAP_H

struct test {
	const char *name;
	void (*run)(void);
	unsigned int flags;
};

/* Requirements of a test. The test is skipped if one is not met. */
#define ONLY_IOAS	0x1	/* pointless or dangerous on stock type1 */
#define NEEDS_ONE	0x2	/* one edu device bound to vfio-pci */
#define NEEDS_TWO	0x4	/* two of them, in two IOMMU groups */
#define TAKES_LONG	0x8	/* gets five times the usual time */

#define TEST(function, flags)	{ #function, function, flags }

int run_tests(const struct test *tests, size_t ntests, int argc, char **argv);

/* If set, called after each test, whether or not the test passed. */
extern void (*after_each_test)(void);

/* For a program that a test executes. Returns exit status 1 if checks failed. */
int run_alone(void (*function)(void));

/* Prints a "# ..." line on stdout. */
void diag(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Sets a text that precedes the messages of failing checks of this thread, for tests that loop over
 * cases.
 */
void context(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the running test as skipped, or as failed. */
void skip(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));
__attribute__((noreturn)) void test_abort(void);

/*
 * A complaint that the test provokes. Records of the kernel log that contain the text do not fail
 * the test. A text that is too general excuses too much.
 */
void expect_in_log(const char *text);
/* The kernel must warn (WARN) exactly once, in this function. */
void expect_warning_in(const char *function);

/* Called before a device's DMA starts. Faults of the IOMMU then do not fail the test. */
void dma_starts(void);

/* Returns the number of checks that failed so far in the running test. */
int failures(void);

/*
 * Checks return whether they passed, and the test goes on. The require_ forms end the test instead.
 * Negative values down to -4095 are printed as errno names.
 */
bool check_eq_at(const char *file, int line, const char *what, long long got,
		 long long expected);
bool check_true_at(const char *file, int line, const char *what, bool got);
bool check_mem_at(const char *file, int line, const char *what,
		  const void *got, const void *expected, size_t nbytes);

/* The result of a libc call, with -errno in place of -1. */
#define or_errno(call) \
	({ long result_ = (long)(call); result_ == -1 ? -errno : result_; })

#define check_eq(got, expected) \
	check_eq_at(__FILE__, __LINE__, #got, (long long)(got), \
		    (long long)(expected))
#define check_true(got)		check_true_at(__FILE__, __LINE__, #got, (got))
#define check_mem(got, expected, nbytes) \
	check_mem_at(__FILE__, __LINE__, #got, (got), (expected), (nbytes))

#define require_eq(got, expected) \
	do { \
		if (!check_eq(got, expected)) \
			test_abort(); \
	} while (0)
#define require_true(got) \
	do { \
		if (!check_true(got)) \
			test_abort(); \
	} while (0)

#endif
