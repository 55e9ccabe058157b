/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_sys.h - the kernel: version, log, counters; and processes: children, capabilities, limits
 */
#ifndef GUEST_LIB_SYS_H
#define GUEST_LIB_SYS_H

bool kernel_at_least(unsigned int major, unsigned int minor);

/* Does the kernel have expensive debugging checks? */
bool debug_kernel(void);

/* Such a kernel, or QUICK=1: use small sizes. */
bool slow_kernel(void);
#define scaled(fast, slow)	(slow_kernel() ? (slow) : (fast))

/* Both return 0 or -errno. A text that is read ends before its first newline. */
int read_text(const char *path, char *text, size_t nbytes);
int write_text(const char *path, const char *text);
/* Reads all of a file. The file must exist and fit. */
void read_whole(const char *path, char *text, size_t nbytes);

/*
 * Look at the first line of a text. The first returns the value of a word " key=value", or -1, the
 * second whether the line contains these words.
 */
long long word_value(const char *line, const char *key);
bool line_has(const char *line, const char *words);

/* Returns VmLck of a process (0: the caller) in KiB, or -errno. */
long vm_lck_kib(pid_t pid);

/*
 * Return the pages ever pinned by GUP in this boot, and those still pinned. They end the program if
 * the kernel does not count pins.
 */
long long pins_acquired(void);
long long pins_outstanding(void);

/* Is anything charged to the user (user->locked_vm)? Not every kernel can be asked. */
enum user_charge { USER_OWES_NOTHING, USER_CHARGE_UNKNOWN, USER_OWES };
enum user_charge user_charge(void);

/* Lines that a test may make the kernel log. */
#define LOG_TEXTS	4U
#define LOG_TEXT_BYTES	100U

struct log_excuses {
	char texts[LOG_TEXTS][LOG_TEXT_BYTES];	/* records that contain one of these texts */
	unsigned int ntexts;
	char warning[LOG_TEXT_BYTES];		/* exactly one warning, in this function */
	bool dma_faults;			/* lines about a device that was kept from memory */
};

/* Opens the kernel log. The descriptor delivers only later records. */
int kmsg_open(void);
/* Returns the number of new bad records in the log that are not excused, and prints them. */
int kmsg_count_bad(int fd, const struct log_excuses *excuses);

/* Makes the kernel add up the counts of its CPUs. */
void refresh_counts_of_memory(void);
/* Returns the bytes of kernel memory in structures and arrays, without page tables. */
uint64_t kernel_memory(void);

/* Events that must come get this time, which is enough on a busy host. */
#define EVENT_SECONDS	scaled(120U, 600U)

/* Polls until the condition holds. Returns false once nseconds have passed. */
bool wait_until(bool (*condition)(void *arg), void *arg,
		unsigned int nseconds);
uint64_t now_ns(void);

/*
 * Children. The checks of the function count for the running test. If a child dies instead of
 * returning from the function, join() fails the test.
 */
pid_t spawn(void (*function)(void *arg), void *arg);
void join(pid_t pid);

/*
 * A gate lets one process wait for another. It is made before the fork. After 60 seconds waiting
 * gives up and fails the test.
 */
struct gate {
	int fd[2];
};

void gate_make(struct gate *gate);
void gate_open(struct gate *gate);
void gate_wait(struct gate *gate);

bool has_ipc_lock(void);
void drop_ipc_lock(void);
/* Sets the soft RLIMIT_MEMLOCK of the calling process. */
void set_memlock_pages(uint64_t npages);

/* splitmix64: everywhere the same numbers for the same seed. */
uint64_t random_next(uint64_t *state);
/* Returns SEED from the environment, or a seed from the clock. Prints it as a diagnostic. */
uint64_t random_seed(void);

#endif
