/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * record.h - libvfio-ioas-record.so: writes down what a program asks of VFIO containers
 *
 *	LD_PRELOAD=libvfio-ioas-record.so VFIO_IOAS_RECORD=file program...
 *
 * The file is one for "vfio-ioas compare --replay": a line a call, what it returned behind a '#'.
 *
 * The program must not notice. Each call goes to the kernel with the program's own arguments and
 * returns the kernel's answer. Arguments are read as the kernel reads them, so that a bad pointer
 * is an error and no crash, and never written. A call is written down when it has returned; no
 * lock is held while it is made. Under the lock nothing is allocated, no thread is cancelled and no
 * signal handler runs, but for SIGSYS's; and none of our own exported functions is called, as they
 * take the lock.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <linux/vfio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The functions that the program gets instead of the C library's. */
#define EXPORTED	__attribute__((visibility("default")))

/* --- file.c: the recording, and the lock over all that is known */

/*
 * Is this process the one that is recorded? It is the one that makes the first VFIO call. Its
 * children are not, and a child between vfork() and exec() has its parent's memory: whatever does
 * not belong to the process leaves everything alone. Creates the file, and says so if it cannot.
 */
bool record_begin(void);
/* The same, without creating anything: is there something to keep up to date? */
bool record_is_mine(void);

void record_lock(void);
void record_unlock(void);
/* Adds a line, under the lock; errno stays. */
void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends the recording, and says why, under the lock: something that it needs fails with errno. */
void record_end(const char *why, int error);
/* The same at a limit of lib/recording.h. Lines that were added under this lock are not written. */
void record_full(unsigned int most, const char *of_what);

/*
 * The descriptor of the recording, which the program must not close, if it is one of first to last
 * (inclusive) and still leads to our file; else -1. errno stays.
 */
int record_fd_in(unsigned int first, unsigned int last);
/* Somewhere else, as the program needs the number. */
void record_move_fd(void);

/*
 * The kernel's view of the program's memory: false if it would be EFAULT. Not under the lock: ends
 * the recording, and says so, if nothing can be read.
 */
bool read_argument(const void *argument, void *copy, size_t nbytes);

/* --- fds.c: descriptors, recognised by what they lead to, and followed through dup() */

enum fd_kind {
	FD_UNKNOWN,
	FD_CONTAINER,
	FD_GROUP,
	FD_DEVICE,
	FD_IGNORED,		/* one more than can be replayed */
};

struct object {
	enum fd_kind kind;
	unsigned int number;	/* of container or group, in order of appearance */
	unsigned int slot;	/* of a device: which descriptor of it */
	unsigned int nfds;	/* that lead to it; 0: free */
};

/*
 * NULL if that is nothing of VFIO's, or more than can be replayed. Under the lock, as the
 * following. Ends the recording if the program has no /proc, which says what a descriptor leads to.
 */
const struct object *look_at(int fd);
/* A device descriptor that the kernel gave for a group: a line of its own. */
void know_device(int fd, const struct object *group);
const char *group_name(const struct object *object);
/* Makes a container the one that following lines are about. */
void use_container(const struct object *container);

/* The C library's. */
int real_ioctl(int fd, unsigned long request, void *argument);

/* --- memory.c */

/*
 * Lines for memory of the layout that a map is about; how its address is to be written comes back.
 * What no call can map stays a number. Ends the recording if the layout cannot be read.
 */
#define ADDRESS_BYTES	32
void put_memory(const struct vfio_iommu_type1_dma_map *map, char address[ADDRESS_BYTES]);

#endif
