/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * object: contexts, and the objects user space names by id.
 *
 * Owns: struct ioas_ctx, the ids in it, and when its objects end.
 */
#ifndef VFIO_IOAS_OBJECT_H
#define VFIO_IOAS_OBJECT_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "selftest.h"

struct file;
struct ioas;
struct ioas_ctx;
struct ioas_object;
struct pid;

/* One for each kind of object: it also tells the kind. */
struct ioas_object_ops {
	void (*destroy)(struct ioas_object *object);	/* and free; cannot fail */
};

/*
 * Embedded in everything that has an id. Calls that work on an object keep it busy, which
 * makes DESTROY wait; what needs it for longer is a user, which makes DESTROY fail.
 */
struct ioas_object {
	struct ioas_ctx *ctx;			/* constant, as is ops */
	const struct ioas_object_ops *ops;
	u32 id;					/* constant once reserved */
	unsigned int nbusy;			/* xa_lock of ctx->objects */
	unsigned int nusers;			/* same lock */
	bool ending;				/* same lock; cannot be found any more */
	wait_queue_head_t idle;			/* a call that kept it busy is over */
};

/* What a front end does with each IOAS of its contexts. It sets ->front and ->forgets. */
struct ioas_front_ops {
	int (*add_ioas)(struct ioas *ioas);	/* sets its front; nobody can find it; may fail */
	void (*remove_ioas)(struct ioas *ioas);	/* undoes that; nobody is inside; cannot fail */
};

/* One open file of ours, or one container. */
struct ioas_ctx {
	struct xarray objects;			/* its own lock; by id, from 1 */
	struct ioas __rcu *default_ioas;	/* xa_lock; of calls that name none */
	bool charge_mm;				/* xa_lock, anybody may peek */
	struct file *file;			/* constant; kernel drivers keep it open, or NULL */
	const struct ioas_front_ops *front_ops;	/* constant once there is an object; or NULL */
	struct mutex groups_mutex;
	struct list_head groups;		/* groups_mutex; struct ioas_group */
	struct mutex areas_mutex;		/* inside domains_rwsem of its IOASs */
	unsigned long spare_areas;		/* areas_mutex; for its IOASs, see limits.h */
	struct list_head ioass;			/* areas_mutex; those that have a share */
	struct rb_node contexts_node;		/* contexts_mutex */
	unsigned long id;			/* constant; no other context ever has it */
	struct pid *owner;			/* constant; held: the process that made it */
	char comm[TASK_COMM_LEN];		/* constant; the name that process had then */
	const char *type;			/* what its front end calls it; or NULL */
	refcount_t visits;			/* see ioas_ctx_visit(), and one until it ends */
	struct completion unvisited;		/* the last one is over */
	struct selftest_tally tally;
};

/**
 * ioas_ctx_init() - make a context without objects
 * @ctx: uninitialised memory
 * @file: the open file it belongs to, or NULL if kernel drivers cannot use it
 *
 * Context: the process that the context is for; may sleep.
 */
void ioas_ctx_init(struct ioas_ctx *ctx, struct file *file);

/**
 * ioas_ctx_limit_areas() - limit how many areas all IOASs of a context may have together
 * @ctx: without objects
 * @nareas: how many; ULONG_MAX before
 */
void ioas_ctx_limit_areas(struct ioas_ctx *ctx, unsigned long nareas);

/**
 * ioas_ctx_destroy() - end a context and everything in it
 * @ctx: nobody comes any more, and no kernel driver has an object of it
 *
 * Waits for visitors, and for calls that still work on an object.
 *
 * Context: may sleep. Never fails.
 */
void ioas_ctx_destroy(struct ioas_ctx *ctx);

/**
 * ioas_ctx_get() - keep a context
 * @ctx: which the caller keeps already
 *
 * Does nothing for a context without a file, which no kernel driver can use.
 */
void ioas_ctx_get(struct ioas_ctx *ctx);

/**
 * ioas_ctx_put() - undo ioas_ctx_get()
 * @ctx: may be gone afterwards
 */
void ioas_ctx_put(struct ioas_ctx *ctx);

/**
 * ioas_ctx_visit() - keep a context from ending, to look at it
 * @id: of the context
 *
 * Context: may sleep.
 * Return: the context with the lowest id that is not below @id, or NULL.
 */
struct ioas_ctx *ioas_ctx_visit(unsigned long id);

/**
 * ioas_ctx_leave() - undo ioas_ctx_visit()
 * @ctx: may be gone afterwards
 */
void ioas_ctx_leave(struct ioas_ctx *ctx);

/**
 * ioas_ctx_set_charge_mm() - change whose limit holds for native maps
 * @ctx: the context
 * @charge_mm: the memory of the process, and not its user, pays
 *
 * Return: 0; -EBUSY if there is any object.
 */
int ioas_ctx_set_charge_mm(struct ioas_ctx *ctx, bool charge_mm);

static inline bool ioas_ctx_is_empty(struct ioas_ctx *ctx)
{
	return xa_empty(&ctx->objects);
}

/**
 * ioas_object_reserve() - give an object an id by which nobody finds it yet
 * @ctx: the context it belongs to from now on
 * @object: to initialise
 * @ops: its kind
 *
 * Ends with ioas_object_publish() or ioas_object_abort().
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int ioas_object_reserve(struct ioas_ctx *ctx, struct ioas_object *object,
			const struct ioas_object_ops *ops);

/**
 * ioas_object_publish() - let an object be found by its id
 * @object: reserved, and complete
 *
 * From now on anybody can end it: nothing that may fail comes after this.
 *
 * Context: may sleep. Never fails: the place in the table is there.
 */
void ioas_object_publish(struct ioas_object *object);

/**
 * ioas_object_abort() - give back the id of an object that was not published
 * @object: reserved
 *
 * Context: any. Never fails.
 */
void ioas_object_abort(struct ioas_object *object);

/**
 * ioas_object_try_busy() - keep an object for the length of a call, unless it ends
 * @object: published, and in memory for some other reason
 *
 * Return: true if the caller has to ioas_object_put() it.
 */
bool ioas_object_try_busy(struct ioas_object *object);

/**
 * ioas_object_get() - find an object and keep it for the length of a call
 * @ctx: the context
 * @id: its id, from user space
 * @ops: the kind wanted, or NULL for any
 *
 * Return: the object, or NULL if there is none of that kind or it is about to end.
 */
struct ioas_object *ioas_object_get(struct ioas_ctx *ctx, u32 id,
				    const struct ioas_object_ops *ops);

/**
 * ioas_object_put() - the call is over
 * @object: may be gone afterwards
 */
void ioas_object_put(struct ioas_object *object);

/**
 * ioas_object_use() - keep an object from ending
 * @object: which the caller keeps busy, or has not published
 */
void ioas_object_use(struct ioas_object *object);

/**
 * ioas_object_unuse() - undo ioas_object_use()
 * @object: may be gone afterwards
 */
void ioas_object_unuse(struct ioas_object *object);

/**
 * ioas_object_retire() - take an object out of the table, whoever knows its id
 * @object: published, by the caller, who is the only one to use it
 *
 * When this returns no call works on it.
 *
 * Context: sleeps; holds nothing that a call with an object needs. Never fails.
 */
void ioas_object_retire(struct ioas_object *object);

/**
 * ioas_object_destroy() - IOMMU_DESTROY
 * @ctx: the context
 * @id: of the object
 *
 * Waits for calls that work on the object; those that come later do not find it.
 *
 * Context: may sleep.
 * Return: 0; -ENOENT; -EBUSY, and the object unharmed, if something uses it or a call
 * works on it for more than a minute, or still when the process is killed.
 */
int ioas_object_destroy(struct ioas_ctx *ctx, u32 id);

#endif
