/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * needs.h - can a case be run here?
 */
#ifndef COMPARE_NEEDS_H
#define COMPARE_NEEDS_H

/* A word for what is missing here of what a case needs; NULL: nothing. */
const char *missing_need(unsigned int needs);

#endif
