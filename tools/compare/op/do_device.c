// SPDX-License-Identifier: GPL-2.0-only
/*
 * do_device.c - operations on PCI devices: their regions, and DMA by QEMU's edu
 *
 * The edu has a buffer of its own, and copies up to 2048 bytes between it and an IOVA. A
 * transfer takes about 100 ms, and ends the same way if the IOMMU blocked it.
 */
#include <linux/vfio.h>
#include <sys/mman.h>

#include "do.h"
#include "op_type.h"
#include "region.h"
#include "setup.h"
#include "transcript.h"

#define PCI_COMMAND	4

#define EDU_SOURCE	0x80
#define EDU_TARGET	0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98
#define EDU_START	1ULL
#define EDU_TO_MEMORY	2ULL
#define EDU_BUFFER	0x40000ULL
#define EDU_MAX_BYTES	2048U
#define EDU_POLLS	30000U
#define EDU_POLL_US	1000

static bool region_info(int device, uint32_t index,
			struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){
		.argsz = sizeof(*info),
		.index = index,
	};
	return !vfio_call(device, VFIO_DEVICE_GET_REGION_INFO,
			  (unsigned long)info);
}

bool region_get(int device, uint32_t index, struct region *region)
{
	struct vfio_region_info info;

	if (!region_info(device, index, &info))
		return false;
	region->offset = info.offset;
	region->nbytes = info.size;
	return true;
}

bool region_find_bar(int device, struct region *region)
{
	struct vfio_region_info info;
	uint32_t index;

	for (index = VFIO_PCI_BAR0_REGION_INDEX;
	     index <= VFIO_PCI_BAR5_REGION_INDEX; index++) {
		if (!region_info(device, index, &info) || info.size < PAGE ||
		    !(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
			continue;
		return region_get(device, index, region);
	}
	return false;
}

int pci_command(int device, uint16_t set, uint16_t clear)
{
	struct region config;
	uint16_t command;
	off_t at;

	if (!region_get(device, VFIO_PCI_CONFIG_REGION_INDEX, &config))
		return -ENODEV;
	at = (off_t)config.offset + PCI_COMMAND;
	if (pread(device, &command, sizeof(command), at) != sizeof(command))
		return -EIO;
	command = (uint16_t)((command | set) & ~clear);
	if (pwrite(device, &command, sizeof(command), at) != sizeof(command))
		return -EIO;
	return 0;
}

void do_decode(const struct op *op, struct text *line)
{
	int device = setup.device[op->arg[0]][0];

	text_add_result(line, pci_command(device, op->arg[1] ? PCI_MEMORY : 0,
					  op->arg[1] ? 0 : PCI_MEMORY));
}

static volatile uint8_t *edu_map(int device, struct region *bar)
{
	void *mapped;

	if (pci_command(device, PCI_MEMORY | PCI_MASTER, 0) ||
	    !region_get(device, VFIO_PCI_BAR0_REGION_INDEX, bar))
		return NULL;
	mapped = mmap(NULL, bar->nbytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      device, (off_t)bar->offset);
	return mapped == MAP_FAILED ? NULL : mapped;
}

static bool edu_idle(volatile uint8_t *bar)
{
	uint32_t command = *(volatile uint32_t *)(bar + EDU_COMMAND);

	return !(command & EDU_START);
}

static void edu_write(volatile uint8_t *bar, unsigned int at, uint64_t value)
{
	*(volatile uint64_t *)(bar + at) = value;
}

static void edu_transfer(const struct op *op, bool to_memory, struct text *line)
{
	uint64_t iova = op->arg[1];
	unsigned int polls = EDU_POLLS;
	volatile uint8_t *registers;
	struct region bar;

	if (!devices[op->arg[0]].is_edu || op->arg[2] > EDU_MAX_BYTES)
		give_up("that is not for an edu device");
	registers = edu_map(setup.device[op->arg[0]][0], &bar);
	if (!registers) {
		text_add_result(line, -ENODEV);
		return;
	}
	edu_write(registers, EDU_SOURCE, to_memory ? EDU_BUFFER : iova);
	edu_write(registers, EDU_TARGET, to_memory ? iova : EDU_BUFFER);
	edu_write(registers, EDU_COUNT, op->arg[2]);
	edu_write(registers, EDU_COMMAND,
		  EDU_START | (to_memory ? EDU_TO_MEMORY : 0));
	while (!edu_idle(registers) && --polls)
		usleep(EDU_POLL_US);
	text_add_result(line, polls ? 0 : -ETIMEDOUT);
	munmap((void *)registers, bar.nbytes);
}

void do_load(const struct op *op, struct text *line)
{
	edu_transfer(op, false, line);
}

void do_store(const struct op *op, struct text *line)
{
	edu_transfer(op, true, line);
}
