// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_edu.c - QEMU's edu device in tests
 */
#define _GNU_SOURCE
#include "lib.h"

#define EDU_ID		0x010000edU
#define DMA_SECONDS	30U

void edu_open(struct edu *edu, int group, unsigned int device_index)
{
	int fd = group_get_device(group, device_nr(device_index)->address);

	require_true(fd >= 0);
	require_eq(edu_map(edu, fd), 0);
	require_eq(*(volatile uint32_t *)edu->bar, EDU_ID);
}

void edu_close(struct edu *edu)
{
	require_eq(edu_unmap(edu), 0);
	require_eq(or_errno(close(edu->fd)), 0);
}

static bool is_idle(void *edu)
{
	return edu_is_idle(edu);
}

static void before_transfer(uint32_t nbytes)
{
	/* A longer transfer makes QEMU's model of the device abort. */
	require_true(nbytes <= EDU_BYTES);
	dma_starts();
}

void edu_load(struct edu *edu, uint64_t iova, uint32_t nbytes)
{
	before_transfer(nbytes);
	edu_start_load(edu, iova, nbytes);
	require_true(wait_until(is_idle, edu, DMA_SECONDS));
}

void edu_store(struct edu *edu, uint64_t iova, uint32_t nbytes)
{
	before_transfer(nbytes);
	edu_start_store(edu, iova, nbytes);
	require_true(wait_until(is_idle, edu, DMA_SECONDS));
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
