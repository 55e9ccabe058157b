/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * container: what vfio.ko has a number for.
 *
 * Owns: struct container, and which containers there are.
 *
 * A container lives as long as somebody has a reference, or is in one of its IOASs.
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

/* The part that finds and keeps it; embedded. */
struct container {
	struct hlist_node item;		/* lock of the table */
	unsigned long handle;		/* constant */
	refcount_t refs;		/* of calls, and one until release */
	struct completion unused;	/* none of them is left */
	struct rcu_head rcu;
	struct ioas_ctx ctx;
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
 * @container: of container_get(), of which this is the end, too
 *
 * When this returns, no call has a reference, and no new one finds the container.
 *
 * Context: sleeps until calls that have a reference are over. Calls that only entered an IOAS of
 * the container may still be there.
 */
void container_unpublish(struct container *container);

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
 * somebody got the lock for writing. The IOAS; ERR_PTR(-EINVAL) if there is no such container;
 * -ENODEV if it has no IOAS; -EINTR on a fatal signal. The common case takes one lock. A call has
 * to wait only while somebody has the IOAS to itself: a group that comes or goes, a setting, a map
 * that is alone.
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
