/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * case_table.h - all cases
 */
#ifndef COMPARE_CASE_TABLE_H
#define COMPARE_CASE_TABLE_H

#include "case.h"

extern const struct case_group *const case_groups[];
extern const unsigned int ncase_groups;

#endif
