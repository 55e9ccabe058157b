// SPDX-License-Identifier: GPL-2.0-only
/*
 * container: containers, by the handles that vfio.ko has.
 *
 * vfio.ko calls ioctl without a lock, so that a container may be released before or during the
 * call. Therefore its handle is not a pointer but a number, which is never used again. A call that
 * found the container gets a reference, or enters the IOAS and then looks whether the IOAS is dead.
 * Release waits for references, and the end of the IOAS for calls inside.
 *
 * Locking: containers_lock guards the table, which is read under RCU.
 */
#include <linux/err.h>
#include <linux/spinlock.h>

#include "container.h"
#include "space/ioas.h"

static DEFINE_SPINLOCK(containers_lock);
DEFINE_HASHTABLE(containers, CONTAINERS_BITS);	/* containers_lock; by handle */
static unsigned long last_handle;		/* containers_lock */

void *container_publish(struct container *container)
{
	refcount_set(&container->refs, 1);
	init_completion(&container->unused);
	spin_lock(&containers_lock);
	container->handle = ++last_handle;
	hash_add_rcu(containers, &container->item, container->handle);
	spin_unlock(&containers_lock);
	return (void *)container->handle;
}

void container_unpublish(struct container *container)
{
	spin_lock(&containers_lock);
	hash_del_rcu(&container->item);
	spin_unlock(&containers_lock);
	container_put(container);
	container_put(container);
	wait_for_completion(&container->unused);
}

struct container *container_get(void *handle)
{
	struct container *container;

	rcu_read_lock_sched();
	container = container_find(handle);
	if (container && !refcount_inc_not_zero(&container->refs))
		container = NULL;
	rcu_read_unlock_sched();
	return container;
}

void container_put(struct container *container)
{
	if (refcount_dec_and_test(&container->refs))
		complete(&container->unused);
}

struct ioas *container_enter_slowly(void *handle)
{
	struct container *container = container_get(handle);
	struct ioas *ioas;
	int ret = -ENODEV;

	if (!container)
		return ERR_PTR(-EINVAL);
	ioas = ioas_get_default(&container->ctx);
	if (ioas) {
		ret = ioas_enter_killable(ioas);
		ioas_put(ioas);
	}
	container_put(container);
	return ret ? ERR_PTR(ret) : ioas;
}
