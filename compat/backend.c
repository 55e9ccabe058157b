// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend: what vfio.ko calls.
 *
 * Owns the registration with vfio.ko and struct container: one container is one
 * context with one IOAS.
 *
 * Being asked first. vfio.ko asks the backend registered last first, and stock type1
 * never says no. When it is loaded after us we register once more, with a new table:
 * the old one cannot be unregistered while a container uses it, but it is told to
 * claim no new ones, and goes when nothing uses it.
 *
 * Handles. vfio.ko calls ioctl without a lock, so that a container may be released
 * at the same moment, or have been: what it holds is not a pointer but a number,
 * which is not used again soon. A call that found the container is inside its IOAS
 * before it looks whether it is alive; release waits until nobody is, and says so.
 *
 * Locking: registrations_mutex guards the list of tables; containers have their
 * xarray's lock and RCU. vfio.ko serialises open, attach, detach and release of one
 * container.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

#include "backend.h"
#include "device.h"
#include "ioas.h"
#include "ioctl.h"
#include "iommufd.h"
#include "node.h"
#include "object.h"
#include "type1.h"
#include "vfio_private.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts, "Attach groups that can forge interrupts, too");

struct container {
	refcount_t entering;		/* calls waiting to get in, and one until release */
	struct completion entered;	/* none of them is left */
	bool released;			/* domains_rwsem of the IOAS */
	struct rcu_head rcu;
	struct ioas_ctx ctx;
	struct type1 type1;
};

/* One table given to vfio.ko; the first of the list is the one asked first. */
struct registration {
	struct list_head item;
	struct vfio_iommu_driver_ops ops;
};

static DEFINE_XARRAY_ALLOC1(containers);
static const struct xa_limit handle_limit = XA_LIMIT(1, U32_MAX);
static u32 last_handle;			/* lock of containers */

static DEFINE_MUTEX(registrations_mutex);
static LIST_HEAD(registrations);	/* registrations_mutex */

static struct container *container_find(void *handle)
{
	return xa_load(&containers, (unsigned long)handle);
}

static void container_put(struct container *container)
{
	if (refcount_dec_and_test(&container->entering))
		complete(&container->entered);
}

static bool container_enter_slow(struct container *container)
{
	bool alive;

	ioas_enter(container->type1.ioas);
	alive = !container->released;
	if (!alive)
		ioas_leave(container->type1.ioas);
	container_put(container);
	return alive;
}

/*
 * Enters without waiting. Sees the container alive only if release has yet to get the
 * lock for writing, and so will wait for the caller to leave; otherwise nothing but RCU
 * keeps it in memory.
 */
static bool container_try_enter(struct container *container)
{
	if (!ioas_try_enter(container->type1.ioas))
		return false;
	if (!container->released)
		return true;
	ioas_leave(container->type1.ioas);
	return false;
}

/*
 * Finds a container and enters its IOAS. NULL if it is gone or about to go. The common
 * case takes one lock; only while groups come or go must a count keep the container as
 * long as it takes to get in.
 */
static struct container *container_enter(void *handle)
{
	XA_STATE(xas, &containers, (unsigned long)handle);
	struct container *container;
	bool entered, kept = false;

	rcu_read_lock();
	container = xas_load(&xas);
	entered = container && container_try_enter(container);
	if (container && !entered)
		kept = refcount_inc_not_zero(&container->entering);
	rcu_read_unlock();

	if (kept)
		entered = container_enter_slow(container);
	return entered ? container : NULL;
}

static void *backend_open(unsigned long type)
{
	struct container *container;
	u32 handle;
	int ret;

	container = kzalloc(sizeof(*container), GFP_KERNEL_ACCOUNT);
	if (!container)
		return ERR_PTR(-ENOMEM);
	ret = type1_init(&container->type1, type);
	if (ret)
		goto free_container;
	refcount_set(&container->entering, 1);
	init_completion(&container->entered);
	ioas_ctx_init(&container->ctx);
	container->type1.ioas = ioas_create(&container->ctx);
	if (IS_ERR(container->type1.ioas)) {
		ret = PTR_ERR(container->type1.ioas);
		goto destroy_ctx;
	}
	container->ctx.vfio_ioas_id = container->type1.ioas->object.id;
	ret = xa_alloc_cyclic(&containers, &handle, container, handle_limit, &last_handle,
			      GFP_KERNEL_ACCOUNT);
	if (ret < 0)
		goto destroy_ctx;
	return (void *)(unsigned long)handle;

destroy_ctx:
	ioas_ctx_destroy(&container->ctx);
free_container:
	kfree(container);
	return ERR_PTR(ret);
}

static void backend_release(void *handle)
{
	struct container *container = xa_erase(&containers, (unsigned long)handle);

	down_write(&container->type1.ioas->domains_rwsem);
	container->released = true;
	up_write(&container->type1.ioas->domains_rwsem);
	container_put(container);
	wait_for_completion(&container->entered);
	ioas_ctx_destroy(&container->ctx);
	kfree_rcu(container, rcu);
}

static inline long container_ioctl(struct container *container, unsigned int cmd,
				   unsigned long arg)
{
	if (_IOC_TYPE(cmd) == IOMMUFD_TYPE && _IOC_NR(cmd) >= IOMMUFD_CMD_BASE)
		return ioas_ctx_ioctl(&container->ctx, cmd, arg);
	return type1_ioctl(&container->type1, cmd, arg);
}

static inline long handle_ioctl(void *handle, unsigned int cmd, unsigned long arg)
{
	struct container *container = container_enter(handle);
	long ret;

	if (!container)
		return -EINVAL;
	ret = container_ioctl(container, cmd, arg);
	ioas_leave(container->type1.ioas);
	return ret;
}

/* The part that a table no longer asked first goes on with. */
static long backend_ioctl_old(void *handle, unsigned int cmd, unsigned long arg)
{
	return handle ? handle_ioctl(handle, cmd, arg) : 0;
}

static long backend_ioctl(void *handle, unsigned int cmd, unsigned long arg)
{
	if (handle)
		return handle_ioctl(handle, cmd, arg);
	/* Without a container there is only the question whether we would serve it. */
	if (cmd != VFIO_CHECK_EXTENSION || !node_serves_current())
		return 0;
	return type1_check_extension(NULL, arg);
}

static int attach_real_group(struct container *container, struct iommu_group *group)
{
	struct ioas_attach attach = {
		.nesting = container->type1.nesting,
		.unsafe_interrupts = READ_ONCE(allow_unsafe_interrupts),
		.single_pages = type1_single_pages(),
	};
	int ret;

	ret = ioas_attach_group(container->type1.ioas, group, &attach);
	return ret == -EADDRINUSE ? -EINVAL : ret;
}

static int backend_attach_group(void *handle, struct iommu_group *group,
				enum vfio_group_type type)
{
	int ret = -EINVAL;

	if (type == VFIO_IOMMU)
		ret = attach_real_group(container_find(handle), group);
	/* vfio.ko may go on to another backend without telling anybody. */
	if (ret)
		pr_warn_ratelimited("group %d: cannot attach: error %d; SET_IOMMU may have fallen back to another backend\n",
				    iommu_group_id(group), ret);
	return ret;
}

static void backend_detach_group(void *handle, struct iommu_group *group)
{
	struct container *container = container_find(handle);
	unsigned long nbytes;

	/* As in stock type1 mappings do not outlive the last domain. */
	if (!ioas_detach_group(container->type1.ioas, group))
		return;
	ioas_enter(container->type1.ioas);
	ioas_unmap_all(container->type1.ioas, &nbytes);
	ioas_leave(container->type1.ioas);
}

static const struct vfio_iommu_driver_ops backend_ops = {
	.name = KBUILD_MODNAME,
	.owner = THIS_MODULE,
	.open = backend_open,
	.release = backend_release,
	.ioctl = backend_ioctl,
	.attach_group = backend_attach_group,
	.detach_group = backend_detach_group,
};

static void unregister_all_but(struct registration *keep)
{
	struct registration *registration, *next;

	lockdep_assert_held(&registrations_mutex);
	list_for_each_entry_safe(registration, next, &registrations, item) {
		if (registration == keep)
			continue;
		vfio_unregister_iommu_driver(&registration->ops);
		list_del(&registration->item);
		kfree(registration);
	}
}

/*
 * Once the new table is in, nobody can be on the way into a container by an old one:
 * vfio.ko holds a lock from the question to the answer, and registering took it. So
 * when nothing of this module is in use then, no container uses an old table.
 */
static int register_first(void)
{
	struct registration *registration, *old;
	int ret;

	lockdep_assert_held(&registrations_mutex);
	registration = kmalloc(sizeof(*registration), GFP_KERNEL);
	if (!registration)
		return -ENOMEM;
	registration->ops = backend_ops;
	old = list_first_entry_or_null(&registrations, struct registration, item);
	if (old)
		WRITE_ONCE(old->ops.ioctl, backend_ioctl_old);
	ret = vfio_register_iommu_driver(&registration->ops);
	if (ret) {
		if (old)
			WRITE_ONCE(old->ops.ioctl, backend_ioctl);
		kfree(registration);
		return ret;
	}
	list_add(&registration->item, &registrations);
	return 0;
}

static int backend_module_event(struct notifier_block *notifier, unsigned long event,
				void *data)
{
	struct module *module = data;

	if (event != MODULE_STATE_LIVE || strcmp(module->name, "vfio_iommu_type1"))
		return NOTIFY_DONE;
	mutex_lock(&registrations_mutex);
	if (register_first())
		pr_err("vfio_iommu_type1 was loaded and is asked before us now\n");
	else if (!module_refcount(THIS_MODULE))
		unregister_all_but(list_first_entry(&registrations, struct registration,
						    item));
	mutex_unlock(&registrations_mutex);
	return NOTIFY_OK;
}

static struct notifier_block backend_notifier = {
	.notifier_call = backend_module_event,
};

/**
 * backend_init() - offer ourselves to vfio.ko
 *
 * Return: 0, or an error with nothing registered.
 */
int backend_init(void)
{
	int ret;

	mutex_lock(&registrations_mutex);
	ret = register_first();
	mutex_unlock(&registrations_mutex);
	if (ret)
		return ret;
	ret = register_module_notifier(&backend_notifier);
	if (ret)
		backend_exit();
	return ret;
}

/**
 * backend_exit() - undo backend_init(); no container of ours is left
 */
void backend_exit(void)
{
	unregister_module_notifier(&backend_notifier);
	mutex_lock(&registrations_mutex);
	unregister_all_but(NULL);
	mutex_unlock(&registrations_mutex);
	xa_destroy(&containers);
}
