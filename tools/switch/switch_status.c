// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch_status.c - "vfio-ioas switch status"
 */
#define _GNU_SOURCE
#include "switch_status.h"

#include "switch_check.h"
#include "switch_situation.h"

#include "lib/json.h"
#include "lib/say.h"
#include "system/holders.h"

#define SCHEMA		1	/* of the JSON; see vfio-ioas(8) */

/* Exit statuses; 2 stands for a wrong command line, as everywhere. */
#define IS_ON		0
#define IS_OFF		1
#define DISAGREES	3

/* The data to show. */
struct view {
	struct situation situation;
	struct holders holders;
	char loaded[VERSION_NBYTES];
	char installed[VERSION_NBYTES];
};

static const char *mode_name(enum mode mode)
{
	return mode == NMODES ? "unknown" : mode_names[mode];
}

static void print_holder(const char *label, const struct holder *holder)
{
	printf("%-16s %s (%d): %u opened through the kernel's node, %u through ours", label,
	       printable(holder->name), (int)holder->pid, holder->nstock, holder->nours);
	if (holder->nnative)
		printf(", %u of /dev/iommu", holder->nnative);
	puts(holder->ndevices ? "; with devices" : "");
}

static void print_holders(const struct holders *holders)
{
	unsigned int nhidden = holders_nhidden(holders), i;
	const char *label = "containers:";

	for (i = 0; i < holders->nholders; i++, label = "")
		print_holder(label, &holders->holder[i]);
	if (nhidden)
		printf("%-16s maybe %u more of ours, in no process that can be seen\n", label,
		       nhidden);
	else if (!holders->nholders)
		printf("%-16s none are open\n", label);
	if (holders->denied)
		printf("%-16s those of other users are not shown: needs root\n", "");
	if (holders->late)
		printf("%-16s not all processes were looked at: there are too many, or too many\n"
		       "%-16s descriptors are open\n", "", "");
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

/* "version: 1.2", and the versions of the module if they differ. */
static void print_versions(const struct view *view)
{
	printf("%-16s %s", "version:", VFIO_IOAS_VERSION);
	if (view->loaded[0] && strcmp(view->loaded, VFIO_IOAS_VERSION))
		printf("; module loaded: %s", view->loaded);
	if (!view->installed[0])
		printf("; module installed: none");
	else if (strcmp(view->installed, VFIO_IOAS_VERSION) ||
		 (view->loaded[0] && strcmp(view->installed, view->loaded)))
		printf("; module installed: %s", view->installed);
	putchar('\n');
}

static void print_boot(const struct state *boot)
{
	if (boot->error)
		printf("%-16s cannot read " BOOT_DIR "/" STATE_NAME ": %s\n", "at boot:",
		       strerror(boot->error));
	else if (boot->mode == MODE_NONE)
		printf("%-16s off\n", "at boot:");
	else
		printf("%-16s on, mode: %s\n", "at boot:", mode_name(boot->mode));
}

static void print_text(const struct view *view)
{
	const struct situation *situation = &view->situation;

	if (situation->mode == MODE_NONE)
		printf("%-16s off\n", "switch:");
	else
		printf("%-16s on, mode: %s\n", "switch:", mode_name(situation->mode));
	print_boot(&situation->boot);
	printf("%-16s %s\n", NODE_DIR "/" NODE ":", node_says(&situation->node));
	if (situation->loaded)
		printf("%-16s loaded, serve=%s\n", "module:", situation->serve);
	else
		printf("%-16s not loaded\n", "module:");
	print_versions(view);
	print_wrong(text_chars(&situation->wrong));
	print_holders(&view->holders);
}

static void print_json_wrong(const char *lines)
{
	char line[256];
	size_t nchars;

	json_open_list("disagrees");
	for (; *lines; lines += nchars + 1) {
		nchars = strcspn(lines, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)nchars, lines);
		json_add_string(NULL, line);
	}
	json_close();
}

static void print_json_holders(const struct holders *holders)
{
	unsigned int i;

	json_open_list("holders");
	for (i = 0; i < holders->nholders; i++) {
		const struct holder *holder = &holders->holder[i];

		json_open_object(NULL);
		json_add_number("pid", (uint64_t)holder->pid);
		json_add_number("uid", holder->uid);
		json_add_string("comm", holder->name);
		json_add_number("stock", holder->nstock);
		json_add_number("ours", holder->nours);
		json_add_number("iommu", holder->nnative);
		json_add_bool("devices", holder->ndevices);
		json_close();
	}
	json_close();
	json_add_bool("all_holders", holders_are_all(holders));
	json_add_number("hidden", holders_nhidden(holders));
}

static const char *mode_or_null(enum mode mode)
{
	return mode == MODE_NONE ? NULL : mode_name(mode);
}

static const char *version_or_null(const char *version)
{
	return version[0] ? version : NULL;
}

static void print_json(const struct view *view)
{
	static const char *const kinds[] = {
		[NODE_NOTHING] = "nothing", [NODE_STOCK] = "stock",
		[NODE_LINK] = "symlink", [NODE_DEVICE] = "node",
		[NODE_MOUNT] = "mount", [NODE_UNKNOWN] = "unknown",
	};
	const struct situation *situation = &view->situation;

	json_open_object(NULL);
	json_add_number("schema", SCHEMA);
	json_add_string("switch", situation->mode == MODE_NONE ? "off" : "on");
	json_add_string("way", mode_or_null(situation->mode));
	json_add_string("at_boot", mode_or_null(situation->boot.mode));
	json_add_string("node", kinds[situation->node.kind]);
	json_add_bool("loaded", situation->loaded);
	json_add_string("serve", situation->loaded ? situation->serve : NULL);
	json_add_string("version", VFIO_IOAS_VERSION);
	json_add_string("version_loaded", version_or_null(view->loaded));
	json_add_string("version_installed", version_or_null(view->installed));
	json_add_bool("agrees", situation_agrees(situation));
	print_json_wrong(text_chars(&situation->wrong));
	print_json_holders(&view->holders);
	json_close();
}

int switch_status(bool json)
{
	struct view view;
	int status = IS_ON;

	situation_look(&view.situation);
	holders_find(&view.holders);
	ours_versions(view.loaded, view.installed);
	if (json)
		print_json(&view);
	else
		print_text(&view);
	if (!situation_agrees(&view.situation))
		status = DISAGREES;
	else if (view.situation.mode == MODE_NONE)
		status = IS_OFF;
	holders_free(&view.holders);
	situation_free(&view.situation);
	return status;
}
