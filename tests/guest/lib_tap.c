// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_tap.c - runs a table of tests and prints TAP
 *
 * After each test the parent checks that nothing was left behind: users of the modules, pinned
 * pages, complaints in the kernel log. The child checks that its own VmLck has not changed.
 */
#define _GNU_SOURCE
#include "lib.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define REASON_BYTES	160
/* Only a failing test needs all of this time. Tests of the harness make it short. */
#define USUAL_SECONDS	seconds_from("TEST_SECONDS", 60)
#define SETTLE_SECONDS	seconds_from("SETTLE_SECONDS", 60)

/* Shared by the parent and every process of a test. */
struct shared {
	atomic_int nfailures;
	atomic_int skipped;
	atomic_int dma_started;
	char reason[REASON_BYTES];
	struct log_excuses excuses;
};

/* Values that must be the same before and after a test. */
struct traces {
	long ioas_refcnt;
	long type1_refcnt;
	long vfio_refcnt;
	long long pins;
	enum user_charge charge;
};

void (*after_each_test)(void);

static struct shared *shared;
static __thread char prefix[200];

static unsigned int seconds_from(const char *variable, unsigned int usual)
{
	const char *text = getenv(variable);

	return text ? (unsigned int)atoi(text) : usual;
}

void diag(const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* One write, so that lines of several processes do not mix. */
	printf("# %s\n", text);
}

void context(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(prefix, sizeof(prefix), format, arguments);
	va_end(arguments);
}

void skip(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(shared->reason, REASON_BYTES, format, arguments);
	va_end(arguments);
	atomic_store(&shared->skipped, 1);
	_exit(0);
}

void expect_in_log(const char *text)
{
	struct log_excuses *excuses = &shared->excuses;

	require_true(strlen(text) > 3 && excuses->ntexts < LOG_TEXTS);
	snprintf(excuses->texts[excuses->ntexts++], LOG_TEXT_BYTES, "%s", text);
}

void expect_warning_in(const char *function)
{
	snprintf(shared->excuses.warning, LOG_TEXT_BYTES, " %s", function);
}

void dma_starts(void)
{
	/* A program outside of a test has no log to judge. */
	if (shared)
		atomic_store(&shared->dma_started, 1);
}

void test_abort(void)
{
	_exit(1);
}

int failures(void)
{
	return atomic_load(&shared->nfailures);
}

static void failed(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void failed(const char *file, int line, const char *format, ...)
{
	char text[512];
	va_list arguments;

	atomic_fetch_add(&shared->nfailures, 1);
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	diag("%s:%d: %s%s%s", file, line, prefix, *prefix ? ": " : "", text);
}

static const char *show(long long value, char *text, size_t nbytes)
{
	const char *name = NULL;

	if (value < 0 && value > -4096)
		name = strerrorname_np((int)-value);
	if (name)
		snprintf(text, nbytes, "-%s", name);
	else if (value > 9 || value < 0)
		snprintf(text, nbytes, "%lld (0x%llx)", value,
			 (unsigned long long)value);
	else
		snprintf(text, nbytes, "%lld", value);
	return text;
}

bool check_eq_at(const char *file, int line, const char *what, long long got,
		 long long expected)
{
	char got_text[64];
	char expected_text[64];

	if (got == expected)
		return true;
	failed(file, line, "%s: expected %s, got %s", what,
	       show(expected, expected_text, sizeof(expected_text)),
	       show(got, got_text, sizeof(got_text)));
	return false;
}

bool check_true_at(const char *file, int line, const char *what, bool got)
{
	if (!got)
		failed(file, line, "%s: expected true, got false", what);
	return got;
}

bool check_mem_at(const char *file, int line, const char *what,
		  const void *got, const void *expected, size_t nbytes)
{
	const uint8_t *got_bytes = got;
	const uint8_t *expected_bytes = expected;
	size_t i;

	for (i = 0; i < nbytes; i++)
		if (got_bytes[i] != expected_bytes[i])
			break;
	if (i == nbytes)
		return true;
	failed(file, line, "%s: byte %zu of %zu: expected 0x%02x, got 0x%02x",
	       what, i, nbytes, expected_bytes[i], got_bytes[i]);
	return false;
}

static void traces_take(struct traces *traces)
{
	traces->ioas_refcnt = module_refcnt(IOAS_MODULE);
	traces->type1_refcnt = module_refcnt(TYPE1_MODULE);
	traces->vfio_refcnt = module_refcnt("vfio");
	traces->charge = user_charge();
	traces->pins = pins_outstanding();
}

static bool traces_are_back(void *arg)
{
	const struct traces *before = arg;
	struct traces now;

	traces_take(&now);
	return now.ioas_refcnt == before->ioas_refcnt &&
	       now.type1_refcnt == before->type1_refcnt &&
	       now.vfio_refcnt == before->vfio_refcnt &&
	       now.charge == before->charge &&
	       now.pins == before->pins;
}

/* Files close and memory is freed a little after the death of a process. */
static void traces_check(struct traces *before)
{
	struct traces now;

	if (wait_until(traces_are_back, before, SETTLE_SECONDS))
		return;
	traces_take(&now);
	context("after the test");
	check_eq(now.ioas_refcnt, before->ioas_refcnt);
	check_eq(now.type1_refcnt, before->type1_refcnt);
	check_eq(now.vfio_refcnt, before->vfio_refcnt);
	check_true(now.charge != USER_OWES);
	check_eq(now.pins, before->pins);
	context("%s", "");
}

static void child_main(const struct test *test)
{
	long locked_kib;

	setpgid(0, 0);
	locked_kib = vm_lck_kib(0);
	test->run();
	context("at the end of the test");
	check_eq(vm_lck_kib(0), locked_kib);
	fflush(stdout);
	_exit(0);
}

/* Shows the kernel stacks of a process that hangs. */
static void show_stacks(pid_t pid)
{
	char path[300];
	char line[200];
	struct dirent *entry;
	DIR *directory;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/stack", pid,
			 entry->d_name);
		file = fopen(path, "r");
		while (file && fgets(line, sizeof(line), file))
			diag("%.20s %.*s", entry->d_name,
			     (int)strcspn(line, "\n"), line);
		if (file)
			fclose(file);
	}
	if (directory)
		closedir(directory);
}

static int wait_for_exit(pid_t pid, unsigned int nseconds)
{
	struct pollfd waiting = { .events = POLLIN };
	int result;

	waiting.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (waiting.fd < 0)
		return -errno;
	do {
		result = poll(&waiting, 1, (int)nseconds * 1000);
	} while (result < 0 && errno == EINTR);
	close(waiting.fd);
	return result;
}

static void judge_exit(pid_t pid, unsigned int nseconds)
{
	int status;

	if (wait_for_exit(pid, nseconds) == 0) {
		diag("timed out after %u seconds", nseconds);
		atomic_fetch_add(&shared->nfailures, 1);
		show_stacks(pid);
	}
	kill(-pid, SIGKILL);
	if (wait_for_exit(pid, SETTLE_SECONDS) == 0) {
		show_stacks(pid);
		printf("Bail out! cannot be killed\n");
		exit(2);
	}
	waitpid(pid, &status, 0);
	if (status && !failures()) {
		diag("ended with wait status 0x%x", status);
		atomic_fetch_add(&shared->nfailures, 1);
	}
}

static void run_test(const struct test *test)
{
	unsigned int nseconds = USUAL_SECONDS;
	struct traces before;
	int log = kmsg_open();
	pid_t pid;

	if (test->flags & TAKES_LONG)
		nseconds *= 5;
	if (slow_kernel())
		nseconds *= 5;
	if (getenv("TEST_SECONDS"))
		nseconds = (unsigned int)atoi(getenv("TEST_SECONDS"));
	traces_take(&before);
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	if (pid == 0)
		child_main(test);
	judge_exit(pid, nseconds);
	params_restore();
	if (after_each_test)
		after_each_test();
	traces_check(&before);
	context("kernel log");
	shared->excuses.dma_faults = atomic_load(&shared->dma_started);
	check_eq(kmsg_count_bad(log, &shared->excuses), 0);
	context("%s", "");
	close(log);
}

static const char *missing(const struct test *test)
{
	unsigned int ndevices;

	devices(&ndevices);
	if ((test->flags & ONLY_IOAS) && !backend_is_ioas())
		return "not for the stock backend";
	if ((test->flags & NEEDS_TWO) &&
	    (ndevices < 2 || device_nr(0)->group == device_nr(1)->group))
		return "needs two edu devices in two groups";
	if ((test->flags & NEEDS_ONE) && ndevices < 1)
		return "needs an edu device bound to vfio-pci";
	return NULL;
}

static bool run_and_report(const struct test *test, size_t number)
{
	const char *why = missing(test);
	uint64_t start_ns = now_ns();

	memset(shared, 0, sizeof(*shared));
	if (!why)
		run_test(test);
	if (atomic_load(&shared->skipped) && !failures())
		why = shared->reason;
	if (why)
		printf("ok %zu - %s # SKIP %s\n", number, test->name, why);
	else
		printf("%s %zu - %s\n", failures() ? "not ok" : "ok", number,
		       test->name);
	if (getenv("TIMES"))
		diag("%llu ms",
		     (unsigned long long)(now_ns() - start_ns) / 1000000);
	return !failures();
}

static bool wanted(const struct test *test, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], test->name) == 0)
			return true;
	return argc < 2;
}

static bool is_test(const char *name, const struct test *tests, size_t ntests)
{
	size_t i;

	for (i = 0; i < ntests; i++)
		if (strcmp(name, tests[i].name) == 0)
			return true;
	return false;
}

static void init(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	params_init();
}

int run_alone(void (*function)(void))
{
	init();
	function();
	return failures() ? 1 : 0;
}

/* Arguments are names of tests. Without arguments all tests run. */
int run_tests(const struct test *tests, size_t ntests, int argc, char **argv)
{
	size_t number = 0;
	bool passed = true;
	size_t i;
	int arg;

	for (arg = 1; arg < argc; arg++) {
		if (!is_test(argv[arg], tests, ntests)) {
			printf("Bail out! %s has no test \"%s\"\n", argv[0], argv[arg]);
			return 2;
		}
	}
	init();
	for (i = 0; i < ntests; i++)
		number += wanted(&tests[i], argc, argv);
	printf("1..%zu\n", number);
	for (number = 0, i = 0; i < ntests; i++)
		if (wanted(&tests[i], argc, argv))
			passed &= run_and_report(&tests[i], ++number);
	return number && passed ? 0 : 1;
}
