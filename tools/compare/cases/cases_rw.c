// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases_rw.c - memory read and written by emulated devices (docs/type1.md, 13.11)
 */
#include "calls.h"
#include "case_groups.h"

static void rw_across_mappings(void)
{
	setup_e();
	fill(buf, 16 * PAGE, 3);
	map(0, 2, RW);
	map_at(2 * PAGE, 2 * PAGE, buf + 8 * PAGE, RW);
	rw(E, 2 * PAGE - 100, 200, 0);
	rw(E, 2 * PAGE - 100, 200, RW_WRITE);
	rw(E, 0, 4 * PAGE, 0);
	rw(E, 1, 1, RW_WRITE);
	peek(buf, 16 * PAGE);
	state();
}

static void write_into_a_read_only_mapping(void)
{
	setup_e();
	map(0, 1, R);
	map_at(PAGE, PAGE, buf + PAGE, RW);
	rw(E, PAGE - 8, 16, RW_WRITE);
	rw(E, PAGE, 16, RW_WRITE);
	rw(E, 0, 16, 0);
	map_at(2 * PAGE, PAGE, buf + 2 * PAGE, R);
	rw(E, 2 * PAGE - 8, 16, RW_WRITE);
	peek(buf, 4 * PAGE);
}

static void rw_of_a_write_only_mapping(void)
{
	setup_e();
	map(0, 4, W);
	rw(E, 0, 8, RW_WRITE);
	rw(E, 0, 8, 0);
}

static void rw_of_nothing(void)
{
	setup_e();
	rw(E, 0, 8, 0);
	map_at(0, PAGE, (void *)PAGE, RW);
	rw(E, 0, 8, 0);
	rw(E, 0, 8, RW_WRITE);
	rw(E, 0, 0, 0);
	rw(E, PAGE - 4, 8, 0);
}

static void write_that_fails_half_way(void)
{
	setup_e();
	map(0, 1, RW);
	map_at(PAGE, PAGE, (void *)PAGE, RW);
	rw(E, PAGE - 64, 128, RW_WRITE);
	peek(buf, PAGE);
	rw(E, PAGE - 64, 128, 0);
}

static void rw_by_a_kernel_thread(void)
{
	setup_e();
	fill(buf, PAGE, 5);
	map(0, 4, RW);
	rw(E, 16, 64, RW_KTHREAD);
	rw(E, 16, 64, RW_KTHREAD | RW_WRITE);
	peek(buf, PAGE);
}

static void rw_some(void)
{
	rw(E, 0, 16, 0);
	rw(E, 0, 16, RW_WRITE);
	rw(E, 0, 16, RW_KTHREAD);
}

static void rw_by_a_child(void)
{
	setup_e();
	map(0, 4, RW);
	in_child(rw_some);
	peek(buf, PAGE);
}

static void map_four(void)
{
	map(0, 4, RW);
}

static void rw_of_a_dead_childs_memory(void)
{
	setup_e();
	in_child(map_four);
	rw_some();
}

static void rw_with_v1(void)
{
	setup_groups((enum group[]){ E }, 1, V1);
	map(0, 4, RW);
	rw(E, PAGE - 8, 16, RW_WRITE);
	rw(E, PAGE - 8, 16, 0);
	state();
}

static const struct test_case cases[] = {
	CASE(rw_across_mappings, "185", NEEDS_E,
	     "bytes on both sides of a border"),
	CASE(write_into_a_read_only_mapping, "186", NEEDS_E,
	     "a mapping without WRITE, and one behind it"),
	CASE(rw_of_a_write_only_mapping, "187", NEEDS_E,
	     "a mapping without READ"),
	CASE(rw_of_nothing, "188", NEEDS_E,
	     "no mapping, no memory, no bytes"),
	CASE(write_that_fails_half_way, "189", NEEDS_E,
	     "what was written before the fault"),
	CASE(rw_by_a_kernel_thread, "190", NEEDS_E,
	     "a kernel thread on behalf of the device"),
	CASE(rw_by_a_child, "191", NEEDS_E,
	     "another process than the one that mapped"),
	CASE(rw_of_a_dead_childs_memory, "192", NEEDS_E,
	     "memory whose process is gone"),
	CASE(rw_with_v1, "193", NEEDS_E, "type1"),
};

const struct case_group case_group_rw = CASE_GROUP("rw", cases);
