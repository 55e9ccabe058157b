/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * holders.h - who has VFIO containers open, found in /proc
 */
#ifndef TOOLS_HOLDERS_H
#define TOOLS_HOLDERS_H

#include "compare/common.h"

#include <sys/sysmacros.h>

/* A process; descriptors, which may be several of one container. */
struct holder {
	pid_t pid;
	char name[64];		/* of the program; bytes of any kind */
	unsigned int nstock;	/* opened through the kernel's node, 10:196 */
	unsigned int nours;	/* opened through ours */
};

struct holders {
	struct holder *holder;
	unsigned int nholders;
	bool complete;		/* no process kept its descriptors from us */
};

/* ours: our device number, 0 if there is none. */
void holders_find(struct holders *holders, dev_t ours);
void holders_free(struct holders *holders);

/* vfio.ko's own device: VFIO_MINOR of the misc devices. */
#define STOCK_NUMBER	makedev(10, 196)

/* A name as a terminal can show it: other characters become '?'. */
const char *printable(const char *name);

#endif
