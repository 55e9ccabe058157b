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
 * which is not used again. A call that found the container is inside its IOAS
 * before it looks whether that is alive, or has counted itself; release waits for both.
 *
 * Locking: registrations_mutex guards the list of tables, containers_lock the table of
 * containers, which is read under RCU. vfio.ko serialises open, attach, detach and release
 * of one container.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/hashtable.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vfio.h>

#include "backend.h"
#include "dirty.h"
#include "emulated.h"
#include "group.h"
#include "ioas.h"
#include "ioctl.h"
#include "iommufd.h"
#include "node.h"
#include "object.h"
#include "type1.h"
#include "vaddr.h"
#include "vfio_private.h"

struct container {
	struct hlist_node item;		/* containers_lock */
	unsigned long handle;		/* constant */
	refcount_t nkept;		/* calls that keep it, and one until release */
	struct completion unkept;	/* none of them is left */
	struct rcu_head rcu;
	struct ioas_ctx ctx;
	struct mutex groups_lock;	/* innermost */
	struct list_head groups;	/* groups_lock; vfio.ko serialises who comes and goes */
	struct type1 type1;
};

/* A group of a container. */
struct container_group {
	struct list_head item;		/* groups_lock of the container */
	struct iommu_group *group;	/* constant, as is emulated */
	bool emulated;
	bool writes_anywhere;		/* groups_lock; its device writes to what it did not pin */
};

/* One table given to vfio.ko; the first of the list is the one asked first. */
struct registration {
	struct list_head item;
	struct vfio_iommu_driver_ops ops;
};

static DEFINE_SPINLOCK(containers_lock);
static DEFINE_HASHTABLE(containers, 8);	/* containers_lock; by handle */
static unsigned long last_handle;	/* containers_lock */

static DEFINE_MUTEX(registrations_mutex);
static LIST_HEAD(registrations);	/* registrations_mutex */

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

/* Finds a container where vfio.ko does not release it at the same moment. */
static struct container *container_unreleased(void *handle)
{
	struct container *container;

	rcu_read_lock_sched();
	container = container_find(handle);
	rcu_read_unlock_sched();
	return container;
}

/* Finds a container and keeps it from being freed. */
static struct container *container_get(void *handle)
{
	struct container *container;

	rcu_read_lock_sched();
	container = container_find(handle);
	if (container && !refcount_inc_not_zero(&container->nkept))
		container = NULL;
	rcu_read_unlock_sched();
	return container;
}

static void container_put(struct container *container)
{
	if (refcount_dec_and_test(&container->nkept))
		complete(&container->unkept);
}

/*
 * Finds a container's IOAS and enters it without waiting; NULL if that is not possible
 * right now. Whoever is in it keeps IOAS and container: both end only after somebody got
 * the lock for writing.
 */
static inline struct ioas *try_enter(void *handle, struct container **container)
{
	struct ioas *ioas = NULL;

	rcu_read_lock_sched();
	*container = container_find(handle);
	if (*container)
		ioas = rcu_dereference_sched((*container)->ctx.vfio_ioas);
	if (ioas && !ioas_try_enter(ioas))
		ioas = NULL;
	if (ioas && ioas->dead) {
		ioas_leave(ioas);
		ioas = NULL;
	}
	rcu_read_unlock_sched();
	return ioas;
}

static int set_fresh_ioas(struct ioas_ctx *ctx)
{
	struct ioas *ioas = ioas_create(ctx);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ioas_set_vfio(ctx, ioas);
	ioas_object_publish(&ioas->object);
	return 0;
}

static void container_publish(struct container *container)
{
	spin_lock(&containers_lock);
	container->handle = ++last_handle;
	hash_add_rcu(containers, &container->item, container->handle);
	spin_unlock(&containers_lock);
}

static void *backend_open(unsigned long type)
{
	struct container *container;
	int ret;

	container = kzalloc(sizeof(*container), GFP_KERNEL_ACCOUNT);
	if (!container)
		return ERR_PTR(-ENOMEM);
	ret = type1_init(&container->type1, &container->ctx, type);
	if (ret)
		goto free_container;
	mutex_init(&container->groups_lock);
	INIT_LIST_HEAD(&container->groups);
	refcount_set(&container->nkept, 1);
	init_completion(&container->unkept);
	ioas_ctx_init(&container->ctx, NULL, ACCOUNT_MM);
	WRITE_ONCE(container->ctx.insight.type, type1_name(&container->type1));
	ret = set_fresh_ioas(&container->ctx);
	if (ret)
		goto destroy_ctx;
	container_publish(container);
	return (void *)container->handle;

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

	spin_lock(&containers_lock);
	hash_del_rcu(&container->item);
	spin_unlock(&containers_lock);
	container_put(container);
	wait_for_completion(&container->unkept);
	ioas_ctx_destroy(&container->ctx);
	type1_exit(&container->type1);
	WARN_ON(!list_empty(&container->groups));
	kfree_rcu(container, rcu);
}

static long type1_ioctl_slow(struct container *container, unsigned int cmd,
			     unsigned long arg)
{
	struct ioas *ioas = ioas_get_vfio(&container->ctx);
	struct type1 *type1 = &container->type1;
	long ret;

	if (!ioas)
		return cmd == VFIO_CHECK_EXTENSION ? type1_check_extension(type1, NULL, arg) :
						     -ENODEV;
	ioas_enter(ioas);
	ret = type1_ioctl(type1, ioas, cmd, arg);
	ioas_leave(ioas);
	if (ret == TYPE1_ALONE)
		ret = type1_ioctl_alone(type1, ioas, cmd, arg);
	ioas_put(ioas);
	return ret;
}

static long handle_ioctl_slow(void *handle, unsigned int cmd, unsigned long arg)
{
	struct container *container = container_get(handle);
	long ret;

	if (!container)
		return -EINVAL;
	if (ioctl_is_native(cmd))
		ret = ioas_ctx_ioctl(&container->ctx, cmd, arg);
	else
		ret = type1_ioctl_slow(container, cmd, arg);
	container_put(container);
	return ret;
}

static inline long handle_ioctl(void *handle, unsigned int cmd, unsigned long arg)
{
	struct container *container;
	struct ioas *ioas;
	long ret;

	/* The common case takes one lock; only while groups come or go must one wait. */
	ioas = ioctl_is_native(cmd) ? NULL : try_enter(handle, &container);
	if (!ioas)
		return handle_ioctl_slow(handle, cmd, arg);
	ret = type1_ioctl(&container->type1, ioas, cmd, arg);
	ioas_leave(ioas);
	return unlikely(ret == TYPE1_ALONE) ? handle_ioctl_slow(handle, cmd, arg) : ret;
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
	return type1_check_extension(NULL, NULL, arg);
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

/* Makes sure that there is an IOAS: its user may have ended it, or chosen none. */
static struct ioas *get_ioas(struct container *container)
{
	struct ioas *ioas;
	int ret;

	while (!(ioas = ioas_get_vfio(&container->ctx))) {
		ret = set_fresh_ioas(&container->ctx);
		if (ret)
			return ERR_PTR(ret);
	}
	return ioas;
}

static bool waits_for_vaddr(struct ioas *ioas)
{
	bool waits;

	down_write(&ioas->domains_rwsem);
	waits = vaddr_any_void(ioas);
	up_write(&ioas->domains_rwsem);
	return waits;
}

static int attach_real_group(struct container *container, struct ioas *ioas,
			     struct iommu_group *group)
{
	struct type1 *type1 = &container->type1;
	struct ioas_attach attach = {
		.nesting = type1->nesting,
		.single_pages = type1_single_pages(),
	};
	int ret;

	if (waits_for_vaddr(ioas))
		return -EBUSY;
	/* From the moment on that its devices can. */
	atomic_inc(&type1->dirty.nwriters);
	ret = ioas_attach_group(ioas, group, &attach);
	if (ret)
		atomic_dec(&type1->dirty.nwriters);
	else
		WRITE_ONCE(type1->had_domain, true);
	/* Once there is a list of ranges, what lies out of reach is out of the list. */
	if (ret == -EADDRINUSE || (ret == -ERANGE && type1->had_domain))
		ret = -EINVAL;
	return ret;
}

static int attach_group(struct container *container, struct iommu_group *group, bool emulated)
{
	struct container_group *cgroup;
	struct ioas *ioas;
	int ret;

	if (find_group(container, group))
		return -EINVAL;
	cgroup = kzalloc(sizeof(*cgroup), GFP_KERNEL_ACCOUNT);
	if (!cgroup)
		return -ENOMEM;
	cgroup->group = group;
	cgroup->emulated = emulated;
	cgroup->writes_anywhere = !emulated;
	ioas = get_ioas(container);
	if (IS_ERR(ioas)) {
		kfree(cgroup);
		return PTR_ERR(ioas);
	}
	if (emulated)
		ret = emulated_add_group(&container->type1);
	else
		ret = attach_real_group(container, ioas, group);
	ioas_put(ioas);
	if (ret) {
		kfree(cgroup);
		return ret;
	}
	mutex_lock(&container->groups_lock);
	list_add(&cgroup->item, &container->groups);
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
	/* vfio.ko may go on to another backend without telling anybody. */
	if (ret)
		pr_warn_ratelimited("group %d: cannot attach: error %d; SET_IOMMU may have fallen back to another backend\n",
				    iommu_group_id(group), ret);
	return ret;
}

static void detach_real_group(struct container *container, struct container_group *cgroup)
{
	struct type1 *type1 = &container->type1;
	struct ioas *ioas;

	ioas_detach_group(&container->ctx, cgroup->group, type1->emulated.ngroups);
	if (!cgroup->writes_anywhere)
		return;
	/* What it wrote to must still be reported, once. */
	ioas = ioas_get_vfio(&container->ctx);
	if (ioas) {
		dirty_all(&type1->dirty, ioas);
		ioas_put(ioas);
	}
	atomic_dec(&type1->dirty.nwriters);
}

static void backend_detach_group(void *handle, struct iommu_group *group)
{
	struct container *container = container_unreleased(handle);
	struct container_group *cgroup = find_group(container, group);

	mutex_lock(&container->groups_lock);
	list_del(&cgroup->item);
	mutex_unlock(&container->groups_lock);
	if (cgroup->emulated)
		emulated_remove_group(&container->type1);
	else
		detach_real_group(container, cgroup);
	kfree(cgroup);
}

/* The devices of a group write to what they pin, and nothing else. */
static void note_pinning(struct container *container, struct iommu_group *group)
{
	struct container_group *cgroup;

	if (!atomic_read(&container->type1.dirty.nwriters))
		return;
	mutex_lock(&container->groups_lock);
	cgroup = find_group(container, group);
	if (cgroup && cgroup->writes_anywhere) {
		cgroup->writes_anywhere = false;
		atomic_dec(&container->type1.dirty.nwriters);
	}
	mutex_unlock(&container->groups_lock);
}

static int backend_pin_pages(void *handle, struct iommu_group *group, dma_addr_t iova,
			     int npages, int prot, struct page **pages)
{
	struct container *container = container_unreleased(handle);
	int ret;

	if (!container || !pages || npages <= 0)
		return -EINVAL;
	ret = emulated_pin(&container->type1, group, iova, npages, prot, pages);
	if (ret)
		return ret;
	note_pinning(container, group);
	return npages;
}

static void backend_unpin_pages(void *handle, dma_addr_t iova, int npages)
{
	struct container *container = container_unreleased(handle);

	if (!WARN_ON(!container || npages <= 0))
		emulated_unpin(&container->type1, iova, npages);
}

static void backend_register_device(void *handle, struct vfio_device *vdev)
{
	emulated_register(&container_unreleased(handle)->type1, vdev);
}

static void backend_unregister_device(void *handle, struct vfio_device *vdev)
{
	emulated_unregister(&container_unreleased(handle)->type1, vdev);
}

static int backend_dma_rw(void *handle, dma_addr_t iova, void *data, size_t nbytes, bool write)
{
	struct container *container = container_unreleased(handle);

	return container ? emulated_rw(&container->type1, iova, data, nbytes, write) : -EINVAL;
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
}
