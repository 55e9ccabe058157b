// SPDX-License-Identifier: GPL-2.0-only
/*
 * insight.c - reads the module's file "status"
 */
#define _GNU_SOURCE
#include "insight.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "compare/text.h"
#include "ours.h"

#define DEBUGFS	"/sys/kernel/debug"

/* --- reading */

static void say_why(int error)
{
	struct statfs fs;

	if (geteuid())
		fprintf(stderr, "vfio-ioas: %s is for root only\n", INSIGHT_FILE);
	else if (!ours_loaded())
		fprintf(stderr, "vfio-ioas: the module %s is not loaded: modprobe %s\n",
			OUR_MODULE, OUR_MODULE);
	else if (statfs(DEBUGFS, &fs) || fs.f_type != DEBUGFS_MAGIC)
		fprintf(stderr, "vfio-ioas: debugfs is not mounted: mount -t debugfs none %s\n",
			DEBUGFS);
	else
		fprintf(stderr, "vfio-ioas: %s: %s\n", INSIGHT_FILE, strerror(error));
}

static int read_whole(const char *path, struct text *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return errno;
	error = text_add_all(text, fd);
	close(fd);
	return error;
}

/* --- parsing */

/* The module writes no others; a file may have any, and a terminal takes some as orders. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text != '\n' && !isprint((unsigned char)*text))
			*text = '?';
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
		if (!equals)
			continue;
		*equals = '\0';
		item->words[item->nwords++] = (struct word){ word, equals + 1 };
	}
}

static unsigned int count_lines(const char *text)
{
	unsigned int nlines = 1;

	for (; *text; text++)
		nlines += *text == '\n';
	return nlines;
}

static void parse(struct insight *insight)
{
	char *line = insight->text;
	char *end;

	insight->items = calloc(count_lines(line), sizeof(*insight->items));
	if (!insight->items) {
		perror("vfio-ioas: calloc");
		exit(EXIT_NOT_RUN);
	}
	for (; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		parse_line(&insight->items[insight->nitems++], line);
	}
}

bool insight_read(struct insight *insight, const char *from)
{
	struct text text = { 0 };
	int error = read_whole(from ? from : INSIGHT_FILE, &text);

	*insight = (struct insight){ 0 };
	if (error) {
		if (from)
			fprintf(stderr, "vfio-ioas: %s: %s\n", from, strerror(error));
		else
			say_why(error);
		text_free(&text);
		return false;
	}
	text_add(&text, "%s", "");
	insight->text = text.chars;
	make_printable(insight->text);
	parse(insight);
	return true;
}

void insight_free(struct insight *insight)
{
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

	return value ? strtoull(value, NULL, 10) : 0;
}

bool item_is(const struct item *item, const char *kind)
{
	return strcmp(item->kind, kind) == 0;
}

bool item_is_in(const struct item *item, const struct item *context)
{
	const char *of = item_text(item, "context");

	return of && strtoull(of, NULL, 10) == item_number(context, "id");
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
