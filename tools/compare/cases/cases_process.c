// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases_process.c - several processes and threads (docs/type1.md, 13.14)
 */
#include "calls.h"
#include "case_groups.h"

#include <pthread.h>

static void map_and_unmap_the_parents(void)
{
	state();
	map(8 * PAGE, 8, RW);
	unmap(0, 4 * PAGE);
}

static void child_maps_and_unmaps(void)
{
	setup_p();
	map(0, 4, RW);
	map(32 * PAGE, 2, RW);
	in_child(map_and_unmap_the_parents);
	state();
	unmap_all();
}

static void map_eight(void)
{
	map(0, 8, RW);
}

static void parent_unmaps_what_a_dead_child_mapped(void)
{
	setup_p();
	in_child(map_eight);
	state();
	map(0, 1, RW);
	map(8 * PAGE, 4, RW);
	unmap(0, 8 * PAGE);
	unmap(8 * PAGE, 4 * PAGE);
}

static void parent_unmaps_what_a_living_child_mapped(void)
{
	struct child child;

	setup_p();
	child_begin(&child, map_eight);
	state();
	unmap(0, 8 * PAGE);
	child_end(&child);
}

static void new_image_finds_the_container(void)
{
	setup_p();
	map(0, 4, RW);
	exec_part("new-image-unmaps");
}

static void limit_changes_between_maps(void)
{
	setup_p();
	drop_capability();
	limit(4);
	map(0, 4, RW);
	map(4 * PAGE, 4, RW);
	limit(8);
	map(4 * PAGE, 4, RW);
	limit(7);
	map(8 * PAGE, 1, RW);
	unmap_all();
}

static void *map_in_thread(void *argument)
{
	map(0, 8, RW);
	return argument;
}

static void thread_maps_and_another_unmaps(void)
{
	pthread_t thread;

	setup_p();
	pthread_create(&thread, NULL, map_in_thread, NULL);
	pthread_join(thread, NULL);
	state();
	unmap(0, 8 * PAGE);
}

static void fill_the_container(void)
{
	open_group(A);
	join(A);
	set_iommu(V2);
	map(0, 4, RW);
}

static void container_of_a_process_that_ended(void)
{
	setup_c();
	in_child(fill_the_container);
	info();
	map(0, 1, RW);
	extension(V2);
	fill_the_container();
}

static void leave_group(void)
{
	leave(A);
}

static void child_takes_the_group_away(void)
{
	setup_p();
	map(0, 4, RW);
	in_child(leave_group);
	state();
	map(0, 4, RW);
	join(A);
	set_iommu(V1);
	info();
}

static const struct test_case cases[] = {
	CASE(child_maps_and_unmaps, "213", NEEDS_A | BOTH_TYPES,
	     "who is charged after fork()"),
	CASE(parent_unmaps_what_a_dead_child_mapped, "214", NEEDS_A,
	     "a child that maps and ends"),
	CASE(parent_unmaps_what_a_living_child_mapped, "214", NEEDS_A,
	     "a child that maps and stays"),
	CASE(new_image_finds_the_container, "215", NEEDS_A,
	     "exec() with a container"),
	CASE(limit_changes_between_maps, "216", NEEDS_A | BOTH_TYPES,
	     "setrlimit() between maps"),
	CASE(thread_maps_and_another_unmaps, "217", NEEDS_A,
	     "threads are charged together"),
	CASE(container_of_a_process_that_ended, "218", NEEDS_A,
	     "a container whose groups went with another process"),
	CASE(child_takes_the_group_away, "", NEEDS_A,
	     "UNSET_CONTAINER by another process"),
};

const struct case_group case_group_process = CASE_GROUP("process", cases);
