// SPDX-License-Identifier: GPL-2.0-only
/*
 * pci.c - a PCI device behind a VFIO descriptor
 */
#include "pci.h"

#include <errno.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PCI_COMMAND	4
#define PAGE_NBYTES	4096

static bool region_info(int device, uint32_t index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){
		.argsz = sizeof(*info),
		.index = index,
	};
	return ioctl(device, VFIO_DEVICE_GET_REGION_INFO, info) == 0;
}

bool pci_region_get(int device, uint32_t index, struct pci_region *region)
{
	struct vfio_region_info info;

	if (!region_info(device, index, &info))
		return false;
	region->offset = info.offset;
	region->nbytes = info.size;
	return true;
}

bool pci_region_find_bar(int device, struct pci_region *region)
{
	struct vfio_region_info info;
	uint32_t index;

	for (index = VFIO_PCI_BAR0_REGION_INDEX;
	     index <= VFIO_PCI_BAR5_REGION_INDEX; index++) {
		if (!region_info(device, index, &info) || info.size < PAGE_NBYTES ||
		    !(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
			continue;
		return pci_region_get(device, index, region);
	}
	return false;
}

int pci_command(int device, uint16_t set, uint16_t clear)
{
	struct pci_region config;
	uint16_t command;
	off_t at;

	if (!pci_region_get(device, VFIO_PCI_CONFIG_REGION_INDEX, &config))
		return -ENODEV;
	at = (off_t)config.offset + PCI_COMMAND;
	if (pread(device, &command, sizeof(command), at) != sizeof(command))
		return -EIO;
	command = (uint16_t)((command | set) & ~clear);
	if (pwrite(device, &command, sizeof(command), at) != sizeof(command))
		return -EIO;
	return 0;
}
