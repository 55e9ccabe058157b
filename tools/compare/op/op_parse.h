/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * op_parse.h - operations from text
 */
#ifndef COMPARE_OP_PARSE_H
#define COMPARE_OP_PARSE_H

#include "op.h"

struct text;

/*
 * The reverse of op_format(). The line has no newline; '#' ends it. If it is no operation, returns
 * false, with the reason in problem, unless that is NULL.
 */
bool op_parse(const char *line, struct op *op, struct text *problem);

#endif
