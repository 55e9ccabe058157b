/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * insight: what an administrator can see of all contexts.
 *
 * Owns: struct ctx_insight, the list of contexts, and the file "status" in debugfs.
 */
#ifndef VFIO_IOAS_INSIGHT_H
#define VFIO_IOAS_INSIGHT_H

#include <linux/list.h>
#include <linux/sched.h>
#include <linux/types.h>

struct ioas_ctx;
struct ioas_object;
struct pid;
struct seq_file;

/* Embedded in each context. */
struct ctx_insight {
	struct list_head item;		/* contexts_mutex */
	unsigned long id;		/* constant, as is all up to ... */
	struct pid *owner;		/* held: the process that made the context */
	char comm[TASK_COMM_LEN];	/* ... here; its name then */
	const char *type;		/* of a container, once it is known; or NULL */
	unsigned int nvisitors;		/* contexts_mutex; readers of "status" just there */
};

/**
 * insight_add() - let administrators see a context
 * @ctx: initialised, without objects
 *
 * Context: the process that the context is for; may sleep.
 */
void insight_add(struct ioas_ctx *ctx);

/**
 * insight_remove() - undo insight_add()
 * @ctx: the context, not yet taken apart
 *
 * Context: may sleep, until nobody looks at this context any more. Never fails.
 */
void insight_remove(struct ioas_ctx *ctx);

/**
 * insight_show_ioas() - write the line of an IOAS
 * @m: where to
 * @object: the IOAS, kept busy by the caller
 *
 * Context: may sleep. Memory that several areas show counts in each of them.
 */
void insight_show_ioas(struct seq_file *m, struct ioas_object *object);

/**
 * insight_init() - create the files in debugfs
 *
 * Without debugfs there are none, and nobody minds.
 */
void insight_init(void);

/**
 * insight_exit() - undo insight_init()
 */
void insight_exit(void);

#endif
