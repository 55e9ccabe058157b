// SPDX-License-Identifier: GPL-2.0-only
/*
 * op.c - operations to and from text, and executing one
 */
#include "op.h"

#include <stdarg.h>

#include "op_type.h"
#include "transcript.h"
#include "world.h"

static char prefix[32];

uint64_t op_pack_name(const char *name)
{
	uint64_t packed = 0;
	unsigned int i;

	for (i = 0; i < 8 && name[i]; i++)
		packed |= (uint64_t)(uint8_t)name[i] << (8 * i);
	return packed;
}

void op_unpack_name(uint64_t packed, char name[9])
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		name[i] = (char)(packed >> (8 * i));
	name[8] = '\0';
}

static unsigned int nargs(const struct op_type *type)
{
	unsigned int n = 0;

	while (type->args[n].name)
		n++;
	return n;
}

/* --- formatting */

static void format_flags(const char *const *names, uint64_t flags,
			 struct text *line)
{
	const char *separator = "";
	unsigned int i;

	for (i = 0; names[i]; i++) {
		if (!(flags & (1ULL << i)))
			continue;
		text_add(line, "%s%s", separator, names[i]);
		separator = "|";
		flags &= ~(1ULL << i);
	}
	if (flags || !*separator)
		text_add(line, "%s0x%llx", separator, (unsigned long long)flags);
}

static void format_address(uint64_t mem, uint64_t value, struct text *line)
{
	char name[9];

	op_unpack_name(mem, name);
	text_add(line, "%s%s0x%llx", name, mem ? "+" : "",
		 (unsigned long long)value);
}

static void format_arg(const struct op *op, const struct arg_type *type,
		       uint64_t value, struct text *line)
{
	char name[9];

	text_add(line, " %s=", type->name);
	switch (type->how) {
	case ARG_HEX:
		text_add(line, "0x%llx", (unsigned long long)value);
		break;
	case ARG_DEC:
		text_add(line, "%lld", (long long)value);
		break;
	case ARG_NAME:
		op_unpack_name(value, name);
		text_add(line, "%s", name);
		break;
	case ARG_ADDRESS:
		format_address(op->mem, value, line);
		break;
	case ARG_CHOICE:
		text_add(line, "%s", type->names[value]);
		break;
	case ARG_FLAGS:
		format_flags(type->names, value, line);
		break;
	case ARG_NONE:
		break;
	}
}

void op_format(const struct op *op, struct text *line)
{
	const struct op_type *type = &op_types[op->kind];
	unsigned int i;

	text_add(line, "%s", type->name);
	for (i = 0; i < nargs(type); i++)
		format_arg(op, &type->args[i], op->arg[i], line);
}

/* --- parsing */

static bool parse_number(const char *word, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = *word == '-' ? (uint64_t)strtoll(word, &end, 0) :
				strtoull(word, &end, 0);
	return *word && !*end && !errno;
}

static int index_of(const char *const *names, const char *word)
{
	int i;

	for (i = 0; names[i]; i++)
		if (strcmp(names[i], word) == 0)
			return i;
	return -1;
}

static bool parse_flags(const char *const *names, char *words, uint64_t *value)
{
	char *rest = NULL;
	char *word;

	*value = 0;
	for (word = strtok_r(words, "|", &rest); word;
	     word = strtok_r(NULL, "|", &rest)) {
		int index = index_of(names, word);
		uint64_t number;

		if (index >= 0)
			*value |= 1ULL << index;
		else if (parse_number(word, &number))
			*value |= number;
		else
			return false;
	}
	return true;
}

static bool parse_address(char *word, uint64_t *mem, uint64_t *value)
{
	char *plus = strchr(word, '+');

	*mem = 0;
	if (!plus)
		return parse_number(word, value);
	*plus = '\0';
	*mem = op_pack_name(word);
	return parse_number(plus + 1, value);
}

static bool parse_arg(const struct arg_type *type, char *word, struct op *op,
		      uint64_t *value)
{
	int index;

	switch (type->how) {
	case ARG_HEX:
	case ARG_DEC:
		return parse_number(word, value);
	case ARG_NAME:
		*value = op_pack_name(word);
		return *value != 0;
	case ARG_ADDRESS:
		return parse_address(word, &op->mem, value);
	case ARG_CHOICE:
		index = index_of(type->names, word);
		*value = (uint64_t)index;
		return index >= 0;
	case ARG_FLAGS:
		return parse_flags(type->names, word, value);
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

/* The arguments come in the order of the table, each with its key. */
static bool parse_args(struct op *op, char **rest, const char **word)
{
	const struct op_type *type = &op_types[op->kind];
	unsigned int i;

	for (i = 0; i < nargs(type); i++) {
		const struct arg_type *arg = &type->args[i];
		char *found = strtok_r(NULL, " \t\n", rest);
		size_t nchars = strlen(arg->name);

		*word = arg->name;
		if (!found || strncmp(found, arg->name, nchars) ||
		    found[nchars] != '=' ||
		    !parse_arg(arg, found + nchars + 1, op, &op->arg[i]))
			return false;
	}
	*word = "too many arguments";
	return !strtok_r(NULL, " \t\n", rest);
}

bool op_parse(const char *line, struct op *op, const char **problem)
{
	char copy[512];
	char *rest = NULL;
	char *name;

	snprintf(copy, sizeof(copy), "%s", line);
	copy[strcspn(copy, "#")] = '\0';
	memset(op, 0, sizeof(*op));
	*problem = "no operation of that name";
	name = strtok_r(copy, " \t\n", &rest);
	if (!name || !find_type(name, op))
		return false;
	return parse_args(op, &rest, problem);
}

/* --- executing */

void say_prefix(const char *new_prefix)
{
	snprintf(prefix, sizeof(prefix), "%s", new_prefix);
}

static void add_line(const struct text *line)
{
	struct text whole = { 0 };

	bool told_only = world.not_comparable || world.line_not_comparable;

	text_add(&whole, "%s%s%s", told_only ? "~" : "", prefix,
		 text_chars(line));
	world.line_not_comparable = false;
	transcript_add(text_chars(&whole));
	text_free(&whole);
}

void op_execute(const struct op *op)
{
	const struct op_type *type = &op_types[op->kind];
	struct text line = { 0 };

	op_format(op, &line);
	type->execute(op, &line);
	if (type->tells_state)
		world_add_state(&line);
	add_line(&line);
	text_free(&line);
}

void say(const char *format, ...)
{
	struct text line = { 0 };
	char chars[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(chars, sizeof(chars), format, arguments);
	va_end(arguments);
	text_add(&line, "%s", chars);
	add_line(&line);
	text_free(&line);
}
