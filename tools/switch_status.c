// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch_status.c - "vfio-ioas switch status"
 */
#define _GNU_SOURCE
#include "switch.h"

#include "holders.h"
#include "json.h"

/* Exit statuses. */
#define IS_ON		0
#define IS_OFF		1
#define DISAGREES	2

static const char *way_name(enum way way)
{
	return way == NWAYS ? "unknown" : way_names[way];
}

static void print_holders(const struct holders *holders)
{
	unsigned int i;

	for (i = 0; i < holders->nholders; i++) {
		const struct holder *holder = &holders->holder[i];

		printf("%-16s %s (%d): %u opened through the kernel's node, %u through ours\n",
		       i ? "" : "containers:", printable(holder->name),
		       (int)holder->pid, holder->nstock, holder->nours);
	}
	if (!holders->nholders)
		printf("%-16s none are open\n", "containers:");
	if (!holders->complete)
		printf("%-16s those of other users are not shown: needs root\n", "");
}

static void print_wrong(const char *lines)
{
	const char *label = "does not agree:";
	size_t nchars;

	for (; *lines; lines += nchars + 1) {
		nchars = strcspn(lines, "\n");
		printf("%-16s %.*s\n", label, (int)nchars, lines);
		label = "";
	}
}

static void print_text(const struct situation *situation,
		       const struct holders *holders)
{
	if (situation->way == WAY_NONE)
		printf("%-16s off\n", "switch:");
	else
		printf("%-16s on, way: %s\n", "switch:", way_name(situation->way));
	if (situation->boot.way == WAY_NONE)
		printf("%-16s off\n", "at boot:");
	else
		printf("%-16s on, way: %s\n", "at boot:", way_name(situation->boot.way));
	printf("%-16s %s\n", NODE_DIR "/" NODE ":", node_says(&situation->node));
	if (situation->loaded)
		printf("%-16s loaded, serve=%s\n", "module:", situation->serve);
	else
		printf("%-16s not loaded\n", "module:");
	print_wrong(text_chars(&situation->wrong));
	print_holders(holders);
}

static void print_json_wrong(const char *lines)
{
	char line[256];
	size_t nchars;

	printf(", \"disagrees\": [");
	for (; *lines; lines += nchars + 1) {
		nchars = strcspn(lines, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)nchars, lines);
		json_string(line);
		if (lines[nchars + 1])
			printf(", ");
	}
	printf("]");
}

static void print_json_holders(const struct holders *holders)
{
	unsigned int i;

	printf(", \"holders\": [");
	for (i = 0; i < holders->nholders; i++) {
		const struct holder *holder = &holders->holder[i];

		printf("%s{\"pid\": %d", i ? ", " : "", (int)holder->pid);
		json_member(false, "comm", holder->name);
		printf(", \"stock\": %u, \"ours\": %u}", holder->nstock, holder->nours);
	}
	printf("], \"all_holders\": %s", holders->complete ? "true" : "false");
}

static const char *way_or_null(enum way way)
{
	return way == WAY_NONE ? NULL : way_name(way);
}

static void print_json(const struct situation *situation,
		       const struct holders *holders)
{
	static const char *const kinds[] = {
		[NODE_NOTHING] = "nothing", [NODE_STOCK] = "stock",
		[NODE_LINK] = "symlink", [NODE_DEVICE] = "node",
		[NODE_MOUNT] = "mount", [NODE_UNKNOWN] = "unknown",
	};

	printf("{");
	json_member(true, "switch", situation->way == WAY_NONE ? "off" : "on");
	json_member(false, "way", way_or_null(situation->way));
	json_member(false, "at_boot", way_or_null(situation->boot.way));
	json_member(false, "node", kinds[situation->node.kind]);
	printf(", \"loaded\": %s", situation->loaded ? "true" : "false");
	json_member(false, "serve", situation->loaded ? situation->serve : NULL);
	printf(", \"agrees\": %s", situation_agrees(situation) ? "true" : "false");
	print_json_wrong(text_chars(&situation->wrong));
	print_json_holders(holders);
	printf("}\n");
}

int switch_status(bool json)
{
	struct situation situation;
	struct holders holders;
	int status = IS_ON;

	situation_look(&situation);
	holders_find(&holders, situation.ours);
	if (json)
		print_json(&situation, &holders);
	else
		print_text(&situation, &holders);
	if (!situation_agrees(&situation))
		status = DISAGREES;
	else if (situation.way == WAY_NONE)
		status = IS_OFF;
	holders_free(&holders);
	situation_free(&situation);
	return status;
}
