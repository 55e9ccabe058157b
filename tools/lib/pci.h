/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pci.h - regions and the command register of a PCI device behind a VFIO descriptor
 *
 * The guest's tests use it, too.
 */
#ifndef TOOLS_PCI_H
#define TOOLS_PCI_H

#include <stdbool.h>
#include <stdint.h>

struct pci_region {
	uint64_t offset;	/* in the device's descriptor */
	uint64_t nbytes;
};

bool pci_region_get(int device, uint32_t index, struct pci_region *region);
/* Finds the first BAR that can be mmapped. */
bool pci_region_find_bar(int device, struct pci_region *region);
/* Sets and clears bits of the PCI command register: 0 or -errno. */
int pci_command(int device, uint16_t set, uint16_t clear);

#define PCI_MEMORY	0x2
#define PCI_MASTER	0x4

#endif
