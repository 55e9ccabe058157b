/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * switch_situation.h - the state of the machine, and the request, for all parts of "vfio-ioas
 * switch"
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

/* All facts that matter for the switch, at one moment. */
struct situation {
	int dir;			/* /dev/vfio, -1 if there is none */
	bool loaded;
	char serve[SERVE_NBYTES];	/* "" unless loaded */
	dev_t ours;			/* our device number, 0 unless loaded */
	struct state state;		/* written by the switch */
	struct state boot;		/* for the next boot */
	struct node node;		/* at /dev/vfio/vfio */
	struct node aside;		/* at /dev/vfio/vfio.stock */
	/* Access rights of the kernel's node, wherever it is now, and of ours if it exists. */
	struct access stock_access;
	struct access our_access;
	enum mode mode;			/* the current one; MODE_NONE: off */
	struct text wrong;		/* inconsistencies, one a line */
};

void situation_look(struct situation *situation);
void situation_free(struct situation *situation);
static inline bool situation_agrees(const struct situation *situation)
{
	return situation->wrong.nchars == 0;
}

/* "a symbolic link to our node" */
const char *node_says(const struct node *node);

/* The request of the command line. */
struct request {
	enum mode mode;		/* MODE_NONE: not given */
	bool persist;
	bool force;
	bool dry_run;
	unsigned int timeout;	/* seconds to wait for another switch */
};

#define DONE		0
#define REFUSED		1

/* Prints the reason and returns REFUSED. */
#define refuse(...)	(say_error(__VA_ARGS__), REFUSED)

#endif
