// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch_change.c - "vfio-ioas switch on", "off", "restore" and "refresh"
 *
 * Each change is written down before it is made, and forgotten after it is undone. So the next run
 * after a crash knows what to undo.
 */
#define _GNU_SOURCE
#include "switch_change.h"

#include "switch_check.h"
#include "switch_situation.h"

#include <signal.h>

#include "lib/say.h"
#include "switch_lock.h"
#include "system/holders.h"

#define MAX_NAMED	100	/* processes that warnings list */

/*
 * Checks for root and takes the lock. Returns a descriptor to close at the end, or -1 after
 * printing why not.
 */
static int begin(const struct request *request)
{
	if (geteuid()) {
		say_error("the switch needs root");
		return -1;
	}
	/* If the reader of our output goes away, the change must still be completed. */
	signal(SIGPIPE, SIG_IGN);
	return switch_lock(request->timeout);
}

/* --- access rights of our node */

/*
 * While our node replaces the kernel's, it has the access rights of the kernel's node. The state
 * keeps the former rights of our node.
 */
static int take_access(const struct situation *situation)
{
	const struct access *stock = &situation->stock_access;
	int result;

	if (!stock->known || access_is_same(stock, &situation->our_access))
		return DONE;
	result = access_set(stock, NODE_DIR "/" NODE_OURS);
	return result ? refuse(NODE_DIR "/" NODE_OURS " cannot get the %s of the kernel's node: %s",
			       access_says(stock), strerror(-result)) : DONE;
}

/* Keeps rights that somebody has changed since, and those of a node made by a later load. */
static void put_access_back(const struct situation *situation)
{
	const struct access *former = &situation->state.former;
	const struct access *ours = &situation->our_access;
	int result;

	if (!former->known || !ours->known || access_is_same(former, ours) ||
	    !situation->stock_access.known || !access_is_same(ours, &situation->stock_access))
		return;
	result = access_set(former, NODE_DIR "/" NODE_OURS);
	if (result)
		say_warning(NODE_DIR "/" NODE_OURS " cannot get its former %s: %s",
			    access_says(former), strerror(-result));
}

/* --- off */

static int put_serve_back(const struct situation *situation)
{
	const char *former = situation->state.serve;
	int result;

	if (situation->state.mode != MODE_SERVE || !situation->loaded)
		return DONE;
	if (strcmp(situation->serve, "all")) {
		say_warning("serve=%s was set by somebody else and stays", situation->serve);
		return DONE;
	}
	/* A truncated file may have no value. Then the module's default is used. */
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
		say_warning("nothing is put aside at " NODE_DIR "/" NODE_ASIDE
			    ": made a node as the kernel makes it");
		result = node_put_fresh(situation->dir);
	}
	return result ? refuse(NODE_DIR "/" NODE " cannot be put back: %s",
			       strerror(-result)) : DONE;
}

static int undo(const struct situation *situation)
{
	if (put_serve_back(situation) || put_node_back(situation))
		return REFUSED;
	put_access_back(situation);
	return state_remove(STATE_DIR) ? REFUSED : DONE;
}

/* A user may have any number of processes, and of containers without a group. */
static void warn_of_ours(void)
{
	unsigned int nours = 0, i;
	struct holders holders;

	holders_find(&holders);
	for (i = 0; i < holders.nholders; i++)
		if (holders.holder[i].nours && nours++ < MAX_NAMED)
			say_warning("%s (%d) keeps its container of ours",
				    printable(holders.holder[i].name),
				    (int)holders.holder[i].pid);
	if (nours > MAX_NAMED)
		say_warning("so do %u other processes", nours - MAX_NAMED);
	switch_warn_if_late(&holders);
	holders_free(&holders);
}

static int boot_off(const struct request *request, const struct situation *situation)
{
	if (situation->boot.mode == MODE_NONE)
		return DONE;
	if (request->persist)
		return state_remove(BOOT_DIR) ? REFUSED : DONE;
	printf("vfio-ioas: on again after a boot; 'switch off --persist' ends that, too\n");
	return DONE;
}

static int off(const struct request *request, const struct situation *situation)
{
	bool was_on = situation->mode != MODE_NONE;

	if (undo(situation))
		return REFUSED;
	printf("vfio-ioas: %s\n", was_on ? "off; containers opened from now on are the kernel's" :
	       "is off already");
	return boot_off(request, situation);
}

static int dry_off(const struct request *request)
{
	struct situation situation;

	situation_look(&situation);
	if (situation.mode == MODE_NONE)
		printf("vfio-ioas: is off already\n");
	else
		printf("vfio-ioas: would switch off; now on, mode: %s\n",
		       situation.mode == NMODES ? "unknown" : mode_names[situation.mode]);
	if (request->persist && situation.boot.mode != MODE_NONE)
		printf("vfio-ioas: would remove " BOOT_DIR "/" STATE_NAME "\n");
	situation_free(&situation);
	return DONE;
}

int switch_off(const struct request *request)
{
	struct situation situation;
	int lock, result;
	bool was_on;

	if (request->dry_run)
		return dry_off(request);
	lock = begin(request);
	if (lock < 0)
		return REFUSED;
	situation_look(&situation);
	was_on = situation.mode != MODE_NONE;
	result = off(request, &situation);
	situation_free(&situation);
	close(lock);
	/* The search takes a while. If it is interrupted, the switch is off all the same. */
	output_flush();
	if (was_on && !result)
		warn_of_ours();
	return result;
}

/* --- on */

static int apply(const struct situation *situation, enum mode mode)
{
	int result;

	if (mode != MODE_SERVE && take_access(situation))
		return REFUSED;
	switch (mode) {
	case MODE_SYMLINK:
		result = node_put_link(situation->dir);
		break;
	case MODE_NODE:
		result = node_put_device(situation->dir);
		break;
	default:
		result = ours_set_serve("all");
	}
	return result ? refuse("the mode '%s' failed: %s", mode_names[mode],
			       strerror(-result)) : DONE;
}

/* The state describes the time before the first "on", so a second one keeps it. */
static struct state to_remember(const struct situation *situation, enum mode mode)
{
	struct state state = { .mode = mode };
	bool again = situation->state.mode == mode;

	if (mode == MODE_SERVE)
		memcpy(state.serve, again ? situation->state.serve : situation->serve,
		       sizeof(state.serve));
	else
		state.former = again && situation->state.former.known ?
				       situation->state.former : situation->our_access;
	return state;
}

static int put_on(const struct situation *situation, enum mode mode)
{
	struct state state = to_remember(situation, mode);
	struct situation now;

	if (state_write(STATE_DIR, &state))
		return REFUSED;
	if (!apply(situation, mode))
		return DONE;
	if (situation->state.mode == MODE_NONE) {
		situation_look(&now);
		put_access_back(&now);
		situation_free(&now);
		state_remove(STATE_DIR);
	}
	return REFUSED;
}

/* Undoes the current mode if it is not the requested one. */
static int leave_mode(struct situation *situation, enum mode mode)
{
	if (situation->mode == MODE_NONE || situation->mode == mode)
		return DONE;
	if (undo(situation))
		return REFUSED;
	situation_free(situation);
	situation_look(situation);
	return DONE;
}

static int boot_on(const struct request *request)
{
	struct state state = { .mode = request->mode };

	if (!request->persist || !state_write(BOOT_DIR, &state))
		return DONE;
	say_error("the switch is on, but only until the next boot");
	return REFUSED;
}

static int dry_on(const struct request *request, struct situation *situation)
{
	if (switch_check(situation, request))
		return REFUSED;
	if (!situation->loaded)
		printf("vfio-ioas: would load the module " OUR_MODULE "\n");
	if (situation->mode != MODE_NONE && situation->mode != request->mode)
		printf("vfio-ioas: would leave the mode that is on: %s\n",
		       situation->mode == NMODES ? "unknown" : mode_names[situation->mode]);
	printf("vfio-ioas: would switch on, mode: %s\n", mode_names[request->mode]);
	if (request->persist)
		printf("vfio-ioas: would write " BOOT_DIR "/" STATE_NAME "\n");
	return DONE;
}

static bool is_on_already(const struct request *request, const struct situation *situation)
{
	return situation->mode == request->mode && situation_agrees(situation);
}

static int on(const struct request *request, struct situation *situation)
{
	if (is_on_already(request, situation)) {
		printf("vfio-ioas: is on already, mode: %s\n", mode_names[request->mode]);
		return request->dry_run ? DONE : boot_on(request);
	}
	if (request->dry_run)
		return dry_on(request, situation);
	if (switch_check(situation, request) ||
	    leave_mode(situation, request->mode) || put_on(situation, request->mode))
		return REFUSED;
	ours_warn_of_parameters();
	printf("vfio-ioas: on, mode: %s; containers opened from now on are ours\n",
	       mode_names[request->mode]);
	return boot_on(request);
}

int switch_on(const struct request *request)
{
	struct situation situation;
	struct request wanted = *request;
	bool changes;
	int lock = -1, result;

	if (!request->dry_run)
		lock = begin(request);
	if (lock < 0 && !request->dry_run)
		return REFUSED;
	situation_look(&situation);
	/* The default is the current mode. */
	if (wanted.mode == MODE_NONE)
		wanted.mode = situation.mode == MODE_NONE || situation.mode == NMODES ?
				     MODE_SYMLINK : situation.mode;
	changes = !is_on_already(&wanted, &situation);
	result = on(&wanted, &situation);
	situation_free(&situation);
	if (lock >= 0)
		close(lock);
	output_flush();
	if (wanted.force && changes && !result)
		switch_warn_of_users();
	return result;
}

/* --- at boot, and when the module comes or goes */

int switch_restore(const struct request *request)
{
	struct state boot = state_read(BOOT_DIR);
	/* Nobody would read a refusal at boot, and most containers do not exist yet. */
	struct request wanted = {
		.mode = boot.mode, .force = true, .timeout = request->timeout
	};

	if (boot.error)
		return refuse("cannot read " BOOT_DIR "/" STATE_NAME ": %s", strerror(boot.error));
	if (boot.mode == NMODES)
		return refuse(BOOT_DIR "/" STATE_NAME " names no known mode");
	if (boot.mode != MODE_NONE)
		return switch_on(&wanted);
	printf("vfio-ioas: there is nothing to restore: no " BOOT_DIR "/" STATE_NAME "\n");
	return DONE;
}

/*
 * After the module has gone, its device number may soon belong to another driver. So a dangling
 * link replaces a node of ours. When the module is loaded again, everything is made as before.
 */
static int refresh(struct situation *situation)
{
	enum mode mode = situation->state.mode;
	struct request request = { .mode = mode, .force = true };
	int result;

	if (mode == MODE_NONE || mode == NMODES || situation_agrees(situation))
		return DONE;
	if (situation->loaded)
		return switch_check(situation, &request) || put_on(situation, mode) ?
		       REFUSED : DONE;
	if (situation->node.kind != NODE_DEVICE)
		return DONE;
	result = node_put_link(situation->dir);
	return result ? refuse(NODE_DIR "/" NODE ": %s", strerror(-result)) : DONE;
}

int switch_refresh(const struct request *request)
{
	struct situation situation;
	int lock = begin(request);
	int result;

	if (lock < 0)
		return REFUSED;
	situation_look(&situation);
	result = refresh(&situation);
	situation_free(&situation);
	close(lock);
	return result;
}
