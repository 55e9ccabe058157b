// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_edu.c - a driver for QEMU's edu device on top of VFIO
 *
 * The device finishes a transfer about 100 ms after it was started.
 */
#define _GNU_SOURCE
#include "lib.h"

#define EDU_SOURCE	0x80
#define EDU_TARGET	0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98
#define EDU_START	1ULL
#define EDU_TO_MEMORY	2ULL
#define EDU_BUFFER	0x40000ULL
#define EDU_ID		0x010000edU

#define PCI_COMMAND	4
#define PCI_MEMORY	0x2
#define PCI_MASTER	0x4
#define DMA_SECONDS	30U

static struct vfio_region_info region(int device, uint32_t index)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info),
		.index = index,
	};

	require_eq(vfio_call(device, VFIO_DEVICE_GET_REGION_INFO,
			     (unsigned long)&info), 0);
	return info;
}

static void enable_bus_master(int device)
{
	off_t at = (off_t)region(device, VFIO_PCI_CONFIG_REGION_INDEX).offset +
		   PCI_COMMAND;
	uint16_t command;

	require_eq(pread(device, &command, sizeof(command), at),
		   sizeof(command));
	command |= PCI_MASTER | PCI_MEMORY;
	require_eq(pwrite(device, &command, sizeof(command), at),
		   sizeof(command));
}

void edu_open(struct edu *edu, int group, unsigned int device_index)
{
	struct vfio_region_info bar;
	void *mapped;

	edu->fd = group_get_device(group, device_nr(device_index)->address);
	require_true(edu->fd >= 0);
	enable_bus_master(edu->fd);
	bar = region(edu->fd, VFIO_PCI_BAR0_REGION_INDEX);
	edu->bar_nbytes = bar.size;
	mapped = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      edu->fd, (off_t)bar.offset);
	require_true(mapped != MAP_FAILED);
	edu->bar = mapped;
	require_eq(*(volatile uint32_t *)edu->bar, EDU_ID);
}

void edu_close(struct edu *edu)
{
	require_eq(or_errno(munmap((void *)edu->bar, edu->bar_nbytes)), 0);
	require_eq(or_errno(close(edu->fd)), 0);
}

static void edu_write(struct edu *edu, unsigned int at, uint64_t value)
{
	*(volatile uint64_t *)(edu->bar + at) = value;
}

static bool edu_idle(void *arg)
{
	struct edu *edu = arg;

	return !(*(volatile uint32_t *)(edu->bar + EDU_COMMAND) & EDU_START);
}

static void edu_transfer(struct edu *edu, uint64_t source, uint64_t target,
			 uint32_t nbytes, uint64_t direction)
{
	/* A longer transfer makes QEMU's model of the device abort. */
	require_true(nbytes <= EDU_BYTES);
	dma_starts();
	edu_write(edu, EDU_SOURCE, source);
	edu_write(edu, EDU_TARGET, target);
	edu_write(edu, EDU_COUNT, nbytes);
	edu_write(edu, EDU_COMMAND, EDU_START | direction);
	require_true(wait_until(edu_idle, edu, DMA_SECONDS));
}

void edu_load(struct edu *edu, uint64_t iova, uint32_t nbytes)
{
	edu_transfer(edu, iova, EDU_BUFFER, nbytes, 0);
}

void edu_store(struct edu *edu, uint64_t iova, uint32_t nbytes)
{
	edu_transfer(edu, EDU_BUFFER, iova, nbytes, EDU_TO_MEMORY);
}

void probe_open(struct probe *probe, struct edu *edu, int container,
		uint64_t iova)
{
	probe->edu = edu;
	probe->container = container;
	probe->iova = iova;
	probe->bytes = mem_alloc(PAGE);
	require_eq(dma_map(container, iova, probe->bytes, PAGE, RW), 0);
}

void probe_close(struct probe *probe)
{
	require_eq(dma_unmap(probe->container, probe->iova, PAGE), PAGE);
	mem_free(probe->bytes, PAGE);
}

void probe_set(struct probe *probe, uint64_t seed)
{
	fill(probe->bytes, EDU_BYTES, seed);
	edu_load(probe->edu, probe->iova, EDU_BYTES);
}

bool probe_equals(struct probe *probe, const void *expected, uint32_t nbytes)
{
	memset(probe->bytes, 0x5a, PAGE);
	edu_store(probe->edu, probe->iova, nbytes);
	return memcmp(probe->bytes, expected, nbytes) == 0;
}

/* Does the device read this page at this IOVA? */
static bool check_read(struct edu *edu, struct probe *probe, uint64_t iova, const uint8_t *page)
{
	edu_load(edu, iova, EDU_BYTES);
	return check_true(probe_equals(probe, page, EDU_BYTES));
}

void check_reads(struct edu *edu, struct probe *probe, uint64_t iova, const uint8_t *pages,
		 uint64_t nbytes)
{
	uint64_t at;

	/* A transfer takes a tenth of a second, so not every page is read. */
	for (at = 0; at < nbytes; at = at < 4 * PAGE ? at + PAGE : 2 * at) {
		context("page %llu", (unsigned long long)(at / PAGE));
		if (!check_read(edu, probe, iova + at, pages + at))
			return;
	}
	context("last page");
	check_read(edu, probe, iova + nbytes - PAGE, pages + nbytes - PAGE);
	context("%s", "");
}

void check_copy_at(const char *file, int line, struct edu *edu,
		   uint8_t *from, uint64_t from_iova, uint8_t *to,
		   uint64_t to_iova)
{
	static uint64_t seed;

	fill(from, EDU_BYTES, ++seed);
	memset(to, (int)~seed, EDU_BYTES);
	edu_load(edu, from_iova, EDU_BYTES);
	edu_store(edu, to_iova, EDU_BYTES);
	check_mem_at(file, line, "copied bytes", to, from, EDU_BYTES);
}
