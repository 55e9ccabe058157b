// SPDX-License-Identifier: GPL-2.0-only
/*
 * status_json.c - "vfio-ioas status --json"
 */
#define _GNU_SOURCE
#include "status_json.h"

#include "lib/json.h"
#include "picture.h"

#define SCHEMA		1	/* see vfio-ioas(8) */
#define NAME_NBYTES	64

/* Adds the words of a comma-separated list. */
static void add_list(const char *key, const char *words)
{
	size_t nchars;

	json_open_list(key);
	for (; *words; words += nchars + (words[nchars] == ',')) {
		char word[64];

		nchars = strcspn(words, ",");
		snprintf(word, sizeof(word), "%.*s", (int)nchars, words);
		json_add_string(NULL, word);
	}
	json_close();
}

static bool is_word(const char *key)
{
	return strcmp(key, "kind") == 0 || strcmp(key, "type") == 0 || strcmp(key, "name") == 0;
}

/* Adds the known keys of an item, as far as they are present. */
static void add_members(const struct item *item, const char *const *keys)
{
	char name[NAME_NBYTES];

	for (; *keys; keys++) {
		const char *value = item_text(item, *keys);

		if (!value)
			continue;
		if (strcmp(*keys, "comm") == 0) {
			unescape(value, name, sizeof(name));
			json_add_string(*keys, name);
		} else if (strcmp(*keys, "devices") == 0) {
			add_list(*keys, value);
		} else if (is_word(*keys)) {
			json_add_string(*keys, value);
		} else {
			json_add_number(*keys, item_number(item, *keys));
		}
	}
	if (item_is_busy(item))
		json_add_bool("busy", true);
}

static const char *const context_keys[] = { "id", "kind", "type", "pid", "comm", NULL };

/* Kinds of items that are parts of a context, with the names of their lists and their keys. */
static const struct part {
	const char *kind;
	const char *list;
	const char *const keys[11];
} parts[] = {
	{ "ioas", "ioases", { "id", "vfio", "areas", "mapped", "pinned", "charged", "runs",
			      "pins", "users", NULL } },
	{ "hwpt", "hwpts", { "id", "ioas", "groups", NULL } },
	{ "group", "groups", { "number", "ioas", "hwpt", "devices", NULL } },
	{ "access", "accesses", { "id", "ioas", NULL } },
	{ "device", "devices", { "id", "name", NULL } },
};

static void add_parts(const struct insight *insight, const struct item *context,
		      const struct part *part)
{
	struct items items = insight_parts(insight, context, part->kind);
	unsigned int i;

	json_open_list(part->list);
	for (i = 0; i < items.nitems; i++) {
		json_open_object(NULL);
		if (item_is(items.item[i], "ioas") && item_text(items.item[i], "runs"))
			json_add_number("average_run", average_run(items.item[i]));
		add_members(items.item[i], part->keys);
		json_close();
	}
	json_close();
}

static void add_command(pid_t pid)
{
	char *command, *vm = vm_name_of(pid, &command);

	json_add_string("vm", vm);
	json_add_string("command", command);
	free(vm);
	free(command);
}

static void add_contexts(const struct picture *picture)
{
	const struct insight *insight = &picture->insight;
	unsigned int i, part;

	json_open_list("contexts");
	for (i = 0; i < insight->nitems; i++) {
		const struct item *item = &insight->items[i];

		if (!item_is(item, "context") || item->is_repeated ||
		    !filter_has_context(&picture->filter, insight, item))
			continue;
		json_open_object(NULL);
		add_members(item, context_keys);
		if (picture->live)
			add_command((pid_t)item_number(item, "pid"));
		for (part = 0; part < ARRAY_SIZE(parts); part++)
			add_parts(insight, item, &parts[part]);
		json_close();
	}
	json_close();
}

static void add_others(const struct picture *picture)
{
	const struct holders *holders = &picture->holders;
	unsigned int i;

	json_open_list("others");
	for (i = 0; i < holders->nholders; i++) {
		const struct holder *holder = &holders->holder[i];

		if (!picture_shows_holder(picture, holder))
			continue;
		json_open_object(NULL);
		json_add_number("pid", (uint64_t)holder->pid);
		json_add_string("comm", holder->name);
		json_add_number("through_vfio", holder->nstock);
		json_add_number("through_ioas", holder->nours);
		json_add_number("ours", holder->nstock + holder->nours -
					holder_nothers(holder, &picture->insight));
		json_close();
	}
	json_close();
	if (picture->live)
		json_add_bool("all_others", holders_are_all(holders));
}

void status_print_json(const struct picture *picture)
{
	json_open_object(NULL);
	json_add_number("schema", SCHEMA);
	add_contexts(picture);
	json_add_number("left_out", picture->insight.nmissing);
	json_add_number("contexts_left_out", picture->insight.nmissing_contexts);
	add_others(picture);
	json_close();
}
