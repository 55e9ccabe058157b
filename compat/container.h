/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * container: containers, by the handles that vfio.ko has.
 *
 * Owns: struct container, and the table of all containers.
 *
 * The memory of a container stays while a call has a reference, or is in one of its IOASs.
 */
#ifndef VFIO_IOAS_CONTAINER_H
#define VFIO_IOAS_CONTAINER_H

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/hashtable.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>

#include "base/object.h"
#include "space/ioas_struct.h"

#define CONTAINERS_BITS	8

/* The part of a container by which calls find and keep it; embedded. */
struct container {
	struct hlist_node item;		/* containers_lock; read under RCU */
	unsigned long handle;		/* constant */
	refcount_t refs;		/* of calls, and one until release */
	struct completion unused;	/* no reference is left */
	struct rcu_head rcu;
	struct ioas_ctx ctx;
};

extern struct hlist_head containers[1 << CONTAINERS_BITS];	/* by handle; read under RCU */

/*
 * Finds a container by its handle; NULL if there is none. The caller holds rcu_read_lock_sched(),
 * which unlike rcu_read_lock() needs no function call: each map comes here.
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
 * container_publish() - give a container its handle, by which calls find it from now on
 * @container: complete
 *
 * Context: takes containers_lock. Never fails.
 * Return: the handle; never NULL, never used again.
 */
void *container_publish(struct container *container);

/**
 * container_unpublish() - undo container_publish()
 * @container: from container_get(); this function puts that reference, too
 *
 * When this returns, no call has a reference, and no new call finds the container. Calls that only
 * entered an IOAS of the container may still be inside.
 *
 * Context: takes containers_lock; sleeps until all calls have put their references. Never fails.
 */
void container_unpublish(struct container *container);

/**
 * container_get() - find a container and keep it for the length of a call
 * @handle: from container_publish(); its container may have been released
 *
 * Context: any.
 * Return: the container; NULL if there is none.
 */
struct container *container_get(void *handle);

/**
 * container_put() - undo container_get()
 * @container: may be gone afterwards
 *
 * Context: any.
 */
void container_put(struct container *container);

/**
 * container_enter_slowly() - the part of container_enter() that waits
 * @handle: as for container_enter()
 *
 * Context: may sleep; takes domains_rwsem of the IOAS for reading, and returns with it on success.
 * Return: as container_enter().
 */
struct ioas *container_enter_slowly(void *handle);

/**
 * container_enter() - find a container and enter the IOAS that its ioctls work on
 * @handle: from container_publish(); its container may have been released
 *
 * A caller that is inside keeps both: they end only after a thread has got domains_rwsem for
 * writing. The common case takes this one lock. A call waits only while another thread holds it for
 * writing or wants to: to attach or detach a group, to change a setting, or to be alone.
 *
 * Context: may sleep; on success returns with domains_rwsem held for reading, until ioas_leave().
 * Return: the IOAS; or ERR_PTR():
 * * -EINVAL: there is no such container
 * * -ENODEV: the container has no IOAS
 * * -EINTR: a fatal signal
 */
static inline struct ioas *container_enter(void *handle)
{
	struct container *container;
	struct ioas *ioas = NULL;

	rcu_read_lock_sched();
	container = container_find(handle);
	if (container)
		ioas = rcu_dereference_sched(container->ctx.default_ioas);
	if (ioas && !ioas_try_enter(ioas))
		ioas = NULL;
	if (ioas && ioas->dead) {
		ioas_leave(ioas);
		ioas = NULL;
	}
	rcu_read_unlock_sched();
	return likely(ioas) ? ioas : container_enter_slowly(handle);
}

static inline struct container *container_of_ioas(const struct ioas *ioas)
{
	return container_of(ioas->object.ctx, struct container, ctx);
}

#endif
