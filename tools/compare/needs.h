/* SPDX-License-Identifier: GPL-2.0-only */
/* needs.h - tells whether a case can run here */
#ifndef COMPARE_NEEDS_H
#define COMPARE_NEEDS_H

/* Says which of the needs this machine lacks; NULL if it lacks none. */
const char *missing_need(unsigned int needs);

#endif
