// SPDX-License-Identifier: GPL-2.0-only
/*
 * edu.c - the registers of QEMU's edu device
 */
#include "edu.h"

#include <errno.h>
#include <linux/vfio.h>
#include <stddef.h>
#include <sys/mman.h>

#include "pci.h"

#define EDU_SOURCE	0x80
#define EDU_TARGET	0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98
#define EDU_START	1ULL
#define EDU_TO_MEMORY	2ULL
#define EDU_BUFFER	0x40000ULL

int edu_map(struct edu *edu, int fd)
{
	struct pci_region bar;
	void *mapped;

	if (pci_command(fd, PCI_MEMORY | PCI_MASTER, 0) ||
	    !pci_region_get(fd, VFIO_PCI_BAR0_REGION_INDEX, &bar))
		return -ENODEV;
	mapped = mmap(NULL, bar.nbytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      (off_t)bar.offset);
	if (mapped == MAP_FAILED)
		return -ENODEV;
	*edu = (struct edu){ .fd = fd, .bar = mapped, .bar_nbytes = bar.nbytes };
	return 0;
}

int edu_unmap(struct edu *edu)
{
	return munmap((void *)edu->bar, edu->bar_nbytes) ? -errno : 0;
}

static void edu_write(struct edu *edu, unsigned int at, uint64_t value)
{
	*(volatile uint64_t *)(edu->bar + at) = value;
}

static void start(struct edu *edu, uint64_t source, uint64_t target, uint32_t nbytes,
		  uint64_t command)
{
	edu_write(edu, EDU_SOURCE, source);
	edu_write(edu, EDU_TARGET, target);
	edu_write(edu, EDU_COUNT, nbytes);
	edu_write(edu, EDU_COMMAND, command);
}

void edu_start_load(struct edu *edu, uint64_t iova, uint32_t nbytes)
{
	start(edu, iova, EDU_BUFFER, nbytes, EDU_START);
}

void edu_start_store(struct edu *edu, uint64_t iova, uint32_t nbytes)
{
	start(edu, EDU_BUFFER, iova, nbytes, EDU_START | EDU_TO_MEMORY);
}

bool edu_is_idle(const struct edu *edu)
{
	return !(*(volatile uint32_t *)(edu->bar + EDU_COMMAND) & EDU_START);
}
