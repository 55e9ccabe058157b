// SPDX-License-Identifier: GPL-2.0-only
/* report.c - prints verdicts as text, TAP or JSON */
#include "report.h"

#include <stdarg.h>
#include <sys/utsname.h>

#include "compare/op/devices.h"
#include "compare/op/modules.h"
#include "compare/op/op_format.h"
#include "lib/json.h"
#include "options.h"

static unsigned int counts[VERDICT_NOT_RUN + 1];
static unsigned int nreported;

static const char *const verdict_names[] = {
	[VERDICT_SAME] = "same",
	[VERDICT_INTENDED] = "intended",
	[VERDICT_DIFFERENT] = "different",
	[VERDICT_SKIPPED] = "skipped",
	[VERDICT_NOT_RUN] = "not run",
};

/* Several entries may share a name; only the first of them is reported. */
static bool is_first(const struct difference *const *list, unsigned int i)
{
	unsigned int before;

	for (before = 0; before < i; before++)
		if (strcmp(list[before]->name, list[i]->name) == 0)
			return false;
	return true;
}

/* --- JSON */

static void add_json_names(const char *key, const struct difference *const *list,
			   unsigned int nlist)
{
	unsigned int i;

	json_open_list(key);
	for (i = 0; i < nlist; i++)
		if (is_first(list, i))
			json_add_string(NULL, list[i]->name);
	json_close();
}

static void report_json(const char *name, const char *checks,
			const struct comparison *comparison)
{
	struct text line = { 0 };

	json_open_object(NULL);
	json_add_string("name", name);
	json_add_string("checks", checks);
	json_add_string("verdict", verdict_names[comparison->verdict]);
	add_json_names("intended", comparison->intended, comparison->nintended);
	add_json_names("absent", comparison->absent, comparison->nabsent);
	if (*comparison->reason)
		json_add_string("reason", comparison->reason);
	if (comparison->excerpt.nchars)
		json_add_string("excerpt", text_chars(&comparison->excerpt));
	if (comparison->nlost) {
		op_format(&comparison->first_lost, &line);
		json_add_number("lost_maps", comparison->nlost);
		json_add_string("first_lost_map", text_chars(&line));
		text_free(&line);
	}
	json_close();
}

/* --- text and TAP */

static void print_lines(const char *prefix, const char *lines)
{
	while (*lines) {
		int nchars = (int)strcspn(lines, "\n");

		printf("%s%.*s\n", prefix, nchars, lines);
		lines += nchars + (lines[nchars] == '\n');
	}
}

static void print_intended(const char *prefix,
			   const struct comparison *comparison)
{
	unsigned int i;

	for (i = 0; i < comparison->nintended; i++)
		if (is_first(comparison->intended, i))
			printf("%sintended: %s: %s\n", prefix, comparison->intended[i]->name,
			       comparison->intended[i]->why);
	for (i = 0; i < comparison->nabsent; i++)
		printf("%san intended difference did not occur: %s: %s\n", prefix,
		       comparison->absent[i]->name, comparison->absent[i]->ours);
}

static void report_tap(const char *name, const char *checks,
		       const struct comparison *comparison)
{
	bool ok = comparison->verdict != VERDICT_DIFFERENT &&
		  comparison->verdict != VERDICT_NOT_RUN;

	(void)checks;
	printf("%sok %u - %s", ok ? "" : "not ", nreported, name);
	if (comparison->verdict == VERDICT_SKIPPED)
		printf(" # SKIP %s", comparison->reason);
	putchar('\n');
	print_intended("# ", comparison);
	if (comparison->verdict == VERDICT_NOT_RUN)
		printf("# could not run: %s\n", comparison->reason);
	if (!ok || options.verbose)
		print_lines("# ", text_chars(&comparison->excerpt));
}

static void report_text(const char *name, const char *checks,
			const struct comparison *comparison)
{
	bool quiet = comparison->verdict == VERDICT_SAME ||
		     comparison->verdict == VERDICT_SKIPPED;

	if (quiet && !options.verbose)
		return;
	printf("%s: %s", verdict_names[comparison->verdict], name);
	if (*comparison->reason)
		printf(": %s", comparison->reason);
	putchar('\n');
	if (!quiet && *checks)
		printf("    %s\n", checks);
	print_intended("    ", comparison);
	print_lines("    ", text_chars(&comparison->excerpt));
}

/* --- all formats */

static void describe_run(struct text *text)
{
	struct utsname name = { 0 };
	enum group group;

	uname(&name);
	text_add(text, "Linux %s, %s; ", name.release,
		 options.exclusive ? "one module at a time" : "both modules loaded");
	if (options.self_test != NBACKENDS)
		text_add(text, "%s with itself; ", backend_modules[options.self_test]);
	text_add(text, "devices:");
	for (group = 0; group < NGROUPS; group++)
		if (device_present(group))
			text_add(text, " %s=%s", group_names[group],
				 devices[group].name);
}

void report_begin(void)
{
	struct text text = { 0 };

	describe_run(&text);
	if (options.format == FORMAT_JSON) {
		json_open_object(NULL);
		json_add_string("run", text_chars(&text));
		json_open_lines("results");
	} else {
		printf("# %s\n", text_chars(&text));
	}
	text_free(&text);
}

/* Such maps agree on both sides, and yet differ from what the program saw. */
static void note_lost(const char *name, const struct comparison *comparison)
{
	struct text line = { 0 };

	op_format(&comparison->first_lost, &line);
	report_note("%s: maps that had succeeded failed on both sides: %zu; the first: %s",
		    name, comparison->nlost, text_chars(&line));
	text_free(&line);
}

void report(const char *name, const char *checks,
	    const struct comparison *comparison)
{
	counts[comparison->verdict]++;
	nreported++;
	progress("%s", "");
	switch (options.format) {
	case FORMAT_TEXT:
		report_text(name, checks, comparison);
		break;
	case FORMAT_TAP:
		report_tap(name, checks, comparison);
		break;
	case FORMAT_JSON:
		report_json(name, checks, comparison);
		break;
	}
	if (comparison->nlost)
		note_lost(name, comparison);
	fflush(stdout);
}

void report_note(const char *format, ...)
{
	va_list arguments;

	if (options.format == FORMAT_JSON)
		return;
	progress("%s", "");
	va_start(arguments, format);
	fputs("# ", stdout);
	vprintf(format, arguments);
	putchar('\n');
	va_end(arguments);
	fflush(stdout);
}

static int exit_status(void)
{
	if (counts[VERDICT_DIFFERENT])
		return EXIT_DIFFERENT;
	if (counts[VERDICT_NOT_RUN] || nreported == counts[VERDICT_SKIPPED])
		return EXIT_NOT_RUN;
	return EXIT_SAME;
}

static void end_json(void)
{
	enum verdict verdict;

	json_close();
	for (verdict = VERDICT_SAME; verdict <= VERDICT_NOT_RUN; verdict++)
		json_add_number(verdict_names[verdict], counts[verdict]);
	json_close();
}

static void print_counts(void)
{
	enum verdict verdict;

	for (verdict = VERDICT_SAME; verdict <= VERDICT_NOT_RUN; verdict++)
		printf("%s%s: %u", verdict ? ", " : "# ", verdict_names[verdict], counts[verdict]);
	putchar('\n');
}

int report_end(void)
{
	if (options.format == FORMAT_JSON)
		end_json();
	else
		print_counts();
	if (options.format == FORMAT_TAP)
		printf("1..%u\n", nreported);
	return exit_status();
}

void progress(const char *format, ...)
{
	static bool shown;
	va_list arguments;

	if (options.format != FORMAT_TEXT || !isatty(STDERR_FILENO) || (!*format && !shown))
		return;
	fputs("\r\033[K", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	shown = true;
}
