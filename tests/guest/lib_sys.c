// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_sys.c - kernel version, log and counters; children, capabilities and limits
 */
#define _GNU_SOURCE
#include "lib.h"

#include <linux/capability.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>

bool kernel_at_least(unsigned int major, unsigned int minor)
{
	unsigned int running_major, running_minor;
	struct utsname name;
	char *dot;

	uname(&name);
	running_major = strtoul(name.release, &dot, 10);
	require_true(*dot == '.');
	running_minor = strtoul(dot + 1, NULL, 10);
	return running_major > major ||
	       (running_major == major && running_minor >= minor);
}

bool debug_kernel(void)
{
	/* Only kernels with lockdep have this file. */
	return access("/proc/lockdep", F_OK) == 0;
}

bool slow_kernel(void)
{
	const char *quick = getenv("QUICK");

	return (quick && strcmp(quick, "0")) || debug_kernel();
}

int read_text(const char *path, char *text, size_t nbytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t nread;

	if (fd < 0)
		return -errno;
	nread = read(fd, text, nbytes - 1);
	close(fd);
	if (nread < 0)
		return -errno;
	text[nread] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

void read_whole(const char *path, char *text, size_t nbytes)
{
	int fd = open_fd(path);
	size_t filled = 0;
	ssize_t n;

	require_true(fd >= 0);
	while ((n = read(fd, text + filled, nbytes - 1 - filled)) > 0)
		filled += n;
	check_eq(or_errno(n), 0);
	require_true(filled < nbytes - 1);
	text[filled] = '\0';
	close(fd);
}

bool line_has(const char *line, const char *words)
{
	const char *found = line ? strstr(line, words) : NULL;

	return found && found < line + strcspn(line, "\n");
}

long long word_value(const char *line, const char *key)
{
	char word[32];

	snprintf(word, sizeof(word), " %s=", key);
	if (!line_has(line, word))
		return -1;
	return (long long)strtoull(strstr(line, word) + strlen(word), NULL, 0);
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int result = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		result = -errno;
	close(fd);
	return result;
}

/* Returns the number after a word at the beginning of a line of the file, or -errno. */
static long long number_after(const char *path, const char *word)
{
	size_t nbytes = strlen(word);
	long long value = -ENOENT;
	char line[256];
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, word, nbytes) == 0)
			value = atoll(line + nbytes);
	fclose(file);
	return value;
}

long vm_lck_kib(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid ? pid : getpid());
	return (long)number_after(path, "VmLck:");
}

/* Ends the program: a state that cannot be read must not count as good. */
static __attribute__((noreturn)) void blind(const char *what)
{
	printf("Bail out! the kernel does not show %s\n", what);
	fflush(stdout);
	exit(2);
}

/* Makes the kernel add up the counts of its CPUs. */
static void refresh_vmstat(void)
{
	char text[8];

	if (access("/proc/sys/vm/stat_refresh", R_OK))
		blind("its counters: no vm.stat_refresh");
	read_text("/proc/sys/vm/stat_refresh", text, sizeof(text));
}

static long long vmstat_counter(const char *name)
{
	long long value = number_after("/proc/vmstat", name);

	if (value < 0)
		blind(name);
	return value;
}

long long pins_acquired(void)
{
	refresh_vmstat();
	return vmstat_counter("nr_foll_pin_acquired ");
}

long long pins_outstanding(void)
{
	return pins_acquired() - vmstat_counter("nr_foll_pin_released ");
}

/* --- what is charged to the user */

#define RING_ENTRIES	1U
#define RING_SECONDS	10U

/* Runs without CAP_IPC_LOCK, with which nothing would be charged. */
static int register_buffer(void *buffer, uint64_t npages)
{
	struct iovec vector = { .iov_base = buffer, .iov_len = npages * PAGE };
	struct io_uring_params params = { 0 };
	long ring, ret;

	drop_ipc_lock();
	set_memlock_pages(npages);
	ring = syscall(SYS_io_uring_setup, RING_ENTRIES, &params);
	if (ring < 0)
		return errno == ENOSYS || errno == EPERM ? -ENOSYS : -errno;
	ret = or_errno(syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &vector, 1));
	if (!ret)
		syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0);
	close((int)ring);
	return (int)ret;
}

static bool pins_are(void *arg)
{
	return pins_outstanding() == *(long long *)arg;
}

/*
 * user->locked_vm cannot be read, but a buffer of io_uring is charged to it, too. With a limit of
 * one page, one page can be registered only if nothing else is charged.
 */
enum user_charge user_charge(void)
{
	static const int answers[] = { 0, ENOSYS, ENOMEM };
	long long pins = pins_outstanding();
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		_exit(page == MAP_FAILED ? EIO : -register_buffer(page, 1));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		blind("what is charged to the user: no child");
	/* The kernel releases the buffer a little later. */
	wait_until(pins_are, &pins, RING_SECONDS);
	for (int i = 0; i < 3; i++)
		if (WEXITSTATUS(status) == answers[i])
			return (enum user_charge)i;
	blind("what is charged to the user: io_uring fails");
}

/* --- the kernel log */

int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		blind("its log: no /dev/kmsg");
	return fd;
}

static bool contains_any(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strstr(text, *words))
			return true;
	return false;
}

/*
 * Some complaints are bad at any level. Lines that many tests provoke are not bad: refusals because
 * of a limit or of interrupt remapping, and that a module is not the kernel's own.
 */
static bool record_is_bad(unsigned int level, const char *text)
{
	static const char *const bad[] = {
		"WARNING:", "BUG:", "kernel BUG", "Oops", "KASAN", "UBSAN",
		"kmemleak:", "INFO: task", "INFO: rcu", "circular locking",
		"recursive locking", "inconsistent lock", "suspicious RCU",
		"sleeping function", "general protection", "refcount_t:",
		"corruption", "Call Trace", "bad unlock", "Bad page", "soft lockup",
		"cut here", NULL
	};
	static const char *const provoked[] = {
		"RLIMIT_MEMLOCK (", "loading out-of-tree module taints kernel",
		"module verification failed", "no interrupt remapping", NULL
	};

	if (contains_any(text, bad))
		return true;
	if (contains_any(text, provoked))
		return false;
	return level <= 3 || (level == 4 && strstr(text, IOAS_MODULE));
}

/* The IOMMU keeps a device from memory, and the kernel logs two lines about it. */
static bool is_dma_fault(const char *text)
{
	static const char *const faults[] = {
		"DMAR: [DMA Read", "DMAR: [DMA Write", "DMAR: DRHD: handling fault status reg ",
		"AMD-Vi: Event logged [IO_PAGE_FAULT ", NULL
	};

	return contains_any(text, faults);
}

/*
 * Parts of a warning of many lines. One of the first three says which function warns. The lines of
 * an expected warning are ignored.
 */
enum warning_part { OUTSIDE, AT_ITS_HEAD, INSIDE };

struct log_reader {
	const struct log_excuses *excuses;
	enum warning_part part;
	unsigned int nhead_lines;
	unsigned int nwarnings;
	bool in_race;
	int nbad;
};

static void complain(struct log_reader *reader, const char *text)
{
	diag("kernel log: %s", text);
	reader->nbad++;
}

static bool is_excused(const struct log_excuses *excuses, const char *text)
{
	for (unsigned int i = 0; i < excuses->ntexts; i++)
		if (strstr(text, excuses->texts[i]))
			return true;
	return excuses->dma_faults && is_dma_fault(text);
}

/* Is the line part of an expected warning? */
static bool in_expected_warning(struct log_reader *reader, const char *text)
{
	if (!*reader->excuses->warning)
		return false;
	if (strstr(text, "[ cut here ]")) {
		reader->part = AT_ITS_HEAD;
		reader->nhead_lines = 0;
		return true;
	}
	if (reader->part == AT_ITS_HEAD && strstr(text, "WARNING:")) {
		reader->part = strstr(text, reader->excuses->warning) ? INSIDE : OUTSIDE;
		reader->nwarnings += reader->part == INSIDE;
		return reader->part == INSIDE;
	}
	if (reader->part == AT_ITS_HEAD && ++reader->nhead_lines > 2)
		reader->part = OUTSIDE;
	if (reader->part == INSIDE && strstr(text, "end trace")) {
		reader->part = OUTSIDE;
		return true;
	}
	return reader->part == INSIDE;
}

/* KCSAN's report has many lines. init checks whether it is about our modules. */
static bool in_report_of_a_race(struct log_reader *reader, const char *text)
{
	if (strstr(text, "============================")) {
		reader->in_race = false;
		return true;
	}
	reader->in_race = reader->in_race || strstr(text, "BUG: KCSAN:");
	return reader->in_race;
}

static void read_record(struct log_reader *reader, char *record)
{
	unsigned int priority = (unsigned int)atoi(record);
	char *text = strchr(record, ';');

	if (!text || priority >> 3)
		return;		/* a record that is not from the kernel */
	text[strcspn(text, "\n")] = '\0';
	text++;
	if (in_report_of_a_race(reader, text))
		return;
	if (in_expected_warning(reader, text) || !record_is_bad(priority & 7, text) ||
	    is_excused(reader->excuses, text))
		return;
	complain(reader, text);
}

int kmsg_count_bad(int fd, const struct log_excuses *excuses)
{
	struct log_reader reader = { .excuses = excuses };
	char record[8192];

	for (;;) {
		ssize_t nbytes = read(fd, record, sizeof(record) - 1);

		if (nbytes < 0 && errno == EPIPE) {
			complain(&reader, "lines are lost");
			continue;
		}
		if (nbytes < 0 && errno == EAGAIN)
			break;
		if (nbytes <= 0)
			blind("its log: it cannot be read");
		record[nbytes] = '\0';
		read_record(&reader, record);
	}
	if (*excuses->warning && reader.nwarnings != 1) {
		diag("kernel log: %u warnings of %s, not one", reader.nwarnings, excuses->warning);
		reader.nbad++;
	}
	return reader.nbad;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

bool wait_until(bool (*condition)(void *arg), void *arg,
		unsigned int nseconds)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	uint64_t deadline_ns = now_ns() + nseconds * 1000000000ULL;

	while (!condition(arg)) {
		if (now_ns() > deadline_ns)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

pid_t spawn(void (*function)(void *arg), void *arg)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		function(arg);
		fflush(stdout);
		_exit(0);
	}
	require_true(pid > 0);
	return pid;
}

void join(pid_t pid)
{
	int status = -1;

	require_eq(or_errno(waitpid(pid, &status, 0)), pid);
	check_eq(status, 0);
}

void gate_make(struct gate *gate)
{
	require_eq(or_errno(pipe2(gate->fd, O_CLOEXEC)), 0);
}

void gate_open(struct gate *gate)
{
	require_eq(write(gate->fd[1], "", 1), 1);
}

void gate_wait(struct gate *gate)
{
	struct pollfd waiting = { .fd = gate->fd[0], .events = POLLIN };
	char byte;

	require_eq(poll(&waiting, 1, (int)EVENT_SECONDS * 1000), 1);
	require_eq(read(gate->fd[0], &byte, 1), 1);
}

static int capabilities(int call, struct __user_cap_data_struct *data)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};

	return (int)syscall(call, &header, data);
}

bool has_ipc_lock(void)
{
	struct __user_cap_data_struct data[2] = { 0 };

	require_eq(capabilities(SYS_capget, data), 0);
	return data[0].effective & (1U << CAP_IPC_LOCK);
}

void drop_ipc_lock(void)
{
	struct __user_cap_data_struct data[2] = { 0 };

	require_eq(capabilities(SYS_capget, data), 0);
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	data[0].permitted &= ~(1U << CAP_IPC_LOCK);
	data[0].inheritable &= ~(1U << CAP_IPC_LOCK);
	require_eq(capabilities(SYS_capset, data), 0);
	require_true(!has_ipc_lock());
}

void set_memlock_pages(uint64_t npages)
{
	struct rlimit limit;

	require_eq(or_errno(getrlimit(RLIMIT_MEMLOCK, &limit)), 0);
	limit.rlim_cur = npages * PAGE;
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	require_eq(or_errno(setrlimit(RLIMIT_MEMLOCK, &limit)), 0);
}

uint64_t random_next(uint64_t *state)
{
	uint64_t x = (*state += 0x9e3779b97f4a7c15ULL);

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

uint64_t random_seed(void)
{
	const char *text = getenv("SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : now_ns();

	diag("SEED=%llu", (unsigned long long)seed);
	return seed;
}

/* Returns the sum of some lines of /proc/meminfo in bytes, to a resolution of 1 KiB. */
static uint64_t meminfo(const char *const *words)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t kib = 0;
	char line[128];

	require_true(file);
	while (fgets(line, sizeof(line), file)) {
		const char *const *word;

		for (word = words; *word; word++)
			if (strncmp(line, *word, strlen(*word)) == 0)
				kib += strtoull(line + strlen(*word), NULL, 10);
	}
	fclose(file);
	return kib << 10;
}

void refresh_counts_of_memory(void)
{
	char text[8];

	read_text("/proc/sys/vm/stat_refresh", text, sizeof(text));
}

uint64_t kernel_memory(void)
{
	static const char *const words[] = { "Slab:", "VmallocUsed:", NULL };

	refresh_counts_of_memory();
	return meminfo(words);
}
