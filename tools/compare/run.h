/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * run.h - turns: which backend can be asked now; and running all cases on both
 */
#ifndef COMPARE_RUN_H
#define COMPARE_RUN_H

#include "compare/op/backend.h"
#include "lib/common.h"

/*
 * Makes a backend the one that is asked: with --exclusive, the only one loaded. False, having
 * said why, if that is not possible.
 */
bool turn_to(enum backend backend);
/* With --self-test one backend stands in for the other. */
enum backend whose_turn(enum backend backend);

/* Runs the cases; the exit status. */
int run_cases(void);
void list_cases(void);

#endif
