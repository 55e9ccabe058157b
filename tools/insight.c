// SPDX-License-Identifier: GPL-2.0-only
/*
 * insight.c - reads the module's file "status"
 *
 * All that is asked of it later is found by binary search: there may be 100,000 items.
 */
#define _GNU_SOURCE
#include "insight.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "compare/text.h"
#include "holders.h"
#include "number.h"
#include "ours.h"
#include "say.h"

#define DEBUGFS		"/sys/kernel/debug"

/*
 * An ordinary user may make more than a million IOASs. What is beyond these bounds is counted and
 * left out, so that the memory that it takes is bounded, and all else is shown.
 */
#define MAX_NBYTES	(128U << 20)	/* of text that is kept */
#define MAX_ITEMS	500000		/* of which parse() makes some 300 bytes each */
#define PLENTY		250000		/* of items; behind them, of the parts of a context */
#define FEW		100		/* are kept so many */
#define MAX_LINE_NBYTES	(1U << 20)
#define MAX_READ_NBYTES	(4ULL << 30)	/* no file of the module's is as long */

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

/* A file while it is read, line by line. */
struct reader {
	struct insight *insight;	/* where what is missing is counted */
	struct text text;		/* what is kept; an empty line for one that is not */
	struct text line;		/* the begin of one */
	unsigned int nlines;		/* kept, and not empty */
	/* Of the context under way. */
	uint64_t context;
	unsigned int nparts;		/* kept */
	uint64_t nmissing;
};

static bool is_context_line(const char *line)
{
	return strncmp(line, "context ", 8) == 0;
}

static void begin_context(struct reader *reader, const char *line)
{
	const char *id = strstr(line, " id=");

	reader->context = id ? strtoull(id + 4, NULL, 10) : 0;
	reader->nparts = 0;
	reader->nmissing = 0;
}

/* When there is plenty, contexts still get a few parts each: one with very many hides no other. */
static bool is_wanted(const struct reader *reader, bool is_context, size_t nchars)
{
	if (reader->text.nchars + nchars >= MAX_NBYTES || reader->nlines == MAX_ITEMS)
		return false;
	return is_context || reader->nlines < PLENTY || reader->nparts < FEW;
}

static void count_missing(struct reader *reader)
{
	struct insight *insight = reader->insight;

	insight->nmissing++;
	if (++reader->nmissing > insight->nmissing_of_context) {
		insight->nmissing_of_context = reader->nmissing;
		insight->context_that_lacks = reader->context;
	}
}

static void take_line(struct reader *reader)
{
	const char *line = text_chars(&reader->line);
	size_t nchars = reader->line.nchars;
	bool is_context = is_context_line(line);

	if (is_context)
		begin_context(reader, line);
	if (nchars && !is_wanted(reader, is_context, nchars)) {
		count_missing(reader);
	} else if (nchars) {
		text_add_chars(&reader->text, line, nchars);
		reader->nlines++;
		reader->nparts += !is_context;
	}
	/* So that what is behind it has the number that it has in the file. */
	if (reader->text.nchars < MAX_NBYTES)
		text_add_chars(&reader->text, "\n", 1);
	text_clear(&reader->line);
}

/* 0 or -errno. */
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
	if (nbytes >= MAX_READ_NBYTES)
		count_missing(reader);
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

static void *need(void *memory)
{
	if (memory)
		return memory;
	perror("vfio-ioas: calloc");
	exit(EXIT_NOT_RUN);
}

/* The module writes no others; a file may have any, and a terminal takes some as orders. */
static void make_printable(struct text *text)
{
	size_t i;

	for (i = 0; i < text->nchars; i++)
		if (text->chars[i] != '\n' && !isprint((unsigned char)text->chars[i]))
			text->chars[i] = '?';
}

/* Cuts the next word off; "comm" goes to the end of the line. */
static char *next_word(char **rest)
{
	char *word = *rest;
	size_t nchars = strncmp(word, "comm=", 5) == 0 ? strlen(word) :
							 strcspn(word, " ");

	*rest = word + nchars + (word[nchars] != '\0');
	word[nchars] = '\0';
	return word;
}

static void parse_line(struct item *item, char *line)
{
	char *word, *equals;

	*item = (struct item){ .kind = next_word(&line) };
	while (*line && item->nwords < MAX_WORDS) {
		word = next_word(&line);
		equals = strchr(word, '=');
		if (equals)
			*equals++ = '\0';
		item->words[item->nwords++] = (struct word){ word, equals ? equals : "" };
	}
	item->context = item_number(item, item_is(item, "context") ? "id" : "context");
	item->ioas = item_number(item, item_is(item, "ioas") ? "id" : "ioas");
}

/* --- is it such a file? */

/* What has to be there; of kinds that are not known, anything may. */
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

/* What is a number, where it is there. */
static const char *const numbers[] = {
	"id", "context", "ioas", "hwpt", "number", "vfio", "areas", "mapped", "pinned", "charged",
	"runs", "pins", "groups", "pid",
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
			snprintf(why, sizeof(why), "%s=%.40s is no number", numbers[i], value);
			return why;
		}
	}
	return NULL;
}

/* Something of a later module is let pass, once it is clear that it is the module's. */
static bool check_item(const struct item *item, bool first, const char *name, unsigned int line)
{
	const char *why = why_not(item);

	if (first && !item_is(item, "context"))
		why = "a line \"context id=...\" has to come first";
	if (why)
		say_error("%s, line %u: no copy of the module's status file: %s", name, line, why);
	return !why;
}

static bool parse(struct insight *insight, unsigned int nlines, const char *name)
{
	char *line = insight->text;
	unsigned int number;
	char *end;

	insight->items = need(calloc(nlines + 1, sizeof(*insight->items)));
	for (number = 1; *line; line = end, number++) {
		struct item *item = &insight->items[insight->nitems];

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		if (!*line)
			continue;
		parse_line(item, line);
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

/* ioas: NULL for all of the kind. */
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

/* The module writes each once; of one that a file has twice, the parts would count twice. */
static void mark_repeated(struct insight *insight)
{
	struct item **contexts = need(calloc(insight->nitems + 1, sizeof(*contexts)));
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

	insight->parts = need(calloc(insight->nitems + 1, sizeof(*insight->parts)));
	insight->pids = need(calloc(insight->nitems + 1, sizeof(*insight->pids)));
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

bool insight_read(struct insight *insight, const char *from)
{
	struct reader reader = { .insight = insight };
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
	if (!parse(insight, reader.nlines, from ? from : INSIGHT_FILE)) {
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

/* --- asking */

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

/* How many parts come before those of the key; or, with them. */
static unsigned int count_before(const struct insight *insight, uint64_t context,
				 const char *kind, const uint64_t *ioas, bool with)
{
	unsigned int first = 0, end = insight->nparts, middle;
	int order;

	while (first < end) {
		middle = first + (end - first) / 2;
		order = compare_key(context, kind, ioas, insight->parts[middle]);
		if (order > 0 || (with && !order))
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

static struct items find_parts(const struct insight *insight, uint64_t context,
			       const char *kind, const uint64_t *ioas)
{
	unsigned int first = count_before(insight, context, kind, ioas, false);
	unsigned int end = count_before(insight, context, kind, ioas, true);

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
