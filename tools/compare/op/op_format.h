/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * op_format.h - operations to text
 */
#ifndef COMPARE_OP_FORMAT_H
#define COMPARE_OP_FORMAT_H

#include "op.h"

struct text;

/* Adds the operation to the line, in the form that op_parse() reads. */
void op_format(const struct op *op, struct text *line);

#endif
