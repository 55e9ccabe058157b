/* SPDX-License-Identifier: GPL-2.0-only */
/* op_execute.h - executes operations */
#ifndef COMPARE_OP_EXECUTE_H
#define COMPARE_OP_EXECUTE_H

#include "op.h"

/* Executes the operation, and adds a line to the transcript. */
void op_execute(const struct op *op);

#endif
