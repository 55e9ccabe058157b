/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * switch.h - what the parts of "vfio-ioas switch" know of the machine
 */
#ifndef TOOLS_SWITCH_H
#define TOOLS_SWITCH_H

#include "compare/common.h"
#include "compare/text.h"
#include "ours.h"
#include "say.h"
#include "switch_access.h"
#include "switch_node.h"
#include "switch_state.h"

struct holders;

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
	enum way way;			/* the one that is on; WAY_NONE: off */
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
	enum way way;		/* WAY_NONE: none was named */
	bool persist;
	bool force;
	bool dry_run;
	unsigned int timeout;	/* seconds to wait for another switch */
};

#define DONE		0
#define REFUSED		1

/* Says why, and returns REFUSED. */
#define refuse(...)	(say_error(__VA_ARGS__), REFUSED)

/*
 * What AppArmor lacks for libvirt's domains to get our container by a symbolic link: true if
 * something is missing, with the command that adds it.
 */
bool apparmor_lacks_rule(const char **command);

/* All that speaks against it, checked before anything changes: DONE or REFUSED. */
int switch_check(struct situation *situation, const struct request *request);
/* Says which containers stay the kernel's; takes HOLDERS_SECONDS, whatever others do. */
void switch_warn_of_users(void);
/* Says if some processes were not looked at, as a list of holders does not show. */
void switch_warn_if_late(const struct holders *holders);

/* Each is a subcommand and returns the exit status. */
int switch_on(const struct request *request);
int switch_off(const struct request *request);
int switch_restore(const struct request *request);
int switch_refresh(const struct request *request);
int switch_status(bool json);

#endif
