// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch_check.c - reasons to refuse "vfio-ioas switch on"
 *
 * All checks come before the first change.
 */
#define _GNU_SOURCE
#include "switch_check.h"

#include "switch_apparmor.h"
#include "switch_situation.h"

#include "lib/say.h"
#include "system/holders.h"

static const char *const unseen_says[] = {
	[UNSEEN_MAYBE] = "a container may be in use: not all processes were looked at",
	[UNSEEN_USE] =
		"a container of the kernel's is in use by a process that was not found",
};

static int check_module(struct situation *situation, bool dry_run)
{
	struct text why = { 0 };
	int result = DONE;
	bool good;

	if (situation->loaded)
		return DONE;
	good = dry_run ? ours_loadable(&why) : ours_load(&why);
	if (!good) {
		result = refuse("the module vfio_ioas cannot be loaded: %s",
				text_chars(&why));
	} else if (!dry_run) {
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
			      ", which the switch does not replace; remove it first",
			      node_says(node));
	if (aside->kind != NODE_NOTHING && aside->kind != NODE_STOCK)
		return refuse("%s is at " NODE_DIR "/" NODE_ASIDE
			      ", where the kernel's own node has to go; remove it first",
			      node_says(aside));
	return DONE;
}

/* "off" will put back the current node, or the one that was put aside. */
static int check_place(const struct situation *situation)
{
	if (situation->dir < 0)
		return refuse("there is no directory " NODE_DIR);
	if (situation->node.kind == NODE_NOTHING &&
	    situation->aside.kind == NODE_NOTHING)
		return refuse("there is no " NODE_DIR "/" NODE
			      " to put aside; is devtmpfs mounted at /dev?");
	return DONE;
}

static int check_serve(const struct situation *situation, enum mode mode)
{
	if (mode != MODE_SERVE && strcmp(situation->serve, "none") == 0)
		return refuse("with serve=none no container would be ours; set it to node first");
	return DONE;
}

static int check_iommufd(const struct request *request)
{
	if (!kernel_has_iommufd())
		return DONE;
	if (!request->force)
		return refuse("/dev/iommu is the kernel's own iommufd, not ours; --force goes on");
	say_warning("/dev/iommu is the kernel's own iommufd");
	return DONE;
}

static int check_apparmor(const struct request *request)
{
	const char *command;

	if (request->mode != MODE_SYMLINK || !apparmor_lacks_rule(&command))
		return DONE;
	if (!request->force)
		return refuse("AppArmor would keep libvirt's domains from " NODE_DIR "/" NODE_OURS
			      ". This allows it:\n  %s\nor use --mode node; --force goes on",
			      command);
	say_warning("AppArmor keeps libvirt's domains from " NODE_DIR "/" NODE_OURS
		    ". This allows it:\n  %s", command);
	return DONE;
}

void switch_warn_if_late(const struct holders *holders)
{
	if (holders->late)
		say_warning("in %d seconds not all processes were looked at", HOLDERS_SECONDS);
}

static void warn_of_idle(const struct holders *holders)
{
	unsigned int nidle = 0, i;

	for (i = 0; i < holders->nholders; i++)
		nidle += holders->holder[i].nstock && !holders->holder[i].ndevices;
	if (nidle)
		say_warning("%u process%s " NODE_DIR "/" NODE
			    " open and no device; its container will be the kernel's",
			    nidle, nidle == 1 ? " has" : "es have");
	switch_warn_if_late(holders);
}

/* Counts processes that use a device through a container of the kernel's; first: one of them. */
static unsigned int count_users(const struct holders *holders, const struct holder **first)
{
	unsigned int nusers = 0, i;

	for (i = 0; i < holders->nholders; i++)
		if (holder_uses_stock(&holders->holder[i]) && nusers++ == 0)
			*first = &holders->holder[i];
	return nusers;
}

/*
 * Any user may open the kernel's node, so an open node alone is no reason to refuse. A process with
 * devices keeps the kernel's container until it ends.
 */
static int refuse_users(const struct holders *holders)
{
	const struct holder *first = NULL;
	unsigned int nusers = count_users(holders, &first);
	enum unseen unseen;

	if (nusers)
		return refuse("%u process%s %s devices through " NODE_DIR "/" NODE
			      " and would stay with the kernel's, %s (%d) for one; --force goes on",
			      nusers, nusers == 1 ? "" : "es", nusers == 1 ? "uses" : "use",
			      printable(first->name), (int)first->pid);
	unseen = holders_unseen(holders);
	return unseen ? refuse("%s; --force goes on", unseen_says[unseen]) : DONE;
}

/* With --force, processes do not prevent the switch. They are reported afterwards. */
static int check_holders(const struct request *request)
{
	struct holders holders;
	int result;

	if (request->force)
		return DONE;
	holders_find(&holders);
	result = refuse_users(&holders);
	if (!result)
		warn_of_idle(&holders);
	holders_free(&holders);
	return result;
}

void switch_warn_of_users(void)
{
	const struct holder *first;
	struct holders holders;
	enum unseen unseen = UNSEEN_NONE;
	unsigned int nusers;

	holders_find(&holders);
	nusers = count_users(&holders, &first);
	if (nusers)
		say_warning("%u process%s containers of the kernel's",
			    nusers, nusers == 1 ? " keeps" : "es keep");
	else
		unseen = holders_unseen(&holders);
	if (unseen)
		say_warning("%s", unseen_says[unseen]);
	warn_of_idle(&holders);
	holders_free(&holders);
}

static int check_ours(const struct situation *situation, enum mode mode)
{
	if (mode == MODE_SERVE || !situation->loaded)
		return DONE;
	if (!situation->our_access.known)
		return refuse("there is no " NODE_DIR "/" NODE_OURS
			      "; is devtmpfs mounted at /dev?");
	if (!situation->stock_access.known &&
	    (situation->node.kind == NODE_STOCK || situation->aside.kind == NODE_STOCK))
		return refuse("the owner, mode and access list of " NODE_DIR "/" NODE
			      " cannot be read, so " NODE_DIR "/" NODE_OURS " cannot get them");
	return DONE;
}

int switch_check(struct situation *situation, const struct request *request)
{
	if (situation->state.error)
		return refuse("cannot read " STATE_DIR "/" STATE_NAME ": %s",
			      strerror(situation->state.error));
	if (check_unknown(situation) || check_iommufd(request) || check_apparmor(request) ||
	    check_holders(request))
		return REFUSED;
	/* The checks above do not need the module. If they refuse, it is not loaded in vain. */
	if (check_module(situation, request->dry_run) || check_place(situation) ||
	    check_serve(situation, request->mode))
		return REFUSED;
	return check_ours(situation, request->mode);
}
