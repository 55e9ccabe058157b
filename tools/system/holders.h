/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * holders.h - processes that have VFIO containers or /dev/iommu open, found in /proc
 */
#ifndef TOOLS_HOLDERS_H
#define TOOLS_HOLDERS_H

#include "lib/common.h"

/* A process. Counts are of descriptors; several may belong to one container. */
struct holder {
	pid_t pid;
	uid_t uid;
	char name[64];		/* the program's name, as raw bytes */
	unsigned int nstock;	/* opened through the kernel's node, 10:196 */
	unsigned int nours;	/* opened through ours */
	unsigned int nnative;	/* opened through our /dev/iommu */
	unsigned int ndevices;	/* groups, and devices of groups */
};

struct holders {
	struct holder *holder;	/* by pid */
	unsigned int nholders;
	bool denied;		/* some processes hide their descriptors from us */
	bool late;		/* time was over before all were examined */
	unsigned int ndependants;	/* modules that use ours; 0 if late */
};

/* The search through all processes ends after this time. */
#define HOLDERS_SECONDS	5

void holders_find(struct holders *holders);
/* The same with another limit, in ms. */
void holders_find_within(struct holders *holders, unsigned int nms);
void holders_free(struct holders *holders);
/*
 * If no holder uses a device through a container of the kernel's, a user may still be unseen. The
 * process may not have been examined, the node may have another name, or descriptors may be on
 * their way between processes. Finding out takes up to a second more.
 */
enum unseen {
	UNSEEN_NONE,
	UNSEEN_MAYBE,	/* users cannot be counted, and the search was late */
	UNSEEN_USE,
};

enum unseen holders_unseen(const struct holders *holders);
/* At least how many containers (or /dev/iommu) of ours are in use without a holder. */
unsigned int holders_nhidden(const struct holders *holders);
static inline bool holders_are_all(const struct holders *holders)
{
	return !holders->denied && !holders->late;
}

/*
 * True if the process uses a container of the kernel's: it has groups or devices, too. Any user may
 * open /dev/vfio/vfio, but a group only with its owner's permission.
 */
static inline bool holder_uses_stock(const struct holder *holder)
{
	return holder->nstock && holder->ndevices;
}

#endif
