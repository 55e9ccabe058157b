/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * object: contexts, and the objects user space names by id.
 *
 * Owns: struct ioas_ctx, the ids in it, and when its objects end.
 */
#ifndef VFIO_IOAS_OBJECT_H
#define VFIO_IOAS_OBJECT_H

#include <linux/types.h>
#include <linux/xarray.h>

struct ioas_object;

struct ioas_object_ops {
	void (*destroy)(struct ioas_object *object);	/* and free; cannot fail */
};

/* Embedded in everything that has an id. */
struct ioas_object {
	u32 id;		/* constant */
	const struct ioas_object_ops *ops;
};

/* One open file of ours, or one container. */
struct ioas_ctx {
	struct xarray objects;		/* its own lock; by id, from 1 */
	u32 vfio_ioas_id;		/* constant; what container ioctls work on, or 0 */
};

void ioas_ctx_init(struct ioas_ctx *ctx);
void ioas_ctx_destroy(struct ioas_ctx *ctx);
int ioas_ctx_add(struct ioas_ctx *ctx, struct ioas_object *object,
		 const struct ioas_object_ops *ops);

#endif
