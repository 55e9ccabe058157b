// SPDX-License-Identifier: GPL-2.0-only
/* allocate.c - allocates memory, or ends the program */
#include "allocate.h"

#include "common.h"

void *need(void *memory)
{
	if (memory)
		return memory;
	perror("vfio-ioas");
	exit(EXIT_NOT_RUN);
}

void *allocate(size_t nelements, size_t nbytes)
{
	return need(calloc(nelements ? nelements : 1, nbytes));
}

void *grow(void *list, size_t nelements, size_t nbytes)
{
	/* The capacity is a power of two, so the list is full only at one. */
	if (nelements & (nelements - 1))
		return list;
	return need(reallocarray(list, nelements ? nelements * 2 : 1, nbytes));
}
