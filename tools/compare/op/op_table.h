/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * op_table.h - the table of all kinds of operations
 */
#ifndef COMPARE_OP_TABLE_H
#define COMPARE_OP_TABLE_H

#include "op_type.h"

extern const struct op_type op_types[NOP_KINDS];

/* Is its first argument a group? */
bool op_has_group(const struct op *op);

#endif
