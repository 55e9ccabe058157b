/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * insight: what an administrator can see of all contexts.
 *
 * Owns: struct ctx_insight, the tree of contexts, the file "status" in debugfs, and what
 * tracepoints tell.
 */
#ifndef VFIO_IOAS_INSIGHT_H
#define VFIO_IOAS_INSIGHT_H

#include <linux/completion.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/types.h>

struct ioas;
struct ioas_area;
struct ioas_ctx;
struct ioas_group;
struct ioas_map;
struct ioas_object;
struct ioas_pages;
struct pages_sum;
struct pages_user;
struct pid;
struct rw_semaphore;
struct seq_file;

/* Embedded in each context. */
struct ctx_insight {
	struct rb_node node;		/* contexts_mutex */
	unsigned long id;		/* constant, as is all up to ... */
	struct pid *owner;		/* held: the process that made the context */
	char comm[TASK_COMM_LEN];	/* ... here; its name then */
	const char *type;		/* of a container, once it is known; or NULL */
	refcount_t visits;		/* of readers of "status", and one for the context itself */
	struct completion left;		/* the last one is over */
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
 * insight_down_read() - take a rwsem for reading, for a line of the status file
 * @m: the file
 * @rwsem: whose holder may take as long as its user likes
 *
 * Context: may sleep, but for a second at most in a whole reading of the file.
 * Return: false if it could not be had; the line has the word busy=1 then.
 */
bool insight_down_read(struct seq_file *m, struct rw_semaphore *rwsem);

/**
 * insight_show_ioas() - write the line of an IOAS
 * @m: where to
 * @object: the IOAS, kept busy by the caller
 *
 * Context: may sleep, as insight_down_read(). Memory that several areas show counts in each of
 * them.
 */
void insight_show_ioas(struct seq_file *m, struct ioas_object *object);

/**
 * insight_show_hwpt() - write the line of an HWPT
 * @m: where to
 * @object: the HWPT, kept busy by the caller
 */
void insight_show_hwpt(struct seq_file *m, struct ioas_object *object);

/**
 * insight_sum_area() - add up what stands behind an area
 * @area: the area
 * @sum: is added to
 *
 * Context: the caller owns the area and holds pages_lock().
 */
void insight_sum_area(struct ioas_area *area, struct pages_sum *sum);

/**
 * insight_map_over() - tell tracers of a map that is over
 * @ioas: where to
 * @map: what was asked for, and where it is
 * @areas: owned by the caller and not live yet; not looked at on error
 * @error: 0 or a negative errno
 * @begin_ns: from trace_begin()
 *
 * Context: may sleep, takes pages_lock().
 */
void insight_map_over(struct ioas *ioas, const struct ioas_map *map, struct ioas_area *areas,
		      int error, u64 begin_ns);

/**
 * insight_pin_over() - tell tracers of a pin that is over
 * @pages: the store
 * @user: as given to pages_pin()
 * @error: 0 or a negative errno
 * @begin_ns: from trace_begin()
 *
 * Context: the caller owns the area and holds pages_lock().
 */
void insight_pin_over(struct ioas_pages *pages, const struct pages_user *user, int error,
		      u64 begin_ns);

/**
 * insight_attach_over() - tell tracers of an attach that is over
 * @igroup: the group
 * @ioas: what it was to be attached to
 * @error: 0 or a negative errno
 * @begin_ns: from trace_begin()
 *
 * Context: groups_mutex held.
 */
void insight_attach_over(const struct ioas_group *igroup, const struct ioas *ioas, int error,
			 u64 begin_ns);

/**
 * insight_detach_over() - tell tracers of a detach that is over
 * @igroup: the group
 * @ioas_id: what it was attached to
 * @hwpt_id: the domain that it was on, which may be gone
 * @begin_ns: from trace_begin()
 *
 * Context: groups_mutex held.
 */
void insight_detach_over(const struct ioas_group *igroup, u32 ioas_id, u32 hwpt_id,
			 u64 begin_ns);

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
