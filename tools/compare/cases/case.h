/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * case.h - a named case: a setup and the calls to make
 *
 * A case has no expected results: the results of ours are compared with those of stock type1. The
 * case runs once on each backend, in a process of its own.
 */
#ifndef COMPARE_CASE_H
#define COMPARE_CASE_H

#include "lib/common.h"

/* Needs of a case, which is skipped if one of them is missing. */
#define NEEDS_A		(1U << 0)	/* a PCI device */
#define NEEDS_B		(1U << 1)	/* one in another group */
#define NEEDS_E		(1U << 2)	/* emulated-0 */
#define NEEDS_F		(1U << 3)	/* emulated-1 */
#define NEEDS_MUTE	(1U << 4)	/* emulated-mute */
#define NEEDS_EDU	(1U << 5)	/* the PCI devices are QEMU's edu */
#define NEEDS_FILE	(1U << 6)	/* a file with write-back */
#define NEEDS_REMAP	(1U << 7)	/* interrupts are remapped ... */
#define NEEDS_NO_REMAP	(1U << 8)	/* ... or are not */
#define NEEDS_ALONE	(1U << 9)	/* the other backend is not loaded */
#define NEEDS_BOTH	(1U << 10)	/* the other backend is loaded */
#define NEEDS_NOIOMMU	(1U << 11)	/* a device without any IOMMU */
#define NEEDS_SIBLING	(1U << 12)	/* another device in the group of A */
/* Unbinds devices or changes module parameters: runs only on request. */
#define INTRUSIVE	(1U << 13)
/* Stock type1 may crash; the case judges for itself. */
#define ONLY_IOAS	(1U << 14)
/* Runs once more with VFIO_TYPE1_IOMMU. */
#define BOTH_TYPES	(1U << 15)
/* Topics that --without leaves out. Emulated devices are needs instead. */
#define ABOUT_DIRTY	(1U << 16)
#define ABOUT_VADDR	(1U << 17)
#define ABOUT_MMIO	(1U << 18)

struct test_case {
	const char *name;
	const char *numbers;	/* of the cases in docs/type1.md; "" if not there */
	unsigned int needs;
	const char *checks;	/* one line */
	void (*run)(void);
};

#define CASE(function, numbers, needs, checks) \
	{ #function, numbers, needs, checks, function }

struct case_group {
	const char *name;
	const struct test_case *cases;
	unsigned int ncases;
};

#define CASE_GROUP(name, cases)	{ name, cases, ARRAY_SIZE(cases) }

#endif
