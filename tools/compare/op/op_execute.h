/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * op_execute.h - does what an operation says
 */
#ifndef COMPARE_OP_EXECUTE_H
#define COMPARE_OP_EXECUTE_H

#include "op.h"

/* Does it, and adds a line to the transcript. */
void op_execute(const struct op *op);

#endif
