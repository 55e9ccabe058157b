// SPDX-License-Identifier: GPL-2.0-only
/*
 * status_json.c - "vfio-ioas status --json"
 */
#define _GNU_SOURCE
#include "status.h"

#include "json.h"
#include "table.h"

#define NAME_NBYTES	64

static void print_list(const char *words)
{
	size_t nchars;

	putchar('[');
	for (; *words; words += nchars + (words[nchars] == ',')) {
		char word[64];

		nchars = strcspn(words, ",");
		snprintf(word, sizeof(word), "%.*s", (int)nchars, words);
		json_string(word);
		if (words[nchars])
			printf(", ");
	}
	putchar(']');
}

/*
 * What is known of an item; a key that is not there is left out. Takes and returns
 * whether nothing comes before what is next.
 */
static bool print_members(bool first, const struct item *item, const char *const *keys)
{
	for (; *keys; keys++) {
		const char *value = item_text(item, *keys);
		char name[NAME_NBYTES];

		if (!value)
			continue;
		if (strcmp(*keys, "comm") == 0) {
			unescape(value, name, sizeof(name));
			json_member(first, *keys, name);
		} else if (strcmp(*keys, "kind") == 0 || strcmp(*keys, "type") == 0 ||
			   strcmp(*keys, "name") == 0) {
			json_member(first, *keys, value);
		} else {
			printf("%s\"%s\": ", first ? "" : ", ", *keys);
			if (strcmp(*keys, "devices") == 0)
				print_list(value);
			else
				printf("%llu",
				       (unsigned long long)item_number(item, *keys));
		}
		first = false;
	}
	return first;
}

static const char *const context_keys[] = { "id", "kind", "type", "pid", "comm", NULL };

/* Kinds of items that are parts of a context: the name of their list, and their keys. */
static const struct part {
	const char *kind;
	const char *list;
	const char *const keys[10];
} parts[] = {
	{ "ioas", "ioases", { "id", "vfio", "areas", "mapped", "pinned", "charged", "runs",
			      "pins", NULL } },
	{ "hwpt", "hwpts", { "id", "ioas", "groups", NULL } },
	{ "group", "groups", { "number", "ioas", "hwpt", "devices", NULL } },
	{ "access", "accesses", { "id", "ioas", NULL } },
	{ "device", "devices", { "id", "name", NULL } },
};

static void print_parts(const char *comma, const struct insight *insight,
			const struct item *context, const struct part *part)
{
	bool first = true, is_ioas;
	unsigned int i;

	printf("%s\n   \"%s\": [", comma, part->list);
	for (i = 0; i < insight->nitems; i++) {
		const struct item *item = &insight->items[i];

		if (!item_is(item, part->kind) || !item_is_in(item, context))
			continue;
		printf("%s{", first ? "" : ", ");
		is_ioas = item_is(item, "ioas");
		if (is_ioas)
			printf("\"average_run\": %llu",
			       (unsigned long long)average_run(item));
		print_members(!is_ioas, item, part->keys);
		printf("}");
		first = false;
	}
	printf("]");
}

static void print_json_contexts(const struct insight *insight)
{
	bool first = true, empty;
	unsigned int i, part;

	for (i = 0; i < insight->nitems; i++) {
		const struct item *item = &insight->items[i];

		if (!item_is(item, "context"))
			continue;
		printf("%s\n  {", first ? "" : ",");
		empty = print_members(true, item, context_keys);
		for (part = 0; part < ARRAY_SIZE(parts); part++)
			print_parts(empty && !part ? "" : ",", insight, item, &parts[part]);
		printf("}");
		first = false;
	}
}

static void print_json_others(const struct picture *picture)
{
	const struct holders *holders = &picture->holders;
	bool first = true;
	unsigned int i;

	for (i = 0; i < holders->nholders; i++) {
		const struct holder *holder = &holders->holder[i];
		unsigned int nothers = holder_nothers(holder, &picture->insight);

		if (!nothers)
			continue;
		printf("%s\n  {\"pid\": %d", first ? "" : ",", (int)holder->pid);
		json_member(false, "comm", holder->name);
		printf(", \"through_vfio\": %u, \"through_ioas\": %u, \"ours\": %u}",
		       holder->nstock, holder->nours,
		       holder->nstock + holder->nours - nothers);
		first = false;
	}
}

void status_print_json(const struct picture *picture)
{
	printf("{\"contexts\": [");
	print_json_contexts(&picture->insight);
	printf("],\n \"others\": [");
	print_json_others(picture);
	printf("]}\n");
}
