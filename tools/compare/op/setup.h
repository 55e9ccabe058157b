/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * setup.h - what the calls of one process are about: which backend, containers, groups and
 * devices that are open
 */
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
	unsigned long type;	/* what the setups give to VFIO_SET_IOMMU */
	unsigned int current;	/* container in use */
	int container[NCONTAINERS];	/* -1: not open; as are the following */
	int group[NGROUPS];
	int device[NGROUPS][NSLOTS];
	/* Calls that make stock type1 warn or crash are left out. */
	bool careful;
	/* Groups that this process had open once: they are not waited for. */
	bool opened[NGROUPS];
	/* Bitmaps are told with the bits that stock type1 gets wrong. */
	bool whole_bitmaps;
	/* What is told of GET_INFO leaves dirty tracking out. */
	bool without_dirty;
	/* CHECK_EXTENSION is not asked for VADDR. */
	bool without_vaddr;
};

/* The one of this process; it fits into transcript_saved(). */
extern struct setup setup;

/* Nothing is open. */
void setup_init(enum backend backend, bool exclusive);
/* Closes all that is open: devices, groups, containers. */
void setup_close(void);

int current_container(void);

/* ioctl(), or -errno. */
int vfio_call(int fd, unsigned long command, unsigned long argument);
/* Waits while another process may still be closing it; or -errno. */
int setup_open_group(enum group group);
/* Name of the container's node for a backend. */
const char *backend_node(enum backend backend);
/* Who serves the container; -1: nobody. */
int who_serves(int container);

/* VmLck of this process in KiB. */
long locked_kib(void);
/* That of a process; -1 if it has ended. */
long locked_kib_of(pid_t pid);
/* Mappings that the container may still make; -1 if it does not say. */
long long mappings_left(int container);

/* " L=... avail=...": charge and budget. */
void setup_add_state(struct text *line);

#endif
