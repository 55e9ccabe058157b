/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * op_parse.h - operations from text
 */
#ifndef COMPARE_OP_PARSE_H
#define COMPARE_OP_PARSE_H

#include "op.h"

struct text;

/*
 * The reverse of op_format(); a '#' ends the line, which has no newline. False if that is no
 * operation; then the reason is in problem, unless that is NULL.
 */
bool op_parse(const char *line, struct op *op, struct text *problem);

#endif
