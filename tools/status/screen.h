/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * screen.h - a terminal that shows frames and gives keys: all that it has to know is what
 * a VT100 knew; if it has a second screen, the frames are shown there
 */
#ifndef TOOLS_SCREEN_H
#define TOOLS_SCREEN_H

#include "lib/common.h"
#include "lib/text.h"

#define KEY_NONE	0	/* time is over, or the size has changed */
#define KEY_END		(-1)	/* a signal to end, or no more input */

/* false if these are no terminals, or TERM says that it cannot move its cursor. */
bool screen_begin(void);
void screen_end(void);

/* Lines, of which what does not fit is not shown. */
void screen_show(const struct text *lines);
/* Waits for a key, at most so long. */
int screen_key(unsigned int milliseconds);

#endif
