// SPDX-License-Identifier: GPL-2.0-only
/* cases_dma.c - data that devices read and write (docs/type1.md, 13.13) */
#include "calls.h"
#include "case_groups.h"

#define IOVA		0x100000ULL
#define NBYTES		2048U

static void setup_dma(void)
{
	setup_p();
	open_device(A);
	fill(buf, 4 * PAGE, 1);
	map(IOVA, 4, RW);
}

/* Copies memory to the device, and from there to memory one page further. */
static void copy(enum group group)
{
	load(group, IOVA, NBYTES);
	store(group, IOVA + PAGE, NBYTES);
	peek(buf + PAGE, NBYTES);
}

static void device_copies(void)
{
	setup_dma();
	copy(A);
	peek(buf, 4 * PAGE);
}

static void device_writes_what_was_unmapped(void)
{
	setup_dma();
	load(A, IOVA, NBYTES);
	unmap(IOVA, 4 * PAGE);
	store(A, IOVA + PAGE, NBYTES);
	peek(buf, 4 * PAGE);
	map(IOVA, 4, RW);
	store(A, IOVA + PAGE, NBYTES);
	peek(buf, 4 * PAGE);
}

static void device_writes_a_read_only_mapping(void)
{
	setup_dma();
	load(A, IOVA, NBYTES);
	map_at(2 * IOVA, PAGE, buf + PAGE, R);
	store(A, 2 * IOVA, NBYTES);
	peek(buf, 4 * PAGE);
}

static void device_writes_a_write_only_mapping(void)
{
	setup_dma();
	load(A, IOVA, NBYTES);
	map_at(2 * IOVA, PAGE, buf + PAGE, W);
	store(A, 2 * IOVA, NBYTES);
	peek(buf, 4 * PAGE);
}

static void device_sees_the_old_page(void)
{
	setup_dma();
	part(buf, PAGE, MEMORY_TOUCHED, PROT_R | PROT_W);
	fill(buf, PAGE, 2);
	copy(A);
	part(buf + PAGE, PAGE, MEMORY_TOUCHED, PROT_R | PROT_W);
	copy(A);
}

static void second_group_sees_the_mappings(void)
{
	setup_dma();
	open_group(B);
	join(B);
	open_device(B);
	copy(B);
	unmap(IOVA, 4 * PAGE);
	fill(buf, 4 * PAGE, 9);
	store(B, IOVA, NBYTES);
	peek(buf, 4 * PAGE);
}

static void do_nothing(void)
{
}

static void device_sees_the_parent(void)
{
	struct child child;

	setup_dma();
	child_begin(&child, do_nothing);
	fill(buf, PAGE, 3);
	copy(A);
	child_end(&child);
	copy(A);
}

static void late_group_sees_earlier_mappings(void)
{
	setup_e();
	fill(buf, 4 * PAGE, 4);
	map(IOVA, 4, RW);
	open_group(A);
	join(A);
	open_device(A);
	copy(A);
	map_at(2 * IOVA, PAGE, buf + 2 * PAGE, RW);
	store(A, 2 * IOVA, NBYTES);
	peek(buf, 4 * PAGE);
}

static void container_is_closed_under_the_device(void)
{
	setup_dma();
	close_container(0);
	copy(A);
	close_group(A);
	copy(A);
	state();
}

static void device_crosses_a_border_of_mappings(void)
{
	setup_dma();
	map_at(IOVA + 4 * PAGE, PAGE, buf + 8 * PAGE, RW);
	load(A, IOVA, NBYTES);
	store(A, IOVA + 4 * PAGE - NBYTES / 2, NBYTES);
	peek(buf, 16 * PAGE);
}

static void mapping_is_replaced_under_the_device(void)
{
	setup_dma();
	unmap(IOVA, 4 * PAGE);
	map_at(IOVA, 4 * PAGE, buf + 8 * PAGE, RW);
	fill(buf + 8 * PAGE, PAGE, 6);
	load(A, IOVA, NBYTES);
	store(A, IOVA + PAGE, NBYTES);
	peek(buf, 16 * PAGE);
}

static void device_reads_huge_pages(void)
{
	uint8_t *huge;

	setup_dma();
	huge = memory("huge", 4 * MIB, MEMORY_HUGE, PROT_R | PROT_W);
	fill(huge + 3 * MIB, PAGE, 8);
	map_at(16 * MIB, 4 * MIB, huge, RW);
	load(A, 19 * MIB, NBYTES);
	store(A, 17 * MIB + PAGE, NBYTES);
	peek(huge + MIB + PAGE, NBYTES);
	unmap_all();
}

static const struct test_case cases[] = {
	CASE(device_copies, "204", NEEDS_A | NEEDS_EDU | BOTH_TYPES,
	     "memory to device to memory"),
	CASE(device_writes_what_was_unmapped, "205", NEEDS_A | NEEDS_EDU,
	     "DMA after UNMAP, and after MAP again"),
	CASE(device_writes_a_read_only_mapping, "206", NEEDS_A | NEEDS_EDU,
	     "DMA to a mapping without WRITE"),
	CASE(device_writes_a_write_only_mapping, "207", NEEDS_A | NEEDS_EDU,
	     "DMA to a mapping without READ"),
	CASE(device_sees_the_old_page, "208", NEEDS_A | NEEDS_EDU,
	     "the process puts other memory there"),
	CASE(second_group_sees_the_mappings, "209",
	     NEEDS_A | NEEDS_B | NEEDS_EDU, "DMA by a group that joined later"),
	CASE(device_sees_the_parent, "210", NEEDS_A | NEEDS_EDU,
	     "the parent writes after fork()"),
	CASE(late_group_sees_earlier_mappings, "211 197",
	     NEEDS_A | NEEDS_E | NEEDS_EDU,
	     "DMA to mappings made before there was an IOMMU"),
	CASE(container_is_closed_under_the_device, "212", NEEDS_A | NEEDS_EDU,
	     "container and group are closed while the device is open"),
	CASE(device_crosses_a_border_of_mappings, "", NEEDS_A | NEEDS_EDU,
	     "one transfer to two mappings"),
	CASE(mapping_is_replaced_under_the_device, "", NEEDS_A | NEEDS_EDU,
	     "UNMAP, and MAP of other memory"),
	CASE(device_reads_huge_pages, "", NEEDS_A | NEEDS_EDU,
	     "DMA from and to the middle of huge pages"),
};

const struct case_group case_group_dma = CASE_GROUP("dma", cases);
