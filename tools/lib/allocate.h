/* SPDX-License-Identifier: GPL-2.0-only */
/* allocate.h - allocates memory, or ends the program */
#ifndef TOOLS_ALLOCATE_H
#define TOOLS_ALLOCATE_H

#include <stddef.h>

/* Returns the same memory. If it is NULL, prints why and ends the program with status 2. */
void *need(void *memory);
/* Like calloc(3), for no elements, too. */
void *allocate(size_t nelements, size_t nbytes);
/* Makes room for one more element in a list, which may move. NULL is an empty list. */
void *grow(void *list, size_t nelements, size_t nbytes);

#endif
