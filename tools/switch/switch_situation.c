// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch_situation.c - is the switch on, in which mode, and is everything consistent?
 *
 * /dev counts more than the state file: a link made by hand counts, too.
 */
#define _GNU_SOURCE
#include "switch_situation.h"

#include "lib/errand.h"

#define LOOK_SECONDS	5

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

/* After the module has gone, a link replaces a node of ours: see switch_refresh(). */
static enum mode mode_that_is_on(const struct situation *situation)
{
	if (situation->node.kind == NODE_LINK)
		return situation->state.mode == MODE_NODE ? MODE_NODE : MODE_SYMLINK;
	if (situation->node.kind == NODE_DEVICE)
		return MODE_NODE;
	return situation->state.mode;
}

static void check_device(struct situation *situation)
{
	struct text *wrong = &situation->wrong;
	const struct node *node = &situation->node;

	if (node->kind == NODE_LINK && situation->mode == MODE_NODE && situation->loaded)
		text_add(wrong, "a symbolic link is at " NODE_DIR "/" NODE
			 ", where a node of ours should be\n");
	if (node->kind != NODE_DEVICE)
		return;
	if (!situation->loaded)
		text_add(wrong, NODE_DIR "/" NODE " has a number that another driver may get\n");
	else if (node->st.st_rdev != situation->ours)
		text_add(wrong, NODE_DIR "/" NODE " has our number of a former load\n");
	else if (!node->is_our_inode)
		text_add(wrong, NODE_DIR "/" NODE " is not the inode of " NODE_DIR "/" NODE_OURS
			 ", and would outlive the module\n");
}

static void check_access(struct situation *situation)
{
	const struct access *stock = &situation->stock_access;
	const struct access *ours = &situation->our_access;

	if (stock->known && ours->known && !access_is_same(stock, ours))
		text_add(&situation->wrong, NODE_DIR "/" NODE_OURS
			 " has %s, the kernel's own node %s\n",
			 access_says(ours), access_says(stock));
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
	    !situation->our_access.known)
		text_add(wrong, "there is no " NODE_DIR "/" NODE_OURS "\n");
	check_device(situation);
	check_access(situation);
	if (strcmp(situation->serve, "none") == 0)
		text_add(wrong, "serve=none, so that no container is ours\n");
}

static void check_serve(struct situation *situation)
{
	if (situation->loaded && strcmp(situation->serve, "all"))
		text_add(&situation->wrong, "serve=%s\n", situation->serve);
}

static void check_unreadable(struct situation *situation)
{
	int error = situation->state.error;

	if (error)
		text_add(&situation->wrong, "cannot read " STATE_DIR "/" STATE_NAME ": %s\n",
			 strerror(error));
	else
		text_add(&situation->wrong,
			 STATE_DIR "/" STATE_NAME " names no known mode\n");
}

static void check(struct situation *situation)
{
	struct text *wrong = &situation->wrong;

	switch (situation->mode) {
	case MODE_NONE:
		if (strcmp(situation->serve, "all") == 0)
			text_add(wrong, "serve=all, set by somebody else\n");
		return;
	case MODE_SYMLINK:
	case MODE_NODE:
		check_node(situation);
		break;
	case MODE_SERVE:
		check_serve(situation);
		break;
	default:
		check_unreadable(situation);
	}
	if (!situation->loaded)
		text_add(wrong, "the module vfio_ioas is not loaded\n");
}

static void look_at_nodes(struct situation *situation)
{
	int dir = situation->dir;

	situation->node = node_look(dir, NODE, situation->state.mode == MODE_NODE ?
				    ANY_NUMBER : situation->ours);
	situation->aside = node_look(dir, NODE_ASIDE, 0);
	if (situation->node.kind == NODE_STOCK)
		access_get(&situation->stock_access, NODE_DIR "/" NODE);
	else if (situation->aside.kind == NODE_STOCK)
		access_get(&situation->stock_access, NODE_DIR "/" NODE_ASIDE);
	if (situation->ours)
		access_get(&situation->our_access, NODE_DIR "/" NODE_OURS);
}

/* An errand_fn: the lookup of a missing name takes the lock of its directory. */
static void look(const void *unused, int output)
{
	struct situation situation = { .dir = node_open_dir() };

	(void)unused;
	situation.loaded = ours_loaded();
	if (!situation.loaded || ours_get_serve(situation.serve))
		situation.serve[0] = '\0';
	situation.ours = ours_number();
	situation.state = state_read(STATE_DIR);
	situation.boot = state_read(BOOT_DIR);
	if (situation.dir >= 0)
		look_at_nodes(&situation);
	if (write(output, &situation, sizeof(situation)) != sizeof(situation))
		_exit(EXIT_NOT_RUN);
}

/* If this takes too long, the program ends, and leaves the switch as after a crash. */
static void need_look(struct situation *situation)
{
	struct errand errand;

	if (!errand_begin(&errand, look, NULL)) {
		say_error("cannot start a child process: %s", strerror(errno));
		exit(EXIT_NOT_RUN);
	}
	if (errand_read(&errand, situation, sizeof(*situation), deadline_in(LOOK_SECONDS * 1000))) {
		errand_end(&errand);
		return;
	}
	errand_give_up(&errand);
	say_error("%s, %s, %s and %s cannot be read in %d seconds; does a user lock one of them?",
		  NODE_DIR, STATE_DIR, BOOT_DIR, "/sys/module", LOOK_SECONDS);
	exit(EXIT_NOT_RUN);
}

void situation_look(struct situation *situation)
{
	need_look(situation);
	situation->dir = node_open_dir();
	situation->mode = mode_that_is_on(situation);
	check(situation);
}

void situation_free(struct situation *situation)
{
	if (situation->dir >= 0)
		close(situation->dir);
	text_free(&situation->wrong);
}
