// SPDX-License-Identifier: GPL-2.0-only
/*
 * op.c - names of memory as numbers
 */
#include "op.h"

uint64_t op_pack_name(const char *name)
{
	uint64_t packed = 0;
	unsigned int i;

	for (i = 0; i < 8 && name[i]; i++)
		packed |= (uint64_t)(uint8_t)name[i] << (8 * i);
	return packed;
}

void op_unpack_name(uint64_t packed, char name[9])
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		name[i] = (char)(packed >> (8 * i));
	name[8] = '\0';
}
