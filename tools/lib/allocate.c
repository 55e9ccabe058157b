// SPDX-License-Identifier: GPL-2.0-only
/*
 * allocate.c - memory, without which the program ends
 */
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
	/* Each time it has doubled. */
	if (nelements & (nelements - 1))
		return list;
	return need(reallocarray(list, nelements ? nelements * 2 : 1, nbytes));
}
