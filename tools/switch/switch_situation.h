/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * switch_situation.h - what the parts of "vfio-ioas switch" know of the machine, and are asked for
 */
#ifndef TOOLS_SWITCH_SITUATION_H
#define TOOLS_SWITCH_SITUATION_H

#include "lib/common.h"
#include "lib/say.h"
#include "lib/text.h"
#include "switch_access.h"
#include "switch_node.h"
#include "switch_state.h"
#include "system/ours.h"

/* All that matters for the switch, at one moment. */
struct situation {
	int dir;			/* /dev/vfio, -1 if there is none */
	bool loaded;
	char serve[SERVE_NBYTES];	/* "" unless loaded */
	dev_t ours;			/* our device number, 0 unless loaded */
	struct state state;		/* what we did */
	struct state boot;		/* what a boot will do */
	struct node node;		/* at /dev/vfio/vfio */
	struct node aside;		/* at /dev/vfio/vfio.stock */
	/* Owner, mode and so on of the kernel's node, wherever it is now, and of ours, if any. */
	struct access stock_access;
	struct access our_access;
	enum mode mode;			/* the one that is on; MODE_NONE: off */
	struct text wrong;		/* lines: what does not agree with it */
};

void situation_look(struct situation *situation);
void situation_free(struct situation *situation);
static inline bool situation_agrees(const struct situation *situation)
{
	return situation->wrong.nchars == 0;
}

/* "a symbolic link to our node" */
const char *node_says(const struct node *node);

/* What the command line asks for. */
struct request {
	enum mode mode;		/* MODE_NONE: none was named */
	bool persist;
	bool force;
	bool dry_run;
	unsigned int timeout;	/* seconds to wait for another switch */
};

#define DONE		0
#define REFUSED		1

/* Says why, and returns REFUSED. */
#define refuse(...)	(say_error(__VA_ARGS__), REFUSED)

#endif
