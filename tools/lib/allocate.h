/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * allocate.h - memory, without which the program ends
 */
#ifndef TOOLS_ALLOCATE_H
#define TOOLS_ALLOCATE_H

#include <stddef.h>

/* The same memory; if it is NULL, the program ends with status 2, having said why. */
void *need(void *memory);
/* As calloc(3), of no elements, too. */
void *allocate(size_t nelements, size_t nbytes);
/* A list of so many elements, with room for one more; it may have moved. NULL is an empty list. */
void *grow(void *list, size_t nelements, size_t nbytes);

#endif
