// SPDX-License-Identifier: GPL-2.0-only
/*
 * insight.c - reads the module's file "status"
 *
 * There may be 100,000 items, so all queries use binary search.
 */
#define _GNU_SOURCE
#include "insight.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "lib/allocate.h"
#include "lib/number.h"
#include "lib/say.h"
#include "lib/text.h"
#include "system/holders.h"
#include "system/ours.h"

#define DEBUGFS		"/sys/kernel/debug"

/*
 * An ordinary user may make more than a million IOASs, and as many contexts. These bounds limit our
 * memory. Items beyond them are counted and left out, and all others are shown. Parts never
 * displace contexts, and the parts of one context do not displace those of another.
 */
#define MAX_NBYTES	(128U << 20)	/* of kept text */
#define MAX_OTHERS	(96U << 20)	/* of it, for all lines but those of contexts */
#define MAX_CONTEXTS	200000		/* parse() needs some 300 bytes for each item */
#define MAX_PARTS	300000
#define PLENTY		150000		/* parts; above it, each context keeps only */
#define FEW		100		/* parts, and fewer when little room is left */
#define MAX_LINE_NBYTES	(1U << 20)
#define MAX_READ_NBYTES	(4ULL << 30)	/* more than any file of the module's */

/* --- reading */

static void say_why(int error)
{
	struct statfs fs;

	if (!ours_loaded())
		say_error("the module %s is not loaded: modprobe %s", OUR_MODULE, OUR_MODULE);
	else if (geteuid())
		say_error("%s is for root only", INSIGHT_FILE);
	else if (statfs(DEBUGFS, &fs) || fs.f_type != DEBUGFS_MAGIC)
		say_error("debugfs is not mounted: mount -t debugfs none %s", DEBUGFS);
	else
		say_error("%s: %s", INSIGHT_FILE, strerror(error));
}

/* Amounts kept so far. */
struct kept {
	size_t nchars;
	unsigned int nlines;		/* not counting empty ones */
	unsigned int ncontexts;
	unsigned int nparts;
};

/* The context that is being read. */
struct current {
	struct kept before;		/* amounts when it began */
	uint64_t id;
	uint64_t nread;			/* lines */
	uint64_t nmissing;
	unsigned int nparts;		/* kept */
	bool is_missing;
	bool may_match;			/* the filter, as far as is known */
	bool matches;
};

/* A file that is being read line by line. */
struct reader {
	struct insight *insight;	/* counts the missing items */
	const struct filter *filter;
	struct text text;		/* the kept lines; skipped ones are empty */
	struct text line;		/* the start of a line */
	struct kept kept;
	struct current current;
};

static struct item parse_line(char *line);

/* Adds an empty line, so that the following lines keep their numbers. */
static void skip_line(struct reader *reader)
{
	if (reader->text.nchars < MAX_OTHERS / 2)
		text_add_chars(&reader->text, "\n", 1);
}

static void count_missing(struct reader *reader)
{
	struct insight *insight = reader->insight;
	const struct current *current = &reader->current;

	insight->nmissing += current->nmissing;
	insight->nmissing_contexts += current->is_missing;
	if (current->nmissing > insight->nmissing_of_context) {
		insight->nmissing_of_context = current->nmissing;
		insight->context_that_lacks = current->id;
	}
}

/*
 * At the end of a context, drops it if the filter does not match. Dropped items do not count as
 * missing.
 */
static void end_context(struct reader *reader)
{
	struct current *current = &reader->current;

	if (current->matches) {
		count_missing(reader);
		return;
	}
	reader->kept = current->before;
	reader->text.nchars = current->before.nchars;
	for (; current->nread && reader->text.nchars < MAX_OTHERS / 2; current->nread--)
		skip_line(reader);
}

/* Lines before the first context are kept, to be refused later. */
static struct current no_context(void)
{
	return (struct current){ .may_match = true, .matches = true };
}

static void begin_context(struct reader *reader, const struct item *item)
{
	const struct filter *filter = reader->filter;
	bool may_match = !filter->by_pid || item_number(item, "pid") == filter->pid;

	reader->current = (struct current){
		.before = reader->kept,
		.id = item->context,
		.may_match = may_match,
		.matches = may_match && !filter->by_group && !filter->device,
	};
	reader->current.before.nchars = reader->text.nchars;
}

/* Above PLENTY each context still gets a few parts, so that a large one hides no other. */
static bool is_part_wanted(const struct reader *reader, bool is_asked_for)
{
	unsigned int nleft = MAX_PARTS - reader->kept.nparts;

	if (is_asked_for)
		return nleft > 0;
	return reader->kept.nparts < PLENTY ||
	       reader->current.nparts < (uint64_t)FEW * nleft / (MAX_PARTS - PLENTY);
}

static bool is_wanted(const struct reader *reader, bool is_context, bool is_asked_for)
{
	size_t room = is_context || is_asked_for ? MAX_NBYTES : MAX_OTHERS;

	if (reader->text.nchars + reader->line.nchars >= room || reader->current.is_missing)
		return false;
	return is_context ? reader->kept.ncontexts < MAX_CONTEXTS :
			    is_part_wanted(reader, is_asked_for);
}

static void keep_line(struct reader *reader, bool is_context)
{
	text_add_chars(&reader->text, text_chars(&reader->line), reader->line.nchars);
	text_add_chars(&reader->text, "\n", 1);
	reader->kept.nlines++;
	if (is_context) {
		reader->kept.ncontexts++;
	} else {
		reader->kept.nparts++;
		reader->current.nparts++;
	}
}

static bool begins_with(const struct text *line, const char *kind)
{
	return strncmp(text_chars(line), kind, strlen(kind)) == 0;
}

/*
 * Begins a new context if the line is that of one. Returns whether the line is a part that the
 * filter asks for.
 */
static bool look_at_line(struct reader *reader, bool is_context)
{
	struct text copy = { 0 };
	bool is_asked_for = false;
	struct item item;

	text_add_chars(&copy, text_chars(&reader->line), reader->line.nchars);
	item = parse_line(copy.chars);
	if (is_context) {
		end_context(reader);
		begin_context(reader, &item);
	} else {
		is_asked_for = filter_has_item(reader->filter, &item);
		reader->current.matches |= is_asked_for && reader->current.may_match;
	}
	text_free(&copy);
	return is_asked_for;
}

/* Most lines do not matter to the filter, and are not parsed here. */
static bool needs_look(const struct reader *reader)
{
	if (begins_with(&reader->line, "context "))
		return true;
	return (reader->filter->by_group || reader->filter->device) &&
	       (begins_with(&reader->line, "group ") || begins_with(&reader->line, "device "));
}

static void take_line(struct reader *reader)
{
	struct current *current = &reader->current;
	bool is_context = begins_with(&reader->line, "context ");
	bool is_asked_for = needs_look(reader) && look_at_line(reader, is_context);

	current->nread++;
	if (!reader->line.nchars || !current->may_match) {
		skip_line(reader);
	} else if (is_wanted(reader, is_context, is_asked_for)) {
		keep_line(reader, is_context);
	} else {
		current->nmissing++;
		current->is_missing |= is_context;
		skip_line(reader);
	}
	text_clear(&reader->line);
}

/* Returns 0 or -errno. */
static int take_lines(struct reader *reader, const char *chars, size_t nchars)
{
	while (nchars) {
		const char *end = memchr(chars, '\n', nchars);
		size_t nline = end ? (size_t)(end - chars) : nchars;

		if (reader->line.nchars + nline > MAX_LINE_NBYTES)
			return -EFBIG;
		text_add_chars(&reader->line, chars, nline);
		if (!end)
			break;
		take_line(reader);
		chars += nline + 1;
		nchars -= nline + 1;
	}
	return 0;
}

static int read_some(int fd, struct reader *reader)
{
	uint64_t nbytes = 0;
	char buffer[65536];
	int result = 0;
	ssize_t nread;

	while (!result && nbytes < MAX_READ_NBYTES && (nread = read(fd, buffer, sizeof(buffer)))) {
		if (nread < 0)
			return -errno;
		nbytes += (uint64_t)nread;
		result = take_lines(reader, buffer, (size_t)nread);
	}
	if (!result && reader->line.nchars)
		take_line(reader);
	end_context(reader);
	reader->insight->nmissing += nbytes >= MAX_READ_NBYTES;
	return result;
}

static int read_whole(const char *path, struct reader *reader)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return -errno;
	result = read_some(fd, reader);
	close(fd);
	text_free(&reader->line);
	return result;
}

/* --- parsing */

/*
 * The module writes only printable characters. A file may have others, which could control the
 * terminal.
 */
static void make_printable(struct text *text)
{
	size_t i;

	for (i = 0; i < text->nchars; i++)
		if (text->chars[i] != '\n' && !isprint((unsigned char)text->chars[i]))
			text->chars[i] = '?';
}

/* Cuts off the next word; "comm" extends to the end of the line. */
static char *next_word(char **rest)
{
	char *word = *rest;
	size_t nchars = strncmp(word, "comm=", 5) == 0 ? strlen(word) :
							 strcspn(word, " ");

	*rest = word + nchars + (word[nchars] != '\0');
	word[nchars] = '\0';
	return word;
}

static struct item parse_line(char *line)
{
	struct item item = { .kind = next_word(&line) };
	char *word, *equals;

	while (*line && item.nwords < MAX_WORDS) {
		word = next_word(&line);
		equals = strchr(word, '=');
		if (equals)
			*equals++ = '\0';
		item.words[item.nwords++] = (struct word){ word, equals ? equals : "" };
	}
	item.context = item_number(&item, item_is(&item, "context") ? "id" : "context");
	item.ioas = item_number(&item, item_is(&item, "ioas") ? "id" : "ioas");
	return item;
}

/* --- validation */

/* Required keys. Items of unknown kinds may have any. */
static const struct rule {
	const char *kind;
	const char *const keys[3];
} rules[] = {
	{ "context", { "id", NULL } },
	{ "ioas", { "context", "id", NULL } },
	{ "hwpt", { "context", "id", NULL } },
	{ "group", { "context", "number", NULL } },
	{ "access", { "context", "id", NULL } },
	{ "device", { "context", "id", NULL } },
};

/* Keys whose value must be a number. */
static const char *const numbers[] = {
	"id", "context", "ioas", "hwpt", "number", "vfio", "areas", "mapped", "pinned", "charged",
	"runs", "pins", "users", "groups", "pid",
};

static const struct rule *find_rule(const struct item *item)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (item_is(item, rules[i].kind))
			return &rules[i];
	return NULL;
}

static const char *why_not(const struct item *item)
{
	const struct rule *rule = find_rule(item);
	static char why[128];
	const char *value;
	unsigned int i;
	uint64_t number;

	for (i = 0; rule && rule->keys[i]; i++)
		if (!item_text(item, rule->keys[i])) {
			snprintf(why, sizeof(why), "%s without %s", rule->kind, rule->keys[i]);
			return why;
		}
	for (i = 0; rule && i < ARRAY_SIZE(numbers); i++) {
		value = item_text(item, numbers[i]);
		if (value && !number_parse(value, 0, UINT64_MAX, &number)) {
			snprintf(why, sizeof(why), "%s=%.40s is not a number", numbers[i], value);
			return why;
		}
	}
	return NULL;
}

/*
 * Accepts unknown items of a later module, once a context has shown that the file is the module's.
 */
static bool check_item(const struct item *item, bool first, const char *name, unsigned int line)
{
	const char *why = why_not(item);

	if (first && !item_is(item, "context"))
		why = "a line \"context id=...\" has to come first";
	if (why)
		say_error("%s, line %u: not a copy of the module's status file: %s", name, line,
			  why);
	return !why;
}

static bool parse(struct insight *insight, unsigned int nlines, const char *name)
{
	char *line = insight->text;
	unsigned int number;
	char *end;

	insight->items = allocate(nlines + 1, sizeof(*insight->items));
	for (number = 1; *line; line = end, number++) {
		struct item *item = &insight->items[insight->nitems];

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		if (!*line)
			continue;
		*item = parse_line(line);
		if (!check_item(item, !insight->nitems, name, number))
			return false;
		insight->nitems++;
	}
	return true;
}

/* --- sorting */

static int compare_numbers(uint64_t left, uint64_t right)
{
	return left < right ? -1 : left > right;
}

/* ioas: NULL for all items of the kind. */
static int compare_key(uint64_t context, const char *kind, const uint64_t *ioas,
		       const struct item *item)
{
	int order = compare_numbers(context, item->context);

	if (!order)
		order = strcmp(kind, item->kind);
	if (!order && ioas)
		order = compare_numbers(*ioas, item->ioas);
	return order;
}

static int compare_parts(const void *a, const void *b)
{
	const struct item *left = *(const struct item *const *)a;
	const struct item *right = *(const struct item *const *)b;
	int order = compare_key(left->context, left->kind, &left->ioas, right);

	return order ? order : left < right ? -1 : left > right;
}

static int compare_pids(const void *a, const void *b)
{
	return compare_numbers(*(const uint64_t *)a, *(const uint64_t *)b);
}

static bool is_container(const struct item *item)
{
	const char *kind = item_text(item, "kind");

	return item_is(item, "context") && kind && strcmp(kind, "container") == 0;
}

/* The module writes each context once. A file may repeat one, and its parts would count twice. */
static void mark_repeated(struct insight *insight)
{
	struct item **contexts = allocate(insight->nitems + 1, sizeof(*contexts));
	unsigned int ncontexts = 0, i;

	for (i = 0; i < insight->nitems; i++)
		if (item_is(&insight->items[i], "context"))
			contexts[ncontexts++] = &insight->items[i];
	qsort(contexts, ncontexts, sizeof(*contexts), compare_parts);
	for (i = 1; i < ncontexts; i++)
		contexts[i]->is_repeated = contexts[i]->context == contexts[i - 1]->context;
	free(contexts);
}

static void sort(struct insight *insight)
{
	unsigned int i;

	mark_repeated(insight);

	insight->parts = allocate(insight->nitems + 1, sizeof(*insight->parts));
	insight->pids = allocate(insight->nitems + 1, sizeof(*insight->pids));
	for (i = 0; i < insight->nitems; i++) {
		const struct item *item = &insight->items[i];

		if (!item_is(item, "context"))
			insight->parts[insight->nparts++] = item;
		if (is_container(item))
			insight->pids[insight->npids++] = item_number(item, "pid");
	}
	qsort(insight->parts, insight->nparts, sizeof(*insight->parts), compare_parts);
	qsort(insight->pids, insight->npids, sizeof(*insight->pids), compare_pids);
}

bool insight_read(struct insight *insight, const char *from, const struct filter *filter)
{
	struct reader reader = {
		.insight = insight, .filter = filter, .current = no_context(),
	};
	struct text *text = &reader.text;
	int error;

	*insight = (struct insight){ 0 };
	error = -read_whole(from ? from : INSIGHT_FILE, &reader);
	if (error) {
		if (from)
			say_error("%s: %s", from, strerror(error));
		else
			say_why(error);
		text_free(text);
		return false;
	}
	text_add(text, "%s", "");
	make_printable(text);
	insight->text = text->chars;
	if (!parse(insight, reader.kept.nlines, from ? from : INSIGHT_FILE)) {
		insight_free(insight);
		return false;
	}
	sort(insight);
	return true;
}

void insight_free(struct insight *insight)
{
	free(insight->pids);
	free(insight->parts);
	free(insight->items);
	free(insight->text);
	*insight = (struct insight){ 0 };
}

/* --- queries */

const char *item_text(const struct item *item, const char *key)
{
	unsigned int i;

	for (i = 0; i < item->nwords; i++)
		if (strcmp(item->words[i].key, key) == 0)
			return item->words[i].value;
	return NULL;
}

uint64_t item_number(const struct item *item, const char *key)
{
	const char *value = item_text(item, key);
	uint64_t number = 0;

	if (value)
		number_parse(value, 0, UINT64_MAX, &number);
	return number;
}

bool item_is(const struct item *item, const char *kind)
{
	return strcmp(item->kind, kind) == 0;
}

bool item_is_busy(const struct item *item)
{
	const char *busy = item_text(item, "busy");

	return busy && strcmp(busy, "0");
}

enum edge {
	BEFORE_KEY,
	BEHIND_KEY,
};

/* Number of parts before or up to those with this key, depending on edge. */
static unsigned int count_parts(const struct insight *insight, uint64_t context,
				const char *kind, const uint64_t *ioas, enum edge edge)
{
	unsigned int first = 0, end = insight->nparts, middle;
	int order;

	while (first < end) {
		middle = first + (end - first) / 2;
		order = compare_key(context, kind, ioas, insight->parts[middle]);
		if (order > 0 || (edge == BEHIND_KEY && !order))
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

static struct items find_parts(const struct insight *insight, uint64_t context,
			       const char *kind, const uint64_t *ioas)
{
	unsigned int first = count_parts(insight, context, kind, ioas, BEFORE_KEY);
	unsigned int end = count_parts(insight, context, kind, ioas, BEHIND_KEY);

	return (struct items){ insight->parts + first, end - first };
}

struct items insight_parts(const struct insight *insight, const struct item *context,
			   const char *kind)
{
	return find_parts(insight, context->context, kind, NULL);
}

struct items insight_parts_in(const struct insight *insight, const struct item *ioas,
			      const char *kind)
{
	return find_parts(insight, ioas->context, kind, &ioas->ioas);
}

unsigned int insight_ncontainers(const struct insight *insight, pid_t pid)
{
	uint64_t key = (uint64_t)pid;
	const uint64_t *found = bsearch(&key, insight->pids, insight->npids, sizeof(key),
					compare_pids);
	const uint64_t *first = found, *last = found;

	if (!found)
		return 0;
	while (first > insight->pids && first[-1] == key)
		first--;
	while (last < insight->pids + insight->npids - 1 && last[1] == key)
		last++;
	return (unsigned int)(last - first + 1);
}

bool filter_has_item(const struct filter *filter, const struct item *item)
{
	const char *devices = item_text(item, "devices"), *name = item_text(item, "name");

	if (item_is(item, "group"))
		return (!filter->by_group || item_number(item, "number") == filter->group) &&
		       (!filter->device || (devices && list_has(devices, filter->device)));
	return item_is(item, "device") && !filter->by_group && filter->device && name &&
	       strcmp(name, filter->device) == 0;
}

bool list_has(const char *list, const char *word)
{
	size_t nchars;

	for (; *list; list += nchars + (list[nchars] == ',')) {
		nchars = strcspn(list, ",");
		if (nchars == strlen(word) && strncmp(list, word, nchars) == 0)
			return true;
	}
	return false;
}

static bool is_octal(const char *digits)
{
	return digits[0] >= '0' && digits[0] <= '3' && digits[1] >= '0' &&
	       digits[1] <= '7' && digits[2] >= '0' && digits[2] <= '7';
}

void unescape(const char *escaped, char *name, size_t nbytes)
{
	size_t i;

	for (i = 0; *escaped && i < nbytes - 1; i++) {
		if (escaped[0] == '\\' && is_octal(escaped + 1)) {
			name[i] = (char)((escaped[1] - '0') * 64 +
					 (escaped[2] - '0') * 8 + escaped[3] - '0');
			escaped += 4;
		} else {
			name[i] = *escaped++;
		}
	}
	name[i] = '\0';
}
