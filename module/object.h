/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * object: contexts, and the objects user space names by id.
 *
 * Owns: struct ioas_ctx, the ids in it, and when its objects end.
 */
#ifndef VFIO_IOAS_OBJECT_H
#define VFIO_IOAS_OBJECT_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "account.h"

struct file;
struct ioas;
struct ioas_ctx;
struct ioas_object;

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
};

/* One open file of ours, or one container. */
struct ioas_ctx {
	struct xarray objects;			/* its own lock; by id, from 1 */
	wait_queue_head_t idle;			/* an object is not busy any more */
	struct ioas __rcu *vfio_ioas;		/* xa_lock; what container ioctls work on */
	enum account_mode account_mode;		/* xa_lock, anybody may peek */
	struct file *file;			/* constant; kernel drivers keep it open, or NULL */
	struct mutex groups_mutex;
	struct list_head groups;		/* groups_mutex; struct ioas_group */
};

void ioas_ctx_init(struct ioas_ctx *ctx, struct file *file, enum account_mode mode);
void ioas_ctx_destroy(struct ioas_ctx *ctx);
int ioas_ctx_set_account_mode(struct ioas_ctx *ctx, enum account_mode mode);

static inline bool ioas_ctx_is_empty(struct ioas_ctx *ctx)
{
	return xa_empty(&ctx->objects);
}

int ioas_object_reserve(struct ioas_ctx *ctx, struct ioas_object *object,
			const struct ioas_object_ops *ops);
void ioas_object_publish(struct ioas_object *object);
void ioas_object_abort(struct ioas_object *object);

bool ioas_object_try_busy(struct ioas_object *object);
struct ioas_object *ioas_object_get(struct ioas_ctx *ctx, u32 id,
				    const struct ioas_object_ops *ops);
void ioas_object_put(struct ioas_object *object);
void ioas_object_use(struct ioas_object *object);
void ioas_object_unuse(struct ioas_object *object);
void ioas_object_retire(struct ioas_object *object);
int ioas_object_destroy(struct ioas_ctx *ctx, u32 id);

#endif
