/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * screen.h - a terminal that shows frames and reads keys
 *
 * A VT100 is enough. If the terminal has a second screen, the frames are shown there.
 */
#ifndef TOOLS_SCREEN_H
#define TOOLS_SCREEN_H

#include "lib/common.h"
#include "lib/text.h"

#define KEY_NONE	0	/* the time is over, or the size has changed */
#define KEY_END		(-1)	/* a signal to end the program, or the end of input */

/* Returns false if these are no terminals, or if TERM names one that cannot move its cursor. */
bool screen_begin(void);
void screen_end(void);

/* Shows lines; the part that does not fit is cut off. */
void screen_show(const struct text *lines);
/* Waits for a key, at most this long. */
int screen_key(unsigned int milliseconds);

#endif
