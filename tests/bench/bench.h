/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench.h - shared by the parts of the benchmark
 *
 * A backend is a module that serves containers. A session is a container of
 * one backend with the first edu device in it, opened, so that mapped memory
 * is pinned and reaches an IOMMU. A suite measures some lines of the table in
 * one session. The same suite then runs on the next backend.
 */
#ifndef BENCH_H
#define BENCH_H

#include "lib.h"

#define IOVA		(1ULL << 34)

struct backend {
	const char *name;
	const char *node;
	const char *module;
};

struct session {
	const struct backend *backend;
	int container;
	int group;
	int device;
	bool recording;		/* not while warming up */
};

/* Finds the backends of this kernel, stock type1 first. */
unsigned int find_backends(const struct backend **found, unsigned int max);

/* Proves that this backend, and no other one, serves the container. */
void session_open(struct session *session, const struct backend *backend);
void session_close(struct session *session);

/* Prints a value of a line: "sample LINE BACKEND VALUE". */
void sample(const struct session *session, const char *line, double value);
void sample_ns(const struct session *session, const char *line, uint64_t ns,
	       uint64_t count);

/* map() allows reading and writing. Any failure ends the benchmark. */
void map(const struct session *session, uint64_t iova, const void *memory,
	 uint64_t nbytes);
void unmap(const struct session *session, uint64_t iova, uint64_t nbytes);
void unmap_all(const struct session *session, uint64_t nbytes);

/* Returns the unused memory of the machine, in bytes. */
uint64_t free_memory(void);

/* The sizes of the command line. */
extern uint64_t bulk_nbytes;	/* mapped in one call */
extern uint64_t max_mappings;	/* existing ones, at most */

struct suite {
	const char *name;
	void (*set_up)(void);
	void (*run)(const struct session *session);
	void (*tear_down)(void);
	/* Run it once in each session before it counts, for caches and slabs. */
	bool warm_up;
	bool takes_long;	/* run half as many rounds */
};

extern const struct suite bulk_suite;
extern const struct suite calls_suite;
extern const struct suite cold_suite;
extern const struct suite threads_suite;
extern const struct suite storage_suite;
extern const struct suite growth_suite;
extern const struct suite dirty_suite;

#endif
