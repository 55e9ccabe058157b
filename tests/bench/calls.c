// SPDX-License-Identifier: GPL-2.0-only
/*
 * calls.c - maps 4 KiB in a call, as a guest with a vIOMMU does: in an empty
 * container, and among more and more existing mappings
 */
#define _GNU_SOURCE
#include "bench.h"

#define NCALLS		16384U
#define MEMORY_PAGES	NCALLS
#define NPROBES		1000U
#define NPASSES		4U
/* Coprime to NPROBES: a walk with this stride jumps, and visits each probe once. */
#define STRIDE		7919U

static uint8_t *memory;

static void set_up(void)
{
	memory = mem_alloc_interleaved(MEMORY_PAGES * PAGE);
}

static void tear_down(void)
{
	mem_free(memory, MEMORY_PAGES * PAGE);
}

/* Every other page of IOVA, so that no mapping has a neighbour. */
static uint64_t slot(uint64_t number)
{
	return IOVA + 2 * number * PAGE;
}

static void map_slots(const struct session *session, uint64_t first,
		      uint64_t end)
{
	for (; first < end; first++)
		map(session, slot(first),
		    memory + first % MEMORY_PAGES * PAGE, PAGE);
}

static void calls_run(const struct session *session)
{
	uint64_t start_ns = now_ns();
	unsigned int i;

	map_slots(session, 0, NCALLS);
	sample_ns(session, "map_call", now_ns() - start_ns, NCALLS);
	start_ns = now_ns();
	for (i = 0; i < NCALLS; i++)
		unmap(session, slot(i), PAGE);
	sample_ns(session, "unmap_call", now_ns() - start_ns, NCALLS);
	map_slots(session, 0, NCALLS);
	start_ns = now_ns();
	unmap_all(session, NCALLS * PAGE);
	sample_ns(session, "unmap_all", now_ns() - start_ns, NCALLS);
}

const struct suite calls_suite = {
	.name = "calls",
	.set_up = set_up,
	.run = calls_run,
	.tear_down = tear_down,
	.warm_up = true,
};

/* The page behind an existing mapping, somewhere among all of them. */
static uint64_t probe_iova(unsigned int number, uint64_t nmappings)
{
	uint64_t place = (uint64_t)number * STRIDE % NPROBES;

	return slot(place * nmappings / NPROBES) + PAGE;
}

static void probe_calls(const struct session *session, uint64_t nmappings)
{
	uint64_t map_ns = 0, unmap_ns = 0, start_ns;
	unsigned int pass, i;
	char line[64];

	for (pass = 0; pass < NPASSES; pass++) {
		start_ns = now_ns();
		for (i = 0; i < NPROBES; i++)
			map(session, probe_iova(i, nmappings),
			    memory + i * PAGE, PAGE);
		map_ns += now_ns() - start_ns;
		start_ns = now_ns();
		for (i = 0; i < NPROBES; i++)
			unmap(session, probe_iova(i, nmappings), PAGE);
		unmap_ns += now_ns() - start_ns;
	}
	snprintf(line, sizeof(line), "map_among_%llu",
		 (unsigned long long)nmappings);
	sample_ns(session, line, map_ns, NPASSES * NPROBES);
	snprintf(line, sizeof(line), "unmap_among_%llu",
		 (unsigned long long)nmappings);
	sample_ns(session, line, unmap_ns, NPASSES * NPROBES);
}

static void growth_run(const struct session *session)
{
	uint64_t before = kernel_memory();
	uint64_t nmappings = 0, level;
	uint64_t start_ns;

	for (level = NPROBES; level <= max_mappings; level *= 10) {
		map_slots(session, nmappings, level);
		nmappings = level;
		probe_calls(session, nmappings);
	}
	sample(session, "bytes_a_mapping",
	       (double)(int64_t)(kernel_memory() - before) /
	       (double)nmappings);
	start_ns = now_ns();
	unmap_all(session, nmappings * PAGE);
	sample_ns(session, "unmap_all_of_many", now_ns() - start_ns, nmappings);
}

const struct suite growth_suite = {
	.name = "growth",
	.set_up = set_up,
	.run = growth_run,
	.tear_down = tear_down,
	.takes_long = true,
};
