/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench.h - what the parts of the benchmark share
 *
 * A backend is somebody who serves a container. A session is a container of
 * one backend with the first edu device in it, open, so that what is mapped
 * is pinned and reaches an IOMMU. A suite measures some lines of the table in
 * one session; the same suite then runs on the next backend.
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

/* The backends that this kernel has, stock type1 first. */
unsigned int find_backends(const struct backend **found, unsigned int max);

/* Opening proves that this backend, and no other one, serves the container. */
void session_open(struct session *session, const struct backend *backend);
void session_close(struct session *session);

/* One value of a line: "sample LINE BACKEND VALUE" on stdout. */
void sample(const struct session *session, const char *line, double value);
void sample_ns(const struct session *session, const char *line, uint64_t ns,
	       uint64_t count);

/* Maps read-write, unmaps; any failure ends the benchmark. */
void map(const struct session *session, uint64_t iova, const void *memory,
	 uint64_t nbytes);
void unmap(const struct session *session, uint64_t iova, uint64_t nbytes);
void unmap_all(const struct session *session, uint64_t nbytes);

/* Bytes of memory that nobody uses. */
uint64_t free_memory(void);

/* The sizes, as the command line has them. */
extern uint64_t bulk_nbytes;	/* mapped in one call */
extern uint64_t max_mappings;	/* existing ones, at most */

struct suite {
	const char *name;
	void (*set_up)(void);
	void (*run)(const struct session *session);
	void (*tear_down)(void);
	/* Run once in each session before it counts: caches, slabs, ... */
	bool warm_up;
	bool takes_long;	/* half as many rounds will do */
};

extern const struct suite bulk_suite;
extern const struct suite calls_suite;
extern const struct suite cold_suite;
extern const struct suite threads_suite;
extern const struct suite storage_suite;
extern const struct suite growth_suite;
extern const struct suite dirty_suite;

#endif
