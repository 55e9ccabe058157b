/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * record.h - libvfio-ioas-record.so: records the calls of a program on VFIO containers
 *
 * LD_PRELOAD=libvfio-ioas-record.so VFIO_IOAS_RECORD=file program...
 *
 * The file is for "vfio-ioas compare --replay". It has one line for each call, with the result
 * behind a '#'.
 *
 * The program must not notice the recorder:
 *
 * - Each call goes to the kernel with the program's own arguments, and returns the kernel's result.
 * - Arguments are read in the way the kernel reads them, so that a bad pointer is an error and no
 *   crash. They are never written.
 * - A call is recorded after it has returned, and no lock is held during the call.
 * - Under the lock nothing allocates, no thread is cancelled, and no signal handler runs except
 *   that of SIGSYS. None of our exported functions is called, because they take the lock.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <linux/vfio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Functions that replace those of the C library in the program. */
#define EXPORTED	__attribute__((visibility("default")))

/* --- file.c: the recording, and the lock that protects all state */

/*
 * Is this process the recorded one, which makes the first VFIO call? Creates the file if necessary,
 * and prints why if that fails. Children are not recorded. Between vfork() and exec() a child has
 * its parent's memory, and must not change any state.
 */
bool record_begin(void);
/* The same, but creates nothing: tells whether state must be kept up to date. */
bool record_is_mine(void);

void record_lock(void);
void record_unlock(void);
/* Adds a line. Call it with the lock held; errno is kept. */
void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
/*
 * Ends the recording because something has failed with errno @error; prints why. Call it with the
 * lock held.
 */
void record_end(const char *why, int error);
/*
 * Ends the recording at a limit of lib/recording.h. Lines added since the lock was taken are not
 * written.
 */
void record_full(unsigned int most, const char *of_what);

/*
 * Returns the recording's descriptor if it lies between first and last (inclusive) and still leads
 * to our file, otherwise -1. The program must not close it. errno is kept.
 */
int record_fd_in(unsigned int first, unsigned int last);
/* Moves the descriptor to another number, since the program needs this one. */
void record_move_fd(void);

/*
 * Reads the program's memory as the kernel does; false stands for EFAULT. Call it without the lock:
 * if nothing can be read, it ends the recording and prints why.
 */
bool read_argument(const void *argument, void *copy, size_t nbytes);

/* --- fds.c: descriptors, recognised by their links, and followed through dup() */

enum fd_kind {
	FD_UNKNOWN,
	FD_CONTAINER,
	FD_GROUP,
	FD_DEVICE,
	FD_IGNORED,		/* exceeds the limits of replay */
};

struct object {
	enum fd_kind kind;
	unsigned int number;	/* of the container or group, in order of appearance */
	unsigned int slot;	/* of a device: number of the descriptor */
	unsigned int nfds;	/* descriptors of it; 0: free */
};

/*
 * Returns NULL if the descriptor is not VFIO's, or exceeds the limits of replay. Ends the recording
 * if there is no /proc to tell. Call this and the following functions with the lock held.
 */
const struct object *look_at(int fd);
/*
 * Notes a descriptor that the kernel has returned for a device of the group, on a line of its own.
 */
void know_device(int fd, const struct object *group);
const char *group_name(const struct object *object);
/* Makes this container the current one for the following lines. */
void use_container(const struct object *container);

/* The C library's function. */
int real_ioctl(int fd, unsigned long request, void *argument);

/* --- memory.c */

/*
 * Writes lines for the memory that a map is about, and returns its address in the form for the
 * map's line. An address that no call can map stays a number. Ends the recording if the layout
 * cannot be read.
 */
#define ADDRESS_BYTES	32
void put_memory(const struct vfio_iommu_type1_dma_map *map, char address[ADDRESS_BYTES]);

#endif
