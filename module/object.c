// SPDX-License-Identifier: GPL-2.0-only
/*
 * object: contexts, and the objects user space names by id.
 *
 * An object belongs to the context it was added to and ends with it.
 *
 * Locking: the table is guarded by the xarray's own lock.
 */
#include "object.h"

/**
 * ioas_ctx_init() - make a context without objects
 * @ctx: uninitialised memory
 */
void ioas_ctx_init(struct ioas_ctx *ctx)
{
	xa_init_flags(&ctx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	ctx->vfio_ioas_id = 0;
}

/**
 * ioas_ctx_destroy() - end a context and everything in it
 * @ctx: nobody else uses it any more
 *
 * Context: may sleep. Never fails.
 */
void ioas_ctx_destroy(struct ioas_ctx *ctx)
{
	struct ioas_object *object;
	unsigned long id;

	xa_for_each(&ctx->objects, id, object) {
		xa_erase(&ctx->objects, id);
		object->ops->destroy(object);
	}
	xa_destroy(&ctx->objects);
}

/**
 * ioas_ctx_add() - give an object an id
 * @ctx: the context it belongs to from now on
 * @object: complete but for its id
 * @ops: what can be done with it
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM with nothing added.
 */
int ioas_ctx_add(struct ioas_ctx *ctx, struct ioas_object *object,
		 const struct ioas_object_ops *ops)
{
	object->ops = ops;
	return xa_alloc(&ctx->objects, &object->id, object, xa_limit_31b,
			GFP_KERNEL_ACCOUNT);
}
