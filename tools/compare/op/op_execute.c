// SPDX-License-Identifier: GPL-2.0-only
/* op_execute.c - executes an operation and writes its line */
#include "op_execute.h"

#include "op_format.h"
#include "op_table.h"
#include "setup.h"
#include "transcript.h"

void op_execute(const struct op *op)
{
	const struct op_type *type = &op_types[op->kind];
	struct text line = { 0 };

	op_format(op, &line);
	type->execute(op, &line);
	if (type->tells_state)
		setup_add_state(&line);
	transcript_add(text_chars(&line));
	text_free(&line);
}
