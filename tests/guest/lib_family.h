/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_family.h - the setup of tests with several processes: a container with one group, memory, and
 * a gate in each direction
 *
 * The children that spawn() makes inherit all of it.
 */
#ifndef GUEST_LIB_FAMILY_H
#define GUEST_LIB_FAMILY_H

#include "lib.h"

#define FAMILY_PAGES	64U
#define FAMILY_BYTES	(FAMILY_PAGES * PAGE)

struct family {
	struct rig rig;		/* type1v2 */
	uint8_t *memory;	/* FAMILY_BYTES */
	struct gate to_child;
	struct gate to_parent;
};

extern struct family family;

void family_open(void);
void family_close(void);

/*
 * Executes the program of this process again. Its main() finds the container with
 * family_inherited(). If family_exec() returns, it fails the test.
 */
void family_exec(void);
/* Returns the container that family_exec() handed over, or -1. */
int family_inherited(void);

#endif
