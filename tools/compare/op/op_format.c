// SPDX-License-Identifier: GPL-2.0-only
/*
 * op_format.c - operations to text
 */
#include "op_format.h"

#include "op_table.h"

static unsigned int nargs(const struct op_type *type)
{
	unsigned int n = 0;

	while (type->args[n].name)
		n++;
	return n;
}

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
		text_add(line, "%llu", (unsigned long long)value);
		break;
	case ARG_INT:
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
