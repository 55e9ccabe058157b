/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * random_run.h - "vfio-ioas compare --random"
 */
#ifndef COMPARE_RANDOM_RUN_H
#define COMPARE_RANDOM_RUN_H

/* Returns the exit status. */
int run_random(void);

#endif
