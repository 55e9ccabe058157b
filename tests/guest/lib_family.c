// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_family.c - a container for tests of several processes
 */
#define _GNU_SOURCE
#include "lib_family.h"

#define INHERITED	"INHERITED"

struct family family;

void family_open(void)
{
	family.memory = mem_alloc(FAMILY_BYTES);
	gate_make(&family.to_child);
	gate_make(&family.to_parent);
	rig_open(&family.rig, VFIO_TYPE1v2_IOMMU, 1);
}

void family_close(void)
{
	rig_close(&family.rig);
	mem_free(family.memory, FAMILY_BYTES);
}

void family_exec(void)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", family.rig.container);
	setenv(INHERITED, number, 1);
	execl("/proc/self/exe", "exe", (char *)NULL);
	check_eq(-errno, 0);
}

int family_inherited(void)
{
	const char *number = getenv(INHERITED);

	return number ? atoi(number) : -1;
}
