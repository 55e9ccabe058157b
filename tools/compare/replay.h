/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay.h - "vfio-ioas compare --replay"
 */
#ifndef COMPARE_REPLAY_H
#define COMPARE_REPLAY_H

#include "sequence.h"

/* Returns the exit status. */
int run_replay(struct sequences *sequences);

#endif
