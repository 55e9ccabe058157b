// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch_situation.c - is the switch on, which way, and does all agree with that?
 *
 * /dev tells more than what is remembered: a link made by hand counts, too.
 */
#define _GNU_SOURCE
#include "switch.h"

const char *node_says(const struct node *node)
{
	static const char *const says[] = {
		[NODE_NOTHING] = "nothing",
		[NODE_STOCK] = "the kernel's own node",
		[NODE_LINK] = "a symbolic link to our node",
		[NODE_DEVICE] = "a node of ours",
		[NODE_MOUNT] = "a mount point",
		[NODE_UNKNOWN] = "something unknown",
	};

	return says[node->kind];
}

static enum way way_that_is_on(const struct situation *situation)
{
	if (situation->node.kind == NODE_LINK)
		return WAY_SYMLINK;
	if (situation->node.kind == NODE_DEVICE)
		return WAY_NODE;
	return situation->state.way;
}

static void check_node(struct situation *situation)
{
	struct text *wrong = &situation->wrong;

	if (situation->node.kind != NODE_LINK && situation->node.kind != NODE_DEVICE)
		text_add(wrong, "%s is at " NODE_DIR "/" NODE "\n",
			 node_says(&situation->node));
	else if (situation->aside.kind != NODE_STOCK)
		text_add(wrong, "%s is at " NODE_DIR "/" NODE_ASIDE
			 ", where the kernel's own node should be\n",
			 node_says(&situation->aside));
	if (situation->node.kind == NODE_LINK && situation->loaded &&
	    access(NODE_DIR "/" NODE_OURS, F_OK))
		text_add(wrong, "there is no " NODE_DIR "/" NODE_OURS "\n");
	if (situation->node.kind == NODE_DEVICE && situation->loaded &&
	    situation->node.st.st_rdev != situation->ours)
		text_add(wrong, NODE_DIR "/" NODE " has our number of a former load\n");
	if (strcmp(situation->serve, "none") == 0)
		text_add(wrong, "serve=none, so that no container is ours\n");
}

static void check_serve(struct situation *situation)
{
	if (situation->loaded && strcmp(situation->serve, "all"))
		text_add(&situation->wrong, "serve=%s\n", situation->serve);
}

static void check(struct situation *situation)
{
	struct text *wrong = &situation->wrong;

	switch (situation->way) {
	case WAY_NONE:
		if (strcmp(situation->serve, "all") == 0)
			text_add(wrong, "serve=all, set by somebody else\n");
		return;
	case WAY_SYMLINK:
	case WAY_NODE:
		check_node(situation);
		break;
	case WAY_SERVE:
		check_serve(situation);
		break;
	default:
		text_add(wrong, STATE_DIR "/" STATE_NAME " names no way that is known\n");
	}
	if (!situation->loaded)
		text_add(wrong, "the module vfio_ioas is not loaded\n");
}

void situation_look(struct situation *situation)
{
	*situation = (struct situation){ .dir = node_open_dir() };
	situation->loaded = ours_loaded();
	if (!situation->loaded || ours_get_serve(situation->serve))
		situation->serve[0] = '\0';
	situation->ours = ours_number();
	situation->state = state_read(STATE_DIR);
	situation->boot = state_read(BOOT_DIR);
	if (situation->dir >= 0) {
		situation->node = node_look(situation->dir, NODE, situation->ours,
					    situation->state.way == WAY_NODE);
		situation->aside = node_look(situation->dir, NODE_ASIDE, 0, false);
	}
	situation->way = way_that_is_on(situation);
	check(situation);
}

void situation_free(struct situation *situation)
{
	if (situation->dir >= 0)
		close(situation->dir);
	text_free(&situation->wrong);
}
