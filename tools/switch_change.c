// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch_change.c - "vfio-ioas switch on", "off" and "restore"
 *
 * What will be done is written down before it is done, and forgotten after it is undone,
 * so that whoever comes after a crash knows what to undo. All that can be checked is
 * checked before the first change.
 */
#define _GNU_SOURCE
#include "switch.h"

#include <stdarg.h>

#include "holders.h"

#define DONE		0
#define REFUSED		1

__attribute__((format(printf, 1, 2)))
static int refuse(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "vfio-ioas: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return REFUSED;
}

__attribute__((format(printf, 1, 2)))
static void warn(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "vfio-ioas: warning: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

/* Root, and alone: a descriptor to close when done, or -1 after saying why not. */
static int begin(void)
{
	int lock;

	if (geteuid()) {
		refuse("the switch needs root");
		return -1;
	}
	lock = state_lock();
	if (lock < 0)
		refuse("%s: %s", STATE_DIR, strerror(-lock));
	return lock;
}

/* --- what speaks against it */

static int check_module(struct situation *situation)
{
	struct text why = { 0 };
	int result = DONE;

	if (situation->loaded)
		return DONE;
	if (!ours_load(&why)) {
		result = refuse("the module vfio_ioas cannot be loaded: %s",
				text_chars(&why));
	} else {
		situation_free(situation);
		situation_look(situation);
	}
	text_free(&why);
	return result;
}

static int check_unknown(const struct situation *situation)
{
	const struct node *node = &situation->node;
	const struct node *aside = &situation->aside;

	if (node->kind == NODE_UNKNOWN || node->kind == NODE_MOUNT)
		return refuse("%s is at " NODE_DIR "/" NODE
			      ", which only whoever put it there can judge",
			      node_says(node));
	if (aside->kind != NODE_NOTHING && aside->kind != NODE_STOCK)
		return refuse("%s is at " NODE_DIR "/" NODE_ASIDE
			      ", where the kernel's own node has to be put aside",
			      node_says(aside));
	return DONE;
}

/* The node that is there now, or was put aside, is what "off" puts back. */
static int check_place(const struct situation *situation)
{
	if (situation->dir < 0)
		return refuse("there is no directory " NODE_DIR);
	if (situation->node.kind == NODE_NOTHING &&
	    situation->aside.kind == NODE_NOTHING)
		return refuse("there is no " NODE_DIR "/" NODE
			      " that could be put aside: is devtmpfs mounted at /dev?");
	return DONE;
}

static int check_serve(const struct situation *situation, enum way way)
{
	if (way != WAY_SERVE && strcmp(situation->serve, "none") == 0)
		return refuse("with serve=none no container would be ours; set it to node first");
	return DONE;
}

static int check_iommufd(const struct request *request)
{
	if (!kernel_has_iommufd())
		return DONE;
	if (!request->force)
		return refuse("/dev/iommu is the kernel's own iommufd, not ours; --force goes on");
	warn("/dev/iommu is the kernel's own iommufd");
	return DONE;
}

static int check_holders(const struct request *request)
{
	struct holders holders;
	unsigned int nstock = 0, i, first = 0;
	int result = DONE;

	holders_find(&holders, 0);
	for (i = 0; i < holders.nholders; i++)
		if (holders.holder[i].nstock && nstock++ == 0)
			first = i;
	if (nstock && !request->force)
		result = refuse("%u process%s %s " NODE_DIR "/" NODE
				" open and would stay with the kernel's, %s (%d) for one; --force goes on",
				nstock, nstock == 1 ? "" : "es",
				nstock == 1 ? "has" : "have",
				printable(holders.holder[first].name),
				(int)holders.holder[first].pid);
	else if (nstock)
		warn("%u process%s the backend of containers that exist",
		     nstock, nstock == 1 ? " keeps" : "es keep");
	holders_free(&holders);
	return result;
}

static int check_all(struct situation *situation, const struct request *request)
{
	if (check_unknown(situation) || check_iommufd(request) ||
	    check_holders(request))
		return REFUSED;
	/* All of the above does without the module, and without loading it in vain. */
	if (check_module(situation) || check_place(situation) ||
	    check_serve(situation, request->way))
		return REFUSED;
	if (request->way == WAY_SYMLINK && access(NODE_DIR "/" NODE_OURS, F_OK))
		return refuse("there is no " NODE_DIR "/" NODE_OURS
			      " to link to: is devtmpfs mounted at /dev?");
	if (request->way == WAY_NODE && !situation->ours)
		return refuse("sysfs does not tell the number of our device");
	return DONE;
}

/* --- off */

static int put_serve_back(const struct situation *situation)
{
	const char *former = situation->state.serve;
	int result;

	if (situation->state.way != WAY_SERVE || !situation->loaded)
		return DONE;
	if (strcmp(situation->serve, "all")) {
		warn("serve=%s was set by somebody else and stays", situation->serve);
		return DONE;
	}
	/* A file that lost its end has no value: then the module's own default. */
	result = ours_set_serve(former[0] ? former : "node");
	return result ? refuse("serve cannot be set to %s: %s", former,
			       strerror(-result)) : DONE;
}

static int put_node_back(const struct situation *situation)
{
	enum node_kind kind = situation->node.kind;
	bool aside = situation->aside.kind == NODE_STOCK;
	int result = 0;

	if (situation->dir < 0)
		return DONE;
	if ((kind == NODE_UNKNOWN || kind == NODE_MOUNT) && aside)
		return refuse("%s is at " NODE_DIR "/" NODE "; the kernel's own node stays at "
			      NODE_DIR "/" NODE_ASIDE, node_says(&situation->node));
	if (aside || kind == NODE_STOCK) {
		result = node_put_back(situation->dir);
	} else if (kind == NODE_LINK || kind == NODE_DEVICE) {
		warn("nothing is put aside at " NODE_DIR "/" NODE_ASIDE
		     ": made a node as the kernel makes it");
		result = node_put_fresh(situation->dir);
	}
	return result ? refuse(NODE_DIR "/" NODE " cannot be put back: %s",
			       strerror(-result)) : DONE;
}

static int undo(const struct situation *situation)
{
	int result;

	if (put_serve_back(situation) || put_node_back(situation))
		return REFUSED;
	result = state_remove(STATE_DIR);
	return result ? refuse(STATE_DIR ": %s", strerror(-result)) : DONE;
}

static void warn_of_ours(const struct situation *situation)
{
	struct holders holders;
	unsigned int i;

	holders_find(&holders, situation->ours);
	for (i = 0; i < holders.nholders; i++)
		if (holders.holder[i].nours)
			warn("%s (%d) keeps its container of ours",
			     printable(holders.holder[i].name),
			     (int)holders.holder[i].pid);
	holders_free(&holders);
}

static int boot_off(const struct request *request, const struct situation *situation)
{
	int result;

	if (situation->boot.way == WAY_NONE)
		return DONE;
	if (!request->persist) {
		printf("vfio-ioas: on again after a boot; 'switch off --persist' ends that, too\n");
		return DONE;
	}
	result = state_remove(BOOT_DIR);
	return result ? refuse(BOOT_DIR ": %s", strerror(-result)) : DONE;
}

static int off(const struct request *request, const struct situation *situation)
{
	bool was_on = situation->way != WAY_NONE;

	if (undo(situation))
		return REFUSED;
	printf("vfio-ioas: %s\n", was_on ? "off; containers opened from now on are the kernel's" :
	       "is off already");
	if (was_on)
		warn_of_ours(situation);
	return boot_off(request, situation);
}

int switch_off(const struct request *request)
{
	struct situation situation;
	int lock = begin();
	int result;

	if (lock < 0)
		return REFUSED;
	situation_look(&situation);
	result = off(request, &situation);
	situation_free(&situation);
	close(lock);
	return result;
}

/* --- on */

static int apply(const struct situation *situation, enum way way)
{
	switch (way) {
	case WAY_SYMLINK:
		return node_put_link(situation->dir);
	case WAY_NODE:
		return node_put_device(situation->dir, situation->ours);
	default:
		return ours_set_serve("all");
	}
}

/* What was there before the first "on" is what counts. */
static struct state to_remember(const struct situation *situation, enum way way)
{
	struct state state = { .way = way };
	const char *former = situation->state.way == way ? situation->state.serve :
							   situation->serve;

	if (way == WAY_SERVE)
		memcpy(state.serve, former, sizeof(state.serve));
	return state;
}

static int put_on(const struct situation *situation, enum way way)
{
	struct state state = to_remember(situation, way);
	int result = state_write(STATE_DIR, &state);

	if (result)
		return refuse(STATE_DIR ": %s", strerror(-result));
	result = apply(situation, way);
	if (!result)
		return DONE;
	refuse("the way '%s' does not work: %s", way_names[way], strerror(-result));
	if (situation->state.way == WAY_NONE)
		state_remove(STATE_DIR);
	return REFUSED;
}

/* Another way, or a way that does not agree: first all is put back. */
static int leave_way(struct situation *situation, enum way way)
{
	if (situation->way == WAY_NONE || situation->way == way)
		return DONE;
	if (undo(situation))
		return REFUSED;
	situation_free(situation);
	situation_look(situation);
	return DONE;
}

static int boot_on(const struct request *request)
{
	struct state state = { .way = request->way };
	int result;

	if (!request->persist)
		return DONE;
	result = state_write(BOOT_DIR, &state);
	return result ? refuse(BOOT_DIR ": %s", strerror(-result)) : DONE;
}

static int on(const struct request *request, struct situation *situation)
{
	if (situation->way == request->way && situation_agrees(situation)) {
		printf("vfio-ioas: is on already, way: %s\n", way_names[request->way]);
		return boot_on(request);
	}
	if (check_all(situation, request) ||
	    leave_way(situation, request->way) || put_on(situation, request->way))
		return REFUSED;
	ours_warn_of_parameters();
	printf("vfio-ioas: on, way: %s; containers opened from now on are ours\n",
	       way_names[request->way]);
	return boot_on(request);
}

int switch_on(const struct request *request)
{
	struct situation situation;
	struct request wanted = *request;
	int lock = begin();
	int result;

	if (lock < 0)
		return REFUSED;
	situation_look(&situation);
	/* Without a way named: the one that is on. */
	if (wanted.way == WAY_NONE)
		wanted.way = situation.way == WAY_NONE || situation.way == NWAYS ?
				     WAY_SYMLINK : situation.way;
	result = on(&wanted, &situation);
	situation_free(&situation);
	close(lock);
	return result;
}

int switch_restore(void)
{
	struct state boot = state_read(BOOT_DIR);
	/* Nobody is there to read a refusal, and most containers are still to come. */
	struct request request = { .way = boot.way, .force = true };

	if (boot.way == NWAYS)
		return refuse(BOOT_DIR "/" STATE_NAME " names no way that is known");
	if (boot.way != WAY_NONE)
		return switch_on(&request);
	printf("vfio-ioas: there is nothing to restore: no " BOOT_DIR "/" STATE_NAME "\n");
	return DONE;
}
