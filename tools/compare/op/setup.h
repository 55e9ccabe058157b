/* SPDX-License-Identifier: GPL-2.0-only */
/* setup.h - the state of one process: its backend, and its open containers, groups and devices */
#ifndef COMPARE_SETUP_H
#define COMPARE_SETUP_H

#include "backend.h"
#include "devices.h"
#include "lib/common.h"

#define NCONTAINERS	2
#define NSLOTS		2	/* descriptors of one device */

struct text;

struct setup {
	enum backend backend;
	bool exclusive;		/* the other backend is not loaded */
	unsigned long type;	/* for VFIO_SET_IOMMU in setups */
	unsigned int current;	/* container in use */
	int container[NCONTAINERS];	/* -1: not open; as in the next two */
	int group[NGROUPS];
	int device[NGROUPS][NSLOTS];
	/* Leave out calls that make stock type1 warn or crash. */
	bool careful;
	/* Groups that this process has opened before: waiting for them is useless. */
	bool opened[NGROUPS];
	/* Print bitmaps with the bits that stock type1 gets wrong. */
	bool whole_bitmaps;
	/* Leave dirty tracking out of the printed GET_INFO. */
	bool without_dirty;
	/* Do not ask CHECK_EXTENSION for VADDR. */
	bool without_vaddr;
};

/* The state of this process; it fits into transcript_saved(). */
extern struct setup setup;

/* Starts with nothing open. */
void setup_init(enum backend backend, bool exclusive);
/* Closes all devices, groups and containers. */
void setup_close(void);

int current_container(void);

/* The result of ioctl(), or -errno. */
int vfio_call(int fd, unsigned long command, unsigned long argument);
/* Returns a descriptor or -errno. Waits while another process may still be closing the group. */
int setup_open_group(enum group group);
/* Path of the backend's container node. */
const char *backend_node(enum backend backend);
/* The enum backend that serves the container; -1: none. */
int who_serves(int container);

/* VmLck of this process in KiB. */
long locked_kib(void);
/* The same of another process; -1 if it has ended. */
long locked_kib_of(pid_t pid);
/* Number of mappings that the container may still make; -1 if unknown. */
long long mappings_left(int container);

/* Adds " L=... avail=...": charge and budget. */
void setup_add_state(struct text *line);

#endif
