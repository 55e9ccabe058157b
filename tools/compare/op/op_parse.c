// SPDX-License-Identifier: GPL-2.0-only
/*
 * op_parse.c - operations from text
 *
 * The text may be written by anybody. A line that op_format() would not write is refused: because
 * of an unknown operation or key, a bad number, or odd characters in a name. bounds.c checks
 * whether an operation may refer to its memory.
 */
#include "op_parse.h"

#include "lib/number.h"
#include "op_table.h"

#define BLANKS	" \t"

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static bool parse_name(const char *word, uint64_t *packed)
{
	size_t nchars;

	for (nchars = 0; is_name_char(word[nchars]); nchars++)
		;
	if (!nchars || nchars > MAX_NAME_CHARS || word[nchars])
		return false;
	*packed = op_pack_name(word);
	return true;
}

static bool parse_integer(const char *word, uint64_t max, uint64_t *value)
{
	uint64_t magnitude;

	if (*word != '-')
		return number_parse(word, 0, max, value);
	if (!number_parse(word + 1, 0, max + 1, &magnitude))
		return false;
	*value = -magnitude;
	return true;
}

static int index_of(const char *const *names, const char *word)
{
	int i;

	for (i = 0; names[i]; i++)
		if (strcmp(names[i], word) == 0)
			return i;
	return -1;
}

static bool parse_flag(const struct arg_type *type, const char *word, uint64_t *flag)
{
	int index = index_of(type->names, word);

	if (index < 0)
		return number_parse(word, 0, type->max, flag);
	*flag = 1ULL << index;
	return true;
}

static bool parse_flags(const struct arg_type *type, char *words, uint64_t *value)
{
	uint64_t flag;
	char *word, *end;

	*value = 0;
	for (word = words; word; word = end) {
		end = strchr(word, '|');
		if (end)
			*end++ = '\0';
		if (!parse_flag(type, word, &flag))
			return false;
		*value |= flag;
	}
	return true;
}

static bool parse_address(char *word, uint64_t *mem, uint64_t *value)
{
	char *plus = strchr(word, '+');

	*mem = 0;
	if (!plus)
		return number_parse(word, 0, UINT64_MAX, value);
	*plus = '\0';
	return parse_name(word, mem) && number_parse(plus + 1, 0, UINT64_MAX, value);
}

static bool parse_arg(const struct arg_type *type, char *word, struct op *op, uint64_t *value)
{
	int index;

	switch (type->how) {
	case ARG_HEX:
	case ARG_DEC:
		return number_parse(word, 0, type->max, value);
	case ARG_INT:
		return parse_integer(word, type->max, value);
	case ARG_NAME:
		return parse_name(word, value);
	case ARG_ADDRESS:
		return parse_address(word, &op->mem, value);
	case ARG_CHOICE:
		index = index_of(type->names, word);
		*value = (uint64_t)index;
		return index >= 0;
	case ARG_FLAGS:
		return parse_flags(type, word, value);
	case ARG_NONE:
		break;
	}
	return false;
}

static bool find_type(const char *name, struct op *op)
{
	unsigned int kind;

	for (kind = 0; kind < NOP_KINDS; kind++) {
		if (strcmp(op_types[kind].name, name) == 0) {
			op->kind = kind;
			return true;
		}
	}
	return false;
}

static bool fail(struct text *problem, const char *what, const char *word)
{
	if (problem)
		text_add(problem, "%s%s%s%s", what, word ? " \"" : "", word ? word : "",
			 word ? "\"" : "");
	return false;
}

/* Arguments come with their keys, in the order of the table. */
static bool parse_args(struct op *op, char **rest, struct text *problem)
{
	const struct op_type *type = &op_types[op->kind];
	char *word;
	unsigned int i;

	for (i = 0; type->args[i].name; i++) {
		const struct arg_type *arg = &type->args[i];
		size_t nchars = strlen(arg->name);

		word = strtok_r(NULL, BLANKS, rest);
		if (!word || strncmp(word, arg->name, nchars) || word[nchars] != '=')
			return fail(problem, "missing argument:", arg->name);
		if (!parse_arg(arg, word + nchars + 1, op, &op->arg[i]))
			return fail(problem, "bad value of", arg->name);
	}
	word = strtok_r(NULL, BLANKS, rest);
	return !word || fail(problem, "too many arguments:", word);
}

bool op_parse(const char *line, struct op *op, struct text *problem)
{
	char copy[MAX_LINE_CHARS + 1];
	char *rest = NULL;
	char *name;

	memset(op, 0, sizeof(*op));
	if (snprintf(copy, sizeof(copy), "%s", line) >= (int)sizeof(copy))
		return fail(problem, "the line is too long", NULL);
	copy[strcspn(copy, "#")] = '\0';
	name = strtok_r(copy, BLANKS, &rest);
	if (!name || !find_type(name, op))
		return fail(problem, "unknown operation:", name ? name : "");
	return parse_args(op, &rest, problem);
}
