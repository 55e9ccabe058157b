// SPDX-License-Identifier: GPL-2.0-only
/* sequence.c - reads, writes and runs sequences */
#include "sequence.h"

#include <fcntl.h>
#include <malloc.h>

#include "bounds.h"
#include "compare/op/op_execute.h"
#include "compare/op/op_format.h"
#include "compare/op/op_parse.h"
#include "compare/op/setup.h"
#include "lib/allocate.h"
#include "lib/text.h"
#include "options.h"
#include "run.h"

#define MAX_FILE_BYTES	(MAX_FILE_MIB * MIB)
#define MAX_SEQUENCES	100000U		/* in a file */
#define MAX_OUTPUTS	99U
#define MAX_COMMENT	(int)(MAX_LINE_CHARS - 2)

void sequence_add(struct sequence *sequence, const struct op *op)
{
	sequence->ops = grow(sequence->ops, sequence->nops, sizeof(*sequence->ops));
	sequence->ops[sequence->nops++] = *op;
}

void sequence_copy(struct sequence *to, const struct sequence *from)
{
	size_t i;

	to->nops = 0;
	for (i = 0; i < from->nops; i++)
		sequence_add(to, &from->ops[i]);
}

void sequence_free(struct sequence *sequence)
{
	free(sequence->ops);
	*sequence = (struct sequence){ 0 };
}

/* --- reading */

/* State of the parser. */
struct parser {
	struct sequences *sequences;
	struct check check;	/* of the last sequence */
	uint64_t max_populated;	/* by each sequence */
	struct text *problem;
	size_t nlines;
	size_t nops;
};

static bool refuse(struct parser *parser, const char *reason)
{
	text_add(parser->problem, "%zu: %s", parser->nlines, reason);
	return false;
}

static bool begin_sequence(struct parser *parser)
{
	struct sequences *sequences = parser->sequences;

	if (sequences->nsequences == MAX_SEQUENCES)
		return refuse(parser, "there are too many sequences");
	sequences->sequence = grow(sequences->sequence, sequences->nsequences,
				   sizeof(*sequences->sequence));
	sequences->sequence[sequences->nsequences++] = (struct sequence){ 0 };
	check_free(&parser->check);
	parser->check.max_populated = parser->max_populated;
	return true;
}

/* Other characters could control the terminal that shows them, or hide text. */
static bool is_plain(const char *chars, size_t nchars)
{
	size_t i;

	for (i = 0; i < nchars; i++)
		if (chars[i] != '\t' && (chars[i] < ' ' || chars[i] > '~'))
			return false;
	return true;
}

/* "sequence", alone on its line except for a comment. */
static bool is_beginning(const char *line)
{
	static const char word[] = "sequence";
	const size_t nchars = sizeof(word) - 1;

	if (strncmp(line, word, nchars))
		return false;
	line += nchars;
	line += strspn(line, " \t");
	return !*line || *line == '#';
}

/* The recorder writes the result of a call behind it. */
static bool says_success(const char *line)
{
	const char *comment = strchr(line, '#');

	return comment && !strcmp(comment, "# = 0");
}

static bool parse_op(struct parser *parser, const char *line)
{
	struct text reason = { 0 };
	const char *problem;
	struct op op;
	bool well = op_parse(line, &op, &reason);

	if (!well)
		refuse(parser, text_chars(&reason));
	text_free(&reason);
	if (!well)
		return false;
	op.succeeded = says_success(line);
	if (parser->nops++ == MAX_OPS)
		return refuse(parser, "there are too many operations");
	if (!parser->sequences->nsequences && !begin_sequence(parser))
		return false;
	problem = check_op(&parser->check, &op);
	if (problem)
		return refuse(parser, problem);
	sequence_add(&parser->sequences->sequence[parser->sequences->nsequences - 1], &op);
	return true;
}

static bool parse_line(struct parser *parser, const char *chars, size_t nchars)
{
	char line[MAX_LINE_CHARS + 1];
	const char *begin;

	parser->nlines++;
	if (nchars > MAX_LINE_CHARS)
		return refuse(parser, "the line is too long");
	if (!is_plain(chars, nchars))
		return refuse(parser, "a character that is not printable");
	memcpy(line, chars, nchars);
	line[nchars] = '\0';
	begin = line + strspn(line, " \t");
	if (!*begin || *begin == '#')
		return true;
	if (is_beginning(begin))
		return begin_sequence(parser);
	return parse_op(parser, begin);
}

static bool parse_lines(struct parser *parser, const char *chars, size_t nchars)
{
	const char *end;

	while (nchars) {
		end = memchr(chars, '\n', nchars);
		if (!end) {
			parser->nlines++;
			return refuse(parser, "the line has no end: the file is not complete");
		}
		if (!parse_line(parser, chars, (size_t)(end - chars)))
			return false;
		nchars -= (size_t)(end - chars) + 1;
		chars = end + 1;
	}
	if (!parser->nops)
		return refuse(parser, "there is no operation: did the program use VFIO?");
	return true;
}

bool sequences_parse(struct sequences *sequences, const char *chars, size_t nchars,
		     uint64_t max_populated, struct text *problem)
{
	struct parser parser = {
		.sequences = sequences, .problem = problem, .max_populated = max_populated,
	};
	bool well;

	*sequences = (struct sequences){ 0 };
	well = parse_lines(&parser, chars, nchars);
	check_free(&parser.check);
	if (!well)
		sequences_free(sequences);
	return well;
}

void sequences_free(struct sequences *sequences)
{
	size_t i;

	for (i = 0; i < sequences->nsequences; i++)
		sequence_free(&sequences->sequence[i]);
	free(sequences->sequence);
	*sequences = (struct sequences){ 0 };
}

/* Returns NULL, or why the file cannot be read. */
static const char *read_whole(const char *path, struct text *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *problem = NULL;
	char buffer[16384];
	ssize_t nread = 0;

	if (fd < 0)
		return strerror(errno);
	while (!problem && (nread = read(fd, buffer, sizeof(buffer))) > 0) {
		text_add_chars(text, buffer, (size_t)nread);
		if (text->nchars > MAX_FILE_BYTES)
			problem = "the file is too large";
	}
	if (nread < 0)
		problem = strerror(errno);
	close(fd);
	return problem;
}

bool sequences_read(struct sequences *sequences, const char *path)
{
	struct text text = { 0 }, problem = { 0 };
	const char *why = read_whole(path, &text);
	bool well = !why && sequences_parse(sequences, text_chars(&text), text.nchars,
					    memory_to_spare(), &problem);

	if (why)
		fprintf(stderr, "vfio-ioas: %s: %s\n", path, why);
	else if (!well)
		fprintf(stderr, "vfio-ioas: %s:%s\n", path, text_chars(&problem));
	text_free(&text);
	text_free(&problem);
	return well;
}

/* --- writing */

static void write_comment(FILE *file, const char *comment)
{
	while (*comment) {
		int nchars = (int)strcspn(comment, "\n");

		/* A line may not exceed the limit for reading. */
		fprintf(file, "# %.*s\n", nchars > MAX_COMMENT ? MAX_COMMENT : nchars, comment);
		comment += nchars + (comment[nchars] == '\n');
	}
}

/* Never overwrites a file or follows a link: root writes here. */
static FILE *create(const char *name, char *path, size_t nbytes)
{
	unsigned int n;
	int fd = -1;

	for (n = 1; n <= MAX_OUTPUTS && fd < 0; n++) {
		snprintf(path, nbytes, n == 1 ? "%s" : "%s.%u", name, n);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd < 0 ? NULL : fdopen(fd, "w");
}

bool sequence_write(const char *name, const struct sequence *sequence,
		    const char *comment, char *path, size_t nbytes)
{
	FILE *file = create(name, path, nbytes);
	struct text line = { 0 };
	bool well;
	size_t i;

	if (!file) {
		fprintf(stderr, "vfio-ioas: %s: %s\n", path, strerror(errno));
		return false;
	}
	write_comment(file, comment);
	fprintf(file, "sequence\n");
	for (i = 0; i < sequence->nops; i++) {
		text_clear(&line);
		op_format(&sequence->ops[i], &line);
		fprintf(file, "%s\n", text_chars(&line));
	}
	text_free(&line);
	well = !ferror(file);
	well = fclose(file) == 0 && well;
	if (!well)
		fprintf(stderr, "vfio-ioas: %s: %s\n", path, strerror(errno));
	return well;
}

/* --- running */

struct job {
	const struct sequence *sequence;
	enum backend backend;
};

static void do_job(void *argument)
{
	const struct job *job = argument;
	size_t i;

	setup_init(whose_turn(job->backend), options.exclusive);
	/* Allocations from now on never fill a hole in the mapped memory. */
	mallopt(M_MMAP_MAX, 0);
	setup.careful = true;
	setup.whole_bitmaps = false;
	setup.without_dirty = options.without & WITHOUT_DIRTY;
	for (i = 0; i < job->sequence->nops; i++)
		op_execute(&job->sequence->ops[i]);
	setup_close();
}

void sequence_run(const struct sequence *sequence, enum backend backend,
		  struct outcome *outcome)
{
	struct job job = { .sequence = sequence, .backend = backend };

	child_run(do_job, &job, options.timeout, outcome);
}
