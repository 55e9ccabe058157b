/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * container: what vfio.ko has a number for.
 *
 * Owns: struct container, and which containers there are.
 */
#ifndef VFIO_IOAS_CONTAINER_H
#define VFIO_IOAS_CONTAINER_H

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>

#include "base/object.h"
#include "space/ioas.h"
#include "type1.h"

#define CONTAINERS_BITS	8

struct container {
	struct hlist_node item;		/* lock of the table */
	unsigned long handle;		/* constant */
	refcount_t nkept;		/* calls that keep it, and one until release */
	struct completion unkept;	/* none of them is left */
	struct rcu_head rcu;
	struct ioas_ctx ctx;
	struct mutex groups_lock;	/* innermost */
	struct list_head groups;	/* groups_lock; vfio.ko serialises who comes and goes */
	unsigned int nwriters;		/* groups_lock, anybody may peek; that write anywhere */
	struct type1 type1;
};

extern struct hlist_head containers[1 << CONTAINERS_BITS];	/* by handle; read under RCU */

/*
 * Under rcu_read_lock_sched(), which unlike rcu_read_lock() costs no call: each map comes
 * this way.
 */
static inline struct container *container_find(void *handle)
{
	struct container *container;

	hash_for_each_possible_rcu(containers, container, item, (unsigned long)handle,
				   rcu_read_lock_sched_held())
		if (container->handle == (unsigned long)handle)
			return container;
	return NULL;
}

/**
 * container_publish() - give a container its handle, by which it is found from now on
 * @container: complete
 *
 * Return: the handle.
 */
void *container_publish(struct container *container);

/**
 * container_unpublish() - undo container_publish()
 * @container: is free of calls when this returns, and no new one finds it
 *
 * Context: sleeps until calls that keep it are over. Calls that only entered its IOAS may
 * still be there.
 */
void container_unpublish(struct container *container);

/**
 * container_unreleased() - find a container while vfio.ko does not release it
 * @handle: of container_publish()
 *
 * Return: the container, or NULL if there is none.
 */
struct container *container_unreleased(void *handle);

/**
 * container_get() - find a container and keep it for the length of a call
 * @handle: of container_publish(), maybe of a container that is no more
 *
 * Return: the container, or NULL.
 */
struct container *container_get(void *handle);

/**
 * container_put() - undo container_get()
 * @container: may be gone afterwards
 */
void container_put(struct container *container);

/**
 * container_enter_slowly() - the part of container_enter() that waits
 * @handle: as for container_enter()
 *
 * Return: the IOAS, entered; or as container_enter().
 */
struct ioas *container_enter_slowly(void *handle);

/*
 * Finds a container and enters its IOAS. A call that is inside keeps both: they end only after
 * somebody got the lock for writing. 0; -EINVAL if there is no such container; -ENODEV if it has
 * no IOAS; -EINTR on a fatal signal. The common case takes one lock; a call has to wait only while
 * somebody has the IOAS to itself: a group that comes or goes, a setting, a map that is alone.
 */
static inline int container_enter(void *handle, struct container **container,
				  struct ioas **ioas)
{
	struct ioas *entered = NULL;

	rcu_read_lock_sched();
	*container = container_find(handle);
	if (*container)
		entered = rcu_dereference_sched((*container)->ctx.default_ioas);
	if (entered && !ioas_try_enter(entered))
		entered = NULL;
	if (entered && entered->dead) {
		ioas_leave(entered);
		entered = NULL;
	}
	rcu_read_unlock_sched();
	if (unlikely(!entered)) {
		entered = container_enter_slowly(handle);
		if (IS_ERR(entered))
			return PTR_ERR(entered);
		*container = container_of(entered->object.ctx, struct container, ctx);
	}
	*ioas = entered;
	return 0;
}

#endif
