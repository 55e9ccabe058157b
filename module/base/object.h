/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * object: contexts, and the objects that user space names by id.
 *
 * Owns: struct ioas_ctx, the ids in it, and the end of its objects.
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

/* One for each kind of object; its address identifies the kind. */
struct ioas_object_ops {
	void (*destroy)(struct ioas_object *object);	/* ends and frees it; cannot fail */
};

/*
 * Embedded in everything that has an id. A call that works on an object keeps it busy, and DESTROY
 * waits for that. Whatever needs the object for longer than a call is a user of it, and DESTROY
 * then fails.
 */
struct ioas_object {
	struct ioas_ctx *ctx;			/* constant, as is ops */
	const struct ioas_object_ops *ops;
	u32 id;					/* constant once reserved */
	unsigned int nbusy;			/* xa_lock of ctx->objects */
	unsigned int nusers;			/* same lock */
	bool ending;				/* same lock; cannot be kept busy any more */
	wait_queue_head_t idle;			/* woken when a call ends */
};

/*
 * The functions that a front end has for each IOAS of its contexts. The first sets ->front and
 * ->forgets.
 */
struct ioas_front_ops {
	int (*add_ioas)(struct ioas *ioas);	/* before the IOAS can be found; may fail */
	void (*remove_ioas)(struct ioas *ioas);	/* undoes that; no thread is inside; cannot fail */
};

/* One open file of /dev/iommu, or one container. */
struct ioas_ctx {
	struct xarray objects;			/* its own lock, xa_lock; by id, from 1 */
	struct ioas __rcu *default_ioas;	/* xa_lock; for calls that name no IOAS */
	bool charge_mm;				/* xa_lock; may be read without it */
	struct file *file;			/* constant; kernel drivers keep it open; or NULL */
	const struct ioas_front_ops *front_ops;	/* constant once there is an object; or NULL */
	struct mutex groups_mutex;
	struct list_head groups;		/* groups_mutex; struct ioas_group */
	struct mutex areas_mutex;		/* taken inside domains_rwsem */
	unsigned long spare_areas;		/* areas_mutex; for its IOASs, see limits.h */
	struct list_head ioass;			/* areas_mutex; all its IOASs */
	struct rb_node contexts_node;		/* contexts_mutex */
	unsigned long id;			/* constant; never used again */
	struct pid *owner;			/* constant; referenced; its creator */
	char comm[TASK_COMM_LEN];		/* constant; name of its creator at that time */
	const char *type;			/* the front end's name for it; or NULL */
	refcount_t visits;			/* of ioas_ctx_visit(), and one until it ends */
	struct completion unvisited;		/* the last visit is over */
	struct selftest_tally tally;
};

/**
 * ioas_ctx_init() - make a context without objects
 * @ctx: uninitialised memory
 * @file: the open file it belongs to, or NULL if kernel drivers cannot use the context
 *
 * Context: the process that the context is for; may sleep, takes contexts_mutex.
 */
void ioas_ctx_init(struct ioas_ctx *ctx, struct file *file);

/**
 * ioas_ctx_limit_areas() - limit the number of areas that all IOASs of a context have together
 * @ctx: a context without objects
 * @nareas: the largest number of areas; ULONG_MAX if this is never called
 *
 * Context: before other threads know the context.
 */
void ioas_ctx_limit_areas(struct ioas_ctx *ctx, unsigned long nareas);

/**
 * ioas_ctx_destroy() - end a context and everything in it
 * @ctx: no new calls reach it, and no kernel driver has an object of it
 *
 * Waits for visitors, and for calls that still work on an object.
 *
 * Context: may sleep. The caller holds nothing that these calls, or visitors, need. Never fails.
 */
void ioas_ctx_destroy(struct ioas_ctx *ctx);

/**
 * ioas_ctx_get() - take a reference on the file of a context
 * @ctx: a context that the caller already keeps
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
 * ioas_ctx_visit() - look at a context, and keep it from ending meanwhile
 * @id: lowest id that is wanted
 *
 * Context: may sleep, takes contexts_mutex.
 * Return: the context with the lowest id that is not below @id, or NULL.
 */
struct ioas_ctx *ioas_ctx_visit(unsigned long id);

/**
 * ioas_ctx_leave() - undo ioas_ctx_visit()
 * @ctx: may be gone afterwards
 */
void ioas_ctx_leave(struct ioas_ctx *ctx);

/**
 * ioas_ctx_set_charge_mm() - choose the counter that native maps are charged to
 * @ctx: the context
 * @charge_mm: true: that of the process' address space; false: that of its user
 *
 * Return: 0; -EBUSY if the context has any object, even one that is only reserved.
 */
int ioas_ctx_set_charge_mm(struct ioas_ctx *ctx, bool charge_mm);

static inline bool ioas_ctx_is_empty(struct ioas_ctx *ctx)
{
	return xa_empty(&ctx->objects);
}

/**
 * ioas_object_reserve() - give an object an id that cannot be found yet
 * @ctx: the context that it belongs to from now on
 * @object: the object, which is initialised here
 * @ops: its kind
 *
 * The caller goes on with ioas_object_publish() or ioas_object_abort().
 *
 * Context: may sleep.
 * Return: 0; -ENOMEM; -EBUSY if all ids are taken.
 */
int ioas_object_reserve(struct ioas_ctx *ctx, struct ioas_object *object,
			const struct ioas_object_ops *ops);

/**
 * ioas_object_publish() - let an object be found by its id
 * @object: reserved, and complete
 *
 * From now on any thread can end the object, so the caller must not fail afterwards.
 *
 * Context: may sleep. Never fails, since the slot in the table exists already.
 */
void ioas_object_publish(struct ioas_object *object);

/**
 * ioas_object_abort() - give back the id of an object that was not published
 * @object: reserved
 *
 * Context: any process context; does not sleep. Never fails.
 */
void ioas_object_abort(struct ioas_object *object);

/**
 * ioas_object_try_busy() - keep an object busy, unless it is ending
 * @object: an object whose memory something else keeps
 *
 * Return: true if the object is busy until ioas_object_put().
 */
bool ioas_object_try_busy(struct ioas_object *object);

/**
 * ioas_object_get() - find an object, and keep it busy
 * @ctx: the context
 * @id: its id, from user space
 * @ops: the kind wanted, or NULL for any
 *
 * Return: the object, busy until ioas_object_put(); NULL if there is none of that kind, or it is
 * ending.
 */
struct ioas_object *ioas_object_get(struct ioas_ctx *ctx, u32 id,
				    const struct ioas_object_ops *ops);

/**
 * ioas_object_put() - end the call that kept an object busy
 * @object: may be gone afterwards
 */
void ioas_object_put(struct ioas_object *object);

/**
 * ioas_object_use() - become a user of an object, which keeps it from ending
 * @object: kept busy by the caller, or not published yet
 */
void ioas_object_use(struct ioas_object *object);

/**
 * ioas_object_unuse() - undo ioas_object_use()
 * @object: may be gone afterwards
 */
void ioas_object_unuse(struct ioas_object *object);

/**
 * ioas_object_retire() - take an object out of the table, although user space may know its id
 * @object: published by the caller, which is its only user
 *
 * When this returns, no call works on the object.
 *
 * Context: sleeps. The caller holds nothing that a call with an object needs. Never fails.
 */
void ioas_object_retire(struct ioas_object *object);

/**
 * ioas_object_destroy() - IOMMU_DESTROY
 * @ctx: the context
 * @id: of the object
 *
 * Waits for calls that work on the object. New calls do not find it meanwhile.
 *
 * Context: may sleep. The caller holds nothing that these calls need.
 * Return: 0, or with the object unharmed:
 * * -ENOENT: there is no such object, or another thread is destroying it
 * * -EBUSY: the object has a user, or a call still works on it after a minute or a fatal signal
 */
int ioas_object_destroy(struct ioas_ctx *ctx, u32 id);

#endif
