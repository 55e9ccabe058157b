// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend: the functions that vfio.ko calls, and their registration.
 *
 * type1.c serves the calls.
 *
 * vfio.ko asks the backend that was registered last first, and stock type1 accepts every
 * container. So when stock type1 is loaded after us, we register once more, with a new table. The
 * old table cannot be unregistered while a call may use it: it accepts no new container from then
 * on, and stays until the module is unloaded.
 *
 * Locking: registrations_mutex guards the list of tables. vfio.ko serialises open, attach, detach
 * and release of one container.
 *
 * The container follows the interface and the behaviour of VFIO and its type1 backend in Linux
 * (include/uapi/linux/vfio.h, drivers/vfio/): Copyright (C) 2012 Red Hat, Inc.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "backend.h"
#include "base/selftest.h"
#include "node.h"
#include "type1.h"
#include "vfio_private.h"

/* A table that vfio.ko has; it asks the first of the list first. */
struct registration {
	struct list_head item;
	struct vfio_iommu_driver_ops ops;
};

static DEFINE_MUTEX(registrations_mutex);
static LIST_HEAD(registrations);	/* registrations_mutex */

/*
 * vfio.ko has no handle before it has chosen a backend, nor for a moment when a container begins or
 * ends. Then it can only ask whether we would serve the container.
 */
static long backend_ioctl(void *handle, unsigned int cmd, unsigned long arg)
{
	long ret;

	if (likely(handle)) {
		ret = type1_ioctl(handle, cmd, arg);
		selftest_look_at_container(handle);
		return ret;
	}
	if (cmd != VFIO_CHECK_EXTENSION)
		return -EINVAL;
	return node_serves_current() ? type1_check_extension(NULL, arg) : 0;
}

/* The ioctl of a table that is no longer the first: it serves its containers, but accepts none. */
static long backend_ioctl_old(void *handle, unsigned int cmd, unsigned long arg)
{
	if (handle || cmd != VFIO_CHECK_EXTENSION)
		return backend_ioctl(handle, cmd, arg);
	return 0;
}

/* After a failed SET_IOMMU vfio.ko may try another backend without telling the program. */
static void log_failed_attach(struct iommu_group *group, int error)
{
	if (node_in_ioctl(VFIO_SET_IOMMU))
		pr_warn_ratelimited("group %d: cannot attach: error %d; SET_IOMMU may have fallen back to another backend\n",
				    iommu_group_id(group), error);
	else
		pr_warn_ratelimited("group %d: cannot attach: error %d\n", iommu_group_id(group),
				    error);
}

static int backend_attach_group(void *handle, struct iommu_group *group,
				enum vfio_group_type type)
{
	int ret = -EINVAL;

	if (type == VFIO_IOMMU)
		ret = type1_attach_group(handle, group);
	else if (type == VFIO_EMULATED_IOMMU)
		ret = type1_attach_emulated_group(handle, group);
	if (ret)
		log_failed_attach(group, ret);
	return ret;
}

static int backend_pin_pages(void *handle, struct iommu_group *group, dma_addr_t iova,
			     int npages, int prot, struct page **pages)
{
	return type1_pin(handle, group, iova, npages, prot, pages) ?: npages;
}

static void backend_unpin_pages(void *handle, dma_addr_t iova, int npages)
{
	type1_unpin(handle, iova, npages);
}

static int backend_dma_rw(void *handle, dma_addr_t iova, void *data, size_t nbytes, bool write)
{
	return type1_rw(handle, iova, data, nbytes, write);
}

static const struct vfio_iommu_driver_ops backend_ops = {
	.name = KBUILD_MODNAME,
	.owner = THIS_MODULE,
	.open = type1_open,
	.release = type1_release,
	.ioctl = backend_ioctl,
	.attach_group = backend_attach_group,
	.detach_group = type1_detach_group,
	.pin_pages = backend_pin_pages,
	.unpin_pages = backend_unpin_pages,
	.register_device = type1_register,
	.unregister_device = type1_unregister,
	.dma_rw = backend_dma_rw,
};

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
		pr_err("vfio_iommu_type1 gets all new containers: no memory to register again. Reload vfio_ioas\n");
	mutex_unlock(&registrations_mutex);
	return NOTIFY_OK;
}

static struct notifier_block backend_notifier = {
	.notifier_call = backend_module_event,
};

int backend_init(void)
{
	int ret;

	/* Listen first: otherwise stock type1 could be loaded unnoticed after we registered. */
	ret = register_module_notifier(&backend_notifier);
	if (ret)
		return ret;
	mutex_lock(&registrations_mutex);
	if (list_empty(&registrations))
		ret = register_first();
	mutex_unlock(&registrations_mutex);
	if (ret)
		backend_exit();
	return ret;
}

/*
 * vfio.ko calls through a pointer to its own record of one of our tables, without a lock. A call
 * that sleeps has a reference to the module. Calls that were preempted on their way in or out have
 * none: we wait for them before anything that they use goes.
 *
 * We wait twice, since vfio.ko puts the module first and forgets the pointer a moment later. After
 * the first wait no task is between the two, so no task can get the pointer any more. After the
 * second wait no task that had got it is left. No new container can come: the module is being
 * unloaded, or was never live.
 */
static void wait_for_calls(void)
{
	synchronize_rcu_tasks();
	synchronize_rcu_tasks();
}

void backend_exit(void)
{
	struct registration *registration, *next;

	unregister_module_notifier(&backend_notifier);
	mutex_lock(&registrations_mutex);
	if (!list_empty(&registrations))
		wait_for_calls();
	list_for_each_entry_safe(registration, next, &registrations, item) {
		vfio_unregister_iommu_driver(&registration->ops);
		list_del(&registration->item);
		kfree(registration);
	}
	mutex_unlock(&registrations_mutex);
}
