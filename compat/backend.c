// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend: what vfio.ko calls.
 *
 * Owns the registration with vfio.ko, and the life of containers: one container is one context
 * with one IOAS, unless its user makes more.
 *
 * Being asked first. vfio.ko asks the backend registered last first, and stock type1
 * never says no. When it is loaded after us we register once more, with a new table:
 * the old one cannot be unregistered while a call may use it, but it is told to
 * claim no new ones, and stays until we go.
 *
 * Locking: registrations_mutex guards the list of tables. vfio.ko serialises open, attach, detach
 * and release of one container.
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
#include "base/kcompat.h"
#include "base/object.h"
#include "base/selftest.h"
#include "base/steps.h"
#include "container.h"
#include "dirty.h"
#include "domain/group.h"
#include "emulated.h"
#include "node.h"
#include "stock.h"
#include "space/ioas.h"
#include "type1.h"
#include "vaddr.h"
#include "vfio_private.h"

/* A group of a container. */
struct container_group {
	struct list_head item;		/* groups_lock of the container */
	struct iommu_group *group;	/* constant, as is ioas */
	struct ioas *ioas;		/* of a real group: to what it is attached, used; or NULL */
	bool writes_anywhere;		/* groups_lock; its device writes to what it did not pin */
};

/* One table given to vfio.ko; the first of the list is the one asked first. */
struct registration {
	struct list_head item;
	struct vfio_iommu_driver_ops ops;
};

static DEFINE_MUTEX(registrations_mutex);
static LIST_HEAD(registrations);	/* registrations_mutex */

static struct dirty *dirty_of(struct ioas *ioas)
{
	return &container_of(ioas->object.ctx, struct container, ctx)->type1.dirty;
}

static int add_ioas(struct ioas *ioas)
{
	return dirty_add_ioas(dirty_of(ioas), ioas);
}

static void remove_ioas(struct ioas *ioas)
{
	dirty_remove_ioas(dirty_of(ioas), ioas);
}

static const struct ioas_front_ops front_ops = {
	.add_ioas = add_ioas,
	.remove_ioas = remove_ioas,
};

/* Container ioctls work on a new IOAS from now on, unless another was selected meanwhile. */
static void publish_ioas(struct ioas *ioas)
{
	ioas_offer_default(ioas->object.ctx, ioas);
	ioas_object_publish(&ioas->object);
}

static void *backend_open(unsigned long type)
{
	struct container *container;
	struct ioas *ioas;
	int ret;

	container = kzalloc(sizeof(*container), GFP_KERNEL_ACCOUNT);
	if (!container)
		return ERR_PTR(-ENOMEM);
	ret = type1_init(&container->type1, &container->ctx, type);
	if (ret)
		goto free_container;
	mutex_init(&container->groups_lock);
	INIT_LIST_HEAD(&container->groups);
	ioas_ctx_init(&container->ctx, NULL);
	container->ctx.charge_mm = true;
	container->ctx.front_ops = &front_ops;
	ioas_ctx_limit_areas(&container->ctx, type1_entry_limit());
	WRITE_ONCE(container->ctx.type, type1_name(&container->type1));
	ioas = ioas_create(&container->ctx);
	if (IS_ERR(ioas)) {
		ret = PTR_ERR(ioas);
		goto destroy_ctx;
	}
	publish_ioas(ioas);
	return container_publish(container);

destroy_ctx:
	ioas_ctx_destroy(&container->ctx);
	type1_exit(&container->type1);
free_container:
	kfree(container);
	return ERR_PTR(ret);
}

static void backend_release(void *handle)
{
	struct container *container = container_unreleased(handle);

	container_unpublish(container);
	ioas_ctx_destroy(&container->ctx);
	type1_exit(&container->type1);
	WARN_ON(!list_empty(&container->groups));
	kfree_rcu(container, rcu);
}

/*
 * vfio.ko has no handle while there is no container, nor for a moment when it comes or goes; then
 * the only question is whether we would serve it.
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

/* The part that a table no longer asked first goes on with. */
static long backend_ioctl_old(void *handle, unsigned int cmd, unsigned long arg)
{
	if (handle || cmd != VFIO_CHECK_EXTENSION)
		return backend_ioctl(handle, cmd, arg);
	return 0;
}

static struct container_group *find_group(struct container *container,
					  struct iommu_group *group)
{
	struct container_group *cgroup;

	list_for_each_entry(cgroup, &container->groups, item)
		if (cgroup->group == group)
			return cgroup;
	return NULL;
}

/* To pin at an address that is void would pin whatever is there by now. */
static int refuse_if_void(struct ioas *ioas)
{
	return vaddr_any_void(ioas) ? -EBUSY : 0;
}

static int attach_real_group(struct container *container, struct container_group *cgroup)
{
	struct type1 *type1 = &container->type1;
	struct igroup_target target = {
		.ioas = cgroup->ioas,
		.nesting = type1->nesting,
		.single_pages = type1_single_pages(),
		.check = refuse_if_void,
	};
	int ret;

	/* Without a list of ranges, or with an older one, the IOMMU driver says so. */
	if (!type1->had_domain || !STOCK_IS_INCLUSIVE)
		target.out_of_reach = STOCK_OUT_OF_REACH;
	dirty_add_writer(cgroup->ioas);
	ret = ioas_attach_group(cgroup->group, &target);
	if (ret)
		dirty_forget_writer(cgroup->ioas);
	else
		WRITE_ONCE(type1->had_domain, true);
	return ret == -EADDRINUSE ? -EINVAL : ret;
}

/* Attaches a group to an IOAS, and if it is a real one becomes a user of it. */
static int attach_to_ioas(struct container *container, struct container_group *cgroup,
			  struct ioas *ioas, bool emulated)
{
	int ret;

	if (emulated)
		return emulated_add_group(&container->type1, ioas);
	cgroup->ioas = ioas;
	ret = attach_real_group(container, cgroup);
	if (!ret)
		ioas_object_use(&ioas->object);
	return ret;
}

/* To an IOAS that nobody finds before the group is there: a join that fails leaves none. */
static int attach_to_fresh_ioas(struct container *container, struct container_group *cgroup,
				bool emulated)
{
	struct ioas *ioas = ioas_create(&container->ctx);
	int ret;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ret = attach_to_ioas(container, cgroup, ioas, emulated);
	if (ret)
		ioas_discard(ioas);
	else
		publish_ioas(ioas);
	return ret;
}

/* The user of a container may have ended its IOAS, or chosen none. */
static int attach_somewhere(struct container *container, struct container_group *cgroup,
			    bool emulated)
{
	struct ioas *ioas = ioas_get_default(&container->ctx);
	int ret;

	if (!ioas)
		return attach_to_fresh_ioas(container, cgroup, emulated);
	ret = attach_to_ioas(container, cgroup, ioas, emulated);
	ioas_put(ioas);
	return ret;
}

static int attach_group(struct container *container, struct iommu_group *group, bool emulated)
{
	struct container_group *cgroup;
	int ret;

	if (find_group(container, group))
		return -EINVAL;
	cgroup = kzalloc(sizeof(*cgroup), GFP_KERNEL_ACCOUNT);
	if (!cgroup)
		return -ENOMEM;
	cgroup->group = group;
	cgroup->writes_anywhere = !emulated;
	ret = attach_somewhere(container, cgroup, emulated);
	if (ret) {
		kfree(cgroup);
		return ret;
	}
	emulated_note_group(&container->type1, group);
	mutex_lock(&container->groups_lock);
	list_add(&cgroup->item, &container->groups);
	WRITE_ONCE(container->nwriters, container->nwriters + cgroup->writes_anywhere);
	mutex_unlock(&container->groups_lock);
	return 0;
}

static int backend_attach_group(void *handle, struct iommu_group *group,
				enum vfio_group_type type)
{
	struct container *container = container_unreleased(handle);
	int ret = -EINVAL;

	if (type == VFIO_IOMMU || type == VFIO_EMULATED_IOMMU)
		ret = attach_group(container, group, type == VFIO_EMULATED_IOMMU);
	selftest_look(&container->ctx);
	if (!ret)
		return 0;
	/* vfio.ko may go on to another backend without telling anybody. */
	if (node_in_ioctl(VFIO_SET_IOMMU))
		pr_warn_ratelimited("group %d: cannot attach: error %d; SET_IOMMU may have fallen back to another backend\n",
				    iommu_group_id(group), ret);
	else
		pr_warn_ratelimited("group %d: cannot attach: error %d\n", iommu_group_id(group),
				    ret);
	return ret;
}

static void detach_real_group(struct container *container, struct container_group *cgroup)
{
	ioas_detach_group(&container->ctx, cgroup->group, container->type1.emulated.ngroups);
	/* What it wrote to must still be reported, once. */
	if (cgroup->writes_anywhere)
		dirty_remove_writer(cgroup->ioas);
	ioas_object_unuse(&cgroup->ioas->object);
}

static void backend_detach_group(void *handle, struct iommu_group *group)
{
	struct container *container = container_unreleased(handle);
	struct container_group *cgroup = find_group(container, group);

	mutex_lock(&container->groups_lock);
	list_del(&cgroup->item);
	WRITE_ONCE(container->nwriters, container->nwriters - cgroup->writes_anywhere);
	mutex_unlock(&container->groups_lock);
	emulated_forget_group(&container->type1, group);
	if (cgroup->ioas)
		detach_real_group(container, cgroup);
	else
		emulated_remove_group(&container->type1);
	kfree(cgroup);
	selftest_look(&container->ctx);
}

/* The devices of a group write to what they pin, and nothing else. */
static void note_pinning(struct container *container, struct iommu_group *group)
{
	struct container_group *cgroup;

	if (!READ_ONCE(container->nwriters))
		return;
	mutex_lock(&container->groups_lock);
	cgroup = find_group(container, group);
	if (cgroup && cgroup->writes_anywhere) {
		cgroup->writes_anywhere = false;
		WRITE_ONCE(container->nwriters, container->nwriters - 1);
		dirty_forget_writer(cgroup->ioas);
	}
	mutex_unlock(&container->groups_lock);
}

static int backend_pin_pages(void *handle, struct iommu_group *group, dma_addr_t iova,
			     int npages, int prot, struct page **pages)
{
	struct container *container = container_unreleased(handle);
	int ret = -EINVAL;

	if (!container)
		return ret;
	if (pages && npages > 0)
		ret = emulated_pin(&container->type1, group, iova, npages, prot, pages);
	selftest_look(&container->ctx);
	if (ret)
		return ret;
	note_pinning(container, group);
	return npages;
}

static void backend_unpin_pages(void *handle, dma_addr_t iova, int npages)
{
	struct container *container = container_unreleased(handle);

	if (WARN_ON(!container || npages <= 0))
		return;
	emulated_unpin(&container->type1, iova, npages);
	selftest_look(&container->ctx);
}

static void backend_register_device(void *handle, struct vfio_device *vdev)
{
	struct container *container = container_unreleased(handle);

	emulated_register(&container->type1, vdev);
	selftest_look(&container->ctx);
}

static void backend_unregister_device(void *handle, struct vfio_device *vdev)
{
	struct container *container = container_unreleased(handle);

	emulated_unregister(&container->type1, vdev);
	selftest_look(&container->ctx);
}

static int backend_dma_rw(void *handle, dma_addr_t iova, void *data, size_t nbytes, bool write)
{
	struct container *container = container_unreleased(handle);
	int ret;

	if (!container)
		return -EINVAL;
	ret = emulated_rw(&container->type1, iova, data, nbytes, write);
	selftest_look(&container->ctx);
	return ret;
}

static const struct vfio_iommu_driver_ops backend_ops = {
	.name = KBUILD_MODNAME,
	.owner = THIS_MODULE,
	.open = backend_open,
	.release = backend_release,
	.ioctl = backend_ioctl,
	.attach_group = backend_attach_group,
	.detach_group = backend_detach_group,
	.pin_pages = backend_pin_pages,
	.unpin_pages = backend_unpin_pages,
	.register_device = backend_register_device,
	.unregister_device = backend_unregister_device,
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
		pr_err("vfio_iommu_type1 was loaded and is asked before us now\n");
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

	/* First of all listen: so no backend is loaded between us and the last one unnoticed. */
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
 * vfio.ko makes calls by a pointer to its own record of one of our tables, and without a lock. A
 * call that sleeps has a reference to the module; others, preempted on their way in or out, are
 * waited for, before anything that they use goes. Twice: vfio.ko lets go of the module, and forgets
 * the pointer a moment later. Once nobody is left in between, nobody gets the pointer any more; and
 * then nobody is left who had got it. No new container can come: the module is on its way out, or
 * was never live.
 */
static void wait_for_calls(void)
{
	synchronize_rcu_tasks();
	synchronize_rcu_tasks();
}

/**
 * backend_exit() - undo backend_init(); no container of ours is left
 *
 * Waits for each task that runs in the kernel, until it sleeps or returns to its program, which can
 * take long.
 */
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
