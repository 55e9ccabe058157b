/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_sys.h - what the kernel says about itself: version, log, counters; and
 * processes: children, capabilities, limits
 */
#ifndef GUEST_LIB_SYS_H
#define GUEST_LIB_SYS_H

bool kernel_at_least(unsigned int major, unsigned int minor);

/* A kernel full of debugging checks. */
bool debug_kernel(void);

/* One of these, or QUICK=1: use small sizes. */
bool slow_kernel(void);
#define scaled(fast, slow)	(slow_kernel() ? (slow) : (fast))

/* Both return 0 or -errno; a text read is cut at its first newline. */
int read_text(const char *path, char *text, size_t nbytes);
int write_text(const char *path, const char *text);
/* All of a file, which must exist and fit. */
void read_whole(const char *path, char *text, size_t nbytes);

/*
 * In the first line of a text: the value of a word " key=value", or -1; and whether it has
 * some words.
 */
long long word_value(const char *line, const char *key);
bool line_has(const char *line, const char *words);

/* VmLck of a process (0: the caller) in KiB, or -errno. */
long vm_lck_kib(pid_t pid);

/*
 * Pages ever pinned by GUP in this boot, and those not unpinned yet. A kernel that does not
 * count them ends the program.
 */
long long pins_acquired(void);
long long pins_outstanding(void);

/* Is anything charged to the user (user->locked_vm)? Not every kernel can be asked. */
enum user_charge { USER_OWES_NOTHING, USER_CHARGE_UNKNOWN, USER_OWES };
enum user_charge user_charge(void);

/* What a test may make the kernel say. */
#define LOG_TEXTS	4U
#define LOG_TEXT_BYTES	100U

struct log_excuses {
	char texts[LOG_TEXTS][LOG_TEXT_BYTES];	/* records that contain one of these */
	unsigned int ntexts;
	char warning[LOG_TEXT_BYTES];		/* one warning, in this function, exactly */
	bool dma_faults;			/* that a device was kept from memory */
};

/* Kernel log: a descriptor that delivers only what is logged from now on. */
int kmsg_open(void);
/* Number of new records in the log that no test may cause and nothing excuses; shows them. */
int kmsg_count_bad(int fd, const struct log_excuses *excuses);

/* Makes the kernel add up what its CPUs have counted on their own. */
void refresh_counts_of_memory(void);
/* Kernel memory in bytes that structures and arrays take, page tables not. */
uint64_t kernel_memory(void);

/* What surely comes is waited for as long as a busy host may need. */
#define EVENT_SECONDS	scaled(120U, 600U)

/* Polls until the condition holds; false when nseconds have passed. */
bool wait_until(bool (*condition)(void *arg), void *arg,
		unsigned int nseconds);
uint64_t now_ns(void);

/*
 * Children. The function's checks count for the running test; a child that
 * dies otherwise than by returning from it fails the test in join().
 */
pid_t spawn(void (*function)(void *arg), void *arg);
void join(pid_t pid);

/*
 * A gate lets a process wait for another one. Made before the fork; waiting
 * gives up and fails the test after 60 seconds.
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

/* splitmix64: the same numbers for the same seed, everywhere. */
uint64_t random_next(uint64_t *state);
/* SEED from the environment, or one from the clock; printed as diagnostic. */
uint64_t random_seed(void);

#endif
