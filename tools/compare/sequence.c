// SPDX-License-Identifier: GPL-2.0-only
/*
 * sequence.c - sequences in memory, in files, and in a process
 */
#include "sequence.h"

#include "options.h"
#include "run.h"
#include "text.h"
#include "world.h"

void sequence_add(struct sequence *sequence, const struct op *op)
{
	if (sequence->nops == sequence->room) {
		sequence->room = sequence->room ? 2 * sequence->room : 128;
		sequence->ops = realloc(sequence->ops, sequence->room *
					sizeof(*sequence->ops));
		if (!sequence->ops) {
			perror("realloc");
			exit(EXIT_NOT_RUN);
		}
	}
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

static bool is_word(const char *line, const char *word)
{
	size_t nchars = strlen(word);

	return strncmp(line, word, nchars) == 0 &&
	       strchr(" \t\n", line[nchars]);
}

static struct sequence *append_sequence(struct sequence **sequences,
					size_t *nsequences)
{
	*sequences = realloc(*sequences,
			     (*nsequences + 1) * sizeof(**sequences));
	(*sequences)[*nsequences] = (struct sequence){ 0 };
	return &(*sequences)[(*nsequences)++];
}

static bool read_lines(FILE *file, const char *path,
		       struct sequence **sequences, size_t *nsequences)
{
	struct sequence *sequence = NULL;
	unsigned int nlines = 0;
	const char *problem;
	char line[512];
	struct op op;

	while (fgets(line, sizeof(line), file)) {
		const char *text = line + strspn(line, " \t\n");

		nlines++;
		if (!*text || *text == '#')
			continue;
		if (is_word(text, "sequence")) {
			sequence = append_sequence(sequences, nsequences);
			continue;
		}
		if (!op_parse(text, &op, &problem)) {
			fprintf(stderr, "vfio-ioas: %s:%u: %s\n", path, nlines,
				problem);
			return false;
		}
		if (!sequence)
			sequence = append_sequence(sequences, nsequences);
		sequence_add(sequence, &op);
	}
	return true;
}

bool sequences_read(const char *path, struct sequence **sequences,
		    size_t *nsequences)
{
	FILE *file = fopen(path, "re");
	bool well;

	if (!file) {
		fprintf(stderr, "vfio-ioas: %s: %s\n", path, strerror(errno));
		return false;
	}
	well = read_lines(file, path, sequences, nsequences);
	fclose(file);
	return well;
}

static void write_comment(FILE *file, const char *comment)
{
	while (*comment) {
		int nchars = (int)strcspn(comment, "\n");

		fprintf(file, "# %.*s\n", nchars, comment);
		comment += nchars + (comment[nchars] == '\n');
	}
}

bool sequence_write(const char *path, const struct sequence *sequence,
		    const char *comment)
{
	FILE *file = fopen(path, "we");
	struct text line = { 0 };
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
	return fclose(file) == 0;
}

struct job {
	const struct sequence *sequence;
	enum backend backend;
};

static void do_job(void *argument)
{
	const struct job *job = argument;
	size_t i;

	world_init(whose_turn(job->backend), options.exclusive);
	world.careful = true;
	world.whole_bitmaps = false;
	world.without_dirty = options.without & WITHOUT_DIRTY;
	for (i = 0; i < job->sequence->nops; i++)
		op_execute(&job->sequence->ops[i]);
	world_close();
}

void sequence_run(const struct sequence *sequence, enum backend backend,
		  struct outcome *outcome)
{
	struct job job = { .sequence = sequence, .backend = backend };

	child_run(do_job, &job, options.timeout, outcome);
}
