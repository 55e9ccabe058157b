/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * holders.h - processes that have VFIO containers or /dev/iommu open, found in /proc
 */
#ifndef TOOLS_HOLDERS_H
#define TOOLS_HOLDERS_H

#include "lib/common.h"

/* A process. Counts are of descriptors, several of which may be of one container. */
struct holder {
	pid_t pid;
	uid_t uid;
	char name[64];		/* of the program; bytes of any kind */
	unsigned int nstock;	/* opened through the kernel's node, 10:196 */
	unsigned int nours;	/* opened through ours */
	unsigned int nnative;	/* our /dev/iommu */
	unsigned int ndevices;	/* groups, and devices of groups */
};

struct holders {
	struct holder *holder;	/* by pid */
	unsigned int nholders;
	bool denied;		/* some processes do not show their descriptors to us */
	bool late;		/* not all were looked at: there was no time */
	unsigned int ndependants;	/* modules that use ours; 0 if late */
};

/* A look at all processes ends after this time. */
#define HOLDERS_SECONDS	5

void holders_find(struct holders *holders);
/* The same with another limit, in ms. */
void holders_find_within(struct holders *holders, unsigned int nms);
void holders_free(struct holders *holders);
/*
 * Where no holder uses a device through a container of the kernel's: does somebody do so all the
 * same? In a process that was not looked at, by another name of the node, or with descriptors that
 * are on their way from one process to another. Takes up to a second more if so.
 */
enum unseen {
	UNSEEN_NONE,
	UNSEEN_MAYBE,	/* nothing counts users, and not all processes were looked at */
	UNSEEN_USE,
};

enum unseen holders_unseen(const struct holders *holders);
/* How many containers and the like of ours are in use at least that no holder has open. */
unsigned int holders_nhidden(const struct holders *holders);
static inline bool holders_are_all(const struct holders *holders)
{
	return !holders->denied && !holders->late;
}

/*
 * A container of the kernel's that is in use: its process has groups or devices, too. Everybody
 * may open /dev/vfio/vfio, but a group only if its owner lets them.
 */
static inline bool holder_uses_stock(const struct holder *holder)
{
	return holder->nstock && holder->ndevices;
}

#endif
