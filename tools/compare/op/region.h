/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * region.h - regions of a PCI device behind a VFIO descriptor
 */
#ifndef COMPARE_REGION_H
#define COMPARE_REGION_H

#include "lib/common.h"

struct region {
	uint64_t offset;	/* in the descriptor */
	uint64_t nbytes;
};

bool region_get(int device, uint32_t index, struct region *region);
/* The first BAR that can be mmapped. */
bool region_find_bar(int device, struct region *region);
/* Sets and clears bits of the PCI command register: 0 or -errno. */
int pci_command(int device, uint16_t set, uint16_t clear);

#define PCI_MEMORY	0x2
#define PCI_MASTER	0x4

#endif
