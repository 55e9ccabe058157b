/* SPDX-License-Identifier: GPL-2.0-only */
/* run.h - turns of the backends, and all cases on both of them */
#ifndef COMPARE_RUN_H
#define COMPARE_RUN_H

#include "compare/op/backend.h"
#include "lib/common.h"

/*
 * Makes a backend the one to be tested: with --exclusive, the only one loaded. Otherwise prints why
 * that is not possible, and returns false.
 */
bool turn_to(enum backend backend);
/* The backend that really runs: with --self-test one stands in for the other. */
enum backend whose_turn(enum backend backend);

/* Runs the cases. Returns the exit status. */
int run_cases(void);
void list_cases(void);

#endif
