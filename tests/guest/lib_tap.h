/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_tap.h - test tables, checks and their TAP output
 *
 * Each test runs in a process of its own, so that whatever it leaves behind
 * when it fails is closed by its exit and a crash or a hang costs one test.
 * Checks may be made from any thread or descendant of that process.
 */
#ifndef GUEST_LIB_TAP_H
#define GUEST_LIB_TAP_H

struct test {
	const char *name;
	void (*run)(void);
	unsigned int flags;
};

/* What a test needs; where it is missing the test is reported as skipped. */
#define ONLY_IOAS	0x1	/* pointless or dangerous on stock type1 */
#define NEEDS_ONE	0x2	/* one edu device bound to vfio-pci */
#define NEEDS_TWO	0x4	/* two of them, in two IOMMU groups */
#define TAKES_LONG	0x8	/* gets five times the usual time */

#define TEST(function, flags)	{ #function, function, flags }

int run_tests(const struct test *tests, size_t ntests, int argc, char **argv);

/* If set, called after each test, whether or not that went well. */
extern void (*after_each_test)(void);

/* For a program that a test executes: exit status 1 if checks failed. */
int run_alone(void (*function)(void));

/* A "# ..." line on stdout. */
void diag(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Text that is put in front of what failing checks of this thread print,
 * for tests that loop over cases.
 */
void context(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the running test as skipped, or as failed. */
void skip(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));
__attribute__((noreturn)) void test_abort(void);

/*
 * A complaint that the test provokes: records of the kernel log that contain
 * the text are not held against it. A text that says little excuses too much.
 */
void expect_in_log(const char *text);
/* The kernel has to warn (WARN), in this function, exactly once. */
void expect_warning_in(const char *function);

/* For what starts a device's DMA: faults of the IOMMU are then not held against the test. */
void dma_starts(void);

/* Number of checks that failed in the running test so far. */
int failures(void);

/*
 * Checks return whether they passed and let the test go on; the require_
 * forms end it. Negative values down to -4095 are shown as errno names.
 */
bool check_eq_at(const char *file, int line, const char *what, long long got,
		 long long expected);
bool check_true_at(const char *file, int line, const char *what, bool got);
bool check_mem_at(const char *file, int line, const char *what,
		  const void *got, const void *expected, size_t nbytes);

/* What a libc call returns, with -errno in place of -1. */
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
